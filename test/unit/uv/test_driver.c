/* SPDX-License-Identifier: MIT */
/* The libuv driver: turns, time, wake-ups, raw callbacks, closing. */
#include <vow/uv.h>

#include "unit/uv/uv_support.h"

#include <pthread.h>

/* ---- making -------------------------------------------------------------- */

TEST(test_loop_new_bad_arguments_gives_einval) {
  ck_assert_int_eq(vow_loop_new(NULL, NULL), UV_EINVAL);
  vow_loop_t *loop = NULL;
  ck_assert_int_eq(vow_loop_attach(NULL, NULL, &loop), UV_EINVAL);
  ck_assert_ptr_null(loop);
  ck_assert_ptr_null(vow_loop_uv(NULL));
}

TEST(test_loop_new_run_idle_close_gives_0) {
  vow_loop_t *loop = loop_open();
  ck_assert_ptr_nonnull(vow_loop_uv(loop));
  ck_assert_ptr_eq(vow_loop_from_uv(vow_loop_uv(loop)), loop);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  loop_done(loop);
}

TEST(test_loop_new_out_of_memory_leaks_nothing) {
  size_t n;
  fault_install();
  for (n = 1; n < 20; n++) {
    vow_loop_t *loop = NULL;
    int err;
    fault_fail_at(n);
    err = vow_loop_new(NULL, &loop);
    fault_off();
    if (err == 0) {
      ck_assert_int_eq(vow_loop_close(loop, 0), 0);
      ck_assert_int_eq(fault_live(), 0);
      break;
    }
    ck_assert_int_eq(err, UV_ENOMEM);
    ck_assert_ptr_null(loop);
    ck_assert_int_eq(fault_live(), 0);
  }
  ck_assert_uint_gt(n, 1);
  ck_assert_uint_lt(n, 20);
  fault_remove();
}

TEST(test_loop_attach_out_of_memory_leaves_the_loop_usable) {
  uv_loop_t uv;
  size_t n;
  fault_install();
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  for (n = 1; n < 20; n++) {
    vow_loop_t *loop = NULL;
    int err;
    fault_fail_at(n);
    err = vow_loop_attach(&uv, NULL, &loop);
    fault_off();
    if (err == 0) {
      ck_assert_int_eq(vow_loop_close(loop, 0), 0);
      break;
    }
    ck_assert_int_eq(err, UV_ENOMEM);
    ck_assert_ptr_null(vow_loop_from_uv(&uv));
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(fault_live(), 0);
  }
  ck_assert_uint_lt(n, 20);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
  fault_remove();
}

TEST(test_loop_from_uv_tells_loops_apart) {
  vow_loop_t *a = loop_open(), *b = loop_open();
  uv_loop_t *raw = vow_loop_uv(a);
  uv_loop_t other;
  ck_assert_ptr_eq(vow_loop_from_uv(vow_loop_uv(b)), b);
  ck_assert_ptr_eq(vow_loop_from_uv(raw), a);
  ck_assert_ptr_null(vow_loop_from_uv(&other));
  ck_assert_ptr_null(vow_loop_from_uv(NULL));
  loop_done(a);
  ck_assert_ptr_null(vow_loop_from_uv(raw));
  ck_assert_ptr_eq(vow_loop_from_uv(vow_loop_uv(b)), b);
  loop_done(b);
}

/* ---- time (rule 10) ------------------------------------------------------ */

TEST(test_rule_10_sleep_is_never_early) {
  vow_loop_t *loop = loop_open();
  unsigned delay_ms;
  for (delay_ms = 1; delay_ms <= 12; delay_ms++) {
    uint64_t before_ns = uv_hrtime();
    ck_assert_int_eq(settle_drop(loop, vow_sleep(loop, delay_ms)), 0);
    ck_assert_uint_ge(uv_hrtime() - before_ns,
                      (uint64_t)delay_ms * 1000 * 1000);
  }
  loop_done(loop);
}

