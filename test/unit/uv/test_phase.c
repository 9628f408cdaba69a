/* SPDX-License-Identifier: MIT */
/* The next idle, prepare and check phase. */
#include <vow/phase.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

typedef vow_future_t *(*next_fn)(const char *site, vow_loop_t *loop);

static const next_fn nexts[] = {vow_next_idle_at, vow_next_prepare_at,
                                vow_next_check_at};

TEST(test_phase_undisturbed_succeeds_without_blocking) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = nexts[_i](VOW_SITE, loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  loop_done(loop);
}

/* Each letter's continuation appends to the same text. */
typedef struct letter {
  char *log;
  char c;
} letter_t;

static vow_value_t append(vow_future_t *in, void *arg) {
  const letter_t *l = arg;
  ck_assert_int_eq(vow_status(in), 0);
  l->log[strlen(l->log)] = l->c;
  return vow_nil();
}

TEST(test_phase_continuations_run_in_the_order_of_a_turn) {
  vow_loop_t *loop = loop_open();
  char log[8] = {0};
  letter_t l[3] = {{log, 'i'}, {log, 'p'}, {log, 'c'}};
  vow_future_t *c = vow_then(vow_next_check(loop), append, &l[2]);
  vow_future_t *p = vow_then(vow_next_prepare(loop), append, &l[1]);
  vow_future_t *i = vow_then(vow_next_idle(loop), append, &l[0]);
  turns(loop, 1);
  ck_assert_str_eq(log, "ipc");
  vow_drop(c);
  vow_drop(p);
  vow_drop(i);
  loop_done(loop);
}

typedef struct chain {
  vow_loop_t *loop;
  int which;
  int left;
} chain_t;

static vow_value_t again(vow_future_t *in, void *arg) {
  chain_t *c = arg;
  (void)in;
  if (c->left-- == 0) return vow_int(1);
  return vow_follow(vow_then(nexts[c->which](VOW_SITE, c->loop), again, c));
}

TEST(test_phase_asked_for_in_its_own_phase_comes_next_turn) {
  vow_loop_t *loop = loop_open();
  chain_t c = {loop, _i, 100};
  vow_future_t *f = vow_then(vow_ready(loop, vow_nil()), again, &c);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.left, -1);
  loop_done(loop);
}

TEST(test_phase_cancelled_or_dropped_leaves_nothing) {
  vow_loop_t *loop;
  vow_future_t *f;
  fault_install();
  loop = loop_open_probe();
  f = nexts[_i](VOW_SITE, loop);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_drop(nexts[_i](VOW_SITE, loop));
  turns(loop, 1);
  f = nexts[_i](VOW_SITE, loop);
  turns(loop, 1);
  ck_assert_int_eq(vow_cancel(f), 0); /* after it settled: nothing */
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_rule_22_loop_closed_while_a_phase_pends_cancels_it) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = nexts[_i](VOW_SITE, loop);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
}

TEST(test_phase_bad_arguments_or_no_memory_give_codes) {
  vow_loop_t *loop, *manual;
  vow_future_t *f = nexts[_i](VOW_SITE, NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  manual = manual_loop();
  f = nexts[_i](VOW_SITE, manual);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  vow_drop(f);
  manual_done(manual);
  fault_install();
  loop = loop_open_probe();
  fault_fail_from(1);
  f = nexts[_i](VOW_SITE, loop);
  fault_off();
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  vow_drop(f);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, 3)

SUITE(uv_phase) {
  EACH(test_phase_undisturbed_succeeds_without_blocking);
  ADD(test_phase_continuations_run_in_the_order_of_a_turn);
  EACH(test_phase_asked_for_in_its_own_phase_comes_next_turn);
  EACH(test_phase_cancelled_or_dropped_leaves_nothing);
  EACH(test_rule_22_loop_closed_while_a_phase_pends_cancels_it);
  EACH(test_phase_bad_arguments_or_no_memory_give_codes);
}
