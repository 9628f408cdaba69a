/* SPDX-License-Identifier: MIT */
/* Streams over TCP and pipes, on libuv. */
#define _XOPEN_SOURCE 700 /* posix_openpt and what goes with it */
#include <vow/debug.h>
#include <vow/pipe.h>
#include <vow/stream.h>
#include <vow/tty.h>

#include "unit/uv/uv_support.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

/* A connection: raw on one side, a stream that owns its handle on the other. */
typedef struct wire {
  pair_t pair;
  vow_loop_t *loop;
  uv_tcp_t *raw;
  vow_stream_t *s;
} wire_t;

static wire_t wire_on(vow_loop_t *loop) {
  wire_t w;
  memset(&w, 0, sizeof w);
  w.loop = loop;
  w.pair = pair_open(loop);
  w.raw = w.pair.a;
  ck_assert_int_eq(
      vow_stream_from_uv(stream_of(w.pair.b), VOW_STREAM_OWNED, &w.s), 0);
  w.pair.b = NULL;
  return w;
}

static wire_t wire_open(void) {
  return wire_on(loop_open());
}

static void wire_close(wire_t *w) {
  vow_stream_unref(w->s);
  pair_close(&w->pair);
}

static void wire_done(wire_t *w) {
  wire_close(w);
  loop_done(w->loop);
}

static void gives(vow_loop_t *loop, vow_future_t *f, const char *text) {
  ck_assert_int_eq(settle(loop, f), 0);
  expect_bytes(f, text);
  vow_drop(f);
}

TEST(test_stream_uv_reads_and_writes) {
  wire_t w = wire_open();
  vow_future_t *f = vow_stream_read_exactly(w.s, 5);
  vow_reader_t *r = NULL;
  vow_drop(write_text(w.raw, "hello, line\nrest"));
  gives(w.loop, f, "hello");
  gives(w.loop, vow_stream_read_line(w.s, 80), ", line");
  gives(w.loop, vow_stream_read(w.s, 0), "rest");
  ck_assert_ptr_nonnull(vow_stream_uv(w.s));
  ck_assert_int_eq(settle_drop(w.loop, vow_stream_write(w.s, "answer", 6)), 0);
  ck_assert_int_eq(vow_reader_new(stream_of(w.raw), 0, &r), 0);
  gives(w.loop, vow_reader_next(r), "answer");
  vow_reader_free(r);
  wire_done(&w);
}

TEST(test_stream_uv_settles_at_once_when_bytes_are_there) {
  wire_t w = wire_open();
  vow_future_t *f = vow_stream_read(w.s, 0);
  vow_drop(write_text(w.raw, "x"));
  gives(w.loop, f, "x");
  vow_drop(write_text(w.raw, "abc"));
  turns(w.loop, 2); /* it reads on, asked or not */
  f = vow_stream_read_exactly(w.s, 3);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  vow_drop(f);
  wire_done(&w);
}

TEST(test_stream_uv_end_at_every_offset_is_one_clear_error) {
  static const char message[] = "0123456789";
  size_t cut;
  for (cut = 0; cut <= 10; cut++) {
    wire_t w = wire_open();
    vow_future_t *f = vow_stream_read_exactly(w.s, 10);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)message, (unsigned)cut);
    int err;
    vow_drop(vow_write(stream_of(w.raw), &buf, 1));
    vow_drop(vow_shutdown(stream_of(w.raw)));
    err = settle(w.loop, f);
    ck_assert_int_eq(err, cut < 10 ? UV_EOF : 0);
    vow_drop(f);
    f = vow_stream_read_to_end(w.s, 10);
    ck_assert_int_eq(settle(w.loop, f), 0);
    ck_assert_uint_eq(vow_bytes_length(vow_bytes_get(f)), cut < 10 ? cut : 0);
    vow_drop(f);
    wire_done(&w);
  }
}

