/* SPDX-License-Identifier: MIT */
/* Reading streams, and the bytes that come of it. */
#include <vow/udp.h>

#include "unit/uv/uv_support.h"

#include <unistd.h>

static vow_reader_t *reader_on(uv_tcp_t *tcp, size_t high_water_bytes) {
  vow_reader_t *r = NULL;
  ck_assert_int_eq(vow_reader_new(stream_of(tcp), high_water_bytes, &r), 0);
  return r;
}

static char *pattern(size_t n) {
  char *data = malloc(n);
  size_t i;
  ck_assert_ptr_nonnull(data);
  for (i = 0; i < n; i++) data[i] = (char)(i / 7);
  return data;
}

#define BIG ((size_t)800000)

/* ---- reading ------------------------------------------------------------- */

TEST(test_reader_next_on_waiting_data_has_settled_on_return) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_future_t *f = vow_reader_next(r);
  vow_drop(write_text(p.a, "one"));
  ck_assert_int_eq(settle(loop, f), 0);
  expect_bytes(f, "one");
  vow_drop(f);
  vow_drop(write_text(p.a, "two"));
  turns(loop, 2); /* nobody asks; reading goes on */
  f = vow_reader_next(r);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  expect_bytes(f, "two");
  vow_drop(f);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_reader_several_nexts_are_served_in_order) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_future_t *a = vow_reader_next(r), *b = vow_reader_next(r);
  vow_drop(write_text(p.a, "one"));
  ck_assert_int_eq(settle(loop, a), 0);
  ck_assert_int_eq(vow_state(b), VOW_PENDING);
  vow_drop(write_text(p.a, "two"));
  ck_assert_int_eq(settle(loop, b), 0);
  expect_bytes(a, "one");
  expect_bytes(b, "two");
  vow_drop(a);
  vow_drop(b);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_reader_cancelled_next_leaves_its_bytes_to_the_next) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_future_t *a = vow_reader_next(r), *b = vow_reader_next(r);
  vow_future_t *c = vow_reader_next(r);
  ck_assert_int_eq(vow_cancel(b), 0); /* in the middle of the list */
  ck_assert(vow_is_cancelled(b));
  ck_assert_int_eq(vow_cancel(a), 0);
  vow_drop(write_text(p.a, "kept"));
  ck_assert_int_eq(settle(loop, c), 0);
  expect_bytes(c, "kept");
  vow_drop(a);
  vow_drop(b);
  vow_drop(c);
  c = vow_reader_next(r);
  vow_drop(c); /* the last: nobody waits, what comes is kept */
  vow_drop(write_text(p.a, "more"));
  turns(loop, 2);
  c = vow_reader_next(r);
  ck_assert_int_eq(vow_status(c), 0);
  expect_bytes(c, "more");
  vow_drop(c);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_reader_stops_at_high_water_and_starts_below_half) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 100000);
  char *data = pattern(BIG);
  uv_buf_t buf = uv_buf_init(data, (unsigned)BIG);
  vow_future_t *w;
  vow_future_t *f = vow_reader_next(r);
  size_t first;
  vow_drop(f);
  w = vow_write(stream_of(p.a), &buf, 1);
  turns(loop, 50);
  /* Far less was read than was sent: the writer waits. */
  ck_assert_int_eq(vow_state(w), VOW_PENDING);
  ck_assert(!uv_is_active(handle_of(p.b)));
  f = vow_reader_next(r);
  ck_assert_int_eq(vow_status(f), 0);
  first = vow_bytes_length(vow_bytes_get(f));
  ck_assert_uint_le(first, 65536);
  vow_drop(f);
  while (!uv_is_active(handle_of(p.b))) {
    f = vow_reader_next(r);
    ck_assert_int_eq(vow_status(f), 0);
    first += vow_bytes_length(vow_bytes_get(f));
    vow_drop(f);
  }
  ck_assert_uint_lt(first, 250000);
  while (first < BIG) {
    f = vow_reader_next(r);
    ck_assert_int_eq(settle(loop, f), 0);
    first += vow_bytes_length(vow_bytes_get(f));
    vow_drop(f);
  }
  ck_assert_int_eq(settle_drop(loop, w), 0);
  free(data);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_reader_reset_by_peer_fails_now_and_later) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_future_t *f = vow_reader_next(r);
  ck_assert_int_eq(uv_tcp_close_reset(p.a, NULL), 0);
  ck_assert_int_eq(settle_drop(loop, f), UV_ECONNRESET);
  ck_assert_int_eq(settle_drop(loop, vow_reader_next(r)), UV_ECONNRESET);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_reader_closed_handle_fails_pending_nexts_with_eshutdown) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_future_t *a = vow_reader_next(r), *b = vow_reader_next(r), *c;
  c = vow_close(handle_of(p.b));
  ck_assert_int_eq(vow_status(a), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_status(b), VOW_ESHUTDOWN);
  vow_drop(a);
  vow_drop(b);
  a = vow_reader_next(r);
  ck_assert_int_eq(vow_status(a), VOW_ESHUTDOWN);
  vow_drop(a);
  ck_assert_int_eq(settle_drop(loop, c), 0);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_reader_free_fails_pending_nexts_and_leaves_the_stream_open) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_future_t *f = vow_reader_next(r);
  vow_reader_free(r);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  ck_assert(!uv_is_closing(handle_of(p.b)));
  r = reader_on(p.b, 0); /* another may take over */
  f = vow_reader_next(r);
  vow_drop(write_text(p.a, "again"));
  ck_assert_int_eq(settle(loop, f), 0);
  expect_bytes(f, "again");
  vow_drop(f);
  vow_reader_free(r);
  vow_reader_free(NULL);
  pair_close(&p);
  loop_done(loop);
}

