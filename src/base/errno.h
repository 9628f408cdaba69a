/* SPDX-License-Identifier: MIT */
/* libuv's error numbers. Below src/uv nothing else of libuv may be used. */
#ifndef VOW_BASE_ERRNO_H
#define VOW_BASE_ERRNO_H

#include <uv.h>

#endif
