/* SPDX-License-Identifier: MIT */
/* A server's life: beginning, shutting down, the end. */
#include "net/server.h"

#include <vow/timeout.h>

#include <fcntl.h>
#include <string.h>

#define BACKLOG 511

/* ---- the end ------------------------------------------------------------- */

static void cancel_connections(vow_server_t *s) {
  vow__connection_t *c = s->first;
  /* None goes in here: that is for the ready queue. */
  for (; c != NULL; c = c->next) (void)vow_cancel(vow_op_future(c));
}

static void stop(vow_server_t *s) {
  if (s->phase != VOW__SERVING) return;
  s->phase = VOW__STOPPING;
  vow_timer_stop(vow_op_loop(s), &s->timer);
  vow__listening_close(s);
}

/* s may be gone then. */
static void finish(vow_server_t *s) {
  if (s->phase != VOW__STOPPING || s->open > 0 || s->count > 0 ||
      vow_waiter_future(&s->news) != NULL)
    return;
  s->phase = VOW__STOPPED;
  vow_timer_stop(vow_op_loop(s), &s->timer);
  vow_op_settle(s, vow_nil());
}

void vow__server_step(vow_server_t *s) {
  vow__listening_resume(s);
  finish(s);
}

static void on_deadline(vow_timer_t *t) {
  cancel_connections(
      (vow_server_t *)(void *)((char *)t - offsetof(vow_server_t, timer)));
}

static void set_deadline(vow_server_t *s, uint64_t delay_ms) {
  vow_loop_t *loop = vow_op_loop(s);
  uint64_t deadline_ms;
  if (delay_ms == 0) {
    cancel_connections(s);
    return;
  }
  if (delay_ms == UINT64_MAX) return;
  deadline_ms = vow_deadline_ms(loop, delay_ms);
  if (deadline_ms >= s->deadline_ms) return;
  s->deadline_ms = deadline_ms;
  if (vow_timer_start(loop, &s->timer, deadline_ms, on_deadline) != 0)
    cancel_connections(s);
}

/* ---- failures ------------------------------------------------------------ */

void vow__server_report(vow_server_t *s, vow_future_t *f) {
  vow_value_t v = vow_nil();
  if (vow_state(f) == VOW_FAILED) v = vow_outcome(f);
  vow_drop(f);
  if (v.type == NULL) return;
  if (s->options.on_error != NULL) {
    s->options.on_error(s, v, s->options.on_error_arg);
    vow_value_destroy(v);
  } else { /* given to a waiter it counted as seen: once more, for nobody */
    vow_drop(vow_ready_at(vow__server_site(s), vow_op_loop(s), v));
  }
}

/* ---- the operation ------------------------------------------------------- */

static void server_ready(void *op, vow_waiter_t *w) {
  vow_server_t *s = op;
  vow_future_t *f = vow_waiter_take(w);
  vow_op_pin(s); /* on_error may give it up */
  if (w == &s->news) {
    vow__server_report(s, f);
  } else {
    (void)vow_status(f);
    vow_drop(f);
    vow__listening_closed(s, (vow__listening_t *)(void *)w);
  }
  finish(s);
  vow_op_unpin(s);
}

static void server_cancel(void *op) {
  vow_server_t *s = op;
  stop(s);
  cancel_connections(s);
  finish(s);
}

static void server_destroy(void *op) {
  vow_release(((vow_server_t *)op)->listening);
}

static void server_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                           void *arg) {
  const vow_server_t *s = op;
  const vow__connection_t *c;
  for (c = s->first; c != NULL; c = c->next)
    visit((vow_future_t *)(uintptr_t)c, arg);
}

static const vow_op_class_t server_class = {
    .name = "serve",
    .size_bytes = sizeof(vow_server_t),
    .cancel = server_cancel,
    .destroy = server_destroy,
    .ready = server_ready,
    .sources = server_sources,
};

/* ---- beginning ----------------------------------------------------------- */

/* The code and message of f, which is a failure and consumed. */
static int fail(vow_future_t *f) {
  int err = vow_status(f);
  vow_drop(f);
  return err;
}

