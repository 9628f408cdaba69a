/* SPDX-License-Identifier: MIT */
/* Reading, in every shape, on a pair in memory. */
#include "unit/net/stream_support.h"

/* ---- success ------------------------------------------------------------- */

TEST(test_stream_read_gives_what_is_there) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read(d.b, 0);
  ck_assert(is_pending(f));
  say(d.a, "hello");
  gives(f, "hello");
  say(d.a, "world");
  gives(vow_stream_read(d.b, 2), "wo");
  gives(vow_stream_read(d.b, 100), "rld");
  duo_done(&d);
}

TEST(test_stream_read_whole_piece_is_not_copied) {
  duo_t d = duo_open(0);
  vow_bytes_t *b = vow_bytes_copy("same", 4);
  vow_future_t *f = vow_stream_read_exactly(d.b, 4);
  ends(vow_stream_write_bytes(d.a, b), 0);
  ck_assert_ptr_eq(vow_bytes_get(f), b);
  vow_drop(f);
  vow_bytes_unref(b);
  duo_done(&d);
}

TEST(test_stream_read_exactly_spans_and_splits_pieces) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read_exactly(d.b, 5);
  say(d.a, "ab");
  ck_assert(is_pending(f));
  say(d.a, "cdefg");
  gives(f, "abcde");
  gives(vow_stream_read_exactly(d.b, 0), "");
  gives(vow_stream_read_exactly(d.b, 2), "fg");
  duo_done(&d);
}

TEST(test_stream_read_until_gives_the_delimiter_too) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read_until(d.b, "\r\n\r\n", 4, 100);
  say(d.a, "GET /\r\n\r");
  ck_assert(is_pending(f));
  say(d.a, "\nrest, with a long delimiter");
  gives(f, "GET /\r\n\r\n");
  gives(vow_stream_read_until(d.b, " long delimiter", 15, 100),
        "rest, with a long delimiter");
  duo_done(&d);
}

TEST(test_stream_read_line_strips_either_end) {
  duo_t d = duo_open(0);
  say(d.a, "one\ntwo\r\n\n\r\nth\rree\nlast\r");
  gives(vow_stream_read_line(d.b, 80), "one");
  gives(vow_stream_read_line(d.b, 80), "two");
  gives(vow_stream_read_line(d.b, 80), "");
  gives(vow_stream_read_line(d.b, 80), "");
  gives(vow_stream_read_line(d.b, 80), "th\rree");
  ends(vow_stream_shutdown(d.a), 0);
  gives(vow_stream_read_line(d.b, 80), "last\r");
  ends(vow_stream_read_line(d.b, 80), UV_EOF);
  duo_done(&d);
}

TEST(test_stream_read_to_end_gives_all) {
  duo_t d = duo_open(4);
  vow_future_t *f = vow_stream_read_to_end(d.b, 10);
  say(d.a, "abcdef"); /* beyond the capacity: it is wanted */
  say(d.a, "ghij");
  ck_assert(is_pending(f));
  ends(vow_stream_shutdown(d.a), 0);
  gives(f, "abcdefghij");
  gives(vow_stream_read_to_end(d.b, 0), "");
  duo_done(&d);
}

TEST(test_stream_peek_leaves_the_bytes) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_peek(d.b, 3);
  say(d.a, "a");
  ck_assert(is_pending(f));
  say(d.a, "bcd");
  gives(f, "abc");
  gives(vow_stream_peek(d.b, 1), "a");
  ck_assert_uint_eq(vow_stream_buffered(d.b), 4);
  ends(vow_stream_shutdown(d.a), 0);
  gives(vow_stream_peek(d.b, 10), "abcd"); /* there will be no more */
  gives(vow_stream_read_exactly(d.b, 4), "abcd");
  ends(vow_stream_peek(d.b, 1), UV_EOF);
  duo_done(&d);
}

TEST(test_stream_several_reads_are_served_in_order) {
  duo_t d = duo_open(0);
  vow_future_t *a = vow_stream_read_exactly(d.b, 2);
  vow_future_t *b = vow_stream_peek(d.b, 1);
  vow_future_t *c = vow_stream_read_line(d.b, 9);
  vow_future_t *e = vow_stream_read(d.b, 0);
  say(d.a, "1");
  ck_assert(is_pending(a) && is_pending(b));
  say(d.a, "23\nrest");
  gives(a, "12");
  gives(b, "3");
  gives(c, "3");
  gives(e, "rest");
  duo_done(&d);
}

