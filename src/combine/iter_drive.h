/* SPDX-License-Identifier: MIT */
/* Operations that take an iterator to its end, and close it on every way
 * out. */
#ifndef VOW_COMBINE_ITER_DRIVE_H
#define VOW_COMBINE_ITER_DRIVE_H

#include <vow/iter_class.h>

typedef struct vow__drive vow__drive_t;

enum {
  VOW__DRIVE_ASKING,  /* the waiter holds a next */
  VOW__DRIVE_BUSY,    /* an item is in a hook, or in work that is awaited */
  VOW__DRIVE_CLOSING, /* the waiter holds the iterator's end */
  VOW__DRIVE_FINISHED
};

/** The head of such an operation. */
struct vow__drive {
  vow_op_t op;
  vow_waiter_t waiter;
  vow_iter_t *it;
  vow_value_t outcome; /* from when it is closing */
  /** A next has succeeded; f is consumed. Goes on with one of the functions
   *  below. May call a user's function. */
  void (*item)(vow__drive_t *d, vow_future_t *f);
  /** The future given to vow__drive_work has succeeded; f is consumed. */
  void (*worked)(vow__drive_t *d, vow_future_t *f);
  /** What it succeeds with at the end of the iterator. */
  vow_value_t (*result)(vow__drive_t *d);
  /** Releases what it holds; the iterator has closed. May be NULL. */
  void (*release)(vow__drive_t *d);
  uint8_t phase;
  bool cancelled;
};

#define VOW__DRIVE_CLASS(name, type)                                 \
  {                                                                  \
    (name), sizeof(type), vow__drive_cancel, NULL, vow__drive_ready, \
        vow__drive_sources                                           \
  }

void vow__drive_cancel(void *op);
void vow__drive_ready(void *op, vow_waiter_t *w);
void vow__drive_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                        void *arg);

/** A drive of class cls over it; NULL when wrong says what is wrong with an
 *  argument, it has failed, or for want of memory: then it is consumed, and
 *  *ret_failed is to be returned. */
void *vow__drive_new(const char *site, vow_iter_t *it,
                     const vow_op_class_t *cls, const char *fn,
                     const char *wrong, vow_future_t **ret_failed);

/** Asks for the first item, or the next one. */
void vow__drive_ask(vow__drive_t *d);
/** Waits for f, which is consumed. */
void vow__drive_work(vow__drive_t *d, vow_future_t *f);
/** Leaves with v: closes, then settles. */
void vow__drive_leave(vow__drive_t *d, vow_value_t v);

#endif
