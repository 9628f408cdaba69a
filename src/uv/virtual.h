/* SPDX-License-Identifier: MIT */
/* The driver's turns when its clock is virtual. */
#ifndef VOW_UV_VIRTUAL_H
#define VOW_UV_VIRTUAL_H

#include "uv/driver.h"

/** The driver's turn hook. */
bool vow__virtual_turn(vow__uv_t *d, bool wait, bool remote);

#endif