static vow_value_t free_reader(vow_future_t *in, void *arg) {
  (void)in;
  vow_reader_free(*(vow_reader_t **)arg);
  return vow_nil();
}

TEST(test_reader_may_be_freed_by_its_own_continuation) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_future_t *f = vow_then(vow_reader_next(r), free_reader, &r);
  vow_drop(write_text(p.a, "bye"));
  ck_assert_int_eq(settle_drop(loop, f), 0);
  pair_close(&p);
  loop_done(loop);
}

typedef struct freed {
  vow_reader_t *reader;
  vow_receiver_t *receiver;
  vow_listener_t *listener;
} freed_t;

static void free_all(vow_future_t *f, void *arg) {
  freed_t *all = arg, had = *all;
  (void)f;
  memset(all, 0, sizeof *all);
  vow_reader_free(had.reader);
  vow_receiver_free(had.receiver);
  vow_listener_free(had.listener);
}

/* The end of what is read, and the closing of the handle. */
TEST(test_reader_may_be_freed_by_who_hears_of_an_unseen_failure) {
  for (int i = 0; i < 2; i++) {
    freed_t all = {0};
    vow_loop_options_t o = {.on_unhandled = free_all, .on_unhandled_arg = &all};
    vow_loop_t *loop;
    uv_pipe_t in;
    int fds[2];
    ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(uv_pipe_init(vow_loop_uv(loop), &in, 0), 0);
    ck_assert_int_eq(uv_pipe_open(&in, fds[0]), 0);
    ck_assert_int_eq(vow_reader_new((uv_stream_t *)&in, 0, &all.reader), 0);
    vow_detach(vow_reader_next(all.reader));
    vow_detach(vow_reader_next(all.reader));
    if (i == 0) {
      close(fds[1]);
      ck_assert_int_eq(vow_loop_run(loop), 0);
      uv_close((uv_handle_t *)&in, NULL);
    } else {
      vow_drop(vow_close((uv_handle_t *)&in));
      ck_assert_int_eq(vow_loop_run(loop), 0);
      close(fds[1]);
    }
    ck_assert_ptr_null(all.reader);
    loop_done(loop);
  }
}

