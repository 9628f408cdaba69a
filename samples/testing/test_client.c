/* SPDX-License-Identifier: MIT */
/* Tests of the client: no server, no port, no second of waiting. Each test is a
 * task on a loop of its own, with virtual time; the server is a script. */
#include "client.h"

#include <vow/check.h>

#include <stdlib.h>
#include <string.h>

/* A client of the network in memory. */
static client_t *start(vow_loop_t *loop, vow_check_net_t *net) {
  client_options_t o = {.connect = vow_check_connect,
                        .connect_arg = net,
                        .host = "db",
                        .service = "7",
                        .timeout_ms = 1000,
                        .heartbeat_ms = 60000,
                        .pause_ms = 100,
                        .pause_max_ms = 400};
  return client_new(loop, &o);
}

#define GREET VOW_EXPECT("HELLO\n"), VOW_REPLY("OK\n")

/* ---- 1, 2, 4: a body that awaits, assertions, a peer by script ----------- */

VOW_TEST(test_client_asks_and_gets_the_answer) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  client_t *c;
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT("how many?\n"),
                 VOW_REPLY("42\n"), VOW_EXPECT_END());
  c = start(loop, net);
  vow_assert_string(client_ask(c, "how many?"), "42");
  vow_assert_cancelled(client_close(c));
}

VOW_TEST(test_client_fails_a_question_whose_connection_is_lost) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  client_t *c;
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT("first\n"), VOW_REPLY("hal"),
                 VOW_RESET(0));
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT("second\n"),
                 VOW_REPLY("whole\n"), VOW_EXPECT_END());
  c = start(loop, net);
  vow_assert_fails(client_ask(c, "first"), UV_ECONNRESET);
  vow_assert_string(client_ask(c, "second"), "whole");
  vow_assert_cancelled(client_close(c));
}

/* ---- 3: virtual time ----------------------------------------------------- */

VOW_TEST(test_client_pauses_longer_each_time) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_future_t *answer;
  client_t *c;
  for (int i = 0; i < 4; i++) vow_check_peer(net, "db:7", VOW_REFUSE(0));
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT("?\n"), VOW_REPLY("!\n"),
                 VOW_EXPECT_END());
  c = start(loop, net);
  answer = client_ask(c, "?");
  answer = vow_assert_not_before(answer, 100 + 200 + 400 + 400);
  vow_assert_string(vow_assert_within(answer, 0), "!");
  vow_assert_cancelled(client_close(c));
}

VOW_TEST(test_client_says_ping_every_minute) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  client_t *c;
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT("PING\n"), VOW_DELAY(900),
                 VOW_REPLY("PONG\n"), VOW_EXPECT("PING\n")); /* and silence */
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT_END());
  c = start(loop, net);
  vow_check_advance(60000 + 900 + 60000);
  ck_assert_uint_eq(client_connections(c), 1);
  vow_check_advance(1000 + 100); /* no PONG, and the pause */
  ck_assert_uint_eq(client_connections(c), 2);
  vow_assert_cancelled(client_close(c));
}

/* ---- 4: a bad network ---------------------------------------------------- */

static vow_value_t ask_and_note(void *arg) {
  VOW_TRY(v, client_ask(arg, "?"));
  vow_check_event("answer");
  return v;
}

VOW_TEST(test_client_survives_a_partition) {
  vow_check_wire_t slow = {.latency_ms = 50, .bytes_per_s = 1000};
  vow_check_net_t *net = vow_check_net_new(loop, &slow);
  vow_future_t *answer;
  client_t *c;
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT("?\n"), VOW_REPLY("!\n"),
                 VOW_EXPECT_END());
  vow_check_partition(net, NULL);
  c = start(loop, net);
  answer = vow_go(loop, ask_and_note, c);
  vow_check_advance(3000);
  vow_check_event("heal");
  vow_check_heal(net, NULL);
  vow_assert_string(answer, "!");
  vow_assert_events("heal", "answer");
  vow_assert_cancelled(client_close(c));
}

