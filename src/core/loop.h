/* SPDX-License-Identifier: MIT */
/* The loop's fields and the engine's inner interface: what one file of
 * src/core calls in another. */
#ifndef VOW_CORE_LOOP_H
#define VOW_CORE_LOOP_H

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/errno.h"
#include "core/cell.h"

#if defined(__SANITIZE_ADDRESS__)
#define VOW__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VOW__ASAN 1
#endif
#endif
#ifdef VOW__ASAN
#include <sanitizer/asan_interface.h>
#define vow__poison(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define vow__unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define vow__poison(p, n)   ((void)0)
#define vow__unpoison(p, n) ((void)0)
#endif

/* Where a slab stands. Freeing a cell of one from _FULL on takes the slow
 * path. */
enum {
  VOW__SLAB_CURRENT,
  VOW__SLAB_PARTIAL,
  VOW__SLAB_FULL,
  VOW__SLAB_PROBED /* of a loop that probes the allocator */
};

#define VOW__WHEEL_MS 1024u

typedef struct vow__post vow__post_t;
struct vow__post {
  vow__post_t *next;
  vow_post_cb fn;
  void *arg;
  vow_drop_cb arg_drop;
};

typedef struct vow__heap_item {
  uint64_t deadline_ms;
  uint64_t order;
  vow_timer_t *timer;
} vow__heap_item_t;

struct vow_loop {
  vow__node_t ready;       /* sentinel of the ready queue */
  const void *thread;      /* vow__self() of the owner; NULL once closed */
  vow_loop_t *thread_next; /* in vow__thread_loop, the thread's open loops */
  bool awake;    /* draining, or the driver was asked to wake us soon */
  bool draining; /* a continuation, or vow_loop_drain, is on the stack */
  bool running;  /* vow_loop_run* or _close is on the stack */
  bool watched;  /* what is ready runs one by one: see watch.c */
  vow_future_t *awaited; /* by vow_loop_run_until; NULL: none */
  bool closed;
  uint32_t cancel_depth;
  int cancel_reason; /* of the cancel that is on the stack; 0: none */
  vow__slab_t *current[VOW__CLASSES];

  vow__link_t partial[VOW__CLASSES];
  uint32_t empty[VOW__CLASSES]; /* slabs kept though nothing lives in them */
  vow__link_t slabs;

  /* timer.c, heap.c */
  vow_timer_t *wheel[VOW__WHEEL_MS];
  uint64_t wheel_used[VOW__WHEEL_MS / 64]; /* a bit per slot */
  uint64_t wheel_next_ms; /* first deadline in the wheel; UINT64_MAX: none */
  uint64_t wheel_base_ms; /* all in the wheel is later than this */
  uint64_t seen_ms;       /* the clock when last read */
  vow__heap_item_t *heap; /* items[0] is unused: index 0 means idle */
  size_t heap_length;
  size_t heap_capacity;
  uint64_t heap_order;
  uint64_t armed_ms; /* what the driver was asked last */

  uint64_t deadlines_asked; /* calls of vow_token_deadline_ms */
  vow_future_t *enomem;     /* handed out when memory is short */
  vow_future_t *cancelled;  /* the source of those whose source was withdrawn */
  vow_driver_t *driver;
  vow_loop_options_t options;
  uint64_t shuffle; /* the state of the order; see shuffle.c */
  vow__link_t remotes;

  /* shared with other threads; see post.c */
  _Atomic(vow__post_t *) mailbox;
  atomic_uint senders;
  atomic_uint foreign; /* vow_loop_ref */
  atomic_uint refs;    /* memory: the owner, tokens, remotes, foreign */
};

/* ---- threads ------------------------------------------------------------ */

extern _Thread_local char vow__thread_mark
    __attribute__((tls_model("initial-exec")));
extern _Thread_local vow_loop_t *vow__thread_loop
    __attribute__((tls_model("initial-exec")));

static inline const void *vow__self(void) {
  return &vow__thread_mark;
}

/** True when the caller may touch loop: open, and on its thread. */
static inline bool vow__loop_ok(const vow_loop_t *loop) {
  return VOW__LIKELY(loop->thread == vow__self());
}

/** loop.c: why not: 0, UV_EINVAL, VOW_ESHUTDOWN or VOW_ETHREAD, recorded for
 *  vow_fail_last with fn's name in front. */
int vow__loop_refusal(const vow_loop_t *loop, const char *fn);

/* ---- cells --------------------------------------------------------------- */

/** From the current slab; NULL when that is used up. */
static VOW__INLINE void *vow__cell_try(vow_loop_t *loop, unsigned cls) {
  vow__slab_t *slab = loop->current[cls];
  void *cell = slab->free;
  if (VOW__UNLIKELY(cell == NULL)) return NULL;
  vow__unpoison(cell, slab->cell_bytes);
  slab->free = *(void **)cell;
  slab->live++;
  vow__prefetch(slab->free);
  return cell;
}

