/* SPDX-License-Identifier: MIT */
/* Tasks as such: starting, ending, their args and names, loops in loops,
 * threads. */
#include "unit/task/helpers.h"

#include <pthread.h>
#include <vow/debug.h>

/* ---- starting ------------------------------------------------------------- */

TEST(test_go_body_returns_value_settles_future) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, give_seven, NULL);
  ck_assert_int_eq(vow_state(f), VOW_PENDING); /* Rule 1 */
  manual_drain(loop);
  EXPECT_INT(f, 7);
  done();
}

TEST(test_go_tasks_begin_in_order) {
  begin();
  vow_detach(vow_go(loop, note_arg, "a"));
  vow_detach(vow_go(loop, note_arg, "b"));
  vow_detach(vow_then(ok(loop, 1), note_run, "c"));
  manual_drain(loop);
  EXPECT_EVENTS("a b c");
  done();
}

TEST(test_go_bad_arguments_fail_and_release_the_arg) {
  const vow_task_options_t huge = {.stack_bytes = SIZE_MAX};
  const vow_task_options_t large = {.stack_bytes = ((size_t)1 << 32) + 1};
  vow_loop_t *other;
  drops = 0;
  begin();
  other = manual_loop(); /* the thread's last one */
  EXPECT_MISUSE(vow_go(NULL, give_seven, NULL, count_drop), UV_EINVAL,
                "vow_go: the loop is NULL");
  vow_future_t *f = vow_go(loop, NULL, NULL, count_drop);
  ck_assert_ptr_eq(vow_loop_of(f), loop);
  EXPECT_MISUSE(f, UV_EINVAL, "vow_go: the body is NULL");
  f = vow_go_with(loop, &huge, give_seven, NULL, count_drop);
  ck_assert_ptr_eq(vow_loop_of(f), loop);
  EXPECT_MISUSE(f, UV_EINVAL, "vow_go: so large a stack");
  EXPECT_FAILED(vow_go_with(loop, &large, give_seven, NULL, count_drop),
                UV_EINVAL);
  EXPECT_FAILED(vow_go(NULL, NULL, NULL, count_drop), UV_EINVAL);
  ck_assert_int_eq(drops, 5);
  manual_done(other);
  done();
}

TEST(test_go_on_a_closed_loop_fails_and_releases_the_arg) {
  vow_loop_t *closed = vow_loop_ref(manual_loop());
  drops = 0;
  begin();
  manual_close(closed);
  EXPECT_FAILED(vow_go(closed, give_seven, NULL, count_drop), VOW_ESHUTDOWN);
  EXPECT_FAILED(vow_go(closed, NULL, NULL, count_drop), UV_EINVAL);
  ck_assert_int_eq(drops, 2);
  vow_loop_unref(closed);
  done();
}

static void *go_elsewhere(void *arg) {
  (void)arg;
  EXPECT_FAILED(vow_go(loop, give_seven, NULL, count_drop), VOW_ETHREAD);
  return NULL;
}

TEST(test_go_on_another_thread_fails_and_releases_the_arg) {
  pthread_t thread;
  drops = 0;
  begin();
  ck_assert_int_eq(pthread_create(&thread, NULL, go_elsewhere, NULL), 0);
  pthread_join(thread, NULL);
  ck_assert_int_eq(drops, 1);
  done();
}

TEST(test_go_out_of_memory_fails_and_releases_the_arg) {
  bool failed;
  size_t n = 0;
  fault_install();
  do {
    vow_task_trim();
    drops = 0;
    loop = manual_loop_probe();
    fault_fail_at(++n);
    vow_future_t *f = vow_go(loop, give_seven, NULL, count_drop);
    manual_drain(loop);
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_int_eq(vow_status(f), failed ? UV_ENOMEM : 0);
    ck_assert_int_eq(drops, 1);
    vow_drop(f);
    done();
    ck_assert_int_eq(fault_live(), 0);
  } while (failed);
  ck_assert_uint_gt(n, 2);
  fault_remove();
}

/* The arg's release may give up the task itself. */
static vow_future_t *victim;

static void drop_victim(void *arg) {
  count_drop(arg);
  vow_task_cancel(victim, UV_EIO);
  vow_drop(victim);
}

TEST(test_go_without_a_stack_may_be_dropped_by_its_arg) {
  fault_install();
  drops = 0;
  begin();
  victim = vow_go(loop, give_seven, NULL, drop_victim);
  fault_fail_from(1);
  manual_drain(loop);
  ck_assert_uint_gt(fault_failed(), 0);
  fault_off();
  ck_assert_int_eq(drops, 1);
  done();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_go_cancelled_unbegun_may_be_dropped_by_its_arg) {
  drops = 0;
  begin();
  victim = vow_go(loop, give_seven, NULL, drop_victim);
  vow_cancel(victim);
  ck_assert_int_eq(drops, 1);
  done();
}

