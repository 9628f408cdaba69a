/* SPDX-License-Identifier: MIT */
/* Copying between streams: from d.b, which reads what is written to d.a, to
 * e.a, which is read from e.b. */
#include <vow/debug.h>

#include "unit/net/stream_support.h"

typedef struct line {
  duo_t d;
  duo_t e;
} line_t;

static line_t line_open(size_t capacity_bytes) {
  line_t l;
  l.d = duo_open(capacity_bytes);
  l.e = duo_on(l.d.loop, capacity_bytes);
  return l;
}

static void line_done(line_t *l) {
  vow_stream_unref(l->e.a);
  vow_stream_unref(l->e.b);
  duo_done(&l->d);
}

static void copied(line_t *l, vow_future_t *f, int64_t n) {
  manual_drain(l->d.loop);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_get_int(f), n);
  vow_drop(f);
}

TEST(test_copy_goes_on_until_the_end) {
  line_t l = line_open(0);
  vow_future_t *f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  say(l.d.a, "one ");
  manual_drain(l.d.loop);
  gives(vow_stream_read(l.e.b, 0), "one ");
  say(l.d.a, "two ");
  say(l.d.a, "three");
  ends(vow_stream_shutdown(l.d.a), 0);
  copied(&l, f, 13);
  gives(vow_stream_read_exactly(l.e.b, 9), "two three");
  say(l.e.a, "!"); /* it is not shut down */
  gives(vow_stream_read(l.e.b, 0), "!");
  line_done(&l);
}

TEST(test_copy_stops_at_the_limit) {
  line_t l = line_open(0);
  say(l.d.a, "abcdef");
  copied(&l, vow_stream_copy(l.d.b, l.e.a, 0), 0);
  copied(&l, vow_stream_copy(l.d.b, l.e.a, 4), 4);
  gives(vow_stream_read(l.e.b, 0), "abcd");
  gives(vow_stream_read(l.d.b, 0), "ef");
  line_done(&l);
}

TEST(test_copy_many_pieces_arrive_in_order) {
  enum { COUNT = 300 };
  line_t l = line_open(0);
  vow_future_t *f;
  int i;
  for (i = 0; i < COUNT; i++) say(l.d.a, "0123456789");
  f = vow_stream_copy(l.d.b, l.e.a, COUNT * 10);
  copied(&l, f, COUNT * 10);
  for (i = 0; i < COUNT; i++)
    gives(vow_stream_read_exactly(l.e.b, 10), "0123456789");
  line_done(&l);
}

TEST(test_copy_waits_for_a_slow_reader) {
  line_t l = line_open(4);
  vow_future_t *f = vow_stream_copy(l.d.b, l.e.a, 16);
  vow_future_t *w = vow_stream_write(l.d.a, "abcdefghijklmnop", 16);
  manual_drain(l.d.loop);
  ck_assert(is_pending(w)); /* all the way back */
  gives(vow_stream_read(l.e.b, 0), "abcd");
  manual_drain(l.d.loop);
  ends(w, 0);
  ck_assert(is_pending(f));
  gives(vow_stream_read_exactly(l.e.b, 4), "efgh");
  manual_drain(l.d.loop);
  gives(vow_stream_read_exactly(l.e.b, 4), "ijkl");
  copied(&l, f, 16);
  gives(vow_stream_read_exactly(l.e.b, 4), "mnop");
  line_done(&l);
}

TEST(test_copy_read_error_says_how_far_it_came) {
  line_t l = line_open(0);
  vow_future_t *f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  say(l.d.a, "abc");
  ends(vow_stream_reset(l.d.a, 0), 0);
  manual_drain(l.d.loop);
  fails(f, UV_ECONNRESET, "after 3 bytes");
  line_done(&l);
}

TEST(test_copy_write_error_fails_it) {
  line_t l = line_open(0);
  vow_future_t *f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  ends(vow_stream_close(l.e.b), 0);
  say(l.d.a, "abc");
  manual_drain(l.d.loop);
  fails(f, UV_EPIPE, "after 0 bytes");
  line_done(&l);
}

TEST(test_copy_cancelled_loses_no_byte) {
  line_t l = line_open(4);
  vow_future_t *f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  vow_cancel(f); /* while it reads */
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  say(l.d.a, "ab");
  gives(vow_stream_read(l.d.b, 0), "ab");
  f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  say(l.d.a, "cd"); /* read, but not seen by the copy yet */
  vow_drop(f);
  gives(vow_stream_read(l.e.b, 0), "cd");
  say(l.e.a, "1234");
  f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  say(l.d.a, "efg");
  manual_drain(l.d.loop); /* it writes, and cannot */
  say(l.d.a, "h");
  vow_drop(f);
  gives(vow_stream_read_exactly(l.e.b, 7), "1234efg");
  gives(vow_stream_read(l.d.b, 0), "h");
  line_done(&l);
}

