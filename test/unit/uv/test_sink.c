/* SPDX-License-Identifier: MIT */
/* Sinks: being told what a raw stream reads. */
#include <vow/pipe.h>
#include <vow/sink.h>

#include "unit/uv/uv_support.h"

typedef struct bin {
  vow_sink_t sink; /* first */
  char text[64];
  int pieces;
  int starved;
  int end;
  bool full;
  bool close_in_data;
} bin_t;

static bin_t *bin_of(vow_sink_t *k) {
  return (bin_t *)(void *)k;
}

static bool bin_room(vow_sink_t *k) {
  return !bin_of(k)->full;
}

static void bin_data(vow_sink_t *k, vow_bytes_t *b) {
  bin_t *bin = bin_of(k);
  ck_assert_int_eq(bin->end, 0);
  ck_assert_uint_lt(strlen(bin->text) + vow_bytes_length(b), sizeof bin->text);
  strncat(bin->text, vow_bytes_data(b), vow_bytes_length(b));
  bin->pieces++;
  vow_bytes_unref(b);
  if (bin->close_in_data) vow_sink_close(k);
}

static void bin_starved(vow_sink_t *k) {
  bin_of(k)->starved++;
}

static void bin_end(vow_sink_t *k, int code) {
  ck_assert_int_eq(bin_of(k)->end, 0); /* once */
  bin_of(k)->end = code;
}

static const vow_sink_class_t bin_class = {bin_room, bin_data, bin_starved,
                                           bin_end};

static pair_t bin_open(vow_loop_t *loop, bin_t *bin) {
  pair_t p = pair_open(loop);
  memset(bin, 0, sizeof *bin);
  ck_assert_int_eq(vow_sink_open(&bin->sink, stream_of(p.b), &bin_class), 0);
  return p;
}

TEST(test_sink_is_told_data_and_end) {
  vow_loop_t *loop = loop_open();
  bin_t bin;
  pair_t p = bin_open(loop, &bin);
  vow_drop(write_text(p.a, "one"));
  turns(loop, 2);
  ck_assert_str_eq(bin.text, ""); /* not started */
  ck_assert_int_eq(vow_sink_start(&bin.sink), 0);
  turns(loop, 2);
  ck_assert_str_eq(bin.text, "one");
  vow_sink_stop(&bin.sink);
  vow_drop(write_text(p.a, " two"));
  turns(loop, 2);
  ck_assert_str_eq(bin.text, "one");
  ck_assert_int_eq(vow_sink_start(&bin.sink), 0);
  vow_drop(vow_shutdown(stream_of(p.a)));
  turns(loop, 4);
  ck_assert_str_eq(bin.text, "one two");
  ck_assert_int_eq(bin.end, UV_EOF);
  vow_sink_close(&bin.sink);
  vow_sink_close(&bin.sink);
  ck_assert_int_eq(vow_sink_start(&bin.sink), VOW_ESHUTDOWN);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_sink_reset_behind_data_is_no_end) {
  vow_loop_t *loop = loop_open();
  bin_t bin;
  pair_t p = bin_open(loop, &bin);
  vow_drop(write_text(p.a, "data"));
  ck_assert_int_eq(settle_drop(loop, vow_tcp_close_reset(p.a)), 0);
  ck_assert_int_eq(vow_sink_start(&bin.sink), 0);
  turns(loop, 4);
  ck_assert_int_eq(bin.end, UV_ECONNRESET);
  vow_sink_close(&bin.sink);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_sink_without_room_is_starved_and_loses_nothing) {
  vow_loop_t *loop = loop_open();
  bin_t bin;
  pair_t p = bin_open(loop, &bin);
  bin.full = true;
  vow_drop(write_text(p.a, "kept"));
  ck_assert_int_eq(vow_sink_start(&bin.sink), 0);
  turns(loop, 3);
  ck_assert_int_eq(bin.starved, 1); /* and it stopped */
  bin.full = false;
  ck_assert_int_eq(vow_sink_start(&bin.sink), 0);
  turns(loop, 2);
  ck_assert_str_eq(bin.text, "kept");
  vow_sink_close(&bin.sink);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_sink_is_told_when_its_stream_is_closed) {
  vow_loop_t *loop = loop_open();
  bin_t bin;
  pair_t p = bin_open(loop, &bin);
  ck_assert_int_eq(vow_sink_start(&bin.sink), 0);
  ck_assert_int_eq(settle_drop(loop, vow_close(handle_of(p.b))), 0);
  ck_assert_int_eq(bin.end, VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_sink_start(&bin.sink), VOW_ESHUTDOWN);
  vow_sink_stop(&bin.sink);
  vow_sink_close(&bin.sink);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_sink_may_close_itself_while_it_is_told) {
  vow_loop_t *loop = loop_open();
  bin_t bin;
  pair_t p = bin_open(loop, &bin);
  bin.close_in_data = true;
  ck_assert_int_eq(vow_sink_start(&bin.sink), 0);
  vow_drop(write_text(p.a, "last"));
  turns(loop, 2);
  vow_drop(write_text(p.a, "unread"));
  turns(loop, 2);
  ck_assert_str_eq(bin.text, "last");
  ck_assert_int_eq(bin.end, 0);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_sink_is_let_go_by_an_attached_loop) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  bin_t bin;
  pair_t p;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  p = bin_open(loop, &bin);
  ck_assert_int_eq(vow_sink_start(&bin.sink), 0);
  vow_listener_free(p.listener);
  vow_tcp_free(p.listening);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(bin.end, VOW_ESHUTDOWN);
  ck_assert(!uv_is_active(handle_of(p.b))); /* it does not hold uv_run */
  vow_sink_close(&bin.sink);
  vow_tcp_free(p.a);
  vow_tcp_free(p.b);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

TEST(test_sink_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open();
  bin_t bin, other;
  pair_t p = bin_open(loop, &bin);
  vow_reader_t *r = NULL;
  uv_pipe_t *ipc = NULL;
  memset(&other, 0, sizeof other);
  ck_assert_int_eq(vow_sink_open(&other.sink, NULL, &bin_class), UV_EINVAL);
  ck_assert_int_eq(vow_sink_open(NULL, stream_of(p.a), &bin_class), UV_EINVAL);
  ck_assert_int_eq(vow_sink_open(&other.sink, stream_of(p.a), NULL), UV_EINVAL);
  ck_assert_int_eq(vow_sink_open(&other.sink, stream_of(p.b), &bin_class),
                   UV_EEXIST);
  ck_assert_int_eq(vow_pipe_new(loop, true, &ipc), 0);
  ck_assert_int_eq(vow_sink_open(&other.sink, (uv_stream_t *)ipc, &bin_class),
                   UV_ENOTSUP);
  vow_pipe_free(ipc);
  ck_assert_int_eq(vow_reader_new(stream_of(p.b), 0, &r), 0);
  vow_drop(vow_reader_next(r)); /* it reads */
  ck_assert_int_eq(vow_sink_start(&bin.sink), UV_EALREADY);
  vow_reader_free(r);
  vow_sink_close(&bin.sink);
  pair_close(&p);
  loop_done(loop);
}

SUITE(uv_sink) {
  ADD(test_sink_is_told_data_and_end);
  ADD(test_sink_reset_behind_data_is_no_end);
  ADD(test_sink_without_room_is_starved_and_loses_nothing);
  ADD(test_sink_is_told_when_its_stream_is_closed);
  ADD(test_sink_may_close_itself_while_it_is_told);
  ADD(test_sink_is_let_go_by_an_attached_loop);
  ADD(test_sink_bad_arguments_give_codes);
}