static inline void *vow__cell_alloc(vow_loop_t *loop, unsigned cls) {
  void *cell = vow__cell_try(loop, cls);
  return VOW__LIKELY(cell != NULL) ? cell : vow__cell_alloc_slow(loop, cls);
}

static inline void vow__cell_free(vow_future_t *f) {
  vow__slab_t *slab = vow__slab_of(f);
  f->node.state = VOW__FREE;
  *(void **)f = slab->free;
  slab->free = f;
  vow__poison(f, slab->cell_bytes);
  if (VOW__UNLIKELY(--slab->live == 0 || slab->place >= VOW__SLAB_FULL))
    vow__cell_free_slow(slab->loop, slab);
}

/** The head of a fresh cell: one reference, pending. */
static inline void vow__cell_begin(vow_future_t *f, uint8_t kind, uint8_t flags,
                                   const char *site) {
  f->node.refs = 1;
  f->node.kind = kind;
  f->node.state = VOW__PENDING;
  f->node.flags = flags;
  f->node.pins = 0;
  f->node.source = NULL;
  f->waiters = NULL;
  f->site = site;
}

/* ---- lists --------------------------------------------------------------- */

static inline void vow__wake(vow_loop_t *loop) {
  if (VOW__UNLIKELY(!loop->awake)) {
    loop->awake = true;
    loop->driver->wake_soon(loop->driver);
  }
}

static inline void vow__ready_push(vow_loop_t *loop, vow__node_t *n) {
  vow__node_t *head = &loop->ready;
  n->next = head;
  n->prev = head->prev;
  head->prev->next = n;
  head->prev = n;
  vow__wake(loop);
}

/** Appends a whole circle of waiters; waking is left to the caller. */
static VOW__INLINE void vow__ready_append(vow_loop_t *loop,
                                          vow__node_t *first) {
  vow__node_t *head = &loop->ready;
  vow__node_t *last = first->prev;
  first->prev = head->prev;
  head->prev->next = first;
  last->next = head;
  head->prev = last;
}

static inline void vow__ready_splice(vow_loop_t *loop, vow__node_t *first) {
  vow__ready_append(loop, first);
  vow__wake(loop);
}

/** Queues pending operation f for what is due; what it is queued for already
 *  stays due. */
static inline void vow__op_queue(vow_loop_t *loop, vow_future_t *f,
                                 uint32_t due) {
  if (f->node.flags & VOW__F_QUEUED) {
    f->u.op.due |= due;
    return;
  }
  f->node.flags |= VOW__F_QUEUED;
  f->u.op.due = due;
  vow__ready_push(loop, &f->node);
}

static inline void vow__unlink(vow__node_t *n) {
  n->prev->next = n->next;
  n->next->prev = n->prev;
}

/** Makes n wait for pending f. */
static VOW__INLINE void vow__waiters_append(vow_future_t *f, vow__node_t *n) {
  vow__node_t *head = f->waiters;
  if (VOW__LIKELY(head == NULL)) {
    n->next = n->prev = n;
    f->waiters = n;
  } else {
    n->next = head;
    n->prev = head->prev;
    head->prev->next = n;
    head->prev = n;
  }
}

/** Makes n wait for f, which becomes its source. */
static inline void vow__wait_on(vow_loop_t *loop, vow__node_t *n,
                                vow_future_t *f) {
  n->source = f;
  if (vow__settled(f))
    vow__ready_push(loop, n);
  else
    vow__waiters_append(f, n);
}

vow_future_t *vow__wake_and_return(vow_loop_t *loop, vow_future_t *d);

/** The same for d, which is returned; waking the driver comes last. */
static VOW__INLINE vow_future_t *vow__wait_and_return(vow_loop_t *loop,
                                                      vow_future_t *d,
                                                      vow_future_t *f) {
  vow__node_t *n = &d->node;
  n->source = f;
  if (vow__settled(f)) {
    vow__node_t *head = &loop->ready;
    n->next = head;
    n->prev = head->prev;
    head->prev->next = n;
    head->prev = n;
    if (VOW__UNLIKELY(!loop->awake)) return vow__wake_and_return(loop, d);
  } else {
    vow__waiters_append(f, n);
  }
  return d;
}

/** Takes a waiting node out of its source's list or the ready queue; its
 *  source stays what it was. */
static inline void vow__leave(vow__node_t *n) {
  vow_future_t *f = n->source;
  if (!vow__settled(f) && f->waiters == n)
    f->waiters = n->next == n ? NULL : n->next;
  vow__unlink(n);
}

/* ---- values (value.c, error.c) ------------------------------------------- */

extern const vow_type_t vow__type_code;
extern const vow_type_t vow__type_error;
extern const vow_type_t vow__type_follow;
extern const vow_type_t vow__type_moved;