TEST(test_stream_uv_reset_at_every_offset_is_one_clear_error) {
  static const char message[] = "0123456789";
  size_t cut;
  for (cut = 0; cut < 10; cut++) {
    wire_t w = wire_open();
    vow_future_t *f = vow_stream_read_exactly(w.s, 10);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)message, (unsigned)cut);
    vow_drop(vow_write(stream_of(w.raw), &buf, 1));
    if (cut % 2 == 0) turns(w.loop, 3); /* it arrives before, or with it */
    ck_assert_int_eq(settle_drop(w.loop, vow_tcp_close_reset(w.raw)), 0);
    ck_assert_int_eq(settle_drop(w.loop, f), UV_ECONNRESET);
    if (cut % 2 == 0 && cut > 0) {
      f = vow_stream_read(w.s, 0); /* what came before can still be read */
      ck_assert_int_eq(settle(w.loop, f), 0);
      ck_assert_uint_eq(vow_bytes_length(vow_bytes_get(f)), cut);
      vow_drop(f);
    }
    wire_done(&w);
  }
}

TEST(test_stream_uv_reset_gives_the_peer_an_error) {
  wire_t w = wire_open();
  vow_reader_t *r = NULL;
  ck_assert_int_eq(vow_reader_new(stream_of(w.raw), 0, &r), 0);
  ck_assert_int_eq(settle_drop(w.loop, vow_stream_reset(w.s, 0)), 0);
  ck_assert_int_eq(settle_drop(w.loop, vow_reader_next(r)), UV_ECONNRESET);
  ck_assert_ptr_null(vow_stream_uv(w.s));
  vow_reader_free(r);
  wire_done(&w);
}

TEST(test_stream_uv_reset_after_shutdown_closes) {
  wire_t w = wire_open();
  vow_drop(vow_stream_shutdown(w.s));
  ck_assert_int_eq(settle_drop(w.loop, vow_stream_reset(w.s, 0)), 0);
  wire_done(&w);
}

TEST(test_stream_uv_shutdown_ends_one_half) {
  wire_t w = wire_open();
  vow_reader_t *r = NULL;
  ck_assert_int_eq(vow_reader_new(stream_of(w.raw), 0, &r), 0);
  vow_drop(vow_stream_write(w.s, "bye", 3));
  ck_assert_int_eq(settle_drop(w.loop, vow_stream_shutdown(w.s)), 0);
  gives(w.loop, vow_reader_next(r), "bye");
  ck_assert_int_eq(settle_drop(w.loop, vow_reader_next(r)), UV_EOF);
  vow_drop(write_text(w.raw, "still here"));
  gives(w.loop, vow_stream_read(w.s, 0), "still here");
  vow_reader_free(r);
  wire_done(&w);
}

#define BIG ((size_t)8 * 1024 * 1024)

TEST(test_stream_uv_close_fails_what_is_pending) {
  wire_t w = wire_open();
  char *data = calloc(1, BIG);
  vow_future_t *r = vow_stream_read(w.s, 0);
  vow_future_t *f = vow_stream_write(w.s, data, BIG);
  vow_future_t *g = vow_stream_write_borrowed(w.s, data, BIG);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(settle_drop(w.loop, vow_stream_close(w.s)), 0);
  ck_assert_int_eq(settle_drop(w.loop, r), VOW_ESHUTDOWN);
  ck_assert_int_eq(settle_drop(w.loop, f), VOW_ESHUTDOWN);
  ck_assert_int_eq(settle_drop(w.loop, g), VOW_ESHUTDOWN);
  free(data);
  wire_done(&w);
}

/* ---- bytes that are written without a copy ------------------------------- */

static vow_bytes_t *big_bytes(void) {
  char *to;
  vow_bytes_t *b = vow_bytes_new(BIG, &to);
  size_t i;
  for (i = 0; i < BIG; i++) to[i] = (char)(i * 7 / 3);
  return b;
}

TEST(test_stream_uv_write_bytes_keeps_them_until_they_have_gone) {
  wire_t w = wire_open();
  vow_bytes_t *b = big_bytes();
  vow_future_t *f = vow_stream_write_bytes(w.s, b), *r;
  vow_stream_t *peer = NULL;
  char first[4];
  memcpy(first, vow_bytes_data(b), 4);
  vow_bytes_unref(b); /* ours */
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(
      vow_stream_from_uv(stream_of(w.raw), VOW_STREAM_BORROWED, &peer), 0);
  r = vow_stream_read_exactly(peer, BIG);
  ck_assert_int_eq(settle(w.loop, r), 0);
  ck_assert_int_eq(memcmp(vow_bytes_data(vow_bytes_get(r)), first, 4), 0);
  ck_assert_int_eq(settle(w.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), (int64_t)BIG);
  vow_drop(f);
  vow_drop(r);
  vow_stream_unref(peer);
  wire_done(&w);
}

