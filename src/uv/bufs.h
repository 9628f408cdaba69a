/* SPDX-License-Identifier: MIT */
/* Arrays of buffers: their length, and a copy of them in one piece. */
#ifndef VOW_UV_BUFS_H
#define VOW_UV_BUFS_H

#include <uv.h>

#include <string.h>

static inline size_t vow__bufs_total(const uv_buf_t bufs[], unsigned n) {
  size_t total = 0;
  unsigned i;
  for (i = 0; i < n; i++) total += bufs[i].len;
  return total;
}

/** Copies what is behind the first skip bytes. */
static inline void vow__bufs_copy(char *to, const uv_buf_t bufs[], unsigned n,
                                  size_t skip) {
  unsigned i;
  for (i = 0; i < n; i++) {
    size_t length = bufs[i].len;
    if (skip >= length) {
      skip -= length;
      continue;
    }
    memcpy(to, bufs[i].base + skip, length - skip);
    to += length - skip;
    skip = 0;
  }
}

#endif
