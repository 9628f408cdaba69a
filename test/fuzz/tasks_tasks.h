/* SPDX-License-Identifier: MIT */
/* Instructions of fuzz_tasks.c: tasks, scopes, clean-up, groups. */
#ifndef VOW_TEST_FUZZ_TASKS_TASKS_H
#define VOW_TEST_FUZZ_TASKS_TASKS_H

#include "fuzz/tasks_world.h"

#define DEPTH_MAX 2

static void execute(frame_t *fr);

/* ---- frames ---------------------------------------------------------------
 */

static frame_t frame_of(const arg_t *a) {
  frame_t fr = {0};
  fr.in.data = m.in.data;
  fr.in.size = m.in.size;
  fr.in.at = a->at < m.in.size ? a->at : m.in.size;
  fr.budget = a->budget;
  fr.depth = a->depth;
  fr.group = a->group;
  fr.in_generator = a->in_generator;
  fr.in_task = true;
  return fr;
}

/* Of an instruction: not far from it, and for a few. */
static arg_t *arg_of(const frame_t *fr, unsigned arg, vow_group_t *group) {
  size_t at = (fr->in.at & ~(size_t)1) + (arg % 8) * 4;
  if (at >= m.in.size) at = m.in.size > 0 ? (at % m.in.size) & ~(size_t)1 : 0;
  return arg_new(at, 2 + (arg >> 3) % 8, group);
}

static vow_value_t outcome_of(const frame_t *fr, unsigned byte) {
  vow_future_t *f;
  switch (byte % 8) {
  case 0:
    return vow_fail(UV_EIO);
  case 1:
    return vow_cancelled(UV_ECANCELED);
  case 2:
    f = fr->in_generator ? NULL : take_slot(byte >> 3);
    return f != NULL ? vow_follow(f) : vow_nil();
  case 3:
    return item_new(&item_type);
  case 4:
    return item_new(&shared_type);
  case 5:
    return vow_fail_status(vow_task_reason());
  default:
    return vow_int(byte);
  }
}

static vow_value_t run_frame(frame_t *fr) {
  execute(fr);
  frame_release(fr);
  return outcome_of(fr, fuzz_byte(&fr->in));
}

static vow_value_t task_body(void *p) {
  frame_t fr = frame_of(p);
  vow_value_t v;
  m.tasks++;
  REQUIRE(vow_task_current() != NULL && vow_task_loop() == m.loop);
  v = run_frame(&fr);
  m.tasks--;
  return v;
}

static vow_value_t starter_body(void *p) {
  frame_t fr = frame_of(p);
  vow_value_t v;
  m.tasks++;
  fr.in_starter = true;
  v = run_frame(&fr);
  m.tasks--;
  return v;
}

static vow_value_t generator_body(void *p) {
  frame_t fr = frame_of(p);
  vow_value_t v;
  m.tasks++;
  fr.in_generator = true;
  v = run_frame(&fr);
  m.tasks--;
  return v;
}

/* p: a frame in the same task. */
static vow_value_t scope_body(void *p) {
  return run_frame(p);
}

static vow_value_t cleanup_body(void *p) {
  frame_t fr = frame_of(p);
  fr.in_cleanup = true;
  arg_drop(p);
  return run_frame(&fr);
}

/* ---- tasks ----------------------------------------------------------------
 */

static bool may_start(void) {
  return !m.ending && m.tasks_started++ < TASKS_MAX;
}

static void start_task(frame_t *fr, unsigned op, unsigned arg) {
  vow_task_options_t options = {0};
  if (!may_start()) return;
  options.name = "fuzz";
  options.grace_ms = op % 4;
  use(fr, (arg & 7) | (op & 0xc0),
      vow_go_with(m.loop, op & 1 ? &options : NULL, task_body,
                  arg_of(fr, arg, NULL), arg_drop));
}

static void run_scope(frame_t *fr, unsigned op, unsigned arg) {
  arg_t *a;
  frame_t inner;
  vow_value_t v;
  if (!fr->in_task || fr->depth == DEPTH_MAX) return;
  a = arg_of(fr, arg, fr->group);
  inner = frame_of(a);
  inner.depth = fr->depth + 1;
  inner.in_generator = fr->in_generator;
  inner.in_cleanup = fr->in_cleanup;
  arg_drop(a);
  v = op & 1 ? vow_scope(scope_body, &inner) : vow_shielded(scope_body, &inner);
  vow_value_destroy(v);
}

static void defer(frame_t *fr, unsigned op, unsigned arg) {
  arg_t *a;
  vow_value_t v;
  if (op & 1) {
    v = vow_defer_value(item_new(&item_type));
    if (vow_value_is_failure(v)) vow_value_destroy(v);
    return;
  }
  if (fr->depth == DEPTH_MAX) return;
  a = arg_of(fr, arg, NULL);
  a->depth = fr->depth + 1;
  a->in_generator = fr->in_generator;
  if (vow_defer(cleanup_body, a) == UV_EINVAL) {
    REQUIRE(!fr->in_task);
    arg_drop(a);
    return;
  }
  if ((op & 2) != 0 && vow_undefer(cleanup_body, a)) arg_drop(a);
}

