/* SPDX-License-Identifier: MIT */
/* The error object's fields, for error.c and error_format.c. */
#ifndef VOW_CORE_ERROR_H
#define VOW_CORE_ERROR_H

#include "core/loop.h"

#define VOW__TRAIL_MAX 16

struct vow_failure {
  uint32_t refs;
  int code;
  bool cancelled;
  const char *site;
  char *message; /* NULL: the code's text */
  vow_value_t cause;
  vow_error_t *next_dead; /* while it is destroyed */
  size_t trail_length;    /* counts all, VOW__TRAIL_MAX are kept */
  const char *trail[VOW__TRAIL_MAX];
  size_t count;
  vow_value_t nth[];
};

/** v as an object; v itself for want of memory. Consumes v. */
vow_value_t vow__error_object(vow_value_t v, const char *origin);

#endif
