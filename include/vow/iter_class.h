/* SPDX-License-Identifier: MIT */
/* Iterators of your own kind: a struct that begins with vow_iter_t and a class;
 * or, for an object that has a next already, a view. Users of iterators do not
 * need this header.
 *
 * What the head does for the class: it serves the nexts, one at a time; keeps
 * what is given when the next was cancelled meanwhile; remembers the end; and
 * calls close when the iterator is closed or freed, or its loop is closed. */
#ifndef VOW_ITER_CLASS_H
#define VOW_ITER_CLASS_H

#include <vow/iter.h>
#include <vow/op.h>

VOW_BEGIN_DECLS

/** The hooks. None but ready may run a user's callback. While one of them runs
 *  close is put off; so an iterator that is freed by what they do is there
 *  until they return. */
typedef struct vow_iter_class {
  /** VOW_ITER_OP(name, type, destroy, sources): name for lists of what is
   *  pending, the struct's type, and the hooks of vow_op_class_t. */
  vow_op_class_t op;
  /** Get the next item: call vow_iter_give once, now or later. Not called
   *  again before that, nor after the end was given. */
  void (*next)(vow_iter_t *it);
  /** The next was cancelled before you gave. True: you will not give, and next
   *  is called when there is a new one; no item may be lost by that. False, or
   *  NULL: you will, and it is kept. */
  bool (*unasked)(vow_iter_t *it);
  /** A future that w waited for has settled; or, with a NULL w, vow_op_wake was
   *  called. Called from the ready queue. NULL when there is neither. */
  void (*ready)(vow_iter_t *it, vow_waiter_t *w);
  /** Cancel what is under way, end all that you hold, and when that has unwound
   *  call vow_iter_closed, now or later. Called once, when no next is pending.
   *  NULL: there is nothing to end. */
  void (*close)(vow_iter_t *it);
} vow_iter_class_t;

/** The head of every iterator; its fields are vow's. */
struct vow_iter {
  vow_op_t op;
  void *vow__private[5];
};

#define VOW_ITER_OP(name, type, destroy, sources)                           \
  {                                                                         \
    (name), sizeof(type), vow_iter_op_cancel, (destroy), vow_iter_op_ready, \
        (sources)                                                           \
  }

/** vow_iter_op_cancel(op), vow_iter_op_ready(op, w)
 *  For VOW_ITER_OP.
 *  Ownership: borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT void vow_iter_op_cancel(void *op);
VOW_EXPORT void vow_iter_op_ready(void *op, vow_waiter_t *w);

/** vow_iter_new_at(site, loop, cls)
 *  An open iterator, zeroed after its head.
 *  Ownership: the caller owns it until vow_iter_free.
 *  Errors: NULL as vow_op_new_at: then return
 *    vow_iter_failed(vow_op_failed(site, loop, what)).
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE void *vow_iter_new_at(const char *site,
                                              vow_loop_t *loop,
                                              const vow_iter_class_t *cls);

/** vow_iter_failed(f)
 *  The iterator to return instead when something was wrong: each next settles
 *  as f, which has failed. Needs no memory.
 *  Ownership: consumes f; the caller owns the result.
 *  Errors: none.  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_failed(vow_future_t *f);

/** vow_iter_failure(it)
 *  The failure that vow_iter_failed made an iterator of; NULL for any other.
 *  Who builds on an iterator returns one that has failed as it is.
 *  Ownership: borrowed from it.  Errors: NULL for NULL.
 *  Thread: the loop's. */
VOW_EXPORT vow_future_t *vow_iter_failure(const vow_iter_t *it);

/** vow_iter_give(it, v)
 *  Answers the next that the class was asked for: with a value, a failure, or
 *  vow_fail(UV_EOF) for the end. Kept when nobody waits for it any more. Outside
 *  of hooks it may be freed in this call; in a hook it may be closing after it.
 *  Ownership: consumes v, which is not one of vow_follow's.
 *  Errors: none; v is destroyed when it is closing, or was not asked.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT void vow_iter_give(vow_iter_t *it, vow_value_t v);

/** vow_iter_closed(it, v)
 *  The end of closing: v is nil, or the failure that the closing ends with. it
 *  may be freed in this call.
 *  Ownership: consumes v.
 *  Errors: none.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT void vow_iter_closed(vow_iter_t *it, vow_value_t v);

/** vow_iter_is_asked(it), vow_iter_is_closing(it)
 *  Whether next was called and nothing was given since; whether it is being
 *  closed, or has closed.
 *  Ownership: it is borrowed; it is not NULL, and not one that could not be
 *    made.
 *  Errors: none.  Thread: the loop's. */
VOW_EXPORT bool vow_iter_is_asked(const vow_iter_t *it);
VOW_EXPORT bool vow_iter_is_closing(const vow_iter_t *it);

/** vow_iter_would_cycle(it, f)
 *  Whether it, or the next that is pending, would wait for itself if it waited
 *  for f, which a callback gave.
 *  Ownership, Errors, Thread: as vow_op_would_cycle. */
VOW_EXPORT bool vow_iter_would_cycle(const vow_iter_t *it, vow_future_t *f);

/* ---- views --------------------------------------------------------------- */

/** An object that has a next, seen as an iterator. */
typedef struct vow_iter_view {
  /** For lists of what is pending. */
  const char *name;
  /** The next item as a future of the view's loop; asked for one at a time.
   *  Cancelling it, also by dropping, must lose nothing. */
  vow_future_t *(*next)(const char *site, void *source);
  /** Gives source up: called once, when no next is pending. A future: is waited
   *  for, and its failure, unless it is a cancellation, is that of the close.
   *  NULL: all has ended. */
  vow_future_t *(*close)(void *source);
  /** A next that fails with this is the end as well; 0: none but UV_EOF. */
  int end_code;
} vow_iter_view_t;

/** vow_iter_view(loop, source, view)
 *  An iterator over source. A next that is cancelled is cancelled in source,
 *  too.
 *  Ownership: consumes source: view->close is called once on every path. view
 *    is borrowed for ever. The caller owns the result.
 *  Errors: UV_EINVAL (loop, source or a hook is NULL), UV_ENOMEM, VOW_ETHREAD,
 *    VOW_ESHUTDOWN, through its nexts; one fails with UV_EINVAL when
 *    view->next returns NULL or a future of another loop.
 *  Thread: the loop's. */
#define vow_iter_view(loop, source, view) \
  vow_iter_view_at(VOW_SITE, (loop), (source), (view))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_view_at(
    const char *site, vow_loop_t *loop, void *source,
    const vow_iter_view_t *view);

VOW_END_DECLS
#endif
