/* SPDX-License-Identifier: MIT */
/* What the kit uses of the shim before libuv, in src/check/shim. That is part of
 * libvow-check, but comes into a program only that is linked with what
 * vow-check.pc has as `wrap`: in others these functions are NULL. */
#ifndef VOW_CHECK_CALLS_H
#define VOW_CHECK_CALLS_H

#include "check/shim/shim.h"

#pragma weak vow__shim_on
#pragma weak vow__shim_off
#pragma weak vow__shim_fail
#pragma weak vow__shim_fail_from
#pragma weak vow__shim_report
#pragma weak vow__shim_short_reads
#pragma weak vow__shim_short_writes
#pragma weak vow__shim_count
#pragma weak vow__shim_hits
#pragma weak vow__shim_knows
#pragma weak vow__shim_last
#pragma weak vow__shim_unmet

#endif
