/* SPDX-License-Identifier: MIT */
/* Errors: codes, and error objects with message, origin, cause and trail.
 * A failure is a value (value.h) that a callback returns or a promise is
 * settled with. */
#ifndef VOW_ERROR_H
#define VOW_ERROR_H

#include <vow/value.h>

VOW_BEGIN_DECLS

/** Codes of vow's own, beside libuv's negative ones (UV_ECANCELED, ...). */
enum {
  VOW_EBROKEN = -9001,   /* broken promise: given up without settling */
  VOW_ETYPE = -9002,     /* a value read as another type */
  VOW_EMOVED = -9003,    /* the value was moved out, and cannot be shared */
  VOW_ESHUTDOWN = -9004, /* the loop, or the source, is closed */
  VOW_EMULTI = -9005,    /* several errors; see vow_error_nth */
  VOW_ECYCLE = -9006,    /* a future made to follow itself */
  VOW_ESETTLED = -9007,  /* settled already */
  VOW_ETHREAD = -9008,   /* used on a thread that is not its loop's */
  VOW_EIDLE = -9009      /* nothing is left that could settle the future */
};

/** An error object; immutable for users. */
typedef struct vow_failure vow_error_t;

/** vow_strerror(code), vow_err_name(code)
 *  The text ("operation canceled") and the name ("ECANCELED") of a code of
 *  libuv's or vow's; for an unknown one "unknown error" and "UNKNOWN".
 *  Ownership: static strings.  Errors: none.  Thread: any. */
VOW_EXPORT const char *vow_strerror(int code);
VOW_EXPORT const char *vow_err_name(int code);

/** vow_fail(code)
 *  A failure with a plain code; never allocates. UV_ECANCELED means a
 *  cancellation. A code >= 0 is replaced by UV_EINVAL.
 *  Ownership: none.  Errors: none.  Thread: any. */
VOW_EXPORT vow_value_t vow_fail(int code);

/** vow_failf(code, fmt, ...)
 *  A failure with a message made as printf does, and this line as its origin.
 *  Ownership: the arguments are only read.
 *  Errors: out of memory the result is the plain code.
 *  Thread: any. */
#define vow_failf(code, ...) vow_failf_at(VOW_SITE, (code), __VA_ARGS__)
VOW_EXPORT vow_value_t vow_failf_at(const char *site, int code, const char *fmt,
                                    ...) VOW_PRINTF(3, 4);

/** vow_fail_cause(code, cause, fmt, ...)
 *  The same with a cause: a failure value, for example vow_outcome(in).
 *  Ownership: consumes cause; one that is no failure is destroyed.
 *  Errors: out of memory the result is the plain code.
 *  Thread: the loop's. */
#define vow_fail_cause(code, cause, ...) \
  vow_fail_cause_at(VOW_SITE, (code), (cause), __VA_ARGS__)
VOW_EXPORT vow_value_t vow_fail_cause_at(const char *site, int code,
                                         vow_value_t cause, const char *fmt,
                                         ...) VOW_PRINTF(4, 5);

/** vow_fail_because(v, cause)
 *  Failure v with a cause, added behind those it has; a cancellation at the end
 *  of them gives way.
 *  Ownership: consumes both; the caller owns the result.
 *  Errors: out of memory, beyond 16 causes, or when v is no failure: v itself.
 *  Thread: the loop's. */
#define vow_fail_because(v, cause) vow_fail_because_at(VOW_SITE, (v), (cause))
VOW_EXPORT vow_value_t vow_fail_because_at(const char *site, vow_value_t v,
                                           vow_value_t cause);

/** vow_fail_multi(n, causes, first)
 *  A failure that holds n failures; code and message are those of number
 *  first, or VOW_EMULTI's when first >= n.
 *  Ownership: consumes the n values (not the array); those that are no
 *    failures are destroyed and left out.
 *  Errors: out of memory the result is the first's plain code.
 *  Thread: the loop's. */
#define vow_fail_multi(n, causes, first) \
  vow_fail_multi_at(VOW_SITE, (n), (causes), (first))
VOW_EXPORT vow_value_t vow_fail_multi_at(const char *site, size_t n,
                                         vow_value_t *causes, size_t first);

