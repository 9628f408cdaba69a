/* SPDX-License-Identifier: MIT */
/* Tasks under tokens: the reason that their awaits give. */
#include "unit/core/helpers.h"

#include <vow/gather.h>
#include <vow/task.h>

static vow_loop_t *loop;

static vow_value_t wait_long(void *arg) {
  int *code = arg;
  vow_value_t v = vow_await(vow_sleep(vow_task_loop(), 1000));
  *code = vow_value_code(v);
  return v;
}

TEST(test_token_reason_reaches_the_awaits_of_a_task) { /* Rule 17 */
  int code[2] = {0, 0};
  loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *both = vow_gather_of(loop, vow_go(loop, wait_long, &code[0]),
                                     vow_go(loop, wait_long, &code[1]));
  vow_future_t *f = vow_with_token(both, t);
  manual_drain(loop);
  vow_token_cancel(t, UV_ECONNABORTED);
  manual_drain(loop);
  ck_assert_int_eq(code[0], UV_ECONNABORTED);
  ck_assert_int_eq(code[1], UV_ECONNABORTED);
  ck_assert_int_eq(vow_status(f), UV_ECONNABORTED);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_token_free(t);
  manual_done(loop);
}
END_TEST

TEST(test_token_deadline_is_a_cancellation_inside) {
  int code = 0;
  loop = manual_loop();
  vow_token_t *parent = vow_token_new(loop);
  vow_token_t *t = vow_token_deadline(parent, 10);
  vow_future_t *f = vow_with_token(vow_go(loop, wait_long, &code), t);
  manual_advance(loop, 10);
  ck_assert_int_eq(code, UV_ECANCELED);
  ck_assert_int_eq(vow_status(f), UV_ETIMEDOUT);
  vow_drop(f);
  vow_token_free(t);
  vow_token_free(parent);
  manual_done(loop);
}
END_TEST

TEST(test_token_cancelled_before_ends_a_task_unbegun) { /* Rule 18 */
  int code = 0;
  loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_token_cancel(t, UV_ECONNABORTED);
  vow_future_t *f = vow_with_token(vow_go(loop, wait_long, &code), t);
  vow_future_t *other = vow_go(loop, wait_long, &code);
  manual_drain(loop);
  ck_assert_int_eq(code, 0);
  ck_assert_int_eq(vow_status(f), UV_ECONNABORTED);
  vow_cancel(other); /* of no token */
  manual_drain(loop);
  ck_assert_int_eq(code, UV_ECANCELED);
  vow_drop(other);
  vow_drop(f);
  vow_token_free(t);
  manual_done(loop);
}
END_TEST

SUITE(task_token) {
  ADD(test_token_reason_reaches_the_awaits_of_a_task);
  ADD(test_token_deadline_is_a_cancellation_inside);
  ADD(test_token_cancelled_before_ends_a_task_unbegun);
}
