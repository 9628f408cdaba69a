/* SPDX-License-Identifier: MIT */
/* Jobs on a thread pool of one's own: outcomes, rule 23, and the options.
 * What many jobs do is in test_thread_pool_queue.c. */
#include <sys/resource.h>
#include <unistd.h>

#include "unit/uv/thread_pool_support.h"

#include "support/manual.h"
#include "check/shim/shim.h"

/* ---- outcomes ------------------------------------------------------------ */

static vow_value_t look_at_drops(vow_future_t *in, void *arg) {
  gate_t *g = arg;
  ck_assert_int_eq(g->drops, 1);
  return vow_outcome(in);
}

TEST(test_thread_pool_run_result_arrives_after_arg_was_dropped) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(2);
  gate_t g;
  vow_future_t *f;
  gate_init(&g);
  gate_open(&g);
  f = vow_then(vow_thread_pool_run(pool, loop, gate_run, &g, gate_drop),
               look_at_drops, &g);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_ptr_eq(vow_get(f, &gate_type), &g);
  ck_assert(on_this_thread(g.dropped_on));
  ck_assert(!on_this_thread(g.ran_on));
  ck_assert(!g.saw_cancel);
  ck_assert_int_eq(g.destroyed, 0);
  vow_drop(f);
  ck_assert_int_eq(g.destroyed, 1);
  ck_assert(on_this_thread(g.destroyed_on));
  ck_assert_int_eq(g.drops, 1);
  gate_done(&g);
  both_done(pool, loop);
}

static vow_value_t fail_job(vow_job_t *job, void *arg) {
  (void)job;
  (void)arg;
  return vow_failf(UV_EPROTO, "bad %d", 7);
}

TEST(test_thread_pool_run_failure_with_message_arrives) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  vow_future_t *f = vow_thread_pool_run(pool, loop, fail_job, NULL);
  ck_assert_int_eq(settle(loop, f), UV_EPROTO);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "bad 7");
  vow_drop(f);
  both_done(pool, loop);
}

TEST(test_thread_pool_run_detached_job_keeps_the_loop_running) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  gate_t g;
  gate_init(&g);
  vow_detach(vow_thread_pool_run(pool, loop, gate_run, &g, gate_drop));
  ck_assert(uv_loop_alive(vow_loop_uv(loop)));
  gate_open(&g);
  ck_assert_int_eq(uv_run(vow_loop_uv(loop), UV_RUN_DEFAULT), 0);
  ck_assert_int_eq(g.drops, 1);
  ck_assert_int_eq(g.destroyed, 1);
  ck_assert(!uv_loop_alive(vow_loop_uv(loop)));
  gate_done(&g);
  both_done(pool, loop);
}

static vow_value_t loop_of_job(vow_job_t *job, void *arg) {
  *(vow_loop_t **)arg = vow_job_loop(job);
  return vow_nil();
}

TEST(test_job_loop_is_the_loop_of_its_future) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  vow_loop_t *seen = NULL;
  vow_future_t *f = vow_thread_pool_run(pool, loop, loop_of_job, &seen);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_ptr_eq(seen, loop);
  ck_assert_ptr_null(vow_job_loop(NULL));
  ck_assert(!vow_job_is_cancelled(NULL));
  both_done(pool, loop);
}

/* ---- rule 23 ------------------------------------------------------------- */

TEST(test_rule_23_pool_cancel_does_not_stop_a_running_function) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  gate_t g;
  vow_future_t *f = gate_begin(pool, loop, &g);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  turns(loop, 2);
  ck_assert_int_eq(g.drops, 0); /* the thread has it */
  gate_open(&g);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(atomic_load(&g.ended), 1);
  ck_assert(g.saw_cancel);
  ck_assert_int_eq(g.drops, 1);
  ck_assert(on_this_thread(g.dropped_on));
  ck_assert_int_eq(g.destroyed, 1);
  ck_assert(on_this_thread(g.destroyed_on));
  gate_done(&g);
  both_done(pool, loop);
}

