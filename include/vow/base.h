/* SPDX-License-Identifier: MIT */
/* What every vow header needs: export marks, sites, the allocator hooks.
 * No futures here. */
#ifndef VOW_BASE_H
#define VOW_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define VOW_BEGIN_DECLS extern "C" {
#define VOW_END_DECLS   }
#else
#define VOW_BEGIN_DECLS
#define VOW_END_DECLS
#endif

#if defined(__GNUC__) || defined(__clang__)
#define VOW_EXPORT       __attribute__((visibility("default")))
#define VOW_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define VOW_MUST_USE     __attribute__((warn_unused_result))
#else
#define VOW_EXPORT
#define VOW_PRINTF(f, a)
#define VOW_MUST_USE
#endif

/** VOW_SITE: where this line is, as a string literal "file:line".
 *  Every constructor below is a macro that passes it on; the function behind
 *  the macro has the same name with `_at` and takes the site first, for
 *  wrappers that want to pass their caller's site. */
#define VOW__STR2(x) #x
#define VOW__STR(x)  VOW__STR2(x)
#define VOW_SITE     (__FILE__ ":" VOW__STR(__LINE__))

#define VOW_VERSION_MAJOR 0
#define VOW_VERSION_MINOR 1
#define VOW_VERSION_PATCH 0
#define VOW_VERSION       "0.1.0"

VOW_BEGIN_DECLS

typedef struct vow_loop vow_loop_t;
typedef struct vow_future vow_future_t;
typedef struct vow_promise vow_promise_t;
typedef struct vow_token vow_token_t;

/** vow_version()
 *  The version of the library that is linked, for example "0.1.0".
 *  Ownership: static string.
 *  Errors: none.
 *  Thread: any. */
VOW_EXPORT const char *vow_version(void);

/** The allocator that vow uses for everything it allocates itself.
 *  alloc and alloc_aligned return NULL when they fail; release takes what
 *  either of them gave, and NULL. They may be called from several threads. */
typedef struct vow_allocator {
  void *(*alloc)(size_t size_bytes, void *arg);
  void *(*alloc_aligned)(size_t align_bytes, size_t size_bytes, void *arg);
  void (*release)(void *ptr, void *arg);
  void *arg;
} vow_allocator_t;

/** vow_set_allocator(a)
 *  Makes vow allocate through a from now on; NULL restores malloc.
 *  Ownership: *a is copied.
 *  Errors: UV_EINVAL when a function of a is NULL (nothing changes).
 *  Thread: call it before the first loop is made, or while none exists. */
VOW_EXPORT int vow_set_allocator(const vow_allocator_t *a);

VOW_END_DECLS
#endif
