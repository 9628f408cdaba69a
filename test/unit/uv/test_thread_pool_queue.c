/* SPDX-License-Identifier: MIT */
/* Many jobs on a thread pool: order, limits, cancelling, who waits for whom;
 * want of memory, and forks. */
#include <sys/wait.h>
#include <unistd.h>

#include <vow/dns.h>

#include "unit/uv/thread_pool_support.h"

/* ---- order --------------------------------------------------------------- */

typedef struct order {
  int began[2000];
  int count;
} order_t;

typedef struct numbered {
  order_t *order;
  int number;
} numbered_t;

static vow_value_t numbered_job(vow_job_t *job, void *arg) {
  numbered_t *n = arg;
  (void)job;
  n->order->began[n->order->count++] = n->number; /* one thread */
  return vow_nil();
}

TEST(test_thread_pool_one_thread_begins_jobs_in_order_of_calls) {
  enum { JOBS = 2000 };
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  static order_t order;
  static numbered_t ns[JOBS];
  gate_t g;
  vow_future_t *first;
  int i;
  order.count = 0;
  first = gate_begin(pool, loop, &g);
  for (i = 0; i < JOBS; i++) {
    ns[i].order = &order;
    ns[i].number = i;
    vow_detach(vow_thread_pool_run(pool, loop, numbered_job, &ns[i]));
    if (i == JOBS / 2) gate_open(&g);
  }
  ck_assert_int_eq(settle_drop(loop, first), 0);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(order.count, JOBS);
  for (i = 0; i < JOBS; i++) ck_assert_int_eq(order.began[i], i);
  gate_done(&g);
  both_done(pool, loop);
}

typedef struct meeting {
  atomic_int present;
  int wanted;
} meeting_t;

static vow_value_t meet(vow_job_t *job, void *arg) {
  meeting_t *m = arg;
  int tries = 0;
  (void)job;
  atomic_fetch_add(&m->present, 1);
  while (atomic_load(&m->present) < m->wanted && tries++ < 20000) uv_sleep(1);
  return atomic_load(&m->present) >= m->wanted ? vow_nil() : vow_fail(UV_EIO);
}

TEST(test_thread_pool_uses_all_its_threads) {
  enum { THREADS = 6 };
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(THREADS);
  vow_future_t *fs[THREADS];
  meeting_t m = {0, THREADS};
  int i;
  for (i = 0; i < THREADS; i++)
    fs[i] = vow_thread_pool_run(pool, loop, meet, &m);
  for (i = 0; i < THREADS; i++) ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
  both_done(pool, loop);
}

TEST(test_thread_pool_result_is_not_held_up_by_the_next_job) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  gate_t g;
  vow_future_t *quick, *slow;
  gate_init(&g);
  quick = vow_thread_pool_run(pool, loop, number_job, NULL);
  slow = vow_thread_pool_run(pool, loop, gate_run, &g, gate_drop);
  ck_assert_int_eq(settle_drop(loop, quick), 0);
  gate_open(&g);
  ck_assert_int_eq(settle_drop(loop, slow), 0);
  gate_done(&g);
  both_done(pool, loop);
}

TEST(test_thread_pool_no_job_waits_behind_one_that_is_stuck) {
  enum { JOBS = 600, STUCK = 7 };
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(2);
  gate_t keep[2], stuck;
  vow_future_t *fs[2], *slow = NULL;
  int i, done = 0;
  /* Both threads find a long queue, and take several jobs at once. */
  for (i = 0; i < 2; i++) fs[i] = gate_begin(pool, loop, &keep[i]);
  gate_init(&stuck);
  for (i = 0; i < JOBS; i++) {
    if (i == STUCK)
      slow = vow_thread_pool_run(pool, loop, gate_run, &stuck, gate_drop);
    vow_detach(vow_then(vow_thread_pool_run(pool, loop, number_job, NULL),
                        count_call, &done));
  }
  for (i = 0; i < 2; i++) gate_open(&keep[i]);
  while (done < JOBS) uv_run(vow_loop_uv(loop), UV_RUN_ONCE);
  ck_assert(!vow_is_settled(slow));
  gate_open(&stuck);
  ck_assert_int_eq(settle_drop(loop, slow), 0);
  for (i = 0; i < 2; i++) {
    ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
    gate_done(&keep[i]);
  }
  gate_done(&stuck);
  both_done(pool, loop);
}

