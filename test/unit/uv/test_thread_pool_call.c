/* SPDX-License-Identifier: MIT */
/* vow_call_blocking: from a thread into a loop, and waiting there. */
#include <vow/debug.h>

#include "unit/uv/thread_pool_call.h"

#include "support/manual.h"

static vow_future_t *fail_with_message(vow_loop_t *loop, void *arg) {
  note_called(arg);
  return vow_ready(loop, vow_failf(UV_EPROTO, "bad %d", 7));
}

static vow_future_t *null_future(vow_loop_t *loop, void *arg) {
  (void)loop;
  note_called(arg);
  return NULL;
}

/* ---- outcomes ------------------------------------------------------------ */

TEST(test_call_blocking_from_a_job_gives_the_value) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, sleep_then_string);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.status, 0);
  ck_assert_ptr_eq(c.value.type, &vow_type_string);
  ck_assert_str_eq(c.value.as.p, "from the loop");
  ck_assert(on_this_thread(c.fn_on));
  vow_value_destroy(c.value);
  both_done(pool, loop);
}

TEST(test_call_blocking_from_any_thread_gives_the_value) {
  vow_loop_t *loop = loop_open();
  call_t c = call_of(vow_loop_ref(loop), sleep_then_string);
  uv_thread_t thread;
  ck_assert_int_eq(uv_thread_create(&thread, call_make, &c), 0);
  run_until_called(loop, &c);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(uv_thread_join(&thread), 0);
  ck_assert_int_eq(c.status, 0);
  vow_value_destroy(c.value);
  vow_loop_unref(loop);
  loop_done(loop);
}

TEST(test_call_blocking_failure_arrives_with_its_message) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, fail_with_message);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.status, UV_EPROTO);
  ck_assert_str_eq(vow_error_message(vow_value_error(c.value)), "bad 7");
  vow_value_destroy(c.value);
  ck_assert_int_eq(unseen, 0);
  both_done(pool, loop);
}

static vow_value_t call_for_nothing(vow_job_t *job, void *arg) {
  call_t *c = arg;
  c->status = vow_call_blocking(vow_job_loop(job), c->fn, c, NULL);
  return vow_nil();
}

TEST(test_call_blocking_unwanted_value_is_destroyed) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, sleep_then_string);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_for_nothing, &c);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.status, 0);
  both_done(pool, loop);
}

static vow_future_t *keep_future(vow_loop_t *loop, void *arg) {
  call_t *c = arg;
  note_called(arg);
  c->kept = vow_ready(loop, vow_int(9));
  return vow_ref(c->kept);
}

TEST(test_call_blocking_shares_the_value_of_a_future_that_is_kept) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, keep_future);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.status, 0);
  ck_assert_int_eq(c.value.as.i, 9);
  ck_assert_int_eq(vow_get_int(c.kept), 9);
  vow_drop(c.kept);
  both_done(pool, loop);
}

TEST(test_call_blocking_for_nothing_that_can_happen_leaves_the_loop_idle) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, never);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  ck_assert_int_eq(vow_loop_run_until(loop, f), VOW_EIDLE);
  ck_assert_int_eq(atomic_load(&c.called), 1);
  vow_drop(f); /* which ends the call; then the job is waited for */
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  both_done(pool, loop);
}

/* ---- misuse -------------------------------------------------------------- */

TEST(test_call_blocking_on_the_loops_own_thread_gives_ebusy) {
  vow_loop_t *loop = loop_open();
  call_t c = call_of(loop, never);
  call_make(&c);
  ck_assert_int_eq(c.status, UV_EBUSY);
  ck_assert_int_eq(vow_value_code(c.value), UV_EBUSY);
  ck_assert_int_eq(atomic_load(&c.called), 0);
  loop_done(loop);
}

TEST(test_call_blocking_bad_arguments_give_einval) {
  vow_loop_t *loop = loop_open();
  vow_loop_t *manual = manual_loop();
  call_t c = call_of(NULL, never);
  call_make(&c);
  ck_assert_int_eq(c.status, UV_EINVAL);
  c = call_of(loop, NULL);
  call_make(&c);
  ck_assert_int_eq(c.status, UV_EINVAL);
  c = call_of(manual, never);
  call_make(&c);
  ck_assert_int_eq(c.status, UV_ENOTSUP);
  manual_done(manual);
  loop_done(loop);
}

