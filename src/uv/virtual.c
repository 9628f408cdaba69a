/* SPDX-License-Identifier: MIT */
/* Virtual time on the libuv driver: turns that jump to the next deadline when
 * all else is quiet.
 *
 * How this works: a turn first lets libuv do, without blocking, what it can.
 * What libuv has under way (requests, children, or closes) and what other
 * threads may post is waited for in real time. Only then, and when the poll
 * finds nothing to read, the clock jumps. */
#include "uv/virtual.h"

#include <vow/virtual.h>

#include <poll.h>

#define NS_PER_MS UINT64_C(1000000)

/* ---- is anything else going on? ------------------------------------------- */

/* A child that runs, or a thread that has something of ours. */
static void find_worker(uv_handle_t *handle, void *arg) {
  uv_handle_type type = uv_handle_get_type(handle);
  if (!uv_is_active(handle)) return;
  if (type == UV_PROCESS || (type == UV_ASYNC && uv_has_ref(handle)))
    *(bool *)arg = true;
}

/* Real work that will end by itself. */
static bool is_held(vow__uv_t *d, bool remote) {
  bool found = false;
  if (remote || d->uv->active_reqs.count > 0) return true;
  uv_walk(d->uv, find_worker, &found);
  return found;
}

/* Whether a turn would find something at once. A loop without anything active
 * has a timeout of 0 as well. */
static bool is_stirring(vow__uv_t *d) {
  struct pollfd fd = {.fd = uv_backend_fd(d->uv), .events = POLLIN};
  if (vow_loop_has_ready(d->loop) || poll(&fd, 1, 0) > 0) return true;
  return uv_loop_alive(d->uv) != 0 && uv_backend_timeout(d->uv) == 0;
}

/* ---- turns ---------------------------------------------------------------- */

static void jump(vow__uv_t *d, uint64_t deadline_ms) {
  if (deadline_ms * NS_PER_MS > d->virtual_ns)
    d->virtual_ns = deadline_ms * NS_PER_MS;
  vow_loop_expire(d->loop);
  vow_loop_drain(d->loop);
}

static uint64_t now_ms(const vow__uv_t *d) {
  return d->virtual_ns / NS_PER_MS;
}

/* libuv does not even poll while nothing referenced is active, and a post that
 * has come would lie there. */
static void run(vow__uv_t *d, uv_run_mode mode, bool hear) {
  if (hear) uv_ref((uv_handle_t *)&d->async);
  uv_run(d->uv, mode);
  if (hear) uv_unref((uv_handle_t *)&d->async);
}

/* True when a post came: what other threads have of ours must be looked up
 * again. */
static bool look_around(vow__uv_t *d) {
  d->heard = false;
  run(d, UV_RUN_NOWAIT, true);
  return d->heard;
}

bool vow__virtual_turn(vow__uv_t *d, bool wait, bool remote) {
  uint64_t next_ms = vow_loop_next_ms(d->loop);
  bool held;
  if (next_ms <= now_ms(d)) jump(d, next_ms); /* due: it needs no jump */
  if (look_around(d)) return true;
  if (!wait || is_stirring(d) || !vow_loop_may_block(d->loop))
    return next_ms != UINT64_MAX || remote || vow_loop_has_ready(d->loop) ||
           uv_loop_alive(d->uv) != 0;
  held = is_held(d, remote);
  next_ms = vow_loop_next_ms(d->loop);
  if (!held && d->advancing) return false; /* vow_loop_advance goes on */
  if (!held && next_ms != UINT64_MAX && !d->clock_held) {
    jump(d, next_ms);
    return true;
  }
  if (!held && (next_ms != UINT64_MAX || uv_loop_alive(d->uv) == 0))
    return false; /* the clock is held, or there is nothing at all */
  run(d, UV_RUN_ONCE, remote);
  return true;
}

/* ---- for users ------------------------------------------------------------ */

int vow_loop_new_virtual(const vow_loop_options_t *options,
                         vow_loop_t **ret_loop) {
  int err = vow_loop_new(options, ret_loop);
  /* Nothing was armed yet, so the clocks may part here: at a whole millisecond,
   * for deadlines are rounded up to those. */
  if (err == 0)
    vow__uv_of(*ret_loop)->virtual_ns = uv_hrtime() / NS_PER_MS * NS_PER_MS;
  return err;
}

bool vow_loop_is_virtual(vow_loop_t *loop) {
  vow__uv_t *d = vow__uv_of(loop);
  return d != NULL && d->virtual_ns != 0;
}

static int check(vow_loop_t *loop, vow__uv_t **ret_d) {
  int err = vow__uv_check(loop, ret_d);
  return err == 0 && (*ret_d)->virtual_ns == 0 ? UV_ENOTSUP : err;
}

int vow_loop_hold_clock(vow_loop_t *loop, bool hold) {
  vow__uv_t *d;
  int err = check(loop, &d);
  if (err == 0) d->clock_held = hold;
  return err;
}

/* Everything that can be done at this very time. */
static int settle_down(vow__uv_t *d) {
  int err;
  bool former = d->advancing; /* from a callback: refused below */
  d->advancing = true;
  err = vow_loop_run(d->loop);
  d->advancing = former;
  return err;
}

int vow_loop_advance(vow_loop_t *loop, uint64_t ms) {
  vow__uv_t *d;
  uint64_t end_ms, next_ms;
  int err = check(loop, &d);
  if (err != 0) return err;
  end_ms = ms < VOW_MS_MAX - now_ms(d) ? now_ms(d) + ms : VOW_MS_MAX;
  for (;;) {
    err = settle_down(d);
    if (err != 0) return err;
    next_ms = vow_loop_next_ms(loop);
    if (next_ms > end_ms) break;
    jump(d, next_ms);
  }
  if (end_ms > now_ms(d)) d->virtual_ns = end_ms * NS_PER_MS;
  return 0;
}
