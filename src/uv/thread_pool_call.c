/* SPDX-License-Identifier: MIT */
/* From another thread into a loop, and wait there. Nothing of a pool but how a
 * job's cancellation reaches its call. */
#include <string.h>

#include "uv/thread_pool.h"

typedef struct call_op {
  vow_op_t op;
  vow_waiter_t w;
  vow__call_t *call; /* a reference; NULL when it has ended */
} call_op_t;

struct vow__call {
  atomic_uint refs;
  uv_mutex_t lock; /* guards done, outcome */
  uv_cond_t told;
  bool done;
  vow_value_t outcome;
  const char *site;
  vow_loop_t *loop; /* the caller knows that it lives */
  vow_call_cb fn;
  void *arg;
  vow__dock_t *dock; /* of the job that calls into its own loop; or NULL */
  /* The loop's thread only. */
  bool begun;
  bool cancelled;
  call_op_t *op; /* while it waits */
};

static vow__call_t *call_new(const char *site, vow_loop_t *loop, vow_call_cb fn,
                             void *arg) {
  vow__call_t *call = vow_alloc(sizeof *call);
  if (call == NULL) return NULL;
  memset(call, 0, sizeof *call);
  if (uv_mutex_init(&call->lock) != 0) goto fail_mutex;
  if (uv_cond_init(&call->told) != 0) goto fail_cond;
  atomic_init(&call->refs, 1);
  call->site = site;
  call->loop = loop;
  call->fn = fn;
  call->arg = arg;
  return call;
fail_cond:
  uv_mutex_destroy(&call->lock);
fail_mutex:
  vow_release(call);
  return NULL;
}

static vow__call_t *call_ref(vow__call_t *call) {
  atomic_fetch_add(&call->refs, 1);
  return call;
}

static void call_unref(void *p) {
  vow__call_t *call = p;
  if (atomic_fetch_sub(&call->refs, 1) > 1) return;
  uv_cond_destroy(&call->told);
  uv_mutex_destroy(&call->lock);
  vow_release(call);
}

/* ---- on the loop's thread ------------------------------------------------- */

static void tell(vow__call_t *call, vow_value_t outcome) {
  uv_mutex_lock(&call->lock);
  call->done = true;
  call->outcome = outcome;
  uv_cond_signal(&call->told);
  uv_mutex_unlock(&call->lock);
}

/* op may be freed in this call. */
static void end(call_op_t *op, vow_value_t outcome) {
  vow__call_t *call = op->call;
  op->call = NULL;
  call->op = NULL;
  if (call->dock != NULL) vow__dock_resume(call->dock);
  vow_op_settle(op, vow_nil());
  tell(call, outcome);
  call_unref(call);
}

static void call_ready(void *p, vow_waiter_t *w) {
  vow_value_t outcome = vow_outcome(vow_waiter_future(w));
  vow_waiter_release(w);
  end(p, outcome);
}

static void call_cancel(void *p) {
  call_op_t *op = p;
  if (!vow_waiter_cancel(&op->w)) end(op, vow_cancelled(UV_ECANCELED));
}

static void call_sources(void *p, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  vow_future_t *f = vow_waiter_future(&((call_op_t *)p)->w);
  if (f != NULL) visit(f, arg);
}

static const vow_op_class_t call_class = {"call_blocking", sizeof(call_op_t),
                                          call_cancel,     NULL,
                                          call_ready,      call_sources};

static void ask_to_end(vow_loop_t *loop, void *arg) {
  vow__call_t *call = arg;
  (void)loop;
  call->cancelled = true;
  if (call->op != NULL) vow_cancel(vow_op_future(call->op));
}

static void wait_for(vow__call_t *call, call_op_t *op, vow_future_t *f) {
  op->call = call_ref(call);
  call->op = op;
  if (call->dock != NULL) vow__dock_pause(call->dock);
  vow_waiter_start(&op->w, op, f);
  vow_detach(vow_op_future(op));
  if (call->cancelled) ask_to_end(call->loop, call);
}

