/* SPDX-License-Identifier: MIT */
/* Walking an iterator in a task, and closing it on every way out. */
#include "task/task.h"

#include <vow/task_iter.h>

vow_step_t vow_step_begin(vow_iter_t *it, vow_value_t *ret_failure) {
  vow_step_t step = {{{0}, NULL}, it, ret_failure};
  *ret_failure = vow_nil();
  return step;
}

vow_value_t vow_step_take(vow_step_t *step) {
  vow_value_t v = step->item;
  step->item = vow_nil();
  return v;
}

bool vow_step_next_at(const char *site, vow_step_t *step) {
  vow_value_t v;
  vow_value_destroy(vow_step_take(step));
  if (step->vow__it == NULL) return false;
  v = vow_await_at(site, vow_iter_next_at(site, step->vow__it));
  if (!vow_value_is_failure(v)) {
    step->item = v;
    return true;
  }
  if (vow_value_code(v) == UV_EOF)
    vow_value_destroy(v);
  else
    *step->vow__failure = v;
  return false;
}

void vow_step_end(vow_step_t *step) {
  vow_iter_t *it = step->vow__it;
  vow__task_t *t = vow__task_self;
  vow_value_t closed;
  vow_value_destroy(vow_step_take(step));
  if (it == NULL) return;
  step->vow__it = NULL;
  if (t == NULL) { /* nowhere to wait: misuse, said by the first next */
    vow_iter_free(it);
    return;
  }
  t->shields++;
  closed = vow_await(vow_iter_close(it));
  t->shields--;
  vow_iter_free(it);
  if (!vow_value_is_failure(closed))
    vow_value_destroy(closed);
  else if (vow_value_is_failure(*step->vow__failure))
    *step->vow__failure = vow_fail_because(closed, *step->vow__failure);
  else
    *step->vow__failure = closed;
}
