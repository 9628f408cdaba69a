/* SPDX-License-Identifier: MIT */
/* Faults by plan: allocations and calls of libuv that fail, cancellation at every
 * step; and the driver that tries all of them. */
#ifndef VOW_CHECK_FAULT_H
#define VOW_CHECK_FAULT_H

#include <vow/check_test.h>

VOW_BEGIN_DECLS

/* ---- by hand --------------------------------------------------------------- */

/** vow_check_fail_alloc(nth), vow_check_fail_alloc_from(nth)
 *  In a VOW_TEST: the nth allocation of vow's from now, 1 being the next, fails;
 *  that one and all after it. 0: none. There is one such plan at a time: it
 *  takes the place of the one before. What the kit itself needs does not count.
 *  With .probe_cells among the test's options every future counts; otherwise
 *  only some do.
 *  A plan that has not come to pass when the body ends fails the test, unless
 *  the test has asked vow_check_alloc_failures. Failures that nobody sees, and
 *  scripts that are not played, fail it as ever.
 *  Ownership: none.
 *  Errors: nothing fails when the test keeps its allocator.
 *  Thread: the loop's. */
VOW_EXPORT void vow_check_fail_alloc(size_t nth);
VOW_EXPORT void vow_check_fail_alloc_from(size_t nth);

/** vow_check_alloc_failures()
 *  How many allocations have failed since the last of these.
 *  Ownership: none.  Errors: none.  Thread: the loop's. */
VOW_EXPORT size_t vow_check_alloc_failures(void);

/** vow_check_fail_call(name, nth, code), vow_check_fail_call_from(name, nth, code)
 *  vow_check_report_call(name, nth, code)
 *  In a VOW_TEST: the nth call from now, 1 being the next, of libuv's function
 *  called name, "uv_tcp_connect" for instance, fails at once with code; that one
 *  and all after it; takes place, but its callback is told code. For what
 *  libuv tells again and again ("uv_read_start", "uv_listen") it is the nth
 *  callback that is told code. NULL for the name: any function.
 *  They reach the calls of the program and of a static libvow, when the program
 *  is linked with the flags that `pkg-config --variable=wrap vow-check` gives,
 *  which name all the functions that are reached.
 *  For each name there is one plan of the first two, and one of the third. 0
 *  for nth takes it back. One that has not come to pass when the body ends
 *  fails the test, unless that has asked vow_check_call_failures.
 *  Ownership: name is only read.
 *  Errors: fails the test when vow's own calls do not come through the shim,
 *    for want of those flags or of a static libvow; when name is not reached;
 *    when code is no error (of vow_check_report_call it may be 0).
 *  Thread: the loop's. */
#define vow_check_fail_call(name, nth, code) \
  vow_check_fail_call_at(VOW_SITE, (name), (nth), (code))
#define vow_check_fail_call_from(name, nth, code) \
  vow_check_fail_call_from_at(VOW_SITE, (name), (nth), (code))
#define vow_check_report_call(name, nth, code) \
  vow_check_report_call_at(VOW_SITE, (name), (nth), (code))
VOW_EXPORT void vow_check_fail_call_at(const char *site, const char *name,
                                       size_t nth, int code);
VOW_EXPORT void vow_check_fail_call_from_at(const char *site, const char *name,
                                            size_t nth, int code);
VOW_EXPORT void vow_check_report_call_at(const char *site, const char *name,
                                         size_t nth, int code);

/** vow_check_short_reads(max_bytes), vow_check_short_writes(max_bytes)
 *  From now on libuv's reads of streams and files give at most so many bytes at
 *  a time; what is tried to write to streams, and files take, likewise. 0: no
 *  limit.
 *  Ownership: none.
 *  Errors, Thread: as vow_check_fail_call. */
#define vow_check_short_reads(max_bytes) \
  vow_check_short_reads_at(VOW_SITE, (max_bytes))
#define vow_check_short_writes(max_bytes) \
  vow_check_short_writes_at(VOW_SITE, (max_bytes))
VOW_EXPORT void vow_check_short_reads_at(const char *site, size_t max_bytes);
VOW_EXPORT void vow_check_short_writes_at(const char *site, size_t max_bytes);

/** vow_check_call_failures()
 *  How many of those faults have taken place in this test.
 *  Ownership: none.  Errors: none.  Thread: the loop's. */
VOW_EXPORT size_t vow_check_call_failures(void);

/* ---- all of them ----------------------------------------------------------- */

/** What is tortured: runs it through, and gives its outcome. It is a task's
 *  body; i is that of tcase_add_loop_test. */
typedef vow_value_t (*vow_check_scenario_cb)(vow_loop_t *loop, int i);

/** VOW_TORTURE(name) { ... return vow_nil(); }
 *  VOW_TORTURE_WITH(name, .watchdog_ms = 10000, ...) { ... }
 *  Defines a test, for tcase_add_test, whose body is run by vow_check_torture.
 *  It has `loop` and `_i`; whatever it awaits may fail, so VOW_TRY is the way,
 *  and vow_defer to clean up. What must hold with any fault may be asserted. */
#define VOW_TORTURE(name) VOW__TORTURE(name, NULL)
#define VOW_TORTURE_WITH(name, ...)                                    \
  static const vow_check_options_t name##_vow_options = {__VA_ARGS__}; \
  VOW__TORTURE(name, &name##_vow_options)

#define VOW__TORTURE(name, options)                                            \
  static vow_value_t name##_vow_body(vow_loop_t *loop, int _i);                \
  START_TEST(name) {                                                           \
    vow_check_torture(VOW_SITE, #name, (options), name##_vow_body, _i);        \
  }                                                                            \
  END_TEST                                                                     \
  static vow_value_t name##_vow_body(vow_loop_t *loop __attribute__((unused)), \
                                     int _i __attribute__((unused)))

/** vow_check_torture(site, name, options, scenario, i)
 *  Runs the scenario again and again, each time on a loop of its own and with
 *  all that vow_check_run looks for:
 *   - undisturbed: it must succeed;
 *   - with the nth allocation failing, for n from 1 until none is left to fail;
 *   - with the nth and all after it failing, likewise;
 *   - with the nth call of libuv failing with UV_EIO, likewise, where
 *     vow_check_fail_call reaches them;
 *   - cancelled when so many steps have been made (continuations, parts of tasks
 *     between two awaits, turns of the loop), from 1 on until it ends before.
 *  One in so many of each, with .torture_stride. With VOW_TORTURE in the
 *  environment only that run is made: alloc:3, allocs:3 (3 and all after it),
 *  call:3, step:3 or undisturbed. The watchdog watches all runs together.
 *  A run that was disturbed may fail or succeed, but it must end and leave
 *  nothing; failures that nobody saw and scripts of peers that were not played
 *  to their end are no fault then. What fails is told with the n that it took,
 *  and with what it was that failed: the function that asked for memory (see
 *  vow_check_run), or the call of libuv. When the process dies, libcheck tells
 *  the n with the line of the test; unless CK_FORK=no, where all dies.
 *  Ownership, Thread: as vow_check_run.
 *  Errors: as vow_check_run; fails the test when VOW_TORTURE is not one of
 *    those, or what it plans does not come to pass. */
VOW_EXPORT void vow_check_torture(const char *site, const char *name,
                                  const vow_check_options_t *options,
                                  vow_check_scenario_cb scenario, int i);

VOW_END_DECLS
#endif