TEST(
    test_receiver_and_listener_may_be_freed_by_who_hears_of_an_unseen_failure) {
  for (int i = 0; i < 2; i++) {
    freed_t all = {0};
    vow_loop_options_t o = {.on_unhandled = free_all, .on_unhandled_arg = &all};
    struct sockaddr_in addr = local_addr(0);
    vow_loop_t *loop;
    union {
      uv_handle_t any;
      uv_tcp_t tcp;
      uv_udp_t udp;
    } h;
    ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
    if (i == 0) {
      ck_assert_int_eq(uv_udp_init(vow_loop_uv(loop), &h.udp), 0);
      ck_assert_int_eq(uv_udp_bind(&h.udp, (struct sockaddr *)&addr, 0), 0);
      ck_assert_int_eq(vow_receiver_new(&h.udp, 0, &all.receiver), 0);
      vow_detach(vow_receiver_next(all.receiver));
    } else {
      ck_assert_int_eq(uv_tcp_init(vow_loop_uv(loop), &h.tcp), 0);
      ck_assert_int_eq(uv_tcp_bind(&h.tcp, (struct sockaddr *)&addr, 0), 0);
      ck_assert_int_eq(vow_listen(&h.tcp, 8, &all.listener), 0);
      vow_detach(vow_accept(all.listener));
    }
    vow_drop(vow_close(&h.any));
    ck_assert_int_eq(vow_loop_run(loop), 0);
    ck_assert(all.receiver == NULL && all.listener == NULL);
    loop_done(loop);
  }
}

TEST(test_reader_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0), *other = NULL;
  uv_tcp_t *tcp = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_reader_new(NULL, 0, &other), UV_EINVAL);
  ck_assert_int_eq(vow_reader_new(stream_of(p.a), 0, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_reader_new(stream_of(p.b), 0, &other), UV_EEXIST);
  f = vow_reader_next(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  vow_reader_free(r);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  ck_assert_int_eq(vow_reader_new(stream_of(tcp), 0, &r), 0);
  f = vow_reader_next(r);
  ck_assert_int_eq(vow_status(f), UV_ENOTCONN);
  vow_drop(f);
  vow_tcp_free(tcp);
  ck_assert_int_eq(vow_reader_new(stream_of(tcp), 0, &other), UV_EINVAL);
  ck_assert_ptr_null(other);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_reader_out_of_memory_loses_no_byte) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    vow_loop_t *loop;
    pair_t p;
    vow_reader_t *r = NULL;
    vow_future_t *f;
    int err;
    ck_assert_uint_lt(n, 30);
    fault_install();
    loop = loop_open_probe();
    p = pair_open(loop);
    vow_drop(write_text(p.a, "precious"));
    fault_fail_at(n);
    err = vow_reader_new(stream_of(p.b), 0, &r);
    if (err == 0) {
      f = vow_reader_next(r);
      err = vow_is_settled(f) ? vow_status(f) : settle(loop, f);
      failed = fault_failed() > 0;
      fault_off();
      if (err != 0) {
        ck_assert_int_eq(err, UV_ENOMEM);
        vow_drop(f);
        f = vow_reader_next(r); /* asking again helps */
        ck_assert_int_eq(settle(loop, f), 0);
      }
      expect_bytes(f, "precious");
      vow_drop(f);
    }
    fault_off();
    vow_reader_free(r);
    pair_close(&p);
    loop_done(loop);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 3);
}

/* ---- bytes --------------------------------------------------------------- */

TEST(test_bytes_outlive_stream_and_loop) {
  vow_loop_t *loop;
  pair_t p;
  vow_reader_t *r;
  vow_future_t *f;
  vow_bytes_t *a, *b;
  fault_install();
  loop = loop_open();
  p = pair_open(loop);
  r = reader_on(p.b, 0);
  f = vow_reader_next(r);
  vow_drop(write_text(p.a, "lasting"));
  ck_assert_int_eq(settle(loop, f), 0);
  a = vow_bytes_take(f);
  vow_drop(f);
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
  b = vow_bytes_ref(a);
  vow_bytes_unref(a);
  ck_assert_int_eq(memcmp(vow_bytes_data(b), "lasting", 7), 0);
  ck_assert_int_gt(fault_live(), 0);
  vow_bytes_unref(b);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_bytes_of_null_are_empty) {
  ck_assert_uint_eq(vow_bytes_length(NULL), 0);
  ck_assert_str_eq(vow_bytes_data(NULL), "");
  ck_assert_ptr_null(vow_bytes_ref(NULL));
  vow_bytes_unref(NULL);
}