TEST(test_rule_23_pool_cancelled_while_queued_never_starts) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  gate_t busy, g;
  vow_future_t *first = gate_begin(pool, loop, &busy), *f;
  gate_init(&g);
  f = vow_thread_pool_run(pool, loop, gate_run, &g, gate_drop);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  ck_assert_int_eq(g.drops, 1);
  vow_drop(f);
  /* Nothing is left of it, though the thread is still busy. */
  ck_assert_uint_eq(vow_loop_live(loop), 1);
  gate_open(&busy);
  ck_assert_int_eq(settle_drop(loop, first), 0);
  gate_done(&busy);
  both_done(pool, loop);
  ck_assert_int_eq(atomic_load(&g.started), 0);
  ck_assert_int_eq(g.drops, 1);
  ck_assert_int_eq(g.destroyed, 0);
  gate_done(&g);
}

TEST(test_rule_23_pool_dropped_while_queued_never_starts) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  gate_t busy, g;
  vow_future_t *first = gate_begin(pool, loop, &busy);
  gate_init(&g);
  vow_drop(vow_thread_pool_run(pool, loop, gate_run, &g, gate_drop));
  ck_assert_int_eq(g.drops, 1);
  gate_open(&busy);
  ck_assert_int_eq(settle_drop(loop, first), 0);
  gate_done(&busy);
  both_done(pool, loop);
  ck_assert_int_eq(atomic_load(&g.started), 0);
  gate_done(&g);
}

TEST(test_rule_23_pool_cancelled_when_the_result_is_on_its_way) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  gate_t g;
  vow_future_t *f = gate_begin(pool, loop, &g);
  gate_open(&g);
  wait_idle(pool); /* it has ended; the loop does not know yet */
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  ck_assert_int_eq(g.destroyed, 0);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert(!g.saw_cancel);
  ck_assert_int_eq(g.drops, 1);
  ck_assert_int_eq(g.destroyed, 1);
  ck_assert(on_this_thread(g.destroyed_on));
  gate_done(&g);
  both_done(pool, loop);
}

TEST(test_rule_23_pool_cancelled_when_settled_keeps_the_value) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  vow_future_t *f = vow_thread_pool_run(pool, loop, number_job, (void *)5);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_get_int(f), 5);
  vow_drop(f);
  both_done(pool, loop);
}

TEST(test_rule_22_close_names_a_job_that_runs_on) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  vow_thread_pool_t *pool = pool_open(1);
  names_t names = {0, "", ""};
  gate_t g, queued;
  vow_future_t *f, *f2;
  o.on_stuck = note_name;
  o.on_stuck_arg = &names;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  gate_init(&queued);
  gate_init(&g);
  f = vow_thread_pool_run(pool, loop, gate_run, &g, gate_drop);
  wait_for(&g.started);
  f2 = vow_thread_pool_run(pool, loop, gate_run, &queued, gate_drop);
  ck_assert_int_eq(vow_loop_close(loop, 5), UV_EBUSY);
  ck_assert(vow_is_cancelled(f));
  ck_assert(vow_is_cancelled(f2));
  ck_assert_int_eq(queued.drops, 1);
  ck_assert_int_eq(names.count, 1);
  ck_assert_str_eq(names.what, "thread_pool_run");
  ck_assert_ptr_nonnull(strstr(names.site, "test_thread_pool.c:"));
  vow_drop(f);
  vow_drop(f2);
  gate_open(&g);
  ck_assert_int_eq(vow_loop_close(loop, 30000), 0);
  ck_assert(g.saw_cancel);
  ck_assert_int_eq(g.drops, 1);
  ck_assert_int_eq(g.destroyed, 1);
  ck_assert_int_eq(atomic_load(&queued.started), 0);
  gate_done(&g);
  gate_done(&queued);
  pool_done(pool);
}

