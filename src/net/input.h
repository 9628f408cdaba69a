/* SPDX-License-Identifier: MIT */
/* Bytes on their way into a pipe whose reader may leave. */
#ifndef VOW_NET_INPUT_H
#define VOW_NET_INPUT_H

#include <vow/bytes.h>
#include <vow/poll.h>

typedef struct vow__input {
  int fd; /* non-blocking; -1 when it is closed */
  const char *data;
  size_t left;
  size_t sent;
  vow_bytes_t *kept; /* what has data; NULL: only the caller does */
  vow_poll_t *poll;  /* NULL: there was no need */
} vow__input_t;

/** Writes as much as the pipe takes: UV_EAGAIN when there is more, 0 at the
 *  end, which is also that nobody reads; other errors. Raises no SIGPIPE. */
int vow__input_write(vow__input_t *in);
/** A future that settles when more can be written. data becomes its own. */
vow_future_t *vow__input_wait(const char *site, vow_loop_t *loop,
                              vow__input_t *in);
/** Closes the pipe. Once more does nothing. */
void vow__input_close(vow__input_t *in);

#endif
