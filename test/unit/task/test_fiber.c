/* SPDX-License-Identifier: MIT */
/* Fibers below tasks: what a switch must keep, fibers in fibers, stacks laid
 * out as the calling convention wants them. */
#include "support/test.h"
#include "task/fiber.h"

#include <fenv.h>
#include <math.h>

#define BYTES ((size_t)65536)

typedef struct visit {
  vow__fiber_t fiber;
  int steps;
  void *inner; /* what the test wants with it */
} visit_t;

static void start(visit_t *v, void (*entry)(void *arg)) {
  ck_assert_int_eq(vow__fiber_begin(&v->fiber, BYTES, entry, v), 0);
}

static void three_steps(void *arg) {
  visit_t *v = arg;
  vow__fiber_entered(&v->fiber);
  for (int i = 0; i < 3; i++) {
    v->steps++;
    vow__fiber_suspend(&v->fiber);
  }
  vow__fiber_exit(&v->fiber);
}

TEST(test_fiber_resume_and_suspend_pair_up) {
  visit_t v = {.steps = 0};
  start(&v, three_steps);
  ck_assert_int_eq(v.steps, 0);
  for (int i = 1; i <= 3; i++) {
    vow__fiber_resume(&v.fiber);
    ck_assert_int_eq(v.steps, i);
  }
  vow__fiber_resume(&v.fiber); /* exits */
  vow__fiber_end(&v.fiber);
  vow__stack_trim();
}

/* ---- fibers in fibers ----------------------------------------------------- */

static void resume_inner(void *arg) {
  visit_t *v = arg, *inner = v->inner;
  vow__fiber_entered(&v->fiber);
  for (int i = 0; i < 3; i++) {
    v->steps++;
    vow__fiber_resume(&inner->fiber);
    vow__fiber_suspend(&v->fiber);
  }
  vow__fiber_exit(&v->fiber);
}

TEST(test_fiber_may_resume_another) {
  visit_t inner = {.steps = 0}, middle = {.inner = &inner},
          outer = {.inner = &middle};
  start(&inner, three_steps);
  start(&middle, resume_inner);
  start(&outer, resume_inner);
  for (int i = 1; i <= 3; i++) {
    vow__fiber_resume(&outer.fiber);
    ck_assert_int_eq(inner.steps, i);
    ck_assert_int_eq(outer.steps, i);
  }
  vow__fiber_resume(&outer.fiber);
  vow__fiber_resume(&middle.fiber);
  vow__fiber_resume(&inner.fiber);
  vow__fiber_end(&outer.fiber);
  vow__fiber_end(&middle.fiber);
  vow__fiber_end(&inner.fiber);
  vow__stack_trim();
}

/* ---- registers ------------------------------------------------------------ */

static volatile int64_t seed = 3;
static volatile double real_seed = 1.5;

/* More values than there are registers, alive across each switch, whole and
 * floating; the two sides use different ones. */
#define ALIVE(pause)                                                           \
  do {                                                                         \
    int64_t a = seed, b = a * 3, c = b ^ 5, d = c + 7, e = d * 9, f = e - 1,   \
            g = f * 3, h = g ^ a, i = h + b, j = i * 5, k = j - c, l = k ^ d,  \
            m = l + e, n = m * 7, o = n ^ f, p = o + g;                        \
    double u = real_seed, v = u * 2, w = v + u, x = w * v, y = x - u,          \
           z = y * w, q = z + x, r = q * u, s = r - v, t = s + w;              \
    int64_t before =                                                           \
        a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p;         \
    double real_before = u + v + w + x + y + z + q + r + s + t;                \
    for (int round = 0; round < 5; round++) {                                  \
      pause;                                                                   \
      ck_assert_int_eq(a + b + c + d + e + f + g + h + i + j + k + l + m + n + \
                           o + p,                                              \
                       before);                                                \
      ck_assert(u + v + w + x + y + z + q + r + s + t == real_before);         \
    }                                                                          \
  } while (0)

static void stay_alive(void *arg) {
  visit_t *v_ = arg;
  vow__fiber_entered(&v_->fiber);
  seed = 11;
  real_seed = 2.25;
  ALIVE(vow__fiber_suspend(&v_->fiber));
  vow__fiber_exit(&v_->fiber);
}

TEST(test_fiber_switch_keeps_locals_of_both_sides) {
  visit_t v_ = {.steps = 0};
  start(&v_, stay_alive);
  ALIVE(vow__fiber_resume(&v_.fiber));
  vow__fiber_resume(&v_.fiber);
  vow__fiber_end(&v_.fiber);
  vow__stack_trim();
}