TEST(test_loop_close_ends_queued_jobs_of_a_pool_that_is_stuck_elsewhere) {
  vow_loop_t *other = loop_open();
  vow_loop_t *loop = NULL;
  vow_loop_options_t o = quiet_options(false);
  vow_thread_pool_t *pool = pool_open(1);
  gate_t stuck, g;
  vow_future_t *first = gate_begin(pool, other, &stuck), *f;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  gate_init(&g);
  f = vow_thread_pool_run(pool, loop, gate_run, &g, gate_drop);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(g.drops, 1);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  gate_open(&stuck);
  ck_assert_int_eq(settle_drop(other, first), 0);
  both_done(pool, other);
  gate_done(&stuck);
  gate_done(&g);
}

/* ---- refusals ------------------------------------------------------------ */

TEST(test_thread_pool_run_bad_arguments_drop_arg) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  int drops = 0;
  vow_future_t *f;
  f = vow_thread_pool_run(pool, loop, NULL, &drops, count_drop);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "thread_pool_run: the function is NULL");
  vow_drop(f);
  f = vow_thread_pool_run(NULL, loop, number_job, &drops, count_drop);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "thread_pool_run: the pool is NULL");
  vow_drop(f);
  f = vow_thread_pool_run(pool, NULL, number_job, &drops, count_drop);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  ck_assert_int_eq(drops, 3);
  both_done(pool, loop);
}

TEST(test_thread_pool_run_loop_not_on_libuv_gives_enotsup) {
  vow_loop_t *loop = manual_loop();
  vow_thread_pool_t *pool = pool_open(1);
  int drops = 0;
  vow_future_t *f =
      vow_thread_pool_run(pool, loop, number_job, &drops, count_drop);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  pool_done(pool);
  manual_done(loop);
}

typedef struct elsewhere {
  vow_thread_pool_t *pool;
  vow_loop_t *loop;
  int status;
} elsewhere_t;

static void run_elsewhere(void *arg) {
  elsewhere_t *e = arg;
  vow_future_t *f = vow_thread_pool_run(e->pool, e->loop, number_job, NULL);
  e->status = vow_status(f);
  vow_drop(f);
}

TEST(test_thread_pool_run_on_another_thread_than_the_loops_gives_ethread) {
  elsewhere_t e = {pool_open(1), loop_open(), 0};
  uv_thread_t thread;
  ck_assert_int_eq(uv_thread_create(&thread, run_elsewhere, &e), 0);
  ck_assert_int_eq(uv_thread_join(&thread), 0);
  ck_assert_int_eq(e.status, VOW_ETHREAD);
  both_done(e.pool, e.loop);
}

TEST(test_thread_pool_run_after_close_is_refused) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  int drops = 0;
  vow_future_t *f;
  ck_assert_int_eq(vow_thread_pool_close_blocking(pool, VOW_POOL_FINISH, 30000),
                   0);
  f = vow_thread_pool_run(pool, loop, number_job, &drops, count_drop);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "thread_pool_run: the pool is closed");
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  vow_thread_pool_free(pool);
  loop_done(loop);
}

/* ---- options ------------------------------------------------------------- */

TEST(test_thread_pool_new_bad_arguments_give_einval) {
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  vow_thread_pool_stats_t s;
  ck_assert_int_eq(vow_thread_pool_new(NULL, NULL), UV_EINVAL);
  o.threads = 1025;
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), UV_EINVAL);
  ck_assert_ptr_null(pool);
  ck_assert_int_eq(vow_thread_pool_stats(NULL, &s), UV_EINVAL);
  vow_thread_pool_free(NULL);
}

TEST(test_thread_pool_new_defaults_to_four_threads) {
  vow_thread_pool_t *pool = NULL;
  vow_thread_pool_stats_t s;
  ck_assert_int_eq(vow_thread_pool_new(NULL, &pool), 0);
  ck_assert_int_eq(vow_thread_pool_stats(pool, &s), 0);
  ck_assert_uint_eq(s.threads, 4);
  ck_assert_uint_eq(s.running, 0);
  ck_assert_uint_eq(s.queued, 0);
  ck_assert_int_eq(vow_thread_pool_stats(pool, NULL), UV_EINVAL);
  pool_done(pool);
}