/* ---- ending --------------------------------------------------------------- */

static vow_value_t follow_arg(void *arg) {
  return vow_follow(arg);
}

TEST(test_go_body_follows_a_pending_future) {
  vow_future_t *f;
  pair_t x;
  begin();
  x = pair(loop);
  f = vow_go(loop, follow_arg, x.f);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(x.p, vow_int(5));
  manual_drain(loop);
  EXPECT_INT(f, 5);
  done();
}

TEST(test_go_body_follows_a_settled_future) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, follow_arg, vow_ready(loop, once()));
  manual_drain(loop);
  ck_assert_ptr_eq(vow_peek(f).type, &type_once);
  vow_drop(f);
  f = vow_go(loop, follow_arg, bad(loop, UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  ck_assert_int_eq(things_live, 0);
  done();
}

TEST(test_go_body_follows_null_or_another_loop_fails) {
  vow_loop_t *other = manual_loop();
  vow_future_t *f;
  begin();
  f = vow_go(loop, follow_arg, NULL);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EINVAL);
  f = vow_go(loop, follow_arg, ok(other, 1));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EINVAL);
  done();
  manual_done(other);
}

static vow_value_t give_many(void *arg) {
  (void)arg;
  return many();
}

TEST(test_go_detached_value_is_destroyed) {
  begin();
  vow_detach(vow_go(loop, give_many, NULL));
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  done();
}

static vow_value_t give_eio(void *arg) {
  (void)arg;
  return vow_fail(UV_EIO);
}

TEST(test_go_detached_failure_is_reported_once) { /* Rule 5 */
  loop = hooked_loop(false);
  vow_detach(vow_go(loop, give_eio, NULL));
  manual_drain(loop);
  ck_assert_int_eq(unhandled, 1);
  ck_assert_int_eq(unhandled_code, UV_EIO);
  done();
}

static vow_value_t drop_own_future(void *arg) {
  self_t *s = arg;
  vow_drop(s->f);
  keep_code(s, vow_task_reason());
  keep_code(s, vow_yield());
  return many();
}

TEST(test_go_task_that_drops_itself_ends_cancelled) {
  self_t s = {0};
  drops = 0;
  begin();
  s.f = vow_go(loop, drop_own_future, &s, count_drop);
  manual_drain(loop);
  ck_assert_int_eq(s.codes[0], UV_ECANCELED);
  ck_assert_int_eq(s.codes[1], UV_ECANCELED);
  ck_assert_int_eq(drops, 1);
  ck_assert_int_eq(things_live, 0);
  done();
}

static void note_end(void *arg) {
  note(arg);
}

static vow_value_t note_both(void *arg) {
  (void)arg;
  vow_defer(note_arg, "clean-up");
  note("body");
  return vow_nil();
}

TEST(test_go_arg_is_released_last_but_before_what_follows) {
  begin();
  vow_detach(
      vow_then(vow_go(loop, note_both, "arg", note_end), note_run, "then"));
  manual_drain(loop);
  EXPECT_EVENTS("body clean-up arg then");
  done();
}

static const vow_local_t late_key = {"late", false};

/* What a destructor registers or sets at the very end is not forgotten. */
static void register_late(void *arg) {
  note(arg);
  ck_assert_int_eq(vow_defer(note_arg, "late"), 0);
  ck_assert_int_eq(vow_local_set(&late_key, once()), 0);
}

TEST(test_go_arg_drop_may_register_clean_up) {
  begin();
  vow_detach(vow_go(loop, note_both, "arg", register_late));
  manual_drain(loop);
  EXPECT_EVENTS("body clean-up arg late");
  ck_assert_int_eq(things_live, 0);
  done();
}

/* ---- who runs here -------------------------------------------------------- */

static vow_value_t look_around(void *arg) {
  self_t *s = arg;
  ck_assert_ptr_eq(vow_task_current(), s->f);
  ck_assert_ptr_eq(vow_task_loop(), loop);
  vow_yield();
  ck_assert_ptr_eq(vow_task_current(), s->f);
  ck_assert_int_eq(vow_task_reason(), 0);
  return vow_nil();
}

static vow_value_t nobody(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  ck_assert_ptr_null(vow_task_current());
  ck_assert_ptr_null(vow_task_loop());
  return vow_nil();
}

