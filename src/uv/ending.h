/* SPDX-License-Identifier: MIT */
/* Why reading ended. */
#ifndef VOW_UV_ENDING_H
#define VOW_UV_ENDING_H

#include <uv.h>

/** What an error of uv_read_cb means. libuv reports a reset that comes right
 *  behind data as the end of the stream; the socket knows better, and a body
 *  cut short must not look whole. */
int vow__read_ending(uv_stream_t *stream, int err);

#endif
