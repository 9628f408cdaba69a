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
  FAILS(fail_unplayed, 0, "step 1, VOW_DELAY(10)", "has not happened");
  FAILS(fail_unconnected, 0, "nobody has connected");
}

/* ---- where it stands ------------------------------------------------------- */

VOW_TEST(fail_waits_for_the_newline) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_EXPECT("HELLO\n"), VOW_REPLY("OK\n"));
  s = connect_to(loop, net);
  send_text(s, "HELLO");
  vow_assert_string(vow_stream_read(s, 10), "OK\n");
}

VOW_TEST(fail_body_midway) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_EXPECT("A"), VOW_EXPECT("B"));
  vow_check_peer(net, "db:7", VOW_EXPECT("C"));
  send_text(connect_to(loop, net), "A");
  ck_abort_msg("midway");
}

static vow_value_t assert_in_task(void *arg) {
  (void)arg;
  ck_abort_msg("in a task");
}

VOW_TEST(fail_in_task_midway) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_EXPECT("A"));
  (void)connect_to(loop, net);
  vow_assert_ok(vow_go(loop, assert_in_task, NULL));
}

TEST(test_script_tells_where_it_stands_when_the_test_fails) {
  report_t *r = malloc(sizeof *r);
  const TTest *const tests[] = {fail_body_midway, NULL};
  FAILS(fail_waits_for_the_newline, 0, "nothing can ever happen again",
        "Also, from test/unit/check/test_script.c",
        "step 1, VOW_EXPECT(\"HELLO\\n\"): has not happened; it has got "
        "\"HELLO\"");
  FAILS(fail_in_task_midway, 0, "in a task", "step 1, VOW_EXPECT(\"A\")");
  FAILS(fail_body_midway, 0, "midway", "step 2, VOW_EXPECT(\"B\")");
  ck_assert_ptr_nonnull(r);
  report_of(r, CK_NOFORK, NULL, tests);
  ck_assert_ptr_null(strstr(r->text, "nobody has connected"));
  ck_assert_ptr_null(strstr(r->text, "still open"));
  free(r);
}

/* ---- long bytes, and literals ---------------------------------------------- */

enum { LONG_BYTES = 399 };

VOW_TEST(fail_long_bytes) {
  static char wanted[LONG_BYTES], sent[LONG_BYTES];
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  memset(wanted, 'a', sizeof wanted);
  memcpy(sent, wanted, sizeof sent);
  sent[300] = 'b';
  vow_check_peer(net, "db:7", VOW_EXPECT_BYTES(wanted, sizeof wanted));
  s = connect_to(loop, net);
  vow_assert_ok(vow_stream_write(s, sent, sizeof sent));
  vow_stream_unref(s);
}

TEST(test_script_long_bytes_are_shown_where_they_differ) {
  FAILS(fail_long_bytes, 0, "VOW_EXPECT(from byte 260 on \"aaaa",
        ": got from byte 260 on \"aaaa", "aba", "(399 bytes)",
        "they differ at byte 300");
}

#define BANNER "a\0b"

/* Bytes of any type, and literals of several parts. */
VOW_TEST(test_script_takes_literals_and_any_bytes) {
  static const uint8_t raw[] = {1, 2, 255};
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_REPLY(BANNER "\n"),
                 VOW_EXPECT_BYTES(raw, sizeof raw),
                 VOW_REPLY_BYTES(raw, sizeof raw), VOW_CLOSE());
  s = connect_to(loop, net);
  vow_assert_bytes(vow_stream_read_exactly(s, 4), "a\0b\n", 4);
  vow_assert_ok(vow_stream_write(s, raw, sizeof raw));
  vow_assert_bytes(vow_stream_read_to_end(s, 10), raw, sizeof raw);
  vow_stream_unref(s);
}

/* ---- steps that cannot be played ------------------------------------------- */

VOW_TEST(fail_behind_refuse) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_REFUSE(0), VOW_EXPECT("never"));
  vow_assert_fails(vow_check_connect(loop, "db", "7", net), UV_ECONNREFUSED);
}

VOW_TEST(fail_refuse_midway) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_REPLY("a"), VOW_REFUSE(0), VOW_REPLY("b"),
                 VOW_CLOSE());
  s = connect_to(loop, net);
  vow_assert_string(vow_stream_read_to_end(s, 10), "ab");
  vow_stream_unref(s);
}

VOW_TEST(fail_refuse_positive) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_REFUSE(110));
  vow_assert_fails(vow_check_connect(loop, "db", "7", net), UV_ECONNREFUSED);
}

/* Of negative delays it is not clear what they mean: they do not last. */
VOW_TEST(fail_negative_delay) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_DELAY(-1), VOW_REPLY("C"));
  s = connect_to(loop, net);
  vow_assert_string(vow_assert_within(vow_stream_read(s, 1), 0), "C");
  vow_stream_unref(s);
}