#if defined(__x86_64__) && !defined(__ILP32__)
/* The registers that the ABI calls preserved, put to values of one's own right
 * before a call that switches, and looked at right behind it. */
#define PRESERVED 6

void test_call_with_registers(void (*fn)(void *), void *arg,
                              const uint64_t in[PRESERVED],
                              uint64_t ret_out[PRESERVED]);

__asm__(".text\n"
        ".globl test_call_with_registers\n"
        ".hidden test_call_with_registers\n"
        ".type test_call_with_registers, @function\n"
        "test_call_with_registers:\n"
        "  pushq %rbx\n  pushq %rbp\n  pushq %r12\n"
        "  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  pushq %rcx\n" /* ret_out; aligned for the call */
        "  movq %rdi, %rax\n"
        "  movq %rsi, %rdi\n"
        "  movq 0(%rdx), %rbx\n  movq 8(%rdx), %rbp\n"
        "  movq 16(%rdx), %r12\n  movq 24(%rdx), %r13\n"
        "  movq 32(%rdx), %r14\n  movq 40(%rdx), %r15\n"
        "  callq *%rax\n"
        "  popq %rcx\n"
        "  movq %rbx, 0(%rcx)\n  movq %rbp, 8(%rcx)\n"
        "  movq %r12, 16(%rcx)\n  movq %r13, 24(%rcx)\n"
        "  movq %r14, 32(%rcx)\n  movq %r15, 40(%rcx)\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n"
        "  popq %r12\n  popq %rbp\n  popq %rbx\n"
        "  ret\n"
        ".size test_call_with_registers, .-test_call_with_registers\n");
#define HAVE_PRESERVED 1
#elif defined(__aarch64__)
/* x19 to x28, then d8 to d15. */
#define PRESERVED      18

void test_call_with_registers(void (*fn)(void *), void *arg,
                              const uint64_t in[PRESERVED],
                              uint64_t ret_out[PRESERVED]);

__asm__(".text\n"
        ".globl test_call_with_registers\n"
        ".hidden test_call_with_registers\n"
        ".type test_call_with_registers, %function\n"
        "test_call_with_registers:\n"
        "  sub sp, sp, #176\n"
        "  stp x19, x20, [sp, #0]\n"
        "  stp x21, x22, [sp, #16]\n"
        "  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n"
        "  stp x27, x28, [sp, #64]\n"
        "  stp d8, d9, [sp, #80]\n"
        "  stp d10, d11, [sp, #96]\n"
        "  stp d12, d13, [sp, #112]\n"
        "  stp d14, d15, [sp, #128]\n"
        "  stp x29, x30, [sp, #144]\n"
        "  str x3, [sp, #160]\n"
        "  mov x9, x0\n"
        "  mov x0, x1\n"
        "  ldp x19, x20, [x2, #0]\n"
        "  ldp x21, x22, [x2, #16]\n"
        "  ldp x23, x24, [x2, #32]\n"
        "  ldp x25, x26, [x2, #48]\n"
        "  ldp x27, x28, [x2, #64]\n"
        "  ldp d8, d9, [x2, #80]\n"
        "  ldp d10, d11, [x2, #96]\n"
        "  ldp d12, d13, [x2, #112]\n"
        "  ldp d14, d15, [x2, #128]\n"
        "  blr x9\n"
        "  ldr x3, [sp, #160]\n"
        "  stp x19, x20, [x3, #0]\n"
        "  stp x21, x22, [x3, #16]\n"
        "  stp x23, x24, [x3, #32]\n"
        "  stp x25, x26, [x3, #48]\n"
        "  stp x27, x28, [x3, #64]\n"
        "  stp d8, d9, [x3, #80]\n"
        "  stp d10, d11, [x3, #96]\n"
        "  stp d12, d13, [x3, #112]\n"
        "  stp d14, d15, [x3, #128]\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp d8, d9, [sp, #80]\n"
        "  ldp d10, d11, [sp, #96]\n"
        "  ldp d12, d13, [sp, #112]\n"
        "  ldp d14, d15, [sp, #128]\n"
        "  ldp x29, x30, [sp, #144]\n"
        "  add sp, sp, #176\n"
        "  ret\n"
        ".size test_call_with_registers, .-test_call_with_registers\n");
#define HAVE_PRESERVED 1
#endif

#ifdef HAVE_PRESERVED
static __attribute__((noinline)) void resume_it(void *arg) {
  vow__fiber_resume(&((visit_t *)arg)->fiber);
}

static __attribute__((noinline)) void suspend_it(void *arg) {
  vow__fiber_suspend(&((visit_t *)arg)->fiber);
}

