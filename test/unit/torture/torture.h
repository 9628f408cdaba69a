/* SPDX-License-Identifier: MIT */
/* Scenes: small programs that use a part of vow, each run once for every
 * allocation that can fail, every call of libuv that can, and every step at
 * which it can be cancelled. Whatever happens, nothing may be lost: values are
 * destroyed exactly once, and as many descriptors are open afterwards as
 * before; the kit looks for futures, handles and memory. */
#ifndef VOW_TEST_TORTURE_H
#define VOW_TEST_TORTURE_H

#include <vow.h>
#include <vow/check.h>

#include "support/test.h"

/** SCENE(name) { ... return vow_nil(); }
 *  A test, to be added with ADD; the body is a task's, on `loop`. What it calls
 *  may fail at any place, so it leaves with the macros below, and cleans up
 *  with LATER. */
#define SCENE(name) TORTURE__SCENE(name, false)
/** The same by the clock of the wall: a child that runs would hold another. */
#define SCENE_IN_REAL_TIME(name) TORTURE__SCENE(name, true)

#define TORTURE__SCENE(name, real_time)                                     \
  static vow_value_t name##_scene(vow_loop_t *loop, int unused);            \
  TEST(name) {                                                              \
    torture_run(VOW_SITE, #name, name##_scene, real_time);                  \
  }                                                                         \
  static vow_value_t name##_scene(vow_loop_t *loop __attribute__((unused)), \
                                  int unused __attribute__((unused)))

void torture_run(const char *site, const char *name,
                 vow_check_scenario_cb scene, bool real_time);

/** True until a fault has happened: then outcomes are as they should be. */
bool calm(void);
/** What must hold as long as nothing was disturbed. */
#define CALMLY(condition)                               \
  do {                                                  \
    bool holds = (condition);                           \
    if (calm()) ck_assert_msg(holds, "%s", #condition); \
  } while (0)

/** Leaves the scene when there is no p, for want of memory. */
#define NEED(p) \
  if ((p) == NULL) return vow_fail(UV_ENOMEM)
/** Has cleanup(p) called, a vow_task_cb, on every way out; the scene's own
 *  variables have gone by then. */
#define LATER(cleanup, p) VOW_TRY_CODE(vow_defer((cleanup), (p)))
/** LATER for a value that f gives. */
#define OWN(name, f)                                  \
  vow_value_t name = vow_defer_value(vow_await((f))); \
  if (vow_value_is_failure(name)) return name

/** ENDER(name, type, release): a clean-up for LATER. */
#define ENDER(name, type, release)   \
  static vow_value_t name(void *p) { \
    release((type *)p);              \
    return vow_nil();                \
  }

/* ---- things --------------------------------------------------------------- */

/** A value that has to be destroyed exactly once; a shared one, as often as it
 *  was shared, too. Making it needs no memory. */
vow_value_t thing(void);
vow_value_t shared_thing(void);
extern const vow_type_t torture_thing, torture_shared_thing;

/** The same as the arg of a callback, and its arg_drop. */
void *thing_arg(void);
void thing_drop(void *arg);

/* ---- callbacks ------------------------------------------------------------ */

/** vow_then_cbs: the outcome as it is; another thing instead; a thing instead
 *  of a failure; a future that needs no time, but is not ready: for clean-up
 *  that a scene may end before. */
vow_value_t pass_on(vow_future_t *in, void *arg);
vow_value_t swap_thing(vow_future_t *in, void *arg);
vow_value_t rescue(vow_future_t *in, void *arg);
vow_value_t pause_a_moment(vow_future_t *in, void *arg);

/** A future that gives a thing in ms. */
vow_future_t *thing_in(vow_loop_t *loop, uint64_t ms);

#endif
