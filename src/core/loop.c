/* SPDX-License-Identifier: MIT */
/* Loops: making one on a driver, draining the ready queue, running. Closing is
 * in loop_close.c, other threads in post.c. */
#include "core/loop.h"

#include <string.h>

_Thread_local char vow__thread_mark;
_Thread_local vow_loop_t *vow__thread_loop;

int vow__loop_refusal(const vow_loop_t *loop, const char *fn) {
  if (loop == NULL) {
    vow__record(UV_EINVAL, "(null)", "%s: the loop is NULL", fn);
    return UV_EINVAL;
  }
  if (vow__loop_ok(loop)) return 0;
  if (loop->closed) {
    vow__record(VOW_ESHUTDOWN, "(loop)", "%s: the loop is closed", fn);
    return VOW_ESHUTDOWN;
  }
  vow__record(VOW_ETHREAD, "(loop)",
              "%s: called on another thread than the loop's", fn);
  return VOW_ETHREAD;
}

/* ---- making
 * ------------------------------------------------------------------ */

static vow_future_t *reserve(vow_loop_t *loop, vow_value_t v) {
  vow_future_t *f = vow__cell_alloc(loop, 0);
  if (f == NULL) return NULL;
  vow__cell_begin(f, VOW__FOLLOW, VOW__F_SEEN, "(loop)");
  f->u.value = v;
  f->node.state = vow__outcome_state(v);
  return f;
}

static void default_options(vow_loop_t *loop, const vow_loop_options_t *o) {
  if (o != NULL) loop->options = *o;
  if (loop->options.step_budget == 0) loop->options.step_budget = 1024;
  vow__watch_defaults(&loop->options);
  loop->shuffle = loop->options.shuffle_seed;
  loop->watched =
      loop->options.block_limit_ms != VOW_NO_BLOCK_LIMIT || loop->shuffle != 0;
}

int vow_loop_new_driver(vow_driver_t *d, const vow_loop_options_t *options,
                        vow_loop_t **ret_loop) {
  vow_loop_t *loop;
  if (d == NULL || ret_loop == NULL) return UV_EINVAL;
  loop = vow_alloc(sizeof(*loop));
  if (loop == NULL) return UV_ENOMEM;
  memset(loop, 0, sizeof(*loop));
  loop->ready.next = loop->ready.prev = &loop->ready;
  loop->thread = vow__self();
  loop->driver = d;
  loop->armed_ms = UINT64_MAX;
  loop->wheel_next_ms = UINT64_MAX;
  vow__list_init(&loop->remotes);
  default_options(loop, options);
  atomic_init(&loop->refs, 1); /* held by the cells; see vow__cells_close */
  vow__cells_init(loop);
  loop->enomem = reserve(loop, vow_fail(UV_ENOMEM));
  if (loop->enomem == NULL) goto fail_reserve;
  loop->cancelled = reserve(loop, vow_cancelled(0));
  if (loop->cancelled == NULL) goto fail_cancelled;
  loop->thread_next = vow__thread_loop;
  vow__thread_loop = loop;
  *ret_loop = loop;
  return 0;

fail_cancelled:
  vow__cell_free(loop->enomem);
fail_reserve:
  loop->driver = NULL; /* stays the caller's */
  vow__cells_close(loop);
  return UV_ENOMEM;
}

void vow__loop_release(vow_loop_t *loop) {
  if (atomic_fetch_sub(&loop->refs, 1) != 1) return;
  if (loop->driver != NULL && loop->driver->destroy != NULL)
    loop->driver->destroy(loop->driver);
  vow_release(loop);
}

vow_driver_t *vow_loop_driver(vow_loop_t *loop) {
  return loop != NULL ? loop->driver : NULL;
}

/* ---- draining
 * ------------------------------------------------------------------ */

VOW__NOINLINE vow_future_t *vow__wake_and_return(vow_loop_t *loop,
                                                 vow_future_t *d) {
  vow__wake(loop);
  return d;
}

bool vow_loop_has_ready(const vow_loop_t *loop) {
  return loop->ready.next != &loop->ready;
}

