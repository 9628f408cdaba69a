/* SPDX-License-Identifier: MIT */
/* From other threads: posts, remote promises, references.
 *
 * How this works: the mailbox is a stack that any thread pushes on without a
 * lock and the loop empties as a whole; reversed, it is in posting order. A
 * closed mailbox holds the mark CLOSED. Who posts is counted in senders from
 * before it looks until after it woke the loop, and closing waits for them, so
 * that nobody wakes a driver that is gone. */
#include "core/loop.h"

struct vow_remote {
  vow__post_t post; /* so that settling never allocates */
  vow__link_t link; /* in loop->remotes; the loop's thread only */
  vow_loop_t *loop;
  vow_promise_t *promise; /* NULL once the loop closes */
  vow_value_t value;
  atomic_bool wanted;
};

static vow__post_t closed_mark;
#define CLOSED (&closed_mark)

/* False when the mailbox is closed; post is the caller's then. */
static bool push(vow_loop_t *loop, vow__post_t *post) {
  vow__post_t *head;
  bool pushed = false;
  atomic_fetch_add(&loop->senders, 1);
  head = atomic_load(&loop->mailbox);
  while (head != CLOSED && !pushed) {
    post->next = head;
    pushed = atomic_compare_exchange_weak(&loop->mailbox, &head, post);
  }
  if (pushed && head == NULL) loop->driver->wake_remote(loop->driver);
  atomic_fetch_sub(&loop->senders, 1);
  return pushed;
}

/* Wakes the loop for nothing but a look around. */
static void nudge(vow_loop_t *loop) {
  atomic_fetch_add(&loop->senders, 1);
  if (atomic_load(&loop->mailbox) != CLOSED)
    loop->driver->wake_remote(loop->driver);
  atomic_fetch_sub(&loop->senders, 1);
}

static vow__post_t *reversed(vow__post_t *stack) {
  vow__post_t *list = NULL;
  while (stack != NULL && stack != CLOSED) {
    vow__post_t *next = stack->next;
    stack->next = list;
    list = stack;
    stack = next;
  }
  return list;
}

/* post is ours again: call, unless the loop closes, and release. */
static void deliver(vow_loop_t *loop, vow__post_t *post, bool call) {
  vow__post_t copy = *post;
  if (copy.fn == NULL) { /* part of a remote promise */
    copy.arg_drop(post);
    return;
  }
  vow_release(post);
  if (call) copy.fn(loop, copy.arg);
  if (copy.arg_drop != NULL) copy.arg_drop(copy.arg);
}

static void deliver_all(vow_loop_t *loop, vow__post_t *list, bool call) {
  bool outer = loop->draining;
  loop->draining = true; /* posted functions count as callbacks */
  while (list != NULL) {
    vow__post_t *next = list->next;
    deliver(loop, list, call);
    list = next;
  }
  loop->draining = outer;
}

void vow_loop_receive(vow_loop_t *loop) {
  vow__post_t *head = atomic_load(&loop->mailbox);
  if (head == NULL || head == CLOSED) return;
  deliver_all(loop, reversed(atomic_exchange(&loop->mailbox, NULL)), true);
  vow__timers_arm(loop);
}

vow__post_t *vow__mailbox_close(vow_loop_t *loop) {
  vow__post_t *list = reversed(atomic_exchange(&loop->mailbox, CLOSED));
  while (atomic_load(&loop->senders) > 0) {
  }
  return list;
}

void vow__mailbox_drop(vow_loop_t *loop, vow__post_t *list) {
  deliver_all(loop, list, false);
}

void vow__mailbox_reopen(vow_loop_t *loop, vow__post_t *list) {
  atomic_store(&loop->mailbox, NULL);
  deliver_all(loop, list, true);
}

int vow_post_drop(vow_loop_t *loop, vow_post_cb fn, void *arg,
                  vow_drop_cb arg_drop) {
  vow__post_t *post = NULL;
  int err = UV_EINVAL;
  if (loop == NULL || fn == NULL) {
    vow__record(UV_EINVAL, "(post)", "vow_post: the %s is NULL",
                loop == NULL ? "loop" : "function");
    goto fail;
  }
  post = vow_alloc(sizeof(*post));
  err = UV_ENOMEM;
  if (post == NULL) goto fail;
  post->fn = fn;
  post->arg = arg;
  post->arg_drop = arg_drop;
  if (push(loop, post)) return 0;
  vow__record(VOW_ESHUTDOWN, "(post)", "vow_post: the loop is closed");
  err = VOW_ESHUTDOWN;
fail:
  vow_release(post);
  if (arg_drop != NULL) arg_drop(arg);
  return err;
}