TEST(test_rule_10_sleep_after_stale_clock_is_not_early) {
  vow_loop_t *loop = loop_open();
  uint64_t before_ns;
  vow_future_t *f;
  uv_update_time(vow_loop_uv(loop));
  uv_sleep(8); /* libuv's clock stands; ours does not */
  before_ns = uv_hrtime();
  f = vow_sleep(loop, 3);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_uint_ge(uv_hrtime() - before_ns, UINT64_C(3000000));
  loop_done(loop);
}

typedef struct order {
  int length;
  int seen[8];
} order_t;

typedef struct mark {
  order_t *order;
  int id;
} mark_t;

static vow_value_t note(vow_future_t *in, void *arg) {
  const mark_t *m = arg;
  (void)in;
  m->order->seen[m->order->length++] = m->id;
  return vow_nil();
}

TEST(test_rule_10_equal_deadlines_end_in_arming_order) {
  vow_loop_t *loop = loop_open();
  order_t order = {0, {0}};
  mark_t marks[4] = {{&order, 0}, {&order, 1}, {&order, 2}, {&order, 3}};
  uint64_t at_ms = vow_loop_now_ms(loop) + 3;
  int i;
  for (i = 0; i < 4; i++)
    vow_detach(vow_then(vow_sleep_until(loop, at_ms), note, &marks[i]));
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(order.length, 4);
  for (i = 0; i < 4; i++) ck_assert_int_eq(order.seen[i], i);
  loop_done(loop);
}

TEST(test_timer_shorter_one_armed_later_fires_first) {
  vow_loop_t *loop = loop_open();
  vow_future_t *slow = vow_sleep(loop, 10000);
  uint64_t before_ns = uv_hrtime();
  ck_assert_int_eq(settle_drop(loop, vow_sleep(loop, 2)), 0);
  ck_assert_uint_lt(uv_hrtime() - before_ns, UINT64_C(5000000000));
  ck_assert_int_eq(vow_state(slow), VOW_PENDING);
  vow_drop(slow);
  /* Nothing is armed any more: run comes back at once. */
  loop_done(loop);
}

static vow_value_t burn_and_sleep(vow_future_t *in, void *arg) {
  uint64_t end_ns = uv_hrtime() + 30 * 1000 * 1000;
  (void)in;
  *(vow_future_t **)arg = vow_sleep(vow_loop_of(in), 5);
  while (uv_hrtime() < end_ns) {
  }
  return vow_nil();
}

TEST(test_timer_after_a_slow_continuation_is_not_late) {
  vow_loop_t *loop = loop_open();
  vow_future_t *inner = NULL;
  uint64_t start_ns = uv_hrtime();
  vow_detach(vow_then(vow_sleep(loop, 1), burn_and_sleep, &inner));
  while (inner == NULL) uv_run(vow_loop_uv(loop), UV_RUN_ONCE);
  ck_assert_int_eq(settle_drop(loop, inner), 0);
  /* Due when the continuation ended; with a stale clock 30 ms later. */
  ck_assert_uint_lt(uv_hrtime() - start_ns, UINT64_C(58000000));
  loop_done(loop);
}

/* ---- raw callbacks (rule 2) ---------------------------------------------- */

typedef struct raw {
  vow_promise_t *promise;
  int got;          /* set by the continuation */
  int iteration;    /* calls of uv_run */
  int settled_in;   /* the iteration that settled */
  int delivered_in; /* the one that delivered */
  uv_timer_t far;   /* far away: a poll that blocks would wait for it */
  bool far_fired;
} raw_t;

static void raw_on_far(uv_timer_t *t) {
  ((raw_t *)t->data)->far_fired = true;
}

static vow_value_t raw_deliver(vow_future_t *in, void *arg) {
  raw_t *r = arg;
  r->got = (int)vow_get_int(in);
  r->delivered_in = r->iteration;
  ck_assert(!r->far_fired);
  uv_timer_start(&r->far, raw_on_far, 0, 0); /* enough: let the poll end */
  return vow_nil();
}

