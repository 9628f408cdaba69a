/* SPDX-License-Identifier: MIT */
/* Writing to streams, and shutting them down. */
#include "unit/uv/uv_support.h"

#include <signal.h>

static vow_reader_t *reader_on(uv_tcp_t *tcp, size_t high_water_bytes) {
  vow_reader_t *r = NULL;
  ck_assert_int_eq(vow_reader_new(stream_of(tcp), high_water_bytes, &r), 0);
  return r;
}

/* ---- writing ------------------------------------------------------------- */

TEST(test_write_that_fits_has_settled_on_return) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_future_t *f = write_text(p.a, "hello");
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  ck_assert_int_eq(vow_get_int(f), 5);
  ck_assert_uint_eq(p.a->write_queue_size, 0);
  vow_drop(f);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_write_of_nothing_gives_0) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_future_t *f = vow_write(stream_of(p.a), NULL, 0);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_get_int(f), 0);
  vow_drop(f);
  f = write_text(p.a, "");
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  pair_close(&p);
  loop_done(loop);
}

/* Reads until n bytes came, and checks that byte i is (char)(i / 7). */
static void read_pattern(vow_loop_t *loop, vow_reader_t *r, size_t n) {
  size_t at = 0;
  while (at < n) {
    vow_future_t *f = vow_reader_next(r);
    vow_bytes_t *b;
    size_t i, wrong = 0;
    ck_assert_int_eq(settle(loop, f), 0);
    b = vow_bytes_get(f);
    ck_assert_uint_gt(vow_bytes_length(b), 0);
    for (i = 0; i < vow_bytes_length(b); i++, at++)
      wrong += vow_bytes_data(b)[i] != (char)(at / 7);
    ck_assert_uint_eq(wrong, 0);
    vow_drop(f);
  }
  ck_assert_uint_eq(at, n);
}

static char *pattern(size_t n) {
  char *data = malloc(n);
  size_t i;
  ck_assert_ptr_nonnull(data);
  for (i = 0; i < n; i++) data[i] = (char)(i / 7);
  return data;
}

#define BIG ((size_t)800000)

TEST(test_write_larger_than_the_socket_keeps_content_and_order) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  char *data = pattern(BIG);
  uv_buf_t bufs[3];
  vow_future_t *first, *second;
  bufs[0] = uv_buf_init(data, 7);
  bufs[1] = uv_buf_init(data + 7, 0);
  bufs[2] = uv_buf_init(data + 7, (unsigned)(BIG / 2 - 7));
  first = vow_write(stream_of(p.a), bufs, 3);
  ck_assert_int_eq(vow_state(first), VOW_PENDING);
  /* Queued behind the first, though a part of it might fit by now. */
  bufs[0] = uv_buf_init(data + BIG / 2, (unsigned)(BIG - BIG / 2));
  second = vow_write(stream_of(p.a), bufs, 1);
  ck_assert_int_eq(vow_state(second), VOW_PENDING);
  memset(data, 'x', BIG); /* ours again: what was queued is a copy */
  read_pattern(loop, r, BIG);
  ck_assert_int_eq(settle(loop, first), 0);
  ck_assert_int_eq(vow_get_int(first), (int64_t)(BIG / 2));
  ck_assert_int_eq(settle(loop, second), 0);
  vow_drop(first);
  vow_drop(second);
  free(data);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_write_borrowed_larger_than_the_socket_arrives) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  char *data = pattern(BIG);
  uv_buf_t bufs[40];
  size_t piece = BIG / 40;
  vow_future_t *f;
  size_t i;
  for (i = 0; i < 40; i++)
    bufs[i] = uv_buf_init(data + i * piece, (unsigned)piece);
  f = vow_write_borrowed(stream_of(p.a), bufs, 40);
  memset(bufs, 0, sizeof bufs); /* the array itself is not borrowed */
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  read_pattern(loop, r, BIG);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), (int64_t)BIG);
  vow_drop(f);
  free(data);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_write_cancelled_is_still_sent) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  char *data = pattern(BIG);
  uv_buf_t buf = uv_buf_init(data, (unsigned)BIG);
  vow_drop(vow_write(stream_of(p.a), &buf, 1));
  free(data);
  read_pattern(loop, r, BIG);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_write_bad_arguments_give_clear_failures) {
  vow_loop_t *loop = loop_open();
  uv_loop_t other;
  uv_tcp_t raw;
  uv_buf_t buf = uv_buf_init(NULL, 0);
  vow_future_t *f;
  f = vow_write(NULL, &buf, 1);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "write: the handle is NULL");
  vow_drop(f);
  uv_loop_init(&other);
  uv_tcp_init(&other, &raw);
  f = vow_write(stream_of(&raw), &buf, 1);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "write: no vow loop"));
  vow_drop(f);
  uv_close(handle_of(&raw), NULL);
  uv_run(&other, UV_RUN_DEFAULT);
  uv_loop_close(&other);

  uv_tcp_t *tcp = NULL;
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  f = vow_write(stream_of(tcp), NULL, 1);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = write_text(tcp, "not connected");
  ck_assert_int_eq(vow_status(f), UV_EBADF);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "write: "));
  vow_drop(f);
  vow_future_t *closing = vow_close(handle_of(tcp));
  f = write_text(tcp, "closing");
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  ck_assert_int_eq(settle_drop(loop, closing), 0);
  vow_tcp_free(tcp);
  loop_done(loop);
}