TEST(test_task_current_is_the_one_that_runs) {
  self_t s[2] = {{0}, {0}};
  begin();
  for (int i = 0; i < 2; i++) s[i].f = vow_go(loop, look_around, &s[i]);
  vow_detach(vow_then(ok(loop, 1), nobody, NULL));
  nobody(NULL, NULL);
  manual_drain(loop);
  nobody(NULL, NULL);
  ck_assert_int_eq(vow_task_reason(), 0);
  for (int i = 0; i < 2; i++) vow_drop(s[i].f);
  done();
}

TEST(test_task_name_is_the_options_until_the_end) {
  char name[8] = "parser";
  vow_task_options_t options = {.name = name};
  vow_future_t *f, *g, *other;
  begin();
  f = vow_go_with(loop, &options, give_seven, NULL);
  g = vow_go_with(loop, NULL, give_seven, NULL);
  other = ok(loop, 1);
  ck_assert_str_eq(vow_task_name(f), "parser");
  ck_assert_str_eq(vow_task_name(g), "task");
  ck_assert_ptr_null(vow_task_name(other));
  ck_assert_ptr_null(vow_task_name(NULL));
  manual_drain(loop);
  name[0] = '\0'; /* it was borrowed until now */
  ck_assert_str_eq(vow_task_name(f), "task");
  vow_drop(f);
  vow_drop(g);
  vow_drop(other);
  done();
}

static void collect(const char *line, void *arg) {
  char *text = arg;
  snprintf(text + strlen(text), 256 - strlen(text), "%s\n", line);
}

TEST(test_task_is_listed_by_name_and_site) {
  const vow_task_options_t options = {.name = "parser"};
  char text[256] = "", want[256];
  listed_t l = {0};
  vow_future_t *never, *f;
  begin();
  never = vow_never(loop);
  f = vow_go_with(loop, &options, await_arg, vow_ref(never));
  manual_drain(loop);
  vow_dump(loop, collect, text);
  snprintf(want, sizeof want, "parser %s\n  promise %s\n", vow_site(f),
           vow_site(never));
  ck_assert_str_eq(text, want);
  vow_drop(never); /* now the task's alone */
  vow_loop_each(loop, list_each, &l);
  ck_assert_int_eq(l.count, 2);
  vow_drop(f);
  manual_drain(loop);
  done();
}

TEST(test_task_that_follows_is_listed_under_its_class) {
  const vow_task_options_t options = {.name = "parser"};
  char text[256] = "";
  vow_future_t *f;
  begin();
  f = vow_go_with(loop, &options, follow_arg, vow_never(loop));
  manual_drain(loop);
  vow_dump(loop, collect, text);
  EXPECT_HAS(text, "task ");
  EXPECT_HAS(text, "\n  promise ");
  vow_drop(f);
  manual_drain(loop);
  done();
}

/* ---- loops in tasks ------------------------------------------------------- */

static vow_value_t run_own_loop(void *arg) {
  vow_future_t *f = ok(loop, 1);
  vow_value_t v;
  (void)arg;
  ck_assert_int_eq(vow_loop_run(loop), UV_EBUSY);
  ck_assert_int_eq(vow_loop_run_until(loop, f), UV_EBUSY);
  ck_assert_int_eq(vow_await_blocking(f, &v), UV_EBUSY);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  ck_assert(!vow_loop_step(loop));
  vow_loop_drain(loop); /* nothing */
  note("task");
  return vow_nil();
}

TEST(test_task_runs_its_own_loop_is_an_error) { /* Rule 22 */
  begin();
  vow_detach(vow_go(loop, run_own_loop, NULL));
  vow_detach(vow_then(ok(loop, 1), note_run, "then"));
  ck_assert_int_eq(vow_loop_run(loop), 0);
  EXPECT_EVENTS("task then");
  done();
}

static vow_loop_t *inner_loop;

static vow_value_t inner_body(void *arg) {
  self_t *s = arg;
  ck_assert_ptr_eq(vow_task_current(), s->f);
  ck_assert_ptr_eq(vow_task_loop(), inner_loop);
  note("inner");
  vow_yield();
  ck_assert_ptr_eq(vow_task_current(), s->f);
  VOW_TRY_NIL(nap(10));
  note("inner");
  return vow_int(3);
}

static vow_value_t outer_body(void *arg) {
  self_t *s = arg, inner = {0};
  vow_value_t v;
  inner_loop = manual_loop();
  inner.f = vow_go(inner_loop, inner_body, &inner);
  ck_assert_int_eq(vow_await_blocking(inner.f, &v), 0);
  ck_assert_int_eq(v.as.i, 3);
  ck_assert_ptr_eq(vow_task_current(), s->f);
  VOW_TRY_NIL(nap(10));
  manual_done(inner_loop);
  note("outer");
  return vow_nil();
}