TEST(test_copy_closed_stream_ends_it) {
  line_t l = line_open(0);
  vow_future_t *f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  ends(vow_stream_close(l.d.b), 0);
  manual_drain(l.d.loop);
  ends(f, VOW_ESHUTDOWN);
  line_done(&l);
}

TEST(test_copy_keeps_both_streams) {
  line_t l = line_open(0);
  vow_future_t *f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  vow_stream_unref(l.d.b);
  vow_stream_unref(l.e.a);
  say(l.d.a, "kept");
  manual_drain(l.d.loop);
  gives(vow_stream_read(l.e.b, 0), "kept");
  vow_drop(f); /* the last to hold them */
  ends(vow_stream_read(l.e.b, 0), UV_EOF);
  l.d.b = NULL;
  l.e.a = NULL;
  line_done(&l);
}

TEST(test_copy_echo_of_a_stream_to_itself) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_copy(d.b, d.b, UINT64_MAX);
  say(d.a, "echo");
  manual_drain(d.loop);
  gives(vow_stream_read(d.a, 0), "echo");
  vow_drop(f);
  duo_done(&d);
}

/* Allocation n fails; what has gone and what is left make up the whole. */
static bool starved(size_t n) {
  line_t l;
  vow_future_t *f, *g;
  bool failed;
  int err;
  fault_install();
  l.d = duo_on(manual_loop_probe(), 0);
  l.e = duo_on(l.d.loop, 0);
  say(l.d.a, "abc");
  say(l.d.a, "def");
  fault_fail_at(n);
  f = vow_stream_copy(l.d.b, l.e.a, 6);
  manual_drain(l.d.loop);
  failed = fault_failed() > 0;
  fault_off();
  g = vow_stream_read_to_end(l.e.b, 10); /* the write may wait for that */
  manual_drain(l.d.loop);
  err = vow_status(f);
  ck_assert(err == 0 || err == UV_ENOMEM);
  vow_drop(f);
  ends(vow_stream_close(l.e.a), 0);
  ck_assert_int_eq(vow_status(g), 0);
  if (err == 0) ck_assert_uint_eq(vow_bytes_length(vow_bytes_get(g)), 6);
  vow_drop(g);
  line_done(&l);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_copy_out_of_memory_fails_it) {
  size_t n;
  for (n = 1; starved(n); n++) ck_assert_uint_lt(n, 50);
  ck_assert_uint_gt(n, 5);
}

/* ---- what it waits for ---------------------------------------------------- */

static void note_line(const char *line, void *arg) {
  char *text = arg;
  strncat(text, line, 400);
  strncat(text, "\n", 2);
}

TEST(test_copy_is_seen_in_a_dump_above_the_read_or_the_write_at_hand) {
  line_t l = line_open(4);
  vow_future_t *f = vow_stream_copy(l.d.b, l.e.a, UINT64_MAX);
  char text[4096] = "";
  manual_drain(l.d.loop);
  vow_dump(l.d.loop, note_line, text);
  ck_assert_ptr_nonnull(strstr(text, "stream_copy "));
  ck_assert_ptr_nonnull(strstr(text, "\n  stream_read"));
  say(l.d.a, "0123");
  say(l.d.a, "4567"); /* more than fits behind */
  manual_drain(l.d.loop);
  text[0] = '\0';
  vow_dump(l.d.loop, note_line, text);
  ck_assert_ptr_nonnull(strstr(text, "\n  stream_write"));
  vow_drop(f);
  line_done(&l);
}

TEST(test_copy_bad_arguments_are_refused_by_name) {
  line_t l = line_open(0);
  vow_loop_t *other = manual_loop();
  duo_t far = duo_on(other, 0);
  fails(vow_stream_copy(NULL, l.e.a, 1), UV_EINVAL, "a stream is NULL");
  fails(vow_stream_copy(l.d.b, NULL, 1), UV_EINVAL, "a stream is NULL");
  fails(vow_stream_copy(l.d.b, far.a, 1), UV_EINVAL, "of two loops");
  duo_done(&far);
  line_done(&l);
}

SUITE(net_stream_copy) {
  ADD(test_copy_goes_on_until_the_end);
  ADD(test_copy_stops_at_the_limit);
  ADD(test_copy_many_pieces_arrive_in_order);
  ADD(test_copy_waits_for_a_slow_reader);
  ADD(test_copy_read_error_says_how_far_it_came);
  ADD(test_copy_write_error_fails_it);
  ADD(test_copy_cancelled_loses_no_byte);
  ADD(test_copy_closed_stream_ends_it);
  ADD(test_copy_keeps_both_streams);
  ADD(test_copy_echo_of_a_stream_to_itself);
  ADD(test_copy_out_of_memory_fails_it);
  ADD(test_copy_is_seen_in_a_dump_above_the_read_or_the_write_at_hand);
  ADD(test_copy_bad_arguments_are_refused_by_name);
}