VOW_TEST(fail_behind_close) {
  vow_check_peer(vow_check_net_new(loop, NULL), "db:7", VOW_CLOSE(),
                 VOW_RESET(UV_EPROTO));
}

VOW_TEST(fail_reply_behind_end) {
  vow_check_peer(vow_check_net_new(loop, NULL), "db:7", VOW_END(),
                 VOW_REPLY("a"));
}

VOW_TEST(fail_expect_behind_end) {
  vow_check_peer(vow_check_net_new(loop, NULL), "db:7", VOW_EXPECT_END(),
                 VOW_EXPECT("a"));
}

VOW_TEST(fail_expect_behind_ignore) {
  vow_check_peer(vow_check_net_new(loop, NULL), "db:7", VOW_IGNORE(),
                 VOW_EXPECT("a"));
}

VOW_TEST(fail_no_bytes) {
  vow_check_peer(vow_check_net_new(loop, NULL), "db:7", VOW_END(),
                 VOW_EXPECT_BYTES(NULL, 3));
}

VOW_TEST(fail_no_step) {
  const vow_check_step_t step = {(vow_check_act_t)99, NULL, 0, 0};
  vow_check_peer_at(VOW_SITE, vow_check_net_new(loop, NULL), "db:7", &step, 1);
}

TEST(test_script_that_cannot_be_played_fails) {
  FAILS(fail_behind_refuse, 0,
        "the peer at db:7: step 2, VOW_EXPECT(\"never\") cannot be played: the "
        "step before is to be the only one");
  FAILS(fail_refuse_midway, 0, "step 2, VOW_REFUSE(0) cannot be played: it is");
  FAILS(fail_refuse_positive, 0,
        "step 1, VOW_REFUSE(110) cannot be played: a code is negative");
  FAILS(fail_negative_delay, 0, "step 1, VOW_DELAY(-1) cannot be played: ");
  FAILS(fail_behind_close, 0, "step 2, VOW_RESET(EPROTO) cannot be played: ");
  FAILS(fail_reply_behind_end, 0, "step 2, VOW_REPLY(\"a\") cannot", "VOW_END");
  FAILS(fail_expect_behind_end, 0, "(\"a\") cannot", "VOW_EXPECT_END stands");
  FAILS(fail_expect_behind_ignore, 0, "(\"a\") cannot", "VOW_IGNORE stands");
  FAILS(fail_no_bytes, 0, "the bytes of step 2 are NULL");
  FAILS(fail_no_step, 0, "step 1 is none");
}

/* ---- resets ---------------------------------------------------------------- */

VOW_TEST(fail_reset_instead_of_end) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_EXPECT("A"), VOW_EXPECT_END());
  s = connect_to(loop, net);
  send_text(s, "A");
  vow_assert_ok(vow_stream_reset(s, 0));
  vow_stream_unref(s);
}

VOW_TEST(fail_reset_instead_of_bytes) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  vow_check_peer(net, "db:7", VOW_EXPECT("ABC"));
  s = connect_to(loop, net);
  send_text(s, "A");
  vow_assert_ok(vow_stream_reset(s, 0));
  vow_stream_unref(s);
}

TEST(test_script_reset_is_no_end) {
  FAILS(fail_reset_instead_of_end, 0,
        "step 2, VOW_EXPECT_END(): the other side",
        "reset the connection (ECONNRESET) after \"\"");
  FAILS(fail_reset_instead_of_bytes, 0, "VOW_EXPECT(\"ABC\"): the other side",
        "reset the connection (ECONNRESET) after \"A\"");
}

/* ---- faults ---------------------------------------------------------------- */

/* By hand they excuse nothing. */
VOW_TEST_WITH(fail_unplayed_after_a_fault, .probe_cells = true) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_EXPECT("a"));
  vow_check_fail_alloc(1);
  vow_assert_fails(vow_sleep(loop, 1), UV_ENOMEM);
  ck_assert_uint_eq(vow_check_alloc_failures(), 1);
}

TEST(test_script_fault_by_hand_excuses_nothing) {
  FAILS(fail_unplayed_after_a_fault, 0, "nobody has connected");
}

SUITE(check_script) {
  ADD(test_script_talks_in_every_delivery);
  ADD(test_script_several_are_used_in_order);
  ADD(test_script_hang_never_connects);
  ADD(test_script_ends_in_halves);
  ADD(test_script_ignores_when_told);
  ADD(test_script_cut_short_by_a_reset_of_all_counts);
  ADD(test_script_mismatches_fail);
  ADD(test_script_tells_where_it_stands_when_the_test_fails);
  ADD(test_script_long_bytes_are_shown_where_they_differ);
  ADD(test_script_takes_literals_and_any_bytes);
  ADD(test_script_that_cannot_be_played_fails);
  ADD(test_script_reset_is_no_end);
  ADD(test_script_fault_by_hand_excuses_nothing);
}