/* Submits another for each that ends, so that the queue is never empty. */
typedef struct feeder {
  vow_thread_pool_t *pool;
  vow_loop_t *loop;
  int fed;
  bool stop;
} feeder_t;

static vow_value_t feed(vow_future_t *in, void *arg) {
  feeder_t *fd = arg;
  (void)in;
  fd->fed++;
  if (fd->stop) return vow_nil();
  vow_detach(vow_then(vow_thread_pool_run(fd->pool, fd->loop, number_job, NULL),
                      feed, fd));
  return vow_nil();
}

TEST(test_thread_pool_that_is_never_idle_leaves_no_job_behind) {
  enum { JOBS = 400, STUCK = 3, FED_MAX = 2000000 };
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(2);
  feeder_t feeder = {pool, loop, 0, false};
  gate_t keep[2], stuck;
  vow_future_t *fs[2], *slow = NULL;
  int i, done = 0;
  for (i = 0; i < 2; i++) fs[i] = gate_begin(pool, loop, &keep[i]);
  gate_init(&stuck);
  for (i = 0; i < JOBS; i++) {
    if (i == STUCK)
      slow = vow_thread_pool_run(pool, loop, gate_run, &stuck, gate_drop);
    vow_detach(vow_then(vow_thread_pool_run(pool, loop, number_job, NULL),
                        count_call, &done));
    vow_detach(vow_then(vow_thread_pool_run(pool, loop, number_job, NULL), feed,
                        &feeder));
  }
  for (i = 0; i < 2; i++) gate_open(&keep[i]);
  while (done < JOBS && feeder.fed < FED_MAX)
    uv_run(vow_loop_uv(loop), UV_RUN_ONCE);
  ck_assert_int_eq(done, JOBS);
  ck_assert(!vow_is_settled(slow));
  feeder.stop = true;
  gate_open(&stuck);
  ck_assert_int_eq(settle_drop(loop, slow), 0);
  for (i = 0; i < 2; i++) {
    ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
    gate_done(&keep[i]);
  }
  ck_assert_int_eq(vow_loop_run(loop), 0);
  gate_done(&stuck);
  both_done(pool, loop);
}

/* ---- limits -------------------------------------------------------------- */

static vow_thread_pool_stats_t stats_of(vow_thread_pool_t *pool) {
  vow_thread_pool_stats_t s;
  ck_assert_int_eq(vow_thread_pool_stats(pool, &s), 0);
  return s;
}

TEST(test_thread_pool_full_queue_lets_submissions_wait) {
  enum { LIMIT = 3, JOBS = 10 };
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open_bounded(1, LIMIT, false);
  static order_t order;
  numbered_t ns[JOBS];
  vow_future_t *fs[JOBS], *first;
  vow_thread_pool_stats_t s;
  gate_t g;
  int i;
  order.count = 0;
  first = gate_begin(pool, loop, &g);
  for (i = 0; i < JOBS; i++) {
    ns[i].order = &order;
    ns[i].number = i;
    fs[i] = vow_thread_pool_run(pool, loop, numbered_job, &ns[i]);
    ck_assert(!vow_is_settled(fs[i]));
  }
  s = stats_of(pool);
  ck_assert_uint_eq(s.running, 1);
  ck_assert_uint_eq(s.queued, LIMIT);
  ck_assert_uint_eq(s.waiting, JOBS - LIMIT);
  vow_cancel(fs[1]); /* queued: one that waits takes its place */
  vow_cancel(fs[8]); /* waiting */
  s = stats_of(pool);
  ck_assert_uint_eq(s.queued, LIMIT);
  ck_assert_uint_eq(s.waiting, JOBS - LIMIT - 2);
  gate_open(&g);
  ck_assert_int_eq(settle_drop(loop, first), 0);
  for (i = 0; i < JOBS; i++)
    ck_assert_int_eq(settle_drop(loop, fs[i]),
                     i == 1 || i == 8 ? UV_ECANCELED : 0);
  ck_assert_int_eq(order.count, JOBS - 2);
  for (i = 1; i < order.count; i++)
    ck_assert_int_lt(order.began[i - 1], order.began[i]);
  gate_done(&g);
  both_done(pool, loop);
}

