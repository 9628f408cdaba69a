/* SPDX-License-Identifier: MIT */
/* Closing: the driver's part of vow_loop_close, and vow_close for handles.
 *
 * How this works. Nothing of ours is closed before it is certain that all can
 * be: first turns without blocking, so that closing handles and late requests
 * end; then everything left is named; only when that is nothing our own handles
 * go. So a loop that answers UV_EBUSY is as usable as before. */
#include <vow/handle.h>
#include <vow/tcp.h>

#include "uv/crew.h"
#include "uv/owned.h"
#include "uv/pool.h"
#include "uv/request.h"

#include <stdio.h>

#define CLOSING_TURNS 8
#define NOT_VOWS      "(not made by vow)"

/* ---- one handle ---------------------------------------------------------- */

typedef struct close_op {
  vow_op_t op;
  vow__attached_t att;
} close_op_t;

/* No cancel: what is closing cannot be kept open. */
static const vow_op_class_t close_class = {
    "close", sizeof(close_op_t), NULL, NULL, NULL, NULL};

static void close_op_closed(vow__attached_t *a) {
  close_op_t *op = VOW__OF(a, close_op_t, att);
  vow_op_settle(op, vow_nil());
  vow_op_unpin(op);
}

static const vow__attached_kind_t close_kind = {NULL, close_op_closed, NULL};

static void on_closed(uv_handle_t *handle) {
  vow__uv_t *d = vow__uv_find(handle->loop);
  vow_loop_t *loop;
  if (d == NULL) return;
  loop = d->loop;
  vow__attached_closed(&d->handles, handle);
  vow_loop_drain(loop);
}

/* An operation hanging on handle; NULL with *ret_failed. */
static close_op_t *close_new(const char *site, vow__uv_t *d,
                             uv_handle_t *handle, vow_future_t **ret_failed) {
  close_op_t *op = vow_op_new_at(site, d->loop, &close_class);
  if (op == NULL) {
    *ret_failed = vow_op_failed(site, d->loop, "close");
    return NULL;
  }
  if (vow__attach(&d->handles, handle, &op->att, &close_kind, site) != 0) {
    vow_op_settle(op, vow_fail(UV_ENOMEM));
    *ret_failed = vow_op_future(op);
    return NULL;
  }
  return op;
}

vow_future_t *vow_close_at(const char *site, uv_handle_t *handle) {
  vow_future_t *failed;
  vow__uv_t *d = vow__uv_for(site, handle, "close", &failed);
  close_op_t *op;
  bool again;
  if (d == NULL) return failed;
  again = uv_is_closing(handle) != 0;
  if (again && vow__attached_find(&d->handles, handle, &close_kind) == NULL)
    return vow_misuse_at(site, d->loop, UV_EALREADY,
                         "close: the handle is closed already");
  op = close_new(site, d, handle, &failed);
  if (op == NULL) return failed;
  vow_op_pin(op);
  if (again) return vow_op_future(op);
  vow__attached_closing(&d->handles, handle);
  uv_close(handle, on_closed);
  return vow_op_future(op);
}

vow_future_t *vow_tcp_close_reset_at(const char *site, uv_tcp_t *tcp) {
  uv_handle_t *handle = (uv_handle_t *)tcp;
  vow_future_t *failed;
  vow__uv_t *d = vow__uv_for(site, tcp, "tcp_close_reset", &failed);
  close_op_t *op;
  int err;
  if (d == NULL) return failed;
  if (uv_is_closing(handle))
    return vow_misuse_at(site, d->loop, UV_EALREADY,
                         "tcp_close_reset: the handle is closed already");
  op = close_new(site, d, handle, &failed);
  if (op == NULL) return failed;
  err = uv_tcp_close_reset(tcp, on_closed);
  if (err != 0) { /* it stays open */
    vow__detach(&d->handles, &op->att);
    vow_op_settle(
        op, vow_failf_at(site, err, "tcp_close_reset: %s", vow_strerror(err)));
    return vow_op_future(op);
  }
  vow_op_pin(op);
  vow__attached_closing(&d->handles, handle);
  return vow_op_future(op);
}

/* ---- our own ------------------------------------------------------------- */

static void on_own_closed(vow__uv_t *d) {
  d->open--;
  if (d->open == 0 && d->orphan) vow_release(d);
}