static void drain(vow_loop_t *loop, uint32_t budget) {
  loop->draining = true;
  loop->awake = true;
  if (VOW__LIKELY(!loop->watched))
    vow__run_ready(loop, budget);
  else
    vow__run_watched(loop, budget);
  loop->draining = false;
  loop->awake = false;
  if (vow_loop_has_ready(loop)) vow__wake(loop);
  vow__timers_arm(loop);
}

void vow_loop_drain(vow_loop_t *loop) {
  if (!loop->draining) drain(loop, loop->options.step_budget);
}

bool vow_loop_may_block(const vow_loop_t *loop) {
  return loop->awaited == NULL || !vow__settled(loop->awaited);
}

bool vow_loop_step(vow_loop_t *loop) {
  if (loop->draining || !vow_loop_has_ready(loop)) return false;
  drain(loop, 1);
  return true;
}

/* ---- running
 * --------------------------------------------------------------------- */

static int run_refusal(vow_loop_t *loop, const char *fn) {
  int err = vow__loop_refusal(loop, fn);
  if (err != 0) return err;
  if (loop->running || loop->draining) {
    vow__record(UV_EBUSY, "(loop)", "%s: the loop is running", fn);
    return UV_EBUSY;
  }
  return 0;
}

int vow_loop_run(vow_loop_t *loop) {
  int err = run_refusal(loop, "vow_loop_run");
  if (err != 0) return err;
  loop->running = true;
  while (loop->driver->turn(loop->driver, true,
                            !vow__list_empty(&loop->remotes))) {
  }
  loop->running = false;
  return 0;
}

int vow_loop_run_until(vow_loop_t *loop, vow_future_t *f) {
  int err = run_refusal(loop, "vow_loop_run_until");
  if (err != 0) return err;
  if (vow_op_check(f, loop) != 0) {
    vow__record(UV_EINVAL, vow_site(f), "vow_loop_run_until: the future is %s",
                f == NULL ? "NULL" : "of another loop");
    return UV_EINVAL;
  }
  vow_ref(f);
  loop->running = true;
  loop->awaited = f;
  vow_loop_drain(loop); /* often enough: no turn of the driver needed */
  while (!vow__settled(f)) {
    bool remote =
        !vow__list_empty(&loop->remotes) || atomic_load(&loop->foreign) > 0;
    if (loop->driver->turn(loop->driver, true, remote)) continue;
    if (vow__settled(f)) break;
    vow__record(VOW_EIDLE, f->site,
                "vow_loop_run_until: nothing is left that could settle the "
                "future made at %s",
                f->site);
    err = VOW_EIDLE;
    break;
  }
  loop->running = false;
  loop->awaited = NULL;
  vow_drop(f);
  return err;
}

static int await_outcome(vow_future_t *f, vow_value_t *ret_value) {
  int err;
  if (!(f->node.flags & VOW__F_STATIC)) {
    err = vow_loop_run_until(vow__loop_of(f), f);
    if (err != 0) return err;
  }
  *ret_value = vow_outcome(f);
  return vow_value_code(*ret_value);
}

int vow_await_blocking(vow_future_t *f, vow_value_t *ret_value) {
  vow_value_t value = vow_nil();
  int err = UV_EINVAL;
  if (f == NULL)
    vow__record(err, "(null)", "vow_await_blocking: the future is NULL");
  else
    err = await_outcome(f, &value);
  vow__drop_anywhere(f);
  if (ret_value != NULL)
    *ret_value = value;
  else
    vow__value_destroy(value);
  return err;
}

/* ---- looking
 * --------------------------------------------------------------------- */

size_t vow_loop_live(const vow_loop_t *loop) {
  if (loop == NULL) return 0;
  return vow__cells_live(loop) - (loop->closed ? 0 : 2); /* the reserves */
}

void vow_loop_each(vow_loop_t *loop, vow_each_cb cb, void *arg) {
  vow__slab_t *slab = NULL;
  char *at = NULL;
  vow_future_t *f;
  if (loop == NULL || cb == NULL) return;
  while (vow__cells_next(loop, &slab, &at, &f)) {
    if (f == loop->enomem || f == loop->cancelled) continue;
    cb(f, vow__what(f), f->site, vow_state(f), arg);
  }
}