TEST(test_thread_pool_full_queue_fails_when_asked_to) {
  enum { LIMIT = 2 };
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open_bounded(1, LIMIT, true);
  vow_future_t *fs[LIMIT], *first, *f;
  gate_t g;
  int i, drops = 0;
  first = gate_begin(pool, loop, &g);
  for (i = 0; i < LIMIT; i++)
    fs[i] = vow_thread_pool_run(pool, loop, number_job, NULL);
  f = vow_thread_pool_run(pool, loop, number_job, &drops, count_drop);
  ck_assert_int_eq(vow_status(f), UV_ENOBUFS);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "thread_pool_run: 2 jobs are queued in the pool vow");
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  vow_cancel(fs[0]); /* which gives its place away */
  vow_drop(fs[0]);
  fs[0] = vow_thread_pool_run(pool, loop, number_job, NULL);
  ck_assert(!vow_is_settled(fs[0]));
  gate_open(&g);
  ck_assert_int_eq(settle_drop(loop, first), 0);
  for (i = 0; i < LIMIT; i++) ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
  gate_done(&g);
  both_done(pool, loop);
}

TEST(test_thread_pool_idle_threads_count_as_room) {
  enum { THREADS = 3, LIMIT = 1 };
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open_bounded(THREADS, LIMIT, true);
  vow_future_t *fs[THREADS + LIMIT], *f;
  gate_t gs[THREADS + LIMIT];
  int i;
  /* At once, whether or not the threads have come for the first. */
  for (i = 0; i < THREADS + LIMIT; i++) {
    gate_init(&gs[i]);
    fs[i] = vow_thread_pool_run(pool, loop, gate_run, &gs[i], gate_drop);
    ck_assert(!vow_is_settled(fs[i]));
  }
  f = vow_thread_pool_run(pool, loop, number_job, NULL);
  ck_assert_int_eq(vow_status(f), UV_ENOBUFS);
  vow_drop(f);
  for (i = 0; i < THREADS + LIMIT; i++) gate_open(&gs[i]);
  for (i = 0; i < THREADS + LIMIT; i++) {
    ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
    gate_done(&gs[i]);
  }
  both_done(pool, loop);
}

/* ---- many ---------------------------------------------------------------- */

typedef struct small {
  atomic_int ran;
  int drops;
  int delivered;
} small_t;

static vow_value_t small_run(vow_job_t *job, void *arg) {
  small_t *s = arg;
  (void)job;
  atomic_fetch_add(&s->ran, 1);
  return vow_nil();
}

static void small_drop(void *arg) {
  ((small_t *)arg)->drops++;
}

static vow_value_t small_deliver(vow_future_t *in, void *arg) {
  (void)in;
  ((small_t *)arg)->delivered++;
  return vow_nil();
}

TEST(test_rule_23_pool_many_cancelled_at_random_each_end_once) {
  enum { JOBS = 6000 };
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(3);
  small_t *jobs = calloc(JOBS, sizeof *jobs);
  vow_future_t **fs = calloc(JOBS, sizeof *fs);
  unsigned seed = 4711;
  int i, done = 0, cancelled = 0;
  for (i = 0; i < JOBS; i++) {
    fs[i] = vow_then(
        vow_thread_pool_run(pool, loop, small_run, &jobs[i], small_drop),
        small_deliver, &jobs[i]);
    seed = seed * 1103515245u + 12345u;
    if ((seed >> 16) % 3 == 0) vow_cancel(fs[(seed >> 18) % (unsigned)(i + 1)]);
    if ((seed >> 16) % 64 == 1) turns(loop, 1);
  }
  ck_assert_int_eq(vow_loop_run(loop), 0);
  for (i = 0; i < JOBS; i++) {
    ck_assert(vow_is_settled(fs[i]));
    ck_assert_int_eq(jobs[i].drops, 1);
    ck_assert_int_le(atomic_load(&jobs[i].ran), 1);
    done += jobs[i].delivered;
    cancelled += vow_is_cancelled(fs[i]);
    if (jobs[i].delivered) ck_assert_int_eq(atomic_load(&jobs[i].ran), 1);
    vow_drop(fs[i]);
  }
  ck_assert_int_eq(done + cancelled, JOBS);
  free(jobs);
  free(fs);
  both_done(pool, loop);
}

