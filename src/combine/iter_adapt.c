/* SPDX-License-Identifier: MIT */
/* Adaptors: asking, waiting, closing. */
#include "combine/iter_adapt.h"

#include "base/errno.h"

static vow__adapt_t *of(vow_iter_t *it) {
  return (vow__adapt_t *)(void *)it;
}

static const vow__adapt_kind_t *kind_of(const vow__adapt_t *a) {
  return (const vow__adapt_kind_t *)(const void *)a->it.op.cls;
}

/* ---- items --------------------------------------------------------------- */

/* source's next has settled as f did, which is consumed. */
static void took(vow__adapt_t *a, vow_future_t *f) {
  const vow__adapt_kind_t *kind = kind_of(a);
  a->phase = VOW__ADAPT_BUSY;
  if (vow_state(f) == VOW_SUCCEEDED)
    kind->item(a, f);
  else if (kind->failed != NULL)
    kind->failed(a, f);
  else
    vow_iter_give(&a->it, vow_op_consume(vow__adapt_site(a), f));
}

static void ask(vow__adapt_t *a, bool through_queue) {
  vow_future_t *f;
  if (vow_iter_is_closing(&a->it)) return;
  f = vow_iter_next_at(vow__adapt_site(a), a->source);
  a->phase = VOW__ADAPT_ASKING;
  if (!through_queue && vow_is_settled(f))
    took(a, f);
  else
    vow_waiter_start(&a->waiter, a, f);
}

void vow__adapt_next(vow_iter_t *it) {
  vow__adapt_t *a = of(it);
  const vow__adapt_kind_t *kind = kind_of(a);
  if (a->source == NULL)
    vow_iter_give(it, vow_fail(UV_EOF));
  else if (kind->begin == NULL || !kind->begin(a))
    ask(a, kind->calls);
}

void vow__adapt_ask_again(vow__adapt_t *a) {
  ask(a, true);
}

void vow__adapt_work(vow__adapt_t *a, vow_future_t *f) {
  vow_waiter_start(&a->waiter, a, f);
}

void vow__adapt_end(vow__adapt_t *a) {
  if (vow_iter_is_closing(&a->it)) return;
  a->phase = VOW__ADAPT_ENDING;
  vow_waiter_start(&a->waiter, a, vow_iter_close(a->source));
}

bool vow__adapt_unasked(vow_iter_t *it) {
  vow__adapt_t *a = of(it);
  if (a->phase != VOW__ADAPT_ASKING ||
      vow_is_settled(vow_waiter_future(&a->waiter)))
    return false;
  a->phase = VOW__ADAPT_IDLE;
  vow_waiter_release(&a->waiter);
  return true;
}

/* ---- closing ------------------------------------------------------------- */

static void free_source(vow__adapt_t *a) {
  vow_iter_t *source = a->source;
  a->source = NULL;
  vow_iter_free(source);
}

static void finish(vow__adapt_t *a, vow_value_t outcome) {
  vow_drop_cb arg_drop = a->arg_drop;
  a->arg_drop = NULL;
  free_source(a);
  if (arg_drop != NULL) arg_drop(a->arg);
  vow_iter_closed(&a->it, outcome);
}

static void close_source(vow__adapt_t *a) {
  vow_future_t *held = a->held;
  a->held = NULL;
  a->phase = VOW__ADAPT_CLOSING;
  vow_drop(held);
  if (a->source == NULL)
    finish(a, vow_nil());
  else
    vow_waiter_start(&a->waiter, a, vow_iter_close(a->source));
}

void vow__adapt_close(vow_iter_t *it) {
  vow__adapt_t *a = of(it);
  if (a->phase == VOW__ADAPT_ENDING) {
    a->phase = VOW__ADAPT_CLOSING;
    return;
  }
  if (a->phase == VOW__ADAPT_BUSY && vow__call_cancel(&a->waiter)) {
    a->phase = VOW__ADAPT_UNWINDING;
    return;
  }
  vow__call_forget(&a->waiter);
  close_source(a);
}

/* source has closed before its time. */
static void ended(vow__adapt_t *a, vow_future_t *f) {
  vow_value_t failure = vow__call_failure(a, f);
  a->phase = VOW__ADAPT_BUSY;
  free_source(a);
  vow_iter_give(&a->it, vow_value_is_failure(failure)
                            ? vow__call_item(a, kind_of(a)->fn, failure)
                            : vow_fail(UV_EOF));
}

void vow__adapt_ready(vow_iter_t *it, vow_waiter_t *w) {
  vow__adapt_t *a = of(it);
  vow_future_t *f = vow_waiter_take(w);
  switch (a->phase) {
  case VOW__ADAPT_ASKING:
    took(a, f);
    break;
  case VOW__ADAPT_BUSY:
    kind_of(a)->worked(a, f);
    break;
  case VOW__ADAPT_ENDING:
    ended(a, f);
    break;
  case VOW__ADAPT_UNWINDING:
    vow_drop(f);
    close_source(a);
    break;
  default:
    finish(a, vow__call_failure(a, f));
  }
}

void vow__adapt_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                        void *arg) {
  const vow__adapt_t *a = op;
  if (vow_waiter_future(&a->waiter) != NULL)
    visit(vow_waiter_future(&a->waiter), arg);
}

/* ---- making -------------------------------------------------------------- */

void *vow__adapt_new(const char *site, vow_iter_t *source,
                     const vow__adapt_kind_t *kind, const char *wrong,
                     void *arg, vow_drop_cb arg_drop, vow_iter_t **ret_other) {
  vow_loop_t *loop = vow_iter_loop(source);
  vow__adapt_t *a = NULL;
  vow_future_t *why = NULL;
  if (source == NULL) wrong = "the iterator is NULL";
  if (vow_iter_failure(source) != NULL) {
    *ret_other = source;
  } else {
    if (wrong != NULL)
      why = vow_misuse_at(site, loop, UV_EINVAL, "%s: %s", kind->fn, wrong);
    else if ((a = vow_iter_new_at(site, loop, &kind->cls)) == NULL)
      why = vow_op_failed(site, loop, kind->fn);
    if (why != NULL) {
      vow_iter_free(source);
      *ret_other = vow_iter_failed(why);
    }
  }
  if (a == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return NULL;
  }
  a->source = source;
  a->arg = arg;
  a->arg_drop = arg_drop;
  return a;
}
