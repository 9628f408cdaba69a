/* SPDX-License-Identifier: MIT */
/* The phases of libuv's turn, as futures: one for each of uv_idle_t,
 * uv_prepare_t and uv_check_t. A turn runs timers, idle, prepare, the poll for
 * I/O, check, and what closes. */
#ifndef VOW_PHASE_H
#define VOW_PHASE_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** vow_next_idle(loop), vow_next_prepare(loop), vow_next_check(loop)
 *  Succeed with nil in the next idle, prepare or check phase of the loop; what
 *  is chained runs in that phase, after the handles that were started before.
 *  The poll does not block while one is pending. So a chain that asks again
 *  and again keeps the processor busy: who wants to watch every turn, and let
 *  the loop sleep, uses the raw handle.
 *  Cancelled, they settle at once.
 *  Ownership: the caller owns the result.
 *  Errors: UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv), UV_ENOMEM,
 *    VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: uv_idle_start, uv_prepare_start,
 *    uv_check_start. */
#define vow_next_idle(loop)    vow_next_idle_at(VOW_SITE, (loop))
#define vow_next_prepare(loop) vow_next_prepare_at(VOW_SITE, (loop))
#define vow_next_check(loop)   vow_next_check_at(VOW_SITE, (loop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_next_idle_at(const char *site,
                                                       vow_loop_t *loop);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_next_prepare_at(const char *site,
                                                          vow_loop_t *loop);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_next_check_at(const char *site,
                                                        vow_loop_t *loop);

VOW_END_DECLS
#endif
