/* SPDX-License-Identifier: MIT */
/* Groups: members that begin and end together. What a member has come to is
 * judged here, by policy; starting one and waiting for its word is in
 * started.c.
 *
 * How this works: a group is an operation, its handle the one reference to it,
 * which vow_group_join hands out as a future. Each member has a waiter on its
 * future. The group settles when it was joined, or given up, and the last
 * waiter is gone. */
#include "base/check.h"
#include "base/errno.h"
#include "base/list.h"
#include "task/group.h"

#include <vow/list.h>

#include <string.h>

#define NO_INDEX SIZE_MAX

typedef struct member {
  vow_waiter_t waiter;
  vow__link_t link;
  size_t index; /* of its result */
} member_t;

struct vow_group {
  vow_op_t op;
  vow_group_policy_t policy;
  int reason;     /* not 0: members are to end, and no more are taken */
  bool joined;    /* may settle */
  bool cancelled; /* the join itself is */
  bool first_taken;
  bool starved; /* a member could not be added for want of memory */
  vow__link_t members;
  size_t live;
  vow_value_t *results; /* ALL and SETTLED, by index */
  size_t length, capacity;
  vow_value_t first;     /* FIRST: the success */
  vow_value_t *failures; /* in order of arrival */
  size_t failed, failed_capacity;
};

/* ---- the end --------------------------------------------------------------- */

static void destroy_all(vow_value_t *values, size_t n) {
  for (size_t i = 0; i < n; i++) vow_value_destroy(values[i]);
}

static void group_destroy(void *op) {
  vow_group_t *g = op;
  destroy_all(g->results, g->length);
  destroy_all(g->failures, g->failed);
  vow_value_destroy(g->first);
  vow_release(g->results);
  vow_release(g->failures);
}

static vow_value_t results_list(vow_group_t *g) {
  vow_list_t *l = vow_list_new(g->length);
  if (l == NULL) return vow_fail(UV_ENOMEM);
  for (size_t i = 0; i < g->length; i++) vow_list_set(l, i, g->results[i]);
  g->length = 0;
  return vow_ptr(l, &vow_type_list);
}

static vow_value_t all_failures(vow_group_t *g) {
  const char *site = vow_site(vow_op_future(g));
  size_t n = g->failed;
  g->failed = 0;
  return n == 1 ? g->failures[0] : vow_fail_multi_at(site, n, g->failures, 0);
}

static vow_value_t outcome(vow_group_t *g) {
  vow_value_t v;
  if (g->cancelled) {
    v = vow_cancelled(g->reason);
    return g->failed > 0 ? vow_fail_because(v, all_failures(g)) : v;
  }
  if (g->starved && g->policy != VOW_GROUP_BACKGROUND && !g->first_taken) {
    v = vow_failf_at(vow_site(vow_op_future(g)), UV_ENOMEM,
                     "no memory for a member of the group");
    return g->failed > 0 ? vow_fail_because(v, all_failures(g)) : v;
  }
  switch (g->policy) {
  case VOW_GROUP_FIRST:
    v = g->first;
    g->first = vow_nil();
    if (g->first_taken) return v;
    return g->failed > 0 ? all_failures(g) : vow_cancelled(g->reason);
  case VOW_GROUP_ALL:
    return g->failed > 0 ? all_failures(g) : results_list(g);
  case VOW_GROUP_SETTLED:
    return results_list(g);
  default:
    return vow_nil();
  }
}

static void finish(vow_group_t *g) {
  if (g->live == 0 && (g->joined || g->cancelled) && vow_op_is_pending(g))
    vow_op_settle(g, outcome(g));
}

/* ---- members end ----------------------------------------------------------- */

static void stop(vow_group_t *g, int reason) {
  vow__link_t *at, *next;
  if (g->reason != 0) return;
  g->reason = reason;
  vow_op_pin(g);
  /* A cancel may settle members but removes none: that is ready's. */
  for (at = g->members.next; at != &g->members; at = next) {
    vow_future_t *f =
        vow_waiter_future(&vow__container_of(at, member_t, link)->waiter);
    next = at->next;
    (void)vow_op_cancel(f, reason);
  }
  vow_op_unpin(g);
}

/* Room was made when the member was added. */
static void add_failure(vow_group_t *g, vow_value_t v) {
  g->failures[g->failed++] = v;
}

