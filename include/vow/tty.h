/* SPDX-License-Identifier: MIT */
/* Terminals: handles made and freed by vow. They are streams: vow_reader_new
 * and vow_write work on them; mode and size are plain calls of libuv. */
#ifndef VOW_TTY_H
#define VOW_TTY_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** The type of a handle that vow made: uv_tty_t *, ended by vow_tty_free. */
VOW_EXPORT extern const vow_type_t vow_type_tty;

/** vow_tty_new(loop, fd, ret_tty)
 *  An initialised uv_tty_t on the heap, for a descriptor that is a terminal;
 *  its `data` field is yours. libuv opens the terminal anew where it can, so
 *  that others who share fd do not become non-blocking.
 *  Ownership: fd is borrowed until the handle is closed; descriptors above 2
 *    that libuv could not open anew are closed with it. The caller owns
 *    *ret_tty until vow_tty_free.
 *  Errors: UV_EINVAL (NULL, or fd is a file or no terminal), UV_EBADF,
 *    UV_ENOTSUP (the loop is not on libuv), UV_ENOMEM; *ret_tty is not written
 *    then. 0.
 *  Thread: the loop's. Source: uv_tty_init. */
#define vow_tty_new(loop, fd, ret_tty) \
  vow_tty_new_at(VOW_SITE, (loop), (fd), (ret_tty))
VOW_EXPORT int vow_tty_new_at(const char *site, vow_loop_t *loop, uv_file fd,
                              uv_tty_t **ret_tty);

/** vow_tty_free(tty)
 *  Closes what vow_tty_new made, as vow_tcp_free does. The mode stays: call
 *  uv_tty_set_mode(tty, UV_TTY_MODE_NORMAL) before, or uv_tty_reset_mode.
 *  Ownership: consumes tty. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. */
VOW_EXPORT void vow_tty_free(uv_tty_t *tty);

/** vow_tty_get(f), vow_tty_take(f)
 *  vow_get and vow_take with the type of these handles.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_tty_free. */
VOW_EXPORT uv_tty_t *vow_tty_get(vow_future_t *f);
VOW_EXPORT uv_tty_t *vow_tty_take(vow_future_t *f);

VOW_END_DECLS
#endif