TEST(test_call_blocking_function_that_returns_null_gives_einval) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, null_future);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.status, UV_EINVAL);
  ck_assert_str_eq(vow_error_message(vow_value_error(c.value)),
                   "call_blocking: the function returned NULL");
  vow_value_destroy(c.value);
  both_done(pool, loop);
}

static vow_loop_t *stranger;

static vow_future_t *strange_future(vow_loop_t *loop, void *arg) {
  (void)loop;
  note_called(arg);
  return vow_never(stranger);
}

TEST(test_call_blocking_future_of_another_loop_gives_einval) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, strange_future);
  vow_future_t *f;
  stranger = manual_loop();
  f = vow_thread_pool_run(pool, loop, call_job, &c);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.status, UV_EINVAL);
  vow_value_destroy(c.value);
  manual_done(stranger);
  both_done(pool, loop);
}

/* ---- cancelled jobs ------------------------------------------------------ */

TEST(test_call_blocking_of_a_job_cancelled_before_is_refused) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, never);
  uv_sem_t go;
  vow_future_t *f;
  vow_thread_pool_stats_t s;
  ck_assert_int_eq(uv_sem_init(&go, 0), 0);
  c.before = &go;
  f = vow_thread_pool_run(pool, loop, call_job, &c);
  do {
    uv_sleep(1);
    ck_assert_int_eq(vow_thread_pool_stats(pool, &s), 0);
  } while (s.running == 0);
  vow_drop(f);
  uv_sem_post(&go);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  ck_assert_int_eq(atomic_load(&c.called), 0);
  uv_sem_destroy(&go);
  both_done(pool, loop);
}

TEST(test_call_blocking_ends_with_the_job_that_makes_it) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, never);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  run_until_called(loop, &c);
  vow_cancel(f);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  both_done(pool, loop);
}

TEST(test_call_blocking_posted_but_not_begun_ends_with_its_job) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, never);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  wait_for(&c.calling);
  uv_sleep(2); /* most likely posted by now; it ends alike if not */
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  ck_assert_int_eq(atomic_load(&c.called), 0);
  both_done(pool, loop);
}

static vow_value_t keep_on(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_int(3);
}

/* Gives a value though it is cancelled. */
static vow_future_t *stubborn(vow_loop_t *loop, void *arg) {
  note_called(arg);
  return vow_handle(vow_never(loop), keep_on, NULL);
}

TEST(test_call_blocking_value_that_comes_all_the_same_is_delivered) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, stubborn);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  run_until_called(loop, &c);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(c.status, 0);
  ck_assert_int_eq(c.value.as.i, 3);
  both_done(pool, loop);
}

static vow_future_t *cancel_caller(vow_loop_t *loop, void *arg) {
  call_t *c = arg;
  note_called(arg);
  vow_cancel(c->kept);
  return vow_never(loop);
}

TEST(test_call_blocking_function_that_cancels_its_own_job) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, cancel_caller);
  c.kept = vow_thread_pool_run(pool, loop, call_job, &c);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  ck_assert(vow_is_cancelled(c.kept));
  vow_drop(c.kept);
  both_done(pool, loop);
}

static vow_future_t *keep_never(vow_loop_t *loop, void *arg) {
  call_t *c = arg;
  note_called(arg);
  c->kept = vow_never(loop);
  return vow_ref(c->kept);
}

TEST(test_call_blocking_cancelled_leaves_a_future_that_is_kept) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, keep_never);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  run_until_called(loop, &c);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  ck_assert(!vow_is_settled(c.kept));
  vow_drop(c.kept);
  both_done(pool, loop);
}

TEST(test_call_blocking_ends_when_the_pool_is_closed_with_cancel) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, never);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c), *closed;
  run_until_called(loop, &c);
  closed = vow_thread_pool_close(pool, loop, VOW_POOL_CANCEL, 30000);
  ck_assert_int_eq(settle_drop(loop, closed), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  ck_assert_int_eq(settle_drop(loop, f), 0); /* the function has returned */
  vow_thread_pool_free(pool);
  loop_done(loop);
}

