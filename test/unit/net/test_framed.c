/* SPDX-License-Identifier: MIT */
/* A small protocol over TCP: four bytes of length, and so many of payload. The
 * peer ends or resets at every byte, reads and writes are cut to single bytes
 * and told "not now": what came whole is given, and the rest is one failure
 * that says what was being read. */
#include "check/shim/shim.h"
#include "unit/net/serve_support.h"

#include <signal.h>

static const char *const payloads[] = {"hello", "", "a longer one"};

#define FRAMES 3

/* All frames as they go over the wire. */
static size_t wire_bytes(char *to) {
  size_t i, used = 0;
  for (i = 0; i < FRAMES; i++) {
    size_t n = strlen(payloads[i]);
    const char head[4] = {0, 0, 0, (char)n};
    memcpy(to + used, head, 4);
    memcpy(to + used + 4, payloads[i], n);
    used += 4 + n;
  }
  return used;
}

typedef enum ending { END, RESET } ending_t;

static void finish(int fd, ending_t how) {
  struct linger now = {1, 0};
  if (how == RESET) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

static int code_of(ending_t how) {
  return how == END ? UV_EOF : UV_ECONNRESET;
}

/* ---- reading ------------------------------------------------------------- */

/* A stream here, and the other end of its connection as the kernel has it. */
typedef struct link {
  vow_loop_t *loop;
  vow_stream_t *s;
  int fd;
} link_t;

static link_t link_open(void) {
  link_t l = {loop_open(), NULL, -1};
  address_t a;
  const struct sockaddr *addr = &a.any;
  int listening = listen_raw("127.0.0.1", 1, &a);
  vow_future_t *f;
  vow__shim_on();
  f = vow_connect_addresses(l.loop, 1, &addr, NULL);
  ck_assert_int_eq(settle(l.loop, f), 0);
  l.s = vow_stream_take(f);
  vow_drop(f);
  l.fd = accept(listening, NULL, NULL);
  ck_assert_int_ge(l.fd, 0);
  close(listening);
  return l;
}

static void link_close(link_t *l) {
  vow__shim_off();
  vow_stream_unref(l->s);
  loop_done(l->loop);
}

/* Reads n bytes into to; a failure is given, and consumed by who asked. */
static vow_future_t *read_into(link_t *l, char *to, size_t n) {
  vow_future_t *f = vow_stream_read_exactly(l->s, n);
  if (settle(l->loop, f) != 0) return f;
  ck_assert_uint_eq(vow_bytes_length(vow_bytes_get(f)), n);
  memcpy(to, vow_bytes_data(vow_bytes_get(f)), n);
  vow_drop(f);
  return NULL;
}

/* What a peer that ended after sent bytes must have led to: whole frames, and
 * then f, which names how far the head or the payload had come. */
static void expect_end_of_frames(link_t *l, size_t sent, ending_t how) {
  size_t i, taken = 0, want = 4;
  char text[64], head[4];
  vow_future_t *f = NULL;
  for (i = 0; f == NULL; i++) {
    ck_assert_uint_le(i, FRAMES);
    want = 4;
    f = read_into(l, head, 4);
    if (f != NULL) break;
    taken += 4;
    want = (size_t)head[3];
    ck_assert_uint_eq(want, strlen(payloads[i]));
    f = read_into(l, text, want);
    if (f != NULL) break;
    taken += want;
    ck_assert_int_eq(memcmp(text, payloads[i], want), 0);
  }
  ck_assert_int_eq(vow_status(f), code_of(how));
  ck_assert_uint_lt(sent - taken, want); /* all that was whole came before */
  snprintf(text, sizeof text, "after %zu of %zu bytes", sent - taken, want);
  ck_assert_msg(strstr(vow_error_message(vow_error(f)), text) != NULL,
                "\"%s\" lacks \"%s\"", vow_error_message(vow_error(f)), text);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "stream_read_exactly"));
  ck_assert_ptr_nonnull(strstr(vow_error_site(vow_error(f)), "test_framed.c:"));
  vow_drop(f);
  /* Nothing is lost: the incomplete rest can be had, and then the same end. */
  ck_assert_uint_eq(vow_stream_buffered(l->s), sent - taken);
  if (sent > taken) {
    f = read_into(l, text, sent - taken);
    ck_assert_ptr_null(f);
  }
  f = vow_stream_read(l->s, 0);
  ck_assert_int_eq(settle_drop(l->loop, f), code_of(how));
}

