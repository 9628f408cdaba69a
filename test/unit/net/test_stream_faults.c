/* SPDX-License-Identifier: MIT */
/* What libuv may say to the reads and writes of a stream, at every step of
 * them: one failure that says so, and no byte lost that can still be had. */
#include <vow/stream.h>

#include "check/shim/shim.h"
#include "unit/uv/uv_support.h"

#define BIG_BYTES (400u * 1000)

/* A connection: raw on one side, a stream on the other. */
typedef struct wire {
  vow_loop_t *loop;
  pair_t pair;
  uv_tcp_t *raw;
  vow_stream_t *s;
  vow_stream_t *aside; /* to copy to or from; in memory */
  vow_stream_t *other;
  vow_bytes_t *bytes;
  char *big;
} wire_t;

typedef struct row {
  const char *name;
  vow_future_t *(*start)(wire_t *w);
  bool reads;  /* what the raw side has said: a line, and its end */
  bool writes; /* more than the kernel takes at once */
  int late;    /* failures that may be kept quiet, as there is another way */
} row_t;

/* ---- the rows ------------------------------------------------------------ */

#define TEXT "0123456789\n"

static vow_future_t *start_read(wire_t *w) {
  return vow_stream_read(w->s, 0);
}
static vow_future_t *start_read_exactly(wire_t *w) {
  return vow_stream_read_exactly(w->s, 10);
}
static vow_future_t *start_read_until(wire_t *w) {
  return vow_stream_read_until(w->s, "9", 1, 20);
}
static vow_future_t *start_read_line(wire_t *w) {
  return vow_stream_read_line(w->s, 20);
}
static vow_future_t *start_read_to_end(wire_t *w) {
  return vow_stream_read_to_end(w->s, 20);
}
static vow_future_t *start_peek(wire_t *w) {
  return vow_stream_peek(w->s, 4);
}
static vow_future_t *start_copy_from(wire_t *w) {
  return vow_stream_copy(w->s, w->aside, 11);
}

static vow_future_t *start_write(wire_t *w) {
  return vow_stream_write(w->s, w->big, BIG_BYTES);
}
static vow_future_t *start_writev(wire_t *w) {
  uv_buf_t bufs[2] = {{w->big, 100}, {w->big, BIG_BYTES}};
  return vow_stream_writev(w->s, bufs, 2);
}
static vow_future_t *start_write_borrowed(wire_t *w) {
  return vow_stream_write_borrowed(w->s, w->big, BIG_BYTES);
}
static vow_future_t *start_writev_borrowed(wire_t *w) {
  uv_buf_t bufs[2] = {{w->big, 100}, {w->big, BIG_BYTES}};
  return vow_stream_writev_borrowed(w->s, bufs, 2);
}
static vow_future_t *start_write_bytes(wire_t *w) {
  return vow_stream_write_bytes(w->s, w->bytes);
}
static vow_future_t *start_copy_to(wire_t *w) {
  vow_detach(vow_stream_write_bytes(w->other, w->bytes));
  return vow_stream_copy(w->aside, w->s, BIG_BYTES);
}

static vow_future_t *start_shutdown(wire_t *w) {
  return vow_stream_shutdown(w->s);
}
static vow_future_t *start_close(wire_t *w) {
  return vow_stream_close(w->s);
}
static vow_future_t *start_reset(wire_t *w) {
  return vow_stream_reset(w->s, 0);
}

static const row_t rows[] = {
    {"stream_read", start_read, true, false, 0},
    {"stream_read_exactly", start_read_exactly, true, false, 0},
    {"stream_read_until", start_read_until, true, false, 0},
    {"stream_read_line", start_read_line, true, false, 0},
    /* Asking the socket how it ended. */
    {"stream_read_to_end", start_read_to_end, true, false, 1},
    {"stream_peek", start_peek, true, false, 0},
    {"stream_copy", start_copy_from, true, false, 0},
    {"stream_write", start_write, false, true, 0},
    {"stream_writev", start_writev, false, true, 0},
    {"stream_write_borrowed", start_write_borrowed, false, true, 0},
    {"stream_writev_borrowed", start_writev_borrowed, false, true, 0},
    {"stream_write_bytes", start_write_bytes, false, true, 0},
    {"stream_copy", start_copy_to, false, true, 0},
    {"stream_shutdown", start_shutdown, false, false, 0},
    {"stream_close", start_close, false, false, 0},
    /* Without an RST it is a close. */
    {"stream_reset", start_reset, false, false, 1},
};

#define ROWS ((int)(sizeof rows / sizeof rows[0]))

/* ---- the wire ------------------------------------------------------------ */

static char sink[65536];

static void sink_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf) {
  (void)h;
  (void)size;
  *buf = uv_buf_init(sink, sizeof sink);
}

static void sink_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
  (void)buf;
  if (n < 0) uv_read_stop(s);
}

static void say_text(wire_t *w) {
  vow_future_t *f = write_text(w->raw, TEXT);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  vow_detach(vow_shutdown(stream_of(w->raw)));
}