static const vow_local_t handed_down = {"handed down", true};
static const vow_local_t own = {"own", false};

static void do_local(frame_t *fr, unsigned arg) {
  const vow_local_t *key = arg & 1 ? &handed_down : &own;
  vow_value_t v = item_new(arg & 2 ? &shared_type : &item_type);
  int err = vow_local_set(key, v);
  REQUIRE(fr->in_task || err == UV_EINVAL);
  if (err == 0) REQUIRE(vow_local_get(key).as.p == v.as.p);
}

static void do_start(frame_t *fr, unsigned arg) {
  vow_value_t v = item_new(&item_type);
  int err;
  if (arg & 1) {
    if (fr->in_generator && vow_emit(v) != 0) fr->budget = 0;
    if (!fr->in_generator) vow_value_destroy(v);
    return;
  }
  err = vow_task_started(v);
  REQUIRE(fr->in_starter || fr->in_task || err == UV_EINVAL);
}

static void do_task(frame_t *fr, unsigned op, unsigned arg) {
  vow_future_t *f = m.future[arg % FUTURES];
  switch (op % 8) {
  case 0:
  case 1:
    if (!fr->in_generator) start_task(fr, op >> 3, arg);
    break;
  case 2:
    if (fr->in_task) (void)vow_yield();
    break;
  case 3:
    run_scope(fr, op >> 3, arg);
    break;
  case 4:
    defer(fr, op >> 3, arg);
    break;
  case 5:
    do_local(fr, arg);
    break;
  case 6:
    do_start(fr, arg);
    break;
  default:
    if ((op >> 3) & 1) {
      f = vow_task_current();
      if (f != NULL && !fr->in_generator) use(fr, arg, vow_ref(f));
    } else if (f != NULL) {
      (void)vow_task_cancel(f, arg & 32 ? UV_ETIMEDOUT : UV_EPIPE);
    }
    break;
  }
}

/* ---- groups ---------------------------------------------------------------
 */

static vow_group_t *group_for(frame_t *fr, unsigned arg) {
  size_t i = arg % FEW;
  if (arg & 32 && fr->group != NULL) return fr->group;
  if (arg & 16 && fr->opened != NULL) return fr->opened;
  if (m.group[i] == NULL && !m.ending)
    m.group[i] = vow_group_new(m.loop, (vow_group_policy_t)((arg >> 3) % 4));
  return m.group[i];
}

/* A scope of its own closes it before the frame goes. */
static void open_group(frame_t *fr, unsigned arg) {
  if (!fr->in_task || fr->depth == 0 || fr->opened != NULL) return;
  fr->opened = vow_group_open((vow_group_policy_t)(arg % 4));
}

static void end_group(frame_t *fr, unsigned op, unsigned arg) {
  size_t i = arg % FEW;
  vow_group_t *g = m.group[i];
  if (g == NULL) return;
  m.group[i] = NULL;
  if (op & 1)
    vow_group_free(g);
  else
    use(fr, arg, vow_group_join(g));
}

/* A task that waited for the word that it has started would wait for ever,
 * by whatever detour; so none does. */
static void do_word(frame_t *fr, unsigned arg, vow_group_t *g) {
  vow_future_t **word = &m.word[(arg >> 3) % FEW], *former = *word;
  if (former != NULL && (arg & 1) != 0) {
    vow_cancel(former);
    return;
  }
  *word = NULL;
  vow_drop(former);
  if ((arg & 2) != 0 || !may_start()) return;
  former = *word;
  *word = vow_group_start(g, starter_body, arg_of(fr, arg, g), arg_drop);
  vow_drop(former);
}

static void do_group(frame_t *fr, unsigned op, unsigned arg) {
  vow_group_t *g = group_for(fr, arg);
  vow_future_t *f;
  switch (op % 8) {
  case 0:
  case 1:
    if (may_start())
      (void)vow_group_go(g, task_body, arg_of(fr, arg, g), arg_drop);
    break;
  case 2:
    f = take_slot(arg >> 3);
    if (f != NULL) (void)vow_group_add(g, f);
    break;
  case 3:
    do_word(fr, arg, g);
    break;
  case 4:
    (void)vow_group_cancel(g, arg & 64 ? UV_ETIMEDOUT : 0);
    break;
  case 5:
    open_group(fr, arg);
    break;
  case 6:
    if (fr->opened != NULL && arg >> 6 == 0) {
      g = fr->opened; /* once */
      fr->opened = NULL;
      use(fr, arg | 64, vow_group_join(g));
      break;
    }
    end_group(fr, 0, arg);
    break;
  default:
    end_group(fr, op >> 3, arg);
    break;
  }
}

#endif
