/* SPDX-License-Identifier: MIT */
/* The ways to begin a connection: by name, by addresses, to a pipe. Trying the
 * addresses is in eyeballs.c. */
#include <vow/connect.h>

#include "net/eyeballs.h"
#include "net/handle.h"

/* ---- what the winner becomes --------------------------------------------- */

static vow_value_t as_tcp(const char *site, uv_stream_t *handle) {
  (void)site;
  return vow_ptr(handle, &vow_type_tcp);
}

static vow_value_t as_stream(const char *site, uv_stream_t *handle) {
  vow_stream_t *stream = NULL;
  int err = vow_stream_from_uv_at(site, handle, VOW_STREAM_OWNED, &stream);
  if (err == 0) return vow_stream_value(stream);
  vow__handle_free(handle);
  return vow_fail(err);
}

/* ---- arguments ----------------------------------------------------------- */

/* What is wrong with options; NULL: nothing. */
static const char *complaint(const vow_connect_options_t *options) {
  if (options == NULL) return NULL;
  if (options->source != NULL && !vow__address_fits(options->source))
    return "the source address is not IPv4 or IPv6";
  if (options->family != AF_UNSPEC && options->family != AF_INET &&
      options->family != AF_INET6)
    return "the family is not IPv4 or IPv6";
  return NULL;
}

static int family_of(const vow_connect_options_t *options) {
  if (options == NULL) return AF_UNSPEC;
  if (options->family == AF_UNSPEC && options->source != NULL)
    return options->source->sa_family;
  return options->family;
}

typedef vow_value_t (*wrap_fn)(const char *site, uv_stream_t *handle);

/* An operation to start; NULL with a failed future in *ret_failed. */
static vow__connect_t *prepare(const char *site, vow_loop_t *loop,
                               const vow_connect_options_t *options,
                               const char *bad, wrap_fn wrap,
                               vow_future_t **ret_failed) {
  vow__connect_t *c;
  if (bad == NULL) bad = complaint(options);
  if (bad != NULL) {
    *ret_failed = vow_misuse_at(site, loop, UV_EINVAL, "connect: %s", bad);
    return NULL;
  }
  c = vow__connect_new(site, loop, options);
  if (c != NULL)
    c->wrap = wrap;
  else
    *ret_failed = vow_op_failed(site, loop, "connect");
  return c;
}

/* ---- by addresses -------------------------------------------------------- */

static const char *addresses_complaint(size_t n,
                                       const struct sockaddr *const addrs[]) {
  size_t i;
  if (n == 0 || addrs == NULL) return "there is no address";
  for (i = 0; i < n; i++)
    if (!vow__address_fits(addrs[i]))
      return addrs[i] == NULL ? "an address is NULL"
                              : "an address is not IPv4 or IPv6";
  return NULL;
}

static vow_future_t *connect_addresses(const char *site, vow_loop_t *loop,
                                       size_t n,
                                       const struct sockaddr *const addrs[],
                                       const vow_connect_options_t *options,
                                       wrap_fn wrap) {
  vow_future_t *failed;
  vow__connect_t *c = prepare(site, loop, options,
                              addresses_complaint(n, addrs), wrap, &failed);
  if (c == NULL) return failed;
  vow__connect_start(c, n, addrs);
  return vow_op_future(c);
}

vow_future_t *vow_connect_addresses_at(const char *site, vow_loop_t *loop,
                                       size_t n,
                                       const struct sockaddr *const addrs[],
                                       const vow_connect_options_t *options) {
  return connect_addresses(site, loop, n, addrs, options, as_stream);
}

vow_future_t *vow_tcp_connect_addresses_at(
    const char *site, vow_loop_t *loop, size_t n,
    const struct sockaddr *const addrs[],
    const vow_connect_options_t *options) {
  return connect_addresses(site, loop, n, addrs, options, as_tcp);
}

/* ---- by name ------------------------------------------------------------- */

static vow_future_t *connect_name(const char *site, vow_loop_t *loop,
                                  const char *host, const char *service,
                                  const vow_connect_options_t *options,
                                  wrap_fn wrap) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  const struct sockaddr *addr;
  vow__address_t digits;
  vow_future_t *failed;
  int port;
  const char *bad = host == NULL      ? "the host is NULL"
                    : service == NULL ? "the service is NULL"
                                      : NULL;
  vow__connect_t *c = prepare(site, loop, options, bad, wrap, &failed);
  if (c == NULL) return failed;
  port = vow__port_parse(service);
  if (port == VOW__PORT_NONE) {
    vow_op_settle(c, vow_failf_at(site, UV_EAI_SERVICE,
                                  "connect %s: there is no port %s", host,
                                  service));
    return vow_op_future(c);
  }
  hints.ai_family = family_of(options);
  if (port >= 0 && vow__address_parse(host, port, &digits) &&
      (hints.ai_family == AF_UNSPEC ||
       hints.ai_family == digits.any.sa_family)) {
    addr = &digits.any;
    vow__connect_start(c, 1, &addr);
  } else {
    vow__connect_resolve(c,
                         vow_getaddrinfo_at(site, loop, host, service, &hints));
  }
  return vow_op_future(c);
}

vow_future_t *vow_connect_at(const char *site, vow_loop_t *loop,
                             const char *host, const char *service,
                             const vow_connect_options_t *options) {
  return connect_name(site, loop, host, service, options, as_stream);
}

vow_future_t *vow_tcp_connect_name_at(const char *site, vow_loop_t *loop,
                                      const char *host, const char *service,
                                      const vow_connect_options_t *options) {
  return connect_name(site, loop, host, service, options, as_tcp);
}

/* ---- to a pipe ----------------------------------------------------------- */

vow_future_t *vow_connect_pipe_at(const char *site, vow_loop_t *loop,
                                  const char *path) {
  vow_future_t *failed;
  vow__connect_t *c =
      prepare(site, loop, NULL, path == NULL ? "the path is NULL" : NULL,
              as_stream, &failed);
  if (c == NULL) return failed;
  c->path = path;
  vow__connect_start_pipe(c);
  return vow_op_future(c);
}
