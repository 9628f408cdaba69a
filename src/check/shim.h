/* SPDX-License-Identifier: MIT */
/* What the kit uses of the shim before libuv, whose sources are
 * test/support/uvfault*.c. They are part of libvow-check, but come into a
 * program only that is linked with what vow-check.pc has as `wrap`: in others
 * these functions are NULL. */
#ifndef VOW_CHECK_SHIM_H
#define VOW_CHECK_SHIM_H

#include "check/kit.h"

void uvfault_on(void) __attribute__((weak));
void uvfault_off(void) __attribute__((weak));
void uvfault_fail(const char *name, size_t nth, int code) __attribute__((weak));
void uvfault_fail_from(const char *name, size_t nth, int code)
    __attribute__((weak));
void uvfault_report(const char *name, size_t nth, int code)
    __attribute__((weak));
void uvfault_short_reads(size_t max_bytes) __attribute__((weak));
void uvfault_short_writes(size_t max_bytes) __attribute__((weak));
size_t uvfault_count(const char *name) __attribute__((weak));
size_t uvfault_hits(void) __attribute__((weak));
bool uvfault_knows(const char *name) __attribute__((weak));
const char *uvfault_last(void) __attribute__((weak));
const char *uvfault_unmet(void) __attribute__((weak));

#endif
