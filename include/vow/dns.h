/* SPDX-License-Identifier: MIT */
/* Names and addresses. */
#ifndef VOW_DNS_H
#define VOW_DNS_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** The type of a resolved list: struct addrinfo *, ended by
 *  uv_freeaddrinfo. */
VOW_EXPORT extern const vow_type_t vow_type_addrinfo;

/** vow_getaddrinfo(loop, node, service, hints)
 *  Resolves node and service on libuv's thread pool; succeeds with a list of
 *  at least one address (vow_addrinfo_get). hints may be NULL, and one of node
 *  and service.
 *  Ownership: the arguments are copied; the caller owns the result. A list
 *    that arrives after the future was cancelled is released.
 *  Errors: UV_EAI_NONAME and the other UV_EAI_ codes, with a message that names
 *    node; UV_EINVAL (both are NULL, a name that is too long), UV_ENOMEM,
 *    UV_ENOTSUP (the loop is not on libuv), VOW_ETHREAD, VOW_ESHUTDOWN, through
 *    the result. A cancellation is a cancellation, never UV_EAI_CANCELED.
 *  Thread: the loop's. Source: uv_getaddrinfo. */
#define vow_getaddrinfo(loop, node, service, hints) \
  vow_getaddrinfo_at(VOW_SITE, (loop), (node), (service), (hints))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_getaddrinfo_at(
    const char *site, vow_loop_t *loop, const char *node, const char *service,
    const struct addrinfo *hints);

/** vow_addrinfo_get(f), vow_addrinfo_take(f)
 *  vow_get and vow_take with the type of lists.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    uv_freeaddrinfo. */
VOW_EXPORT struct addrinfo *vow_addrinfo_get(vow_future_t *f);
VOW_EXPORT struct addrinfo *vow_addrinfo_take(vow_future_t *f);

/* ---- from an address to its name ----------------------------------------- */

/** The names of an address; both lie in the same piece of memory. */
typedef struct vow_nameinfo {
  const char *host;    /* "localhost", or the address in digits */
  const char *service; /* "http", or the port in digits */
} vow_nameinfo_t;

/** The type of a vow_nameinfo_t *, ended by vow_release. */
VOW_EXPORT extern const vow_type_t vow_type_nameinfo;

/** vow_getnameinfo(loop, addr, flags)
 *  Finds the names of an IPv4 or IPv6 address on libuv's thread pool; succeeds
 *  with them: vow_nameinfo_get. flags: NI_NUMERICHOST, NI_NAMEREQD and so on,
 *  or 0.
 *  Ownership: addr is copied; the caller owns the result.
 *  Errors: UV_EAI_NONAME and the other UV_EAI_ codes, with a message that names
 *    the address; UV_EINVAL (NULL, another address family), UV_ENOMEM,
 *    UV_ENOTSUP (the loop is not on libuv), VOW_ETHREAD, VOW_ESHUTDOWN, through
 *    the result. A cancellation is a cancellation, never UV_EAI_CANCELED.
 *  Thread: the loop's. Source: uv_getnameinfo. */
#define vow_getnameinfo(loop, addr, flags) \
  vow_getnameinfo_at(VOW_SITE, (loop), (addr), (flags))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_getnameinfo_at(
    const char *site, vow_loop_t *loop, const struct sockaddr *addr, int flags);

/** vow_nameinfo_get(f)
 *  vow_get with the type of names.
 *  Ownership, Errors, Thread: as vow_get. */
VOW_EXPORT const vow_nameinfo_t *vow_nameinfo_get(vow_future_t *f);

VOW_END_DECLS
#endif
