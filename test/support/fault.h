/* SPDX-License-Identifier: MIT */
/* An allocator for vow that counts, and fails on demand. Safe to use from
 * several threads; the settings below are for one. */
#ifndef VOW_TEST_SUPPORT_FAULT_H
#define VOW_TEST_SUPPORT_FAULT_H

#include <stddef.h>

/** Makes vow allocate through this allocator from now on, with nothing failing
 *  and all counters at zero. While no loop exists. */
void fault_install(void);

/** Gives vow its own allocator back. While no loop exists. */
void fault_remove(void);

/** The nth allocation from now fails, 1 being the next; the others succeed. */
void fault_fail_at(size_t n);

/** The nth allocation from now and every one after it fails. */
void fault_fail_from(size_t n);

/** No allocation fails any more. */
void fault_off(void);

/** Blocks allocated since fault_install and not released yet. */
long fault_live(void);

/** The bytes of those blocks, as they were asked for. */
long fault_live_bytes(void);

/** Allocations tried since the last fault_install, fault_fail_at,
 *  fault_fail_from or fault_off. */
size_t fault_count(void);

/** How many of them failed. */
size_t fault_failed(void);

#endif
