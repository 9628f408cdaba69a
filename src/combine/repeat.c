/* SPDX-License-Identifier: MIT */
/* repeat and repeat_times: one operation, one waiter, however many steps. */
#include "combine/runner.h"

#include "base/errno.h"
#include <vow/repeat.h>

typedef struct repeat {
  vow__runner_t run;
  vow_step_cb step;
  uint64_t next;  /* the iteration to come */
  uint64_t times; /* of repeat_times */
  bool counted;   /* repeat_times */
} repeat_t;

static const vow_type_t again_type = {"again", NULL, NULL, NULL};

vow_value_t vow_again(void) {
  return vow_ptr(NULL, &again_type);
}

static const char *name_of(const repeat_t *p) {
  return p->counted ? "vow_repeat_times" : "vow_repeat";
}

static void next_step(repeat_t *p) {
  vow__runner_t *r = &p->run;
  vow_future_t *f;
  if (r->cancelled) {
    vow__runner_finish(r, vow_fail(UV_ECANCELED));
    return;
  }
  r->calling = true;
  f = p->step(vow_op_loop(p), p->next++, r->arg);
  r->calling = false;
  vow__runner_adopt(r, f, name_of(p));
}

static void repeat_ready(void *op, vow_waiter_t *w) {
  repeat_t *p = op;
  vow_value_t v = vow_nil();
  bool paused, more;
  vow_future_t *f = vow__runner_take(&p->run, &paused);
  (void)w;
  if (f == NULL) return;
  if (paused)
    more = true;
  else if (vow_state(f) != VOW_SUCCEEDED)
    more = false;
  else
    more = p->counted ? p->next < p->times : vow_peek(f).type == &again_type;
  if (!more && (!p->counted || vow_state(f) != VOW_SUCCEEDED))
    v = vow_outcome(f);
  vow_drop(f);
  if (more)
    next_step(p);
  else
    vow__runner_finish(&p->run, v);
}

static const vow_op_class_t repeat_class = {
    .name = "repeat",
    .size_bytes = sizeof(repeat_t),
    .cancel = vow__runner_cancel,
    .ready = repeat_ready,
    .sources = vow__runner_sources,
};

vow_future_t *vow_repeat_at(const char *site, vow_loop_t *loop,
                            vow_step_cb step, void *arg, vow_drop_cb arg_drop) {
  vow_future_t *failed;
  repeat_t *p;
  if (step == NULL)
    return vow__runner_refuse(site, loop, "vow_repeat", "the step is NULL", arg,
                              arg_drop);
  p = vow__runner_new(site, loop, &repeat_class, "vow_repeat", arg, arg_drop,
                      &failed);
  if (p == NULL) return failed;
  p->step = step;
  return vow_op_future(p);
}

vow_future_t *vow_repeat_times_at(const char *site, vow_loop_t *loop,
                                  uint64_t n, vow_step_cb step, void *arg,
                                  vow_drop_cb arg_drop) {
  vow_future_t *failed;
  repeat_t *p;
  if (step == NULL)
    return vow__runner_refuse(site, loop, "vow_repeat_times",
                              "the step is NULL", arg, arg_drop);
  if (n == 0) {
    if (arg_drop != NULL) arg_drop(arg);
    return vow_ready_at(site, loop, vow_nil());
  }
  p = vow__runner_new(site, loop, &repeat_class, "vow_repeat_times", arg,
                      arg_drop, &failed);
  if (p == NULL) return failed;
  p->step = step;
  p->counted = true;
  p->times = n;
  return vow_op_future(p);
}
