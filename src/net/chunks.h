/* SPDX-License-Identifier: MIT */
/* A queue of bytes that came in pieces. Nothing of streams in here.
 *
 * How this works. The first piece is in the struct itself, so a queue that is
 * emptied piece by piece never allocates; the others are in a ring. When many
 * small ones pile up they are joined at the end of the queue, in pieces of
 * SMALL_BYTES: a peer that sends single bytes cannot make the ring, or what
 * each of them costs, large. */
#ifndef VOW_NET_CHUNKS_H
#define VOW_NET_CHUNKS_H

#include <vow/bytes.h>

struct vow__chunks_ring;

/** Zeroed when empty. */
typedef struct vow__chunks {
  vow_bytes_t *first;            /* NULL: empty */
  struct vow__chunks_ring *more; /* NULL: never needed since it was empty */
  size_t offset;                 /* how much of first has been taken */
  size_t total_bytes;
} vow__chunks_t;

/** Makes sure that a push does not fail: UV_ENOMEM or 0. */
int vow__chunks_reserve(vow__chunks_t *c);
/** Appends b, which is consumed unless this fails: UV_ENOMEM or 0. */
int vow__chunks_push(vow__chunks_t *c, vow_bytes_t *b);
/** How long the first piece is that lies in one place; 0 when empty. */
size_t vow__chunks_run(const vow__chunks_t *c);
/** The first n bytes, of which there are so many, in one piece that is yours;
 *  they stay. NULL for want of memory. */
vow_bytes_t *vow__chunks_peek(vow__chunks_t *c, size_t n);
/** The same, and they go. */
vow_bytes_t *vow__chunks_take(vow__chunks_t *c, size_t n);
/** The first n bytes, of which there are so many, go. */
void vow__chunks_skip(vow__chunks_t *c, size_t n);
/** Where what, of length > 0 bytes, begins first, at or behind from; SIZE_MAX
 *  when it is not there. */
size_t vow__chunks_find(const vow__chunks_t *c, size_t from, const char *what,
                        size_t length);
/** The byte at a place that exists. */
char vow__chunks_at(const vow__chunks_t *c, size_t place);
/** Everything goes. */
void vow__chunks_clear(vow__chunks_t *c);

#endif
