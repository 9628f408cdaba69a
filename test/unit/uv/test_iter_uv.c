/* SPDX-License-Identifier: MIT */
/* The sources of libuv as iterators: a row for each, every situation for every
 * row. */
#include <vow/iter_tools.h>
#include <vow/iter_uv.h>

#include <signal.h>

#include "unit/uv/fs_support.h"

/* Where a source works. */
typedef struct stage {
  vow_loop_t *loop;
  pair_t pair;
  folder_t *folder;
  uv_tcp_t *tcp; /* listens */
  uv_tcp_t *client;
  uv_udp_t *udp[2];
  int pipe[2];
  int pokes;
} stage_t;

typedef struct row {
  const char *name;
  vow_iter_t *(*make)(stage_t *s);
  void (*poke)(stage_t *s); /* something comes */
  vow_iter_t *(*of_null)(void);
} row_t;

#define MUST(call) ck_assert_int_eq((call), 0)

/* ---- the rows ------------------------------------------------------------ */

static vow_iter_t *reader_make(stage_t *s) {
  vow_reader_t *r = NULL;
  MUST(vow_reader_new(stream_of(s->pair.b), 0, &r));
  return vow_reader_iter(r);
}

static void reader_poke(stage_t *s) {
  vow_drop(write_text(s->pair.a, "x"));
}

static vow_iter_t *reader_null(void) {
  return vow_reader_iter(NULL);
}

static vow_iter_t *listener_make(stage_t *s) {
  vow_listener_t *l = NULL;
  MUST(vow_listen(s->tcp, 8, &l));
  return vow_listener_iter(l);
}

static void listener_poke(stage_t *s) {
  vow_tcp_free(s->client);
  MUST(vow_tcp_new(s->loop, &s->client));
  MUST(settle_drop(s->loop, connect_to(s->client, port_of(s->tcp))));
}

static vow_iter_t *listener_null(void) {
  return vow_listener_iter(NULL);
}

static vow_iter_t *receiver_make(stage_t *s) {
  vow_receiver_t *r = NULL;
  MUST(vow_receiver_new(s->udp[0], 0, &r));
  return vow_receiver_iter(r);
}

static void receiver_poke(stage_t *s) {
  struct sockaddr_storage to;
  int length = sizeof to;
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t) "x", 1);
  MUST(uv_udp_getsockname(s->udp[0], (struct sockaddr *)&to, &length));
  ck_assert_int_eq(settle_drop(s->loop, vow_udp_send(s->udp[1], &buf, 1,
                                                     (struct sockaddr *)&to)),
                   0);
}

static vow_iter_t *receiver_null(void) {
  return vow_receiver_iter(NULL);
}

static vow_iter_t *signal_make(stage_t *s) {
  vow_signal_t *x = NULL;
  MUST(vow_signal_new(s->loop, SIGUSR1, &x));
  return vow_signal_iter(x);
}

static void signal_poke(stage_t *s) {
  (void)s;
  MUST(raise(SIGUSR1));
}

static vow_iter_t *signal_null(void) {
  return vow_signal_iter(NULL);
}

static vow_iter_t *fs_event_make(stage_t *s) {
  vow_fs_event_t *e = NULL;
  MUST(vow_fs_event_new(s->loop, s->folder->path, 0, &e));
  return vow_fs_event_iter(e);
}

/* Another size each time. */
static void file_poke(stage_t *s) {
  char text[16] = "";
  memset(text, 'x', (size_t)++s->pokes);
  make_file(in(s->folder, "file"), text);
}

static vow_iter_t *fs_event_null(void) {
  return vow_fs_event_iter(NULL);
}

static vow_iter_t *fs_poll_make(stage_t *s) {
  vow_fs_poll_t *p = NULL;
  vow_future_t *alive;
  MUST(vow_fs_poll_new(s->loop, in(s->folder, "file"), 1, &p));
  alive = vow_sleep(s->loop, 100000); /* so that turns happen */
  for (int i = 0; i < 16; i++) /* its first look is at the file as it was */
    uv_run(vow_loop_uv(s->loop), UV_RUN_ONCE);
  vow_drop(alive);
  return vow_fs_poll_iter(p);
}

static vow_iter_t *fs_poll_null(void) {
  return vow_fs_poll_iter(NULL);
}

