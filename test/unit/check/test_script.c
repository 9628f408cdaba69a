/* SPDX-License-Identifier: MIT */
/* Peers that play a script. */
#include "unit/check/report.h"

#include <vow/time.h>

static vow_stream_t *connect_to(vow_loop_t *loop, vow_check_net_t *net) {
  return vow_assert_take(vow_check_connect(loop, "db", "7", net),
                         &vow_type_stream);
}

static void send_text(vow_stream_t *s, const char *text) {
  vow_assert_ok(vow_stream_write(s, text, strlen(text)));
}

static void talk(vow_loop_t *loop, vow_check_delivery_t delivery) {
  vow_check_wire_t wire = {.delivery = delivery};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  uint64_t begin_ms;
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_EXPECT("HELLO\n"), VOW_REPLY("OK\n"),
                 VOW_DELAY(500), VOW_EXPECT("MORE\n"), VOW_REPLY("NO\n"),
                 VOW_RESET(0));
  s = connect_to(loop, net);
  begin_ms = vow_check_now_ms();
  send_text(s, "HEL");
  send_text(s, "LO\nMO");
  vow_assert_string(vow_stream_read_line(s, 100), "OK");
  send_text(s, "RE\n");
  vow_assert_string(vow_stream_read_line(s, 100), "NO");
  ck_assert_uint_ge(vow_check_now_ms() - begin_ms, 500);
  vow_assert_fails(vow_stream_read_line(s, 100), UV_ECONNRESET);
  vow_stream_unref(s);
}

VOW_TEST(test_script_talks_in_every_delivery) {
  talk(loop, VOW_CHECK_IMMEDIATE);
  talk(loop, VOW_CHECK_DEFERRED);
  talk(loop, VOW_CHECK_BYTEWISE);
  talk(loop, VOW_CHECK_RANDOM);
}

VOW_TEST(test_script_several_are_used_in_order) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_REFUSE(0));
  vow_check_peer(net, "db:7", VOW_REFUSE(UV_EHOSTUNREACH));
  vow_check_peer(net, "db:8", VOW_REPLY("other"), VOW_CLOSE());
  vow_check_peer(net, "db:7", VOW_REPLY("1"), VOW_CLOSE());
  vow_assert_fails(vow_check_connect(loop, "db", "7", net), UV_ECONNREFUSED);
  vow_assert_fails(vow_check_connect(loop, "db", "7", net), UV_EHOSTUNREACH);
  s = connect_to(loop, net);
  vow_assert_string(vow_stream_read_to_end(s, 10), "1");
  vow_stream_unref(s);
  s = vow_assert_take(vow_check_connect(loop, "db", "8", net),
                      &vow_type_stream);
  vow_assert_string(vow_stream_read_to_end(s, 10), "other");
  vow_stream_unref(s);
}

VOW_TEST(test_script_hang_never_connects) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_future_t *f;
  vow_check_peer(net, "db:7", VOW_HANG());
  f = vow_check_connect(loop, "db", "7", net);
  vow_check_advance(1000000);
  vow_assert_pending(f);
  vow_drop(f);
}

VOW_TEST(test_script_ends_in_halves) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_REPLY("x"), VOW_END(), VOW_EXPECT("y"),
                 VOW_EXPECT_END());
  s = connect_to(loop, net);
  vow_assert_string(vow_stream_read_to_end(s, 10), "x");
  send_text(s, "y");
  vow_assert_nil(vow_stream_shutdown(s));
  vow_stream_unref(s);
}

VOW_TEST(test_script_ignores_when_told) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_EXPECT_BYTES("a\0b", 3), VOW_IGNORE(),
                 VOW_REPLY_BYTES("\0", 1));
  s = connect_to(loop, net);
  vow_assert_ok(vow_stream_write(s, "a\0bcd", 5));
  vow_assert_bytes(vow_stream_read(s, 0), "\0", 1);
  send_text(s, "more");
  vow_stream_unref(s);
}

VOW_TEST(test_script_cut_short_by_a_reset_of_all_counts) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_EXPECT("never"));
  s = connect_to(loop, net);
  vow_check_reset_all(net, "db:7", 0);
  vow_assert_fails(vow_stream_read(s, 0), UV_ECONNRESET);
  vow_stream_unref(s);
}

/* ---- that fail ------------------------------------------------------------ */

static void drop_after(vow_loop_t *loop, vow_check_net_t *net,
                       const char *text) {
  vow_stream_t *s = connect_to(loop, net);
  (void)vow_await_status(vow_stream_write(s, text, strlen(text)));
  vow_check_settle();
  vow_stream_unref(s);
}

VOW_TEST(fail_other_bytes) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_REPLY("hi"), VOW_EXPECT("HELLO"));
  drop_after(loop, net, "HELP");
}

VOW_TEST(fail_other_bytes_while_waiting) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_EXPECT("HELLO"), VOW_REPLY("hi"));
  s = connect_to(loop, net);
  vow_assert_ok(vow_stream_write(s, "HELP", 4));
  vow_assert_string(vow_stream_read(s, 0), "hi");
}

VOW_TEST(fail_too_few_bytes) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_EXPECT("HELLO"));
  drop_after(loop, net, "HE");
}

VOW_TEST(fail_too_many_bytes) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_EXPECT("HE"));
  drop_after(loop, net, "HELLO");
}

VOW_TEST(fail_no_end) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_EXPECT_END());
  drop_after(loop, net, "x");
}

VOW_TEST(fail_unplayed) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_DELAY(10), VOW_CLOSE());
  s = connect_to(loop, net);
  vow_stream_unref(s);
}

VOW_TEST(fail_unconnected) {
  vow_check_peer(vow_check_net_new(loop, NULL), "db:7", VOW_EXPECT("a"));
}

TEST(test_script_mismatches_fail) {
  FAILS(fail_other_bytes, 0, "the peer at db:7: step 2, VOW_EXPECT(\"HELLO\")",
        "got \"HELP\"");
  FAILS(fail_other_bytes_while_waiting, 0, "it failed: ", "ECONNRESET",
        "Also, from test/unit/check/test_script.c", "got \"HELP\"");
  FAILS(fail_too_few_bytes, 0, "the other side ended after \"HE\"");
  FAILS(fail_too_many_bytes, 0, "after the last step: got \"LLO\"");
  FAILS(fail_no_end, 0, "VOW_EXPECT_END()", "got \"x\"");
  FAILS(fail_unplayed, 0, "step 1, VOW_DELAY()", "has not happened");
  FAILS(fail_unconnected, 0, "nobody has connected");
}

SUITE(check_script) {
  ADD(test_script_talks_in_every_delivery);
  ADD(test_script_several_are_used_in_order);
  ADD(test_script_hang_never_connects);
  ADD(test_script_ends_in_halves);
  ADD(test_script_ignores_when_told);
  ADD(test_script_cut_short_by_a_reset_of_all_counts);
  ADD(test_script_mismatches_fail);
}
