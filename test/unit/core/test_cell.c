/* SPDX-License-Identifier: MIT */
/* Tests of the cell allocator: what it costs, what it gives back, and that all
 * live cells are found. The only tests that look into src/core. */
#include "unit/core/helpers.h"

#include "core/loop.h"

TEST(test_cell_of_a_future_is_one_cache_line) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f[100];
  ck_assert_uint_eq(sizeof(vow_future_t), 64);
  for (size_t i = 0; i < 100; i++) {
    f[i] = ok(loop, 1);
    ck_assert_uint_eq((uintptr_t)f[i] % 64, 0);
    ck_assert_ptr_eq(vow_loop_of(f[i]), loop);
  }
  for (size_t i = 0; i < 100; i++) vow_drop(f[i]);
  manual_done(loop);
}

/* 64 bytes a pending link, and no other allocation. */
TEST(test_cell_pending_chain_takes_64_bytes_a_link) {
  vow_loop_t *loop;
  vow_future_t *f;
  size_t n = 100000;
  long before;
  fault_install();
  loop = manual_loop();
  f = vow_never(loop);
  before = fault_live_bytes();
  for (size_t i = 0; i < n; i++) f = vow_then(f, add_one, NULL);
  ck_assert_int_le(fault_live_bytes() - before,
                   (long)(n * 64 + n * 64 / 100 + 65536));
  vow_drop(f);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_cell_arg_with_destructor_takes_128_bytes_a_link) {
  vow_loop_t *loop;
  vow_future_t *f;
  arg_t a = returns(vow_nil());
  size_t n = 10000;
  long before;
  fault_install();
  loop = manual_loop();
  f = vow_never(loop);
  before = fault_live_bytes();
  for (size_t i = 0; i < n; i++) f = vow_then(f, arg_run, &a, arg_drop);
  ck_assert_int_le(fault_live_bytes() - before,
                   (long)(n * 128 + n * 128 / 100 + 65536));
  vow_drop(f);
  ck_assert_int_eq(a.drops, (int)n);
  manual_done(loop);
  fault_remove();
}

