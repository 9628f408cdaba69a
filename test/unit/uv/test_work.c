/* SPDX-License-Identifier: MIT */
/* Work on threads: rule 23. */
#include <vow/work.h>

#include "check/shim/shim.h"
#include "unit/uv/uv_support.h"

#include <stdatomic.h>

/* A thing that says when, and on which thread, it is destroyed. */
typedef struct thing {
  int destroyed;
  uv_thread_t by;
} thing_t;

static void thing_destroy(void *p) {
  thing_t *t = p;
  t->destroyed++;
  t->by = uv_thread_self();
}

static const vow_type_t thing_type = {"thing", thing_destroy, NULL, NULL};

typedef struct job {
  thing_t thing;
  uv_sem_t go;
  atomic_int started;
  atomic_int ended;
  int drops;
  uv_thread_t ran_on;
  uv_thread_t dropped_on;
  int drops_when_delivered;
} job_t;

static vow_value_t job_run(void *arg) {
  job_t *j = arg;
  atomic_store(&j->started, 1);
  uv_sem_wait(&j->go);
  j->ran_on = uv_thread_self();
  atomic_store(&j->ended, 1);
  return vow_ptr(&j->thing, &thing_type);
}

static void job_drop(void *arg) {
  job_t *j = arg;
  j->drops++;
  j->dropped_on = uv_thread_self();
}

static void job_init(job_t *j) {
  memset(j, 0, sizeof *j);
  ck_assert_int_eq(uv_sem_init(&j->go, 0), 0);
}

static bool on_this_thread(uv_thread_t t) {
  uv_thread_t self = uv_thread_self();
  return uv_thread_equal(&t, &self) != 0;
}

static void wait_started(job_t *j) {
  while (!atomic_load(&j->started)) uv_sleep(1);
}

static vow_value_t look_at_drops(vow_future_t *in, void *arg) {
  job_t *j = arg;
  j->drops_when_delivered = j->drops;
  return vow_outcome(in);
}

TEST(test_queue_work_result_arrives_after_arg_was_dropped) {
  vow_loop_t *loop = loop_open();
  job_t j;
  vow_future_t *f;
  job_init(&j);
  uv_sem_post(&j.go);
  f = vow_then(vow_queue_work(loop, job_run, &j, job_drop), look_at_drops, &j);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_ptr_eq(vow_get(f, &thing_type), &j.thing);
  ck_assert_int_eq(j.drops_when_delivered, 1);
  ck_assert(on_this_thread(j.dropped_on));
  ck_assert(!on_this_thread(j.ran_on));
  ck_assert_int_eq(j.thing.destroyed, 0);
  vow_drop(f);
  ck_assert_int_eq(j.thing.destroyed, 1);
  ck_assert(on_this_thread(j.thing.by));
  ck_assert_int_eq(j.drops, 1);
  uv_sem_destroy(&j.go);
  loop_done(loop);
}

static vow_value_t fail_work(void *arg) {
  (void)arg;
  return vow_failf(UV_EPROTO, "bad %d", 7);
}

TEST(test_queue_work_failure_with_message_arrives) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_queue_work(loop, fail_work, NULL);
  ck_assert_int_eq(settle(loop, f), UV_EPROTO);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "bad 7");
  vow_drop(f);
  loop_done(loop);
}

TEST(test_rule_23_cancel_does_not_stop_a_running_function) {
  vow_loop_t *loop = loop_open();
  job_t j;
  vow_future_t *f;
  job_init(&j);
  f = vow_queue_work(loop, job_run, &j, job_drop);
  wait_started(&j);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  turns(loop, 2);
  ck_assert_int_eq(j.drops, 0); /* the thread has it */
  uv_sem_post(&j.go);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(atomic_load(&j.ended), 1);
  ck_assert_int_eq(j.drops, 1);
  ck_assert_int_eq(j.thing.destroyed, 1);
  ck_assert(on_this_thread(j.thing.by));
  uv_sem_destroy(&j.go);
  loop_done(loop);
}

