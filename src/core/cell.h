/* SPDX-License-Identifier: MIT */
/* The cell: what a future is in memory, and the inline operations on it that
 * the whole engine shares. Nothing outside src/core and src/debug may include
 * this.
 *
 * How this works
 *
 * A future is one cell of 64 bytes. Its head, the node, is what stands in a
 * list: a derived future (then, catch, ...) waits in its source's list of
 * waiters, or, once the source has settled, in the loop's ready queue. Both
 * are circular, so leaving either takes no scan. An operation is a larger cell
 * that begins alike; a waiter (vow_waiter_t) is only a node with an owner.
 *
 * A pending node with a source that has settled is in the ready queue; with
 * one that has not, in the source's list. There is no third place, and so no
 * field that says which.
 *
 * refs counts interests. pins keep the memory without being interested: the
 * promise's handle, a request that libuv still holds. A cell goes when it has
 * settled and has neither. A cell that is pending without refs is an orphan:
 * it finishes (clean-up, detached work) and goes by itself. */
#ifndef VOW_CORE_CELL_H
#define VOW_CORE_CELL_H

#include "base/check.h"
#include "base/list.h"

#include <vow/driver.h>

typedef struct vow__node vow__node_t;

/* What a node is, and so what happens when it comes up in the ready queue. */
enum {
  VOW__THEN,
  VOW__CATCH,
  VOW__HANDLE,
  VOW__FINALLY,
  VOW__FOLLOW,       /* settles as its source does */
  VOW__FINALLY_WAIT, /* waits for clean-up; u.value is the outcome to give */
  VOW__BOUND,        /* to a token; u.bound */
  VOW__PROMISE,      /* in the ready queue: its on-cancel hook is to run */
  VOW__TICK,         /* sleep 0: settles when it comes up */
  VOW__OP,           /* in the ready queue: u.op.due says what for */
  VOW__WAITER,
  VOW__WATCH
};

/* The order matters: settled is >= VOW__DONE. */
enum {
  VOW__FREE,
  VOW__PENDING,
  VOW__RUNNING,
  VOW__DONE,
  VOW__FAILED,
  VOW__CANCELLED
};

enum {
  VOW__F_SEEN = 1,      /* somebody looked at the failure */
  VOW__F_CANCEL = 2,    /* asked to end, and not answered yet */
  VOW__F_DROP = 4,      /* a chain_cell: arg has a destructor */
  VOW__F_OP = 8,        /* a vow_op_t */
  VOW__F_QUEUED = 16,   /* promise or op: its own node is in the ready queue */
  VOW__F_PLAIN = 32,    /* succeeded with what needs no destroying */
  VOW__F_DETACHED = 64, /* goes on without refs */
  VOW__F_STATIC = 128   /* no loop, no count: a failure without memory */
};

/* What an operation is in the ready queue for. */
enum { VOW__DUE_CANCEL = 1, VOW__DUE_WAKE = 2 };

struct vow__node {
  vow__node_t *next, *prev;
  uint32_t refs;
  union {
    struct {
      uint8_t kind;
      uint8_t state;
      uint8_t flags;
      uint8_t pins;
    };
    /* The four at once, for the hot path: one compare for several questions.
     * Reading it right after one of the four was written stalls, so the hot
     * path writes it whole, too. */
    uint32_t word;
  };
  vow_future_t *source; /* one of its refs is ours; NULL: none */
};

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define VOW__WORD(kind, state, flags, pins)                                    \
  ((uint32_t)(kind) << 24 | (uint32_t)(state) << 16 | (uint32_t)(flags) << 8 | \
   (uint32_t)(pins))
#else
#define VOW__WORD(kind, state, flags, pins)                                    \
  ((uint32_t)(pins) << 24 | (uint32_t)(flags) << 16 | (uint32_t)(state) << 8 | \
   (uint32_t)(kind))
#endif

struct vow_future {
  vow__node_t node;
  vow__node_t *waiters; /* first of a circle; NULL: none, or settled */
  const char *site;
  union {
    struct {
      vow_then_cb cb;
      void *arg;
    } todo; /* pending */
    struct {
      vow_cancel_cb hook;
      void *arg; /* without hook: NULL or the vow_remote_t */
    } promise;
    vow__link_t bound; /* in the token's list, until it is cancelled */
    struct {
      const char *label; /* NULL: the class's name */
      uint32_t due;      /* with F_QUEUED: VOW__DUE_... */
    } op;                /* pending operation */
    struct {
      void *null; /* tells this from bound */
      vow_token_t *token;
    } unwinding;
    vow_value_t value; /* settled */
  } u;
};

/* A derived future whose arg has a destructor: one size class up. */
typedef struct vow__chain_cell {
  vow_future_t f;
  vow_drop_cb arg_drop;
} vow__chain_cell_t;

/* vow_waiter_t, seen from inside. */
typedef struct vow__waiter {
  vow__node_t node;
  vow_op_t *owner;
} vow__waiter_t;

#define VOW__SLAB_BYTES 65536u
#define VOW__CELL_BYTES 64u
#define VOW__CLASSES    12

typedef struct vow__slab vow__slab_t;
struct vow__slab {
  vow_loop_t *loop;
  void *free;   /* cells to hand out, linked through their first word */
  void *parked; /* freed cells while the loop probes the allocator */
  char *bump;   /* behind this, memory never handed out */
  char *end;
  uint32_t live;
  uint32_t cell_bytes;
  uint8_t cls;
  uint8_t place; /* VOW__SLAB_... */
  vow__link_t all;
  vow__link_t partial;
};

static inline vow__slab_t *vow__slab_of(const void *cell) {
  return (vow__slab_t *)((uintptr_t)cell & ~(uintptr_t)(VOW__SLAB_BYTES - 1));
}

static inline vow_loop_t *vow__loop_of(const vow_future_t *f) {
  return vow__slab_of(f)->loop;
}

static inline bool vow__settled(const vow_future_t *f) {
  return f->node.state >= VOW__DONE;
}

static inline vow_op_t *vow__as_op(vow_future_t *f) {
  return (vow_op_t *)(void *)f;
}

/* cell.c */
void *vow__cell_alloc_slow(vow_loop_t *loop, unsigned cls);
void vow__cell_free_slow(vow_loop_t *loop, vow__slab_t *slab);
unsigned vow__cell_class_large(size_t size_bytes);
void vow__cells_init(vow_loop_t *loop);
bool vow__cells_next(vow_loop_t *loop, vow__slab_t **slab, char **at,
                     vow_future_t **ret_f);
size_t vow__cells_live(const vow_loop_t *loop);
void vow__cells_close(vow_loop_t *loop);

/** The class of the cells that such a size fits into. */
static inline unsigned vow__cell_class(size_t size_bytes) {
  if (VOW__LIKELY(size_bytes <= 6 * VOW__CELL_BYTES))
    return (unsigned)((size_bytes - 1) / VOW__CELL_BYTES);
  return vow__cell_class_large(size_bytes);
}

#endif
