/* SPDX-License-Identifier: MIT */
/* What a run gives, from the inside. */
#ifndef VOW_NET_RUN_H
#define VOW_NET_RUN_H

#include <vow/run.h>

struct vow_run {
  size_t refs;
  vow_exit_t exit;
  vow_bytes_t *output[2]; /* of 1 and 2; NULL: not captured */
  size_t fed_bytes;
  bool cut;
};

/** Zeroed, with one reference; NULL for want of memory. */
vow_run_t *vow__run_new(void);

#endif
