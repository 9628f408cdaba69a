/* SPDX-License-Identifier: MIT */
/* Drivers: what a loop asks of the world. libuv is one, a manual clock for
 * tests another. Only who writes a driver, or steps a loop by hand, needs this
 * header. */
#ifndef VOW_DRIVER_H
#define VOW_DRIVER_H

#include <vow/op.h>

VOW_BEGIN_DECLS

typedef struct vow_driver vow_driver_t;

/** A driver: a struct that begins with this. All hooks are called on the
 *  loop's thread, except wake_remote. */
struct vow_driver {
  /** Monotonic nanoseconds, read afresh. */
  uint64_t (*now_ns)(vow_driver_t *d);
  /** Call vow_loop_expire once the clock reaches deadline_ms; UINT64_MAX:
   *  never. Replaces the former wish. */
  void (*wake_at)(vow_driver_t *d, uint64_t deadline_ms);
  /** Call vow_loop_drain soon: in this turn, and without blocking. */
  void (*wake_soon)(vow_driver_t *d);
  /** Any thread: make the loop's thread call vow_loop_receive. */
  void (*wake_remote)(vow_driver_t *d);
  /** Runs one turn, blocking when nothing is ready and wait is true. Returns
   *  false when nothing is left that could happen. remote says that another
   *  thread may still post: then that counts. */
  bool (*turn)(vow_driver_t *d, bool wait, bool remote);
  /** The loop closes: release everything; 0, or UV_EBUSY when handles of the
   *  user's are left open. remaining: names them to the callback. */
  int (*close)(vow_driver_t *d, vow_stuck_cb stuck, void *arg);
  /** The driver's memory may go. Called once, last; from the thread that gives
   *  up the last reference. */
  void (*destroy)(vow_driver_t *d);
};

/** vow_loop_new_driver(d, options, ret_loop)
 *  A loop on driver d, of the calling thread. options may be NULL.
 *  Ownership: d is consumed on success, and untouched on error.
 *  Errors: UV_EINVAL (d or ret_loop is NULL), UV_ENOMEM; 0.
 *  Thread: the one that will run the loop. */
VOW_EXPORT int vow_loop_new_driver(vow_driver_t *d,
                                   const vow_loop_options_t *options,
                                   vow_loop_t **ret_loop);

/** vow_loop_driver(loop)
 *  The driver given above.
 *  Ownership: borrowed.  Errors: NULL for NULL.  Thread: the loop's. */
VOW_EXPORT vow_driver_t *vow_loop_driver(vow_loop_t *loop);

/** vow_loop_drain(loop)
 *  Runs what is ready, up to the step budget, unless the loop is draining
 *  already. To be called at the end of every callback from libuv that settled
 *  something.
 *  Ownership: borrowed.  Errors: none.
 *  Thread: the loop's. Continuations run in this call. */
VOW_EXPORT void vow_loop_drain(vow_loop_t *loop);

/** vow_loop_step(loop)
 *  Runs one ready continuation; false when none is ready.
 *  Ownership, Errors, Thread: as vow_loop_drain. */
VOW_EXPORT bool vow_loop_step(vow_loop_t *loop);

/** vow_loop_expire(loop)
 *  Fires every timer that is due. To be followed by vow_loop_drain: what became
 *  ready does not ask the driver to be woken.
 *  Ownership, Errors, Thread: as vow_loop_drain, but no continuation runs. */
VOW_EXPORT void vow_loop_expire(vow_loop_t *loop);

/** vow_loop_receive(loop)
 *  Takes in what other threads have posted; posted functions run in this call.
 *  Ownership, Errors, Thread: as vow_loop_drain. */
VOW_EXPORT void vow_loop_receive(vow_loop_t *loop);

/** vow_loop_has_ready(loop), vow_loop_next_ms(loop)
 *  Whether a continuation is ready; the deadline of the next timer, UINT64_MAX
 *  when there is none.
 *  Ownership, Errors: none.  Thread: the loop's. */
VOW_EXPORT bool vow_loop_has_ready(const vow_loop_t *loop);
VOW_EXPORT uint64_t vow_loop_next_ms(const vow_loop_t *loop);

/** vow_loop_may_block(loop)
 *  False while vow_loop_run_until is on the stack and its future has settled:
 *  a turn that has settled it shall not wait for something else then.
 *  Ownership, Errors: none.  Thread: the loop's. */
VOW_EXPORT bool vow_loop_may_block(const vow_loop_t *loop);

VOW_END_DECLS
#endif
