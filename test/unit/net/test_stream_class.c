/* SPDX-License-Identifier: MIT */
/* A transport of one's own: what it is asked, and when. */
#include <vow/stream_class.h>

#include "unit/net/stream_support.h"

typedef struct mine {
  vow_stream_t base;
  int start_error;
  size_t written_bytes;
} mine_t;

/* What was called, a letter each: start, stop, write, shutdown, close,
 * destroy. */
static char calls[64];
static int close_code;

static void note(const char *letter) {
  ck_assert_uint_lt(strlen(calls), sizeof calls - 1);
  strcat(calls, letter);
}

static void called(const char *letters) {
  ck_assert_str_eq(calls, letters);
  calls[0] = '\0';
}

static mine_t *mine_of(vow_stream_t *s) {
  return (mine_t *)(void *)s;
}

static int my_start(vow_stream_t *s) {
  note("r");
  return mine_of(s)->start_error;
}

static void my_stop(vow_stream_t *s) {
  (void)s;
  note("p");
}

static vow_future_t *my_write(const char *site, vow_stream_t *s,
                              const uv_buf_t bufs[], unsigned n) {
  size_t total = 0;
  note("w");
  while (n-- > 0) total += bufs[n].len;
  mine_of(s)->written_bytes += total;
  return vow_ready_at(site, vow_stream_loop(s), vow_int((int64_t)total));
}

static vow_future_t *my_shutdown(const char *site, vow_stream_t *s) {
  note("s");
  return vow_ready_at(site, vow_stream_loop(s), vow_nil());
}

static vow_future_t *my_close(const char *site, vow_stream_t *s, int code) {
  note("c");
  close_code = code;
  return site != NULL ? vow_ready_at(site, vow_stream_loop(s), vow_nil())
                      : NULL;
}

static void my_destroy(vow_stream_t *s) {
  (void)s;
  note("d");
}

static const vow_stream_class_t my_class = {
    "mine", sizeof(mine_t), my_start, my_stop, my_write,  NULL,
    NULL,   my_shutdown,    my_close, NULL,    my_destroy};

static vow_stream_t *mine_new(vow_loop_t *loop) {
  vow_stream_t *s = vow_stream_new(loop, &my_class);
  ck_assert_ptr_nonnull(s);
  calls[0] = '\0';
  return s;
}

static void mine_done(vow_stream_t *s) {
  vow_loop_t *loop = vow_stream_loop(s);
  vow_stream_unref(s);
  manual_drain(loop);
  manual_done(loop);
}

static void push_text(vow_stream_t *s, const char *text) {
  ck_assert_int_eq(vow_stream_push(s, vow_bytes_copy(text, strlen(text))), 0);
}

TEST(test_class_reading_begins_with_the_first_read_and_stays) {
  vow_stream_t *s = mine_new(manual_loop());
  vow_future_t *f;
  called("");
  f = vow_stream_read(s, 0);
  called("r");
  push_text(s, "abc");
  gives(f, "abc");
  push_text(s, "def"); /* nobody asks */
  gives(vow_stream_read(s, 0), "def");
  f = vow_stream_read(s, 0);
  vow_drop(f);
  called(""); /* still armed */
  mine_done(s);
  called("pcd");
}

TEST(test_class_reading_pauses_at_high_water_and_goes_on_below_half) {
  vow_stream_t *s = mine_new(manual_loop());
  vow_future_t *f;
  vow_stream_set_high_water(s, 4);
  ck_assert_uint_eq(vow_stream_room(s), 4);
  vow_drop(vow_stream_read(s, 0));
  called("r");
  push_text(s, "abc");
  ck_assert_uint_eq(vow_stream_room(s), 1);
  called("");
  push_text(s, "de");
  ck_assert_uint_eq(vow_stream_room(s), 0);
  called("p");
  push_text(s, "f"); /* kept all the same */
  called("");
  gives(vow_stream_read_exactly(s, 3), "abc");
  called("");
  gives(vow_stream_read_exactly(s, 1), "d");
  called("r");
  push_text(s, "gh");
  called("p");
  f = vow_stream_read_exactly(s, 9); /* needs more than the mark */
  called("r");
  ck_assert_uint_eq(vow_stream_room(s), 5);
  push_text(s, "ijklm");
  gives(f, "efghijklm");
  mine_done(s);
}