TEST(test_write_to_a_reset_peer_fails) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  int err = 0, i;
  signal(SIGPIPE, SIG_IGN); /* as every program on libuv has to */
  vow_tcp_free(p.b);
  p.b = NULL;
  turns(loop, 2);
  for (i = 0; i < 100 && err == 0; i++) {
    err = settle_drop(loop, write_text(p.a, "into the void"));
    turns(loop, 1);
  }
  ck_assert(err == UV_EPIPE || err == UV_ECONNRESET);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_write_pending_when_closed_fails_with_eshutdown) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  char *data = pattern(BIG);
  uv_buf_t buf = uv_buf_init(data, (unsigned)BIG);
  vow_future_t *f = vow_write_borrowed(stream_of(p.a), &buf, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_tcp_free(p.a);
  p.a = NULL;
  ck_assert_int_eq(settle_drop(loop, f), VOW_ESHUTDOWN);
  free(data);
  pair_close(&p);
  loop_done(loop);
}

/* ---- shutting down ------------------------------------------------------- */

TEST(test_shutdown_gives_the_peer_eof) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_future_t *f;
  vow_drop(write_text(p.a, "last"));
  ck_assert_int_eq(settle_drop(loop, vow_shutdown(stream_of(p.a))), 0);
  f = vow_reader_next(r);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_bytes(f, "last");
  vow_drop(f);
  ck_assert_int_eq(settle_drop(loop, vow_reader_next(r)), UV_EOF);
  /* And ever after, at once. */
  f = vow_reader_next(r);
  ck_assert_int_eq(vow_status(f), UV_EOF);
  vow_drop(f);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_shutdown_of_an_unconnected_handle_fails) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *tcp = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  f = vow_shutdown(stream_of(tcp));
  ck_assert_int_eq(vow_status(f), UV_ENOTCONN);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "shutdown"));
  vow_drop(f);
  f = vow_shutdown(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  vow_tcp_free(tcp);
  loop_done(loop);
}

SUITE(uv_write) {
  ADD(test_write_that_fits_has_settled_on_return);
  ADD(test_write_of_nothing_gives_0);
  ADD(test_write_larger_than_the_socket_keeps_content_and_order);
  ADD(test_write_borrowed_larger_than_the_socket_arrives);
  ADD(test_write_cancelled_is_still_sent);
  ADD(test_write_bad_arguments_give_clear_failures);
  ADD(test_write_to_a_reset_peer_fails);
  ADD(test_write_pending_when_closed_fails_with_eshutdown);
  ADD(test_shutdown_gives_the_peer_eof);
  ADD(test_shutdown_of_an_unconnected_handle_fails);
}
