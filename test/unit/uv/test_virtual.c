/* SPDX-License-Identifier: MIT */
/* Virtual time: what moves the clock, and what holds it. */
#include "unit/uv/uv_support.h"

#include <vow/fs.h>
#include <vow/interval.h>
#include <vow/timeout.h>
#include <vow/virtual.h>
#include <vow/work.h>

#include <time.h>
#include <unistd.h>

#define HOUR_MS UINT64_C(3600000)

static vow_loop_t *loop;

static void begin(void) {
  ck_assert_int_eq(vow_loop_new_virtual(NULL, &loop), 0);
}

static void done(void) {
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
}

static double real_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

TEST(test_virtual_hour_passes_at_once) {
  double start = real_seconds();
  begin();
  uint64_t from_ms = vow_loop_now_ms(loop);
  ck_assert(vow_loop_is_virtual(loop));
  ck_assert_int_eq(vow_await_blocking(vow_sleep(loop, HOUR_MS), NULL), 0);
  ck_assert_uint_eq(vow_loop_now_ms(loop), from_ms + HOUR_MS);
  ck_assert(real_seconds() - start < 60);
  done();
}
END_TEST

TEST(test_virtual_timeouts_fire_in_order_of_deadline) {
  begin();
  vow_future_t *f = vow_timeout(vow_sleep(loop, 2 * HOUR_MS), HOUR_MS);
  vow_future_t *g = vow_timeout(vow_sleep(loop, HOUR_MS), 2 * HOUR_MS);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(vow_status(f), UV_ETIMEDOUT);
  ck_assert_int_eq(vow_status(g), 0);
  vow_drop(f);
  vow_drop(g);
  done();
}
END_TEST

static vow_value_t stat_ok(vow_future_t *in, void *arg) {
  *(uint64_t *)arg = vow_loop_now_ms(loop);
  return vow_outcome(in);
}

TEST(test_virtual_file_request_holds_the_clock) {
  uint64_t at_ms = 0;
  begin();
  uint64_t from_ms = vow_loop_now_ms(loop);
  vow_future_t *f = vow_then(vow_fs_stat(loop, "/"), stat_ok, &at_ms);
  vow_future_t *g = vow_sleep(loop, HOUR_MS);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_uint_eq(at_ms, from_ms);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  vow_drop(g);
  done();
}
END_TEST

static vow_value_t slow_job(void *arg) {
  struct timespec time = {0, 20000000};
  (void)arg;
  nanosleep(&time, NULL);
  return vow_int(1);
}

TEST(test_virtual_job_in_a_thread_holds_the_clock) {
  begin();
  vow_future_t *f = vow_timeout(vow_queue_work(loop, slow_job, NULL), 5);
  ck_assert_int_eq(vow_await_blocking(f, NULL), 0); /* 20 real ms, 0 of ours */
  done();
}
END_TEST

TEST(test_virtual_held_clock_moves_by_hand) {
  begin();
  ck_assert_int_eq(vow_loop_hold_clock(loop, true), 0);
  vow_future_t *f = vow_sleep(loop, 100);
  ck_assert_int_eq(vow_loop_run_until(loop, f), VOW_EIDLE);
  ck_assert_int_eq(vow_loop_advance(loop, 99), 0);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(vow_loop_advance(loop, 1), 0);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_hold_clock(loop, false), 0);
  ck_assert_int_eq(vow_await_blocking(vow_sleep(loop, HOUR_MS), NULL), 0);
  done();
}
END_TEST

static vow_value_t advance_inside(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_int(vow_loop_advance(loop, 1));
}

TEST(test_virtual_advance_from_a_callback_is_refused) {
  begin();
  vow_future_t *f = vow_then(vow_sleep(loop, 1), advance_inside, NULL);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(vow_get_int(f), UV_EBUSY);
  vow_drop(f);
  done();
}
END_TEST

TEST(test_virtual_functions_refuse_a_real_loop) {
  vow_loop_t *real;
  ck_assert_int_eq(vow_loop_new(NULL, &real), 0);
  ck_assert(!vow_loop_is_virtual(real));
  ck_assert(!vow_loop_is_virtual(NULL));
  ck_assert_int_eq(vow_loop_advance(real, 1), UV_ENOTSUP);
  ck_assert_int_eq(vow_loop_hold_clock(real, true), UV_ENOTSUP);
  ck_assert_int_eq(vow_loop_advance(NULL, 1), UV_EINVAL);
  ck_assert_int_eq(vow_loop_close(real, 0), 0);
}
END_TEST

TEST(test_virtual_nothing_left_is_said) {
  begin();
  vow_future_t *f = vow_never(loop);
  ck_assert_int_eq(vow_loop_run_until(loop, f), VOW_EIDLE);
  vow_drop(f);
  done();
}
END_TEST

