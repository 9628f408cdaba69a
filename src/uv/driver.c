/* SPDX-License-Identifier: MIT */
/* The libuv driver: time, wake-ups and turns. Closing is in close.c; nothing
 * of any wrapper comes in here.
 *
 * How this works. A turn of libuv runs timers, idle, prepare, the poll, check,
 * and close callbacks. Callbacks of ours drain the ready queue themselves.
 * What raw callbacks settle is drained in prepare (settled before the poll) or
 * in check (settled in it); both are always active. Between the two stands the
 * poll, which must not block while something is ready: an active idle handle
 * sees to that, started by wake_soon and stopped once nothing is ready. When
 * the step budget ended a drain in check, prepare passes once, so that there
 * is one poll for each budget.
 *
 * Time. vow's milliseconds and uv_now's are the same clock rounded down, and
 * uv_now is never ahead; so a uv_timer_t due at exactly the vow deadline never
 * fires early. */
#include "uv/crew.h"
#include "uv/virtual.h"

#include <vow/op.h>

#include <string.h>

static vow__uv_t *of(vow_driver_t *base) {
  return (vow__uv_t *)(void *)base;
}

static uint64_t now_ns(vow_driver_t *base) {
  uint64_t virtual_ns = of(base)->virtual_ns;
  return virtual_ns != 0 ? virtual_ns : uv_hrtime();
}

vow__uv_t *vow__uv_of(vow_loop_t *loop) {
  vow_driver_t *base = loop != NULL ? vow_loop_driver(loop) : NULL;
  return base != NULL && base->now_ns == now_ns ? of(base) : NULL;
}

uv_loop_t *vow_loop_uv(vow_loop_t *loop) {
  vow__uv_t *d = vow__uv_of(loop);
  return d != NULL ? d->uv : NULL;
}

/* ---- time ---------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void wake_at(vow_driver_t *base, uint64_t deadline_ms) {
  vow__uv_t *d = of(base);
  uint64_t now_ms;
  uint64_t delay_ms;
  if (d->closing || deadline_ms == d->armed_ms) return;
  d->armed_ms = deadline_ms;
  if (d->virtual_ns != 0) return; /* the turn looks at deadlines itself */
  if (deadline_ms == UINT64_MAX) {
    uv_timer_stop(&d->timer);
    return;
  }
  now_ms = uv_now(d->uv); /* what uv_timer_start adds the delay to */
  delay_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
  /* A timer that re-arms itself at once would never leave libuv's timer
   * phase. */
  if (delay_ms == 0 && d->firing) delay_ms = 1;
  uv_timer_start(&d->timer, on_timer, delay_ms, 0);
}

static void on_timer(uv_timer_t *timer) {
  vow__uv_t *d = VOW__OF(timer, vow__uv_t, timer);
  d->armed_ms = UINT64_MAX;
  d->firing = true;
  vow_loop_expire(d->loop);
  wake_at(&d->base, vow_loop_next_ms(d->loop));
  vow_loop_drain(d->loop);
  d->firing = false;
}

/* ---- wake-ups ------------------------------------------------------------ */

static void on_idle(uv_idle_t *idle) {
  (void)idle; /* it only keeps the poll from blocking */
}

static void wake_soon(vow_driver_t *base) {
  vow__uv_t *d = of(base);
  if (d->closing) return;
  d->asked = true;
  uv_idle_start(&d->idle, on_idle);
}

/* Drains if that was asked for; false when the step budget left something, for
 * which the loop has asked again. */
static bool drain(vow__uv_t *d) {
  if (d->asked) {
    d->asked = false;
    vow_loop_drain(d->loop);
    if (d->asked) return false;
  }
  uv_idle_stop(&d->idle);
  return true;
}

static void on_prepare(uv_prepare_t *prepare) {
  vow__uv_t *d = VOW__OF(prepare, vow__uv_t, prepare);
  if (!d->spent) drain(d);
  d->spent = false;
  if (!vow_loop_may_block(d->loop)) uv_idle_start(&d->idle, on_idle);
  /* Continuations may have taken their time; the poll's timeout counts from
   * libuv's cached clock. */
  if (d->armed_ms != UINT64_MAX) uv_update_time(d->uv);
}