/* ---- references
 * --------------------------------------------------------------- */

vow_loop_t *vow_loop_ref(vow_loop_t *loop) {
  if (loop == NULL) return NULL;
  atomic_fetch_add(&loop->foreign, 1);
  atomic_fetch_add(&loop->refs, 1);
  return loop;
}

void vow_loop_unref(vow_loop_t *loop) {
  if (loop == NULL) return;
  /* The last one wakes the loop, which may be waiting for us alone. */
  if (atomic_fetch_sub(&loop->foreign, 1) == 1) nudge(loop);
  vow__loop_release(loop);
}

/* ---- remote promises
 * -------------------------------------------------------------- */

static vow_remote_t *remote_of(vow__post_t *post) {
  return vow__container_of(post, vow_remote_t, post);
}

/* On the loop's thread: r has come back. */
static void remote_arrived(void *arg) {
  vow_remote_t *r = remote_of(arg);
  vow_promise_t *p = r->promise;
  vow_value_t v = r->value;
  vow_loop_t *loop = r->loop;
  vow__list_remove(&r->link);
  if (vow_promise_is_wanted(p))
    ((vow_future_t *)(void *)p)->u.promise.arg = NULL;
  vow_release(r);
  if (p == NULL)
    vow__value_destroy(v); /* cut off by a close that did not go through */
  else if (v.type == &vow__type_moved)
    vow_promise_drop(p);
  else
    vow_promise_finish(p, v);
  vow__loop_release(loop);
}

vow_remote_t *vow_promise_remote(vow_promise_t *p) {
  vow_future_t *f = (vow_future_t *)(void *)p;
  vow_loop_t *loop;
  vow_remote_t *r;
  if (p == NULL) return NULL;
  loop = vow__loop_of(f);
  r = vow__loop_ok(loop) ? vow_alloc(sizeof(*r)) : NULL;
  if (r == NULL) {
    vow_promise_drop(p);
    return NULL;
  }
  r->post.fn = NULL;
  r->post.arg_drop = remote_arrived;
  r->loop = loop;
  r->promise = p;
  r->value = vow_nil();
  atomic_init(&r->wanted, vow_promise_is_wanted(p));
  vow__list_append(&loop->remotes, &r->link);
  atomic_fetch_add(&loop->refs, 1);
  if (f->node.flags & VOW__F_QUEUED) {
    f->node.flags &= (uint8_t)~VOW__F_QUEUED; /* its hook has lost its p */
    vow__unlink(&f->node);
  }
  if (vow_promise_is_wanted(p) && f->node.kind == VOW__PROMISE) {
    f->u.promise.hook = NULL;
    f->u.promise.arg = r;
  }
  return r;
}

void vow__remote_unwanted(void *remote) {
  atomic_store(&((vow_remote_t *)remote)->wanted, false);
}

bool vow_remote_is_wanted(const vow_remote_t *r) {
  return r != NULL && atomic_load(&((vow_remote_t *)(uintptr_t)r)->wanted);
}

static int remote_send(vow_remote_t *r, vow_value_t v) {
  vow_loop_t *loop = r->loop;
  r->value = v;
  if (push(loop, &r->post)) return 0;
  vow__value_destroy(v);
  vow_release(r);
  vow__loop_release(loop);
  vow__record(VOW_ESHUTDOWN, "(remote)",
              "vow_remote_settle: the loop is closed");
  return VOW_ESHUTDOWN;
}

int vow_remote_settle(vow_remote_t *r, vow_value_t v) {
  if (r == NULL || v.type == &vow__type_follow) {
    if (v.type != &vow__type_follow) vow__value_destroy(v);
    vow__record(UV_EINVAL, "(remote)", "vow_remote_settle: %s",
                r == NULL ? "the promise is NULL"
                          : "a followed future cannot cross threads");
    vow_remote_drop(r);
    return UV_EINVAL;
  }
  return remote_send(r, v);
}

void vow_remote_drop(vow_remote_t *r) {
  vow_value_t broken = vow_nil();
  if (r == NULL) return;
  broken.type = &vow__type_moved;
  remote_send(r, broken);
}

/* The loop closes. To be called while the mailbox is still open: once it is
 * closed, other threads release their handles themselves. */
void vow__remotes_close(vow_loop_t *loop) {
  while (!vow__list_empty(&loop->remotes)) {
    vow__link_t *link = loop->remotes.next;
    vow_remote_t *r = vow__container_of(link, vow_remote_t, link);
    vow_promise_t *p = r->promise;
    vow__list_remove(link);
    r->promise = NULL;
    atomic_store(&r->wanted, false);
    vow_promise_drop(p);
  }
}