static void begin(vow_loop_t *loop, void *arg) {
  vow__call_t *call = arg;
  call_op_t *op = NULL;
  vow_future_t *f;
  call->begun = true;
  if (!call->cancelled) op = vow_op_new_at(call->site, loop, &call_class);
  if (op == NULL) {
    tell(call,
         call->cancelled ? vow_cancelled(UV_ECANCELED) : vow_fail(UV_ENOMEM));
    return;
  }
  f = call->fn(loop, call->arg);
  if (vow_op_check(f, loop) == 0) {
    wait_for(call, op, f);
    return;
  }
  vow_op_discard(f);
  vow_op_settle(op, vow_nil());
  vow_drop(vow_op_future(op));
  tell(call, vow_failf_at(call->site, UV_EINVAL,
                          "call_blocking: the function returned %s",
                          f == NULL ? "NULL" : "a future of another loop"));
}

/* What was posted has gone: called, or not because the loop closed. */
static void posted_gone(void *arg) {
  vow__call_t *call = arg;
  if (!call->begun) tell(call, vow_fail(VOW_ESHUTDOWN));
  call_unref(call);
}

/* ---- on any thread -------------------------------------------------------- */

/* Whether this is the thread of loop. */
static bool is_own(vow_loop_t *loop) {
  vow__uv_t *d = vow__uv_of(loop);
  return vow__uv_find(d->uv) == d;
}

vow__call_t *vow__tp_call_hold(vow__call_t *call) {
  vow_loop_ref(call->loop);
  return call_ref(call);
}

void vow__tp_call_cancel(vow__call_t *call) {
  vow_loop_t *loop = call->loop;
  if (is_own(loop)) {
    ask_to_end(loop, call);
    call_unref(call);
  } else {
    vow_post_drop(loop, ask_to_end, call, call_unref);
  }
  vow_loop_unref(loop);
}

/* Lets the cancellation of this thread's job, if it runs one, find call. */
static int enter(vow__call_t *call) {
  vow__worker_t *w = vow__tp_self();
  int err = 0;
  if (w == NULL || w->job == NULL) return 0;
  vow__tp_lock(w->pool);
  if (vow_job_is_cancelled(w->job)) {
    err = UV_ECANCELED;
  } else {
    w->call = call;
    w->call_asked = false;
    if (vow_job_loop(w->job) == call->loop) call->dock = w->job->lane->dock;
  }
  vow__tp_unlock(w->pool);
  return err;
}

static void leave(void) {
  vow__worker_t *w = vow__tp_self();
  if (w == NULL || w->job == NULL) return;
  vow__tp_lock(w->pool);
  w->call = NULL;
  vow__tp_unlock(w->pool);
}

static vow_value_t wait_told(vow__call_t *call) {
  vow_value_t outcome;
  uv_mutex_lock(&call->lock);
  while (!call->done) uv_cond_wait(&call->told, &call->lock);
  outcome = call->outcome;
  uv_mutex_unlock(&call->lock);
  return outcome;
}

static vow_value_t call_and_wait(vow__call_t *call) {
  vow_value_t outcome;
  int err = enter(call);
  if (err != 0) return vow_cancelled(err);
  err = vow_post_drop(call->loop, begin, call_ref(call), posted_gone);
  outcome = err == 0 ? wait_told(call) : vow_fail(err);
  leave();
  return outcome;
}

static int refusal(vow_loop_t *loop, vow_call_cb fn) {
  if (loop == NULL || fn == NULL) return UV_EINVAL;
  if (vow__uv_of(loop) == NULL) return UV_ENOTSUP;
  return is_own(loop) ? UV_EBUSY : 0;
}

int vow_call_blocking_at(const char *site, vow_loop_t *loop, vow_call_cb fn,
                         void *arg, vow_value_t *ret_value) {
  int err = refusal(loop, fn);
  vow__call_t *call = err == 0 ? call_new(site, loop, fn, arg) : NULL;
  vow_value_t outcome = vow_fail(err != 0 ? err : UV_ENOMEM);
  if (call != NULL) {
    outcome = call_and_wait(call);
    call_unref(call);
  }
  err = vow_value_code(outcome);
  if (ret_value != NULL)
    *ret_value = outcome;
  else
    vow_value_destroy(outcome);
  return err;
}
