/* SPDX-License-Identifier: MIT */
/* Futures: making settled ones, counting references, reading. How they settle
 * is in settle.c, how they are chained in chain.c. */
#include "core/error.h"
#include "core/settle.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- failures without memory or loop
 * ----------------------------------------- */

#define STATIC_FAILURE(code)                        \
  {                                                 \
    .node = {.refs = 1,                             \
             .kind = VOW__FOLLOW,                   \
             .state = VOW__FAILED,                  \
             .flags = VOW__F_STATIC | VOW__F_SEEN}, \
    .site = "(no memory)", .u.value = {             \
      .as = {.i = (uint32_t)(code)},                \
      .type = &vow__type_code                       \
    }                                               \
  }

static vow_future_t static_failures[] = {
    STATIC_FAILURE(UV_ENOMEM), STATIC_FAILURE(UV_EINVAL),
    STATIC_FAILURE(VOW_ETHREAD), STATIC_FAILURE(VOW_ESHUTDOWN)};

vow_future_t *vow__static_failure(int code) {
  for (size_t i = 1; i < 4; i++)
    if (vow_value_code(static_failures[i].u.value) == code)
      return &static_failures[i];
  return &static_failures[0];
}

vow_future_t *vow__enomem(vow_loop_t *loop) {
  return vow_ref(loop->enomem);
}

/* ---- making
 * ------------------------------------------------------------------- */

/* A pending cell without a source, or NULL. */
static vow_future_t *new_pending(const char *site, vow_loop_t *loop,
                                 uint8_t kind) {
  vow_future_t *f = vow__cell_alloc(loop, 0);
  if (f == NULL) return NULL;
  vow__cell_begin(f, kind, 0, site);
  f->u.promise.hook = NULL;
  f->u.promise.arg = NULL;
  return f;
}

vow_future_t *vow_ready_at(const char *site, vow_loop_t *loop, vow_value_t v) {
  vow_future_t *f;
  int err = vow__loop_refusal(loop, "vow_ready");
  if (err != 0) {
    vow__value_destroy(v);
    return vow_misuse_at(site, NULL, err, "%s", vow_last_message());
  }
  f = new_pending(site, loop, VOW__FOLLOW);
  if (f == NULL) {
    vow__value_destroy(v);
    return vow__enomem(loop);
  }
  vow__complete(loop, f, v);
  return f;
}

vow_future_t *vow_never_at(const char *site, vow_loop_t *loop) {
  int err = vow__loop_refusal(loop, "vow_never");
  if (err != 0) return vow_misuse_at(site, NULL, err, "%s", vow_last_message());
  vow_future_t *f = new_pending(site, loop, VOW__PROMISE);
  return f != NULL ? f : vow__enomem(loop);
}

