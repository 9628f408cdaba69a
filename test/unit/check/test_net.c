/* SPDX-License-Identifier: MIT */
/* The network in memory: streams, listeners, latency, partitions. */
#include "unit/check/report.h"

#include <vow/gather.h>
#include <vow/time.h>

static const char text[] = "the quick brown fox jumps over the lazy dog";

static vow_stream_t *connect_to(vow_loop_t *loop, vow_check_net_t *net) {
  return vow_assert_take(vow_check_connect(loop, "db", "7", net),
                         &vow_type_stream);
}

/* Writes it in two parts and ends. */
static void send_text(vow_stream_t *s) {
  vow_assert_int(vow_stream_write(s, text, 10), 10);
  vow_assert_int(vow_stream_write(s, text + 10, sizeof text - 11),
                 sizeof text - 11);
  vow_assert_nil(vow_stream_shutdown(s));
}

/* ---- deliveries ----------------------------------------------------------- */

static void exchange(vow_loop_t *loop, vow_check_delivery_t delivery) {
  vow_check_wire_t wire = {.delivery = delivery};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_check_pair(net, &a, &b);
  send_text(a);
  vow_assert_string(vow_stream_read_to_end(b, 1000), text);
  vow_assert_fails(vow_stream_read(b, 0), UV_EOF);
  send_text(b);
  vow_assert_string(vow_stream_read_to_end(a, 1000), text);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_every_delivery_brings_all) {
  exchange(loop, VOW_CHECK_IMMEDIATE);
  exchange(loop, VOW_CHECK_DEFERRED);
  exchange(loop, VOW_CHECK_BYTEWISE);
  ck_assert_uint_eq(vow_check_now_ms(), 0);
  exchange(loop, VOW_CHECK_RANDOM);
}

VOW_TEST(test_net_immediate_delivers_in_the_call) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *a, *b;
  vow_future_t *read;
  vow_check_pair(net, &a, &b);
  read = vow_stream_read(b, 0);
  vow_assert_pending(read);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  ck_assert(vow_is_settled(read));
  vow_drop(read);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_deferred_delivers_later) {
  vow_check_wire_t wire = {.delivery = VOW_CHECK_DEFERRED};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_future_t *read;
  vow_check_pair(net, &a, &b);
  read = vow_stream_read(b, 0);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  ck_assert(!vow_is_settled(read));
  vow_assert_string(read, "x");
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_bytewise_delivers_one_at_a_time) {
  vow_check_wire_t wire = {.delivery = VOW_CHECK_BYTEWISE};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_check_pair(net, &a, &b);
  vow_assert_ok(vow_stream_write(a, "abc", 3));
  vow_assert_string(vow_stream_read(b, 0), "a");
  vow_assert_string(vow_stream_read(b, 0), "b");
  vow_assert_string(vow_stream_read(b, 0), "c");
  vow_stream_unref(a);
  vow_stream_unref(b);
}

/* ---- ends ----------------------------------------------------------------- */

VOW_TEST(test_net_close_brings_what_was_written) {
  vow_check_wire_t wire = {.latency_ms = 5};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_check_pair(net, &a, &b);
  vow_assert_ok(vow_stream_write(a, "bye", 3));
  vow_stream_unref(a);
  vow_assert_string(vow_stream_read_to_end(b, 100), "bye");
  vow_assert_fails(vow_stream_write(b, "x", 1), UV_EPIPE);
  vow_assert_fails(vow_stream_shutdown(b), UV_ENOTCONN);
  vow_stream_unref(b);
}

