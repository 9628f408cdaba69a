/* SPDX-License-Identifier: MIT */
/* Pairs in memory: backpressure, halves, ends. */
#include "unit/net/stream_support.h"

TEST(test_pair_write_beyond_capacity_waits_for_the_reader) {
  duo_t d = duo_open(8);
  vow_future_t *f = vow_stream_write(d.a, "12345678", 8), *g;
  ends(f, 0);
  f = vow_stream_write(d.a, "abcd", 4);
  g = vow_stream_write(d.a, "e", 1);
  ck_assert(is_pending(f) && is_pending(g));
  ck_assert_uint_eq(vow_stream_buffered(d.b), 8);
  gives(vow_stream_read(d.b, 3), "123");
  ck_assert(is_pending(f)); /* more than half waits */
  gives(vow_stream_read(d.b, 1), "4");
  ck_assert_int_eq(vow_get_int(f), 4);
  ends(f, 0);
  ck_assert(is_pending(g));
  gives(vow_stream_read_exactly(d.b, 9), "5678abcde");
  ends(g, 0);
  duo_done(&d);
}

TEST(test_pair_large_write_goes_as_the_reader_takes_it) {
  duo_t d = duo_open(4);
  char text[1000];
  size_t got = 0;
  vow_future_t *f;
  memset(text, 'x', sizeof text);
  f = vow_stream_write(d.a, text, sizeof text);
  while (got < sizeof text) {
    vow_future_t *r = vow_stream_read(d.b, 0);
    ck_assert_int_eq(vow_status(r), 0);
    ck_assert_uint_le(vow_stream_buffered(d.b), 4);
    got += vow_bytes_length(vow_bytes_get(r));
    ck_assert_int_eq(is_pending(f), got + vow_stream_buffered(d.b) < 1000);
    vow_drop(r);
  }
  ends(f, 0);
  duo_done(&d);
}

TEST(test_pair_read_beyond_capacity_gets_what_it_needs) {
  duo_t d = duo_open(4);
  vow_future_t *f = vow_stream_read_exactly(d.b, 10);
  ends(vow_stream_write(d.a, "0123456789", 10), 0);
  gives(f, "0123456789");
  duo_done(&d);
}

/* What was welcome for a read is too much without it; the next is to get it
 * nevertheless. */
TEST(test_pair_large_read_after_a_cancelled_one_gets_all) {
  duo_t d = duo_open(4);
  vow_future_t *f = vow_stream_read_exactly(d.b, 10), *g;
  ends(vow_stream_write(d.a, "12345678", 8), 0);
  vow_cancel(f);
  vow_drop(f);
  g = vow_stream_write(d.a, "abc", 3);
  ck_assert(is_pending(g));
  gives(vow_stream_read_exactly(d.b, 11), "12345678abc");
  ends(g, 0);
  duo_done(&d);
}

TEST(test_pair_read_behind_a_cancelled_one_is_served) {
  duo_t d = duo_open(4);
  vow_future_t *large = vow_stream_read_exactly(d.b, 100);
  vow_future_t *line = vow_stream_read_line(d.b, 2);
  vow_future_t *rest = vow_stream_read_exactly(d.b, 20);
  ends(vow_stream_write(d.a, "0123456789", 10), 0);
  vow_cancel(large);
  vow_drop(vow_stream_write(d.a, "0123456789", 10));
  manual_drain(d.loop);
  ends(line, UV_EMSGSIZE);
  gives(rest, "01234567890123456789");
  vow_drop(large);
  duo_done(&d);
}

TEST(test_pair_shutdown_without_memory_may_be_tried_again) {
  duo_t d;
  fault_install();
  d = duo_on(manual_loop_probe(), 4);
  for (size_t n = 1; n <= 2; n++) { /* the cell, the entry */
    fault_fail_at(n);
    ends(vow_stream_shutdown(d.a), UV_ENOMEM);
    fault_off();
  }
  ends(vow_stream_shutdown(d.a), 0);
  ends(vow_stream_read(d.b, 0), UV_EOF);
  duo_done(&d);
  fault_remove();
}

static vow_stream_t *given_up;

static void give_up(vow_future_t *f, void *arg) {
  vow_stream_t *s = given_up;
  (void)f;
  (void)arg;
  given_up = NULL;
  vow_stream_unref(s);
}

/* Who hears of a failure that nobody saw may give either end up, at the end of
 * the stream and when it is closed. */
TEST(test_pair_given_up_while_a_read_fails_unseen) {
  for (int i = 0; i < 4; i++) {
    vow_loop_options_t options = {.on_unhandled = give_up};
    duo_t d = duo_on(manual_loop_with(&options), 0);
    given_up = i % 2 == 0 ? d.a : d.b;
    vow_detach(vow_stream_read_exactly(d.b, 10));
    vow_detach(vow_stream_read_exactly(d.b, 20));
    vow_drop(i < 2 ? vow_stream_shutdown(d.a) : vow_stream_close(d.b));
    manual_drain(d.loop);
    ck_assert_ptr_null(given_up);
    vow_stream_unref(i % 2 == 0 ? d.b : d.a);
    manual_drain(d.loop);
    manual_done(d.loop);
  }
}