typedef enum delivery {
  AS_IT_COMES,
  BYTE_BY_BYTE,  /* however much is there */
  WITH_NOTHING,  /* "nothing yet" before each piece */
  BYTE_BY_WRITE, /* the peer sends so, and we look at each */
  DELIVERIES
} delivery_t;

static void send_prefix(link_t *l, const char *data, size_t n, delivery_t how) {
  size_t i;
  if (how == BYTE_BY_BYTE) vow__shim_short_reads(1);
  if (how == WITH_NOTHING) vow__shim_report_from("uv_read_start", 1, 0);
  if (how != BYTE_BY_WRITE) {
    ck_assert_int_eq(write(l->fd, data, n), (ssize_t)n);
    return;
  }
  vow_detach(vow_stream_peek(l->s, 1)); /* so that it reads */
  for (i = 0; i < n; i++) {
    ck_assert_int_eq(write(l->fd, data + i, 1), 1);
    turns(l->loop, 1);
  }
}

static void end_at_every_byte(ending_t how, delivery_t delivery) {
  char data[64];
  size_t total = wire_bytes(data), sent;
  for (sent = 0; sent <= total; sent++) {
    link_t l = link_open();
    send_prefix(&l, data, sent, delivery);
    finish(l.fd, how);
    expect_end_of_frames(&l, sent, how);
    link_close(&l);
  }
}

TEST(test_framed_end_at_every_byte_is_one_clear_error) {
  end_at_every_byte(END, (delivery_t)_i);
}

TEST(test_framed_reset_at_every_byte_is_one_clear_error) {
  end_at_every_byte(RESET, (delivery_t)_i);
}

/* ---- serving ------------------------------------------------------------- */

/* Sends each frame back; ends well between two frames only. */
static vow_value_t send_back(vow_future_t *in, void *arg) {
  vow_bytes_t *b = vow_bytes_get(in);
  const char head[4] = {0, 0, 0, (char)vow_bytes_length(b)};
  uv_buf_t bufs[2];
  bufs[0] = uv_buf_init((char *)(uintptr_t)head, 4);
  bufs[1] = uv_buf_init((char *)(uintptr_t)vow_bytes_data(b),
                        (unsigned)vow_bytes_length(b));
  return vow_follow(vow_stream_writev(arg, bufs, 2));
}

static vow_value_t read_payload(vow_future_t *in, void *arg) {
  size_t n = (unsigned char)vow_bytes_data(vow_bytes_get(in))[3];
  vow_future_t *f = vow_stream_read_exactly(arg, n);
  return vow_follow(vow_then(f, send_back, arg));
}

static vow_value_t once_more(vow_future_t *in, void *arg);

static vow_future_t *serve_frames(vow_stream_t *stream) {
  vow_future_t *f = vow_stream_read_exactly(stream, 4);
  return vow_then(vow_then(f, read_payload, stream), once_more, stream);
}

static vow_value_t once_more(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(serve_frames(arg));
}

static vow_future_t *frames(vow_stream_t *stream, void *arg) {
  return counted(arg, serve_frames(stream));
}

static char said[256]; /* the last failure */

static void keep_message(vow_server_t *server, vow_value_t failure, void *arg) {
  service_t *s = arg;
  (void)server;
  s->failures++;
  s->last_error = vow_value_code(failure);
  snprintf(said, sizeof said, "%s",
           vow_error_message(vow_value_error(failure)));
}

/* The answer to the whole frames within sent bytes. */
static size_t whole_within(size_t sent) {
  size_t i, used = 0;
  for (i = 0; i < FRAMES; i++) {
    size_t n = 4 + strlen(payloads[i]);
    if (used + n > sent) break;
    used += n;
  }
  return used;
}

static void framed_open(service_t *s) {
  const vow_serve_on_t on = {.host = "127.0.0.1"};
  s->options.on_error = keep_message;
  s->options.on_error_arg = s;
  s->loop = loop_open();
  vow__shim_on();
  ck_assert_int_eq(
      vow_serve(s->loop, 1, &on, frames, s, &s->options, &s->server), 0);
}

