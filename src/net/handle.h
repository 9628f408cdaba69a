/* SPDX-License-Identifier: MIT */
/* Handles made by vow_tcp_new and vow_pipe_new, whichever it is. */
#ifndef VOW_NET_HANDLE_H
#define VOW_NET_HANDLE_H

#include <vow/pipe.h>
#include <vow/tcp.h>

/** Closes and frees handle. */
static inline void vow__handle_free(uv_stream_t *handle) {
  if (handle->type == UV_TCP)
    vow_tcp_free((uv_tcp_t *)handle);
  else
    vow_pipe_free((uv_pipe_t *)handle);
}

#endif
