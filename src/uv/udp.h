/* SPDX-License-Identifier: MIT */
/* Making UDP handles, for the files that hand them out. */
#ifndef VOW_UV_UDP_H
#define VOW_UV_UDP_H

#include "uv/driver.h"

/** vow_udp_new with a driver. */
int vow__udp_new(const char *site, vow__uv_t *d, unsigned flags,
                 uv_udp_t **ret_udp);

#endif
