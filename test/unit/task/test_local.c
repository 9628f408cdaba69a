/* SPDX-License-Identifier: MIT */
/* Task-local values. */
#include "unit/task/helpers.h"

static const vow_local_t user = {"user", true};
static const vow_local_t mine = {"mine", false};

static vow_value_t set_and_get(void *arg) {
  int live;
  (void)arg;
  ck_assert_ptr_null(vow_local_get(&user).type); /* nil */
  ck_assert_int_eq(vow_local_set(&user, vow_int(1)), 0);
  ck_assert_int_eq(vow_local_set(&mine, once()), 0);
  vow_yield();
  ck_assert_int_eq(vow_local_get(&user).as.i, 1);
  ck_assert_ptr_eq(vow_local_get(&mine).type, &type_once);
  live = things_live;
  ck_assert_int_eq(vow_local_set(&mine, vow_int(2)), 0);
  ck_assert_int_eq(things_live, live - 1); /* the former one */
  ck_assert_int_eq(vow_local_get(&mine).as.i, 2);
  ck_assert_int_eq(vow_local_set(&mine, vow_nil()), 0);
  ck_assert_ptr_null(vow_local_get(&mine).type);
  return vow_nil();
}

TEST(test_local_is_each_tasks_own) {
  begin();
  for (int i = 0; i < 2; i++) vow_detach(vow_go(loop, set_and_get, NULL));
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  done();
}

static vow_value_t look_at_local(void *arg) {
  (void)arg;
  note(vow_local_get(&mine).type == &type_many ? "there" : "gone");
  return vow_nil();
}

static vow_value_t set_and_defer(void *arg) {
  vow_defer(look_at_local, arg);
  vow_local_set(&mine, many());
  VOW_TRY_NIL(nap(1000));
  return vow_nil();
}

TEST(test_local_lives_until_clean_up_has_ended) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, set_and_defer, NULL);
  manual_drain(loop);
  vow_drop(f);
  manual_drain(loop);
  EXPECT_EVENTS("there");
  ck_assert_int_eq(things_live, 0);
  done();
}

/* ---- inheriting ----------------------------------------------------------- */

static vow_value_t child(void *arg) {
  thing_t *want = arg;
  ck_assert_ptr_eq(vow_local_get(&user).as.p, want);
  ck_assert_ptr_null(vow_local_get(&mine).type);
  vow_local_set(&user, vow_int(5)); /* its own from now on */
  note("child");
  return vow_nil();
}

static vow_value_t parent(void *arg) {
  vow_value_t v = many();
  (void)arg;
  vow_local_set(&user, v);
  vow_local_set(&mine, many());
  vow_detach(vow_go(loop, child, v.as.p));
  vow_yield();
  ck_assert_ptr_eq(vow_local_get(&user).as.p, v.as.p);
  vow_detach(vow_go(loop, child, v.as.p)); /* outlives its parent */
  return vow_nil();
}

TEST(test_local_inherited_is_shared_with_children) {
  begin();
  vow_detach(vow_go(loop, parent, NULL));
  manual_drain(loop);
  EXPECT_EVENTS("child child");
  ck_assert_int_eq(things_live, 0);
  done();
}

static vow_value_t grandchild(void *arg) {
  *(int64_t *)arg = vow_local_get(&user).as.i;
  return vow_nil();
}

static vow_value_t middle(void *arg) {
  return vow_await(vow_go(loop, grandchild, arg));
}

static vow_value_t elder(void *arg) {
  vow_local_set(&user, vow_int(9));
  return vow_await(vow_go(loop, middle, arg));
}

TEST(test_local_inherited_goes_on_to_grandchildren) {
  int64_t n = 0;
  begin();
  vow_detach(vow_go(loop, elder, &n));
  manual_drain(loop);
  ck_assert_int_eq(n, 9);
  done();
}

static vow_value_t has_none(void *arg) {
  ck_assert_ptr_null(vow_local_get(&user).type);
  note(arg);
  return vow_nil();
}

