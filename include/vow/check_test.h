/* SPDX-License-Identifier: MIT */
/* Tests that await: each body is a task on a fresh loop with virtual time, and
 * fails when it leaves anything behind. */
#ifndef VOW_CHECK_TEST_H
#define VOW_CHECK_TEST_H

#include <check.h>
#include <vow/task.h>
#include <vow/virtual.h>

VOW_BEGIN_DECLS

/** Settings of a test; zero a field for its default. */
typedef struct vow_check_options {
  /** The clock of the wall instead of a virtual one. */
  bool real_time;
  /** Default 256 KiB. */
  size_t stack_bytes;
  /** After so long, by the clock of the wall, the test fails, with the graph of
   *  who waits for what; all runs together, of a torture or with many seeds.
   *  Multiplied by CK_TIMEOUT_MULTIPLIER. Default: what vow_check_set_watchdog
   *  said. */
  uint64_t watchdog_ms;
  /** The body may leave memory of vow's allocated, in a cache for instance. */
  bool keeps_memory;
  /** Leaves vow's allocator alone: then memory that stays behind is not found.
   *  Otherwise it is the kit's during the test, and vow's own afterwards. */
  bool keeps_allocator;
  /** What is ready runs in an order that follows from the test's seed
   *  (vow_loop_options_t.shuffle_seed). */
  bool shuffle;
  /** Every future asks the allocator: for vow_check_fail_alloc. Slower. */
  bool probe_cells;
  /** Once a fault by hand has come to pass, failures that nobody sees and
   *  scripts that are not played to their end are none, as in a torture. */
  bool unseen_after_faults;
  /** Of a torture: one in so many faults of each kind is tried, where all would
   *  take too long. Default: each. */
  size_t torture_stride;
} vow_check_options_t;

/** The body of a test; i is that of tcase_add_loop_test. */
typedef void (*vow_check_body_cb)(vow_loop_t *loop, int i);

/** VOW_TEST(name) { ... }
 *  VOW_TEST_WITH(name, .real_time = true, ...) { ... }
 *  Defines a test for tcase_add_test. The body is run by vow_check_run, as a
 *  task: it may await. It has `loop`, and `_i` as libcheck's tests do. */
