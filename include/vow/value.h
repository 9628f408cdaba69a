/* SPDX-License-Identifier: MIT */
/* Values: what a future settles with. A value is 16 bytes, a payload and the
 * type that knows how to destroy it. Errors are values too; see error.h. */
#ifndef VOW_VALUE_H
#define VOW_VALUE_H

#include <vow/base.h>

VOW_BEGIN_DECLS

/** A type: a name for messages, and what can be done with a payload.
 *  destroy: releases a pointer payload; NULL when there is nothing to release.
 *    It runs exactly once for a value nobody took, on the loop's thread. It
 *    may call any vow function except those that run or close the loop.
 *  ref: gives another owned pointer to the same thing (usually p itself with
 *    a count raised); NULL when the thing cannot be shared. It may return
 *    NULL for want of memory.
 *  describe: writes at most size bytes, zero included, for logs; may be NULL.
 *  A type is compared by address: define it once. */
typedef struct vow_type {
  const char *name;
  void (*destroy)(void *p);
  void *(*ref)(void *p);
  void (*describe)(const void *p, char *buf, size_t size_bytes);
} vow_type_t;

/** A value. Pass it by value; it travels in two registers. A zeroed value is
 *  nil. Whoever holds a value of a pointer type owns the thing unless a
 *  function says "borrowed". */
typedef struct vow_value {
  union {
    int64_t i;
    double d;
    void *p;
    const void *cp;
  } as;
  const vow_type_t *type;
} vow_value_t;

/** The types of vow's own values. */
VOW_EXPORT extern const vow_type_t vow_type_int;    /* as.i */
VOW_EXPORT extern const vow_type_t vow_type_double; /* as.d */
VOW_EXPORT extern const vow_type_t vow_type_cstr;   /* as.cp, static string */
VOW_EXPORT extern const vow_type_t vow_type_string; /* as.p, owned char * */

/** vow_nil()
 *  Success with nothing to say; its type is NULL.
 *  Ownership: none.  Errors: none.  Thread: any. */
static inline vow_value_t vow_nil(void) {
  vow_value_t v;
  v.as.i = 0;
  v.type = NULL;
  return v;
}

/** vow_int(i)
 *  A number. Never allocates.
 *  Ownership: none.  Errors: none.  Thread: any. */
static inline vow_value_t vow_int(int64_t i) {
  vow_value_t v;
  v.as.i = i;
  v.type = &vow_type_int;
  return v;
}

/** vow_double(d)
 *  A floating-point number. Never allocates.
 *  Ownership: none.  Errors: none.  Thread: any. */
static inline vow_value_t vow_double(double d) {
  vow_value_t v;
  v.as.d = d;
  v.type = &vow_type_double;
  return v;
}

/** vow_cstr(s)
 *  A string that lives as long as the program (a literal). Never allocates.
 *  Ownership: s is borrowed for ever.  Errors: none.  Thread: any. */
static inline vow_value_t vow_cstr(const char *s) {
  vow_value_t v;
  v.as.cp = s;
  v.type = &vow_type_cstr;
  return v;
}

/** vow_ptr(p, type)
 *  p as a value of a user's type.
 *  Ownership: p now belongs to the value; type->destroy ends it.
 *  Errors: none; p may be NULL (destroy is then not called).
 *  Thread: any. */
static inline vow_value_t vow_ptr(void *p, const vow_type_t *type) {
  vow_value_t v;
  v.as.p = p;
  v.type = type;
  return v;
}

/** vow_string(s)
 *  A copy of s, up to its zero byte, owned by the value.
 *  Ownership: s is only read.
 *  Errors: the value is a failure UV_ENOMEM, or UV_EINVAL when s is NULL.
 *  Thread: any. */
VOW_EXPORT vow_value_t vow_string(const char *s);

/** vow_stringf(fmt, ...)
 *  A string made as printf does, owned by the value.
 *  Ownership: the arguments are only read.
 *  Errors: the value is a failure UV_ENOMEM, or UV_EINVAL for a bad format.
 *  Thread: any. */
VOW_EXPORT vow_value_t vow_stringf(const char *fmt, ...) VOW_PRINTF(1, 2);

/** vow_value_destroy(v)
 *  Ends a value that you own. nil and numbers: does nothing. A value made by
 *  vow_follow drops its future.
 *  Ownership: consumes v.  Errors: none.
 *  Thread: the loop's, if the type asks for it. */
VOW_EXPORT void vow_value_destroy(vow_value_t v);