#define OWN_CLOSED(member)                                \
  static void on_##member##_closed(uv_handle_t *handle) { \
    on_own_closed(VOW__OF(handle, vow__uv_t, member));    \
  }
OWN_CLOSED(prepare)
OWN_CLOSED(check)
OWN_CLOSED(async)
OWN_CLOSED(timer)
OWN_CLOSED(idle)

void vow__uv_close_handles(vow__uv_t *d) {
  d->closing = true;
  uv_close((uv_handle_t *)&d->prepare, on_prepare_closed);
  uv_close((uv_handle_t *)&d->check, on_check_closed);
  uv_close((uv_handle_t *)&d->async, on_async_closed);
  uv_close((uv_handle_t *)&d->timer, on_timer_closed);
  uv_close((uv_handle_t *)&d->idle, on_idle_closed);
}

static bool is_own(const vow__uv_t *d, const uv_handle_t *handle) {
  return handle == (const uv_handle_t *)&d->prepare ||
         handle == (const uv_handle_t *)&d->check ||
         handle == (const uv_handle_t *)&d->async ||
         handle == (const uv_handle_t *)&d->timer ||
         handle == (const uv_handle_t *)&d->idle;
}

/* ---- what is left -------------------------------------------------------- */

typedef struct survey {
  vow__uv_t *d;
  vow_stuck_cb stuck; /* may be NULL */
  void *arg;
  size_t open;    /* somebody else's handles, open */
  size_t closing; /* on their way */
} survey_t;

static const char *handle_site(vow__uv_t *d, uv_handle_t *handle) {
  const char *site = vow__owned_site(d, handle);
  vow__attached_t *a;
  if (site != NULL) return site;
  a = vow__attached_first(&d->handles, handle);
  return a != NULL ? a->site : NOT_VOWS;
}

static void survey_handle(uv_handle_t *handle, void *arg) {
  survey_t *s = arg;
  char what[64];
  if (is_own(s->d, handle)) return;
  if (uv_is_closing(handle)) {
    s->closing++;
    return;
  }
  s->open++;
  if (s->stuck == NULL) return;
  snprintf(what, sizeof what, "uv handle %s",
           uv_handle_type_name(uv_handle_get_type(handle)));
  s->stuck(what, handle_site(s->d, handle), s->arg);
}

static survey_t survey(vow__uv_t *d, vow_stuck_cb stuck, void *arg) {
  survey_t s = {d, stuck, arg, 0, 0};
  uv_walk(d->uv, survey_handle, &s);
  return s;
}

/* Turns, without blocking, until handles that are closing have closed; one
 * turn does, but for signals, whose wake-up may be on its way. */
static void finish_closing(vow__uv_t *d) {
  int i;
  for (i = 0; i < CLOSING_TURNS && survey(d, NULL, NULL).closing > 0; i++)
    uv_run(d->uv, UV_RUN_NOWAIT);
}

/* Whether something would keep a uv_loop_t of ours from being closed. */
static bool is_stuck(vow__uv_t *d, vow_stuck_cb stuck, void *arg) {
  survey_t s = survey(d, stuck, arg);
  bool found = s.open > 0;
  if (s.closing > 0) {
    found = true;
    if (stuck != NULL) stuck("uv handle, closing", NOT_VOWS, arg);
  }
  if (d->uv->active_reqs.count > 0) {
    found = true;
    if (stuck != NULL) stuck("uv request", NOT_VOWS, arg);
  }
  return found;
}

int vow__uv_close(vow_driver_t *base, vow_stuck_cb stuck, void *arg) {
  vow__uv_t *d = (vow__uv_t *)(void *)base;
  vow__crew_close(d);
  vow__dock_close(d);
  if (d->owned) {
    finish_closing(d);
    if (is_stuck(d, stuck, arg)) return UV_EBUSY;
  }
  vow__handles_done(&d->handles);
  vow__owned_forget(d);
  vow__pool_close(d->pool);
  d->pool = NULL;
  vow_release(d->datagram);
  d->datagram = NULL;
  vow__uv_unregister(d);
  vow__uv_close_handles(d);
  while (d->open > 0) uv_run(d->uv, UV_RUN_NOWAIT);
  return d->owned ? uv_loop_close(d->uv) : 0;
}