TEST(test_reader_kept_pieces_stay_intact) {
  enum { KEPT = 200 };
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *r = reader_on(p.b, 0);
  vow_bytes_t *kept[KEPT];
  char text[900];
  int i;
  for (i = 0; i < KEPT; i++) {
    vow_future_t *f = vow_reader_next(r);
    memset(text, 'a' + i % 26, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    vow_drop(write_text(p.a, text));
    ck_assert_int_eq(settle(loop, f), 0);
    kept[i] = vow_bytes_take(f);
    vow_drop(f);
  }
  for (i = 0; i < KEPT; i++) {
    ck_assert_uint_ge(vow_bytes_length(kept[i]), 1);
    ck_assert_int_eq(vow_bytes_data(kept[i])[0], 'a' + i % 26);
    vow_bytes_unref(kept[i]);
  }
  vow_reader_free(r);
  pair_close(&p);
  loop_done(loop);
}

/* ---- no allocation in a ping-pong ---------------------------------------- */

typedef struct echo {
  uv_tcp_t *tcp;
  vow_reader_t *reader;
} echo_t;

static vow_value_t echo_step(vow_future_t *in, void *arg) {
  echo_t *e = arg;
  vow_bytes_t *b = vow_bytes_get(in);
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)vow_bytes_data(b),
                             (unsigned)vow_bytes_length(b));
  vow_drop(vow_write(stream_of(e->tcp), &buf, 1));
  return vow_follow(vow_then(vow_reader_next(e->reader), echo_step, e));
}

TEST(test_echo_ping_pong_allocates_nothing) {
  vow_loop_t *loop;
  pair_t p;
  echo_t e;
  vow_reader_t *r;
  vow_future_t *server;
  int i;
  fault_install();
  loop = loop_open();
  p = pair_open(loop);
  e.tcp = p.b;
  e.reader = reader_on(p.b, 0);
  r = reader_on(p.a, 0);
  server = vow_then(vow_reader_next(e.reader), echo_step, &e);
  for (i = 0; i < 200; i++) {
    vow_future_t *f = vow_reader_next(r);
    vow_drop(write_text(p.a, "ping"));
    ck_assert_int_eq(settle(loop, f), 0);
    expect_bytes(f, "ping");
    vow_drop(f);
    if (i == 20) fault_off(); /* warm: count from here */
  }
  ck_assert_uint_eq(fault_count(), 0);
  vow_drop(server);
  vow_reader_free(r);
  vow_reader_free(e.reader);
  pair_close(&p);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- uv_close by the user -------------------------------------------------- */

TEST(test_stream_the_user_has_closed_reads_and_shuts_down_no_more) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t tcp;
  vow_reader_t *r = NULL;
  vow_future_t *f;
  ck_assert_int_eq(uv_tcp_init(vow_loop_uv(loop), &tcp), 0);
  ck_assert_int_eq(vow_reader_new(stream_of(&tcp), 0, &r), 0);
  uv_close(handle_of(&tcp), NULL);
  f = vow_reader_next(r);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "closed by uv_close"));
  vow_drop(f);
  f = vow_shutdown(stream_of(&tcp));
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  vow_reader_free(r);
  turns(loop, 2);
  loop_done(loop);
}

SUITE(uv_reader) {
  ADD(test_reader_may_be_freed_by_who_hears_of_an_unseen_failure);
  ADD(test_receiver_and_listener_may_be_freed_by_who_hears_of_an_unseen_failure);
  ADD(test_reader_next_on_waiting_data_has_settled_on_return);
  ADD(test_reader_several_nexts_are_served_in_order);
  ADD(test_reader_cancelled_next_leaves_its_bytes_to_the_next);
  ADD(test_reader_stops_at_high_water_and_starts_below_half);
  ADD(test_reader_reset_by_peer_fails_now_and_later);
  ADD(test_reader_closed_handle_fails_pending_nexts_with_eshutdown);
  ADD(test_reader_free_fails_pending_nexts_and_leaves_the_stream_open);
  ADD(test_reader_may_be_freed_by_its_own_continuation);
  ADD(test_reader_bad_arguments_give_codes);
  ADD(test_reader_out_of_memory_loses_no_byte);
  ADD(test_bytes_outlive_stream_and_loop);
  ADD(test_bytes_of_null_are_empty);
  ADD(test_reader_kept_pieces_stay_intact);
  ADD(test_echo_ping_pong_allocates_nothing);
  ADD(test_stream_the_user_has_closed_reads_and_shuts_down_no_more);
}