/** vow_value_share(v, ret_copy)
 *  A second owned value that means the same: numbers are copied, pointers go
 *  through their type's ref.
 *  Ownership: v stays yours; *ret_copy is yours too.
 *  Errors: VOW_EMOVED when the type cannot be shared, UV_ENOMEM when its ref
 *    failed; *ret_copy is not written then.
 *  Thread: the loop's. */
VOW_EXPORT int vow_value_share(vow_value_t v, vow_value_t *ret_copy);

/** vow_value_describe(v, buf, size_bytes)
 *  Writes a short text for logs, always zero-terminated when size_bytes > 0,
 *  and returns buf.
 *  Ownership: v is borrowed.  Errors: none.  Thread: any. */
VOW_EXPORT const char *vow_value_describe(vow_value_t v, char *buf,
                                          size_t size_bytes);

/** vow_value_get(v, type)
 *  The pointer of a value of that type: for list items and what
 *  vow_await_blocking gave.
 *  Ownership: borrowed from v.
 *  Errors: NULL for another type; vow_fail_last names both.
 *  Thread: any. */
VOW_EXPORT void *vow_value_get(vow_value_t v, const vow_type_t *type);

/** vow_value_int(v), vow_value_double(v), vow_value_string(v)
 *  The number or string (vow_cstr or vow_string) of a value of that type.
 *  Ownership: a string is borrowed from v.
 *  Errors: 0 or NULL for another type; vow_fail_last names both.
 *  Thread: any. */
VOW_EXPORT int64_t vow_value_int(vow_value_t v);
VOW_EXPORT double vow_value_double(vow_value_t v);
VOW_EXPORT const char *vow_value_string(vow_value_t v);

/** vow_value_is_failure(v)
 *  True when a future that settles with v has failed or was cancelled.
 *  Ownership: v is borrowed.  Errors: none.  Thread: any. */
VOW_EXPORT bool vow_value_is_failure(vow_value_t v);

/** VOW_DEFINE_TYPE(prefix, ctype, destroy_fn)
 *  VOW_DEFINE_SHARED_TYPE(prefix, ctype, destroy_fn, ref_fn)
 *  Define, in one .c file, the type `prefix_type` for `ctype *` payloads and
 *  three typed accessors:
 *    vow_value_t prefix_value(ctype *p)        p as an owned value
 *    ctype *prefix_get(vow_future_t *f)        borrow, as vow_get
 *    ctype *prefix_take(vow_future_t *f)       move out, as vow_take
 *  destroy_fn is void (ctype *), ref_fn is ctype *(ctype *). To give a type a
 *  describe as well, write the vow_type_t by hand.
 *  VOW_DECLARE_TYPE(prefix, ctype) declares the same in a header.
 *  Include <vow/future.h> before use. */
#define VOW_DECLARE_TYPE(prefix, ctype)  \
  extern const vow_type_t prefix##_type; \
  vow_value_t prefix##_value(ctype *p);  \
  ctype *prefix##_get(vow_future_t *f);  \
  ctype *prefix##_take(vow_future_t *f)

#define VOW_DEFINE_TYPE(prefix, ctype, destroy_fn) \
  VOW__DEFINE_TYPE(prefix, ctype, destroy_fn, NULL)

#define VOW_DEFINE_SHARED_TYPE(prefix, ctype, destroy_fn, ref_fn) \
  static void *prefix##_vow_ref(void *p) {                        \
    return (void *)ref_fn((ctype *)p);                            \
  }                                                               \
  VOW__DEFINE_TYPE(prefix, ctype, destroy_fn, prefix##_vow_ref)

#define VOW__DEFINE_TYPE(prefix, ctype, destroy_fn, ref)                      \
  VOW_DECLARE_TYPE(prefix, ctype);                                            \
  static void prefix##_vow_destroy(void *p) {                                 \
    destroy_fn((ctype *)p);                                                   \
  }                                                                           \
  const vow_type_t prefix##_type = {#ctype, prefix##_vow_destroy, ref, NULL}; \
  vow_value_t prefix##_value(ctype *p) {                                      \
    return vow_ptr(p, &prefix##_type);                                        \
  }                                                                           \
  ctype *prefix##_get(vow_future_t *f) {                                      \
    return (ctype *)vow_get(f, &prefix##_type);                               \
  }                                                                           \
  ctype *prefix##_take(vow_future_t *f) {                                     \
    return (ctype *)vow_take(f, &prefix##_type);                              \
  }                                                                           \
  VOW_DECLARE_TYPE(prefix, ctype)

VOW_END_DECLS
#endif
