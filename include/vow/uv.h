/* SPDX-License-Identifier: MIT */
/* Loops on libuv: a uv_loop_t of vow's own, or one that the program runs
 * already. The functions that wrap libuv's areas have headers of their own. */
#ifndef VOW_UV_H
#define VOW_UV_H

#include <uv.h>
#include <vow/loop.h>

VOW_BEGIN_DECLS

/** vow_loop_new(options, ret_loop)
 *  A loop with a new uv_loop_t, run by vow_loop_run and friends. options may
 *  be NULL.
 *  Ownership: the caller owns *ret_loop until vow_loop_close has returned 0.
 *  Errors: UV_EINVAL (ret_loop is NULL), UV_ENOMEM, or what uv_loop_init says
 *    (UV_EMFILE); 0. libuv itself aborts when memory of its own runs out there.
 *  Thread: the one that will run the loop. */
VOW_EXPORT int vow_loop_new(const vow_loop_options_t *options,
                            vow_loop_t **ret_loop);

/** vow_loop_attach(uv, options, ret_loop)
 *  A loop on a uv_loop_t that the program runs itself: futures settled from
 *  any libuv callback take effect in the same iteration of uv_run, and timers
 *  and pending requests keep uv_run going. vow_loop_run may be used as well.
 *  vow adds five handles; it touches no other, and no `data` field.
 *  vow_loop_close takes them out again with non-blocking turns of uv (which
 *  run the program's own callbacks) and leaves the program's handles alone;
 *  readers and listeners that are still there end with VOW_ESHUTDOWN.
 *  Ownership: uv is borrowed until vow_loop_close has returned 0. The caller
 *    owns *ret_loop until then.
 *  Errors: UV_EINVAL (uv or ret_loop is NULL), UV_EEXIST (this thread has a vow
 *    loop on uv already), UV_ENOMEM, UV_EMFILE; 0.
 *  Thread: the one that runs uv. */
VOW_EXPORT int vow_loop_attach(uv_loop_t *uv, const vow_loop_options_t *options,
                               vow_loop_t **ret_loop);

/** vow_loop_uv(loop)
 *  The uv_loop_t below, for raw handles.
 *  Ownership: borrowed; do not close it.
 *  Errors: NULL for NULL, or when the loop does not run on libuv.
 *  Thread: the loop's. */
VOW_EXPORT uv_loop_t *vow_loop_uv(vow_loop_t *loop);

/** vow_loop_from_uv(uv)
 *  The vow loop on uv.
 *  Ownership: borrowed.
 *  Errors: NULL when this thread has none on uv, or it is closed.
 *  Thread: the loop's. */
VOW_EXPORT vow_loop_t *vow_loop_from_uv(const uv_loop_t *uv);

VOW_END_DECLS
#endif