#define POOL 4 /* libuv's default number of threads */

TEST(test_rule_23_cancelled_while_queued_never_starts) {
  vow_loop_t *loop = loop_open();
  job_t busy[POOL], j;
  vow_future_t *fs[POOL], *f;
  int i;
  for (i = 0; i < POOL; i++) {
    job_init(&busy[i]);
    fs[i] = vow_queue_work(loop, job_run, &busy[i], job_drop);
  }
  for (i = 0; i < POOL; i++) wait_started(&busy[i]);
  job_init(&j);
  f = vow_queue_work(loop, job_run, &j, job_drop);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  ck_assert_int_eq(j.drops, 1);
  vow_drop(f);
  for (i = 0; i < POOL; i++) uv_sem_post(&busy[i].go);
  for (i = 0; i < POOL; i++) {
    ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
    ck_assert_int_eq(busy[i].drops, 1);
    uv_sem_destroy(&busy[i].go);
  }
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(atomic_load(&j.started), 0);
  ck_assert_int_eq(j.drops, 1);
  ck_assert_int_eq(j.thing.destroyed, 0);
  uv_sem_destroy(&j.go);
  loop_done(loop);
}

typedef struct names {
  int count;
  char what[64];
  char site[128];
} names_t;

static void note_name(const char *what, const char *site, void *arg) {
  names_t *n = arg;
  n->count++;
  snprintf(n->what, sizeof n->what, "%s", what);
  snprintf(n->site, sizeof n->site, "%s", site);
}

TEST(test_rule_22_close_names_a_function_that_runs_on) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  names_t names = {0, "", ""};
  job_t j;
  vow_future_t *f;
  o.on_stuck = note_name;
  o.on_stuck_arg = &names;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  job_init(&j);
  f = vow_queue_work(loop, job_run, &j, job_drop);
  wait_started(&j);
  ck_assert_int_eq(vow_loop_close(loop, 5), UV_EBUSY);
  ck_assert(vow_is_cancelled(f));
  ck_assert_int_eq(names.count, 1);
  ck_assert_str_eq(names.what, "queue_work");
  ck_assert_ptr_nonnull(strstr(names.site, "test_work.c:"));
  vow_drop(f);
  uv_sem_post(&j.go);
  ck_assert_int_eq(vow_loop_close(loop, 5000), 0);
  ck_assert_int_eq(j.drops, 1);
  ck_assert_int_eq(j.thing.destroyed, 1);
  uv_sem_destroy(&j.go);
}

TEST(test_queue_work_bad_arguments_drop_arg) {
  vow_loop_t *loop = loop_open();
  int drops = 0;
  vow_future_t *f = vow_queue_work(loop, NULL, &drops, count_drop);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "queue_work: the function is NULL");
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  loop_done(loop);
}

static vow_value_t number(void *arg) {
  return vow_int((int64_t)(intptr_t)arg);
}

TEST(test_queue_work_thousand_jobs_all_arrive) {
  enum { JOBS = 1000 };
  vow_loop_t *loop = loop_open();
  vow_future_t *fs[JOBS];
  int64_t sum = 0;
  intptr_t i;
  for (i = 0; i < JOBS; i++) fs[i] = vow_queue_work(loop, number, (void *)i);
  for (i = 0; i < JOBS; i++) {
    ck_assert_int_eq(settle(loop, fs[i]), 0);
    sum += vow_get_int(fs[i]);
    vow_drop(fs[i]);
  }
  ck_assert_int_eq(sum, JOBS * (JOBS - 1) / 2);
  loop_done(loop);
}

/* ---- many ---------------------------------------------------------------- */

typedef struct small {
  atomic_int ran;
  int drops;
  int delivered;
} small_t;

