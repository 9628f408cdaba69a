/* SPDX-License-Identifier: MIT */
/* What a server listens on: opening, accepting, pausing. */
#include "net/server.h"

#include <vow/driver.h>
#include <vow/handle.h>

#include "net/address.h"
#include "net/handle.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS 100
/* Descriptors that are left to the handlers when accepting pauses. */
#define SPARE_DESCRIPTORS 8u

/* ---- running low --------------------------------------------------------- */

/* Descriptors are given out from the lowest number on: a high one says that
 * those below are taken. */
static bool is_last(int fd, unsigned spare) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
         (rlim_t)fd + spare >= limit.rlim_cur;
}

/* Some more must be free before accepting goes on, or it stops at once. */
static bool descriptors_are_low(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  bool low = fd < 0 || is_last(fd, 2 * SPARE_DESCRIPTORS);
  if (fd >= 0) close(fd);
  return low;
}

static void on_retry(vow_timer_t *t) {
  vow__listening_resume(
      (vow_server_t *)(void *)((char *)t - offsetof(vow_server_t, timer)));
}

/* Without memory for the timer the next connection to end wakes us. */
static void look_again_later(vow_server_t *s) {
  vow_loop_t *loop = vow_op_loop(s);
  (void)vow_timer_start(loop, &s->timer, vow_deadline_ms(loop, RETRY_MS),
                        on_retry);
}

static void tell(vow_server_t *s, int err) {
  const char *site = vow__server_site(s);
  if (vow_waiter_future(&s->news) != NULL) return; /* one is enough */
  vow_waiter_start(
      &s->news, s,
      vow_ready_at(site, vow_op_loop(s),
                   vow_failf_at(site, err, "accept: %s", vow_strerror(err))));
}

static void pause_for(vow_server_t *s, int err) {
  if (!s->paused) tell(s, err);
  s->paused = true;
  look_again_later(s);
}

/* ---- accepting ----------------------------------------------------------- */

static bool may_accept(const vow_server_t *s) {
  return s->phase == VOW__SERVING && !s->paused &&
         (s->options.max_connections == 0 ||
          s->count < s->options.max_connections);
}

/* A handle like the listening one, to accept into. */
static int handle_for(vow__listening_t *l, uv_stream_t **ret_handle) {
  const char *site = vow__server_site(l->server);
  vow_loop_t *loop = vow_op_loop(l->server);
  uv_tcp_t *tcp = NULL;
  uv_pipe_t *pipe = NULL;
  int err;
  if (l->handle->type == UV_TCP) {
    err = vow_tcp_new_at(site, loop, &tcp);
    *ret_handle = (uv_stream_t *)tcp;
  } else {
    err = vow_pipe_new_at(site, loop, false, &pipe);
    *ret_handle = (uv_stream_t *)pipe;
  }
  return err;
}

static int adjust(const vow_server_t *s, uv_stream_t *handle) {
  int err = 0;
  if (handle->type != UV_TCP) return 0;
  if (s->options.nodelay) err = uv_tcp_nodelay((uv_tcp_t *)handle, 1);
  if (err == 0 && s->options.keepalive_s > 0)
    err = uv_tcp_keepalive((uv_tcp_t *)handle, 1, s->options.keepalive_s);
  return err;
}

/* Takes the connection that libuv holds. All that can fail for want of memory
 * comes before, so that it is not lost then. */
static void accept_held(vow__listening_t *l) {
  vow_server_t *s = l->server;
  vow__connection_t *c = NULL;
  uv_stream_t *handle = NULL;
  uv_os_fd_t fd = -1;
  int err = handle_for(l, &handle);
  if (err == 0) err = vow__connection_new(s, handle, &c);
  if (err != 0) {
    pause_for(s, err);
    return;
  }
  l->held = false;
  err = uv_accept(l->handle, handle);
  if (err == 0) err = adjust(s, handle);
  if (err != 0) {
    vow__connection_discard(c);
    tell(s, err);
    return;
  }
  uv_fileno((uv_handle_t *)handle, &fd);
  vow__connection_begin(c);
  if (is_last(fd, SPARE_DESCRIPTORS)) pause_for(s, UV_EMFILE);
}

/* libuv tries again at once and for ever after an error that it could not work
 * around: give it a descriptor, and keep what it then accepts. */
static void on_trouble(vow_server_t *s, int err) {
  if (err != UV_EMFILE && err != UV_ENFILE) {
    tell(s, err);
    return;
  }
  if (s->reserve >= 0) close(s->reserve);
  s->reserve = -1;
  pause_for(s, err);
}

static void on_connection(uv_stream_t *handle, int status) {
  vow__listening_t *l = handle->data;
  vow_loop_t *loop = vow_op_loop(l->server);
  if (status != 0) {
    on_trouble(l->server, status);
  } else {
    l->held = true;
    if (may_accept(l->server)) accept_held(l);
  }
  vow_loop_drain(loop); /* l may be gone now */
}