/* ---- limits -------------------------------------------------------------- */

TEST(test_stream_read_line_beyond_the_limit_fails_and_loses_nothing) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read_line(d.b, 3);
  say(d.a, "abc\r"); /* may still become three bytes and an end */
  ck_assert(is_pending(f));
  say(d.a, "\n");
  gives(f, "abc");
  f = vow_stream_read_line(d.b, 3);
  say(d.a, "abc");
  ck_assert(is_pending(f));
  say(d.a, "d");
  fails(f, UV_EMSGSIZE, "limit of 3 bytes");
  say(d.a, "\n");
  fails(vow_stream_read_line(d.b, 3), UV_EMSGSIZE, "limit of 3 bytes");
  gives(vow_stream_read_line(d.b, 4), "abcd");
  say(d.a, "xyz\r");
  ends(vow_stream_shutdown(d.a), 0);
  fails(vow_stream_read_line(d.b, 3), UV_EMSGSIZE, "no end of the line");
  gives(vow_stream_read_line(d.b, 4), "xyz\r");
  duo_done(&d);
}

TEST(test_stream_read_until_beyond_the_limit_fails_and_loses_nothing) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read_until(d.b, ";;", 2, 4);
  say(d.a, "ab;");
  ck_assert(is_pending(f));
  say(d.a, ";");
  gives(f, "ab;;");
  f = vow_stream_read_until(d.b, ";;", 2, 4);
  say(d.a, "abc;");
  fails(f, UV_EMSGSIZE, "limit of 4 bytes");
  say(d.a, ";");
  fails(vow_stream_read_until(d.b, ";;", 2, 4), UV_EMSGSIZE, "no delimiter");
  gives(vow_stream_read_until(d.b, ";;", 2, 5), "abc;;");
  duo_done(&d);
}

TEST(test_stream_read_to_end_beyond_the_limit_fails_and_loses_nothing) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read_to_end(d.b, 3);
  say(d.a, "abc");
  ck_assert(is_pending(f));
  say(d.a, "d");
  fails(f, UV_EMSGSIZE, "limit of 3 bytes");
  ends(vow_stream_shutdown(d.a), 0);
  gives(vow_stream_read_to_end(d.b, 4), "abcd");
  duo_done(&d);
}

/* ---- a small framed protocol: a digit, so many letters, a line ----------- */

static const char message[] = "3abcHEAD\r\ntail";

typedef struct frame_case {
  const char *name;
  vow_future_t *(*read)(vow_stream_t *s);
  size_t begins; /* where in message */
  size_t ends;
  const char *gives;
} frame_case_t;

static vow_future_t *read_count(vow_stream_t *s) {
  return vow_stream_read_exactly(s, 1);
}
static vow_future_t *read_letters(vow_stream_t *s) {
  return vow_stream_read_exactly(s, 3);
}
static vow_future_t *read_head(vow_stream_t *s) {
  return vow_stream_read_until(s, "\r\n", 2, 20);
}
static vow_future_t *read_tail(vow_stream_t *s) {
  return vow_stream_read_exactly(s, 4);
}

static const frame_case_t frames[] = {{"count", read_count, 0, 1, "3"},
                                      {"letters", read_letters, 1, 4, "abc"},
                                      {"head", read_head, 4, 10, "HEAD\r\n"},
                                      {"tail", read_tail, 10, 14, "tail"}};
#define FRAMES (sizeof frames / sizeof *frames)

/* How the first `cut` bytes get to d.b, and what then ends them. */
static void deliver(duo_t *d, size_t cut, bool by_byte) {
  size_t i, step = by_byte ? 1 : cut;
  for (i = 0; i < cut; i += step)
    ends(vow_stream_write(d->a, message + i, step), 0);
}