TEST(test_task_runs_another_loop_with_tasks_in_it) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, outer_body, &s);
  vow_detach(vow_go(loop, note_arg, "other"));
  manual_advance(loop, 100);
  EXPECT_EVENTS("inner inner other outer");
  ck_assert_int_eq(vow_status(s.f), 0);
  vow_drop(s.f);
  done();
}

static vow_value_t cancel_outer(void *arg) {
  self_t *s = arg;
  ck_assert_int_eq(vow_task_cancel(s->f, UV_EIO), 0);
  return vow_nil();
}

static vow_value_t run_inner_that_cancels(void *arg) {
  self_t *s = arg;
  inner_loop = manual_loop();
  vow_detach(vow_go(inner_loop, cancel_outer, s));
  ck_assert_int_eq(vow_loop_run(inner_loop), 0);
  vow_detach(vow_go(inner_loop, sleep_for, &(uint64_t){1000}));
  ck_assert_int_eq(vow_loop_close(inner_loop, 10), 0); /* unwinds it */
  keep_code(s, vow_task_reason());
  keep_code(s, vow_yield());
  return vow_int(1);
}

TEST(test_task_is_cancelled_from_a_loop_that_it_runs) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, run_inner_that_cancels, &s);
  manual_drain(loop);
  ck_assert_int_eq(s.codes[0], UV_EIO);
  ck_assert_int_eq(s.codes[1], UV_EIO);
  EXPECT_INT(s.f, 1);
  done();
}

/* ---- threads -------------------------------------------------------------- */

static vow_value_t hop(void *arg) {
  int64_t n = *(int64_t *)arg, sum = 0;
  for (int64_t i = 0; i < n; i++) {
    VOW_TRY(v, vow_ready(vow_task_loop(), vow_int(i)));
    sum += v.as.i;
    if (vow_yield() != 0) return vow_fail(UV_EIO);
  }
  return vow_int(sum);
}

static void *run_thread(void *arg) {
  int64_t *n = arg;
  vow_loop_t *mine = manual_loop();
  vow_future_t *f[50];
  for (int i = 0; i < 50; i++) f[i] = vow_go(mine, hop, n);
  ck_assert_int_eq(vow_loop_run(mine), 0);
  for (int i = 0; i < 50; i++) EXPECT_INT(f[i], *n * (*n - 1) / 2);
  manual_done(mine);
  return NULL;
}

TEST(test_task_threads_have_loops_and_stacks_of_their_own) {
  int64_t n = (int64_t)test_scale(1000);
  pthread_t thread[4];
  fault_install();
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, run_thread, &n), 0);
  for (int i = 0; i < 4; i++) pthread_join(thread[i], NULL);
  ck_assert_int_eq(fault_live(), 0); /* their ends gave the stacks back */
  fault_remove();
}

TEST(test_task_switch_name_is_known) {
  const char *name = vow_task_switch_name();
#ifdef VOW_TASK_UCONTEXT
  ck_assert_str_eq(name, "ucontext");
#elif defined(__x86_64__)
  ck_assert_str_eq(name, "x86-64");
#else
  ck_assert_ptr_nonnull(name);
#endif
}

SUITE(task_task) {
  ADD(test_go_body_returns_value_settles_future);
  ADD(test_go_tasks_begin_in_order);
  ADD(test_go_bad_arguments_fail_and_release_the_arg);
  ADD(test_go_on_a_closed_loop_fails_and_releases_the_arg);
  ADD(test_go_on_another_thread_fails_and_releases_the_arg);
  ADD(test_go_out_of_memory_fails_and_releases_the_arg);
  ADD(test_go_without_a_stack_may_be_dropped_by_its_arg);
  ADD(test_go_cancelled_unbegun_may_be_dropped_by_its_arg);
  ADD(test_go_body_follows_a_pending_future);
  ADD(test_go_body_follows_a_settled_future);
  ADD(test_go_body_follows_null_or_another_loop_fails);
  ADD(test_go_detached_value_is_destroyed);
  ADD(test_go_detached_failure_is_reported_once);
  ADD(test_go_task_that_drops_itself_ends_cancelled);
  ADD(test_go_arg_is_released_last_but_before_what_follows);
  ADD(test_go_arg_drop_may_register_clean_up);
  ADD(test_task_current_is_the_one_that_runs);
  ADD(test_task_name_is_the_options_until_the_end);
  ADD(test_task_is_listed_by_name_and_site);
  ADD(test_task_that_follows_is_listed_under_its_class);
  ADD(test_task_runs_its_own_loop_is_an_error);
  ADD(test_task_runs_another_loop_with_tasks_in_it);
  ADD(test_task_is_cancelled_from_a_loop_that_it_runs);
  ADD(test_task_threads_have_loops_and_stacks_of_their_own);
  ADD(test_task_switch_name_is_known);
}
