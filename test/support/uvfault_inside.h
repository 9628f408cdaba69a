/* SPDX-License-Identifier: MIT */
/* What the files of the shim share: who fails, and whose callback was taken
 * over. Tests include uvfault.h alone. */
#ifndef VOW_TEST_SUPPORT_UVFAULT_INSIDE_H
#define VOW_TEST_SUPPORT_UVFAULT_INSIDE_H

#include <stdbool.h>

#include "support/uvfault.h"

/* A number for each function. */
#define UVFAULT_CALL(name, params, args) CALL_##name,
#define UVFAULT_FS(name, params, args)   CALL_##name,
#define UVFAULT_OWN(name)                CALL_##name,
typedef enum uvfault_call {
#include "support/uvfault_calls.h"
  CALL_COUNT
} uvfault_call_t;
#undef UVFAULT_CALL
#undef UVFAULT_FS
#undef UVFAULT_OWN

/** Counts a call; true when it is to fail, with *ret_code. */
bool uvfault__fails(uvfault_call_t call, int *ret_code);
/** Counts what a callback is told; true when that is to be *ret_code. */
bool uvfault__reports(uvfault_call_t call, int *ret_code);
bool uvfault__is_on(void);

/** The limits, 0 for none. */
size_t uvfault__read_max(void);
size_t uvfault__write_max(void);
/** bufs, n, cut to the first of them that has bytes, and max of these; n when
 *  max is 0. */
unsigned uvfault__cut(const uv_buf_t bufs[], unsigned n, size_t max,
                      uv_buf_t *ret_buf);

/* ---- callbacks that were taken over -------------------------------------- */

typedef void (*uvfault_cb_t)(void);

/** Of one request or handle, by its address. */
typedef struct uvfault_watch {
  const void *key;
  uvfault_cb_t cb;   /* the user's */
  uv_alloc_cb alloc; /* likewise, of a source */
  int code;          /* what a request's callback is to be told */
  int family;        /* of the addresses that were asked for */
} uvfault_watch_t;

/** Keeps w in place of an older one with its key. */
void uvfault__watch(const uvfault_watch_t *w);
/** The one of key; zeroed when there is none. take forgets it. */
uvfault_watch_t uvfault__watched(const void *key);
uvfault_watch_t uvfault__take(const void *key);

/** Before a request begins: cb, or instead when cb is to be told a code. */
uvfault_cb_t uvfault__request(uvfault_call_t call, const void *req,
                              uvfault_cb_t cb, uvfault_cb_t instead);
/** After its call, which gave err: that. */
int uvfault__begun(const void *req, int err);

#endif