VOW_TEST(test_net_close_fails_writes_that_wait) {
  vow_check_wire_t wire = {.latency_ms = 5, .capacity_bytes = 2};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_future_t *write;
  vow_check_pair(net, &a, &b);
  write = vow_stream_write(a, "abc", 3);
  vow_assert_nil(vow_stream_close(a));
  vow_assert_fails(write, VOW_ESHUTDOWN);
  vow_assert_fails(vow_stream_read(b, 0), UV_EOF);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_reset_is_an_error_at_the_other_side) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *a, *b;
  vow_check_pair(net, &a, &b);
  vow_assert_nil(vow_stream_reset(a, 0));
  vow_assert_fails(vow_stream_read(b, 0), UV_ECONNRESET);
  vow_assert_fails(vow_stream_write(b, "x", 1), UV_ECONNRESET);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_reset_all_ends_both_sides) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *a, *b;
  vow_check_pair(net, &a, &b);
  vow_check_reset_all(net, "elsewhere:1", 0);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  vow_check_reset_all(net, NULL, UV_EPROTO);
  vow_assert_string(vow_stream_read(b, 0), "x");
  vow_assert_fails(vow_stream_read(b, 0), UV_EPROTO);
  vow_assert_fails(vow_stream_read(a, 0), UV_EPROTO);
  vow_assert_fails(vow_stream_write(a, "x", 1), UV_EPROTO);
  vow_stream_unref(a);
  vow_stream_unref(b);
}

/* ---- connecting ----------------------------------------------------------- */

VOW_TEST(test_net_nobody_there_refuses) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_listener_t *l = vow_check_listen(net, "db:7");
  vow_assert_fails_with(vow_check_connect(loop, "db", "8", net),
                        UV_ECONNREFUSED, "db:8");
  vow_check_unlisten(l);
  vow_assert_fails(vow_check_connect(loop, "db", "7", net), UV_ECONNREFUSED);
  vow_assert_fails(vow_check_connect(loop, NULL, "7", net), UV_EINVAL);
  vow_assert_fails(vow_check_connect(loop, "db", "7", NULL), UV_EINVAL);
}

VOW_TEST(test_net_listener_accepts_in_order) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_listener_t *l = vow_check_listen(net, "db:7");
  vow_future_t *early = vow_check_accept(l);
  vow_stream_t *a = connect_to(loop, net), *b = connect_to(loop, net);
  vow_stream_t *first = vow_assert_take(early, &vow_type_stream), *second;
  second = vow_assert_take(vow_check_accept(l), &vow_type_stream);
  vow_assert_ok(vow_stream_write(a, "a", 1));
  vow_assert_ok(vow_stream_write(b, "b", 1));
  vow_assert_string(vow_stream_read(first, 0), "a");
  vow_assert_string(vow_stream_read(second, 0), "b");
  vow_stream_unref(a);
  vow_stream_unref(b);
  vow_stream_unref(first);
  vow_stream_unref(second);
}

VOW_TEST(test_net_unlisten_resets_who_was_not_accepted) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_listener_t *l = vow_check_listen(net, "db:7");
  vow_stream_t *a = connect_to(loop, net);
  vow_check_unlisten(l);
  vow_assert_fails(vow_stream_read(a, 0), UV_ECONNRESET);
  vow_assert_fails(vow_stream_write(a, "x", 1), UV_ECONNRESET);
  vow_stream_unref(a);
}

VOW_TEST(test_net_cancelled_connect_takes_nothing) {
  vow_check_wire_t wire = {.latency_ms = 5};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_check_listener_t *l = vow_check_listen(net, "db:7");
  vow_future_t *accept = vow_check_accept(l);
  vow_drop(vow_check_connect(loop, "db", "7", net));
  vow_check_advance(100);
  vow_assert_pending(accept);
  vow_drop(accept);
}

/* ---- partitions ----------------------------------------------------------- */

VOW_TEST(test_net_partition_holds_everything_until_healed) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_listener_t *l = vow_check_listen(net, "db:7");
  vow_stream_t *a = connect_to(loop, net), *b;
  vow_future_t *read, *connect;
  b = vow_assert_take(vow_check_accept(l), &vow_type_stream);
  read = vow_stream_read_exactly(b, 2);
  vow_check_partition(net, "db:7");
  vow_assert_ok(vow_stream_write(a, "x", 1));
  vow_assert_ok(vow_stream_write(a, "y", 1));
  connect = vow_check_connect(loop, "db", "7", net);
  vow_check_advance(100000);
  vow_assert_pending(read);
  vow_assert_pending(connect);
  vow_check_heal(net, "db:7");
  vow_assert_string(read, "xy");
  vow_stream_unref(vow_assert_take(connect, &vow_type_stream));
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_partition_of_one_address_leaves_others) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *a, *b;
  vow_check_partition(net, "db:7");
  vow_check_pair(net, &a, &b);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  vow_assert_string(vow_stream_read(b, 0), "x");
  vow_check_partition(net, NULL);
  vow_assert_ok(vow_stream_write(a, "y", 1));
  vow_check_heal(net, "db:7");
  vow_check_settle();
  ck_assert_uint_eq(vow_stream_buffered(b), 0);
  vow_check_heal(net, NULL);
  vow_assert_string(vow_stream_read(b, 0), "y");
  vow_stream_unref(a);
  vow_stream_unref(b);
}

