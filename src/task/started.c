/* SPDX-License-Identifier: MIT */
/* Starting a task in a group and waiting for its word that it has started. The
 * promise of that word goes with the task, as a task-local value. */
#include "base/errno.h"
#include "task/group.h"

typedef struct start {
  vow_promise_t *promise; /* NULL: the word was given */
  vow_future_t *task;     /* to be cancelled with the promise; borrowed */
  vow_task_cb body;
  void *arg;
  vow_drop_cb arg_drop;
} start_t;

static const vow_local_t start_key = {"start", false};
static const vow_type_t start_type = {"start", NULL, NULL, NULL};

static void give_word(start_t *s, vow_value_t v) {
  vow_promise_t *p = s->promise;
  s->promise = NULL;
  vow_promise_finish(p, v);
}

/* The task has ended, or will never begin. */
static void start_free(void *arg) {
  start_t *s = arg;
  if (s->promise != NULL) give_word(s, vow_cancelled(0));
  if (s->arg_drop != NULL) s->arg_drop(s->arg);
  vow_release(s);
}

static vow_value_t run(void *arg) {
  start_t *s = arg;
  vow_value_t v;
  int err = vow_local_set(&start_key, vow_ptr(s, &start_type));
  if (err != 0) return vow_fail(err);
  if (!vow_promise_is_wanted(s->promise)) return vow_cancelled(0);
  v = s->body(s->arg);
  if (vow_value_followed(v) != NULL) v = vow_await(vow_value_followed(v));
  if (s->promise == NULL) return v;
  if (vow_value_is_failure(v)) {
    give_word(s, v); /* the starter's, not the group's */
    return vow_cancelled(0);
  }
  give_word(s, vow_failf_at(vow_site(vow_task_current()), VOW_EBROKEN,
                            "the task ended without vow_task_started"));
  return v;
}

/* Nobody waits for the word any more. */
static void unwanted(vow_promise_t *p, void *arg) {
  start_t *s = arg;
  (void)p;
  vow_cancel(s->task);
}

int vow_task_started(vow_value_t v) {
  vow_value_t local = vow_local_get(&start_key);
  start_t *s = local.type == &start_type ? local.as.p : NULL;
  vow_promise_t *p;
  if (s == NULL || s->promise == NULL) {
    vow_value_destroy(v);
    return s == NULL ? UV_EINVAL : VOW_ESETTLED;
  }
  if (!vow_promise_is_wanted(s->promise)) { /* unwanted is on its way */
    give_word(s, vow_cancelled(0));
    vow_cancel(s->task);
    vow_value_destroy(v);
    return UV_ECANCELED;
  }
  p = s->promise;
  s->promise = NULL;
  return vow_promise_finish(p, v);
}

static vow_future_t *refuse(const char *site, vow_group_t *g, int err,
                            void *arg, vow_drop_cb arg_drop) {
  if (arg_drop != NULL) arg_drop(arg);
  return vow_misuse_at(site, g != NULL ? vow_op_loop(g) : NULL, err,
                       "vow_group_start: %s",
                       g == NULL              ? "the group is NULL"
                       : err == VOW_ESHUTDOWN ? "the group takes no more"
                       : err == UV_ENOMEM     ? "out of memory"
                                              : "the body is NULL");
}

vow_future_t *vow_group_start_at(const char *site, vow_group_t *g,
                                 vow_task_cb body, void *arg,
                                 vow_drop_cb arg_drop) {
  vow_loop_t *loop;
  vow_future_t *word, *task;
  start_t *s;
  int err = vow__group_check(g);
  if (err == 0 && body == NULL) err = UV_EINVAL;
  s = err == 0 ? vow_alloc(sizeof(*s)) : NULL;
  if (err == 0 && s == NULL) err = UV_ENOMEM;
  if (err != 0) return refuse(site, g, err, arg, arg_drop);
  loop = vow_op_loop(g);
  *s = (start_t){.body = body, .arg = arg, .arg_drop = arg_drop};
  word = vow_promise_new_at(site, loop, &s->promise);
  if (s->promise == NULL) {
    start_free(s);
    return word;
  }
  task = vow_go_at(site, loop, NULL, run, s, start_free);
  if (vow_task_name(task) == NULL) { /* a failure: s is gone */
    vow_drop(word);
    return task;
  }
  s->task = task;
  vow_promise_on_cancel(s->promise, unwanted, s);
  err = vow_group_add(g, task);
  if (err != 0) { /* and so the task was dropped, and s is gone */
    vow_drop(word);
    return vow_misuse_at(site, loop, err, "vow_group_start: out of memory");
  }
  return word;
}