static void cut_short(size_t cut, bool by_byte, int code) {
  duo_t d = duo_open(0);
  char rest[sizeof message] = "";
  size_t i;
  int failed = 0;
  vow_future_t *f = frames[0].read(d.b);
  deliver(&d, cut, by_byte);
  if (code == UV_EOF)
    ends(vow_stream_shutdown(d.a), 0);
  else
    ends(vow_stream_reset(d.a, code), 0);
  for (i = 0; i < FRAMES && !failed; i++) {
    if (i > 0) f = frames[i].read(d.b);
    if (frames[i].ends <= cut) {
      gives(f, frames[i].gives);
    } else {
      failed++;
      if (cut > frames[i].begins)
        fails(f, code, " after ");
      else
        ends(f, code);
    }
  }
  ck_assert_int_eq(failed, cut < sizeof message - 1);
  /* What was cut short is still there. */
  i = failed ? i - 1 : FRAMES;
  if (i < FRAMES && cut > frames[i].begins) {
    memcpy(rest, message + frames[i].begins, cut - frames[i].begins);
    gives(vow_stream_peek(d.b, strlen(rest)), rest);
    gives(vow_stream_read_exactly(d.b, strlen(rest)), rest);
  }
  ends(vow_stream_read(d.b, 0), code);
  duo_done(&d);
}

TEST(test_stream_end_at_every_offset_is_one_clear_error) {
  size_t cut;
  for (cut = 0; cut < sizeof message; cut++) {
    cut_short(cut, false, UV_EOF);
    cut_short(cut, true, UV_EOF);
    cut_short(cut, false, UV_ECONNRESET);
    cut_short(cut, true, UV_ETIMEDOUT);
  }
}

TEST(test_stream_end_within_exactly_says_how_far_it_came) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read_exactly(d.b, 8);
  say(d.a, "abc");
  ends(vow_stream_shutdown(d.a), 0);
  fails(f, UV_EOF, "ended after 3 of 8 bytes");
  gives(vow_stream_read_to_end(d.b, 10), "abc");
  duo_done(&d);
}

TEST(test_stream_delivered_byte_by_byte_gives_the_same) {
  duo_t d = duo_open(0);
  vow_future_t *f[FRAMES];
  size_t i;
  for (i = 0; i < FRAMES; i++) f[i] = frames[i].read(d.b);
  deliver(&d, sizeof message - 1, true);
  for (i = 0; i < FRAMES; i++) gives(f[i], frames[i].gives);
  duo_done(&d);
}

/* ---- cancel, drop, close, for every shape -------------------------------- */

static vow_future_t *read_some(vow_stream_t *s) {
  return vow_stream_read(s, 0);
}
static vow_future_t *read_four(vow_stream_t *s) {
  return vow_stream_read_exactly(s, 4);
}
static vow_future_t *read_long_delimiter(vow_stream_t *s) {
  return vow_stream_read_until(s, "0123456789", 10, 50);
}
static vow_future_t *read_a_line(vow_stream_t *s) {
  return vow_stream_read_line(s, 50);
}
static vow_future_t *read_all(vow_stream_t *s) {
  return vow_stream_read_to_end(s, 50);
}
static vow_future_t *peek_four(vow_stream_t *s) {
  return vow_stream_peek(s, 4);
}

static vow_future_t *(*const shapes[])(vow_stream_t *s) = {
    read_some,   read_four, read_long_delimiter,
    read_a_line, read_all,  peek_four};
#define SHAPES (sizeof shapes / sizeof *shapes)

TEST(test_stream_cancelled_read_loses_no_byte) {
  size_t i;
  for (i = 0; i < SHAPES; i++) {
    duo_t d = duo_open(0);
    vow_future_t *before = vow_stream_read_exactly(d.b, 1);
    vow_future_t *f = shapes[i](d.b);
    vow_future_t *behind = vow_stream_read_exactly(d.b, 3);
    ck_assert_int_eq(vow_cancel(f), 0);
    ck_assert(vow_is_cancelled(f));
    vow_drop(f);
    say(d.a, "xabc");
    gives(before, "x");
    gives(behind, "abc");
    f = shapes[i](d.b);
    if (i != 0) {
      say(d.a, "ab"); /* some of what it needs, then dropped */
      ck_assert(is_pending(f));
    }
    vow_drop(f);
    if (i == 0) say(d.a, "ab");
    gives(vow_stream_read_exactly(d.b, 2), "ab");
    duo_done(&d);
  }
}

TEST(test_stream_cancelled_read_lets_the_one_behind_it_have_the_bytes) {
  duo_t d = duo_open(0);
  vow_future_t *first = vow_stream_read_exactly(d.b, 100);
  vow_future_t *second = vow_stream_read(d.b, 0);
  vow_future_t *third = vow_stream_read_exactly(d.b, 3);
  say(d.a, "hello");
  ck_assert(is_pending(second));
  vow_drop(third); /* the last: nothing changes */
  manual_drain(d.loop);
  ck_assert(is_pending(second));
  vow_drop(first);
  manual_drain(d.loop);
  gives(second, "hello");
  duo_done(&d);
}