vow_future_t *vow_misuse_at(const char *site, vow_loop_t *loop, int code,
                            const char *fmt, ...) {
  char text[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  vow__record(code, site, "%s", text);
  if (loop == NULL) loop = vow__thread_loop;
  if (loop == NULL || !vow__loop_ok(loop)) return vow__static_failure(code);
  vow_value_t v = vow_failf_at(site, code, "%s", text);
  vow_future_t *f = new_pending(site, loop, VOW__FOLLOW);
  if (f == NULL) {
    vow__value_destroy(v);
    return vow__enomem(loop);
  }
  vow__settle(loop, f, v);
  return f;
}

/* ---- references
 * ----------------------------------------------------------------- */

static void check_thread(const vow_future_t *f) {
  vow__debug_check(f->node.state != VOW__FREE, "use of a freed future",
                   f->site);
  vow__debug_check(vow__slab_of(f)->loop->closed ||
                       vow__slab_of(f)->loop->thread == vow__self(),
                   "future used on another thread than its loop's", f->site);
  (void)f;
}

vow_future_t *vow_ref(vow_future_t *f) {
  if (f == NULL || (f->node.flags & VOW__F_STATIC)) return f;
  check_thread(f);
  vow__assert(f->node.refs < UINT32_MAX);
  f->node.refs++;
  return f;
}

static VOW__NOINLINE void drop_slow(vow_future_t *f) {
  if (f == NULL || (f->node.flags & VOW__F_STATIC)) return;
  check_thread(f);
  vow__debug_check(f->node.refs > 0, "future dropped too often", f->site);
  vow__release(f);
}

void vow_drop(vow_future_t *f) {
#ifndef VOW_DEBUG
  /* Plain, and the last reference: gone, or left to who has it pinned. */
  if (VOW__LIKELY(f != NULL && f->node.refs == 1 &&
                  (f->node.flags & (VOW__F_PLAIN | VOW__F_OP)) ==
                      VOW__F_PLAIN)) {
    if (f->node.pins == 0)
      vow__cell_free(f);
    else
      f->node.refs = 0;
    return;
  }
#endif
  drop_slow(f);
}

void vow_detach(vow_future_t *f) {
  if (f == NULL || (f->node.flags & VOW__F_STATIC)) return;
  check_thread(f);
  if (vow__settled(f) || f->node.refs > 1) {
    vow__release(f);
    return;
  }
  f->node.flags |= VOW__F_DETACHED;
  f->node.refs = 0;
}

static void drop_posted(vow_loop_t *loop, void *arg) {
  (void)loop;
  vow_drop(arg);
}

void vow__drop_anywhere(vow_future_t *f) {
  if (f == NULL || (f->node.flags & VOW__F_STATIC)) return;
  vow_loop_t *loop = vow__loop_of(f);
  if (loop->closed || loop->thread == vow__self())
    vow_drop(f);
  else
    vow_post(loop, drop_posted, f);
}

/* ---- reading
 * ---------------------------------------------------------------------- */

vow_state_t vow_state(const vow_future_t *f) {
  if (f == NULL) return VOW_PENDING;
  switch (f->node.state) {
  case VOW__DONE:
    return VOW_SUCCEEDED;
  case VOW__FAILED:
    return VOW_FAILED;
  case VOW__CANCELLED:
    return VOW_CANCELLED;
  default:
    return VOW_PENDING;
  }
}

bool vow_is_settled(const vow_future_t *f) {
  return f != NULL && vow__settled(f);
}

bool vow_is_cancelled(const vow_future_t *f) {
  return f != NULL && f->node.state == VOW__CANCELLED;
}

static void see(vow_future_t *f) {
  if (!(f->node.flags & VOW__F_STATIC)) f->node.flags |= VOW__F_SEEN;
}

int vow_status(vow_future_t *f) {
  if (f == NULL) return UV_EINVAL;
  if (!vow__settled(f)) return UV_EAGAIN;
  if (f->node.state == VOW__DONE) return 0;
  see(f);
  return vow_value_code(f->u.value);
}

const vow_error_t *vow_error(vow_future_t *f) {
  if (f == NULL || f->node.state < VOW__FAILED) return NULL;
  see(f);
  if (f->node.flags & VOW__F_STATIC) return NULL;
  f->u.value = vow__error_object(f->u.value, f->site);
  f->node.flags &= (uint8_t)~VOW__F_PLAIN; /* a cancellation was */
  return vow_value_error(f->u.value);
}

vow_value_t vow__take_outcome(vow_future_t *f, const char *site) {
  vow_value_t v = f->u.value;
  if (VOW__LIKELY(v.type == NULL || v.type == &vow_type_int)) return v;
  see(f);
  if (f->node.refs == 1 && !(f->node.flags & VOW__F_STATIC)) {
    if (v.type == &vow__type_moved) return vow_fail(VOW_EMOVED);
    if (v.type == &vow__type_error) {
      /* f still tells what it was, to vow_loop_each. */
      f->u.value = f->node.state == VOW__CANCELLED
                       ? vow_cancelled(vow_value_code(v))
                       : vow_fail(vow_value_code(v));
    } else if (v.type != &vow__type_code) {
      f->u.value.as.p = NULL;
      f->u.value.type = &vow__type_moved;
    }
  } else {
    int err = vow_value_share(f->u.value, &v);
    if (err != 0)
      return vow_failf_at(f->site, err,
                          "the value of the future made at %s "
                          "cannot be shared",
                          f->site);
  }
  return vow__is_failure(v) && site != NULL
             ? vow__error_passed(v, f->site, site)
             : v;
}

vow_value_t vow_outcome(vow_future_t *f) {
  if (f == NULL)
    return vow_failf_at(VOW_SITE, UV_EINVAL, "vow_outcome: the future is NULL");
  if (!vow__settled(f)) return vow_fail(UV_EAGAIN);
  if (f->u.value.type == &vow__type_moved) return vow_fail(VOW_EMOVED);
  /* A failure is always shared, so that f goes on telling what it was. */
  if (vow__is_failure(f->u.value)) {
    vow_value_t v = vow_nil();
    see(f);
    vow_value_share(f->u.value, &v);
    return v;
  }
  return vow__take_outcome(f, NULL);
}

static VOW__NOINLINE vow_value_t consume_slow(const char *site,
                                              vow_future_t *f) {
  vow_value_t v;
  if (f == NULL || !vow__settled(f))
    v = vow_outcome(f);
  else if (f->u.value.type == &vow__type_moved)
    v = vow_fail(VOW_EMOVED);
  else
    v = vow__take_outcome(f, site);
  vow_drop(f);
  return v;
}

/* Nothing but the cell is left when its value has been taken. */
static inline bool is_bare(const vow_future_t *f) {
  if (!(f->node.flags & VOW__F_OP)) return true;
  return ((const vow_op_t *)(const void *)f)->cls->destroy == NULL;
}

vow_value_t vow_op_consume(const char *site, vow_future_t *f) {
  const uint32_t mask = VOW__WORD(0, 0xff, VOW__F_STATIC, 0xff);
  if (VOW__LIKELY(f != NULL && f->node.refs == 1 &&
                  (f->node.word & mask) == VOW__WORD(0, VOW__DONE, 0, 0) &&
                  is_bare(f) && f->u.value.type != &vow__type_moved)) {
    vow_value_t v = f->u.value;
    vow__cell_free(f);
    return v;
  }
  return consume_slow(site, f);
}

vow_value_t vow_peek(vow_future_t *f) {
  if (f == NULL || !vow__settled(f)) return vow_nil();
  if (f->node.state >= VOW__FAILED) see(f);
  return f->u.value;
}

static const char *type_name(const vow_type_t *type) {
  return type != NULL ? type->name : "nil";
}

/* Why fn cannot read f as wanted; recorded. */
static VOW__NOINLINE void refuse(const char *fn, vow_future_t *f,
                                 const char *wanted) {
  const char *site = f != NULL ? f->site : "(null)";
  char text[128];
  if (f == NULL)
    vow__record(UV_EINVAL, site, "%s: the future is NULL", fn);
  else if (!vow__settled(f))
    vow__record(UV_EAGAIN, site, "%s: the future made at %s is pending", fn,
                site);
  else if (f->node.state != VOW__DONE)
    vow__record(vow_value_code(f->u.value), site,
                "%s: the future made at %s has failed: %s", fn, site,
                vow_value_describe(f->u.value, text, sizeof(text)));
  else if (f->u.value.type == &vow__type_moved)
    vow__record(VOW_EMOVED, site,
                "%s: the value of the future made at %s was moved out", fn,
                site);
  else
    vow__record(VOW_ETYPE, site,
                "%s: the value of the future made at %s is of type '%s', "
                "asked for '%s'",
                fn, site, type_name(f->u.value.type), wanted);
}

static inline bool readable(const char *fn, vow_future_t *f,
                            const vow_type_t *type) {
  if (f != NULL && f->node.state == VOW__DONE && f->u.value.type == type)
    return true;
  refuse(fn, f, type_name(type));
  return false;
}

void *vow_get(vow_future_t *f, const vow_type_t *type) {
  return readable("vow_get", f, type) ? f->u.value.as.p : NULL;
}

int64_t vow_get_int(vow_future_t *f) {
  return readable("vow_get_int", f, &vow_type_int) ? f->u.value.as.i : 0;
}

double vow_get_double(vow_future_t *f) {
  return readable("vow_get_double", f, &vow_type_double) ? f->u.value.as.d : 0;
}

const char *vow_get_string(vow_future_t *f) {
  if (f != NULL && f->node.state == VOW__DONE &&
      f->u.value.type == &vow_type_cstr)
    return f->u.value.as.cp;
  return readable("vow_get_string", f, &vow_type_string) ? f->u.value.as.p
                                                         : NULL;
}

int vow_take_value(vow_future_t *f, vow_value_t *ret_value) {
  vow_value_t v;
  if (f == NULL || ret_value == NULL) return UV_EINVAL;
  if (!vow__settled(f)) return UV_EAGAIN;
  if (f->node.state != VOW__DONE) return vow_status(f);
  if (f->u.value.type == &vow__type_moved) return VOW_EMOVED;
  if (f->node.refs > 1) return vow_value_share(f->u.value, ret_value);
  v = vow__take_outcome(f, NULL);
  *ret_value = v;
  return 0;
}

void *vow_take(vow_future_t *f, const vow_type_t *type) {
  vow_value_t v;
  int err;
  if (!readable("vow_take", f, type)) return NULL;
  err = vow_take_value(f, &v);
  if (err == 0) return v.as.p;
  vow__record(err, f->site, "vow_take: the '%s' of the future made at %s %s",
              type_name(type), f->site,
              err == VOW_EMOVED ? "cannot be shared, and others are interested"
                                : "could not be shared for want of memory");
  return NULL;
}

vow_loop_t *vow_loop_of(const vow_future_t *f) {
  if (f == NULL || (f->node.flags & VOW__F_STATIC)) return NULL;
  return vow__loop_of(f);
}

const char *vow_site(const vow_future_t *f) {
  return f != NULL ? f->site : "(null)";
}

const char *vow__what(const vow_future_t *f) {
  static const char *const names[] = {
      "then",  "catch",   "handle", "finally", "follow", "finally's clean-up",
      "token", "promise", "sleep",  "op",      "waiter", "watch"};
  if (f->node.flags & VOW__F_OP) {
    if (vow_op_is_pending(f) && f->u.op.label != NULL) return f->u.op.label;
    return ((const vow_op_t *)(const void *)f)->cls->name;
  }
  return names[f->node.kind];
}