static vow_iter_t *interval_make(stage_t *s) {
  vow_interval_t *i = NULL;
  MUST(vow_interval_new(s->loop, 1, &i));
  return vow_interval_iter(i);
}

static void interval_poke(stage_t *s) {
  (void)s;
}

static vow_iter_t *interval_null(void) {
  return vow_interval_iter(NULL);
}

static vow_iter_t *poll_make(stage_t *s) {
  vow_poll_t *p = NULL;
  MUST(vow_poll_new(s->loop, s->pipe[0], UV_READABLE, &p));
  return vow_poll_iter(p);
}

static void poll_poke(stage_t *s) {
  ck_assert_int_eq(write(s->pipe[1], "x", 1), 1);
}

static vow_iter_t *poll_null(void) {
  return vow_poll_iter(NULL);
}

static const row_t rows[] = {
    {"reader", reader_make, reader_poke, reader_null},
    {"listener", listener_make, listener_poke, listener_null},
    {"receiver", receiver_make, receiver_poke, receiver_null},
    {"signal", signal_make, signal_poke, signal_null},
    {"fs_event", fs_event_make, file_poke, fs_event_null},
    {"fs_poll", fs_poll_make, file_poke, fs_poll_null},
    {"interval", interval_make, interval_poke, interval_null},
    {"poll", poll_make, poll_poke, poll_null},
};

#define ROWS (sizeof rows / sizeof rows[0])

/* ---- the stage ----------------------------------------------------------- */

static stage_t stage_open(bool probe) {
  stage_t s = {0};
  s.loop = probe ? loop_open_probe() : loop_open();
  s.pair = pair_open(s.loop);
  s.folder = folder_open(s.loop);
  s.tcp = bound_tcp(s.loop);
  for (int i = 0; i < 2; i++) {
    struct sockaddr_in addr = local_addr(0);
    MUST(vow_udp_new(s.loop, 0, &s.udp[i]));
    MUST(uv_udp_bind(s.udp[i], (struct sockaddr *)&addr, 0));
  }
  MUST(pipe(s.pipe));
  return s;
}

/* All but the folder, which goes when the loop is closed. */
static void stage_clear(stage_t *s) {
  vow_tcp_free(s->tcp);
  vow_tcp_free(s->client);
  vow_udp_free(s->udp[0]);
  vow_udp_free(s->udp[1]);
  pair_close(&s->pair);
}

static void stage_gone(stage_t *s) {
  close(s->pipe[0]);
  close(s->pipe[1]);
  folder_free(s->folder);
}

static void stage_close(stage_t *s) {
  stage_clear(s);
  loop_done(s->loop);
  stage_gone(s);
}

static void close_iter(stage_t *s, vow_iter_t *it) {
  MUST(settle_drop(s->loop, vow_iter_close(it)));
  vow_iter_free(it);
}

/* ---- the situations ------------------------------------------------------ */

TEST(test_iter_uv_gives_what_comes_until_it_is_closed) {
  for (size_t k = 0; k < ROWS; k++) {
    stage_t s = stage_open(false);
    vow_iter_t *it = rows[k].make(&s);
    for (int i = 0; i < 3; i++) {
      vow_future_t *f = vow_iter_next(it);
      rows[k].poke(&s);
      ck_assert_msg(settle(s.loop, f) == 0, "%s: %d", rows[k].name,
                    vow_status(f));
      vow_drop(f);
    }
    ck_assert_uint_eq(vow_iter_count(it), 3);
    close_iter(&s, it);
    stage_close(&s);
  }
}

TEST(test_iter_uv_cancelled_next_loses_nothing) {
  for (size_t k = 0; k < ROWS; k++) {
    stage_t s = stage_open(false);
    vow_iter_t *it = rows[k].make(&s);
    vow_future_t *f = vow_iter_next(it);
    vow_cancel(f);
    ck_assert(vow_is_cancelled(f));
    vow_drop(f);
    f = vow_iter_next(it);
    rows[k].poke(&s);
    MUST(settle_drop(s.loop, f));
    close_iter(&s, it);
    stage_close(&s);
  }
}