/* With however the bytes arrive; a failure tells the seed. */
VOW_TEST(test_client_does_not_care_how_bytes_arrive) {
  vow_check_wire_t wire = {.delivery =
                               _i % 2 ? VOW_CHECK_RANDOM : VOW_CHECK_BYTEWISE};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  client_t *c;
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT("a longer question\n"),
                 VOW_REPLY("a longer answer\n"), VOW_EXPECT_END());
  c = start(loop, net);
  vow_assert_string(client_ask(c, "a longer question"), "a longer answer");
  vow_assert_cancelled(client_close(c));
}

/* ---- 5: faults ------------------------------------------------------------ */

static vow_value_t close_client(void *arg) {
  (void)vow_await_status(client_close(arg));
  return vow_nil();
}

/* Every allocation failing once, and from then on; cancelled at every step.
 * Whatever comes of that: it ends, and nothing stays behind. */
VOW_TORTURE(test_client_bears_every_fault) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  client_t *c;
  vow_check_peer(net, "db:7", GREET, VOW_EXPECT("?\n"), VOW_DELAY(500),
                 VOW_REPLY("!\n"), VOW_IGNORE());
  c = start(loop, net);
  if (c == NULL) return vow_fail(UV_ENOMEM);
  if (vow_defer(close_client, c) != 0) return vow_fail(UV_ENOMEM);
  VOW_TRY_NIL(vow_timeout(client_ask(c, "?"), 10000));
  return vow_nil();
}

/* ---- 6: other orders ------------------------------------------------------- */

/* Several who ask at once, in 100 orders, over a network that does as it
 * likes: every answer comes to who has asked. */
static vow_value_t ask_a(void *arg) {
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), vow_check_random(50)));
  vow_assert_string(client_ask(arg, "a"), "A");
  return vow_nil();
}

static vow_value_t ask_b(void *arg) {
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), vow_check_random(50)));
  vow_assert_string(client_ask(arg, "b"), "B");
  return vow_nil();
}

static vow_value_t upper(void *arg) {
  vow_stream_t *s = vow_assert_take(vow_check_accept(arg), &vow_type_stream);
  vow_defer_value(vow_stream_value(s));
  for (;;) {
    VOW_TRY(line, vow_stream_read_line(s, 100));
    const char *reply = "OK\n";
    char c = *vow_bytes_data(line.as.p);
    vow_value_destroy(line);
    if (c == 'a') reply = "A\n";
    if (c == 'b') reply = "B\n";
    VOW_TRY_NIL(vow_stream_write(s, reply, strlen(reply)));
  }
}

VOW_TEST_SEEDS(test_client_gives_each_its_answer, 100) {
  vow_check_wire_t wire = {.delivery = VOW_CHECK_RANDOM, .jitter_ms = 20};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_future_t *server = vow_go(loop, upper, vow_check_listen(net, "db:7"));
  client_t *c = start(loop, net);
  vow_group_t *g = vow_group_new(loop, VOW_GROUP_ALL);
  for (int i = 0; i < 3; i++) {
    vow_group_go(g, ask_a, c);
    vow_group_go(g, ask_b, c);
  }
  vow_assert_ok(vow_group_join(g));
  vow_assert_cancelled(client_close(c));
  vow_assert_fails(server, UV_EOF);
}

int main(void) {
  Suite *suite = suite_create("client");
  TCase *tcase = tcase_create("client");
  SRunner *runner = srunner_create(suite);
  int failed;
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, test_client_asks_and_gets_the_answer);
  tcase_add_test(tcase, test_client_fails_a_question_whose_connection_is_lost);
  tcase_add_test(tcase, test_client_pauses_longer_each_time);
  tcase_add_test(tcase, test_client_says_ping_every_minute);
  tcase_add_test(tcase, test_client_survives_a_partition);
  tcase_add_loop_test(tcase, test_client_does_not_care_how_bytes_arrive, 0, 8);
  tcase_add_test(tcase, test_client_bears_every_fault);
  tcase_add_test(tcase, test_client_gives_each_its_answer);
  srunner_run_all(runner, CK_ENV);
  failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