/* The queue's memory is used again where cancelled jobs were. */
TEST(test_thread_pool_cancelled_jobs_leave_no_room_taken) {
  enum { KEPT = 40, ROUNDS = 2000 };
  vow_loop_t *loop;
  vow_thread_pool_t *pool;
  vow_future_t *fs[KEPT], *first;
  atomic_int ran = 0;
  gate_t g;
  long before;
  size_t i;
  fault_install();
  loop = loop_open();
  pool = pool_open(1);
  first = gate_begin(pool, loop, &g);
  for (i = 0; i < KEPT; i++)
    fs[i] = vow_thread_pool_run(pool, loop, counting_job, &ran);
  before = fault_live_bytes();
  for (i = 0; i < ROUNDS; i++)
    vow_drop(vow_thread_pool_run(pool, loop, counting_job, &ran));
  ck_assert_int_le(fault_live_bytes(), before + 64 * 1024);
  gate_open(&g);
  ck_assert_int_eq(settle_drop(loop, first), 0);
  for (i = 0; i < KEPT; i++) ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
  ck_assert_int_eq(atomic_load(&ran), KEPT);
  gate_done(&g);
  both_done(pool, loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_thread_pool_burst_of_jobs_all_arrive) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(4);
  size_t jobs = test_scale(100000), i;
  int done = 0;
  for (i = 0; i < jobs; i++)
    vow_detach(vow_then(vow_thread_pool_run(pool, loop, number_job, NULL),
                        count_call, &done));
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_uint_eq((size_t)done, jobs);
  both_done(pool, loop);
}

/* ---- beside libuv's pool -------------------------------------------------- */

TEST(test_thread_pool_that_blocks_holds_up_neither_files_nor_names) {
  enum { THREADS = 8 }; /* more than libuv's pool has */
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(THREADS);
  vow_future_t *fs[THREADS];
  gate_t gs[THREADS];
  int i;
  for (i = 0; i < THREADS; i++) fs[i] = gate_begin(pool, loop, &gs[i]);
  ck_assert_int_eq(settle_drop(loop, vow_fs_stat(loop, "/")), 0);
  ck_assert_int_eq(
      settle_drop(loop, vow_getaddrinfo(loop, "127.0.0.1", "80", NULL)), 0);
  for (i = 0; i < THREADS; i++) {
    ck_assert(!vow_is_settled(fs[i]));
    gate_open(&gs[i]);
    ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
    gate_done(&gs[i]);
  }
  both_done(pool, loop);
}

/* ---- want of memory -------------------------------------------------------- */

