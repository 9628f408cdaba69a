/* SPDX-License-Identifier: MIT */
/* The shim before libuv, by itself: what it counts, fails and reports. */
#include "check/shim/shim.h"

#include <vow/dns.h>

#include "unit/uv/uv_support.h"

#include <fcntl.h>
#include <unistd.h>

static int stat_root(void) {
  uv_fs_t req;
  int err = uv_fs_stat(NULL, &req, "/", NULL);
  uv_fs_req_cleanup(&req);
  return err;
}

TEST(test_shim_off_changes_and_counts_nothing) {
  vow__shim_on();
  vow__shim_fail_from("uv_fs_stat", 1, UV_EIO);
  vow__shim_off();
  ck_assert_int_eq(stat_root(), 0);
  ck_assert_uint_eq(vow__shim_count("uv_fs_stat"), 0);
  ck_assert_uint_eq(vow__shim_hits(), 0);
}

TEST(test_shim_fails_the_nth_call_of_a_name) {
  vow__shim_on();
  ck_assert_int_eq(stat_root(), 0);
  vow__shim_fail("uv_fs_stat", 2, UV_EIO);
  vow__shim_fail("uv_fs_lstat", 1, UV_EACCES); /* another one */
  ck_assert_int_eq(stat_root(), 0);
  ck_assert_int_eq(stat_root(), UV_EIO);
  ck_assert_int_eq(stat_root(), 0);
  ck_assert_uint_eq(vow__shim_count("uv_fs_stat"), 3);
  ck_assert_uint_eq(vow__shim_hits(), 1);
  vow__shim_fail_from("uv_fs_stat", 2, UV_ENOENT);
  ck_assert_int_eq(stat_root(), 0);
  ck_assert_int_eq(stat_root(), UV_ENOENT);
  ck_assert_int_eq(stat_root(), UV_ENOENT);
  vow__shim_off();
}

TEST(test_shim_without_a_name_means_all) {
  vow__shim_on();
  vow__shim_fail(NULL, 2, UV_EIO);
  ck_assert_int_eq(stat_root(), 0);
  ck_assert_int_eq(stat_root(), UV_EIO);
  ck_assert_uint_eq(vow__shim_count(NULL), 2);
  vow__shim_off();
}

/* ---- callbacks ----------------------------------------------------------- */

static ssize_t result;

static void on_open(uv_fs_t *req) {
  result = req->result;
  uv_fs_req_cleanup(req);
}