TEST(test_iter_uv_closed_while_asked_cancels_the_next) {
  for (size_t k = 0; k < ROWS; k++) {
    stage_t s = stage_open(false);
    vow_iter_t *it = rows[k].make(&s);
    vow_future_t *f = vow_iter_next(it), *end = vow_iter_close(it);
    ck_assert(vow_is_cancelled(f));
    vow_drop(f);
    MUST(settle_drop(s.loop, end));
    ck_assert_int_eq(settle_drop(s.loop, vow_iter_next(it)), VOW_ESHUTDOWN);
    vow_iter_free(it);
    it = rows[k].make(&s); /* the source is free again */
    vow_iter_free(it);
    stage_close(&s);
    ck_assert_int_eq(unseen, 0);
  }
}

TEST(test_iter_uv_closed_with_its_loop_frees_the_source) {
  for (size_t k = 0; k < ROWS; k++) {
    stage_t s;
    vow_iter_t *it;
    vow_future_t *f;
    fault_install();
    s = stage_open(false);
    it = rows[k].make(&s);
    f = vow_iter_next(it);
    vow_listener_free(s.pair.listener);
    s.pair.listener = NULL;
    stage_clear(&s);
    MUST(vow_loop_close(s.loop, 1000));
    vow_drop(f);
    f = vow_iter_close(it); /* it has closed */
    MUST(vow_status(f));
    vow_drop(f);
    vow_iter_free(it);
    stage_gone(&s);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
}

TEST(test_iter_uv_of_nothing_is_misuse) {
  for (size_t k = 0; k < ROWS; k++) {
    vow_loop_t *loop = loop_open();
    vow_iter_t *it = rows[k].of_null();
    ck_assert_int_eq(settle_drop(loop, vow_iter_next(it)), UV_EINVAL);
    vow_iter_free(it);
    loop_done(loop);
  }
}

TEST(test_iter_uv_out_of_memory_frees_the_source) {
  for (size_t k = 0; k < ROWS; k++) {
    int failed = 0;
    for (size_t n = 1; n < 12; n++) {
      stage_t s;
      vow_iter_t *it;
      vow_future_t *f;
      fault_install();
      s = stage_open(true);
      it = rows[k].make(&s); /* succeeds: only then is memory short */
      fault_fail_at(n);
      f = vow_iter_next(it);
      turns(s.loop, 1);
      vow_drop(f);
      failed += fault_failed() > 0;
      fault_off();
      close_iter(&s, it);
      stage_close(&s);
      ck_assert_int_eq(fault_live(), 0);
      fault_remove();
    }
    ck_assert_int_gt(failed, 0);
  }
}

/* ---- as it is meant ------------------------------------------------------ */

static vow_value_t count_bytes(vow_future_t *in, void *arg) {
  *(size_t *)arg += vow_bytes_length(vow_bytes_get(in));
  return vow_nil();
}

TEST(test_iter_uv_reader_ends_with_its_stream) {
  stage_t s = stage_open(false);
  size_t total = 0;
  vow_future_t *f = vow_iter_each(reader_make(&s), count_bytes, &total);
  vow_drop(write_text(s.pair.a, "hello, "));
  vow_drop(write_text(s.pair.a, "world"));
  MUST(settle_drop(s.loop, vow_shutdown(stream_of(s.pair.a))));
  MUST(settle_drop(s.loop, f));
  ck_assert_uint_eq(total, 12);
  stage_close(&s);
}

static vow_value_t sum_ticks(vow_future_t *in, void *arg) {
  *(int64_t *)arg += vow_get_int(in);
  return *(int64_t *)arg >= 5 ? vow_iter_stop() : vow_nil();
}

TEST(test_iter_uv_interval_left_early_lets_the_loop_end) {
  vow_loop_t *loop = loop_open();
  vow_interval_t *i = NULL;
  int64_t ticks = 0;
  MUST(vow_interval_new(loop, 1, &i));
  MUST(settle_drop(loop,
                   vow_iter_each(vow_interval_iter(i), sum_ticks, &ticks)));
  ck_assert_int_ge(ticks, 5);
  loop_done(loop);
}

SUITE(uv_iter) {
  ADD(test_iter_uv_gives_what_comes_until_it_is_closed);
  ADD(test_iter_uv_cancelled_next_loses_nothing);
  ADD(test_iter_uv_closed_while_asked_cancels_the_next);
  ADD(test_iter_uv_closed_with_its_loop_frees_the_source);
  ADD(test_iter_uv_of_nothing_is_misuse);
  ADD(test_iter_uv_out_of_memory_frees_the_source);
  ADD(test_iter_uv_reader_ends_with_its_stream);
  ADD(test_iter_uv_interval_left_early_lets_the_loop_end);
}
