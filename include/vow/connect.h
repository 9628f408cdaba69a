/* SPDX-License-Identifier: MIT */
/* Connecting by name or address, to the first address that answers. */
#ifndef VOW_CONNECT_H
#define VOW_CONNECT_H

#include <vow/dns.h>
#include <vow/stream.h>
#include <vow/tcp.h>

VOW_BEGIN_DECLS

/** Settings of a connection; zero a field for its default. */
typedef struct vow_connect_options {
  /** How long an attempt has to itself before the next address is tried beside
   *  it, in milliseconds; default 250, at least 10. */
  uint64_t attempt_delay_ms;
  /** The local address, or NULL. Its port is usually 0. Only addresses of its
   *  family can be reached. Copied. */
  const struct sockaddr *source;
  /** AF_INET or AF_INET6: ask names for addresses of this family only. */
  int family;
  /** Sets TCP_NODELAY. */
  bool nodelay;
  /** Probes an idle connection after so many seconds; 0: never. */
  unsigned keepalive_s;
} vow_connect_options_t;

/** vow_connect(loop, host, service, options)
 *  Resolves host and connects to the first of its addresses that answers;
 *  succeeds with a vow_stream_t (vow_stream_take) that owns its handle. An
 *  address in digits with a port in digits goes without the resolver; service
 *  may also be a name, "http".
 *   - The addresses are tried in the resolver's order, but with the families
 *     by turns. One that has not answered after the attempt delay gets the
 *     next beside it; one that fails, at once. The first to be connected wins,
 *     the others are closed before the result settles.
 *   - There is no limit in time but the system's: vow_timeout.
 *   - Cancelled or dropped, at whatever moment, every socket is closed, and
 *     the result settles after that.
 *  Ownership: host, service and options, which may be NULL, are only read
 *    during the call. The caller owns the result.
 *  Errors: the UV_EAI_ codes as vow_getaddrinfo, UV_EAI_SERVICE also for a
 *    port above 65535. When no address could be
 *    reached: with one address its failure, UV_ECONNREFUSED and the like, which
 *    names it; with several an aggregate of their failures in the order of
 *    trying (vow_error_nth), its code and message those of the first.
 *    UV_EAFNOSUPPORT (the source is of another family), what uv_tcp_bind says
 *    of it, UV_EMFILE and UV_ENOMEM are failures of one address. UV_EINVAL
 *    (NULL, an unknown family), UV_ENOTSUP (the loop is not on libuv),
 *    UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: RFC 8305 with getaddrinfo, whose answers for
 *    both families come together. */
#define vow_connect(loop, host, service, options) \
  vow_connect_at(VOW_SITE, (loop), (host), (service), (options))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_connect_at(
    const char *site, vow_loop_t *loop, const char *host, const char *service,
    const vow_connect_options_t *options);

/** vow_connect_addresses(loop, n, addrs, options)
 *  The same for n IPv4 and IPv6 addresses that are known: in their order, but
 *  with the families by turns, beginning with that of the first.
 *  Ownership: the addresses and their array are only read during the call;
 *    otherwise as vow_connect.
 *  Errors: UV_EINVAL (n is 0, an address is NULL or of another family);
 *    otherwise as vow_connect.
 *  Thread: the loop's. */
#define vow_connect_addresses(loop, n, addrs, options) \
  vow_connect_addresses_at(VOW_SITE, (loop), (n), (addrs), (options))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_connect_addresses_at(
    const char *site, vow_loop_t *loop, size_t n,
    const struct sockaddr *const addrs[], const vow_connect_options_t *options);

/** vow_tcp_connect_name(loop, host, service, options)
 *  vow_tcp_connect_addresses(loop, n, addrs, options)
 *  vow_connect and vow_connect_addresses for users of raw handles: they succeed
 *  with a uv_tcp_t * of type vow_type_tcp (vow_tcp_take).
 *  Ownership, Errors, Thread: as those. */
#define vow_tcp_connect_name(loop, host, service, options) \
  vow_tcp_connect_name_at(VOW_SITE, (loop), (host), (service), (options))
#define vow_tcp_connect_addresses(loop, n, addrs, options) \
  vow_tcp_connect_addresses_at(VOW_SITE, (loop), (n), (addrs), (options))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_tcp_connect_name_at(
    const char *site, vow_loop_t *loop, const char *host, const char *service,
    const vow_connect_options_t *options);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_tcp_connect_addresses_at(
    const char *site, vow_loop_t *loop, size_t n,
    const struct sockaddr *const addrs[], const vow_connect_options_t *options);

/** vow_connect_pipe(loop, path)
 *  Connects to the local socket called path; succeeds with a vow_stream_t
 *  (vow_stream_take) that owns its handle. Cancelled or dropped, as
 *  vow_connect.
 *  Ownership: path is only read during the call. The caller owns the result.
 *  Errors: as vow_pipe_connect: UV_ENOENT, UV_ECONNREFUSED and so on, with a
 *    message that names path; UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on
 *    libuv), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. */
#define vow_connect_pipe(loop, path) \
  vow_connect_pipe_at(VOW_SITE, (loop), (path))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_connect_pipe_at(const char *site,
                                                          vow_loop_t *loop,
                                                          const char *path);

VOW_END_DECLS
#endif