TEST(test_shim_reports_to_the_callback_and_undoes) {
  uv_loop_t uv;
  uv_fs_t req;
  vow__shim_on();
  vow__shim_report("uv_fs_open", 2, UV_EMFILE);
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(uv_fs_open(&uv, &req, "/", O_RDONLY, 0, on_open), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_ge((int)result, 0);
  close((int)result);
  ck_assert_int_eq(uv_fs_open(&uv, &req, "/", O_RDONLY, 0, on_open), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq((int)result, UV_EMFILE);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
  ck_assert_uint_eq(vow__shim_hits(), 1);
  vow__shim_off();
}

TEST(test_shim_short_transfers_are_cut) {
  char text[16];
  uv_buf_t bufs[2] = {{text, 0}, {text, sizeof text}};
  uv_fs_t req;
  int fds[2];
  ck_assert_int_eq(pipe(fds), 0);
  vow__shim_on();
  vow__shim_short_writes(3);
  vow__shim_short_reads(2);
  memset(text, 'x', sizeof text);
  ck_assert_int_eq(uv_fs_write(NULL, &req, fds[1], bufs, 2, -1, NULL), 3);
  uv_fs_req_cleanup(&req);
  ck_assert_int_eq(uv_fs_read(NULL, &req, fds[0], bufs, 2, -1, NULL), 2);
  uv_fs_req_cleanup(&req);
  vow__shim_off();
  ck_assert_int_eq(uv_fs_read(NULL, &req, fds[0], bufs, 2, -1, NULL), 1);
  uv_fs_req_cleanup(&req);
  close(fds[0]);
  close(fds[1]);
}

static struct addrinfo *answer;

static void on_answer(uv_getaddrinfo_t *req, int status,
                      struct addrinfo *list) {
  (void)req;
  ck_assert_int_eq(status, 0);
  answer = list;
}

TEST(test_shim_answers_for_names) {
  struct sockaddr_in a = local_addr(1), b = local_addr(2);
  const struct sockaddr *addrs[2] = {(const struct sockaddr *)&a,
                                     (const struct sockaddr *)&b};
  uv_getaddrinfo_t req;
  uv_loop_t uv;
  vow__shim_on();
  vow__shim_resolve(2, addrs);
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(
      uv_getaddrinfo(&uv, &req, on_answer, "no.such.name", "http", NULL), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(memcmp(answer->ai_addr, &a, sizeof a), 0);
  ck_assert_int_eq(memcmp(answer->ai_next->ai_addr, &b, sizeof b), 0);
  ck_assert_ptr_null(answer->ai_next->ai_next);
  uv_freeaddrinfo(answer);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
  vow__shim_off();
}

TEST(test_shim_answers_of_another_family_are_no_answer) {
  struct sockaddr_in a = local_addr(1);
  const struct sockaddr *addrs[1] = {(const struct sockaddr *)&a};
  struct addrinfo hints = {.ai_family = AF_INET6};
  vow_loop_t *loop = loop_open();
  vow__shim_on();
  vow__shim_resolve(1, addrs);
  ck_assert_int_eq(settle_drop(loop, vow_getaddrinfo(loop, "a", NULL, &hints)),
                   UV_EAI_NONAME);
  vow__shim_off();
  loop_done(loop);
}

TEST(test_shim_short_write_of_nothing_writes_nothing) {
  vow_loop_t *loop = loop_open();
  FILE *file = tmpfile();
  vow_future_t *f;
  ck_assert_ptr_nonnull(file);
  vow__shim_on();
  vow__shim_short_writes(3);
  f = vow_fs_write(loop, fileno(file), "x", 0, 0);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 0);
  vow_drop(f);
  vow__shim_off();
  fclose(file);
  loop_done(loop);
}

/* Stops at an error, as libuv never calls again what has stopped. */
static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags) {
  int *calls = udp->data;
  (void)buf;
  (void)flags;
  if (n == 0 && from == NULL) return;
  ++*calls;
  if (n < 0) uv_udp_recv_stop(udp);
}

static void lend_room(uv_handle_t *handle, size_t n, uv_buf_t *buf) {
  static char room[65536];
  (void)handle;
  (void)n;
  *buf = uv_buf_init(room, sizeof room);
}

TEST(test_shim_calls_nothing_that_has_stopped) {
  struct sockaddr_in addr = local_addr(0);
  int length = sizeof addr, calls = 0;
  uv_buf_t buf = uv_buf_init("x", 1);
  uv_udp_t udp;
  uv_loop_t uv;
  vow__shim_on();
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(uv_udp_init(&uv, &udp), 0);
  udp.data = &calls;
  ck_assert_int_eq(uv_udp_bind(&udp, (struct sockaddr *)&addr, 0), 0);
  uv_udp_getsockname(&udp, (struct sockaddr *)&addr, &length);
  vow__shim_report("uv_udp_recv_start", 1, UV_EIO);
  ck_assert_int_eq(uv_udp_recv_start(&udp, lend_room, on_datagram), 0);
  ck_assert_int_eq(uv_udp_try_send(&udp, &buf, 1, (struct sockaddr *)&addr), 1);
  for (int i = 0; i < 5; i++) uv_run(&uv, UV_RUN_NOWAIT);
  ck_assert_int_eq(calls, 1);
  uv_close((uv_handle_t *)&udp, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
  vow__shim_off();
}

SUITE(check_shim) {
  ADD(test_shim_answers_of_another_family_are_no_answer);
  ADD(test_shim_short_write_of_nothing_writes_nothing);
  ADD(test_shim_calls_nothing_that_has_stopped);
  ADD(test_shim_off_changes_and_counts_nothing);
  ADD(test_shim_fails_the_nth_call_of_a_name);
  ADD(test_shim_without_a_name_means_all);
  ADD(test_shim_reports_to_the_callback_and_undoes);
  ADD(test_shim_short_transfers_are_cut);
  ADD(test_shim_answers_for_names);
}
