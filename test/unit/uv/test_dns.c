/* SPDX-License-Identifier: MIT */
/* Resolving names; nothing here asks a server. */
#include <vow/dns.h>
#include <vow/work.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

TEST(test_getaddrinfo_numeric_host_gives_its_address) {
  vow_loop_t *loop = loop_open();
  struct addrinfo hints, *list;
  vow_future_t *f;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  f = vow_getaddrinfo(loop, "127.0.0.1", "8080", &hints);
  ck_assert_int_eq(settle(loop, f), 0);
  list = vow_addrinfo_get(f);
  ck_assert_ptr_nonnull(list);
  ck_assert_int_eq(list->ai_family, AF_INET);
  ck_assert_int_eq(
      ntohs(((struct sockaddr_in *)(void *)list->ai_addr)->sin_port), 8080);
  list = vow_addrinfo_take(f);
  vow_drop(f);
  ck_assert_ptr_nonnull(list);
  uv_freeaddrinfo(list);
  loop_done(loop);
}

TEST(test_getaddrinfo_unknown_host_fails_and_names_it) {
  vow_loop_t *loop = loop_open();
  struct addrinfo hints;
  vow_future_t *f;
  memset(&hints, 0, sizeof hints);
  hints.ai_flags = AI_NUMERICHOST; /* so that no server is asked */
  f = vow_getaddrinfo(loop, "no.such.host", NULL, &hints);
  ck_assert_int_eq(settle(loop, f), UV_EAI_NONAME);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "getaddrinfo no.such.host: "));
  vow_drop(f);
  loop_done(loop);
}

TEST(test_getaddrinfo_bad_arguments_give_einval) {
  vow_loop_t *loop = loop_open();
  char longest[2000];
  vow_future_t *f = vow_getaddrinfo(loop, NULL, NULL, NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = vow_getaddrinfo(NULL, "a", NULL, NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_ptr_nonnull(vow_error_message(vow_error(f)));
  vow_drop(f);
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  f = vow_getaddrinfo(loop, longest, NULL, NULL);
  ck_assert_int_lt(settle(loop, f), 0);
  vow_drop(f);
  loop_done(loop);
}

static vow_value_t block(void *arg) {
  uv_sem_wait(arg);
  return vow_nil();
}

TEST(test_getaddrinfo_cancelled_while_queued_is_a_cancellation) {
  vow_loop_t *loop = loop_open();
  uv_sem_t go;
  vow_future_t *blockers[4], *f;
  int i;
  uv_sem_init(&go, 0);
  for (i = 0; i < 4; i++) blockers[i] = vow_queue_work(loop, block, &go);
  f = vow_getaddrinfo(loop, "127.0.0.1", NULL, NULL);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  ck_assert_int_eq(vow_status(f), UV_ECANCELED);
  vow_drop(f);
  for (i = 0; i < 4; i++) uv_sem_post(&go);
  for (i = 0; i < 4; i++) ck_assert_int_eq(settle_drop(loop, blockers[i]), 0);
  uv_sem_destroy(&go);
  loop_done(loop);
}

TEST(test_getaddrinfo_on_a_manual_loop_gives_enotsup) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_getaddrinfo(loop, "127.0.0.1", NULL, NULL);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "getaddrinfo: the loop does not run on libuv");
  vow_drop(f);
  ck_assert_ptr_null(vow_loop_uv(loop));
  manual_done(loop);
}

SUITE(uv_dns) {
  ADD(test_getaddrinfo_numeric_host_gives_its_address);
  ADD(test_getaddrinfo_unknown_host_fails_and_names_it);
  ADD(test_getaddrinfo_bad_arguments_give_einval);
  ADD(test_getaddrinfo_cancelled_while_queued_is_a_cancellation);
  ADD(test_getaddrinfo_on_a_manual_loop_gives_enotsup);
}
