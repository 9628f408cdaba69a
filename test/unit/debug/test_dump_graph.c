/* SPDX-License-Identifier: MIT */
/* Dumps of graphs that are no trees: diamonds, and rings. */
#include "support/manual.h"
#include "support/test.h"

#include <string.h>
#include <vow/debug.h>
#include <vow/gather.h>
#include <vow/op.h>

typedef struct lines {
  char text[1024];
  size_t count;
} lines_t;

static void collect(const char *line, void *arg) {
  lines_t *l = arg;
  size_t used = strlen(l->text);
  snprintf(l->text + used, sizeof l->text - used, "%s\n", line);
  l->count++;
}

static vow_value_t pass(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

TEST(test_dump_graph_shared_source_is_told_in_full_once) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0}, again = {"", 0};
  vow_future_t *s =
      vow_then_at("s:2", vow_never_at("n:1", loop), pass, NULL, NULL);
  vow_future_t *a = vow_then_at("a:3", vow_ref(s), pass, NULL, NULL);
  vow_future_t *b = vow_then_at("b:4", s, pass, NULL, NULL);
  vow_dump(loop, collect, &l);
  ck_assert_uint_eq(l.count, 5);
  ck_assert_ptr_nonnull(strstr(l.text, "\n  then s:2\n    "));
  ck_assert_ptr_nonnull(strstr(l.text, "\n  then s:2, see above\n"));
  vow_dump(loop, collect, &again); /* the first one left no marks */
  ck_assert_str_eq(again.text, l.text);
  vow_drop(a);
  vow_drop(b);
  manual_drain(loop);
  manual_done(loop);
}

/* 22 levels would be 4 million lines, were each shown under both. */
TEST(test_dump_graph_diamonds_take_lines_linear_in_futures) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0};
  vow_future_t *f = vow_never(loop);
  for (int i = 0; i < 22; i++) {
    vow_future_t *g = vow_ref(f);
    f = vow_gather_of(loop, f, g);
  }
  vow_dump(loop, collect, &l);
  ck_assert_uint_eq(l.count, 1 + 2 * 22);
  vow_drop(f);
  manual_drain(loop);
  manual_done(loop);
}

/* ---- rings ----------------------------------------------------------------
 */

typedef struct ring_op {
  vow_op_t op;
  vow_waiter_t waiter;
} ring_op_t;

static void ring_cancel(void *op) {
  vow_waiter_release(&((ring_op_t *)op)->waiter);
  vow_op_settle(op, vow_cancelled(0));
}

static void ring_destroy(void *op) {
  vow_waiter_release(&((ring_op_t *)op)->waiter);
}

static void ring_ready(void *op, vow_waiter_t *w) {
  vow_waiter_release(w);
  vow_op_settle(op, vow_nil());
}

static void ring_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  vow_future_t *f = vow_waiter_future(&((ring_op_t *)op)->waiter);
  if (f != NULL) visit(f, arg);
}

static const vow_op_class_t ring_class = {"ring",      sizeof(ring_op_t),
                                          ring_cancel, ring_destroy,
                                          ring_ready,  ring_sources};

TEST(test_dump_graph_ring_is_shown_and_ends) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0};
  ring_op_t *a = vow_op_new_at("a:1", loop, &ring_class);
  ring_op_t *b = vow_op_new_at("b:2", loop, &ring_class);
  ck_assert_ptr_nonnull(a);
  ck_assert_ptr_nonnull(b);
  vow_waiter_start(&a->waiter, a, vow_op_future(b));
  vow_waiter_start(&b->waiter, b, vow_ref(vow_op_future(a)));
  vow_dump(loop, collect, &l);
  ck_assert_uint_eq(l.count, 3);
  if (l.text[5] == 'a')
    ck_assert_str_eq(l.text, "ring a:1\n  ring b:2\n    ring a:1, see above\n");
  else
    ck_assert_str_eq(l.text, "ring b:2\n  ring a:1\n    ring b:2, see above\n");
  vow_cancel(vow_op_future(a));
  vow_drop(vow_op_future(a));
  manual_drain(loop);
  manual_done(loop);
}

TEST(test_dump_graph_settled_source_of_several_is_never_above) {
  vow_loop_t *loop = manual_loop();
  lines_t l = {"", 0};
  vow_future_t *s = vow_ready_at("s:1", loop, vow_int(1));
  vow_future_t *f = vow_gather_of(loop, vow_ref(s), s);
  vow_dump(loop, collect, &l);
  ck_assert_uint_eq(l.count, 3);
  ck_assert_ptr_null(strstr(l.text, "see above"));
  manual_drain(loop);
  vow_drop(f);
  manual_done(loop);
}

SUITE(debug_dump_graph) {
  ADD(test_dump_graph_shared_source_is_told_in_full_once);
  ADD(test_dump_graph_diamonds_take_lines_linear_in_futures);
  ADD(test_dump_graph_ring_is_shown_and_ends);
  ADD(test_dump_graph_settled_source_of_several_is_never_above);
}
