/* SPDX-License-Identifier: MIT */
/* Generators: an iterator whose items a task emits.
 *
 * How this works: the first next starts the task. vow_emit gives its value to
 * the iterator, and awaits a promise that the following next keeps. The
 * iterator waits for the task itself, whose end is the end of the items, or of
 * the closing. */
#include "task/task.h"

#include <vow/iter_class.h>
#include <vow/task_iter.h>

typedef struct generator {
  vow_iter_t iter;
  vow_waiter_t task; /* idle: not begun, or ended */
  vow_promise_t
      *asked;       /* kept by the next next, while the task waits in emit */
  vow_task_cb body; /* NULL: the task was started */
  void *arg;
  vow_drop_cb arg_drop;
  vow_value_t failure; /* of a task that ended while nobody asked */
} generator_t;

static const vow_local_t key = {"generator", false};
static const vow_type_t key_type = {"generator", NULL, NULL, NULL};

/* What the task gets; it owns arg. */
typedef struct run {
  generator_t *generator;
  vow_task_cb body;
  void *arg;
  vow_drop_cb arg_drop;
} run_t;

static void run_free(void *arg) {
  run_t *r = arg;
  if (r->arg_drop != NULL) r->arg_drop(r->arg);
  vow_release(r);
}

static vow_value_t run(void *arg) {
  run_t *r = arg;
  int err = vow_local_set(&key, vow_ptr(r->generator, &key_type));
  return err == 0 ? r->body(r->arg) : vow_fail(err);
}

static void release_arg(generator_t *g) {
  vow_drop_cb drop = g->arg_drop;
  g->arg_drop = NULL;
  g->body = NULL;
  if (drop != NULL) drop(g->arg);
}

/* Nothing is lost for want of memory: the task begins with a later next. */
static void begin(generator_t *g) {
  run_t *r = vow_alloc(sizeof(*r));
  vow_future_t *f;
  if (r == NULL) {
    vow_iter_give(&g->iter, vow_fail(UV_ENOMEM));
    return;
  }
  *r = (run_t){g, g->body, g->arg, g->arg_drop};
  g->body = NULL;
  g->arg_drop = NULL;
  f = vow_go_at(vow_site(vow_op_future(g)), vow_op_loop(g), NULL, run, r,
                run_free);
  vow_waiter_start(&g->task, g, f);
}

static void next(vow_iter_t *it) {
  generator_t *g = (generator_t *)(void *)it;
  if (g->body != NULL) {
    begin(g);
  } else if (g->asked != NULL) {
    vow_promise_t *p = g->asked;
    g->asked = NULL;
    vow_promise_finish(p, vow_nil());
  } else if (vow_waiter_future(&g->task) == NULL) {
    vow_value_t v = g->failure;
    g->failure = vow_nil();
    if (!vow_value_is_failure(v)) v = vow_fail(UV_EOF); /* behind the failure */
    vow_iter_give(it, v);
  }
}

/* The task has ended. */
static void ready(vow_iter_t *it, vow_waiter_t *w) {
  generator_t *g = (generator_t *)(void *)it;
  vow_value_t v =
      vow_op_consume(vow_site(vow_op_future(g)), vow_waiter_take(w));
  bool failed = vow_value_is_failure(v);
  if (vow_iter_is_closing(it)) {
    if (failed && !vow_value_is_cancelled(v)) {
      vow_iter_closed(it, v);
    } else {
      vow_value_destroy(v);
      vow_iter_closed(it, vow_nil());
    }
  } else if (failed && !vow_iter_is_asked(it)) {
    g->failure = v; /* for the next to come */
  } else {
    if (!failed) {
      vow_value_destroy(v);
      v = vow_fail(UV_EOF);
    }
    vow_iter_give(it, v);
  }
}

static void close_it(vow_iter_t *it) {
  generator_t *g = (generator_t *)(void *)it;
  vow_future_t *task = vow_waiter_future(&g->task);
  vow_promise_t *asked = g->asked;
  release_arg(g);
  if (task == NULL) {
    vow_iter_closed(it, vow_nil());
    return;
  }
  vow_cancel(task);
  g->asked = NULL; /* in a shield the task would wait for it for ever */
  (void)vow_promise_finish(asked, vow_cancelled(0));
}

static void destroy(void *op) {
  generator_t *g = op;
  release_arg(g);
  vow_value_destroy(g->failure);
  vow_waiter_release(&g->task);
}

static void sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                    void *arg) {
  generator_t *g = op;
  vow_future_t *task = vow_waiter_future(&g->task);
  if (task != NULL) visit(task, arg);
}

static const vow_iter_class_t generator_class = {
    .op = VOW_ITER_OP("generator", generator_t, destroy, sources),
    .next = next,
    .ready = ready,
    .close = close_it};

static vow_iter_t *refuse(vow_future_t *failure, void *arg,
                          vow_drop_cb arg_drop) {
  if (arg_drop != NULL) arg_drop(arg);
  return vow_iter_failed(failure);
}

vow_iter_t *vow_generator_at(const char *site, vow_loop_t *loop,
                             vow_task_cb body, void *arg,
                             vow_drop_cb arg_drop) {
  generator_t *g;
  if (body == NULL)
    return refuse(
        vow_misuse_at(site, loop, UV_EINVAL, "vow_generator: the body is NULL"),
        arg, arg_drop);
  g = vow_iter_new_at(site, loop, &generator_class);
  if (g == NULL)
    return refuse(vow_op_failed(site, loop, "vow_generator"), arg, arg_drop);
  g->body = body;
  g->arg = arg;
  g->arg_drop = arg_drop;
  return &g->iter;
}

/* 0, or why nothing can be emitted. A body that does not look at it and emits
 * for ever lets others run. */
static int refusal(const generator_t *g) {
  int felt;
  if (g == NULL) return UV_EINVAL;
  felt = vow__task_felt(vow__task_self);
  if (felt == 0 && vow_iter_is_closing(&g->iter)) felt = UV_ECANCELED;
  if (felt != 0)
    (void)vow_yield();
  else if (!vow_iter_is_asked(&g->iter))
    return UV_EINVAL;
  return felt;
}

int vow_emit_at(const char *site, vow_value_t v) {
  vow_value_t local = vow_local_get(&key);
  generator_t *g = local.type == &key_type ? local.as.p : NULL;
  vow_future_t *asked;
  int felt = refusal(g);
  if (felt != 0) {
    vow_value_destroy(v);
    return felt;
  }
  /* First the promise: without memory for it the item is not given. */
  asked = vow_promise_new_at(site, vow_op_loop(g), &g->asked);
  if (g->asked == NULL) {
    vow_value_destroy(v);
    return vow_await_status_at(site, asked);
  }
  vow_iter_give(&g->iter, v);
  felt = vow_await_status_at(site, asked);
  if (felt != 0) {
    vow_promise_drop(g->asked);
    g->asked = NULL;
  }
  return felt;
}