static void raw_settle(raw_t *r) {
  r->settled_in = r->iteration;
  ck_assert_int_eq(vow_promise_finish(r->promise, vow_int(7)), 0);
  /* Rule 1: not inside the call. */
  ck_assert_int_eq(r->got, 0);
}

static void raw_on_timer(uv_timer_t *t) {
  raw_settle(t->data);
}

static void raw_on_async(uv_async_t *a) {
  raw_settle(a->data);
}

static void raw_on_idle(uv_idle_t *i) {
  raw_settle(i->data);
  uv_idle_stop(i);
}

static void raw_on_prepare(uv_prepare_t *p) {
  raw_settle(p->data);
  uv_prepare_stop(p);
}

static void raw_on_check(uv_check_t *c) {
  raw_settle(c->data);
  uv_check_stop(c);
}

typedef union any_handle {
  uv_handle_t handle;
  uv_timer_t timer;
  uv_async_t async;
  uv_idle_t idle;
  uv_prepare_t prepare;
  uv_check_t check;
} any_handle_t;

static void raw_begin(uv_loop_t *uv, any_handle_t *h, int phase, raw_t *r) {
  switch (phase) {
  case 0:
    uv_timer_init(uv, &h->timer);
    uv_timer_start(&h->timer, raw_on_timer, 0, 0);
    break;
  case 1:
    uv_async_init(uv, &h->async, raw_on_async);
    uv_async_send(&h->async);
    break;
  case 2:
    uv_idle_init(uv, &h->idle);
    uv_idle_start(&h->idle, raw_on_idle);
    break;
  case 3:
    uv_prepare_init(uv, &h->prepare);
    uv_prepare_start(&h->prepare, raw_on_prepare);
    break;
  default:
    uv_check_init(uv, &h->check);
    uv_check_start(&h->check, raw_on_check);
    break;
  }
  h->handle.data = r;
}

