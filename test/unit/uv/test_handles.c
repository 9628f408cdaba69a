/* SPDX-License-Identifier: MIT */
/* The table of what hangs on a handle, against a plain array. */
#include "uv/handles.h"

#include "support/fault.h"
#include "support/test.h"

#include <vow/op.h>

enum { HANDLES = 64, PER_HANDLE = 3 };

static uv_timer_t timers[HANDLES];
static vow__attached_t things[HANDLES][PER_HANDLE];
static int closed_calls, forget_calls;

static void on_closed(vow__attached_t *a) {
  ck_assert_ptr_null(a->handle);
  closed_calls++;
}

static void on_forget(vow__attached_t *a) {
  ck_assert_ptr_null(a->handle);
  forget_calls++;
}

static const vow__attached_kind_t kinds[PER_HANDLE] = {
    {NULL, on_closed, on_forget},
    {NULL, on_closed, on_forget},
    {NULL, on_closed, on_forget}};

static uv_handle_t *handle_at(int i) {
  return (uv_handle_t *)&timers[i];
}

static void check_all(vow__handles_t *h) {
  int i, k;
  for (i = 0; i < HANDLES; i++) {
    for (k = 0; k < PER_HANDLE; k++) {
      vow__attached_t *want =
          things[i][k].handle != NULL ? &things[i][k] : NULL;
      ck_assert_ptr_eq(vow__attached_find(h, handle_at(i), &kinds[k]), want);
    }
  }
}

TEST(test_handles_random_attach_and_detach_agree_with_an_array) {
  vow__handles_t h = {0};
  unsigned seed = 12345;
  int step, left = 0, i, k;
  memset(things, 0, sizeof things);
  for (step = 0; step < 5000; step++) {
    seed = seed * 1103515245u + 12345u;
    i = (int)(seed >> 16) % HANDLES;
    k = (int)(seed >> 24) % PER_HANDLE;
    if (things[i][k].handle == NULL)
      ck_assert_int_eq(
          vow__attach(&h, handle_at(i), &things[i][k], &kinds[k], "here"), 0);
    else
      vow__detach(&h, &things[i][k]);
    if (step % 50 == 0) check_all(&h);
  }
  check_all(&h);
  for (i = 0; i < HANDLES; i++)
    for (k = 0; k < PER_HANDLE; k++) left += things[i][k].handle != NULL;
  forget_calls = 0;
  vow__handles_done(&h);
  ck_assert_int_eq(forget_calls, left);
}

TEST(test_handles_closed_calls_everything_on_the_handle_once) {
  vow__handles_t h = {0};
  int k;
  memset(things, 0, sizeof things);
  for (k = 0; k < PER_HANDLE; k++) {
    vow__attach(&h, handle_at(0), &things[0][k], &kinds[k], "here");
    vow__attach(&h, handle_at(1), &things[1][k], &kinds[k], "here");
  }
  closed_calls = 0;
  vow__attached_closed(&h, handle_at(0));
  ck_assert_int_eq(closed_calls, PER_HANDLE);
  vow__attached_closed(&h, handle_at(0));
  ck_assert_int_eq(closed_calls, PER_HANDLE);
  ck_assert_ptr_null(vow__attached_first(&h, handle_at(0)));
  ck_assert_ptr_nonnull(vow__attached_first(&h, handle_at(1)));
  vow__detach(&h, &things[0][0]); /* off already */
  vow__handles_done(&h);
}

TEST(test_handles_out_of_memory_changes_nothing) {
  vow__handles_t h = {0};
  int i;
  memset(things, 0, sizeof things);
  fault_install();
  fault_fail_from(1);
  ck_assert_int_eq(
      vow__attach(&h, handle_at(0), &things[0][0], &kinds[0], "here"),
      UV_ENOMEM);
  ck_assert_ptr_null(things[0][0].handle);
  ck_assert_ptr_null(vow__attached_first(&h, handle_at(0)));
  fault_off();
  vow__attach(&h, handle_at(0), &things[0][0], &kinds[0], "here");
  fault_fail_from(1);
  for (i = 1; i < HANDLES; i++)
    if (vow__attach(&h, handle_at(i), &things[i][0], &kinds[0], "here") != 0)
      break;
  ck_assert_int_lt(i, HANDLES);
  ck_assert_ptr_null(things[i][0].handle);
  check_all(&h);
  /* One more on a handle that is known needs no memory. */
  ck_assert_int_eq(
      vow__attach(&h, handle_at(0), &things[0][1], &kinds[1], "here"), 0);
  fault_off();
  vow__handles_done(&h);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_handles_give_back_memory_when_most_have_gone) {
  vow__handles_t h = {0};
  int i;
  memset(things, 0, sizeof things);
  fault_install();
  for (i = 0; i < HANDLES; i++)
    vow__attach(&h, handle_at(i), &things[i][0], &kinds[0], "here");
  ck_assert_uint_ge(h.capacity, 2 * HANDLES);
  for (i = 1; i < HANDLES; i++) {
    if (i == HANDLES / 2) fault_fail_from(1); /* then it stays as it is */
    if (i == HANDLES - 8) fault_off();
    if (i % 2 == 0)
      vow__detach(&h, &things[i][0]);
    else
      vow__attached_closed(&h, handle_at(i));
    check_all(&h);
  }
  ck_assert_uint_le(h.capacity, 16);
  ck_assert_uint_eq(h.count, 1);
  vow__handles_done(&h);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(uv_handles) {
  ADD(test_handles_give_back_memory_when_most_have_gone);
  ADD(test_handles_random_attach_and_detach_agree_with_an_array);
  ADD(test_handles_closed_calls_everything_on_the_handle_once);
  ADD(test_handles_out_of_memory_changes_nothing);
}