TEST(test_call_blocking_ends_at_the_deadline_of_the_pools_closing) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  names_t names = {0, "", ""};
  call_t c = call_of(NULL, never);
  vow_future_t *f, *closed;
  o.threads = 1;
  o.on_stuck = note_name;
  o.on_stuck_arg = &names;
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), 0);
  f = vow_thread_pool_run(pool, loop, call_job, &c);
  run_until_called(loop, &c);
  closed = vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 2);
  ck_assert_int_eq(settle_drop(loop, closed), UV_EBUSY);
  ck_assert_int_eq(names.count, 1);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  both_done(pool, loop);
}

/* ---- want of memory -------------------------------------------------------- */

/* False when there are not n allocations. */
static bool call_ends_with_enomem(size_t n) {
  vow_loop_t *loop;
  vow_thread_pool_t *pool;
  call_t c = call_of(NULL, plain_value);
  vow_future_t *f;
  uv_sem_t go;
  bool failed;
  fault_install();
  ck_assert_int_eq(uv_sem_init(&go, 0), 0);
  c.before = &go;
  loop = loop_open_probe();
  pool = pool_open(1);
  f = vow_thread_pool_run(pool, loop, call_job, &c);
  fault_fail_at(n);
  uv_sem_post(&go);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert_int_eq(c.status, failed ? UV_ENOMEM : 0);
  uv_sem_destroy(&go);
  both_done(pool, loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_call_blocking_nth_allocation_fails_gives_enomem) {
  size_t n;
  for (n = 1; call_ends_with_enomem(n); n++) ck_assert_uint_lt(n, 20);
  ck_assert_uint_ge(n, 5); /* the call, its post, two futures */
}

/* ---- who waits for what --------------------------------------------------- */

static void note_line(const char *line, void *arg) {
  char *text = arg;
  strncat(text, line, 400);
  strncat(text, "\n", 2);
}

TEST(test_call_blocking_is_seen_in_a_dump_above_what_it_waits_for) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, never);
  vow_future_t *f = vow_thread_pool_run(pool, loop, call_job, &c);
  char text[4096] = "";
  run_until_called(loop, &c);
  vow_dump(loop, note_line, text);
  ck_assert_msg(strstr(text, "call_blocking ") != NULL, "%s", text);
  ck_assert_msg(strstr(text, "\n  promise ") != NULL, "%s", text);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  both_done(pool, loop);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  vow_value_destroy(c.value);
}

SUITE(uv_thread_pool_call) {
  ADD(test_call_blocking_from_a_job_gives_the_value);
  ADD(test_call_blocking_from_any_thread_gives_the_value);
  ADD(test_call_blocking_failure_arrives_with_its_message);
  ADD(test_call_blocking_unwanted_value_is_destroyed);
  ADD(test_call_blocking_shares_the_value_of_a_future_that_is_kept);
  ADD(test_call_blocking_for_nothing_that_can_happen_leaves_the_loop_idle);
  ADD(test_call_blocking_on_the_loops_own_thread_gives_ebusy);
  ADD(test_call_blocking_bad_arguments_give_einval);
  ADD(test_call_blocking_function_that_returns_null_gives_einval);
  ADD(test_call_blocking_future_of_another_loop_gives_einval);
  ADD(test_call_blocking_of_a_job_cancelled_before_is_refused);
  ADD(test_call_blocking_ends_with_the_job_that_makes_it);
  ADD(test_call_blocking_posted_but_not_begun_ends_with_its_job);
  ADD(test_call_blocking_value_that_comes_all_the_same_is_delivered);
  ADD(test_call_blocking_function_that_cancels_its_own_job);
  ADD(test_call_blocking_cancelled_leaves_a_future_that_is_kept);
  ADD(test_call_blocking_ends_when_the_pool_is_closed_with_cancel);
  ADD(test_call_blocking_ends_at_the_deadline_of_the_pools_closing);
  ADD(test_call_blocking_nth_allocation_fails_gives_enomem);
  ADD(test_call_blocking_is_seen_in_a_dump_above_what_it_waits_for);
}