static void serve_until(ending_t how, size_t sent, bool by_byte) {
  service_t s = {0};
  char data[64], back[64];
  size_t whole = whole_within(sent), got = 0;
  int fd;
  (void)wire_bytes(data);
  framed_open(&s);
  if (by_byte) {
    vow__shim_short_reads(1);
    vow__shim_short_writes(1);
  }
  fd = client_of(&s);
  ck_assert_int_eq(write(fd, data, sent), (ssize_t)sent);
  while (got < whole) {
    ssize_t n = recv(fd, back + got, sizeof back - got, MSG_DONTWAIT);
    if (n > 0) got += (size_t)n;
    turns(s.loop, 1);
  }
  ck_assert_int_eq(memcmp(back, data, whole), 0);
  finish(fd, how);
  turn_until(s.loop, &s.failures, 1);
  turn_until(s.loop, &s.running, 0);
  ck_assert_int_eq(s.last_error, code_of(how));
  snprintf(back, sizeof back, "after %zu of ",
           sent - whole >= 4 ? sent - whole - 4 : sent - whole);
  ck_assert_msg(strstr(said, back) != NULL, "\"%s\" lacks \"%s\"", said, back);
  vow__shim_off();
  service_close(&s);
  ck_assert_int_eq(unseen, 0);
}

TEST(test_framed_server_tells_of_each_end_once) {
  char data[64];
  size_t total = wire_bytes(data), sent;
  for (sent = 0; sent <= total; sent++) {
    serve_until(END, sent, sent % 2 == 0);
    serve_until(RESET, sent, sent % 2 == 1);
  }
}

/* ---- writing ------------------------------------------------------------- */

/* Short writes, and "not now" to each of the first tries. */
TEST(test_framed_short_writes_lose_nothing) {
  size_t max, nth;
  for (max = 0; max <= 3; max++) {
    for (nth = 0; nth <= FRAMES; nth++) {
      char data[64], got[64];
      size_t total = wire_bytes(data), used = 0, i;
      link_t l = link_open();
      vow__shim_short_writes(max);
      vow__shim_fail("uv_try_write", nth,
                     nth % 2 == 0 ? UV_EAGAIN : UV_ENOBUFS);
      for (i = 0; i < FRAMES; i++) {
        size_t n = 4 + strlen(payloads[i]);
        vow_detach(vow_stream_write(l.s, data + used, n));
        used += n;
      }
      ck_assert_int_eq(settle_drop(l.loop, vow_stream_shutdown(l.s)), 0);
      used = 0;
      while (used < total) {
        ssize_t n = read_raw(l.fd, got + used, sizeof got - used);
        ck_assert_int_gt(n, 0);
        used += (size_t)n;
      }
      ck_assert_int_eq(memcmp(got, data, total), 0);
      ck_assert_int_eq(read_raw(l.fd, got, 1), 0);
      close(l.fd);
      link_close(&l);
    }
  }
}

/* The peer takes so many bytes and leaves: one write fails, and so do those
 * behind it; nobody waits for ever. */
static void leave_after(size_t taken, ending_t how) {
  enum { WRITES = 64 };
  static char frame[65536];
  vow_future_t *f[WRITES];
  char got[64];
  link_t l = link_open();
  int i, failed = 0;
  for (i = 0; i < WRITES; i++) /* more than the kernel takes */
    f[i] = vow_stream_write(l.s, frame, sizeof frame);
  ck_assert_int_eq(read_raw(l.fd, got, taken), (ssize_t)taken);
  finish(l.fd, how); /* with bytes unread it is a reset either way */
  for (i = 0; i < WRITES; i++) {
    int err = settle(l.loop, f[i]);
    ck_assert(err == 0 || err == UV_ECONNRESET || err == UV_EPIPE);
    if (failed > 0) ck_assert_int_ne(err, 0);
    if (err != 0) {
      failed++;
      ck_assert_ptr_nonnull(
          strstr(vow_error_message(vow_error(f[i])), "write"));
    }
    vow_drop(f[i]);
  }
  ck_assert_int_gt(failed, 0);
  link_close(&l);
}

TEST(test_framed_peer_that_leaves_fails_the_writes) {
  char data[64];
  size_t total = wire_bytes(data), taken;
  signal(SIGPIPE, SIG_IGN);
  for (taken = 0; taken <= total; taken++)
    leave_after(taken, taken % 2 == 0 ? END : RESET);
  signal(SIGPIPE, SIG_DFL);
}

SUITE(net_framed) {
  tcase_add_loop_test(test_tcase,
                      test_framed_end_at_every_byte_is_one_clear_error, 0,
                      DELIVERIES);
  tcase_add_loop_test(test_tcase,
                      test_framed_reset_at_every_byte_is_one_clear_error, 0,
                      DELIVERIES);
  ADD(test_framed_server_tells_of_each_end_once);
  ADD(test_framed_short_writes_lose_nothing);
  ADD(test_framed_peer_that_leaves_fails_the_writes);
}