TEST(test_pair_given_up_while_a_write_fails_unseen) {
  for (int i = 0; i < 2; i++) {
    vow_loop_options_t options = {.on_unhandled = give_up};
    duo_t d = duo_on(manual_loop_with(&options), 4);
    given_up = d.b;
    vow_detach(vow_stream_write(i == 0 ? d.a : d.b, "0123456789", 10));
    vow_detach(vow_stream_write(i == 0 ? d.a : d.b, "0123456789", 10));
    vow_drop(vow_stream_close(d.a));
    manual_drain(d.loop);
    ck_assert_ptr_null(given_up);
    vow_stream_unref(d.a);
    manual_drain(d.loop);
    manual_done(d.loop);
  }
}

static void close_given_up(vow_future_t *f, void *arg) {
  vow_stream_t *s = given_up;
  (void)f;
  (void)arg;
  given_up = NULL;
  if (s != NULL) vow_drop(vow_stream_close(s));
}

TEST(test_pair_writer_closed_while_its_bytes_fail_a_read_unseen) {
  vow_loop_options_t options = {.on_unhandled = close_given_up};
  duo_t d = duo_on(manual_loop_with(&options), 0);
  given_up = d.a;
  vow_detach(vow_stream_read_line(d.b, 4));
  vow_detach(vow_stream_write(d.a, "0123456789", 10));
  manual_drain(d.loop);
  ck_assert_ptr_null(given_up);
  vow_stream_unref(d.a);
  vow_stream_unref(d.b);
  manual_drain(d.loop);
  manual_done(d.loop);
}

TEST(test_pair_higher_mark_lets_writes_go) {
  duo_t d = duo_open(4);
  vow_future_t *f = vow_stream_write(d.a, "0123456789", 10);
  gives(vow_stream_read(d.b, 1), "0");
  ck_assert(is_pending(f));
  vow_stream_set_high_water(d.b, 100);
  ends(f, 0);
  gives(vow_stream_read_exactly(d.b, 9), "123456789");
  duo_done(&d);
}

TEST(test_pair_vectors_and_borrowed_bytes_arrive_in_order) {
  duo_t d = duo_open(0);
  char text[] = "borrowed";
  uv_buf_t bufs[3] = {{text, 3}, {NULL, 0}, {text + 3, 5}};
  vow_future_t *f = vow_stream_writev(d.a, bufs, 3);
  ck_assert_int_eq(vow_get_int(f), 8);
  ends(f, 0);
  ends(vow_stream_writev_borrowed(d.a, bufs, 1), 0);
  ends(vow_stream_write_borrowed(d.a, text, 8), 0);
  memset(text, '-', 8); /* it is ours again */
  gives(vow_stream_read_exactly(d.b, 19), "borrowedborborrowed");
  duo_done(&d);
}

TEST(test_pair_cancelled_write_still_goes) {
  duo_t d = duo_open(2);
  vow_future_t *f, *g;
  say(d.a, "12");
  f = vow_stream_write(d.a, "34", 2);
  g = vow_stream_write(d.a, "56", 2);
  vow_cancel(f);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_drop(g);
  gives(vow_stream_read_exactly(d.b, 6), "123456");
  duo_done(&d);
}

TEST(test_pair_shutdown_ends_one_half) {
  duo_t d = duo_open(2);
  vow_future_t *w = vow_stream_write(d.a, "abcd", 4);
  vow_future_t *f = vow_stream_shutdown(d.a);
  ck_assert(is_pending(f)); /* behind what is queued */
  ends(vow_stream_write(d.a, "x", 1), UV_EPIPE);
  ends(vow_stream_shutdown(d.a), UV_ENOTCONN);
  gives(vow_stream_read_exactly(d.b, 4), "abcd");
  ends(w, 0);
  ends(vow_stream_read(d.b, 0), UV_EOF);
  ends(f, 0);
  say(d.b, "ok"); /* the other half */
  gives(vow_stream_read(d.a, 0), "ok");
  duo_done(&d);
}

TEST(test_pair_cancelled_shutdown_still_goes) {
  duo_t d = duo_open(2);
  vow_future_t *f;
  say(d.a, "abcd");
  f = vow_stream_shutdown(d.a);
  vow_drop(f);
  gives(vow_stream_read_to_end(d.b, 10), "abcd");
  duo_done(&d);
}

TEST(test_pair_close_ends_the_other_behind_what_arrived) {
  duo_t d = duo_open(4);
  vow_future_t *w = vow_stream_write(d.a, "abcdef", 6);
  vow_future_t *v = vow_stream_write(d.b, "too late", 8);
  ends(vow_stream_close(d.a), 0);
  ends(w, VOW_ESHUTDOWN);
  ends(v, UV_EPIPE);
  gives(vow_stream_read_to_end(d.b, 10), "abcd");
  ends(vow_stream_write(d.b, "x", 1), UV_EPIPE);
  ends(vow_stream_shutdown(d.b), UV_ENOTCONN);
  duo_done(&d);
}

