/* SPDX-License-Identifier: MIT */
/* Making pipe handles, for the files that hand them out. */
#ifndef VOW_UV_PIPE_H
#define VOW_UV_PIPE_H

#include "uv/driver.h"

/** vow_pipe_new with a driver. */
int vow__pipe_new(const char *site, vow__uv_t *d, bool ipc,
                  uv_pipe_t **ret_pipe);

#endif
