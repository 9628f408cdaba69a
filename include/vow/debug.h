/* SPDX-License-Identifier: MIT */
/* Looking at what is pending. For debuggers, logs, and tests that hang. */
#ifndef VOW_DEBUG_H
#define VOW_DEBUG_H

#include <vow/loop.h>

VOW_BEGIN_DECLS

/** Takes a line of text, without its newline. */
typedef void (*vow_line_cb)(const char *line, void *arg);

/** vow_dump(loop, line, arg)
 *  Who waits for what: for each pending future that nobody waits for, one line
 *  with its kind and where it was made, and below it, indented, those it waits
 *  for. What several wait for is told in full once. A marker tells futures that
 *  were asked to end, are dropped (finishing clean-up), or detached. At most 64
 *  levels deep. line must not call into vow.
 *    sleep chain.c:12
 *    finally main.c:40, cancelled
 *      then main.c:39
 *        tcp_connect main.c:38
 *  Ownership: the text is borrowed during the call.
 *  Errors: none; a NULL loop or line gives nothing.
 *  Thread: the loop's. line runs in this call. */
VOW_EXPORT void vow_dump(vow_loop_t *loop, vow_line_cb line, void *arg);

/** vow_dump_stderr(loop)
 *  The same to stderr; to be called from a debugger.
 *  Ownership: loop is borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT void vow_dump_stderr(vow_loop_t *loop);

VOW_END_DECLS
#endif