static void judge(vow_group_t *g, size_t index, vow_value_t v) {
  bool failed = vow_value_is_failure(v);
  bool cancelled = failed && vow_value_is_cancelled(v);
  switch (g->policy) {
  case VOW_GROUP_SETTLED:
    g->results[index] = v;
    return;
  case VOW_GROUP_BACKGROUND:
    if (failed && !cancelled)
      vow_drop(vow_ready(vow_op_loop(g), v)); /* unseen: reported */
    else
      vow_value_destroy(v);
    return;
  default:
    break;
  }
  if (failed && !cancelled) {
    add_failure(g, v);
    if (g->policy == VOW_GROUP_ALL) stop(g, UV_ECANCELED);
  } else if (cancelled || g->first_taken) {
    vow_value_destroy(v);
  } else if (g->policy == VOW_GROUP_ALL) {
    g->results[index] = v;
  } else {
    g->first = v;
    g->first_taken = true;
    stop(g, UV_ECANCELED);
  }
}

static void group_ready(void *op, vow_waiter_t *w) {
  vow_group_t *g = op;
  member_t *m = vow__container_of(w, member_t, waiter);
  size_t index = m->index;
  vow_value_t v =
      vow_op_consume(vow_site(vow_op_future(g)), vow_waiter_take(w));
  vow__list_remove(&m->link);
  vow_release(m);
  vow_op_pin(g);
  judge(g, index, v);
  g->live--;
  finish(g);
  vow_op_unpin(g);
}

static void group_cancel(void *op) {
  vow_group_t *g = op;
  g->cancelled = true;
  vow_op_pin(g);
  stop(g, UV_ECANCELED);
  finish(g);
  vow_op_unpin(g);
}

static void group_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                          void *arg) {
  vow_group_t *g = op;
  VOW__LIST_EACH (at, &g->members) {
    visit(vow_waiter_future(&vow__container_of(at, member_t, link)->waiter),
          arg);
  }
}

static const vow_op_class_t group_class = {.name = "group",
                                           .size_bytes = sizeof(vow_group_t),
                                           .cancel = group_cancel,
                                           .destroy = group_destroy,
                                           .ready = group_ready,
                                           .sources = group_sources};

/* ---- members come ---------------------------------------------------------- */

vow_group_t *vow_group_new_at(const char *site, vow_loop_t *loop,
                              vow_group_policy_t policy) {
  vow_group_t *g;
  if ((unsigned)policy > VOW_GROUP_BACKGROUND) {
    vow_drop(vow_misuse_at(site, loop, UV_EINVAL,
                           "vow_group_new: no such policy: %d", (int)policy));
    return NULL;
  }
  g = vow_op_new_at(site, loop, &group_class);
  if (g == NULL) {
    vow_drop(vow_op_failed(site, loop, "vow_group_new"));
    return NULL;
  }
  g->policy = policy;
  vow__list_init(&g->members);
  return g;
}

static int reserve(vow_value_t **values, size_t *capacity, size_t n) {
  size_t grown = *capacity * 2 > 8 ? *capacity * 2 : 8;
  vow_value_t *more;
  if (n <= *capacity) return 0;
  more = vow_alloc(grown * sizeof(*more));
  if (more == NULL) return UV_ENOMEM;
  if (*capacity > 0) memcpy(more, *values, *capacity * sizeof(*more));
  vow_release(*values);
  *values = more;
  *capacity = grown;
  return 0;
}

/* Room for whatever one more member may come to. */
static int make_room(vow_group_t *g, size_t *ret_index) {
  bool keeps = g->policy == VOW_GROUP_ALL || g->policy == VOW_GROUP_SETTLED;
  bool may_fail = g->policy == VOW_GROUP_ALL || g->policy == VOW_GROUP_FIRST;
  *ret_index = NO_INDEX;
  if (may_fail &&
      reserve(&g->failures, &g->failed_capacity, g->failed + g->live + 1) != 0)
    return UV_ENOMEM;
  if (!keeps) return 0;
  if (reserve(&g->results, &g->capacity, g->length + 1) != 0) return UV_ENOMEM;
  *ret_index = g->length;
  g->results[g->length++] = vow_nil();
  return 0;
}