VOW_TEST(test_net_heal_of_one_address_leaves_a_partition_of_all) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_future_t *f;
  vow_check_listen(net, "db:7");
  vow_check_partition(net, NULL);
  vow_check_partition(net, "db:7");
  vow_check_partition(net, "db:7");
  f = vow_check_connect(loop, "db", "7", net);
  vow_check_heal(net, "db:7");
  vow_check_heal(net, "nobody:1");
  vow_assert_pending(f);
  vow_check_heal(net, NULL);
  vow_stream_unref(vow_assert_take(f, &vow_type_stream));
}

/* ---- outside of the kit's tests ------------------------------------------- */

TEST(test_net_outlived_by_streams_is_no_harm) {
  vow_loop_t *loop;
  vow_check_net_t *net;
  vow_stream_t *a, *b;
  ck_assert_int_eq(vow_loop_new_virtual(NULL, &loop), 0);
  net = vow_check_net_new(loop, NULL);
  vow_check_pair(net, &a, &b);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  vow_stream_unref(b);
  vow_stream_unref(a);
  vow_check_net_free(net);
  vow_check_net_free(NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
}

/* ---- that fail ------------------------------------------------------------ */

VOW_TEST(fail_leaves_stream) {
  static vow_stream_t *a, *b;
  vow_check_pair(vow_check_net_new(loop, NULL), &a, &b);
  vow_stream_unref(b);
}

VOW_TEST(fail_listens_twice) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_listen(net, "db:7");
  vow_check_listen(net, "db:7");
}

VOW_TEST(fail_leaves_connecting) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_partition(net, NULL);
  vow_detach(vow_check_connect(loop, "db", "7", net));
}

VOW_TEST(fail_random) {
  vow_check_wire_t wire = {.delivery = VOW_CHECK_RANDOM};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_stream_t *a, *b;
  vow_check_pair(net, &a, &b);
  vow_assert_ok(vow_stream_write(a, "x", 1));
  ck_abort_msg("here");
}

TEST(test_net_leftovers_are_told) {
  FAILS(fail_leaves_stream, 0, "near stream of the connection to (pair)");
  FAILS(fail_listens_twice, 0, "somebody listens at db:7 already");
  FAILS(fail_leaves_connecting, 0, "check_connect, pending");
  FAILS(fail_random, 0, "here\n  VOW_SEED=");
}

/* ---- faults and misuse ------------------------------------------------------ */

enum { CLIENTS = 10 };

/* Those that wait stand in a queue, which has to grow. */
VOW_TORTURE_WITH(test_net_listener_is_tortured, .probe_cells = true) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_listener_t *l = vow_check_listen(net, "db:7");
  vow_value_t outcome = vow_nil();
  vow_stream_t *s;
  int i, connected = 0;
  for (i = 0; i < CLIENTS; i++) {
    vow_future_t *f = vow_check_connect(loop, "db", "7", net);
    vow_value_t v = vow_await(f);
    if (vow_value_is_failure(v)) {
      vow_value_destroy(outcome);
      outcome = v;
      break;
    }
    connected++;
    s = v.as.p;
    vow_stream_unref(s);
  }
  vow_check_unlisten(l);
  ck_assert_int_le(connected, CLIENTS);
  return outcome;
}

enum { LINE_OF_NO_LOOP = __LINE__ + 1 };
VOW_TEST(fail_net_of_no_loop) {
  (void)loop;
  vow_check_net_new(NULL, NULL);
}