TEST(test_thread_pool_new_out_of_memory_leaks_nothing) {
  size_t n;
  fault_install();
  for (n = 1; n < 20; n++) {
    vow_thread_pool_t *pool = NULL;
    int err;
    fault_fail_at(n);
    err = vow_thread_pool_new(NULL, &pool);
    fault_off();
    if (err == 0) {
      pool_done(pool);
      break;
    }
    ck_assert_int_eq(err, UV_ENOMEM);
    ck_assert_ptr_null(pool);
    ck_assert_int_eq(fault_live(), 0);
  }
  ck_assert_uint_gt(n, 1);
  ck_assert_uint_lt(n, 20);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* The nth allocation fails; false when there are not so many. */
static bool run_ends_with_enomem(size_t n, bool from) {
  vow_loop_t *loop;
  vow_thread_pool_t *pool;
  vow_future_t *f;
  small_t small = {0, 0, 0};
  int status;
  bool failed;
  fault_install();
  loop = loop_open_probe();
  pool = pool_open(1);
  if (from)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  f = vow_thread_pool_run(pool, loop, small_run, &small, small_drop);
  status = vow_is_settled(f) ? vow_status(f) : settle(loop, f);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert_int_eq(status, failed ? UV_ENOMEM : 0);
  ck_assert_int_eq(small.drops, 1);
  ck_assert_int_eq(atomic_load(&small.ran), !failed);
  vow_drop(f);
  /* It works when there is memory again. */
  f = vow_thread_pool_run(pool, loop, number_job, NULL);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  both_done(pool, loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_thread_pool_run_nth_allocation_fails_gives_enomem) {
  size_t n;
  for (n = 1; run_ends_with_enomem(n, false); n++) ck_assert_uint_lt(n, 20);
  ck_assert_uint_ge(n, 5); /* the future, dock, lane, queue */
}

TEST(test_thread_pool_run_out_of_memory_for_good_gives_enomem) {
  size_t n;
  for (n = 1; run_ends_with_enomem(n, true); n++) ck_assert_uint_lt(n, 20);
}

TEST(test_thread_pool_queue_that_cannot_grow_keeps_what_it_has) {
  enum { JOBS = 64 }; /* what the queue holds before it grows */
  vow_loop_t *loop;
  vow_thread_pool_t *pool;
  vow_future_t *fs[JOBS], *first, *f;
  atomic_int ran = 0;
  gate_t g;
  int i;
  fault_install();
  loop = loop_open();
  pool = pool_open(1);
  first = gate_begin(pool, loop, &g);
  for (i = 0; i < JOBS; i++)
    fs[i] = vow_thread_pool_run(pool, loop, counting_job, &ran);
  fault_fail_from(1);
  f = vow_thread_pool_run(pool, loop, counting_job, &ran);
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  vow_drop(f);
  vow_cancel(fs[5]); /* which makes room for one */
  vow_drop(fs[5]);
  fs[5] = vow_thread_pool_run(pool, loop, counting_job, &ran);
  ck_assert(!vow_is_settled(fs[5]));
  fault_off();
  gate_open(&g);
  ck_assert_int_eq(settle_drop(loop, first), 0);
  for (i = 0; i < JOBS; i++) ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
  ck_assert_int_eq(atomic_load(&ran), JOBS);
  gate_done(&g);
  both_done(pool, loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- forks ---------------------------------------------------------------- */

/* What a pool made before a fork says in the child; 0 when all is well. */
static int look_from_child(vow_thread_pool_t *pool, vow_loop_t *loop) {
  vow_thread_pool_stats_t s;
  vow_future_t *f = vow_thread_pool_run(pool, loop, number_job, NULL);
  if (vow_status(f) != VOW_ESHUTDOWN) return 1;
  if (strcmp(vow_error_message(vow_error(f)),
             "thread_pool_run: the threads of the pool vow are in the parent "
             "process") != 0)
    return 2;
  vow_drop(f);
  f = vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 1000);
  if (vow_status(f) != 0) return 3;
  vow_drop(f);
  if (vow_thread_pool_close_blocking(pool, VOW_POOL_FINISH, 1000) != 0)
    return 4;
  if (vow_thread_pool_stats(pool, &s) != 0 || s.threads != 0) return 5;
  vow_thread_pool_free(pool);
  return 0;
}

TEST(test_thread_pool_in_a_forked_child_refuses_jobs) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(2);
  vow_future_t *f = vow_thread_pool_run(pool, loop, number_job, NULL);
  int status = 0;
  pid_t child;
  ck_assert_int_eq(settle_drop(loop, f), 0);
  child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) test_leave(look_from_child(pool, loop));
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status));
  ck_assert_int_eq(WEXITSTATUS(status), 0);
  f = vow_thread_pool_run(pool, loop, number_job, NULL); /* here it works */
  ck_assert_int_eq(settle_drop(loop, f), 0);
  both_done(pool, loop);
}

SUITE(uv_thread_pool_queue) {
  ADD(test_thread_pool_one_thread_begins_jobs_in_order_of_calls);
  ADD(test_thread_pool_uses_all_its_threads);
  ADD(test_thread_pool_result_is_not_held_up_by_the_next_job);
  ADD(test_thread_pool_no_job_waits_behind_one_that_is_stuck);
  ADD(test_thread_pool_that_is_never_idle_leaves_no_job_behind);
  ADD(test_thread_pool_full_queue_lets_submissions_wait);
  ADD(test_thread_pool_full_queue_fails_when_asked_to);
  ADD(test_thread_pool_idle_threads_count_as_room);
  ADD(test_rule_23_pool_many_cancelled_at_random_each_end_once);
  ADD(test_thread_pool_cancelled_jobs_leave_no_room_taken);
  ADD(test_thread_pool_burst_of_jobs_all_arrive);
  ADD(test_thread_pool_that_blocks_holds_up_neither_files_nor_names);
  ADD(test_thread_pool_new_out_of_memory_leaks_nothing);
  ADD(test_thread_pool_run_nth_allocation_fails_gives_enomem);
  ADD(test_thread_pool_run_out_of_memory_for_good_gives_enomem);
  ADD(test_thread_pool_queue_that_cannot_grow_keeps_what_it_has);
  ADD(test_thread_pool_in_a_forked_child_refuses_jobs);
}