/* One raw callback of some phase settles. */
static void expect_delivery(int phase, bool before_attach, int iterations) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  any_handle_t h;
  raw_t r = {0};
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  uv_timer_init(&uv, &r.far);
  r.far.data = &r;
  uv_timer_start(&r.far, raw_on_far, 5000, 0);
  if (before_attach) raw_begin(&uv, &h, phase, &r);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  if (!before_attach) raw_begin(&uv, &h, phase, &r);
  vow_detach(vow_then(vow_promise_new(loop, &r.promise), raw_deliver, &r));
  while (!r.far_fired) {
    /* A check handle runs after a poll, so that first one must end. */
    r.iteration++;
    uv_run(&uv, r.iteration == 1 && phase == 4 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
  }
  ck_assert_int_eq(r.got, 7);
  ck_assert_int_le(r.delivered_in - r.settled_in, iterations);

  uv_close(&h.handle, NULL);
  uv_close((uv_handle_t *)&r.far, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

TEST(test_rule_2_raw_settle_takes_effect_in_same_iteration) {
  expect_delivery(_i, false, 0);
}

TEST(test_rule_2_handles_older_than_vows_settle_without_blocking) {
  /* These run after ours of the same phase: one in prepare is delivered after a
   * poll that does not block, one in check in the next iteration. */
  expect_delivery(_i, true, _i == 4 ? 1 : 0);
}

TEST(test_rule_2_data_fields_are_left_alone) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  int mine = 0;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  uv.data = &mine;
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  pair_t p = pair_open(loop);
  p.a->data = &mine;
  p.b->data = &loop;
  p.listening->data = &p;
  vow_reader_t *reader = NULL;
  ck_assert_int_eq(vow_reader_new(stream_of(p.b), 0, &reader), 0);
  vow_future_t *next = vow_reader_next(reader);
  ck_assert_int_eq(settle_drop(loop, write_text(p.a, "hello")), 0);
  ck_assert_int_eq(settle(loop, next), 0);
  expect_bytes(next, "hello");
  vow_drop(next);
  ck_assert_ptr_eq(uv.data, &mine);
  ck_assert_ptr_eq(p.a->data, &mine);
  ck_assert_ptr_eq(p.b->data, &loop);
  ck_assert_ptr_eq(p.listening->data, &p);
  vow_reader_free(reader);
  pair_close(&p);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_ptr_eq(uv.data, &mine);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

/* ---- budget -------------------------------------------------------------- */

static vow_value_t spin(vow_future_t *in, void *arg) {
  bool *stop = arg;
  if (*stop) return vow_nil();
  return vow_follow(
      vow_then(vow_ready(vow_loop_of(in), vow_nil()), spin, stop));
}

static void stop_spinning(uv_async_t *a) {
  *(bool *)a->data = true;
}

TEST(test_rule_1_self_feeding_chain_starves_no_io) {
  vow_loop_t *loop = loop_open();
  uv_async_t async;
  bool stop = false;
  vow_future_t *f;
  uv_async_init(vow_loop_uv(loop), &async, stop_spinning);
  async.data = &stop;
  uv_async_send(&async);
  f = vow_then(vow_ready(loop, vow_nil()), spin, &stop);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert(stop);
  uv_close((uv_handle_t *)&async, NULL);
  loop_done(loop);
}

typedef struct tally {
  int steps;
  int polls;
  int most; /* steps between two polls */
  int since;
  vow_loop_t *loop;
} tally_t;

static vow_value_t step_once(vow_future_t *in, void *arg) {
  tally_t *t = arg;
  (void)in;
  t->since++;
  if (t->since > t->most) t->most = t->since;
  if (++t->steps >= 100) return vow_nil();
  return vow_follow(vow_then(vow_ready(t->loop, vow_nil()), step_once, t));
}

static void on_poll(uv_check_t *c) {
  tally_t *t = c->data;
  t->polls++;
  t->since = 0;
}

TEST(test_rule_1_one_poll_happens_after_each_step_budget) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  uv_check_t check;
  tally_t t = {0, 0, 0, 0, NULL};
  vow_future_t *f;
  o.step_budget = 10;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  t.loop = loop;
  uv_check_init(vow_loop_uv(loop), &check);
  uv_check_start(&check, on_poll);
  uv_unref((uv_handle_t *)&check);
  check.data = &t;
  f = vow_then(vow_ready(loop, vow_nil()), step_once, &t);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  vow_drop(f);
  ck_assert_int_le(t.most, 10);
  ck_assert_int_ge(t.polls, 9);
  uv_close((uv_handle_t *)&check, NULL);
  loop_done(loop);
}

/* ---- running (rule 22) --------------------------------------------------- */

static vow_value_t run_inside(vow_future_t *in, void *arg) {
  vow_loop_t *loop = vow_loop_of(in);
  (void)arg;
  ck_assert_int_eq(vow_loop_run(loop), UV_EBUSY);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  return vow_nil();
}

TEST(test_rule_22_run_and_close_inside_a_callback_give_ebusy) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_then(vow_sleep(loop, 1), run_inside, NULL);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  loop_done(loop);
}

static void run_in_raw(uv_timer_t *t) {
  vow_loop_t *loop = vow_loop_from_uv(t->loop);
  *(int *)t->data = vow_loop_run(loop);
}

TEST(test_rule_22_run_inside_a_raw_callback_gives_ebusy) {
  vow_loop_t *loop = loop_open();
  uv_timer_t t;
  int err = 0;
  uv_timer_init(vow_loop_uv(loop), &t);
  t.data = &err;
  uv_timer_start(&t, run_in_raw, 0, 0);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(err, UV_EBUSY);
  uv_close((uv_handle_t *)&t, NULL);
  loop_done(loop);
}

TEST(test_run_until_nothing_left_gives_eidle) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_never(loop);
  ck_assert_int_eq(vow_loop_run_until(loop, f), VOW_EIDLE);
  vow_drop(f);
  loop_done(loop);
}

/* ---- other threads ------------------------------------------------------- */

static void *settle_remotely(void *arg) {
  uv_sleep(5);
  vow_remote_settle(arg, vow_int(42));
  return NULL;
}

