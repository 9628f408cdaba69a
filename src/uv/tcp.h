/* SPDX-License-Identifier: MIT */
/* Making TCP handles, for the files that hand them out. */
#ifndef VOW_UV_TCP_H
#define VOW_UV_TCP_H

#include "uv/driver.h"

/** vow_tcp_new with a driver. */
int vow__tcp_new(const char *site, vow__uv_t *d, uv_tcp_t **ret_tcp);

#endif
