/* SPDX-License-Identifier: MIT */
/* Memory for reads: counted pieces, and a pool of blocks they are cut from.
 *
 * How this works. All readers of a loop share one current block, since libuv
 * asks for memory, reads, and reports in one go. What was read becomes a piece
 * with its header in front, in the block itself; the next read goes behind it.
 * When the last piece of a block is dropped the block starts afresh, so a
 * ping-pong over any number of connections uses one block and allocates
 * nothing. One block that became free is kept in reserve. Pieces may outlive
 * the loop: the pool goes with its last block. */
#ifndef VOW_UV_POOL_H
#define VOW_UV_POOL_H

#include <uv.h>
#include <vow/bytes.h>

typedef struct vow__pool vow__pool_t;

/** A pool without blocks; NULL for want of memory. */
vow__pool_t *vow__pool_new(void);
/** Nothing is read any more. Consumes pool, which may be NULL. */
void vow__pool_close(vow__pool_t *pool);
/** Room for a read; false for want of memory. */
bool vow__pool_room(vow__pool_t *pool, uv_buf_t *ret_buf);
/** The first length (> 0) bytes of the room given last, as a piece. */
vow_bytes_t *vow__pool_cut(vow__pool_t *pool, size_t length);
/** What a piece of length bytes takes up. */
size_t vow__bytes_charge(size_t length);

/** A piece with memory of its own, to be filled; NULL for want of memory. */
vow_bytes_t *vow__bytes_new(size_t size_bytes);
char *vow__bytes_room(vow_bytes_t *b);
/** Sets how much of it counts. */
void vow__bytes_fill(vow_bytes_t *b, size_t length);

#endif
