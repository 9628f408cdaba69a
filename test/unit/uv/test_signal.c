/* SPDX-License-Identifier: MIT */
/* Signals of the operating system. */
#include <vow/signal.h>

#include "support/manual.h"
#include "check/shim/shim.h"
#include "unit/uv/uv_support.h"

#include <signal.h>

TEST(test_signal_once_gives_the_number) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_signal_once(loop, SIGUSR1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(raise(SIGUSR1), 0);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), SIGUSR1);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_signal_once_dropped_or_closed_leaves_nothing) {
  vow_loop_t *loop;
  vow_future_t *f;
  fault_install();
  loop = loop_open_probe();
  vow_drop(vow_signal_once(loop, SIGUSR1));
  f = vow_signal_once(loop, SIGUSR2);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_signal_once_cancelled_after_it_came_keeps_it) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_signal_once(loop, SIGUSR1);
  raise(SIGUSR1);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_get_int(f), SIGUSR1);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_signal_next_serves_in_order_and_merges) {
  vow_loop_t *loop = loop_open();
  vow_signal_t *s = NULL;
  vow_future_t *a, *b;
  vow_future_t *alive = vow_sleep(loop, 100000); /* so that turns happen */
  ck_assert_int_eq(vow_signal_new(loop, SIGUSR1, &s), 0);
  a = vow_signal_next(s);
  b = vow_signal_next(s);
  raise(SIGUSR1);
  ck_assert_int_eq(settle(loop, a), 0);
  ck_assert_int_eq(vow_get_int(a), SIGUSR1);
  ck_assert_int_eq(vow_state(b), VOW_PENDING);
  raise(SIGUSR1);
  ck_assert_int_eq(settle_drop(loop, b), 0);
  vow_drop(a);
  /* Twice while nobody asks: one waits. */
  raise(SIGUSR1);
  turns(loop, 2);
  raise(SIGUSR1);
  turns(loop, 2);
  a = vow_signal_next(s);
  ck_assert_int_eq(vow_status(a), 0);
  vow_drop(a);
  a = vow_signal_next(s);
  turns(loop, 2);
  ck_assert_int_eq(vow_state(a), VOW_PENDING);
  vow_drop(a);
  vow_drop(alive);
  vow_signal_free(s);
  loop_done(loop);
}

TEST(test_signal_keeps_the_loop_alive_only_while_a_next_pends) {
  vow_loop_t *loop = loop_open();
  vow_signal_t *s = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_signal_new(loop, SIGUSR1, &s), 0);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  f = vow_signal_next(s);
  ck_assert(uv_loop_alive(vow_loop_uv(loop)));
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  vow_signal_free(s);
  loop_done(loop);
}

TEST(test_signal_free_fails_pending_nexts) {
  vow_loop_t *loop = loop_open();
  vow_signal_t *s = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_signal_new(loop, SIGUSR1, &s), 0);
  f = vow_signal_next(s);
  vow_signal_free(s);
  vow_signal_free(NULL);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_rule_22_close_with_a_signal_names_it) {
  vow_loop_t *loop = loop_open();
  vow_signal_t *s = NULL;
  ck_assert_int_eq(vow_signal_new(loop, SIGUSR1, &s), 0);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  vow_signal_free(s);
  loop_done(loop);
}

TEST(test_signal_on_an_attached_loop_may_be_freed_after_close) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  vow_signal_t *s = NULL;
  vow_future_t *f;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  ck_assert_int_eq(vow_signal_new(loop, SIGUSR1, &s), 0);
  f = vow_signal_next(s);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_signal_free(s);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

TEST(test_signal_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open(), *manual = manual_loop();
  vow_signal_t *s = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_signal_new(NULL, SIGUSR1, &s), UV_EINVAL);
  ck_assert_int_eq(vow_signal_new(loop, SIGUSR1, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_signal_new(manual, SIGUSR1, &s), UV_ENOTSUP);
  ck_assert_int_eq(vow_signal_new(loop, SIGKILL, &s), UV_EINVAL);
  ck_assert_int_eq(vow_signal_new(loop, 0, &s), UV_EINVAL);
  ck_assert_ptr_null(s);
  f = vow_signal_next(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = vow_signal_once(loop, SIGKILL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = vow_signal_once(manual, SIGUSR1);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  vow_drop(f);
  manual_done(manual);
  loop_done(loop);
}

TEST(test_signal_out_of_memory_gives_enomem) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    vow_loop_t *loop;
    vow_signal_t *s = NULL;
    vow_future_t *f = NULL;
    int err;
    ck_assert_uint_lt(n, 20);
    fault_install();
    loop = loop_open_probe();
    fault_fail_at(n);
    err = vow_signal_new(loop, SIGUSR1, &s);
    if (err == 0) {
      f = vow_signal_next(s);
      err = vow_is_settled(f) ? vow_status(f) : 0;
      vow_drop(f);
    }
    if (err == 0) {
      f = vow_signal_once(loop, SIGUSR1);
      err = vow_is_settled(f) ? vow_status(f) : 0;
      vow_drop(f);
    }
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_int_eq(err, failed ? UV_ENOMEM : 0);
    vow_signal_free(s);
    loop_done(loop);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 3);
}

TEST(test_signal_once_whose_handle_cannot_be_made_gives_the_error) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f;
  vow__shim_on();
  vow__shim_fail("uv_signal_init", 1, UV_EMFILE);
  f = vow_signal_once(loop, SIGUSR1);
  vow__shim_off();
  ck_assert_int_eq(vow_status(f), UV_EMFILE);
  vow_drop(f);
  loop_done(loop);
}

SUITE(uv_signal) {
  ADD(test_signal_once_gives_the_number);
  ADD(test_signal_once_dropped_or_closed_leaves_nothing);
  ADD(test_signal_once_cancelled_after_it_came_keeps_it);
  ADD(test_signal_next_serves_in_order_and_merges);
  ADD(test_signal_keeps_the_loop_alive_only_while_a_next_pends);
  ADD(test_signal_free_fails_pending_nexts);
  ADD(test_rule_22_close_with_a_signal_names_it);
  ADD(test_signal_on_an_attached_loop_may_be_freed_after_close);
  ADD(test_signal_bad_arguments_give_codes);
  ADD(test_signal_out_of_memory_gives_enomem);
  ADD(test_signal_once_whose_handle_cannot_be_made_gives_the_error);
}
