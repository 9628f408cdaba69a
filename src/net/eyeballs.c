/* SPDX-License-Identifier: MIT */
/* Connecting to the first of several addresses that answers: RFC 8305. */
#include "net/eyeballs.h"

#include <vow/handle.h>

#include "net/handle.h"

#include <string.h>

#define DELAY_MS     250
#define DELAY_MIN_MS 10

enum {
  TRYING,    /* attempts are under way, or the name is being resolved */
  WON,       /* winner has a handle; the others close */
  LOST,      /* no attempt succeeded */
  CANCELLED, /* everything closes */
  SETTLED
};

static const char *site_of(vow__connect_t *c) {
  return vow_site(vow_op_future(c));
}

/* ---- the end ------------------------------------------------------------- */

static vow_value_t lost(vow__connect_t *c) {
  vow_value_t v = c->failure;
  size_t n = c->n;
  c->failure = vow_nil();
  if (v.type != NULL) return v;
  c->n = 0; /* the causes are passed on */
  return n == 1 ? c->causes[0] : vow_fail_multi_at(site_of(c), n, c->causes, 0);
}

/* Settles when there is nothing left to wait for; c may be gone then. */
static void finish(vow__connect_t *c) {
  unsigned phase = c->phase;
  vow_value_t v;
  if (phase == TRYING || phase == SETTLED || c->left > 0 ||
      vow_waiter_future(&c->resolving) != NULL)
    return;
  c->phase = SETTLED;
  if (phase == WON) {
    uv_stream_t *handle = c->winner->handle;
    c->winner->handle = NULL;
    v = c->wrap(site_of(c), handle);
  } else if (phase == LOST) {
    v = lost(c);
  } else {
    v = vow_cancelled(UV_ECANCELED);
  }
  vow_op_settle(c, v);
}

static void free_handle(vow__connect_t *c, vow__attempt_t *a) {
  uv_stream_t *handle = a->handle;
  a->handle = NULL;
  c->left--;
  vow__handle_free(handle);
}

static void close_attempt(vow__connect_t *c, vow__attempt_t *a) {
  vow_future_t *f = vow_waiter_take(&a->waiter);
  if (f != NULL) {
    if (vow_is_settled(f)) (void)vow_status(f); /* too late: it is seen */
    vow_drop(f);
    c->connecting--;
  }
  a->closing = true;
  f = vow_close_at(site_of(c), (uv_handle_t *)a->handle);
  if (!vow_is_settled(f)) {
    vow_waiter_start(&a->waiter, c, f);
    return;
  }
  /* No memory to wait with. The descriptor goes at once all the same. */
  (void)vow_status(f);
  vow_drop(f);
  free_handle(c, a);
}

static void decide(vow__connect_t *c, unsigned phase) {
  size_t i;
  c->phase = phase;
  vow_timer_stop(vow_op_loop(c), &c->timer);
  for (i = 0; i < c->started; i++) {
    vow__attempt_t *a = &c->attempts[i];
    if (a->handle != NULL && !a->closing && a != c->winner) close_attempt(c, a);
  }
}

/* ---- attempts ------------------------------------------------------------ */

static vow_value_t refused(vow__connect_t *c, const vow__attempt_t *a,
                           const char *what, int err) {
  char name[VOW__ADDRESS_NAME];
  vow__address_name(&a->addr.any, name);
  return vow_failf_at(site_of(c), err, "connect %s: %s: %s", name, what,
                      vow_strerror(err));
}

static int bind_source(vow__connect_t *c, uv_tcp_t *tcp,
                       const vow__attempt_t *a) {
  if (c->source.any.sa_family == 0) return 0;
  if (c->source.any.sa_family != a->addr.any.sa_family) return UV_EAFNOSUPPORT;
  return uv_tcp_bind(tcp, &c->source.any, 0);
}

/* The future of a's connecting; NULL, and the cause is set. */
static vow_future_t *connect_tcp(vow__connect_t *c, vow__attempt_t *a) {
  vow_value_t *cause = &c->causes[a - c->attempts];
  uv_tcp_t *tcp = NULL;
  int err = vow_tcp_new_at(site_of(c), vow_op_loop(c), &tcp);
  if (err != 0) {
    *cause = vow_fail(err);
    return NULL;
  }
  a->handle = (uv_stream_t *)tcp;
  err = bind_source(c, tcp, a);
  if (err == 0) return vow_tcp_connect_at(site_of(c), tcp, &a->addr.any);
  *cause = refused(c, a, "the source address", err);
  return NULL;
}