static wire_t wire_open(const row_t *r) {
  int small = 32 * 1024;
  char *room;
  wire_t w;
  fault_install();
  memset(&w, 0, sizeof w);
  w.loop = loop_open_probe();
  w.pair = pair_open(w.loop);
  w.raw = w.pair.a;
  uv_send_buffer_size(handle_of(w.pair.b), &small);
  ck_assert_int_eq(
      vow_stream_from_uv(stream_of(w.pair.b), VOW_STREAM_OWNED, &w.s), 0);
  w.pair.b = NULL;
  ck_assert_int_eq(vow_stream_pair(w.loop, BIG_BYTES, &w.aside, &w.other), 0);
  w.bytes = vow_bytes_new(BIG_BYTES, &room);
  memset(room, 'x', BIG_BYTES);
  w.big = room;
  if (r->writes) uv_read_start(stream_of(w.raw), sink_alloc, sink_read);
  if (r->reads) say_text(&w);
  turns(w.loop, 2);
  vow__shim_on();
  return w;
}

static void wire_close(wire_t *w) {
  vow__shim_off();
  vow_stream_unref(w->s);
  vow_stream_unref(w->aside);
  vow_stream_unref(w->other);
  vow_bytes_unref(w->bytes);
  pair_close(&w->pair);
  loop_done(w->loop);
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- a code at every step ------------------------------------------------ */

typedef void (*arm_fn)(const char *name, size_t nth, int code);

static bool disturb(const row_t *r, arm_fn arm, size_t n, int code,
                    int *ret_quiet) {
  wire_t w = wire_open(r);
  vow_future_t *f;
  bool hit;
  int status;
  arm(NULL, n, code);
  f = r->start(&w);
  status = settle(w.loop, f);
  hit = vow__shim_hits() > 0;
  ck_assert_msg(status == 0 || status == code, "%s: step %zu gave %d", r->name,
                n, status);
  if (!hit) ck_assert_int_eq(status, 0);
  if (hit && status == 0) ++*ret_quiet;
  if (status != 0)
    ck_assert_ptr_nonnull(
        strstr(vow_error_message(vow_error(f)), vow_strerror(code)));
  vow_drop(f);
  wire_close(&w);
  return hit;
}

static void disturb_each(const row_t *r, arm_fn arm, int code) {
  int quiet = 0;
  size_t n;
  for (n = 1; disturb(r, arm, n, code, &quiet); n++) ck_assert_uint_lt(n, 50);
  if (r->reads || r->writes) ck_assert_uint_ge(n, 2);
  ck_assert_msg(quiet <= r->late, "%s kept %d failures quiet", r->name, quiet);
}

TEST(test_stream_refused_at_any_step_says_so) {
  disturb_each(&rows[_i], vow__shim_fail, UV_ECONNRESET);
  disturb_each(&rows[_i], vow__shim_fail, UV_EIO);
}

TEST(test_stream_told_a_code_at_any_step_says_so) {
  disturb_each(&rows[_i], vow__shim_report, UV_ECONNRESET);
  disturb_each(&rows[_i], vow__shim_report, UV_EIO);
}

TEST(test_stream_cancelled_and_told_a_code_leaves_nothing) {
  const row_t *r = &rows[_i];
  arm_fn arms[2] = {vow__shim_fail, vow__shim_report};
  int i;
  for (i = 0; i < 2; i++) {
    wire_t w = wire_open(r);
    vow_future_t *f = r->start(&w);
    arms[i](NULL, 1, UV_EIO);
    vow_cancel(f);
    ck_assert_int_eq(vow_loop_run_until(w.loop, f), 0);
    (void)vow_status(f);
    vow_drop(f);
    wire_close(&w);
  }
}

/* ---- a read that failed has taken nothing -------------------------------- */

TEST(test_stream_read_that_cannot_start_may_be_asked_again) {
  const row_t *r = &rows[_i];
  wire_t w;
  if (!r->reads) return;
  w = wire_open(r);
  vow__shim_fail("uv_read_start", 1, UV_ENOTCONN);
  ck_assert_int_eq(settle_drop(w.loop, r->start(&w)), UV_ENOTCONN);
  ck_assert_int_eq(settle_drop(w.loop, r->start(&w)), 0);
  wire_close(&w);
}

TEST(test_stream_told_nothing_yet_byte_by_byte_gives_the_same) {
  const row_t *r = &rows[_i];
  wire_t w;
  if (!r->reads) return;
  w = wire_open(r);
  vow__shim_short_reads(1);
  vow__shim_report_from("uv_read_start", 1, 0);
  ck_assert_int_eq(settle_drop(w.loop, r->start(&w)), 0);
  wire_close(&w);
}

/* ---- short writes are none to the user ----------------------------------- */

TEST(test_stream_short_writes_and_not_now_send_everything) {
  static const size_t limits[] = {1, 7, 100000};
  const row_t *r = &rows[_i];
  size_t i;
  if (!r->writes) return;
  for (i = 0; i < 6; i++) {
    wire_t w = wire_open(r);
    vow_future_t *f;
    vow__shim_short_writes(limits[i % 3]);
    if (i >= 3) vow__shim_fail("uv_try_write", 1, UV_EAGAIN);
    f = r->start(&w);
    ck_assert_int_eq(settle(w.loop, f), 0);
    ck_assert_int_ge(vow_get_int(f), BIG_BYTES);
    vow_drop(f);
    wire_close(&w);
  }
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, ROWS)

SUITE(net_stream_faults) {
  EACH(test_stream_refused_at_any_step_says_so);
  EACH(test_stream_told_a_code_at_any_step_says_so);
  EACH(test_stream_cancelled_and_told_a_code_leaves_nothing);
  EACH(test_stream_read_that_cannot_start_may_be_asked_again);
  EACH(test_stream_told_nothing_yet_byte_by_byte_gives_the_same);
  EACH(test_stream_short_writes_and_not_now_send_everything);
}
