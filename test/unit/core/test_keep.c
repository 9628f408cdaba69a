/* SPDX-License-Identifier: MIT */
/* vow_keep, and the small conveniences: a wait without a value, a typed read
 * of a value. */
#include "support/fault.h"
#include "support/manual.h"
#include "support/test.h"

#include <string.h>
#include <uv.h>
#include <vow.h>

static void count_drop(void *arg) {
  ++*(int *)arg;
}

static vow_value_t expect_dropped(vow_future_t *in, void *arg) {
  (void)in;
  ck_assert_int_eq(*(int *)arg, 1); /* before anything downstream */
  return vow_int(5);
}

TEST(test_keep_success_passes_and_drops_before_downstream) {
  vow_loop_t *loop = manual_loop();
  int drops = 0;
  vow_future_t *f = vow_keep(vow_ready(loop, vow_int(3)), &drops, count_drop);
  f = vow_then(f, expect_dropped, &drops);
  ck_assert_int_eq(drops, 0);
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), 5);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_keep_failure_and_cancel_drop_once) {
  vow_loop_t *loop = manual_loop();
  int drops = 0;
  vow_future_t *f =
      vow_keep(vow_ready(loop, vow_fail(UV_EIO)), &drops, count_drop);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), UV_EIO);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  vow_drop(vow_keep(vow_never(loop), &drops, count_drop));
  manual_drain(loop);
  ck_assert_int_eq(drops, 2);
  manual_done(loop);
}

TEST(test_keep_null_and_no_memory_drop_once) {
  vow_loop_t *loop;
  vow_future_t *f, *source;
  int drops = 0;
  fault_install();
  loop = manual_loop_probe();
  f = vow_keep(NULL, &drops, count_drop);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  ck_assert_int_eq(drops, 1);
  source = vow_ready(loop, vow_int(1));
  fault_fail_from(1);
  f = vow_keep(source, &drops, count_drop);
  fault_off();
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  ck_assert_int_eq(drops, 2);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_await_without_a_value_gives_the_code) {
  vow_loop_t *loop = manual_loop();
  ck_assert_int_eq(vow_await_blocking(vow_sleep(loop, 5), NULL), 0);
  ck_assert_int_eq(
      vow_await_blocking(vow_ready(loop, vow_string("gone")), NULL), 0);
  ck_assert_int_eq(vow_await_blocking(vow_ready(loop, vow_fail(UV_EIO)), NULL),
                   UV_EIO);
  ck_assert_int_eq(vow_await_blocking(NULL, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_await_blocking(vow_never(loop), NULL), VOW_EIDLE);
  manual_drain(loop);
  manual_done(loop);
}

TEST(test_value_get_reads_its_type_only) {
  vow_value_t v = vow_string("text");
  ck_assert_str_eq(vow_value_get(v, &vow_type_string), "text");
  ck_assert_ptr_null(vow_value_get(v, &vow_type_list));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "'string'"));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), vow_type_list.name));
  ck_assert_ptr_null(vow_value_get(vow_nil(), NULL));
  vow_value_destroy(v);
}

SUITE(core_keep) {
  ADD(test_keep_success_passes_and_drops_before_downstream);
  ADD(test_keep_failure_and_cancel_drop_once);
  ADD(test_keep_null_and_no_memory_drop_once);
  ADD(test_await_without_a_value_gives_the_code);
  ADD(test_value_get_reads_its_type_only);
}