static void on_check(uv_check_t *check) {
  vow__uv_t *d = VOW__OF(check, vow__uv_t, check);
  d->spent = !drain(d);
}

static void on_async(uv_async_t *async) {
  vow__uv_t *d = VOW__OF(async, vow__uv_t, async);
  d->heard = true;
  vow_loop_receive(d->loop);
  vow__crew_collect(d);
  vow_loop_drain(d->loop);
}

static void wake_remote(vow_driver_t *base) {
  uv_async_send(&of(base)->async);
}

/* ---- turns --------------------------------------------------------------- */

static bool turn(vow_driver_t *base, bool wait, bool remote) {
  vow__uv_t *d = of(base);
  bool alive;
  if (d->virtual_ns != 0) return vow__virtual_turn(d, wait, remote);
  if (remote) uv_ref((uv_handle_t *)&d->async);
  alive = uv_loop_alive(d->uv) != 0 || vow_loop_has_ready(d->loop);
  if (alive) uv_run(d->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
  if (remote) uv_unref((uv_handle_t *)&d->async);
  return alive;
}

static void destroy(vow_driver_t *base) {
  vow_release(of(base));
}

/* ---- making -------------------------------------------------------------- */

/* Only uv_async_init can fail, so it comes first. */
static int open_handles(vow__uv_t *d) {
  int err = uv_async_init(d->uv, &d->async, on_async);
  if (err != 0) return err;
  uv_timer_init(d->uv, &d->timer);
  uv_idle_init(d->uv, &d->idle);
  uv_prepare_init(d->uv, &d->prepare);
  uv_prepare_start(&d->prepare, on_prepare);
  uv_check_init(d->uv, &d->check);
  uv_check_start(&d->check, on_check);
  uv_unref((uv_handle_t *)&d->async);
  uv_unref((uv_handle_t *)&d->prepare);
  uv_unref((uv_handle_t *)&d->check);
  d->open = 5;
  return 0;
}

static vow__uv_t *driver_new(void) {
  vow__uv_t *d = vow_alloc(sizeof *d);
  if (d == NULL) return NULL;
  memset(d, 0, sizeof *d);
  d->base.now_ns = now_ns;
  d->base.wake_at = wake_at;
  d->base.wake_soon = wake_soon;
  d->base.wake_remote = wake_remote;
  d->base.turn = turn;
  d->base.close = vow__uv_close;
  d->base.destroy = destroy;
  d->armed_ms = UINT64_MAX;
  return d;
}

/* uv NULL: a loop of our own. */
static int loop_make(uv_loop_t *uv, const vow_loop_options_t *options,
                     vow_loop_t **ret_loop) {
  vow__uv_t *d = driver_new();
  int err;
  if (d == NULL) return UV_ENOMEM;
  d->owned = uv == NULL;
  d->uv = d->owned ? &d->own : uv;
  err = d->owned ? uv_loop_init(&d->own) : 0;
  if (err != 0) goto fail_driver;
  err = open_handles(d);
  if (err != 0) goto fail_uv;
  err = vow_loop_new_driver(&d->base, options, &d->loop);
  if (err != 0) goto fail_handles;
  vow__uv_register(d);
  *ret_loop = d->loop;
  return 0;

fail_handles:
  vow__uv_close_handles(d);
  if (!d->owned) {
    d->orphan = true; /* the program's next turn frees it */
    return err;
  }
  while (d->open > 0) uv_run(&d->own, UV_RUN_NOWAIT);
fail_uv:
  if (d->owned) uv_loop_close(&d->own);
fail_driver:
  vow_release(d);
  return err;
}

int vow_loop_new(const vow_loop_options_t *options, vow_loop_t **ret_loop) {
  if (ret_loop == NULL) return UV_EINVAL;
  return loop_make(NULL, options, ret_loop);
}

int vow_loop_attach(uv_loop_t *uv, const vow_loop_options_t *options,
                    vow_loop_t **ret_loop) {
  if (uv == NULL || ret_loop == NULL) return UV_EINVAL;
  if (vow__uv_find(uv) != NULL) return UV_EEXIST;
  return loop_make(uv, options, ret_loop);
}