TEST(test_stream_uv_write_bytes_cancelled_or_dropped_still_go) {
  int dropped;
  for (dropped = 0; dropped < 2; dropped++) {
    wire_t w = wire_open();
    vow_bytes_t *b = big_bytes();
    vow_future_t *f = vow_stream_write_bytes(w.s, b), *r;
    vow_stream_t *peer = NULL;
    vow_bytes_unref(b);
    if (!dropped) {
      ck_assert_int_eq(vow_cancel(f), 0);
      ck_assert(vow_is_cancelled(f));
    }
    vow_drop(f);
    ck_assert_int_eq(
        vow_stream_from_uv(stream_of(w.raw), VOW_STREAM_BORROWED, &peer), 0);
    r = vow_stream_read_exactly(peer, BIG);
    ck_assert_int_eq(settle_drop(w.loop, r), 0);
    vow_stream_unref(peer);
    wire_done(&w);
  }
}

TEST(test_stream_uv_write_bytes_fails_with_the_close) {
  wire_t w = wire_open();
  vow_bytes_t *b = big_bytes();
  vow_future_t *f = vow_stream_write_bytes(w.s, b);
  vow_bytes_unref(b);
  ck_assert_int_eq(settle_drop(w.loop, vow_stream_close(w.s)), 0);
  ck_assert_int_eq(settle_drop(w.loop, f), VOW_ESHUTDOWN);
  wire_done(&w);
}

/* ---- whose the handle is ------------------------------------------------- */

TEST(test_stream_uv_borrowed_handle_stays_open) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_stream_t *s = NULL, *other = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_stream_from_uv(stream_of(p.b), VOW_STREAM_BORROWED, &s),
                   0);
  ck_assert_int_eq(
      vow_stream_from_uv(stream_of(p.b), VOW_STREAM_BORROWED, &other),
      UV_EEXIST);
  f = vow_stream_read(s, 0);
  ck_assert_int_eq(settle_drop(loop, vow_stream_reset(s, 0)), 0);
  ck_assert_int_eq(settle_drop(loop, f), VOW_ESHUTDOWN);
  ck_assert(!uv_is_closing(handle_of(p.b)));
  ck_assert(!uv_is_active(handle_of(p.b)));
  vow_stream_unref(s);
  ck_assert_int_eq(vow_stream_from_uv(stream_of(p.b), VOW_STREAM_BORROWED, &s),
                   0);
  vow_drop(write_text(p.a, "again"));
  gives(loop, vow_stream_read(s, 0), "again");
  vow_stream_unref(s);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_stream_uv_closed_handle_ends_the_stream) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_stream_t *s = NULL;
  vow_future_t *f, *c;
  ck_assert_int_eq(vow_stream_from_uv(stream_of(p.b), VOW_STREAM_BORROWED, &s),
                   0);
  f = vow_stream_read(s, 0);
  c = vow_close(handle_of(p.b));
  ck_assert_int_eq(settle_drop(loop, f), VOW_ESHUTDOWN);
  ck_assert_int_eq(settle_drop(loop, c), 0);
  ck_assert_int_eq(settle_drop(loop, vow_stream_read(s, 0)), VOW_ESHUTDOWN);
  ck_assert_int_eq(settle_drop(loop, vow_stream_write(s, "x", 1)),
                   VOW_ESHUTDOWN);
  ck_assert_int_eq(settle_drop(loop, vow_stream_close(s)), UV_EALREADY);
  vow_stream_unref(s);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_stream_uv_outlives_an_attached_loop) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  uv_tcp_t *tcp = NULL;
  vow_stream_t *s = NULL, *t = NULL;
  uv_tcp_t mine;
  fault_install();
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  uv_tcp_init(&uv, &mine);
  ck_assert_int_eq(vow_stream_from_uv(stream_of(tcp), VOW_STREAM_OWNED, &s), 0);
  ck_assert_int_eq(
      vow_stream_from_uv(stream_of(&mine), VOW_STREAM_BORROWED, &t), 0);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  vow_drop(vow_stream_read(s, 0));
  vow_drop(vow_stream_close(t));
  vow_stream_unref(s);
  vow_stream_unref(t);
  uv_close(handle_of(&mine), NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_stream_uv_not_connected_fails_and_can_be_asked_again) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *tcp = NULL;
  vow_stream_t *s = NULL;
  int i;
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  ck_assert_int_eq(vow_stream_from_uv(stream_of(tcp), VOW_STREAM_OWNED, &s), 0);
  for (i = 0; i < 2; i++)
    ck_assert_int_eq(settle_drop(loop, vow_stream_read(s, 0)), UV_ENOTCONN);
  vow_stream_unref(s);
  turns(loop, 3);
  loop_done(loop);
}