typedef struct hooks {
  atomic_int starts;
  atomic_int ends;
} hooks_t;

static void on_start(void *arg) {
  atomic_fetch_add(&((hooks_t *)arg)->starts, 1);
}

static void on_end(void *arg) {
  atomic_fetch_add(&((hooks_t *)arg)->ends, 1);
}

TEST(test_thread_pool_hooks_run_once_for_each_thread) {
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  hooks_t hooks = {0, 0};
  o.threads = 3;
  o.on_thread_start = on_start;
  o.on_thread_end = on_end;
  o.thread_arg = &hooks;
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), 0);
  pool_done(pool);
  ck_assert_int_eq(atomic_load(&hooks.starts), 3);
  ck_assert_int_eq(atomic_load(&hooks.ends), 3);
}

#ifdef __linux__
static vow_value_t name_job(vow_job_t *job, void *arg) {
  FILE *file = fopen("/proc/thread-self/comm", "r");
  char name[32] = "";
  (void)job;
  (void)arg;
  if (file == NULL) return vow_fail(UV_ENOSYS);
  if (fgets(name, sizeof name, file) == NULL) name[0] = '\0';
  fclose(file);
  name[strcspn(name, "\n")] = '\0';
  return vow_string(name);
}

TEST(test_thread_pool_threads_have_the_pools_name_and_a_number) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  vow_future_t *f;
  o.threads = 1;
  o.name = "thumbnails-of-images";
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), 0);
  f = vow_thread_pool_run(pool, loop, name_job, NULL);
  if (settle(loop, f) != UV_ENOSYS)
    ck_assert_str_eq(vow_get_string(f), "thumbnails-of-0");
  vow_drop(f);
  both_done(pool, loop);
}
#endif

static vow_value_t deep_job(vow_job_t *job, void *arg) {
  volatile char room[4 * 1024 * 1024];
  (void)job;
  (void)arg;
  for (size_t i = 0; i < sizeof room; i += 4096) room[i] = 1;
  return vow_int(room[0]);
}

TEST(test_thread_pool_stack_size_is_heeded) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  vow_future_t *f;
  o.threads = 1;
  o.stack_size_bytes = (size_t)32 * 1024 * 1024;
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), 0);
  f = vow_thread_pool_run(pool, loop, deep_job, NULL);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  both_done(pool, loop);
}

TEST(test_thread_pool_new_threads_that_do_not_start_give_an_error) {
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  fault_install();
  o.stack_size_bytes = (size_t)1 << 50; /* no address space has that */
  ck_assert_int_lt(vow_thread_pool_new(&o, &pool), 0);
  ck_assert_ptr_null(pool);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* Whether a limit of address space can be set: sanitizers and valgrind take
 * more than there is. */
static bool can_limit_space(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__linux__)
  return !test_is_quick();
#else
  return false;
#endif
}