TEST(test_stream_cancelled_reads_in_a_row_lose_no_byte) {
  duo_t d = duo_open(0);
  vow_future_t *first = vow_stream_read_exactly(d.b, 100);
  vow_future_t *second = vow_stream_read(d.b, 0);
  say(d.a, "hello");
  vow_drop(first);
  vow_drop(second); /* woken, but not served yet */
  manual_drain(d.loop);
  gives(vow_stream_read(d.b, 0), "hello");
  duo_done(&d);
}

TEST(test_stream_cancel_after_success_changes_nothing) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read_exactly(d.b, 2);
  say(d.a, "ab");
  ck_assert_int_eq(vow_cancel(f), 0);
  gives(f, "ab");
  duo_done(&d);
}

TEST(test_stream_close_fails_pending_reads_with_eshutdown) {
  duo_t d = duo_open(0);
  vow_future_t *f[SHAPES];
  size_t i;
  for (i = 0; i < SHAPES; i++) f[i] = shapes[i](d.b);
  ends(vow_stream_close(d.b), 0);
  for (i = 0; i < SHAPES; i++) ends(f[i], VOW_ESHUTDOWN);
  for (i = 0; i < SHAPES; i++) ends(shapes[i](d.b), VOW_ESHUTDOWN);
  ends(vow_stream_close(d.b), UV_EALREADY);
  ends(vow_stream_write(d.b, "x", 1), VOW_ESHUTDOWN);
  ends(vow_stream_shutdown(d.b), VOW_ESHUTDOWN);
  duo_done(&d);
}

TEST(test_stream_last_unref_fails_pending_reads) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read(d.b, 0);
  ck_assert_ptr_eq(vow_stream_ref(d.b), d.b);
  vow_stream_unref(d.b);
  ck_assert(is_pending(f));
  vow_stream_unref(d.b);
  ends(f, VOW_ESHUTDOWN);
  d.b = NULL;
  ends(vow_stream_read(d.a, 0), UV_EOF);
  duo_done(&d);
}

static vow_value_t close_it(vow_future_t *in, void *arg) {
  (void)in;
  vow_stream_unref(arg);
  return vow_nil();
}

TEST(test_stream_may_go_in_its_own_continuation) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_then(vow_stream_read(d.b, 0), close_it, d.b);
  say(d.a, "bye");
  manual_drain(d.loop);
  ends(f, 0);
  d.b = NULL;
  duo_done(&d);
}

TEST(test_stream_loop_close_ends_pending_reads) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_stream_read_exactly(d.b, 5);
  vow_future_t *w;
  say(d.a, "abc");
  w = vow_stream_write(d.b, "to be dropped", 13);
  ends(w, 0);
  ck_assert_int_eq(vow_loop_close(d.loop, 0), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_stream_unref(d.a);
  vow_stream_unref(d.b);
}

/* ---- as values ----------------------------------------------------------- */

TEST(test_stream_in_a_dropped_future_is_closed) {
  duo_t d = duo_open(0);
  vow_future_t *f = vow_ready(d.loop, vow_stream_value(d.b));
  char text[64];
  ck_assert_ptr_eq(vow_stream_get(f), d.b);
  vow_value_describe(vow_peek(f), text, sizeof text);
  ck_assert_str_eq(text, "memory stream");
  vow_drop(f);
  d.b = NULL;
  ends(vow_stream_read(d.a, 0), UV_EOF);
  f = vow_ready(d.loop, vow_stream_value(d.a));
  vow_ref(f);
  ck_assert_ptr_eq(vow_stream_take(f), d.a); /* shared */
  vow_drop(f);
  vow_drop(f);
  ck_assert_ptr_eq(vow_stream_loop(d.a), d.loop);
  ck_assert_ptr_null(vow_stream_uv(d.a));
  duo_done(&d);
}