static vow_future_t *connect_pipe(vow__connect_t *c, vow__attempt_t *a) {
  uv_pipe_t *pipe = NULL;
  int err = vow_pipe_new_at(site_of(c), vow_op_loop(c), false, &pipe);
  if (err != 0) {
    c->causes[0] = vow_fail(err);
    return NULL;
  }
  a->handle = (uv_stream_t *)pipe;
  return vow_pipe_connect_at(site_of(c), pipe, c->path);
}

static bool start_next(vow__connect_t *c) {
  vow__attempt_t *a = &c->attempts[c->started++];
  vow_future_t *f = c->path != NULL ? connect_pipe(c, a) : connect_tcp(c, a);
  if (a->handle != NULL) c->left++;
  if (f != NULL) {
    c->connecting++;
    vow_waiter_start(&a->waiter, c, f);
    return true;
  }
  if (a->handle != NULL) close_attempt(c, a);
  return false;
}

static void on_delay(vow_timer_t *t);

/* Starts the next attempt; or more, when they cannot even be started, or for
 * want of memory for a timer. After the last has failed: the end. */
static void advance(vow__connect_t *c) {
  vow_loop_t *loop = vow_op_loop(c);
  while (c->started < c->n) {
    if (!start_next(c)) continue;
    if (c->started == c->n ||
        vow_timer_start(loop, &c->timer, vow_deadline_ms(loop, c->delay_ms),
                        on_delay) == 0)
      return;
  }
  if (c->connecting > 0) return;
  decide(c, LOST);
  finish(c);
}

static void on_delay(vow_timer_t *t) {
  advance(
      (vow__connect_t *)(void *)((char *)t - offsetof(vow__connect_t, timer)));
}

/* What is set on a connection only when it is there. */
static vow_value_t adjust(vow__connect_t *c, const vow__attempt_t *a) {
  uv_tcp_t *tcp = (uv_tcp_t *)a->handle;
  int err = 0;
  if (a->handle->type != UV_TCP) return vow_nil();
  if (c->nodelay) err = uv_tcp_nodelay(tcp, 1);
  if (err != 0) return refused(c, a, "TCP_NODELAY", err);
  if (c->keepalive_s > 0) err = uv_tcp_keepalive(tcp, 1, c->keepalive_s);
  return err != 0 ? refused(c, a, "keepalive", err) : vow_nil();
}

static void on_connected(vow__connect_t *c, vow__attempt_t *a,
                         vow_future_t *f) {
  vow_value_t v = vow_status(f) != 0 ? vow_outcome(f) : adjust(c, a);
  c->connecting--;
  if (v.type == NULL) {
    c->winner = a;
    c->left--;
    decide(c, WON);
    finish(c);
    return;
  }
  c->causes[a - c->attempts] = v;
  close_attempt(c, a);
  advance(c);
}

static void connect_resolved(vow__connect_t *c, vow_future_t *f);

static void connect_ready(void *op, vow_waiter_t *w) {
  vow__connect_t *c = op;
  vow__attempt_t *a = (vow__attempt_t *)(void *)w;
  vow_future_t *f = vow_waiter_take(w);
  if (w == &c->resolving) {
    connect_resolved(c, f);
  } else if (!a->closing) {
    on_connected(c, a, f);
  } else {
    (void)vow_status(f);
    free_handle(c, a);
    finish(c);
  }
  vow_drop(f);
}

/* ---- the operation ------------------------------------------------------- */

static void connect_cancel(void *op) {
  vow__connect_t *c = op;
  if (c->phase == CANCELLED || c->phase == SETTLED) return;
  if (c->winner != NULL) c->left++;
  c->winner = NULL;
  decide(c, CANCELLED);
  /* One that has resolved already is on its way to us. */
  if (vow_waiter_future(&c->resolving) != NULL &&
      !vow_is_settled(vow_waiter_future(&c->resolving)))
    (void)vow_waiter_cancel(&c->resolving);
  finish(c);
}

