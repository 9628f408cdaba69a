/* SPDX-License-Identifier: MIT */
/* The wires of the network in memory: latency, bandwidth, capacity. */
#include "unit/check/report.h"

#include <vow/time.h>

static vow_stream_t *connect_to(vow_loop_t *loop, vow_check_net_t *net) {
  return vow_assert_take(vow_check_connect(loop, "db", "7", net),
                         &vow_type_stream);
}

/* ---- latency and bandwidth ------------------------------------------------- */

VOW_TEST(test_net_latency_and_bandwidth_take_virtual_time) {
  vow_check_wire_t wire = {.latency_ms = 40, .bytes_per_s = 1000};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_check_listener_t *l = vow_check_listen(net, "db:7");
  vow_stream_t *a = connect_to(loop, net), *b;
  char kilobyte[1000] = "";
  ck_assert_uint_eq(vow_check_now_ms(), 80);
  b = vow_assert_take(vow_check_accept(l), &vow_type_stream);
  vow_assert_ok(vow_stream_write(a, kilobyte, 1000));
  ck_assert_uint_eq(vow_check_now_ms(), 80);
  vow_assert_ok(vow_assert_not_before(vow_stream_read_exactly(b, 1000), 1040));
  ck_assert_uint_eq(vow_check_now_ms(), 1120);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

/* Writes n times so many bytes, and says when they have come. */
static uint64_t time_of_writes(vow_loop_t *loop, uint64_t bytes_per_s, size_t n,
                               size_t length) {
  vow_check_wire_t wire = {.bytes_per_s = bytes_per_s,
                           .capacity_bytes = 1000000};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  uint64_t begin_ms = vow_check_now_ms();
  vow_stream_t *a, *b;
  char bytes[32] = "";
  size_t i;
  vow_check_pair(net, &a, &b);
  for (i = 0; i < n; i++) vow_drop(vow_stream_write(a, bytes, length));
  vow_assert_ok(vow_stream_read_exactly(b, n * length));
  vow_stream_unref(a);
  vow_stream_unref(b);
  return vow_check_now_ms() - begin_ms;
}

/* A byte takes two thirds of a microsecond; then 19 take 1.9. */
VOW_TEST(test_net_bandwidth_is_exact_for_small_writes) {
  ck_assert_uint_eq(time_of_writes(loop, 1500000, 6000, 1), 4);
  ck_assert_uint_eq(time_of_writes(loop, 10000000, 3157, 19), 6);
  ck_assert_uint_eq(time_of_writes(loop, 1000, 60, 1), 60);
  ck_assert_uint_eq(time_of_writes(loop, UINT64_MAX, 60, 1), 0);
}

/* A wire that was free owes nothing: each takes its third of a millisecond from
 * where it was written. */
VOW_TEST(test_net_bandwidth_keeps_no_rest_of_what_has_gone) {
  vow_check_wire_t wire = {.bytes_per_s = 3000};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  int i;
  vow_check_pair(net, &a, &b);
  for (i = 0; i < 10; i++) {
    uint64_t begin_ms = vow_check_now_ms();
    vow_assert_ok(vow_stream_write(a, "x", 1));
    vow_assert_ok(vow_stream_read(b, 0));
    ck_assert_uint_eq(vow_check_now_ms() - begin_ms, 1);
  }
  wire.bytes_per_s = 1000000;
  vow_check_net_set_wire(net, &wire);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  vow_assert_ok(vow_assert_within(vow_stream_read(b, 0), 1));
  vow_stream_unref(a);
  vow_stream_unref(b);
}

/* So the contract says. */
VOW_TEST(test_net_bandwidth_brings_a_packet_when_its_last_byte_was_sent) {
  vow_check_wire_t wire = {.delivery = VOW_CHECK_BYTEWISE, .bytes_per_s = 1000};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  char bytes[2000] = "";
  vow_check_pair(net, &a, &b);
  vow_assert_ok(vow_stream_write(a, bytes, sizeof bytes));
  vow_assert_ok(vow_stream_read(b, 1));
  ck_assert_uint_eq(vow_check_now_ms(), 1460);
  vow_assert_ok(vow_stream_read_exactly(b, sizeof bytes - 1));
  ck_assert_uint_eq(vow_check_now_ms(), 2000);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_longest_latency_is_not_short) {
  vow_check_wire_t wire = {.latency_ms = VOW_MS_MAX};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_future_t *read;
  vow_check_pair(net, &a, &b);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  read = vow_stream_read(b, 0);
  vow_check_advance(1000000);
  vow_assert_pending(read);
  vow_drop(read);
  vow_check_reset_all(net, NULL, 0);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

/* Less than the reader reads ahead is taken from the wire at once. */
VOW_TEST(test_net_high_water_is_what_a_slow_reader_holds_back) {
  vow_check_wire_t wire = {.capacity_bytes = 10};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_future_t *first, *second;
  char bytes[100] = "";
  vow_check_pair(net, &a, &b);
  vow_stream_set_high_water(b, 50);
  first = vow_stream_write(a, bytes, 60);
  second = vow_stream_write(a, bytes, 1);
  vow_assert_int(vow_assert_within(first, 0), 60);
  vow_assert_pending(second);
  vow_assert_ok(vow_stream_read_exactly(b, 61));
  vow_assert_int(second, 1);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_full_wire_makes_writes_wait) {
  vow_check_wire_t wire = {.latency_ms = 5, .capacity_bytes = 4};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_future_t *first, *second;
  vow_check_pair(net, &a, &b);
  first = vow_stream_write(a, "abc", 3);
  second = vow_stream_write(a, "def", 3);
  vow_assert_int(vow_assert_within(first, 0), 3);
  vow_assert_pending(second);
  vow_assert_int(vow_assert_within(second, 5), 3);
  vow_assert_string(vow_stream_read_exactly(b, 6), "abcdef");
  vow_stream_unref(a);
  vow_stream_unref(b);
}

/* Whatever of them is cancelled, cut short or lost, the wire has room for as
 * many bytes as before. */
VOW_TEST(test_net_full_wire_counts_what_is_under_way) {
  vow_check_wire_t wire = {.latency_ms = 5, .capacity_bytes = 4};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_future_t *big, *last;
  int i;
  vow_check_pair(net, &a, &b);
  for (i = 0; i < 10; i++) {
    big = vow_stream_write(a, "abcdefg", 7);
    vow_drop(vow_stream_write(a, "h", 1));
    last = vow_stream_write(a, "ij", 2);
    vow_assert_pending(big);
    vow_assert_pending(last);
    vow_assert_int(vow_assert_within(big, 5), 7);
    vow_assert_int(vow_assert_within(last, 0), 2);
    vow_assert_string(vow_stream_read_exactly(b, 10), "abcdefghij");
    vow_assert_int(vow_assert_within(vow_stream_write(a, "wxyz", 4), 0), 4);
    vow_check_advance(5);
    vow_assert_string(vow_stream_read_exactly(b, 4), "wxyz");
  }
  big = vow_stream_write(a, "abcdefg", 7);
  last = vow_stream_write(a, "h", 1);
  vow_assert_nil(vow_stream_reset(b, 0)); /* the writes fail, one after one */
  vow_assert_fails(big, UV_ECONNRESET);
  vow_assert_fails(last, UV_ECONNRESET);
  vow_assert_fails(vow_stream_read(a, 0), UV_ECONNRESET);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_slow_reader_holds_the_writer) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *a, *b;
  vow_future_t *written;
  char *much = calloc(1, 300000);
  vow_check_pair(net, &a, &b);
  vow_assert_ok(vow_stream_write(a, much, 300000));
  written = vow_stream_write(a, much, 100000);
  vow_assert_pending(written);
  vow_assert_ok(vow_stream_read_exactly(b, 400000));
  vow_assert_ok(written);
  free(much);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_cancelled_write_still_goes) {
  vow_check_wire_t wire = {.latency_ms = 5, .capacity_bytes = 1};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_check_pair(net, &a, &b);
  vow_drop(vow_stream_write(a, "abc", 3));
  vow_assert_string(vow_stream_read_exactly(b, 3), "abc");
  vow_stream_unref(a);
  vow_stream_unref(b);
}

/* ---- settings that change -------------------------------------------------- */

VOW_TEST(test_net_set_wire_holds_for_what_is_written_from_then_on) {
  const vow_check_wire_t slow = {.latency_ms = 100};
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *a, *b;
  vow_future_t *f;
  vow_check_pair(net, &a, &b);
  vow_check_net_set_wire(net, &slow);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  f = vow_stream_read(b, 0);
  vow_check_advance(99);
  vow_assert_pending(f);
  vow_assert_string(vow_assert_within(f, 1), "x");
  vow_check_net_set_wire(net, NULL);
  vow_assert_ok(vow_stream_write(a, "y", 1));
  vow_assert_string(vow_assert_within(vow_stream_read(b, 0), 0), "y");
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_bytes_for_a_stream_that_has_gone_are_lost) {
  const vow_check_wire_t slow = {.latency_ms = 10};
  vow_check_net_t *net = vow_check_net_new(loop, &slow);
  vow_stream_t *a, *b;
  vow_check_pair(net, &a, &b);
  vow_drop(vow_stream_write(a, "lost", 4));
  vow_stream_unref(b);
  vow_check_advance(50);
  vow_assert_fails(vow_stream_read_exactly(a, 1), UV_EOF);
  vow_stream_unref(a);
}

SUITE(check_net_wire) {
  ADD(test_net_latency_and_bandwidth_take_virtual_time);
  ADD(test_net_bandwidth_is_exact_for_small_writes);
  ADD(test_net_bandwidth_keeps_no_rest_of_what_has_gone);
  ADD(test_net_bandwidth_brings_a_packet_when_its_last_byte_was_sent);
  ADD(test_net_longest_latency_is_not_short);
  ADD(test_net_high_water_is_what_a_slow_reader_holds_back);
  ADD(test_net_full_wire_makes_writes_wait);
  ADD(test_net_full_wire_counts_what_is_under_way);
  ADD(test_net_slow_reader_holds_the_writer);
  ADD(test_net_cancelled_write_still_goes);
  ADD(test_net_set_wire_holds_for_what_is_written_from_then_on);
  ADD(test_net_bytes_for_a_stream_that_has_gone_are_lost);
}