TEST(test_stream_uv_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *tcp = NULL;
  uv_pipe_t *ipc = NULL;
  vow_stream_t *s = NULL;
  uv_timer_t timer;
  ck_assert_int_eq(vow_stream_from_uv(NULL, VOW_STREAM_OWNED, &s), UV_EINVAL);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  ck_assert_int_eq(vow_stream_from_uv(stream_of(tcp), VOW_STREAM_OWNED, NULL),
                   UV_EINVAL);
  vow_tcp_free(tcp);
  ck_assert_int_eq(vow_stream_from_uv(stream_of(tcp), VOW_STREAM_OWNED, &s),
                   UV_EINVAL);
  ck_assert_int_eq(vow_pipe_new(loop, true, &ipc), 0);
  ck_assert_int_eq(vow_stream_from_uv((uv_stream_t *)ipc, VOW_STREAM_OWNED, &s),
                   UV_ENOTSUP);
  vow_pipe_free(ipc);
  uv_timer_init(vow_loop_uv(loop), &timer);
  ck_assert_int_eq(
      vow_stream_from_uv((uv_stream_t *)&timer, VOW_STREAM_BORROWED, &s),
      UV_ENOTSUP);
  uv_close((uv_handle_t *)&timer, NULL);
  turns(loop, 3);
  ck_assert_ptr_null(s);
  loop_done(loop);
}

TEST(test_stream_uv_over_a_pipe) {
  vow_loop_t *loop = loop_open();
  vow_stream_t *s[2] = {NULL, NULL};
  int fds[2], i;
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  for (i = 0; i < 2; i++) {
    uv_pipe_t *pipe = NULL;
    ck_assert_int_eq(vow_pipe_new(loop, false, &pipe), 0);
    ck_assert_int_eq(uv_pipe_open(pipe, fds[i]), 0);
    ck_assert_int_eq(
        vow_stream_from_uv((uv_stream_t *)pipe, VOW_STREAM_OWNED, &s[i]), 0);
  }
  vow_drop(vow_stream_write(s[0], "over a pipe", 11));
  gives(loop, vow_stream_read_exactly(s[1], 11), "over a pipe");
  ck_assert_int_eq(settle_drop(loop, vow_stream_reset(s[0], 0)), 0);
  ck_assert_int_eq(settle_drop(loop, vow_stream_read(s[1], 0)), UV_EOF);
  vow_stream_unref(s[0]);
  vow_stream_unref(s[1]);
  turns(loop, 3);
  loop_done(loop);
}

/* ---- memory -------------------------------------------------------------- */

