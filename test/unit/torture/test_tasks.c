/* SPDX-License-Identifier: MIT */
/* Tasks and groups: clean-up runs once, and nobody outlives a group. */
#include "unit/torture/torture.h"

static int begun, ended; /* bodies, by what they defer */

static vow_value_t note_end(void *arg) {
  (void)arg;
  ended++;
  return vow_nil();
}

static vow_value_t expect_ended(void *arg) {
  (void)arg;
  ck_assert_int_eq(begun, ended);
  return vow_nil();
}

#define COUNTED      \
  begun = ended = 0; \
  LATER(expect_ended, NULL)

static vow_value_t end_slowly(void *p) {
  (void)vow_await_status(vow_sleep(vow_task_loop(), 1));
  thing_drop(p);
  return vow_nil();
}

static vow_value_t work(void *arg) {
  vow_loop_t *loop = vow_task_loop();
  (void)arg;
  begun++;
  LATER(note_end, NULL);
  LATER(end_slowly, thing_arg());
  OWN(mine, thing_in(loop, 1));
  VOW_TRY_CODE(vow_yield());
  return vow_await(thing_in(loop, 1));
}

static vow_value_t wait_for_ever(void *arg) {
  (void)arg;
  begun++;
  LATER(note_end, NULL);
  LATER(end_slowly, thing_arg());
  return vow_await(vow_never(vow_task_loop()));
}

static vow_value_t fail_soon(void *arg) {
  (void)arg;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 1));
  return vow_fail(UV_EPROTO);
}

/* ---- tasks ------------------------------------------------------------------ */

SCENE(test_torture_task_cleans_up) {
  vow_task_options_t o = {.name = "named", .stack_bytes = 1 << 17};
  vow_future_t *f;
  COUNTED;
  VOW_TRY_NIL(vow_go(loop, work, thing_arg(), thing_drop));
  VOW_TRY_NIL(vow_go_with(loop, &o, work, thing_arg(), thing_drop));
  o.grace_ms = 5;
  f = vow_go_with(loop, &o, wait_for_ever, thing_arg(), thing_drop);
  CALMLY(vow_await_status(vow_timeout(f, 2)) == UV_ETIMEDOUT);
  f = vow_go(loop, work, thing_arg(), thing_drop);
  vow_task_cancel(f, UV_EPIPE);
  CALMLY(vow_await_status(f) == UV_EPIPE);
  return vow_nil();
}

static vow_value_t in_scope(void *arg) {
  (void)arg;
  LATER(end_slowly, thing_arg());
  VOW_TRY_NIL(thing_in(vow_task_loop(), 1));
  return thing();
}

static vow_value_t fail_clean_up(void *p) {
  thing_drop(p);
  return vow_failf(UV_EIO, "clean-up %s", "failed");
}

static vow_value_t in_bad_scope(void *arg) {
  (void)arg;
  LATER(fail_clean_up, thing_arg());
  return vow_failf(UV_EPROTO, "scope failed");
}

SCENE(test_torture_scopes_clean_up) {
  void *p = thing_arg();
  vow_value_t v = vow_scope(in_scope, NULL);
  if (vow_value_is_failure(v)) {
    thing_drop(p);
    return v;
  }
  vow_value_destroy(v);
  LATER(end_slowly, p);
  ck_assert(vow_undefer(end_slowly, p));
  thing_drop(p);
  v = vow_shielded(in_scope, NULL);
  if (vow_value_is_failure(v)) return v;
  vow_value_destroy(v);
  v = vow_scope(in_bad_scope, NULL);
  CALMLY(vow_value_code(v) == UV_EIO);
  vow_value_destroy(v);
  return vow_nil();
}

static const vow_local_t inherited = {"inherited", true}, own = {"own", false};

static vow_value_t look(void *arg) {
  (void)arg;
  ck_assert_ptr_null(vow_local_get(&own).type);
  (void)vow_local_set(&inherited, shared_thing());
  (void)vow_local_set(&own, thing());
  (void)vow_local_set(&own, thing());
  return vow_nil();
}

