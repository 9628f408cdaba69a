/* SPDX-License-Identifier: MIT */
/* Work in threads, names of hosts, random bytes: what a thread has is given
 * back, though nobody waits any more. */
#include "unit/torture/torture.h"

#include <netdb.h>

/* ---- libuv's pool ----------------------------------------------------------- */

static vow_value_t compute(void *arg) {
  (void)arg;
  return vow_int(42);
}

static vow_future_t *computed(vow_loop_t *loop) {
  return vow_queue_work(loop, compute, thing_arg(), thing_drop);
}

SCENE(test_torture_work_comes_back) {
  static char into[16];
  vow_drop(computed(loop));
  VOW_TRY_NIL(vow_gather_of(loop, computed(loop), computed(loop)));
  VOW_TRY_NIL(vow_random(loop, 16));
  VOW_TRY_NIL(vow_random_into(loop, into, sizeof into));
  return vow_nil();
}

SCENE(test_torture_names_are_found) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  struct sockaddr_in addr;
  VOW_TRY_NIL(vow_getaddrinfo(loop, "127.0.0.1", "80", &hints));
  vow_drop(vow_getaddrinfo(loop, "127.0.0.1", "80", &hints));
  uv_ip4_addr("127.0.0.1", 80, &addr);
  VOW_TRY_NIL(vow_getnameinfo(loop, (struct sockaddr *)&addr,
                              NI_NUMERICHOST | NI_NUMERICSERV));
  return vow_nil();
}

/* ---- a pool of one's own ---------------------------------------------------- */

static bool is_busy(vow_thread_pool_t *pool) {
  vow_thread_pool_stats_t stats;
  ck_assert_int_eq(vow_thread_pool_stats(pool, &stats), 0);
  return stats.running + stats.queued + stats.waiting > 0;
}

/* Jobs may wait for this loop, which needs no memory to go on. */
static vow_value_t end_pool(void *p) {
  vow_thread_pool_stats_t stats;
  while (is_busy(p)) (void)vow_yield();
  ck_assert_int_eq(vow_thread_pool_close_blocking(p, VOW_POOL_CANCEL, 10000),
                   0);
  ck_assert_int_eq(vow_thread_pool_stats(p, &stats), 0);
  ck_assert_uint_eq(stats.queued, 0);
  ck_assert_uint_eq(stats.waiting, 0);
  vow_thread_pool_free(p);
  return vow_nil();
}

static vow_value_t job(vow_job_t *self, void *arg) {
  (void)arg;
  (void)vow_job_is_cancelled(self);
  return vow_int(1);
}

static vow_future_t *run_job(vow_thread_pool_t *pool, vow_loop_t *loop) {
  return vow_thread_pool_run(pool, loop, job, thing_arg(), thing_drop);
}

SCENE(test_torture_thread_pool_gives_all_back) {
  vow_thread_pool_options_t o = {.threads = 2, .queue_limit = 1};
  vow_thread_pool_t *pool;
  VOW_TRY_CODE(vow_thread_pool_new(&o, &pool));
  LATER(end_pool, pool);
  VOW_TRY_NIL(vow_gather_of(loop, run_job(pool, loop), run_job(pool, loop),
                            run_job(pool, loop), run_job(pool, loop)));
  vow_drop(run_job(pool, loop));
  VOW_TRY_NIL(vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 10000));
  return vow_nil();
}

static vow_value_t number(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_int(7);
}

static vow_future_t *on_loop(vow_loop_t *loop, void *arg) {
  (void)arg;
  return vow_then(vow_sleep(loop, 1), number, thing_arg(), thing_drop);
}

static vow_value_t job_that_asks(vow_job_t *self, void *arg) {
  vow_value_t v;
  (void)arg;
  (void)vow_call_blocking(vow_job_loop(self), on_loop, NULL, &v);
  return v;
}

/* A sleep keeps the loop going, as a job that waits for it does not. */
SCENE(test_torture_thread_asks_its_loop) {
  vow_thread_pool_options_t o = {.threads = 1};
  vow_thread_pool_t *pool;
  vow_future_t *f;
  VOW_TRY_CODE(vow_thread_pool_new(&o, &pool));
  LATER(end_pool, pool);
  f = vow_thread_pool_run(pool, loop, job_that_asks, thing_arg(), thing_drop);
  VOW_TRY_NIL(f);
  return vow_nil();
}

SUITE(torture_threads) {
  ADD(test_torture_work_comes_back);
  ADD(test_torture_names_are_found);
  ADD(test_torture_thread_pool_gives_all_back);
  ADD(test_torture_thread_asks_its_loop);
}
