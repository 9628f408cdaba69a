/* SPDX-License-Identifier: MIT */
/* Views: an iterator over an object that has a next already. Which objects is
 * up to the layers above. */
#include "base/errno.h"
#include <vow/iter_class.h>

typedef struct view {
  vow_iter_t it;
  vow_waiter_t waiter; /* source's next; while closing: its end */
  void *source;        /* NULL once it was given up */
  const vow_iter_view_t *kind;
} view_t;

static vow_value_t item_of(view_t *v, vow_future_t *f) {
  const char *site = vow_site(vow_op_future(v));
  int end_code = v->kind->end_code;
  vow_value_t item = vow_op_consume(site, f);
  if (end_code == 0 || vow_value_code(item) != end_code) return item;
  vow_value_destroy(item);
  return vow_fail(UV_EOF);
}

static void view_next(vow_iter_t *it) {
  view_t *v = (view_t *)(void *)it;
  const char *site = vow_site(vow_op_future(v));
  vow_future_t *f = v->kind->next(site, v->source);
  if (vow_op_check(f, vow_op_loop(v)) != 0) {
    vow_op_discard(f);
    vow_iter_give(
        it, vow_failf_at(site, UV_EINVAL, "vow_iter_view: next returned %s",
                         f == NULL ? "NULL" : "a future of another loop"));
  } else if (vow_is_settled(f)) {
    vow_iter_give(it, item_of(v, f));
  } else {
    vow_waiter_start(&v->waiter, v, f);
  }
}

/* One that has settled is on its way. */
static bool view_unasked(vow_iter_t *it) {
  view_t *v = (view_t *)(void *)it;
  if (vow_is_settled(vow_waiter_future(&v->waiter))) return false;
  vow_waiter_release(&v->waiter);
  return true;
}

/* f: the end of source, of which only a failure is of interest; or NULL. */
static void finish(view_t *v, vow_future_t *f) {
  vow_value_t outcome = vow_nil();
  if (vow_state(f) == VOW_FAILED)
    outcome = vow_op_consume(vow_site(vow_op_future(v)), f);
  else
    vow_drop(f);
  vow_iter_closed(&v->it, outcome);
}

static void give_up(view_t *v) {
  void *source = v->source;
  vow_future_t *f;
  v->source = NULL;
  f = v->kind->close(source);
  if (f != NULL && vow_op_check(f, vow_op_loop(v)) == 0) {
    vow_waiter_start(&v->waiter, v, f);
  } else {
    vow_op_discard(f);
    finish(v, NULL);
  }
}

static void view_ready(vow_iter_t *it, vow_waiter_t *w) {
  view_t *v = (view_t *)(void *)it;
  vow_future_t *f = vow_waiter_take(w);
  if (!vow_iter_is_closing(it))
    vow_iter_give(it, item_of(v, f));
  else if (v->source == NULL)
    finish(v, f);
  else { /* its last next has unwound */
    vow_drop(f);
    give_up(v);
  }
}

static void view_close(vow_iter_t *it) {
  view_t *v = (view_t *)(void *)it;
  (void)vow_status(vow_waiter_future(&v->waiter)); /* counts as seen */
  if (!vow_waiter_cancel(&v->waiter)) give_up(v);
}

static void view_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  const view_t *v = op;
  if (vow_waiter_future(&v->waiter) != NULL)
    visit(vow_waiter_future(&v->waiter), arg);
}

static const vow_iter_class_t view_class = {
    .op = VOW_ITER_OP("iter_view", view_t, NULL, view_sources),
    .next = view_next,
    .unasked = view_unasked,
    .ready = view_ready,
    .close = view_close,
};

static vow_iter_t *refuse(void *source, const vow_iter_view_t *kind,
                          vow_future_t *why) {
  if (source != NULL && kind != NULL && kind->close != NULL)
    vow_detach(kind->close(source));
  return vow_iter_failed(why);
}

vow_iter_t *vow_iter_view_at(const char *site, vow_loop_t *loop, void *source,
                             const vow_iter_view_t *view) {
  const char *wrong = NULL;
  view_t *v;
  if (loop == NULL) wrong = "the loop is NULL";
  if (view == NULL || view->next == NULL || view->close == NULL)
    wrong = "a hook is NULL";
  if (source == NULL) wrong = "the source is NULL";
  if (wrong != NULL)
    return refuse(
        source, view,
        vow_misuse_at(site, loop, UV_EINVAL, "vow_iter_view: %s", wrong));
  v = vow_iter_new_at(site, loop, &view_class);
  if (v == NULL)
    return refuse(source, view, vow_op_failed(site, loop, "vow_iter_view"));
  v->source = source;
  v->kind = view;
  vow_op_set_label(v, view->name);
  return &v->it;
}
