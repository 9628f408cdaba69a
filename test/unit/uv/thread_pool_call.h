/* SPDX-License-Identifier: MIT */
/* What the tests of vow_call_blocking share: a call, and what it calls. Header
 * only. */
#ifndef VOW_TEST_UV_THREAD_POOL_CALL_H
#define VOW_TEST_UV_THREAD_POOL_CALL_H

#include <vow/time.h>

#include "unit/uv/thread_pool_support.h"

/* One call, made by a job or a thread of the test's. */
typedef struct call {
  vow_loop_t *loop;
  vow_call_cb fn;
  void *arg;
  atomic_int calling; /* about to call */
  atomic_int called;  /* fn was */
  int status;
  vow_value_t value;
  uv_thread_t fn_on;
  uv_sem_t *before; /* to wait for before it calls; or NULL */
  vow_future_t *kept;
} call_t;

static inline call_t call_of(vow_loop_t *loop, vow_call_cb fn) {
  call_t c;
  memset(&c, 0, sizeof c);
  c.loop = loop;
  c.fn = fn;
  return c;
}

/* The call is the argument of its functions. */
static inline void call_make(void *arg) {
  call_t *c = arg;
  if (c->before != NULL) uv_sem_wait(c->before);
  atomic_store(&c->calling, 1);
  c->status = vow_call_blocking(c->loop, c->fn, c, &c->value);
}

static inline vow_value_t call_job(vow_job_t *job, void *arg) {
  call_t *c = arg;
  if (c->loop == NULL) c->loop = vow_job_loop(job);
  call_make(c);
  return vow_nil();
}

static inline void note_called(void *arg) {
  call_t *c = arg;
  c->fn_on = uv_thread_self();
  atomic_store(&c->called, 1);
}

/* Turns, though nothing but the call may keep the loop busy. */
static inline void run_until_called(vow_loop_t *loop, call_t *c) {
  while (!atomic_load(&c->called))
    ck_assert_int_eq(settle_drop(loop, vow_sleep(loop, 1)), 0);
}

static inline vow_value_t give_string(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_string("from the loop");
}

static inline vow_future_t *sleep_then_string(vow_loop_t *loop, void *arg) {
  note_called(arg);
  return vow_then(vow_sleep(loop, 2), give_string, NULL);
}

static inline vow_future_t *never(vow_loop_t *loop, void *arg) {
  note_called(arg);
  return vow_never(loop);
}

static inline vow_future_t *plain_value(vow_loop_t *loop, void *arg) {
  note_called(arg);
  return vow_ready(loop, vow_int(1));
}

#endif