TEST(test_stream_bad_arguments_give_einval) {
  duo_t d = duo_open(0);
  size_t i;
  for (i = 0; i < SHAPES; i++) ends(shapes[i](NULL), UV_EINVAL);
  ends(vow_stream_peek(d.b, 0), UV_EINVAL);
  ends(vow_stream_read_until(d.b, NULL, 1, 1), UV_EINVAL);
  ends(vow_stream_read_until(d.b, "x", 0, 1), UV_EINVAL);
  ends(vow_stream_read_until(d.b, "xy", 2, 1), UV_EINVAL);
  ends(vow_stream_write(NULL, "x", 1), UV_EINVAL);
  ends(vow_stream_write(d.b, NULL, 1), UV_EINVAL);
  ends(vow_stream_writev(d.b, NULL, 1), UV_EINVAL);
  ends(vow_stream_write(d.b, NULL, 0), 0);
  ends(vow_stream_write_bytes(d.b, NULL), 0);
  ends(vow_stream_write_borrowed(NULL, "x", 1), UV_EINVAL);
  ends(vow_stream_shutdown(NULL), UV_EINVAL);
  ends(vow_stream_close(NULL), UV_EINVAL);
  ends(vow_stream_reset(NULL, 0), UV_EINVAL);
  ends(vow_stream_copy(d.a, NULL, 1), UV_EINVAL);
  ck_assert_ptr_null(vow_stream_ref(NULL));
  vow_stream_unref(NULL);
  ck_assert_ptr_null(vow_stream_loop(NULL));
  ck_assert_ptr_null(vow_stream_uv(NULL));
  ck_assert_uint_eq(vow_stream_buffered(NULL), 0);
  vow_stream_set_high_water(NULL, 1);
  ck_assert_int_eq(vow_stream_pair(NULL, 0, &d.a, &d.b), UV_EINVAL);
  ck_assert_int_eq(vow_stream_pair(d.loop, 0, NULL, &d.b), UV_EINVAL);
  duo_done(&d);
}

/* ---- out of memory ------------------------------------------------------- */

/* Everything is there; allocation n of the read fails. */
static bool out_of_memory(size_t shape, size_t n) {
  static const char text[] = "ab\ncd0123456789";
  duo_t d;
  vow_future_t *f;
  bool failed;
  int err;
  fault_install();
  d = duo_on(manual_loop_probe(), 0);
  say(d.a, "ab");
  say(d.a, text + 2);
  ends(vow_stream_shutdown(d.a), 0);
  fault_fail_at(n);
  f = shapes[shape](d.b);
  err = vow_status(f);
  failed = fault_failed() > 0;
  fault_off();
  if (err != 0) ck_assert_int_eq(err, UV_ENOMEM);
  vow_drop(f);
  if (err != 0 || shapes[shape] == peek_four)
    gives(vow_stream_read_to_end(d.b, 50), text);
  duo_done(&d);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_stream_read_out_of_memory_loses_no_byte) {
  size_t i, n;
  for (i = 0; i < SHAPES; i++) {
    for (n = 1; out_of_memory(i, n); n++) ck_assert_uint_lt(n, 20);
    ck_assert_uint_gt(n, 1);
  }
}

SUITE(net_stream_read) {
  ADD(test_stream_read_gives_what_is_there);
  ADD(test_stream_read_whole_piece_is_not_copied);
  ADD(test_stream_read_exactly_spans_and_splits_pieces);
  ADD(test_stream_read_until_gives_the_delimiter_too);
  ADD(test_stream_read_line_strips_either_end);
  ADD(test_stream_read_to_end_gives_all);
  ADD(test_stream_peek_leaves_the_bytes);
  ADD(test_stream_several_reads_are_served_in_order);
  ADD(test_stream_read_line_beyond_the_limit_fails_and_loses_nothing);
  ADD(test_stream_read_until_beyond_the_limit_fails_and_loses_nothing);
  ADD(test_stream_read_to_end_beyond_the_limit_fails_and_loses_nothing);
  ADD(test_stream_end_at_every_offset_is_one_clear_error);
  ADD(test_stream_end_within_exactly_says_how_far_it_came);
  ADD(test_stream_delivered_byte_by_byte_gives_the_same);
  ADD(test_stream_cancelled_read_loses_no_byte);
  ADD(test_stream_cancelled_read_lets_the_one_behind_it_have_the_bytes);
  ADD(test_stream_cancelled_reads_in_a_row_lose_no_byte);
  ADD(test_stream_cancel_after_success_changes_nothing);
  ADD(test_stream_close_fails_pending_reads_with_eshutdown);
  ADD(test_stream_last_unref_fails_pending_reads);
  ADD(test_stream_may_go_in_its_own_continuation);
  ADD(test_stream_loop_close_ends_pending_reads);
  ADD(test_stream_in_a_dropped_future_is_closed);
  ADD(test_stream_bad_arguments_give_einval);
  ADD(test_stream_read_out_of_memory_loses_no_byte);
}