void vow__listening_resume(vow_server_t *s) {
  size_t i;
  if (s->phase != VOW__SERVING) return;
  if (s->paused) {
    if (descriptors_are_low()) {
      look_again_later(s);
      return;
    }
    s->paused = false;
    if (s->reserve < 0) s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  s->turn++;
  for (i = 0; i < s->n; i++) {
    vow__listening_t *l = &s->listening[(s->turn + i) % s->n];
    if (l->held && may_accept(s)) accept_held(l);
  }
}

/* ---- opening ------------------------------------------------------------- */

static int refuse(vow_server_t *s, int err, const char *what) {
  vow_future_t *f = vow_misuse_at(vow__server_site(s), vow_op_loop(s), err,
                                  "serve: %s: %s", what, vow_strerror(err));
  (void)vow_status(f);
  vow_drop(f);
  return err;
}

/* The handle is bound: listens; on an error it goes. */
static int listen_on(vow__listening_t *l, uv_stream_t *handle, int err,
                     int backlog) {
  handle->data = l;
  if (err == 0) err = uv_listen(handle, backlog, on_connection);
  if (err != 0) {
    vow__handle_free(handle);
    return err;
  }
  l->handle = handle;
  l->server->open++;
  return 0;
}

static int open_tcp(vow__listening_t *l, const struct sockaddr *addr,
                    int backlog) {
  uv_tcp_t *tcp = NULL;
  int err =
      vow_tcp_new_at(vow__server_site(l->server), vow_op_loop(l->server), &tcp);
  if (err != 0) return err;
  return listen_on(l, (uv_stream_t *)tcp, uv_tcp_bind(tcp, addr, 0), backlog);
}

static int open_address(vow__listening_t *l, const struct sockaddr *addr,
                        int backlog) {
  char name[VOW__ADDRESS_NAME];
  int err = open_tcp(l, addr, backlog);
  if (err == 0) return 0;
  vow__address_name(addr, name);
  return refuse(l->server, err, name);
}

/* Both families on one socket; or IPv4 alone, where there is no other. */
static int open_any(vow__listening_t *l, int port, int backlog) {
  vow__address_t any;
  int err;
  vow__address_parse("::", port, &any);
  err = open_tcp(l, &any.any, backlog);
  if (err != UV_EAFNOSUPPORT && err != UV_EADDRNOTAVAIL)
    return err == 0 ? 0 : refuse(l->server, err, "every address");
  vow__address_parse("0.0.0.0", port, &any);
  return open_address(l, &any.any, backlog);
}

static int open_pipe(vow__listening_t *l, const char *path, int backlog) {
  const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
  uv_pipe_t *pipe = NULL;
  int err;
  if (strlen(path) >= room) return refuse(l->server, UV_ENAMETOOLONG, path);
  err = vow_pipe_new_at(vow__server_site(l->server), vow_op_loop(l->server),
                        false, &pipe);
  if (err == 0)
    err = listen_on(l, (uv_stream_t *)pipe, uv_pipe_bind(pipe, path), backlog);
  return err == 0 ? 0 : refuse(l->server, err, path);
}

int vow__listening_open(vow_server_t *s, size_t i, const vow_serve_on_t *on,
                        int backlog) {
  vow__listening_t *l = &s->listening[i];
  vow__address_t digits;
  l->server = s;
  if (on->pipe != NULL) return open_pipe(l, on->pipe, backlog);
  if (on->addr != NULL) {
    if (vow__address_fits(on->addr)) return open_address(l, on->addr, backlog);
    return refuse(s, UV_EINVAL, "an address that is not IPv4 or IPv6");
  }
  if (on->port < 0 || on->port > 65535) return refuse(s, UV_EINVAL, "the port");
  if (on->host == NULL) return open_any(l, on->port, backlog);
  if (!vow__address_parse(on->host, on->port, &digits))
    return refuse(s, UV_EINVAL, on->host);
  return open_address(l, &digits.any, backlog);
}

/* ---- closing ------------------------------------------------------------- */

void vow__listening_closed(vow_server_t *s, vow__listening_t *l) {
  vow__handle_free(l->handle);
  l->handle = NULL;
  s->open--;
}

void vow__listening_close(vow_server_t *s) {
  const char *site = vow__server_site(s);
  size_t i;
  for (i = 0; i < s->n; i++) {
    vow__listening_t *l = &s->listening[i];
    vow_future_t *f;
    if (l->handle == NULL) continue;
    f = vow_close_at(site, (uv_handle_t *)l->handle);
    if (!vow_is_settled(f)) {
      vow_waiter_start(&l->closing, s, f);
      continue;
    }
    /* No memory to wait with. */
    (void)vow_status(f);
    vow_drop(f);
    vow__listening_closed(s, l);
  }
  if (s->reserve >= 0) close(s->reserve);
  s->reserve = -1;
}
