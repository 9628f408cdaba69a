/* SPDX-License-Identifier: MIT */
/* Telling a reset from an end. */
#include "uv/ending.h"

#include <sys/socket.h>

int vow__read_ending(uv_stream_t *stream, int err) {
  uv_os_fd_t fd;
  int reset = 0;
  socklen_t size = sizeof reset;
  if (err != UV_EOF || stream->type == UV_TTY ||
      uv_fileno((uv_handle_t *)stream, &fd) != 0 ||
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &reset, &size) != 0 || reset == 0)
    return err; /* ENOTSOCK for a pipe made by pipe(2) is fine */
  return uv_translate_sys_error(reset);
}
