/* SPDX-License-Identifier: MIT */
/* What iterators on top of one other iterator have in common: asking it,
 * waiting for a callback's future, closing it. What they do with an item is
 * each one's own affair. */
#ifndef VOW_COMBINE_ITER_ADAPT_H
#define VOW_COMBINE_ITER_ADAPT_H

#include "combine/iter_call.h"

#include <vow/iter_class.h>

typedef struct vow__adapt vow__adapt_t;

/** Where an adaptor stands. */
enum {
  VOW__ADAPT_IDLE,
  VOW__ADAPT_ASKING,    /* the waiter holds source's next */
  VOW__ADAPT_BUSY,      /* an item is in a hook, or in work that is awaited */
  VOW__ADAPT_ENDING,    /* it ends early: the waiter holds source's end */
  VOW__ADAPT_UNWINDING, /* closing: the work was cancelled */
  VOW__ADAPT_CLOSING    /* the waiter holds source's end */
};

/** The class of an adaptor, and its hooks. Each of them leads to one of
 *  vow_iter_give, vow__adapt_ask_again, _work or _end, as its last act. */
typedef struct vow__adapt_kind {
  vow_iter_class_t cls; /* VOW__ADAPT_CLASS */
  const char *fn;       /* for messages */
  /** item calls a user's function: it runs from the ready queue only. */
  bool calls;
  /** Before source is asked, unless NULL; true: the hook has seen to it. */
  bool (*begin)(vow__adapt_t *a);
  /** source's next has succeeded; f is consumed. */
  void (*item)(vow__adapt_t *a, vow_future_t *f);
  /** source's next has failed, or there is no more. NULL: that is given. */
  void (*failed)(vow__adapt_t *a, vow_future_t *f);
  /** The future given to vow__adapt_work has settled; f is consumed. */
  void (*worked)(vow__adapt_t *a, vow_future_t *f);
} vow__adapt_kind_t;

struct vow__adapt {
  vow_iter_t it;
  vow_waiter_t waiter;
  vow_iter_t *source; /* NULL once it ended early */
  vow_future_t *held; /* an item that is waited over; dropped when closing */
  vow_then_cb cb;
  void *arg;
  vow_drop_cb arg_drop;
  uint64_t left;
  uint8_t phase;
};

#define VOW__ADAPT_CLASS(name, type, destroy)                                  \
  {                                                                            \
    VOW_ITER_OP((name), type, (destroy), vow__adapt_sources), vow__adapt_next, \
        vow__adapt_unasked, vow__adapt_ready, vow__adapt_close                 \
  }

void vow__adapt_next(vow_iter_t *it);
bool vow__adapt_unasked(vow_iter_t *it);
void vow__adapt_ready(vow_iter_t *it, vow_waiter_t *w);
void vow__adapt_close(vow_iter_t *it);
void vow__adapt_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                        void *arg);

/** An adaptor of that kind over source. NULL when wrong says what is wrong with
 *  an argument, source has failed, or for want of memory: then all is consumed,
 *  and *ret_other is to be returned. */
void *vow__adapt_new(const char *site, vow_iter_t *source,
                     const vow__adapt_kind_t *kind, const char *wrong,
                     void *arg, vow_drop_cb arg_drop, vow_iter_t **ret_other);

/** Asks source for another item, through the ready queue. */
void vow__adapt_ask_again(vow__adapt_t *a);
/** Waits for f, which is consumed, on behalf of the item at hand. */
void vow__adapt_work(vow__adapt_t *a, vow_future_t *f);
/** Closes source, waits for that, and gives the end. */
void vow__adapt_end(vow__adapt_t *a);

static inline const char *vow__adapt_site(vow__adapt_t *a) {
  return vow_site(vow_op_future(a));
}

#endif
