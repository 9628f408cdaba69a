/* SPDX-License-Identifier: MIT */
/* Assertions for vow's own invariants, kept in release builds, and hints for
 * the compiler. Bad arguments of a caller are errors, never assertions. */
#ifndef VOW_BASE_CHECK_H
#define VOW_BASE_CHECK_H

#include <vow/base.h>

#if defined(__GNUC__) || defined(__clang__)
#define VOW__LIKELY(x)   __builtin_expect(!!(x), 1)
#define VOW__UNLIKELY(x) __builtin_expect(!!(x), 0)
#define VOW__NOINLINE    __attribute__((noinline))
#define VOW__INLINE      inline __attribute__((always_inline))
#define vow__prefetch(p) __builtin_prefetch((p), 1)
#else
#define VOW__LIKELY(x)   (x)
#define VOW__UNLIKELY(x) (x)
#define VOW__NOINLINE
#define VOW__INLINE      inline
#define vow__prefetch(p) ((void)0)
#endif

/** vow__panic(where, what, site)
 *  Prints one line to stderr and aborts. */
void vow__panic(const char *where, const char *what, const char *site);

#define vow__assert(cond) \
  (VOW__LIKELY(cond) ? (void)0 : vow__panic(VOW_SITE, #cond, NULL))

/** In debug builds: misuse that a release build does not look for. site is
 *  where the future concerned was made. */
#ifdef VOW_DEBUG
#define vow__debug_check(cond, what, site) \
  (VOW__LIKELY(cond) ? (void)0 : vow__panic(VOW_SITE, (what), (site)))
#else
#define vow__debug_check(cond, what, site) ((void)0)
#endif

#define vow__container_of(ptr, type, member) \
  ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