static void check_registers(void (*fn)(void *), visit_t *v, uint64_t base) {
  uint64_t in[PRESERVED], out[PRESERVED];
  for (uint64_t i = 0; i < PRESERVED; i++) in[i] = base + i * 16;
  test_call_with_registers(fn, v, in, out);
  for (int i = 0; i < PRESERVED; i++) ck_assert_uint_eq(out[i], in[i]);
}

static void keep_registers(void *arg) {
  visit_t *v = arg;
  vow__fiber_entered(&v->fiber);
  for (uint64_t i = 0; i < 3; i++)
    check_registers(suspend_it, v, UINT64_C(0x2000000000) + i);
  vow__fiber_exit(&v->fiber);
}

TEST(test_fiber_switch_keeps_preserved_registers) {
  visit_t v = {.steps = 0};
  start(&v, keep_registers);
  for (uint64_t i = 0; i < 4; i++)
    check_registers(resume_it, &v, UINT64_C(0x1000000000) + i);
  vow__fiber_end(&v.fiber);
  vow__stack_trim();
}
#endif

/* ---- rounding ------------------------------------------------------------- */

/* Not known to the compiler, which would round by itself. */
static volatile double two_and_a_bit = 2.25, two_and_more = 2.75;

/* valgrind rounds to nearest whatever it is told. */
static bool rounding_works(void) {
  volatile double one = 1, tiny = 1e-30, up;
  fesetround(FE_UPWARD);
  up = one + tiny;
  fesetround(FE_TONEAREST);
  return up > 1;
}

static void round_up(void *arg) {
  visit_t *v = arg;
  vow__fiber_entered(&v->fiber);
  ck_assert_int_eq(fegetround(), FE_DOWNWARD); /* where it was begun */
  fesetround(FE_UPWARD);
  for (int i = 0; i < 3; i++) {
    vow__fiber_suspend(&v->fiber);
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    ck_assert(rint(two_and_a_bit) == 3);
#ifdef __x86_64__
    long double x87 = 2.25L; /* it has a word of its own */
    __asm__ volatile("frndint" : "+t"(x87));
    ck_assert(x87 == 3);
#endif
  }
  vow__fiber_exit(&v->fiber);
}

TEST(test_fiber_has_a_rounding_mode_of_its_own) {
  visit_t v = {.steps = 0};
  if (!rounding_works()) return;
  fesetround(FE_DOWNWARD);
  start(&v, round_up);
  fesetround(FE_TOWARDZERO);
  fesetround(FE_DOWNWARD);
  for (int i = 0; i < 4; i++) {
    vow__fiber_resume(&v.fiber);
    ck_assert_int_eq(fegetround(), FE_DOWNWARD);
    ck_assert(rint(two_and_more) == 2);
  }
  fesetround(FE_TONEAREST);
  vow__fiber_end(&v.fiber);
  vow__stack_trim();
}

/* ---- alignment ------------------------------------------------------------ */

/* A wide local that the compiler aligns by what it knows of the entry's stack:
 * one 8 bytes off shows here, as a fault or as a crooked address. */
static void align_locals(void *arg) {
  visit_t *v = arg;
  _Alignas(16) volatile char block[64];
  volatile double reals[8];
  vow__fiber_entered(&v->fiber);
  for (int i = 0; i < 8; i++) reals[i] = i * real_seed;
  for (size_t i = 0; i < sizeof block; i++) block[i] = (char)i;
  v->inner = (void *)(uintptr_t)block;
  v->steps = snprintf((char *)(uintptr_t)block, sizeof block, "%.1f %.1f",
                      reals[1], reals[7]); /* saves vector registers */
  vow__fiber_suspend(&v->fiber);
  vow__fiber_exit(&v->fiber);
}

TEST(test_fiber_stack_is_aligned_for_the_entry) {
  visit_t v = {.steps = 0};
  start(&v, align_locals);
  vow__fiber_resume(&v.fiber);
  ck_assert_uint_eq((uintptr_t)v.inner % 16, 0);
  ck_assert_int_gt(v.steps, 6);
  vow__fiber_resume(&v.fiber);
  vow__fiber_end(&v.fiber);
  vow__stack_trim();
}

SUITE(task_fiber) {
  ADD(test_fiber_resume_and_suspend_pair_up);
  ADD(test_fiber_may_resume_another);
  ADD(test_fiber_switch_keeps_locals_of_both_sides);
#ifdef HAVE_PRESERVED
  ADD(test_fiber_switch_keeps_preserved_registers);
#endif
  ADD(test_fiber_has_a_rounding_mode_of_its_own);
  ADD(test_fiber_stack_is_aligned_for_the_entry);
}