TEST(test_cell_burst_is_given_back) {
  vow_loop_t *loop;
  vow_future_t *f;
  long before;
  fault_install();
  loop = manual_loop();
  before = fault_live();
  for (int round = 0; round < 3; round++) {
    f = vow_never(loop);
    for (int i = 0; i < 50000; i++) f = vow_then(f, add_one, NULL);
    ck_assert_int_gt(fault_live(), before + 40);
    vow_drop(f);
    ck_assert_int_le(fault_live(), before + 5); /* a few are kept */
  }
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_cell_freed_in_any_order_is_used_again) {
  vow_loop_t *loop;
  enum { N = 5000 };
  static vow_future_t *f[N];
  long high;
  fault_install();
  loop = manual_loop();
  for (size_t i = 0; i < N; i++) f[i] = ok(loop, 1);
  high = fault_live();
  for (size_t round = 1; round <= 20; round++) {
    for (size_t i = 0; i < N; i += round) vow_drop(f[(i * 7) % N]);
    for (size_t i = 0; i < N; i += round) f[(i * 7) % N] = ok(loop, 1);
    ck_assert_int_le(fault_live(), high);
  }
  ck_assert_uint_eq(vow_loop_live(loop), N);
  for (size_t i = 0; i < N; i++) vow_drop(f[i]);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_cell_classes_fit_what_they_are_asked_for) {
  static const struct {
    size_t size_bytes;
    unsigned cls;
  } rows[] = {{1, 0},     {64, 0},    {65, 1},   {128, 1},   {129, 2},
              {192, 2},   {256, 3},   {1024, 9}, {1025, 10}, {1536, 10},
              {1537, 11}, {2048, 11}, {2049, 12}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    ck_assert_uint_eq(vow__cell_class(rows[i].size_bytes), rows[i].cls);
}

/* Operations of every size: written full, they must not touch each other. */
typedef struct wide_op {
  vow_op_t op;
  unsigned char bytes[VOW_OP_SIZE_MAX - sizeof(vow_op_t)];
} wide_op_t;

TEST(test_cell_of_every_size_holds_its_bytes) {
  vow_loop_t *loop = manual_loop();
  vow_op_class_t cls[64];
  wide_op_t *op[64];
  for (size_t i = 0; i < 64; i++) {
    size_t size = sizeof(vow_op_t) + (i + 1) * 30;
    cls[i] = (vow_op_class_t){"wide", size, NULL, NULL, NULL, NULL};
    op[i] = vow_op_new_at("s", loop, &cls[i]);
    for (size_t k = 0; k < (i + 1) * 30; k++)
      ck_assert_uint_eq(op[i]->bytes[k], 0);
    memset(op[i]->bytes, (int)i, (i + 1) * 30);
  }
  for (size_t i = 0; i < 64; i++) {
    for (size_t k = 0; k < (i + 1) * 30; k++)
      ck_assert_uint_eq(op[i]->bytes[k], i);
    ck_assert_ptr_eq(op[i]->op.cls, &cls[i]);
    vow_op_settle(op[i], vow_nil());
    vow_drop(vow_op_future(op[i]));
  }
  manual_done(loop);
}

static void count(vow_future_t *f, const char *what, const char *site,
                  vow_state_t state, void *arg) {
  (void)f;
  (void)what;
  (void)site;
  (void)state;
  ++*(size_t *)arg;
}

TEST(test_cell_walk_finds_exactly_the_live) {
  vow_loop_t *loop = manual_loop();
  enum { N = 3000 };
  static vow_future_t *f[N];
  size_t n = 0;
  for (size_t i = 0; i < N; i++) {
    f[i] = i % 5 == 0 ? vow_then(vow_never(loop), add_one, NULL) : ok(loop, 1);
    if (i % 5 == 0) {
      vow_cancel(f[i]);
      manual_drain(loop);
      vow_drop(f[i]);
      f[i] = NULL;
    }
  }
  for (size_t i = 0; i < N; i += 3) {
    vow_drop(f[i]);
    f[i] = NULL;
  }
  vow_loop_each(loop, count, &n);
  ck_assert_uint_eq(n, vow_loop_live(loop));
  for (size_t i = 0; i < N; i++) n -= f[i] != NULL;
  ck_assert_uint_eq(n, 0);
  for (size_t i = 0; i < N; i++) vow_drop(f[i]);
  manual_done(loop);
}

TEST(test_cell_probing_asks_the_allocator_for_each) {
  vow_loop_t *loop;
  vow_future_t *f[20];
  size_t before;
  fault_install();
  loop = manual_loop_probe();
  for (int i = 0; i < 20; i++) {
    before = fault_count();
    f[i] = ok(loop, 1);
    ck_assert_uint_ge(fault_count(), before + 1);
  }
  for (int i = 0; i < 20; i++) {
    vow_drop(f[i]);
    before = fault_count();
    f[i] = ok(loop, 1); /* also one that was freed before */
    ck_assert_uint_ge(fault_count(), before + 1);
  }
  for (int i = 0; i < 20; i++) vow_drop(f[i]);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_cell_last_one_after_the_close_frees_the_loop) {
  vow_loop_t *loop;
  vow_future_t *f[3000];
  fault_install();
  loop = manual_loop();
  for (size_t i = 0; i < 3000; i++) f[i] = ok(loop, 1);
  manual_close(loop);
  for (size_t i = 0; i < 3000; i++) {
    ck_assert_int_gt(fault_live(), 0);
    vow_drop(f[(i * 7) % 3000]);
  }
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(core_cell) {
  ADD(test_cell_of_a_future_is_one_cache_line);
  ADD(test_cell_pending_chain_takes_64_bytes_a_link);
  ADD(test_cell_arg_with_destructor_takes_128_bytes_a_link);
  ADD(test_cell_burst_is_given_back);
  ADD(test_cell_freed_in_any_order_is_used_again);
  ADD(test_cell_classes_fit_what_they_are_asked_for);
  ADD(test_cell_of_every_size_holds_its_bytes);
  ADD(test_cell_walk_finds_exactly_the_live);
  ADD(test_cell_probing_asks_the_allocator_for_each);
  ADD(test_cell_last_one_after_the_close_frees_the_loop);
}