static bool out_of_memory(size_t n) {
  wire_t w;
  vow_future_t *f;
  vow_stream_t *s = NULL;
  bool failed;
  int err;
  fault_install();
  w = wire_on(loop_open_probe());
  fault_fail_at(n);
  err = vow_stream_from_uv(stream_of(w.raw), VOW_STREAM_BORROWED, &s);
  if (err != 0) {
    ck_assert_int_eq(err, UV_ENOMEM);
    ck_assert_int_eq(
        vow_stream_from_uv(stream_of(w.raw), VOW_STREAM_BORROWED, &s), 0);
  }
  f = vow_stream_write(w.s, "precious", 8);
  if (vow_status(f) == UV_ENOMEM) {
    /* Whether it has gone is not known: the future is all that failed. */
    vow_drop(f);
    f = NULL;
  }
  vow_drop(f);
  f = vow_stream_read_exactly(s, 8);
  if (!vow_is_settled(f)) turns(w.loop, 4);
  if (vow_status(f) == UV_ENOMEM) {
    vow_drop(f);
    f = vow_stream_read_exactly(s, 8);
  }
  ck_assert_int_eq(settle(w.loop, f), 0);
  expect_bytes(f, "precious");
  vow_drop(f);
  f = vow_stream_close(w.s);
  err = vow_status(f);
  ck_assert(err == UV_EAGAIN || err == UV_ENOMEM);
  vow_drop(f);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert_int_eq(settle_drop(w.loop, vow_stream_read(s, 0)), UV_EOF);
  vow_stream_unref(s);
  wire_done(&w);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_stream_uv_out_of_memory_loses_no_byte) {
  size_t n;
  for (n = 1; out_of_memory(n); n++) ck_assert_uint_lt(n, 60);
  ck_assert_uint_gt(n, 4);
}

typedef struct echo {
  vow_stream_t *s;
} echo_t;

static vow_value_t echo_step(vow_future_t *in, void *arg) {
  echo_t *e = arg;
  vow_drop(vow_stream_write_bytes(e->s, vow_bytes_get(in)));
  return vow_follow(vow_then(vow_stream_read_exactly(e->s, 4), echo_step, e));
}