static inline bool vow__is_failure(vow_value_t v) {
  return v.type == &vow__type_code || v.type == &vow__type_error;
}

uint8_t vow__failure_state(vow_value_t v); /* VOW__FAILED or VOW__CANCELLED */

static inline uint8_t vow__outcome_state(vow_value_t v) {
  return VOW__LIKELY(!vow__is_failure(v)) ? VOW__DONE : vow__failure_state(v);
}

static inline void vow__value_destroy(vow_value_t v) {
  if (v.type != NULL && v.type->destroy != NULL && v.as.p != NULL)
    v.type->destroy(v.as.p);
}

/** Adds site to the trail of a failure that arose at origin. Plain codes
 *  become objects, except cancellations; for want of memory v stays as is. */
vow_value_t vow__error_passed(vow_value_t v, const char *origin,
                              const char *site);
/** Adds a cause behind those that failure v has. Consumes both. */
vow_value_t vow__error_because(vow_value_t v, const char *site,
                               vow_value_t cause);
/** A failure with a message kept for vow_fail_last. */
void vow__record(int code, const char *site, const char *fmt, ...)
    VOW_PRINTF(3, 4);

/* ---- futures (future.c, settle.c, cancel.c) ------------------------------ */

/** The failure to hand out for code when there is no memory, or no loop. */
vow_future_t *vow__static_failure(int code);
vow_future_t *vow__enomem(vow_loop_t *loop);
/** Moves or shares f's outcome; the failure counts as seen. */
vow_value_t vow__take_outcome(vow_future_t *f, const char *site);
/** Settles a pending f with v, which is not vow_follow. May free f. */
void vow__settle(vow_loop_t *loop, vow_future_t *f, vow_value_t v);
/** The same, v may be vow_follow. */
void vow__complete(vow_loop_t *loop, vow_future_t *f, vow_value_t v);
/** Runs up to budget nodes of the ready queue. */
void vow__run_ready(vow_loop_t *loop, uint32_t budget);
/** watch.c: the same one by one: reports those that take too long, and shuffles
 *  when that is asked for. */
void vow__run_watched(vow_loop_t *loop, uint32_t budget);
/** shuffle.c: moves one that may run next to the front of the ready queue. */
void vow__shuffle(vow_loop_t *loop);
/** watch.c: the defaults of what a loop reports. */
void vow__watch_defaults(vow_loop_options_t *o);
/** watch.c: reports the futures that somebody holds though all is over. */
void vow__report_leaks(vow_loop_t *loop);
/** f has lost its last reference. */
void vow__abandon(vow_future_t *f);
/** Frees f if it has settled and nobody holds it. */
void vow__reap(vow_future_t *f);
/** Asks pending f to end; for a reason, which vow_op_cancel_reason gives. */
void vow__cancel(vow_future_t *f);
void vow__cancel_because(vow_future_t *f, int reason);
/** Withdraws n's interest from its pending source: true when the source was
 *  asked to end and n goes on waiting, false when n has left it. */
bool vow__withdraw(vow__node_t *n);
/** Releases the arg of a derived cell. */
void vow__arg_drop(vow_future_t *f);
/** Whether waiting for f would close a circle through self. */
bool vow__would_cycle(vow_future_t *self, vow_future_t *f);
/** Drops f on its own thread, whichever this is. */
void vow__drop_anywhere(vow_future_t *f);
const char *vow__what(const vow_future_t *f);

static inline void vow__release(vow_future_t *f) {
  if (--f->node.refs == 0) vow__abandon(f);
}

/* ---- tokens (token.c) -----------------------------------------------------
 */

void vow__bound_run(vow_loop_t *loop, vow_future_t *f);
void vow__watch_run(vow_future_t *f);
void vow__watch_forget(vow_future_t *f);

/* ---- timers, posts ----------------------------------------------------------
 */

void vow__timers_arm(vow_loop_t *loop);
/** 0 or UV_ENOMEM. */
int vow__heap_push(vow_loop_t *loop, vow_timer_t *t);
void vow__heap_remove(vow_loop_t *loop, size_t i);
void vow__heap_close(vow_loop_t *loop);
static inline uint64_t vow__heap_next_ms(const vow_loop_t *loop) {
  return loop->heap_length > 0 ? loop->heap[1].deadline_ms : UINT64_MAX;
}
void vow__timers_close(vow_loop_t *loop);
void vow__loop_release(vow_loop_t *loop);
/** Refuses posts from now on; returns those that came before. */
vow__post_t *vow__mailbox_close(vow_loop_t *loop);
/** Ends them uncalled: the loop has closed. */
void vow__mailbox_drop(vow_loop_t *loop, vow__post_t *list);
/** The loop stays open after all: takes posts again, and calls them. */
void vow__mailbox_reopen(vow_loop_t *loop, vow__post_t *list);
void vow__remotes_close(vow_loop_t *loop);
void vow__remote_unwanted(void *remote);

#endif