static vow_value_t set_once_and_go(void *arg) {
  vow_local_set(&user, once());
  vow_detach(vow_go(loop, has_none, arg));
  vow_drop(vow_go(loop, has_none, "dropped"));
  return vow_nil();
}

TEST(test_local_that_cannot_be_shared_is_left_out) {
  begin();
  vow_detach(vow_go(loop, set_once_and_go, "child"));
  manual_drain(loop);
  EXPECT_EVENTS("child");
  ck_assert_int_eq(things_live, 0);
  done();
}

static vow_value_t drop_unbegun(void *arg) {
  (void)arg;
  vow_local_set(&user, many());
  vow_drop(vow_go(loop, has_none, NULL)); /* shares it, and never begins */
  return vow_nil();
}

TEST(test_local_of_a_task_that_never_begins_is_destroyed) {
  begin();
  vow_detach(vow_go(loop, drop_unbegun, NULL));
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  done();
}

static vow_value_t go_without_memory(void *arg) {
  vow_future_t *f;
  (void)arg;
  vow_local_set(&user, many());
  fault_fail_at(1);
  f = vow_go(loop, has_none, NULL, count_drop);
  fault_off();
  ck_assert_int_eq(drops, 1);
  EXPECT_FAILED(f, UV_ENOMEM);
  vow_local_set(&user, thing_of(&type_poor, 0));
  f = vow_go(loop, has_none, NULL, count_drop); /* its ref fails */
  ck_assert_int_eq(drops, 2);
  EXPECT_FAILED(f, UV_ENOMEM);
  return vow_nil();
}

TEST(test_local_inherited_without_memory_fails_the_child) {
  vow_future_t *f;
  drops = 0;
  fault_install();
  begin();
  f = vow_go(loop, go_without_memory, NULL);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  done();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- misuse, memory ------------------------------------------------------- */

static vow_value_t set_wrongly(void *arg) {
  (void)arg;
  ck_assert_int_eq(vow_local_set(NULL, once()), UV_EINVAL);
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(vow_local_get(NULL).type);
  fault_fail_at(1);
  ck_assert_int_eq(vow_local_set(&mine, once()), UV_ENOMEM);
  fault_off();
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(vow_local_get(&mine).type);
  return vow_nil();
}

TEST(test_local_misuse_destroys_the_value) {
  fault_install();
  begin();
  ck_assert_int_eq(vow_local_set(&mine, once()), UV_EINVAL); /* no task */
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(vow_local_get(&mine).type);
  vow_detach(vow_go(loop, set_wrongly, NULL));
  manual_drain(loop);
  done();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- destructors that come back ------------------------------------------- */

static int again;

static void set_again(void *p) {
  (void)p;
  if (again-- > 0) {
    static const vow_type_t stubborn = {"stubborn", set_again, NULL, NULL};
    vow_local_set(&mine, vow_ptr(&again, &stubborn));
    vow_defer(note_arg, "late");
  }
}

static const vow_type_t setting = {"setting", set_again, NULL, NULL};

static vow_value_t set_setting(void *arg) {
  (void)arg;
  vow_local_set(&user, vow_ptr(&again, &setting));
  return vow_nil();
}

TEST(test_local_destructor_may_set_and_defer) {
  again = 2;
  begin();
  vow_detach(vow_go(loop, set_setting, NULL));
  manual_drain(loop);
  ck_assert_int_eq(again, -1);
  EXPECT_EVENTS("late late");
  done();
}

SUITE(task_local) {
  ADD(test_local_is_each_tasks_own);
  ADD(test_local_lives_until_clean_up_has_ended);
  ADD(test_local_inherited_is_shared_with_children);
  ADD(test_local_inherited_goes_on_to_grandchildren);
  ADD(test_local_that_cannot_be_shared_is_left_out);
  ADD(test_local_of_a_task_that_never_begins_is_destroyed);
  ADD(test_local_inherited_without_memory_fails_the_child);
  ADD(test_local_misuse_destroys_the_value);
  ADD(test_local_destructor_may_set_and_defer);
}