TEST(test_stream_uv_echo_ping_pong_allocates_nothing) {
  wire_t w;
  echo_t e;
  vow_reader_t *r = NULL;
  vow_future_t *server;
  int i;
  fault_install();
  w = wire_open();
  e.s = w.s;
  ck_assert_int_eq(vow_reader_new(stream_of(w.raw), 0, &r), 0);
  server = vow_then(vow_stream_read_exactly(w.s, 4), echo_step, &e);
  for (i = 0; i < 200; i++) {
    vow_future_t *f = vow_reader_next(r);
    vow_drop(write_text(w.raw, "ping"));
    gives(w.loop, f, "ping");
    if (i == 20) fault_off(); /* warm: count from here */
  }
  ck_assert_uint_eq(fault_count(), 0);
  vow_drop(server);
  vow_reader_free(r);
  wire_done(&w);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_stream_uv_idle_connection_costs_at_most_256_bytes) {
  enum { COUNT = 256 };
  static vow_stream_t *s[COUNT];
  vow_loop_t *loop;
  long before = 0;
  int i;
  fault_install();
  loop = loop_open();
  for (i = -1; i < COUNT; i++) { /* the first brings the pool and so on */
    uv_tcp_t *tcp = NULL;
    if (i == 0) before = fault_live_bytes();
    ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
    ck_assert_int_eq(vow_stream_from_uv(stream_of(tcp), VOW_STREAM_OWNED,
                                        i < 0 ? &s[0] : &s[i]),
                     0);
    if (i < 0) vow_stream_unref(s[0]);
  }
  ck_assert_int_le(fault_live_bytes() - before,
                   COUNT * (256 + (long)sizeof(uv_tcp_t)));
  for (i = 0; i < COUNT; i++) vow_stream_unref(s[i]);
  turns(loop, 3);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void note_line(const char *line, void *arg) {
  char *text = arg;
  strncat(text, line, 400);
  strncat(text, "\n", 2);
}

TEST(test_stream_uv_write_bytes_is_seen_in_a_dump_with_what_it_waits_for) {
  wire_t w = wire_open();
  vow_bytes_t *b = big_bytes();
  vow_future_t *f = vow_stream_write_bytes(w.s, b);
  char text[4096] = "";
  vow_bytes_unref(b);
  vow_dump(w.loop, note_line, text);
  ck_assert_ptr_nonnull(strstr(text, "stream_write_bytes "));
  ck_assert_ptr_nonnull(strstr(text, "\n  write"));
  vow_drop(f);
  wire_done(&w);
}

TEST(test_stream_uv_write_bytes_without_memory_fails_or_sends_all) {
  vow_bytes_t *b;
  wire_t w;
  vow_future_t *f;
  size_t n;
  bool hit = true;
  for (n = 1; hit; n++) {
    int err;
    fault_install();
    w = wire_on(loop_open_probe());
    b = big_bytes();
    fault_fail_at(n);
    f = vow_stream_write_bytes(w.s, b);
    hit = fault_failed() > 0;
    fault_off();
    vow_bytes_unref(b);
    err = vow_is_settled(f) ? vow_status(f) : 0;
    ck_assert_int_eq(err, hit ? UV_ENOMEM : 0);
    vow_drop(f);
    wire_done(&w);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 2);
}

/* ---- terminals -------------------------------------------------------------
 */

TEST(test_stream_uv_over_a_terminal) {
  int user = posix_openpt(O_RDWR | O_NOCTTY), fd;
  struct termios mode;
  vow_loop_t *loop;
  uv_tty_t *tty = NULL;
  vow_stream_t *s = NULL;
  char shown[8] = "";
  if (user < 0 || grantpt(user) != 0 || unlockpt(user) != 0) return;
  fd = open(ptsname(user), O_RDWR | O_NOCTTY);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(tcgetattr(fd, &mode), 0);
  mode.c_lflag &= ~(tcflag_t)ECHO;
  mode.c_oflag &= ~(tcflag_t)OPOST;
  ck_assert_int_eq(tcsetattr(fd, TCSANOW, &mode), 0);
  loop = loop_open();
  ck_assert_int_eq(vow_tty_new(loop, fd, &tty), 0);
  ck_assert_int_eq(vow_stream_from_uv((uv_stream_t *)tty, VOW_STREAM_OWNED, &s),
                   0);
  ck_assert_int_eq(settle_drop(loop, vow_stream_write(s, "name?", 5)), 0);
  ck_assert_int_eq(read(user, shown, sizeof shown), 5);
  ck_assert_int_eq(memcmp(shown, "name?", 5), 0);
  ck_assert_int_eq(write(user, "ada\n", 4), 4);
  gives(loop, vow_stream_read_line(s, 80), "ada");
  vow_stream_unref(s); /* closes it: that is its owner */
  loop_done(loop);
  close(user);
}

SUITE(net_stream_uv) {
  ADD(test_stream_uv_reads_and_writes);
  ADD(test_stream_uv_settles_at_once_when_bytes_are_there);
  ADD(test_stream_uv_end_at_every_offset_is_one_clear_error);
  ADD(test_stream_uv_reset_at_every_offset_is_one_clear_error);
  ADD(test_stream_uv_reset_gives_the_peer_an_error);
  ADD(test_stream_uv_reset_after_shutdown_closes);
  ADD(test_stream_uv_shutdown_ends_one_half);
  ADD(test_stream_uv_close_fails_what_is_pending);
  ADD(test_stream_uv_write_bytes_keeps_them_until_they_have_gone);
  ADD(test_stream_uv_write_bytes_cancelled_or_dropped_still_go);
  ADD(test_stream_uv_write_bytes_fails_with_the_close);
  ADD(test_stream_uv_borrowed_handle_stays_open);
  ADD(test_stream_uv_closed_handle_ends_the_stream);
  ADD(test_stream_uv_outlives_an_attached_loop);
  ADD(test_stream_uv_not_connected_fails_and_can_be_asked_again);
  ADD(test_stream_uv_bad_arguments_give_codes);
  ADD(test_stream_uv_over_a_pipe);
  ADD(test_stream_uv_out_of_memory_loses_no_byte);
  ADD(test_stream_uv_echo_ping_pong_allocates_nothing);
  ADD(test_stream_uv_idle_connection_costs_at_most_256_bytes);
  ADD(test_stream_uv_write_bytes_is_seen_in_a_dump_with_what_it_waits_for);
  ADD(test_stream_uv_write_bytes_without_memory_fails_or_sends_all);
  ADD(test_stream_uv_over_a_terminal);
}
