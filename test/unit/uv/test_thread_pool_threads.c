/* SPDX-License-Identifier: MIT */
/* One thread pool and several loops, each in a thread of its own. */
#include "unit/uv/thread_pool_support.h"

#define LOOPS 4

typedef struct user {
  uv_thread_t thread;
  vow_thread_pool_t *pool;
  unsigned seed;
  size_t jobs;
  /* What came of them; the user's thread only. */
  size_t drops;
  size_t values; /* destroyed or taken */
  size_t settled;
  size_t cancelled;
  size_t refused;
  atomic_size_t ran;
  atomic_size_t calls;
  bool misplaced; /* something happened on another thread */
} user_t;

static void check_thread(user_t *u) {
  if (!on_this_thread(u->thread)) u->misplaced = true;
}

static void user_value_destroy(void *p) {
  user_t *u = p;
  check_thread(u);
  u->values++;
}

static const vow_type_t user_type = {"user", user_value_destroy, NULL, NULL};

static void user_drop(void *arg) {
  user_t *u = arg;
  check_thread(u);
  u->drops++;
}

static vow_value_t user_job(vow_job_t *job, void *arg) {
  user_t *u = arg;
  (void)job;
  atomic_fetch_add(&u->ran, 1);
  return vow_ptr(u, &user_type);
}

static vow_future_t *user_called(vow_loop_t *loop, void *arg) {
  user_t *u = arg;
  check_thread(u);
  return vow_ready(loop, vow_int(1));
}

static vow_value_t calling_job(vow_job_t *job, void *arg) {
  user_t *u = arg;
  vow_value_t v;
  int err = vow_call_blocking(vow_job_loop(job), user_called, u, &v);
  if (err == 0 && v.as.i == 1) atomic_fetch_add(&u->calls, 1);
  atomic_fetch_add(&u->ran, 1);
  return vow_ptr(u, &user_type);
}

static vow_value_t user_settled(vow_future_t *in, void *arg) {
  user_t *u = arg;
  u->settled++;
  if (vow_is_cancelled(in)) u->cancelled++;
  if (vow_status(in) == VOW_ESHUTDOWN) u->refused++;
  return vow_nil();
}

static unsigned next_random(user_t *u) {
  u->seed = u->seed * 1103515245u + 12345u;
  return u->seed >> 16;
}

#define KEPT 64

static void user_submit(user_t *u, vow_loop_t *loop) {
  vow_future_t *kept[KEPT] = {NULL};
  for (size_t i = 0; i < u->jobs; i++) {
    unsigned r = next_random(u);
    vow_future_t **at = &kept[r % KEPT];
    vow_job_cb fn = r % 97 == 0 ? calling_job : user_job;
    vow_future_t *f = vow_thread_pool_run(u->pool, loop, fn, u, user_drop);
    if (*at != NULL && r % 3 == 0) vow_cancel(*at);
    vow_drop(*at);
    *at = vow_handle(f, user_settled, u);
    if (r % 50 == 1) turns(loop, 1);
  }
  for (size_t i = 0; i < KEPT; i++) vow_detach(kept[i]);
}

static void user_main(void *arg) {
  user_t *u = arg;
  vow_loop_options_t o = {0};
  vow_loop_t *loop = NULL;
  u->thread = uv_thread_self();
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  user_submit(u, loop);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  ck_assert_int_eq(vow_loop_close(loop, 30000), 0);
}

static void users_run(user_t *users, vow_thread_pool_t *pool, size_t jobs,
                      uv_thread_cb entry) {
  uv_thread_t threads[LOOPS];
  for (unsigned i = 0; i < LOOPS; i++) {
    users[i].pool = pool;
    users[i].jobs = jobs;
    users[i].seed = 4711 + i;
    ck_assert_int_eq(uv_thread_create(&threads[i], entry, &users[i]), 0);
  }
  for (unsigned i = 0; i < LOOPS; i++)
    ck_assert_int_eq(uv_thread_join(&threads[i]), 0);
}

static void users_check(user_t *users, size_t jobs) {
  for (unsigned i = 0; i < LOOPS; i++) {
    user_t *u = &users[i];
    ck_assert_uint_eq(u->drops, jobs);
    ck_assert_uint_eq(u->settled, jobs);
    ck_assert_uint_eq(u->values, atomic_load(&u->ran));
    ck_assert_uint_le(jobs - u->cancelled - u->refused, atomic_load(&u->ran));
    ck_assert(!u->misplaced);
  }
}

