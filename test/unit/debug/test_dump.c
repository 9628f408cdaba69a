/* SPDX-License-Identifier: MIT */
/* The graph of what is pending. */
#include "support/capture.h"
#include "support/manual.h"
#include "support/test.h"

#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <vow.h>

typedef struct lines {
  char text[8192];
  int count;
} lines_t;

static void collect(const char *line, void *arg) {
  lines_t *l = arg;
  size_t used = strlen(l->text);
  snprintf(l->text + used, sizeof(l->text) - used, "%s\n", line);
  l->count++;
}

static vow_value_t pass(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

TEST(test_dump_nothing_pending_is_empty) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0};
  vow_future_t *f = vow_ready(loop, vow_int(1));
  vow_dump(loop, collect, &l);
  ck_assert_int_eq(l.count, 0);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_dump_chain_shows_sources_below) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0};
  vow_future_t *f = vow_sleep_at("a:1", loop, 10);
  f = vow_then_at("b:2", f, pass, NULL, NULL);
  vow_dump(loop, collect, &l);
  ck_assert_str_eq(l.text, "then b:2\n  sleep a:1\n");
  vow_drop(f);
  manual_done(loop);
}

TEST(test_dump_gather_shows_each_child) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0};
  vow_future_t *f = vow_gather_of(loop, vow_sleep_at("a:1", loop, 10),
                                  vow_ready_at("a:2", loop, vow_int(1)));
  vow_dump(loop, collect, &l);
  ck_assert_int_eq(l.count, 3);
  ck_assert_ptr_nonnull(strstr(l.text, "\n  sleep a:1\n"));
  ck_assert_ptr_nonnull(strstr(l.text, "a:2, settled\n"));
  vow_drop(f);
  manual_drain(loop);
  manual_done(loop);
}

static vow_value_t wait_more(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_follow(vow_sleep_at("c:3", vow_loop_of(in), 10));
}

TEST(test_dump_dropped_clean_up_is_marked) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0};
  vow_future_t *f = vow_never(loop);
  vow_drop(vow_finally_at("b:2", f, wait_more, NULL, NULL));
  manual_drain(loop);
  vow_dump(loop, collect, &l);
  ck_assert_str_eq(l.text,
                   "finally's clean-up b:2, cancelled, dropped\n  sleep c:3\n");
  manual_advance(loop, 10);
  manual_done(loop);
}

TEST(test_dump_detached_and_cancelled_are_marked) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0};
  vow_promise_t *p;
  vow_detach(vow_sleep_at("a:1", loop, 10));
  vow_future_t *f = vow_promise_new_at("p:1", loop, &p);
  vow_cancel(f);
  vow_dump(loop, collect, &l);
  ck_assert_str_eq(l.text, "sleep a:1, detached\n");
  vow_dump(NULL, collect, &l);
  vow_dump(loop, NULL, &l);
  ck_assert_int_eq(l.count, 1);
  vow_drop(f);
  vow_promise_drop(p);
  manual_advance(loop, 10);
  manual_done(loop);
}

/* ---- to stderr ------------------------------------------------------------ */

/* What stderr gets from vow_dump_stderr. */
static void dumped(vow_loop_t *loop, char *text, size_t size_bytes) {
  capture_t c;
  capture_begin(&c);
  vow_dump_stderr(loop);
  capture_end(&c, text, size_bytes);
}

TEST(test_dump_to_stderr_writes_the_same_lines) {
  vow_loop_t *loop = manual_loop();
  char text[512];
  vow_future_t *f = vow_sleep_at("a:1", loop, 10);
  f = vow_then_at("b:2", f, pass, NULL, NULL);
  dumped(loop, text, sizeof text);
  ck_assert_str_eq(text, "then b:2\n  sleep a:1\n");
  vow_drop(f);
  dumped(loop, text, sizeof text);
  ck_assert_str_eq(text, "");
  manual_done(loop);
}

/* What is below is not told elsewhere, either. */
TEST(test_dump_of_a_long_chain_shows_the_first_64_levels) {
  vow_loop_t *loop = manual_loop();
  lines_t *l = calloc(1, sizeof *l);
  vow_future_t *f = vow_never(loop);
  ck_assert_ptr_nonnull(l);
  f = vow_gather_of(loop, f, vow_sleep(loop, 10));
  for (int i = 0; i < 100; i++) f = vow_then_at("s", f, pass, NULL, NULL);
  vow_dump(loop, collect, l);
  ck_assert_int_eq(l->count, 64);
  vow_drop(f);
  manual_drain(loop);
  manual_done(loop);
  free(l);
}

TEST(test_dump_of_nested_operations_shows_the_first_64_levels) {
  vow_loop_t *loop = manual_loop();
  lines_t *l = calloc(1, sizeof *l);
  vow_future_t *f = vow_never(loop);
  ck_assert_ptr_nonnull(l);
  for (int i = 0; i < 100; i++) f = vow_gather_of(loop, f);
  vow_dump(loop, collect, l);
  ck_assert_int_eq(l->count, 64);
  vow_drop(f);
  manual_drain(loop);
  manual_done(loop);
  free(l);
}

SUITE(debug_dump) {
  ADD(test_dump_nothing_pending_is_empty);
  ADD(test_dump_chain_shows_sources_below);
  ADD(test_dump_gather_shows_each_child);
  ADD(test_dump_dropped_clean_up_is_marked);
  ADD(test_dump_detached_and_cancelled_are_marked);
  ADD(test_dump_to_stderr_writes_the_same_lines);
  ADD(test_dump_of_a_long_chain_shows_the_first_64_levels);
  ADD(test_dump_of_nested_operations_shows_the_first_64_levels);
}
