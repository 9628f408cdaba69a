/* SPDX-License-Identifier: MIT */
/* Handles that arrive over a pipe with ipc, kept for those who ask. */
#ifndef VOW_UV_HANDOVER_H
#define VOW_UV_HANDOVER_H

#include "uv/driver.h"

typedef struct vow__handover vow__handover_t;

/** For a pipe with ipc; NULL for want of memory. */
vow__handover_t *vow__handover_new(const char *site, vow__uv_t *d);
/** Whether stream is a pipe with ipc. */
bool vow__handover_is_for(const uv_stream_t *stream);
/** Fetches from libuv what came with the last read. */
void vow__handover_take_in(vow__handover_t *h, uv_stream_t *pipe);
/** The next handle, as vow__feed_next. */
vow_future_t *vow__handover_next(const char *site, vow__handover_t *h,
                                 uv_stream_t *pipe);
/** Fails the nexts that are pending; more may come. */
void vow__handover_fail(vow__handover_t *h, int code);
/** No more will come; h may be NULL. */
void vow__handover_end(vow__handover_t *h, int code);
/** Likewise, and handles that wait are closed. */
void vow__handover_close(vow__handover_t *h, int code);

#endif