SCENE(test_torture_local_values_end_with_their_task) {
  (void)vow_local_set(&inherited, shared_thing());
  (void)vow_local_set(&own, thing());
  VOW_TRY_NIL(vow_go(loop, look, thing_arg(), thing_drop));
  return vow_nil();
}

/* ---- groups ----------------------------------------------------------------- */

ENDER(end_group, vow_group_t, vow_group_free)

static int go(vow_group_t *g, vow_task_cb body) {
  return vow_group_go(g, body, thing_arg(), thing_drop);
}

SCENE(test_torture_group_gives_all) {
  vow_group_t *g;
  vow_future_t *f;
  COUNTED;
  NEED(g = vow_group_new(loop, VOW_GROUP_ALL));
  (void)go(g, work);
  (void)vow_group_add(g, thing_in(loop, 2));
  (void)go(g, work);
  f = vow_group_join(g);
  VOW_TRY_NIL(f);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  (void)go(g, wait_for_ever);
  (void)go(g, fail_soon);
  (void)go(g, fail_soon);
  CALMLY(vow_await_status(vow_group_join(g)) == UV_EPROTO);
  return vow_nil();
}

SCENE(test_torture_other_groups_end) {
  vow_group_t *g;
  COUNTED;
  NEED(g = vow_group_open(VOW_GROUP_SETTLED));
  (void)go(g, work);
  (void)go(g, fail_soon);
  VOW_TRY_NIL(vow_group_join(g));
  NEED(g = vow_group_open(VOW_GROUP_FIRST));
  (void)go(g, fail_soon);
  (void)go(g, work);
  (void)go(g, wait_for_ever);
  VOW_TRY_NIL(vow_timeout(vow_group_join(g), 50));
  NEED(g = vow_group_open(VOW_GROUP_BACKGROUND));
  (void)go(g, work);
  (void)go(g, wait_for_ever);
  VOW_TRY_NIL(vow_sleep(loop, 3));
  vow_group_cancel(g, UV_EPIPE);
  VOW_TRY_NIL(vow_group_join(g));
  return vow_nil();
}

static vow_value_t start_up(void *arg) {
  (void)arg;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 1));
  (void)vow_task_started(thing());
  return wait_for_ever(NULL);
}

static vow_value_t start_badly(void *arg) {
  (void)arg;
  return vow_fail(UV_EACCES);
}

SCENE(test_torture_group_start_tells_when) {
  vow_group_t *g;
  vow_future_t *f;
  COUNTED;
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  f = vow_group_start(g, start_up, thing_arg(), thing_drop);
  VOW_TRY_NIL(f);
  f = vow_group_start(g, start_badly, thing_arg(), thing_drop);
  CALMLY(vow_await_status(f) == UV_EACCES);
  return vow_nil();
}

static vow_value_t wait_lightly(void *arg) {
  (void)arg;
  return vow_await(vow_finally(vow_never(vow_task_loop()), pause_a_moment,
                               thing_arg(), thing_drop));
}

SCENE(test_torture_freed_group_goes_with_its_last) {
  vow_group_t *g = vow_group_new(loop, VOW_GROUP_BACKGROUND);
  NEED(g);
  LATER(end_group, g);
  (void)go(g, wait_lightly);
  (void)vow_group_add(
      g, vow_finally(vow_never(loop), pause_a_moment, thing_arg(), thing_drop));
  VOW_TRY_NIL(vow_sleep(loop, 1));
  return vow_nil();
}

SUITE(torture_tasks) {
  ADD(test_torture_task_cleans_up);
  ADD(test_torture_scopes_clean_up);
  ADD(test_torture_local_values_end_with_their_task);
  ADD(test_torture_group_gives_all);
  ADD(test_torture_other_groups_end);
  ADD(test_torture_group_start_tells_when);
  ADD(test_torture_freed_group_goes_with_its_last);
}