#define VOW_TEST(name) VOW__TEST(name, NULL)
#define VOW_TEST_WITH(name, ...)                                       \
  static const vow_check_options_t name##_vow_options = {__VA_ARGS__}; \
  VOW__TEST(name, &name##_vow_options)

#define VOW__TEST(name, options)                                        \
  static void name##_vow_body(vow_loop_t *loop, int _i);                \
  START_TEST(name) {                                                    \
    vow_check_run(VOW_SITE, #name, (options), name##_vow_body, _i);     \
  }                                                                     \
  END_TEST                                                              \
  static void name##_vow_body(vow_loop_t *loop __attribute__((unused)), \
                              int _i __attribute__((unused)))

/** vow_check_run(site, name, options, body, i)
 *  What VOW_TEST calls: makes a loop, runs body(loop, i) as a task with all
 *  that comes of it, and closes the loop. The test fails
 *   - by any ck_assert in a file that includes this header, and any vow_assert,
 *     wherever it stands: in the body, another task, a callback. The body is
 *     left at once, and its deferred clean-up runs; when it was not in the
 *     body, the loop is left as it is, and with CK_FORK=no its descriptors
 *     (four) stay open. On another thread an assertion ends that thread, with
 *     pthread_exit, and the test; of no test it goes to stderr;
 *   - when nothing can ever happen again and the body still waits: with the
 *     graph of who waits for what;
 *   - when the watchdog barks;
 *   - when it has ended, all that needs no time has been done, and something is
 *     left: futures, tasks, watches; handles; tokens, streams and any memory
 *     that vow gave; what vow_check_at_end found; each with where it was made
 *     (of memory addr2line must be installed to tell; which function of vow's
 *     was called is known on x86-64, elsewhere one that it called may be
 *     told). While something is under way on a network in memory the clock
 *     moves until that has arrived: what ends by itself meanwhile is not left.
 *     Threads that are about to end, as those of a pool that was freed, have
 *     two seconds, by the clock of the wall, to free what is theirs;
 *   - when a failure went unseen;
 *   - when the process was forked while other threads ran: pools that were
 *     used in main() or an unchecked fixture do not exist in a forked test.
 *  All this is about the test's own loop; of another that the test makes, see
 *  vow_check_watch_loop. A thread that will vow_post, or write to a socket, is
 *  not known to the loop: the clock does not wait for it, and the test may fail
 *  for want of anything that could happen. It must hold a promise
 *  (vow_promise_remote), or the test use .real_time and a raw handle.
 *  Works with CK_FORK=yes and no. (Not under the thread sanitizer, which has
 *  threads of its own: the last is not looked at.)
 *  Ownership: options, which may be NULL, and name and site are borrowed.
 *  Errors: through libcheck.
 *  Thread: that of libcheck; no task may run. */
VOW_EXPORT void vow_check_run(const char *site, const char *name,
                              const vow_check_options_t *options,
                              vow_check_body_cb body, int i);

/** vow_check_set_watchdog(ms)
 *  The watchdog of tests that set none: a little below what
 *  tcase_set_timeout says. The default is three quarters of libcheck's, by
 *  CK_DEFAULT_TIMEOUT and CK_TIMEOUT_MULTIPLIER, by which ms is multiplied, too;
 *  0 restores it.
 *  Ownership: none.  Errors: none.  Thread: that of libcheck. */
VOW_EXPORT void vow_check_set_watchdog(uint64_t ms);

/** vow_check_watch_loop(options)
 *  Has what goes unseen or is left on a loop of the test's own, made with these
 *  options, fail the test, as on its first. Such a loop must be closed in the
 *  test, on its thread.
 *  Ownership: fills in on_unhandled, on_stuck and on_leak.
 *  Errors: fails the test when none runs.
 *  Thread: the loop's. */
#define vow_check_watch_loop(options) \
  vow_check_watch_loop_at(VOW_SITE, (options))
VOW_EXPORT void vow_check_watch_loop_at(const char *site,
                                        vow_loop_options_t *options);

/** vow_check_allow_threads(allow)
 *  Whether tests may be forked while other threads run, because none of them is
 *  needed there.
 *  Ownership: none.  Errors: none.  Thread: that of libcheck. */
VOW_EXPORT void vow_check_allow_threads(bool allow);

/** vow_check_failed(file, line, expr, msg, ...)
 *  What libcheck's assertions call in files that include this header: fails the
 *  test that runs, from wherever it is called. Outside of vow_check_run it is
 *  libcheck's own.
 *  Ownership: the arguments are only read.
 *  Errors: does not return.
 *  Thread: that of libcheck. */
VOW_EXPORT void vow_check_failed(const char *file, int line, const char *expr,
                                 const char *msg, ...) __attribute__((noreturn))
VOW_PRINTF(4, 5);
#define _ck_assert_failed vow_check_failed

/** vow_check_at_end(fn, arg)
 *  Has fn(arg) called when the body has ended, however it did, last registered
 *  first, before the test looks for what is left: for what a test's helpers
 *  have made. fn must not await.
 *  Ownership: arg is borrowed until then.
 *  Errors: fails the test when none runs.
 *  Thread: the loop's. */
#define vow_check_at_end(fn, arg) vow_check_at_end_at(VOW_SITE, (fn), (arg))
VOW_EXPORT void vow_check_at_end_at(const char *site, void (*fn)(void *arg),
                                    void *arg);

/** vow_check_complain(site, fmt, ...)
 *  Fails the test, when its body has ended at the latest, and goes on: for
 *  hooks that cannot be left, such as vow_check_at_end's.
 *  Ownership: the arguments are only read.
 *  Errors: without a test that runs, the text goes to stderr.
 *  Thread: the loop's. */
VOW_EXPORT void vow_check_complain(const char *site, const char *fmt, ...)
    VOW_PRINTF(2, 3);

/* ---- chance ---------------------------------------------------------------- */

/** VOW_TEST_SEEDS(name, n) { ... }
 *  Defines a test, for tcase_add_test, whose body is run n times, each with
 *  another seed, on a loop of its own, what is ready shuffled. For bodies that
 *  use vow_check_random, VOW_CHECK_RANDOM, or several tasks. The first run that
 *  fails ends it; with the VOW_SEED that its report tells it alone is run. When
 *  the process dies, libcheck tells that with the line of the test; unless
 *  CK_FORK=no, where all dies. */
#define VOW_TEST_SEEDS(name, n)                                         \
  static void name##_vow_body(vow_loop_t *loop, int _i);                \
  START_TEST(name) {                                                    \
    vow_check_run_seeds(VOW_SITE, #name, NULL, name##_vow_body, _i, n); \
  }                                                                     \
  END_TEST                                                              \
  static void name##_vow_body(vow_loop_t *loop __attribute__((unused)), \
                              int _i __attribute__((unused)))

/** vow_check_run_seeds(site, name, options, body, i, n)
 *  What VOW_TEST_SEEDS calls: vow_check_run n times; once when VOW_SEED is in
 *  the environment, and not empty. The watchdog watches all runs together.
 *  Ownership, Thread: as vow_check_run.
 *  Errors: as vow_check_run; fails the test when n is 0. */
VOW_EXPORT void vow_check_run_seeds(const char *site, const char *name,
                                    const vow_check_options_t *options,
                                    vow_check_body_cb body, int i, size_t n);

/** vow_check_seed()
 *  The seed of everything random in this test: VOW_SEED of the environment, or
 *  one of the run's own. When a test that has used it fails, its report says
 *  which it was. A VOW_SEED that is no number fails every test.
 *  Ownership: none.  Errors: none.  Thread: the loop's. */
VOW_EXPORT uint64_t vow_check_seed(void);

/** vow_check_random(bound)
 *  The next number of the test's sequence, from 0 to bound - 1. Each test has
 *  the same sequence, whichever ran before it.
 *  Ownership: none.  Errors: 0 when bound is 0.  Thread: the loop's. */
VOW_EXPORT uint64_t vow_check_random(uint64_t bound);

/* ---- time ----------------------------------------------------------------- */

/** vow_check_now_ms()
 *  The time since the test began, on its loop's clock.
 *  Ownership: none.  Errors: 0 when none runs.  Thread: the loop's. */
VOW_EXPORT uint64_t vow_check_now_ms(void);

/** vow_check_hold_clock(hold)
 *  Whether the clock moves by vow_check_advance only. A body that then waits
 *  for a timer fails the test, for nothing can happen any more.
 *  Ownership: none.  Errors: fails a test in real time.
 *  Thread: the loop's. */
#define vow_check_hold_clock(hold) vow_check_hold_clock_at(VOW_SITE, (hold))
VOW_EXPORT void vow_check_hold_clock_at(const char *site, bool hold);

/** vow_check_advance(ms)
 *  Moves the clock ms forward, held or not: fires the timers on the way in
 *  order, and lets all happen that comes of each; at the end does
 *  vow_check_settle. In real time it waits. When several tasks advance it at a
 *  time, it goes until the last of them is done, and is held again only then.
 *  Ownership: none.
 *  Errors: fails the test when it is called outside of a task, or ms leads to
 *    the clock's end (VOW_MS_MAX), as a negative number does.
 *  Thread: the loop's, in a task. */
#define vow_check_advance(ms) vow_check_advance_at(VOW_SITE, (ms))
VOW_EXPORT void vow_check_advance_at(const char *site, uint64_t ms);

/** vow_check_settle()
 *  Lets everything happen that is ready and needs no time: continuations, other
 *  tasks, what libuv has at hand. The virtual clock stands. What feeds itself
 *  for ever is left after 1,000 turns.
 *  Ownership, Errors, Thread: as vow_check_advance. */
#define vow_check_settle() vow_check_settle_at(VOW_SITE)
VOW_EXPORT void vow_check_settle_at(const char *site);

VOW_END_DECLS
#endif