TEST(test_class_failed_start_fails_the_read_and_is_tried_again) {
  vow_stream_t *s = mine_new(manual_loop());
  vow_future_t *f;
  mine_of(s)->start_error = UV_ENOTCONN;
  ends(vow_stream_read(s, 0), UV_ENOTCONN);
  mine_of(s)->start_error = 0;
  f = vow_stream_read(s, 0);
  called("rr");
  push_text(s, "x");
  gives(f, "x");
  mine_done(s);
}

TEST(test_class_stall_fails_pending_reads_and_starts_anew) {
  vow_stream_t *s = mine_new(manual_loop());
  vow_future_t *f = vow_stream_read_exactly(s, 2);
  vow_future_t *g = vow_stream_read(s, 0);
  push_text(s, "a");
  vow_stream_stall(s, UV_ENOMEM);
  ends(f, UV_ENOMEM);
  ends(g, UV_ENOMEM);
  called("r");
  f = vow_stream_read_exactly(s, 2);
  called("r");
  push_text(s, "b");
  gives(f, "ab");
  mine_done(s);
}

TEST(test_class_first_end_counts_and_nothing_is_called_after_it) {
  vow_stream_t *s = mine_new(manual_loop());
  vow_future_t *f = vow_stream_read_exactly(s, 4);
  push_text(s, "abc");
  vow_stream_end(s, UV_ECONNABORTED);
  vow_stream_end(s, UV_EOF);
  push_text(s, "thrown away");
  ends(f, UV_ECONNABORTED);
  ck_assert_uint_eq(vow_stream_room(s), 0);
  gives(vow_stream_read(s, 0), "abc");
  ends(vow_stream_read(s, 0), UV_ECONNABORTED);
  called("r");
  mine_done(s);
  called("cd");
  s = mine_new(manual_loop());
  vow_stream_end(s, 0);
  ends(vow_stream_read(s, 0), UV_EOF);
  mine_done(s);
}

TEST(test_class_writes_fall_back_to_write) {
  vow_stream_t *s = mine_new(manual_loop());
  vow_bytes_t *b = vow_bytes_copy("abc", 3);
  ends(vow_stream_write(s, "abc", 3), 0);
  ends(vow_stream_write_borrowed(s, "abc", 3), 0);
  ends(vow_stream_write_bytes(s, b), 0);
  ends(vow_stream_write(s, "", 0), 0); /* nothing to be asked for */
  ends(vow_stream_shutdown(s), 0);
  called("wwws");
  ck_assert_uint_eq(mine_of(s)->written_bytes, 9);
  vow_bytes_unref(b);
  mine_done(s);
}

TEST(test_class_close_is_called_once_with_its_code) {
  vow_stream_t *s = mine_new(manual_loop());
  ends(vow_stream_reset(s, UV_EPROTO), 0);
  ck_assert_int_eq(close_code, UV_EPROTO);
  ends(vow_stream_close(s), UV_EALREADY);
  called("c");
  mine_done(s);
  called("d");
}

TEST(test_class_new_without_arguments_gives_null) {
  ck_assert_ptr_null(vow_stream_new(NULL, &my_class));
}

/* ---- room ----------------------------------------------------------------- */

TEST(test_stream_class_reserved_push_needs_no_memory) {
  vow_loop_t *loop;
  vow_stream_t *s;
  vow_bytes_t *b;
  fault_install();
  loop = manual_loop();
  s = mine_new(loop);
  push_text(s, "x"); /* which needs none */
  b = vow_bytes_copy("abc", 3);
  fault_fail_from(1);
  ck_assert_int_eq(vow_stream_reserve(s), UV_ENOMEM);
  ck_assert_int_eq(vow_stream_push(s, b), UV_ENOMEM);
  ck_assert_uint_eq(vow_stream_buffered(s), 1);
  fault_off();
  ck_assert_int_eq(vow_stream_reserve(s), 0);
  fault_fail_from(1);
  ck_assert_int_eq(vow_stream_push(s, b), 0);
  fault_off();
  ck_assert_uint_eq(vow_stream_buffered(s), 4);
  mine_done(s);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(net_stream_class) {
  ADD(test_class_reading_begins_with_the_first_read_and_stays);
  ADD(test_class_reading_pauses_at_high_water_and_goes_on_below_half);
  ADD(test_class_failed_start_fails_the_read_and_is_tried_again);
  ADD(test_class_stall_fails_pending_reads_and_starts_anew);
  ADD(test_class_first_end_counts_and_nothing_is_called_after_it);
  ADD(test_class_writes_fall_back_to_write);
  ADD(test_class_close_is_called_once_with_its_code);
  ADD(test_class_new_without_arguments_gives_null);
  ADD(test_stream_class_reserved_push_needs_no_memory);
}
