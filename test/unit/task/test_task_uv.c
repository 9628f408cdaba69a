/* SPDX-License-Identifier: MIT */
/* Tasks on libuv's loop: requests that they lend their stack to, threads,
 * uv_run called by the program, closing in real time. */
#include "unit/task/helpers.h"

#include <vow/random.h>
#include <vow/uv.h>
#include <vow/work.h>

static void begin_uv(const vow_loop_options_t *options) {
  ck_assert_int_eq(vow_loop_new(options, &loop), 0);
}

static void done_uv(void) {
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  vow_task_trim();
}

/* ---- lent memory ---------------------------------------------------------- */

/* Fills memory of its own stack by libuv; once the await has returned nobody
 * may write there any more. */
static vow_value_t lend_stack(void *arg) {
  unsigned char lent[64] = {0}, copy[64];
  self_t *s = arg;
  keep_code(s, vow_await_status(vow_random_into(loop, lent, sizeof lent)));
  memcpy(copy, lent, sizeof copy);
  for (int i = 0; i < 10; i++) vow_yield();
  ck_assert_mem_eq(copy, lent, sizeof copy);
  return vow_nil();
}

TEST(test_task_uv_lends_its_stack) {
  self_t s = {0};
  begin_uv(NULL);
  s.f = vow_go(loop, lend_stack, &s);
  ck_assert_int_eq(vow_loop_run_until(loop, s.f), 0);
  ck_assert_int_eq(s.codes[0], 0);
  vow_drop(s.f);
  done_uv();
}

TEST(test_task_uv_cancelled_while_its_stack_is_lent_waits) {
  begin_uv(NULL);
  for (int i = 0; i < 20; i++) {
    self_t s = {0};
    s.f = vow_go(loop, lend_stack, &s);
    vow_loop_step(loop);
    vow_drop(s.f);
    while (s.n == 0) uv_run(vow_loop_uv(loop), UV_RUN_ONCE);
    ck_assert(s.codes[0] == 0 || s.codes[0] == UV_ECANCELED);
    ck_assert_int_eq(vow_loop_run(loop), 0);
  }
  done_uv();
}

/* ---- threads -------------------------------------------------------------- */

static vow_value_t add_up(void *arg) {
  int64_t n = *(int64_t *)arg, sum = 0;
  ck_assert_ptr_null(vow_task_current()); /* no task runs on that thread */
  for (int64_t i = 0; i < n; i++) sum += i;
  return vow_int(sum);
}

static vow_value_t add_on_threads(void *arg) {
  int64_t sum = 0;
  for (int i = 0; i < 5; i++) {
    VOW_TRY(v, vow_queue_work(loop, add_up, arg));
    sum += v.as.i;
  }
  return vow_int(sum);
}

TEST(test_task_uv_awaits_work_on_threads) {
  int64_t n = 1000;
  vow_value_t v;
  begin_uv(NULL);
  vow_future_t *a = vow_go(loop, add_on_threads, &n);
  vow_future_t *b = vow_go(loop, add_on_threads, &n);
  ck_assert_int_eq(vow_await_blocking(a, &v), 0);
  ck_assert_int_eq(v.as.i, 5 * n * (n - 1) / 2);
  ck_assert_int_eq(vow_await_blocking(b, NULL), 0);
  done_uv();
}

/* ---- a loop that the program runs ----------------------------------------- */

static vow_value_t nap_twice(void *arg) {
  VOW_TRY_NIL(nap(1));
  VOW_TRY_NIL(nap(1));
  note(arg);
  return vow_nil();
}

static void on_timer(uv_timer_t *timer) {
  ck_assert_ptr_null(vow_task_current());
  vow_detach(vow_go(loop, nap_twice, timer->data));
  uv_close((uv_handle_t *)timer, NULL);
}

TEST(test_task_uv_runs_in_the_programs_uv_run) {
  uv_timer_t timer;
  uv_loop_t uv;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  uv_timer_init(&uv, &timer);
  timer.data = "task";
  uv_timer_start(&timer, on_timer, 1, 0);
  ck_assert_int_eq(uv_run(&uv, UV_RUN_DEFAULT), 0);
  EXPECT_EVENTS("task");
  done_uv();
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

/* ---- closing -------------------------------------------------------------- */

static vow_value_t until_stopped(void *arg) {
  bool *stop = arg;
  while (!*stop) vow_await_status(nap(1));
  return vow_int(1);
}

static vow_value_t yield_until_stopped(void *arg) {
  bool *stop = arg;
  while (!*stop) vow_yield();
  return vow_int(1);
}

TEST(test_task_uv_close_lists_one_that_ignores_cancellation) { /* Rule 22 */
  const vow_task_options_t named = {.name = "deaf"};
  const vow_task_cb bodies[] = {until_stopped, yield_until_stopped};
  for (int i = 0; i < 2; i++) {
    vow_loop_options_t options = {0};
    listed_t l = {0};
    bool stop = false;
    vow_future_t *f;
    options.on_stuck = list_stuck;
    options.on_stuck_arg = &l;
    options.step_budget = 16;
    begin_uv(&options);
    f = vow_go_with(loop, &named, bodies[i], &stop);
    vow_loop_step(loop);
    ck_assert_int_eq(vow_loop_close(loop, 5), UV_EBUSY);
    ck_assert_int_ge(l.count, 1);
    ck_assert_str_eq(l.what, "deaf");
    ck_assert_str_eq(l.site, vow_site(f));
    stop = true;
    ck_assert_int_eq(vow_loop_run(loop), 0);
    EXPECT_INT(f, 1);
    done_uv();
  }
}

SUITE(task_uv) {
  ADD(test_task_uv_lends_its_stack);
  ADD(test_task_uv_cancelled_while_its_stack_is_lent_waits);
  ADD(test_task_uv_awaits_work_on_threads);
  ADD(test_task_uv_runs_in_the_programs_uv_run);
  ADD(test_task_uv_close_lists_one_that_ignores_cancellation);
}