/** vow_fail_last()
 *  The last misuse that a vow function reported on this thread (a value read
 *  as the wrong type, a bad argument), as a failure with its message; when
 *  there was none, UV_EINVAL. The record is cleared.
 *    if ((s = vow_take(in, &my_type)) == NULL) return vow_fail_last();
 *  Ownership: none.  Errors: out of memory the plain code.
 *  Thread: any. */
VOW_EXPORT vow_value_t vow_fail_last(void);

/** vow_last_message()
 *  The text of that record, "" when there is none; not cleared.
 *  Ownership: valid until the thread's next vow call.  Errors: none.
 *  Thread: any. */
VOW_EXPORT const char *vow_last_message(void);

/** vow_cancelled(reason)
 *  A failure that counts as a cancellation, whatever its code; vow_status
 *  gives the reason. UV_ETIMEDOUT never counts as a cancellation: with it the
 *  result is a plain failure. A reason >= 0 is replaced by UV_ECANCELED.
 *  Ownership: none.  Errors: none.  Thread: any. */
VOW_EXPORT vow_value_t vow_cancelled(int reason);

/** vow_value_is_cancelled(v)
 *  True for a failure that counts as a cancellation.
 *  Ownership: v is borrowed.  Errors: none.  Thread: any. */
VOW_EXPORT bool vow_value_is_cancelled(vow_value_t v);

/** vow_value_message(v)
 *  A failure's message, or its code's text when it has none; NULL when v is no
 *  failure.
 *  Ownership: borrowed from v.  Errors: as said.  Thread: any. */
VOW_EXPORT const char *vow_value_message(vow_value_t v);

/** vow_value_code(v)
 *  The code of a failure, 0 for any other value.
 *  Ownership: v is borrowed.  Errors: none.  Thread: any. */
VOW_EXPORT int vow_value_code(vow_value_t v);

/** vow_value_error(v)
 *  The error object of a failure, NULL when it is a plain code or no failure.
 *  Ownership: borrowed from v.  Errors: none.  Thread: any. */
VOW_EXPORT const vow_error_t *vow_value_error(vow_value_t v);

/** vow_error_code(e), vow_error_message(e), vow_error_site(e)
 *  The code; the message (the code's text when none was given); the site
 *  where the error arose, "file:line", never NULL.
 *  Ownership: borrowed from e.  Errors: none.  Thread: any. */
VOW_EXPORT int vow_error_code(const vow_error_t *e);
VOW_EXPORT const char *vow_error_message(const vow_error_t *e);
VOW_EXPORT const char *vow_error_site(const vow_error_t *e);

/** vow_error_cause(e, ret_cause)
 *  Whether e has a cause; then *ret_cause is it (a plain code or an object).
 *  Ownership: *ret_cause is borrowed from e.  Errors: none.  Thread: any. */
VOW_EXPORT bool vow_error_cause(const vow_error_t *e, vow_value_t *ret_cause);

/** vow_error_trail(e, i)
 *  The i-th site the error passed on its way, 0 the nearest to its origin;
 *  NULL past the end. The first 16 are kept; vow_error_trail_length counts
 *  all.
 *  Ownership: static strings.  Errors: none.  Thread: any. */
VOW_EXPORT const char *vow_error_trail(const vow_error_t *e, size_t i);
VOW_EXPORT size_t vow_error_trail_length(const vow_error_t *e);

/** vow_error_count(e), vow_error_nth(e, i)
 *  How many errors an aggregate holds (0 for any other), and the i-th, in
 *  argument order for `any`, with the deciding one first for gather; nil past
 *  the end.
 *  Ownership: borrowed from e.  Errors: none.  Thread: any. */
VOW_EXPORT size_t vow_error_count(const vow_error_t *e);
VOW_EXPORT vow_value_t vow_error_nth(const vow_error_t *e, size_t i);

/** vow_error_format(v, buf, size_bytes)
 *  The whole story of a failure in several lines: message, code, origin,
 *  trail, causes. Cut to fit, always zero-terminated when size_bytes > 0.
 *  Returns buf.
 *  Ownership: v is borrowed.  Errors: none.  Thread: any. */
VOW_EXPORT const char *vow_error_format(vow_value_t v, char *buf,
                                        size_t size_bytes);

VOW_END_DECLS
#endif