TEST(test_virtual_close_with_grace_needs_no_real_time) {
  double start = real_seconds();
  begin();
  vow_promise_t *p;
  vow_future_t *f = vow_promise_new(loop, &p);
  f = vow_finally(f, NULL, NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  vow_promise_drop(p);
  vow_detach(vow_shield(vow_sleep(loop, HOUR_MS)));
  ck_assert_int_eq(vow_loop_close(loop, 2 * HOUR_MS), 0);
  ck_assert(real_seconds() - start < 60);
}
END_TEST

static void note(vow_loop_t *l, void *arg) {
  (void)l;
  ++*(int *)arg;
}

static void post_again(vow_loop_t *l, void *arg) {
  ck_assert_int_eq(vow_post(l, note, arg), 0);
}

/* libuv has nothing active then, and would not look. */
TEST(test_virtual_post_from_a_post_arrives) {
  int notes = 0;
  vow_future_t *f;
  begin();
  ck_assert_int_eq(vow_post(loop, post_again, &notes), 0);
  f = vow_sleep(loop, 1);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert_int_eq(notes, 1);
  vow_drop(f);
  done();
}
END_TEST

static void settle_remote(vow_loop_t *l, void *arg) {
  (void)l;
  ck_assert_int_eq(vow_remote_settle(arg, vow_int(1)), 0);
}

/* When it has come nothing else is under way: the clock goes on. */
TEST(test_virtual_remote_promise_lets_the_clock_go) {
  vow_promise_t *p;
  vow_future_t *f, *wait;
  begin();
  wait = vow_sleep(loop, HOUR_MS);
  f = vow_promise_new(loop, &p);
  ck_assert_int_eq(vow_post(loop, settle_remote, vow_promise_remote(p)), 0);
  ck_assert_int_eq(vow_loop_run_until(loop, wait), 0);
  ck_assert_int_eq(vow_get_int(f), 1);
  vow_drop(f);
  vow_drop(wait);
  done();
}
END_TEST

/* ---- advancing --------------------------------------------------------------- */

/* What waits for the world keeps libuv's loop alive, and nothing else. */
TEST(test_virtual_advance_does_not_wait_for_a_handle) {
  for (uint64_t sleep_ms = 0; sleep_ms <= 100; sleep_ms += 50) {
    uv_pipe_t idle;
    vow_future_t *f = NULL;
    vow_reader_t *r;
    uint64_t from_ms;
    int fds[2];
    begin();
    from_ms = vow_loop_now_ms(loop);
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(uv_pipe_init(vow_loop_uv(loop), &idle, 0), 0);
    ck_assert_int_eq(uv_pipe_open(&idle, fds[0]), 0);
    ck_assert_int_eq(vow_reader_new((uv_stream_t *)&idle, 0, &r), 0);
    vow_future_t *next = vow_reader_next(r);
    if (sleep_ms > 0) f = vow_sleep(loop, sleep_ms);
    ck_assert_int_eq(vow_loop_advance(loop, 75), 0);
    ck_assert_uint_eq(vow_loop_now_ms(loop), from_ms + 75);
    ck_assert_int_eq(vow_state(next), VOW_PENDING);
    ck_assert(f == NULL || vow_is_settled(f) == (sleep_ms <= 75));
    vow_drop(f);
    vow_drop(next);
    vow_reader_free(r);
    uv_close((uv_handle_t *)&idle, NULL);
    ck_assert_int_eq(vow_loop_run(loop), 0);
    close(fds[1]);
    done();
  }
}
END_TEST

static vow_value_t hold_clock(vow_future_t *in, void *arg) {
  (void)in;
  ck_assert_int_eq(vow_loop_hold_clock(loop, *(bool *)arg), 0);
  return vow_nil();
}

TEST(test_virtual_clock_held_or_let_go_while_advancing_stays_so) {
  for (int i = 0; i < 2; i++) {
    bool hold = i == 0;
    begin();
    uint64_t from_ms = vow_loop_now_ms(loop);
    ck_assert_int_eq(vow_loop_hold_clock(loop, !hold), 0);
    vow_future_t *f = vow_then(vow_ready(loop, vow_nil()), hold_clock, &hold);
    vow_future_t *late = vow_sleep(loop, HOUR_MS);
    ck_assert_int_eq(vow_loop_advance(loop, 100), 0);
    ck_assert_uint_eq(vow_loop_now_ms(loop), from_ms + 100);
    ck_assert_int_eq(vow_loop_run_until(loop, late), hold ? VOW_EIDLE : 0);
    vow_drop(f);
    vow_drop(late);
    done();
  }
}
END_TEST

SUITE(uv_virtual) {
  ADD(test_virtual_advance_does_not_wait_for_a_handle);
  ADD(test_virtual_clock_held_or_let_go_while_advancing_stays_so);
  ADD(test_virtual_hour_passes_at_once);
  ADD(test_virtual_timeouts_fire_in_order_of_deadline);
  ADD(test_virtual_file_request_holds_the_clock);
  ADD(test_virtual_job_in_a_thread_holds_the_clock);
  ADD(test_virtual_held_clock_moves_by_hand);
  ADD(test_virtual_advance_from_a_callback_is_refused);
  ADD(test_virtual_functions_refuse_a_real_loop);
  ADD(test_virtual_nothing_left_is_said);
  ADD(test_virtual_close_with_grace_needs_no_real_time);
  ADD(test_virtual_post_from_a_post_arrives);
  ADD(test_virtual_remote_promise_lets_the_clock_go);
}
