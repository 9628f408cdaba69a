/* SPDX-License-Identifier: MIT */
/* A shim between vow and libuv that counts calls, and makes them fail on
 * demand. The program is linked with --wrap for each function that
 * calls.h lists (the Makefile reads it), so it reaches the calls of the
 * program itself and of a static libvow, not those inside libuv. While it is
 * off, calls go straight through.
 *
 * Every fault is set with a function's name and a number: the nth call from
 * now, 1 being the next. NULL for the name: of all that are listed. Safe to use
 * from several threads; the settings are for one. */
#ifndef VOW_CHECK_SHIM_H
#define VOW_CHECK_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/** Counts from now on, with all counters at zero and nothing failing. What is
 *  told of a stream, listener and so on can be changed if it was started after
 *  this. */
void vow__shim_on(void);

/** No call fails or is counted any more. */
void vow__shim_off(void);

/* ---- the call itself ----------------------------------------------------- */

/** The nth call of the function called name returns code and does nothing (but
 *  for what happens in that case: a failed uv_accept loses the connection, a
 *  failed uv_spawn leaves a handle to be closed, a failed uv_fs_close without
 *  callback has closed the file). */
void vow__shim_fail(const char *name, size_t nth, int code);

/** The same for the nth and every one after it. */
void vow__shim_fail_from(const char *name, size_t nth, int code);

/* ---- what the callback is told ------------------------------------------- */

/** Of a request: the nth that is begun by name takes place, but its callback is
 *  told code, and what it made (a descriptor, a list) is undone. Of what is
 *  told again and again, by uv_read_start, uv_listen, uv_udp_recv_start,
 *  uv_poll_start, uv_fs_event_start, uv_fs_poll_start: its nth callback is told
 *  code. A stream's bytes are lost then; the others hear the truth right
 *  after. Code 0 for uv_read_start: it hears "nothing yet" before its bytes. */
void vow__shim_report(const char *name, size_t nth, int code);

/** The same for the nth and every one after it. */
void vow__shim_report_from(const char *name, size_t nth, int code);

/* ---- short transfers ----------------------------------------------------- */

/** From now on reads of streams and files deliver at most max_bytes at a time;
 *  0: no limit. */
void vow__shim_short_reads(size_t max_bytes);

/** uv_try_write, uv_try_write2, uv_fs_write and uv_fs_sendfile take at most
 *  max_bytes at a time; 0: no limit. */
void vow__shim_short_writes(size_t max_bytes);

/* ---- names --------------------------------------------------------------- */

/** uv_getaddrinfo answers with these addresses, ports included, whatever it is
 *  asked, until vow__shim_off or a call with n 0. They are copied; at most 8. */
void vow__shim_resolve(size_t n, const struct sockaddr *const addrs[]);

/* ---- what happened ------------------------------------------------------- */

/** Calls of name, or of all listed, since vow__shim_on, or vow__shim_fail and so on
 *  for that name. */
size_t vow__shim_count(const char *name);

/** How many faults took place since vow__shim_on. */
size_t vow__shim_hits(void);

/** The function at which the last fault took place; NULL: at none. */
const char *vow__shim_last(void);

/** A function of which a call was to fail, or its callback to be told a code,
 *  and it has not come to that yet, "any function" for NULL; NULL: there is
 *  none. */
const char *vow__shim_unmet(void);

/** Whether the function is listed. */
bool vow__shim_knows(const char *name);

#endif
