/* SPDX-License-Identifier: MIT */
/* From an address to its names; nothing here asks a server. The request's
 * common situations are in the table. */
#include <netdb.h>
#include <vow/dns.h>
#include <vow/work.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

#define DIGITS (NI_NUMERICHOST | NI_NUMERICSERV)

static vow_future_t *names_of(vow_loop_t *loop, int flags) {
  struct sockaddr_in addr = local_addr(8080);
  return vow_getnameinfo(loop, (const struct sockaddr *)&addr, flags);
}

TEST(test_getnameinfo_in_digits_gives_host_and_port) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = names_of(loop, DIGITS);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_str_eq(vow_nameinfo_get(f)->host, "127.0.0.1");
  ck_assert_str_eq(vow_nameinfo_get(f)->service, "8080");
  vow_drop(f);
  loop_done(loop);
}

TEST(test_getnameinfo_of_ipv6_in_digits) {
  vow_loop_t *loop = loop_open();
  struct sockaddr_in6 addr;
  vow_future_t *f;
  uv_ip6_addr("::1", 1, &addr);
  f = vow_getnameinfo(loop, (const struct sockaddr *)&addr, DIGITS);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_str_eq(vow_nameinfo_get(f)->host, "::1");
  ck_assert_str_eq(vow_nameinfo_get(f)->service, "1");
  vow_drop(f);
  loop_done(loop);
}

TEST(test_getnameinfo_bad_flags_fail_and_name_the_address) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = names_of(loop, 1 << 30);
  ck_assert_int_eq(settle(loop, f), UV_EAI_BADFLAGS);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "getnameinfo 127.0.0.1:8080: "));
  vow_drop(f);
  loop_done(loop);
}

TEST(test_getnameinfo_bad_arguments_give_clear_failures) {
  vow_loop_t *loop = loop_open(), *manual = manual_loop();
  struct sockaddr other;
  vow_future_t *f = vow_getnameinfo(loop, NULL, 0);
  memset(&other, 0, sizeof other);
  other.sa_family = AF_UNIX;
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = vow_getnameinfo(loop, &other, 0);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = names_of(NULL, 0);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = names_of(manual, 0);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  vow_drop(f);
  manual_done(manual);
  loop_done(loop);
}

static vow_value_t block(void *arg) {
  uv_sem_wait(arg);
  return vow_nil();
}

TEST(test_getnameinfo_cancelled_while_queued_is_a_cancellation) {
  vow_loop_t *loop = loop_open();
  uv_sem_t go;
  vow_future_t *blockers[4], *f;
  int i;
  uv_sem_init(&go, 0);
  for (i = 0; i < 4; i++) blockers[i] = vow_queue_work(loop, block, &go);
  f = names_of(loop, DIGITS);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  for (i = 0; i < 4; i++) uv_sem_post(&go);
  for (i = 0; i < 4; i++) ck_assert_int_eq(settle_drop(loop, blockers[i]), 0);
  uv_sem_destroy(&go);
  loop_done(loop);
}

SUITE(uv_nameinfo) {
  ADD(test_getnameinfo_in_digits_gives_host_and_port);
  ADD(test_getnameinfo_of_ipv6_in_digits);
  ADD(test_getnameinfo_bad_flags_fail_and_name_the_address);
  ADD(test_getnameinfo_bad_arguments_give_clear_failures);
  ADD(test_getnameinfo_cancelled_while_queued_is_a_cancellation);
}