static void connect_destroy(void *op) {
  vow__connect_t *c = op;
  size_t i;
  for (i = 0; i < c->n; i++) vow_value_destroy(c->causes[i]);
  vow_value_destroy(c->failure);
  vow_release(c->attempts);
}

static void connect_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                            void *arg) {
  const vow__connect_t *c = op;
  size_t i;
  vow_future_t *f = vow_waiter_future(&c->resolving);
  if (f != NULL) visit(f, arg);
  for (i = 0; i < c->started; i++) {
    f = vow_waiter_future(&c->attempts[i].waiter);
    if (f != NULL) visit(f, arg);
  }
}

static const vow_op_class_t connect_class = {
    .name = "connect",
    .size_bytes = sizeof(vow__connect_t),
    .cancel = connect_cancel,
    .destroy = connect_destroy,
    .ready = connect_ready,
    .sources = connect_sources,
};

vow__connect_t *vow__connect_new(const char *site, vow_loop_t *loop,
                                 const vow_connect_options_t *options) {
  vow__connect_t *c = vow_op_new_at(site, loop, &connect_class);
  if (c == NULL) return NULL;
  c->delay_ms = DELAY_MS;
  if (options == NULL) return c;
  if (options->attempt_delay_ms > 0) c->delay_ms = options->attempt_delay_ms;
  if (c->delay_ms < DELAY_MIN_MS) c->delay_ms = DELAY_MIN_MS;
  if (options->source != NULL) vow__address_set(&c->source, options->source);
  c->nodelay = options->nodelay;
  c->keepalive_s = options->keepalive_s;
  return c;
}

/* ---- beginning ----------------------------------------------------------- */

static void fail(vow__connect_t *c, vow_value_t v) {
  c->failure = v;
  decide(c, LOST);
  finish(c);
}

/* Room for n attempts; the memory goes with the operation. */
static bool make_room(vow__connect_t *c, size_t n) {
  size_t each = sizeof *c->attempts + sizeof *c->causes;
  c->attempts = n > SIZE_MAX / each ? NULL : vow_alloc(n * each);
  if (c->attempts == NULL) {
    fail(c, vow_fail(UV_ENOMEM));
    return false;
  }
  memset(c->attempts, 0, n * each);
  c->causes = (vow_value_t *)(void *)&c->attempts[n];
  c->n = n;
  return true;
}

void vow__connect_start(vow__connect_t *c, size_t n,
                        const struct sockaddr *const addrs[]) {
  size_t *order =
      n > SIZE_MAX / sizeof *order ? NULL : vow_alloc(n * sizeof *order);
  size_t k;
  if (order == NULL) {
    fail(c, vow_fail(UV_ENOMEM));
    return;
  }
  if (make_room(c, n)) {
    vow__address_interleave(n, addrs, order);
    for (k = 0; k < n; k++)
      vow__address_set(&c->attempts[k].addr, addrs[order[k]]);
    advance(c);
  }
  vow_release(order);
}

void vow__connect_start_pipe(vow__connect_t *c) {
  if (make_room(c, 1)) advance(c);
  c->path = NULL;
}

void vow__connect_resolve(vow__connect_t *c, vow_future_t *resolved) {
  vow_waiter_start(&c->resolving, c, resolved);
}

static void start_list(vow__connect_t *c, const struct addrinfo *list) {
  const struct sockaddr **addrs;
  const struct addrinfo *at;
  size_t n = 0, i = 0;
  for (at = list; at != NULL; at = at->ai_next)
    n += vow__address_fits(at->ai_addr);
  addrs = vow_alloc((n + 1) * sizeof(void *));
  if (addrs == NULL) {
    fail(c, vow_fail(UV_ENOMEM));
    return;
  }
  for (at = list; at != NULL; at = at->ai_next)
    if (vow__address_fits(at->ai_addr)) addrs[i++] = at->ai_addr;
  if (n == 0)
    fail(c, vow_fail(UV_EAI_NODATA));
  else
    vow__connect_start(c, n, addrs);
  vow_release(addrs);
}

static void connect_resolved(vow__connect_t *c, vow_future_t *f) {
  if (vow_status(f) != 0 && c->phase == TRYING)
    fail(c, vow_outcome(f));
  else if (c->phase == TRYING)
    start_list(c, vow_addrinfo_get(f));
  else
    finish(c);
}
