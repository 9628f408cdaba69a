/* SPDX-License-Identifier: MIT */
/* Bytes: what a read gives; an immutable piece of memory that can be shared
 * without copying. */
#ifndef VOW_BYTES_H
#define VOW_BYTES_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A counted piece of memory. Several pieces may come from one block of
 *  64 KiB, which is kept as long as one of them is: copy what is kept long. */
typedef struct vow_bytes vow_bytes_t;

/** The type of futures of bytes. It can be shared. */
VOW_EXPORT extern const vow_type_t vow_type_bytes;

/** vow_bytes_data(b), vow_bytes_length(b)
 *  Where the bytes are, and how many.
 *  Ownership: borrowed from b.  Errors: "" and 0 for NULL.
 *  Thread: any that holds a reference. */
VOW_EXPORT const char *vow_bytes_data(const vow_bytes_t *b);
VOW_EXPORT size_t vow_bytes_length(const vow_bytes_t *b);

/** vow_bytes_ref(b), vow_bytes_unref(b)
 *  Counts b up and down. The loop may be closed before the last goes.
 *  Ownership: ref: the caller owns the new reference; unref consumes one.
 *  Errors: none; NULL is allowed.
 *  Thread: the loop's. */
VOW_EXPORT vow_bytes_t *vow_bytes_ref(vow_bytes_t *b);
VOW_EXPORT void vow_bytes_unref(vow_bytes_t *b);

/** vow_bytes_new(size_bytes, ret_room)
 *  A piece of size_bytes with memory of its own; *ret_room, which may be NULL,
 *  is where to write its bytes before anybody else gets to see it.
 *  Ownership: the caller owns the result; *ret_room is borrowed from it.
 *  Errors: NULL for want of memory; *ret_room is not written then.
 *  Thread: any. */
VOW_EXPORT VOW_MUST_USE vow_bytes_t *vow_bytes_new(size_t size_bytes,
                                                   char **ret_room);

/** vow_bytes_copy(data, length)
 *  A piece with a copy of length bytes at data.
 *  Ownership: the caller owns the result; data is only read.
 *  Errors: NULL for want of memory, or when data is NULL and length is not 0.
 *  Thread: any. */
VOW_EXPORT VOW_MUST_USE vow_bytes_t *vow_bytes_copy(const void *data,
                                                    size_t length);

/** vow_bytes_slice(b, offset, length)
 *  A part of b, without copying: as much of it as there is. It keeps the whole
 *  of b's memory.
 *  Ownership: the caller owns the result; b is borrowed.
 *  Errors: NULL for want of memory, or when b is NULL.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_bytes_t *vow_bytes_slice(vow_bytes_t *b,
                                                     size_t offset,
                                                     size_t length);

/** vow_bytes_is_shared(b)
 *  Whether there are other references to b, or slices of it.
 *  Ownership: b is borrowed.  Errors: false for NULL.  Thread: the loop's. */
VOW_EXPORT bool vow_bytes_is_shared(const vow_bytes_t *b);

/** vow_bytes_shorten(b, length)
 *  Cuts b's end off, while the caller has the only reference; its memory
 *  stays. Nothing happens when b is not longer.
 *  Ownership: b is borrowed.  Errors: none; NULL is allowed.
 *  Thread: any that holds the reference. */
VOW_EXPORT void vow_bytes_shorten(vow_bytes_t *b, size_t length);

/** vow_bytes_get(f), vow_bytes_take(f)
 *  vow_get and vow_take with the type of bytes.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_bytes_unref. */
VOW_EXPORT vow_bytes_t *vow_bytes_get(vow_future_t *f);
VOW_EXPORT vow_bytes_t *vow_bytes_take(vow_future_t *f);

VOW_END_DECLS
#endif