static const char *complaint(size_t n, const vow_serve_on_t on[],
                             vow_serve_cb handler,
                             const vow_serve_options_t *options,
                             vow_server_t **ret_server) {
  if (n == 0 || on == NULL) return "there is nothing to listen on";
  if (handler == NULL) return "the handler is NULL";
  if (ret_server == NULL) return "ret_server is NULL";
  if (options != NULL && options->backlog < 0) return "the backlog is negative";
  return NULL;
}

/* A server that does not listen yet; NULL and *ret_err. */
static vow_server_t *server_new(const char *site, vow_loop_t *loop, size_t n,
                                int *ret_err) {
  vow_server_t *s = vow_op_new_at(site, loop, &server_class);
  if (s == NULL) {
    *ret_err = fail(vow_op_failed(site, loop, "serve"));
    return NULL;
  }
  s->reserve = -1;
  s->deadline_ms = UINT64_MAX;
  s->listening = n > SIZE_MAX / sizeof *s->listening
                     ? NULL
                     : vow_alloc(n * sizeof *s->listening);
  if (s->listening == NULL) {
    *ret_err = UV_ENOMEM;
    vow_server_free(s);
    return NULL;
  }
  memset(s->listening, 0, n * sizeof *s->listening);
  s->n = n;
  return s;
}

int vow_serve_at(const char *site, vow_loop_t *loop, size_t n,
                 const vow_serve_on_t on[], vow_serve_cb handler, void *arg,
                 const vow_serve_options_t *options,
                 vow_server_t **ret_server) {
  const char *bad = complaint(n, on, handler, options, ret_server);
  vow_server_t *s;
  size_t i;
  int backlog, err = 0;
  if (bad != NULL)
    return fail(vow_misuse_at(site, NULL, UV_EINVAL, "serve: %s", bad));
  s = server_new(site, loop, n, &err);
  if (s == NULL) return err;
  s->handler = handler;
  s->arg = arg;
  if (options != NULL) s->options = *options;
  backlog = s->options.backlog > 0 ? s->options.backlog : BACKLOG;
  for (i = 0; i < n && err == 0; i++)
    err = vow__listening_open(s, i, &on[i], backlog);
  if (err != 0) {
    vow_server_free(s);
    return err;
  }
  s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
  *ret_server = s;
  return 0;
}

/* ---- for users ----------------------------------------------------------- */

vow_future_t *vow_server_shutdown_at(const char *site, vow_server_t *server,
                                     uint64_t deadline_ms) {
  vow_server_t *s = server;
  vow_future_t *f;
  if (s == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "server_shutdown: the server is NULL");
  f = vow_shield_at(site, vow_ref(vow_op_future(s)));
  if (vow_is_settled(f) && vow_status(f) == VOW_ETHREAD) return f;
  if (!vow_op_is_pending(s)) return f;
  stop(s);
  set_deadline(s, deadline_ms);
  finish(s);
  return f;
}

void vow_server_free(vow_server_t *server) {
  if (server == NULL) return;
  if (server->phase == VOW__SERVING)
    vow_drop(vow_op_future(server));
  else
    vow_detach(vow_op_future(server));
}

size_t vow_server_connections(const vow_server_t *server) {
  return server == NULL ? 0 : server->count;
}

int vow_server_address(const vow_server_t *server, size_t i,
                       struct sockaddr_storage *ret_addr) {
  struct sockaddr_storage addr;
  int length = sizeof addr;
  const uv_stream_t *handle;
  int err;
  if (server == NULL || ret_addr == NULL || i >= server->n) return UV_EINVAL;
  handle = server->listening[i].handle;
  if (handle == NULL || server->phase != VOW__SERVING) return VOW_ESHUTDOWN;
  if (handle->type != UV_TCP) return UV_EINVAL;
  err = uv_tcp_getsockname((const uv_tcp_t *)handle, (struct sockaddr *)&addr,
                           &length);
  if (err == 0) *ret_addr = addr;
  return err;
}

int vow_server_port(const vow_server_t *server, size_t i) {
  struct sockaddr_storage addr;
  int err = vow_server_address(server, i, &addr);
  if (err != 0) return err;
  return ntohs(
      addr.ss_family == AF_INET
          ? ((const struct sockaddr_in *)(const void *)&addr)->sin_port
          : ((const struct sockaddr_in6 *)(const void *)&addr)->sin6_port);
}

vow_token_t *vow_server_token(const vow_server_t *server) {
  if (server == NULL || server->current == NULL) return NULL;
  return vow__connection_token(server->current);
}