VOW_TEST(fail_net_freed) {
  vow_check_net_free(vow_check_net_new(loop, NULL));
}

VOW_TEST(fail_peer_of_no_net) {
  (void)loop;
  vow_check_peer(NULL, "db:7", VOW_CLOSE());
}

VOW_TEST(fail_null_pair) {
  vow_stream_t *a;
  vow_check_pair(vow_check_net_new(loop, NULL), &a, NULL);
}
VOW_TEST(fail_null_listen) {
  vow_check_listen(NULL, "db:7");
}
VOW_TEST(fail_null_address) {
  vow_check_listen(vow_check_net_new(loop, NULL), NULL);
}
VOW_TEST(fail_null_accept) {
  vow_drop(vow_check_accept(NULL));
}
VOW_TEST(fail_null_partition) {
  vow_check_partition(NULL, NULL);
}
VOW_TEST(fail_null_heal) {
  vow_check_heal(NULL, "db:7");
}
VOW_TEST(fail_null_reset_all) {
  vow_check_reset_all(NULL, NULL, 0);
}
VOW_TEST(fail_null_set_wire) {
  vow_check_net_set_wire(NULL, NULL);
}
VOW_TEST(fail_latency_for_ever) {
  const vow_check_wire_t wire = {.latency_ms = UINT64_MAX};
  vow_check_net_new(loop, &wire);
}
VOW_TEST(fail_jitter_for_ever) {
  const vow_check_wire_t wire = {.jitter_ms = UINT64_MAX};
  vow_check_net_new(loop, &wire);
}

TEST(test_net_misuse_fails_the_test) {
  FAILS(fail_net_of_no_loop, 0, "vow_check_net_new: the loop is NULL");
  FAILS(fail_net_freed, 0, "vow_check_net_free: the test frees its nets");
  FAILS(fail_peer_of_no_net, 0, "vow_check_peer: the net or the address");
  FAILS(fail_net_of_no_loop, LINE_OF_NO_LOOP, "NULL");
  FAILS(fail_null_pair, 0, "vow_check_pair: the net, ret_a or ret_b is NULL");
  FAILS(fail_null_listen, 0, "vow_check_listen: the net or the address");
  FAILS(fail_null_address, 0, "vow_check_listen: the net or the address");
  FAILS(fail_null_accept, 0, "vow_check_accept: the listener is NULL");
  FAILS(fail_null_partition, 0, "vow_check_partition: the net is NULL");
  FAILS(fail_null_heal, 0, "vow_check_heal: the net is NULL");
  FAILS(fail_null_reset_all, 0, "vow_check_reset_all: the net is NULL");
  FAILS(fail_null_set_wire, 0, "vow_check_net_set_wire: the net is NULL");
  FAILS(fail_latency_for_ever, 0, "vow_check_net_set_wire: latency_ms is 1844");
  FAILS(fail_jitter_for_ever, 0, "jitter_ms 18446744073709551615: more than");
  vow_check_net_free(NULL);
  vow_check_unlisten(NULL);
}

SUITE(check_net) {
  ADD(test_net_every_delivery_brings_all);
  ADD(test_net_immediate_delivers_in_the_call);
  ADD(test_net_deferred_delivers_later);
  ADD(test_net_bytewise_delivers_one_at_a_time);
  ADD(test_net_close_brings_what_was_written);
  ADD(test_net_close_fails_writes_that_wait);
  ADD(test_net_reset_is_an_error_at_the_other_side);
  ADD(test_net_reset_all_ends_both_sides);
  ADD(test_net_nobody_there_refuses);
  ADD(test_net_listener_accepts_in_order);
  ADD(test_net_unlisten_resets_who_was_not_accepted);
  ADD(test_net_cancelled_connect_takes_nothing);
  ADD(test_net_partition_holds_everything_until_healed);
  ADD(test_net_partition_of_one_address_leaves_others);
  ADD(test_net_heal_of_one_address_leaves_a_partition_of_all);
  ADD(test_net_outlived_by_streams_is_no_harm);
  ADD(test_net_leftovers_are_told);
  ADD(test_net_listener_is_tortured);
  ADD(test_net_misuse_fails_the_test);
}
