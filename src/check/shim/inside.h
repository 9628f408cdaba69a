/* SPDX-License-Identifier: MIT */
/* What the files of the shim share: who fails, and whose callback was taken
 * over. Tests include shim.h alone. */
#ifndef VOW_CHECK_SHIM_INSIDE_H
#define VOW_CHECK_SHIM_INSIDE_H

#include <stdbool.h>

#include "check/shim/shim.h"

/* A number for each function. */
#define SHIM_CALL(name, params, args) CALL_##name,
#define SHIM_FS(name, params, args)   CALL_##name,
#define SHIM_OWN(name)                CALL_##name,
typedef enum vow__shim_call {
#include "check/shim/calls.h"
  CALL_COUNT
} vow__shim_call_t;
#undef SHIM_CALL
#undef SHIM_FS
#undef SHIM_OWN

/** Counts a call; true when it is to fail, with *ret_code. */
bool vow__shim_fails(vow__shim_call_t call, int *ret_code);
/** Counts what a callback is told; true when that is to be *ret_code. */
bool vow__shim_reports(vow__shim_call_t call, int *ret_code);
bool vow__shim_is_on(void);

/** The limits, 0 for none. */
size_t vow__shim_read_max(void);
size_t vow__shim_write_max(void);
/** bufs, n, cut to the first of them that has bytes (else the last), and max of
 *  these; n when max is 0. */
unsigned vow__shim_cut(const uv_buf_t bufs[], unsigned n, size_t max,
                       uv_buf_t *ret_buf);

/* ---- callbacks that were taken over -------------------------------------- */

typedef void (*vow__shim_cb_t)(void);

/** Of one request or handle, by its address. */
typedef struct vow__shim_watch {
  const void *key;
  vow__shim_cb_t cb; /* the user's */
  uv_alloc_cb alloc; /* likewise, of a source */
  int code;          /* what a request's callback is to be told */
  int family;        /* of the addresses that were asked for */
} vow__shim_watch_t;

/** Keeps w in place of an older one with its key. */
void vow__shim_watch(const vow__shim_watch_t *w);
/** The one of key; zeroed when there is none. take forgets it. */
vow__shim_watch_t vow__shim_watched(const void *key);
vow__shim_watch_t vow__shim_take(const void *key);

/** Before a request begins: cb, or instead when cb is to be told a code. */
vow__shim_cb_t vow__shim_request(vow__shim_call_t call, const void *req,
                                 vow__shim_cb_t cb, vow__shim_cb_t instead);
/** After its call, which gave err: that. */
int vow__shim_begun(const void *req, int err);

#endif