TEST(test_remote_settle_wakes_a_blocked_loop) {
  vow_loop_t *loop = loop_open();
  vow_promise_t *p = NULL;
  vow_future_t *f = vow_promise_new(loop, &p);
  pthread_t thread;
  ck_assert_int_eq(
      pthread_create(&thread, NULL, settle_remotely, vow_promise_remote(p)), 0);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 42);
  vow_drop(f);
  pthread_join(thread, NULL);
  loop_done(loop);
}

static void count_tick(uv_timer_t *t) {
  ++*(int *)t->data;
}

static void posted(vow_loop_t *loop, void *arg) {
  (void)loop;
  ++*(int *)arg;
}

static void *post_it(void *arg) {
  void **args = arg;
  vow_post(args[0], posted, args[1]);
  vow_loop_unref(args[0]);
  return NULL;
}

TEST(test_post_from_a_thread_is_run_by_the_programs_own_uv_run) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  uv_timer_t t;
  int calls = 0, ticks = 0;
  void *args[2];
  pthread_t thread;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  uv_timer_init(&uv, &t);
  t.data = &ticks;
  uv_timer_start(&t, count_tick, 5000, 0);
  args[0] = vow_loop_ref(loop);
  args[1] = &calls;
  ck_assert_int_eq(pthread_create(&thread, NULL, post_it, args), 0);
  while (calls == 0) uv_run(&uv, UV_RUN_ONCE);
  ck_assert_int_eq(calls, 1);
  ck_assert_int_eq(ticks, 0);
  pthread_join(thread, NULL);
  uv_close((uv_handle_t *)&t, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

static void *own_loop(void *arg) {
  vow_loop_t *loop = NULL;
  vow_future_t *f;
  int *ok = arg;
  if (vow_loop_new(NULL, &loop) != 0) return NULL;
  f = vow_sleep(loop, 3);
  *ok = vow_loop_run_until(loop, f) == 0 && vow_status(f) == 0;
  vow_drop(f);
  if (vow_loop_close(loop, 100) != 0) *ok = 0;
  return NULL;
}

TEST(test_loops_of_several_threads_run_side_by_side) {
  pthread_t threads[3];
  int ok[3] = {0, 0, 0};
  int i;
  for (i = 0; i < 3; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, own_loop, &ok[i]), 0);
  for (i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  for (i = 0; i < 3; i++) ck_assert_int_eq(ok[i], 1);
}

SUITE(uv_driver) {
  ADD(test_loop_new_bad_arguments_gives_einval);
  ADD(test_loop_new_run_idle_close_gives_0);
  ADD(test_loop_new_out_of_memory_leaks_nothing);
  ADD(test_loop_attach_out_of_memory_leaves_the_loop_usable);
  ADD(test_loop_from_uv_tells_loops_apart);
  ADD(test_rule_10_sleep_is_never_early);
  ADD(test_rule_10_sleep_after_stale_clock_is_not_early);
  ADD(test_rule_10_equal_deadlines_end_in_arming_order);
  ADD(test_timer_shorter_one_armed_later_fires_first);
  ADD(test_timer_after_a_slow_continuation_is_not_late);
  tcase_add_loop_test(
      test_tcase, test_rule_2_raw_settle_takes_effect_in_same_iteration, 0, 5);
  tcase_add_loop_test(
      test_tcase, test_rule_2_handles_older_than_vows_settle_without_blocking,
      0, 5);
  ADD(test_rule_2_data_fields_are_left_alone);
  ADD(test_rule_1_self_feeding_chain_starves_no_io);
  ADD(test_rule_1_one_poll_happens_after_each_step_budget);
  ADD(test_rule_22_run_and_close_inside_a_callback_give_ebusy);
  ADD(test_rule_22_run_inside_a_raw_callback_gives_ebusy);
  ADD(test_run_until_nothing_left_gives_eidle);
  ADD(test_remote_settle_wakes_a_blocked_loop);
  ADD(test_post_from_a_thread_is_run_by_the_programs_own_uv_run);
  ADD(test_loops_of_several_threads_run_side_by_side);
}