TEST(test_thread_pool_of_several_loops_gives_each_its_results) {
  size_t jobs = test_scale(20000);
  vow_thread_pool_t *pool = pool_open(3);
  user_t users[LOOPS];
  memset(users, 0, sizeof users);
  users_run(users, pool, jobs, user_main);
  users_check(users, jobs);
  pool_done(pool);
}

TEST(test_thread_pool_of_several_loops_with_a_bounded_queue) {
  size_t jobs = test_scale(10000);
  vow_thread_pool_t *pool = pool_open_bounded(3, 16, false);
  user_t users[LOOPS];
  memset(users, 0, sizeof users);
  users_run(users, pool, jobs, user_main);
  users_check(users, jobs);
  pool_done(pool);
}

/* Closes its loop with jobs under way. */
static void user_leaves(void *arg) {
  user_t *u = arg;
  u->thread = uv_thread_self();
  for (int round = 0; round < 20; round++) {
    vow_loop_options_t o = {0};
    vow_loop_t *loop = NULL;
    ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
    user_submit(u, loop);
    ck_assert_int_eq(vow_loop_close(loop, 30000), 0);
  }
}

TEST(test_thread_pool_of_loops_that_close_with_jobs_under_way) {
  size_t jobs = test_scale(1000);
  vow_thread_pool_t *pool = pool_open(3);
  user_t users[LOOPS];
  memset(users, 0, sizeof users);
  users_run(users, pool, jobs, user_leaves);
  users_check(users, 20 * jobs);
  pool_done(pool);
}

/* Does as user_main; whoever is first closes the pool under the others. */
static void user_closes(void *arg) {
  user_t *u = arg;
  vow_loop_options_t o = {0};
  vow_loop_t *loop = NULL;
  vow_future_t *closed;
  u->thread = uv_thread_self();
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  user_submit(u, loop);
  closed = vow_thread_pool_close(
      u->pool, loop, u->seed % 2 ? VOW_POOL_CANCEL : VOW_POOL_FINISH, 30000);
  user_submit(u, loop); /* refused */
  ck_assert_int_eq(vow_loop_run_until(loop, closed), 0);
  ck_assert_int_eq(vow_status(closed), 0);
  vow_drop(closed);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  ck_assert_int_eq(vow_loop_close(loop, 30000), 0);
}

TEST(test_thread_pool_closed_by_several_loops_at_once) {
  size_t jobs = test_scale(2000);
  int round;
  for (round = 0; round < 10; round++) {
    vow_thread_pool_t *pool = pool_open(3);
    user_t users[LOOPS];
    memset(users, 0, sizeof users);
    users_run(users, pool, jobs, user_closes);
    users_check(users, 2 * jobs);
    vow_thread_pool_free(pool);
  }
}

/* A pool that comes and goes under a loop that stays. */
TEST(test_thread_pool_thousand_pools_leave_memory_flat) {
  size_t rounds = test_scale(1000), i;
  vow_loop_t *loop;
  long before = 0;
  fault_install();
  loop = loop_open();
  for (i = 0; i < rounds; i++) {
    vow_thread_pool_t *pool = pool_open(2);
    vow_future_t *f = vow_thread_pool_run(pool, loop, number_job, NULL);
    ck_assert_int_eq(settle_drop(loop, f), 0);
    ck_assert_int_eq(
        vow_thread_pool_close_blocking(pool, VOW_POOL_FINISH, 30000), 0);
    vow_thread_pool_free(pool);
    if (i == rounds / 2) before = fault_live_bytes();
  }
  /* A lane or two may not be free yet. */
  ck_assert_int_le(fault_live_bytes(), before + 64 * 1024);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(uv_thread_pool_threads) {
  ADD(test_thread_pool_of_several_loops_gives_each_its_results);
  ADD(test_thread_pool_of_several_loops_with_a_bounded_queue);
  ADD(test_thread_pool_of_loops_that_close_with_jobs_under_way);
  ADD(test_thread_pool_closed_by_several_loops_at_once);
  ADD(test_thread_pool_thousand_pools_leave_memory_flat);
}