static vow_value_t small_run(void *arg) {
  small_t *s = arg;
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

TEST(test_rule_23_many_cancelled_at_random_each_end_once) {
  enum { JOBS = 3000 };
  vow_loop_t *loop = loop_open();
  small_t *jobs = calloc(JOBS, sizeof *jobs);
  vow_future_t **fs = calloc(JOBS, sizeof *fs);
  unsigned seed = 4711;
  int i, done = 0, cancelled = 0;
  for (i = 0; i < JOBS; i++) {
    fs[i] = vow_then(vow_queue_work(loop, small_run, &jobs[i], small_drop),
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
  loop_done(loop);
}

static vow_value_t nap(void *arg) {
  (void)arg;
  uv_sleep(1);
  return vow_nil();
}

TEST(test_queue_work_burst_lets_file_requests_through) {
  enum { JOBS = 600 }; /* more than a runner does in one go */
  vow_loop_t *loop = loop_open();
  int done = 0, i;
  vow_future_t *f;
  for (i = 0; i < JOBS; i++)
    vow_detach(vow_then(vow_queue_work(loop, nap, NULL), count_call, &done));
  f = vow_fs_stat(loop, "/");
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_lt(done, JOBS);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(done, JOBS);
  loop_done(loop);
}

typedef struct meeting {
  atomic_int present;
  int wanted;
} meeting_t;

static vow_value_t meet(void *arg) {
  meeting_t *m = arg;
  int tries = 0;
  atomic_fetch_add(&m->present, 1);
  while (atomic_load(&m->present) < m->wanted && tries++ < 5000) uv_sleep(1);
  return atomic_load(&m->present) >= m->wanted ? vow_nil() : vow_fail(UV_EIO);
}

TEST(test_queue_work_uses_all_threads_of_the_pool) {
  vow_loop_t *loop = loop_open();
  vow_future_t *fs[POOL];
  meeting_t m = {0, POOL};
  int i;
  for (i = 0; i < POOL; i++) fs[i] = vow_queue_work(loop, meet, &m);
  for (i = 0; i < POOL; i++) ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
  loop_done(loop);
}

TEST(test_queue_work_result_is_not_held_up_by_the_next_function) {
  vow_loop_t *loop = loop_open();
  job_t slow[POOL];
  vow_future_t *fs[POOL], *first;
  int i, done = 0;
  /* One quick function, then enough to keep every thread. */
  first = vow_then(vow_queue_work(loop, number, NULL), count_call, &done);
  for (i = 0; i < POOL; i++) {
    job_init(&slow[i]);
    fs[i] = vow_queue_work(loop, job_run, &slow[i], job_drop);
  }
  ck_assert_int_eq(settle_drop(loop, first), 0);
  ck_assert_int_eq(done, 1);
  for (i = 0; i < POOL; i++) uv_sem_post(&slow[i].go);
  for (i = 0; i < POOL; i++) {
    ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
    uv_sem_destroy(&slow[i].go);
  }
  loop_done(loop);
}

/* ---- how many at a time --------------------------------------------------- */

typedef struct crowd {
  atomic_int present, most;
} crowd_t;

static vow_value_t be_present(void *arg) {
  crowd_t *c = arg;
  int here = atomic_fetch_add(&c->present, 1) + 1;
  int most = atomic_load(&c->most);
  while (here > most && !atomic_compare_exchange_weak(&c->most, &most, here)) {
  }
  uv_sleep(1);
  atomic_fetch_sub(&c->present, 1);
  return vow_nil();
}

/* Runs 20 functions on a loop made with that setting; the most at a time. */
static int most_at_a_time(const char *setting) {
  vow_future_t *fs[20];
  crowd_t c = {0, 0};
  vow_loop_t *loop = loop_open();
  size_t i;
  setenv("UV_THREADPOOL_SIZE", setting, 1);
  for (i = 0; i < 20; i++) fs[i] = vow_queue_work(loop, be_present, &c);
  for (i = 0; i < 20; i++) ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
  loop_done(loop);
  return atomic_load(&c.most);
}

TEST(test_queue_work_keeps_to_the_size_in_the_environment) {
  ck_assert_int_eq(most_at_a_time("1"), 1);
  ck_assert_int_eq(most_at_a_time("0"), 1); /* as libuv takes it */
  ck_assert_int_eq(most_at_a_time("none"), 1);
  ck_assert_int_ge(most_at_a_time("1000000"), 1); /* more than there may be */
}

TEST(test_queue_work_without_a_lock_gives_enomem) {
  vow_loop_t *loop;
  crowd_t c = {0, 0};
  vow_future_t *f;
  fault_install();
  loop = loop_open();
  vow__shim_on();
  vow__shim_fail("uv_mutex_init", 1, UV_EAGAIN);
  f = vow_queue_work(loop, be_present, &c);
  ck_assert_uint_eq(vow__shim_hits(), 1);
  vow__shim_off();
  ck_assert_int_eq(settle_drop(loop, f), UV_ENOMEM);
  ck_assert_int_eq(settle_drop(loop, vow_queue_work(loop, be_present, &c)), 0);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- refused by libuv ------------------------------------------------------- */

typedef struct refused {
  vow_loop_t *loop;
  vow_future_t *more; /* begun by the first drop after the gate opened */
  atomic_bool open;
  int drops;
} refused_t;

static vow_value_t wait_for_gate(void *arg) {
  refused_t *r = arg;
  while (!atomic_load(&r->open)) uv_sleep(1);
  return vow_nil();
}

static void drop_and_ask_for_more(void *arg) {
  refused_t *r = arg;
  if (r->drops++ == 0)
    r->more = vow_queue_work(r->loop, wait_for_gate, r, drop_and_ask_for_more);
}

/* The functions go out in portions; libuv takes one of them, and none behind it,
 * not even for a function that comes meanwhile. */
TEST(test_queue_work_refused_by_libuv_ends_all_that_wait) {
  enum { JOBS = 300 };
  vow_future_t *fs[JOBS];
  refused_t r = {loop_open(), NULL, false, 0};
  size_t refused = 0;
  vow__shim_on();
  vow__shim_fail_from("uv_queue_work", 2, UV_EIO);
  for (size_t i = 0; i < JOBS; i++)
    fs[i] = vow_queue_work(r.loop, wait_for_gate, &r, drop_and_ask_for_more);
  atomic_store(&r.open, true);
  for (size_t i = 0; i < JOBS; i++) {
    int code = settle_drop(r.loop, fs[i]);
    ck_assert(code == 0 || code == UV_EIO || code == UV_EAGAIN);
    refused += code != 0;
  }
  ck_assert_ptr_nonnull(r.more);
  (void)settle_drop(r.loop, r.more);
  ck_assert_uint_gt(refused, 0);
  ck_assert_uint_gt(vow__shim_hits(), 0);
  vow__shim_off();
  ck_assert_int_eq(r.drops, JOBS + 1);
  loop_done(r.loop);
}

SUITE(uv_work) {
  ADD(test_queue_work_refused_by_libuv_ends_all_that_wait);
  ADD(test_rule_23_many_cancelled_at_random_each_end_once);
  ADD(test_queue_work_burst_lets_file_requests_through);
  ADD(test_queue_work_uses_all_threads_of_the_pool);
  ADD(test_queue_work_result_is_not_held_up_by_the_next_function);
  ADD(test_queue_work_result_arrives_after_arg_was_dropped);
  ADD(test_queue_work_failure_with_message_arrives);
  ADD(test_rule_23_cancel_does_not_stop_a_running_function);
  ADD(test_rule_23_cancelled_while_queued_never_starts);
  ADD(test_rule_22_close_names_a_function_that_runs_on);
  ADD(test_queue_work_bad_arguments_drop_arg);
  ADD(test_queue_work_thousand_jobs_all_arrive);
  ADD(test_queue_work_keeps_to_the_size_in_the_environment);
  ADD(test_queue_work_without_a_lock_gives_enomem);
}