TEST(test_pair_reset_fails_the_other_with_the_code) {
  duo_t d = duo_open(4);
  vow_future_t *r = vow_stream_read_exactly(d.b, 6);
  vow_future_t *v = vow_stream_write(d.b, "too late", 8);
  say(d.a, "ab");
  ends(vow_stream_reset(d.a, UV_ETIMEDOUT), 0);
  fails(r, UV_ETIMEDOUT, "after 2 of 6 bytes");
  ends(v, UV_ETIMEDOUT);
  ends(vow_stream_write(d.b, "x", 1), UV_ETIMEDOUT);
  gives(vow_stream_read(d.b, 0), "ab");
  ends(vow_stream_read(d.b, 0), UV_ETIMEDOUT);
  duo_done(&d);
  d = duo_open(4);
  r = vow_stream_read(d.b, 0);
  ends(vow_stream_reset(d.a, 0), 0);
  ends(r, UV_ECONNRESET);
  duo_done(&d);
}

TEST(test_pair_unread_bytes_and_queued_writes_go_with_it) {
  duo_t d;
  fault_install();
  d = duo_open(4);
  say(d.a, "abcdefgh");
  say(d.b, "12345678");
  duo_done(&d);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_pair_unref_after_the_loop_is_closed_releases_all) {
  duo_t d;
  vow_future_t *w, *r;
  fault_install();
  d = duo_open(4);
  w = vow_stream_write(d.a, "abcdefgh", 8);
  r = vow_stream_read_exactly(d.a, 8);
  ck_assert_int_eq(vow_loop_close(d.loop, 0), 0);
  ck_assert(vow_is_cancelled(w) && vow_is_cancelled(r));
  vow_drop(w);
  vow_drop(r);
  vow_stream_unref(d.a);
  vow_stream_unref(d.b);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* A conversation in which allocation n fails: who is told tries again. */
static bool conversation(size_t n) {
  duo_t d = {NULL, NULL, NULL};
  vow_future_t *f = NULL;
  bool failed;
  int err, i;
  fault_install();
  d.loop = manual_loop_probe();
  fault_fail_at(n);
  err = vow_stream_pair(d.loop, 4, &d.a, &d.b);
  if (err != 0) err = vow_stream_pair(d.loop, 4, &d.a, &d.b);
  ck_assert_int_eq(err, 0);
  for (i = 0; i < 3; i++) {
    vow_future_t *w = vow_stream_write(d.a, "abcdef", 6);
    if (vow_status(w) == UV_ENOMEM) {
      vow_drop(w);
      w = vow_stream_write(d.a, "abcdef", 6);
    }
    f = vow_stream_read_exactly(d.b, 6);
    if (vow_status(f) == UV_ENOMEM) {
      vow_drop(f);
      f = vow_stream_read_exactly(d.b, 6);
    }
    gives(f, "abcdef");
    ends(w, 0);
  }
  f = vow_stream_shutdown(d.a);
  if (vow_status(f) == UV_ENOMEM) {
    vow_drop(f);
    f = vow_stream_shutdown(d.a);
  }
  err = vow_status(f);
  ck_assert(err == 0 || err == UV_ENOTCONN);
  vow_drop(f);
  f = vow_stream_close(d.b);
  err = vow_status(f);
  ck_assert(err == 0 || err == UV_ENOMEM);
  vow_drop(f);
  failed = fault_failed() > 0;
  fault_off();
  duo_done(&d);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_pair_out_of_memory_loses_no_byte) {
  size_t n;
  for (n = 1; conversation(n); n++) ck_assert_uint_lt(n, 100);
  ck_assert_uint_gt(n, 10);
}

SUITE(net_stream_memory) {
  ADD(test_pair_given_up_while_a_write_fails_unseen);
  ADD(test_pair_writer_closed_while_its_bytes_fail_a_read_unseen);
  ADD(test_pair_write_beyond_capacity_waits_for_the_reader);
  ADD(test_pair_large_write_goes_as_the_reader_takes_it);
  ADD(test_pair_read_beyond_capacity_gets_what_it_needs);
  ADD(test_pair_large_read_after_a_cancelled_one_gets_all);
  ADD(test_pair_read_behind_a_cancelled_one_is_served);
  ADD(test_pair_shutdown_without_memory_may_be_tried_again);
  ADD(test_pair_given_up_while_a_read_fails_unseen);
  ADD(test_pair_higher_mark_lets_writes_go);
  ADD(test_pair_vectors_and_borrowed_bytes_arrive_in_order);
  ADD(test_pair_cancelled_write_still_goes);
  ADD(test_pair_shutdown_ends_one_half);
  ADD(test_pair_cancelled_shutdown_still_goes);
  ADD(test_pair_close_ends_the_other_behind_what_arrived);
  ADD(test_pair_reset_fails_the_other_with_the_code);
  ADD(test_pair_unread_bytes_and_queued_writes_go_with_it);
  ADD(test_pair_unref_after_the_loop_is_closed_releases_all);
  ADD(test_pair_out_of_memory_loses_no_byte);
}