/* What the process has, in bytes; 0 when that cannot be told. */
static rlim_t space_used(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  char text[64] = "";
  if (file == NULL) return 0;
  if (fgets(text, sizeof text, file) == NULL) text[0] = '\0';
  fclose(file);
  return (rlim_t)strtoul(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

TEST(test_thread_pool_new_some_threads_that_do_not_start_end_the_others) {
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  struct rlimit before, now;
  hooks_t hooks = {0, 0};
  rlim_t used = space_used();
  int err;
  if (!can_limit_space() || used == 0) return;
  o.threads = 64;
  o.stack_size_bytes = (size_t)64 << 20;
  o.on_thread_start = on_start;
  o.on_thread_end = on_end;
  o.thread_arg = &hooks;
  fault_install();
  ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
  now = before;
  now.rlim_cur = used + ((rlim_t)1 << 30); /* enough for some */
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &now), 0);
  err = vow_thread_pool_new(&o, &pool);
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
  ck_assert_int_eq(err, UV_EAGAIN);
  ck_assert_ptr_null(pool);
  ck_assert_int_gt(atomic_load(&hooks.starts), 0);
  ck_assert_int_eq(atomic_load(&hooks.starts), atomic_load(&hooks.ends));
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_thread_pool_new_without_a_lock_gives_the_error) {
  vow_thread_pool_t *pool = NULL;
  fault_install();
  vow__shim_on();
  vow__shim_fail("uv_mutex_init", 1, UV_ENOMEM);
  ck_assert_int_eq(vow_thread_pool_new(NULL, &pool), UV_ENOMEM);
  vow__shim_off();
  ck_assert_ptr_null(pool);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_thread_pool_run_that_cannot_wake_its_loop_gives_the_error) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  int drops = 0;
  vow_future_t *f;
  vow__shim_on();
  vow__shim_fail("uv_async_init", 1, UV_EMFILE);
  f = vow_thread_pool_run(pool, loop, number_job, &drops, count_drop);
  vow__shim_off();
  ck_assert_int_eq(vow_status(f), UV_EMFILE);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "thread_pool_run: too many open files");
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  f = vow_thread_pool_run(pool, loop, number_job, NULL);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  both_done(pool, loop);
}

TEST(test_thread_pool_new_without_a_condition_gives_the_error) {
  vow_thread_pool_t *pool = NULL;
  size_t n;
  for (n = 1; n <= 2; n++) {
    fault_install();
    vow__shim_on();
    vow__shim_fail("uv_cond_init", n, UV_EAGAIN);
    ck_assert_int_eq(vow_thread_pool_new(NULL, &pool), UV_EAGAIN);
    ck_assert_uint_eq(vow__shim_hits(), 1);
    vow__shim_off();
    ck_assert_ptr_null(pool);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
}

SUITE(uv_thread_pool) {
  ADD(test_thread_pool_run_result_arrives_after_arg_was_dropped);
  ADD(test_thread_pool_run_failure_with_message_arrives);
  ADD(test_thread_pool_run_detached_job_keeps_the_loop_running);
  ADD(test_job_loop_is_the_loop_of_its_future);
  ADD(test_rule_23_pool_cancel_does_not_stop_a_running_function);
  ADD(test_rule_23_pool_cancelled_while_queued_never_starts);
  ADD(test_rule_23_pool_dropped_while_queued_never_starts);
  ADD(test_rule_23_pool_cancelled_when_the_result_is_on_its_way);
  ADD(test_rule_23_pool_cancelled_when_settled_keeps_the_value);
  ADD(test_rule_22_close_names_a_job_that_runs_on);
  ADD(test_loop_close_ends_queued_jobs_of_a_pool_that_is_stuck_elsewhere);
  ADD(test_thread_pool_run_bad_arguments_drop_arg);
  ADD(test_thread_pool_run_loop_not_on_libuv_gives_enotsup);
  ADD(test_thread_pool_run_on_another_thread_than_the_loops_gives_ethread);
  ADD(test_thread_pool_run_after_close_is_refused);
  ADD(test_thread_pool_new_bad_arguments_give_einval);
  ADD(test_thread_pool_new_defaults_to_four_threads);
  ADD(test_thread_pool_hooks_run_once_for_each_thread);
#ifdef __linux__
  ADD(test_thread_pool_threads_have_the_pools_name_and_a_number);
#endif
  ADD(test_thread_pool_stack_size_is_heeded);
  ADD(test_thread_pool_new_threads_that_do_not_start_give_an_error);
  ADD(test_thread_pool_new_some_threads_that_do_not_start_end_the_others);
  ADD(test_thread_pool_new_without_a_lock_gives_the_error);
  ADD(test_thread_pool_run_that_cannot_wake_its_loop_gives_the_error);
  ADD(test_thread_pool_new_without_a_condition_gives_the_error);
}
