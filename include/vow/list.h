/* SPDX-License-Identifier: MIT */
/* Lists: the ordered results that gather and map succeed with. */
#ifndef VOW_LIST_H
#define VOW_LIST_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A list of values of any types, of fixed length; one allocation. It is
 *  counted: sharing a list value gives the same list. */
typedef struct vow_list vow_list_t;

/** The type of a value that holds a list. Destroying the last such value
 *  destroys the elements, in order. */
VOW_EXPORT extern const vow_type_t vow_type_list;

/** vow_get_list(f), vow_take_list(f)
 *  The list that f succeeded with: borrowed as vow_get gives it, and moved out
 *  (or shared) as vow_take does.
 *  Ownership: as vow_get and vow_take; end what you took with vow_list_drop.
 *  Errors: NULL, and vow_fail_last() says why.
 *  Thread: the loop's. */
VOW_EXPORT vow_list_t *vow_get_list(vow_future_t *f);
VOW_EXPORT VOW_MUST_USE vow_list_t *vow_take_list(vow_future_t *f);

/** vow_list_new(length)
 *  A list of nils, to be filled with vow_list_set; vow_ptr(l, &vow_type_list)
 *  makes it a value.
 *  Ownership: the caller owns it.
 *  Errors: NULL for want of memory.  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_list_t *vow_list_new(size_t length);

/** vow_list_set(l, i, v)
 *  Makes v element i; what was there is destroyed.
 *  Ownership: consumes v, also on error.
 *  Errors: UV_EINVAL past the end and for NULL; 0.
 *  Thread: the loop's. The destructor of the former element runs in this
 *    call. */
VOW_EXPORT int vow_list_set(vow_list_t *l, size_t i, vow_value_t v);

/** vow_value_list(v)
 *  The list in a value of type vow_type_list.
 *  Ownership: borrowed from v.
 *  Errors: NULL for another type; vow_fail_last names both.
 *  Thread: the loop's. */
VOW_EXPORT vow_list_t *vow_value_list(vow_value_t v);

/** vow_list_drop(l)
 *  Gives up a list that you took; the last holder's call destroys what is
 *  left in it. vow_ptr(l, &vow_type_list) makes it a value again instead.
 *  Ownership: consumes l. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. Destructors of elements run in this call. */
VOW_EXPORT void vow_list_drop(vow_list_t *l);

/** vow_list_length(l)
 *  How many elements l has; those taken out count.
 *  Ownership: l is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_list_length(const vow_list_t *l);

/** vow_list_at(l, i)
 *  Element i. In a list of gather_settled it may be a failure: see
 *  vow_value_is_failure and vow_value_code.
 *  Ownership: borrowed; it lives as long as l does, or until it is taken.
 *  Errors: nil past the end, for NULL, and for one that was taken.
 *  Thread: the loop's. */
VOW_EXPORT vow_value_t vow_list_at(const vow_list_t *l, size_t i);

/** vow_list_take(l, i)
 *  Moves element i out and leaves nil in its place. While the list has other
 *  holders the element stays, and a second one is made through its type's ref.
 *  Ownership: the caller owns the result; l is borrowed. Taking from a list
 *    that vow_get_list lent changes what the future's other readers see.
 *  Errors: nil past the end and for NULL; the failure VOW_EMOVED when the list
 *    is shared and the element cannot be, UV_ENOMEM when its ref failed.
 *  Thread: the loop's. */
VOW_EXPORT vow_value_t vow_list_take(vow_list_t *l, size_t i);

VOW_END_DECLS
#endif