int vow__group_check(const vow_group_t *g) {
  int err;
  if (g == NULL) return UV_EINVAL;
  err = vow_op_refusal(vow_op_loop(g), "vow_group");
  if (err != 0) return err;
  return g->reason == 0 && vow_op_is_pending(g) ? 0 : VOW_ESHUTDOWN;
}

/* Nobody shall take what is left for the whole. */
static void starve(vow_group_t *g) {
  g->starved = true;
  if (g->policy == VOW_GROUP_ALL) stop(g, UV_ECANCELED);
}

int vow_group_add(vow_group_t *g, vow_future_t *f) {
  member_t *m = NULL;
  int err = vow__group_check(g);
  if (err == 0) err = vow_op_check(f, vow_op_loop(g));
  if (err == 0 && vow_op_would_cycle(g, f)) err = VOW_ECYCLE;
  if (err == 0) {
    m = vow_alloc(sizeof(*m));
    if (m == NULL || make_room(g, &m->index) != 0) err = UV_ENOMEM;
  }
  if (err != 0) {
    vow_release(m);
    if (err == UV_ENOMEM) starve(g); /* discarding may end g */
    vow_op_discard(f);
    return err;
  }
  memset(&m->waiter, 0, sizeof(m->waiter));
  vow__list_append(&g->members, &m->link);
  g->live++;
  vow_waiter_start(&m->waiter, g, f);
  return 0;
}

int vow_group_go_at(const char *site, vow_group_t *g,
                    const vow_task_options_t *options, vow_task_cb body,
                    void *arg, vow_drop_cb arg_drop) {
  int err = vow__group_check(g);
  if (err == 0 && body == NULL) err = UV_EINVAL;
  if (err != 0) {
    if (arg_drop != NULL) arg_drop(arg);
    return err;
  }
  vow_op_pin(g); /* arg_drop may give g up */
  err = vow_group_add(
      g, vow_go_at(site, vow_op_loop(g), options, body, arg, arg_drop));
  vow_op_unpin(g);
  return err;
}

/* ---- the handle ------------------------------------------------------------ */

int vow_group_cancel(vow_group_t *g, int reason) {
  int err;
  if (g == NULL) return UV_EINVAL;
  err = vow_op_refusal(vow_op_loop(g), "vow_group_cancel");
  if (err == VOW_ETHREAD) return err;
  stop(g, reason < 0 ? reason : UV_ECANCELED);
  return 0;
}

size_t vow_group_live(const vow_group_t *g) {
  return g != NULL ? g->live : 0;
}

vow_future_t *vow_group_join(vow_group_t *g) {
  if (g == NULL)
    return vow_misuse_at(VOW_SITE, NULL, UV_EINVAL,
                         "vow_group_join: the group is NULL");
  g->joined = true;
  if (g->policy == VOW_GROUP_FIRST && g->live == 0 && !g->first_taken &&
      g->failed == 0 && vow_op_is_pending(g))
    vow_op_settle(g, vow_failf_at(vow_site(vow_op_future(g)), UV_EINVAL,
                                  "vow_group_join: nobody was in the group"));
  finish(g);
  return vow_op_future(g);
}

void vow_group_free(vow_group_t *g) {
  if (g != NULL) vow_drop(vow_op_future(g));
}

/* ---- in a scope ------------------------------------------------------------ */

/* Runs as deferred clean-up. The handle's reference is ours, unless it was
 * handed out by vow_group_join. */
static vow_value_t close_scope(void *arg) {
  vow_group_t *g = arg;
  vow_future_t *f = vow_op_future(g);
  vow_value_t v = vow_nil();
  if (g->joined) (void)vow_ref(f);
  g->joined = true;
  stop(g, UV_ECANCELED);
  finish(g);
  if (vow_op_is_pending(g))
    v = vow_await(f);
  else
    vow_drop(f);
  vow_op_unpin(g);
  if (vow_value_is_failure(v) && !vow_value_is_cancelled(v)) return v;
  vow_value_destroy(v);
  return vow_nil();
}

vow_group_t *vow_group_open_at(const char *site, vow_group_policy_t policy) {
  vow_group_t *g = vow_group_new_at(site, vow_task_loop(), policy);
  if (g == NULL) return NULL;
  vow_op_pin(g);
  return vow_defer(close_scope, g) == 0 ? g : NULL; /* else it has run */
}
