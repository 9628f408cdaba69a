/* SPDX-License-Identifier: MIT */
/* Pieces of bytes and the blocks they are cut from. */
#include "uv/pool.h"

#include <vow/op.h>

#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)
/* Less room than this is not offered to a read. */
#define ROOM_MIN ((size_t)16 * 1024)

typedef struct block block_t;

struct vow_bytes {
  size_t length;
  block_t *block; /* NULL: memory of its own */
  size_t refs;
  vow_bytes_t *whole; /* NULL, or this is a slice: a pointer into the memory of
                         whole, which it keeps, follows */
};

struct block {
  vow__pool_t *pool;
  size_t used;
  size_t live; /* pieces */
  size_t unused;
  char memory[BLOCK_BYTES];
};

struct vow__pool {
  block_t *current;
  block_t *reserve;
  size_t blocks; /* all that exist */
  bool closed;
};

/* ---- blocks -------------------------------------------------------------- */

vow__pool_t *vow__pool_new(void) {
  vow__pool_t *pool = vow_alloc(sizeof *pool);
  if (pool != NULL) memset(pool, 0, sizeof *pool);
  return pool;
}

static block_t *block_new(vow__pool_t *pool) {
  block_t *block = pool->reserve;
  pool->reserve = NULL;
  if (block != NULL) return block;
  block = vow_alloc(sizeof *block);
  if (block == NULL) return NULL;
  block->pool = pool;
  block->used = 0;
  block->live = 0;
  pool->blocks++;
  return block;
}

static void block_free(block_t *block) {
  vow__pool_t *pool = block->pool;
  vow_release(block);
  pool->blocks--;
  if (pool->closed && pool->blocks == 0) vow_release(pool);
}

/* The last piece of block has gone. */
static void block_idle(block_t *block) {
  vow__pool_t *pool = block->pool;
  block->used = 0;
  if (block == pool->current) return;
  if (!pool->closed && pool->reserve == NULL) {
    pool->reserve = block;
    return;
  }
  block_free(block);
}

void vow__pool_close(vow__pool_t *pool) {
  block_t *current;
  block_t *reserve;
  if (pool == NULL) return;
  current = pool->current;
  reserve = pool->reserve;
  pool->current = NULL;
  pool->reserve = NULL;
  if (reserve != NULL) block_free(reserve);
  if (current != NULL && current->live == 0) block_free(current);
  pool->closed = true;
  if (pool->blocks == 0) vow_release(pool);
}

bool vow__pool_room(vow__pool_t *pool, uv_buf_t *ret_buf) {
  block_t *block = pool->current;
  size_t taken;
  if (block == NULL || BLOCK_BYTES - block->used < ROOM_MIN) {
    block = block_new(pool);
    if (block == NULL) return false;
    pool->current = block; /* the former comes back with its last piece */
  }
  taken = block->used + sizeof(vow_bytes_t);
  *ret_buf =
      uv_buf_init(block->memory + taken, (unsigned)(BLOCK_BYTES - taken));
  return true;
}

size_t vow__bytes_charge(size_t length) {
  return (sizeof(vow_bytes_t) + length + 15) & ~(size_t)15;
}

vow_bytes_t *vow__pool_cut(vow__pool_t *pool, size_t length) {
  block_t *block = pool->current;
  vow_bytes_t *b = (vow_bytes_t *)(void *)(block->memory + block->used);
  b->length = length;
  b->block = block;
  b->refs = 1;
  b->whole = NULL;
  block->live++;
  block->used += vow__bytes_charge(length);
  if (block->used > BLOCK_BYTES) block->used = BLOCK_BYTES;
  return b;
}

/* ---- pieces -------------------------------------------------------------- */

vow_bytes_t *vow__bytes_new(size_t size_bytes) {
  vow_bytes_t *b;
  if (size_bytes > SIZE_MAX - sizeof *b) return NULL;
  b = vow_alloc(sizeof *b + size_bytes);
  if (b == NULL) return NULL;
  b->length = 0;
  b->block = NULL;
  b->refs = 1;
  b->whole = NULL;
  return b;
}

char *vow__bytes_room(vow_bytes_t *b) {
  return (char *)(b + 1);
}

void vow__bytes_fill(vow_bytes_t *b, size_t length) {
  b->length = length;
}

vow_bytes_t *vow_bytes_new(size_t size_bytes, char **ret_room) {
  vow_bytes_t *b = vow__bytes_new(size_bytes);
  if (b == NULL) return NULL;
  b->length = size_bytes;
  if (ret_room != NULL) *ret_room = vow__bytes_room(b);
  return b;
}

vow_bytes_t *vow_bytes_copy(const void *data, size_t length) {
  vow_bytes_t *b;
  char *room;
  if (data == NULL && length > 0) return NULL;
  b = vow_bytes_new(length, &room);
  if (b != NULL && length > 0) memcpy(room, data, length);
  return b;
}

static const char **slice_data(vow_bytes_t *b) {
  return (const char **)(void *)(b + 1);
}

vow_bytes_t *vow_bytes_slice(vow_bytes_t *b, size_t offset, size_t length) {
  vow_bytes_t *s;
  if (b == NULL) return NULL;
  if (offset > b->length) offset = b->length;
  if (length > b->length - offset) length = b->length - offset;
  s = vow__bytes_new(sizeof(const char *));
  if (s == NULL) return NULL;
  s->length = length;
  *slice_data(s) = vow_bytes_data(b) + offset;
  s->whole = vow_bytes_ref(b->whole != NULL ? b->whole : b);
  return s;
}

bool vow_bytes_is_shared(const vow_bytes_t *b) {
  return b != NULL && b->refs > 1;
}

void vow_bytes_shorten(vow_bytes_t *b, size_t length) {
  if (b != NULL && length < b->length) b->length = length;
}

const char *vow_bytes_data(const vow_bytes_t *b) {
  if (b == NULL) return "";
  if (b->whole == NULL) return (const char *)(b + 1);
  return *slice_data((vow_bytes_t *)(uintptr_t)b);
}

size_t vow_bytes_length(const vow_bytes_t *b) {
  return b != NULL ? b->length : 0;
}

vow_bytes_t *vow_bytes_ref(vow_bytes_t *b) {
  if (b != NULL) b->refs++;
  return b;
}

void vow_bytes_unref(vow_bytes_t *b) {
  vow_bytes_t *whole;
  if (b == NULL || --b->refs > 0) return;
  whole = b->whole;
  if (b->block == NULL)
    vow_release(b);
  else if (--b->block->live == 0)
    block_idle(b->block);
  vow_bytes_unref(whole); /* which is no slice */
}

/* ---- the type ------------------------------------------------------------ */

static void bytes_destroy(void *p) {
  vow_bytes_unref(p);
}

static void *bytes_share(void *p) {
  return vow_bytes_ref(p);
}

static void bytes_describe(const void *p, char *buf, size_t size_bytes) {
  snprintf(buf, size_bytes, "%zu bytes", vow_bytes_length(p));
}

const vow_type_t vow_type_bytes = {"bytes", bytes_destroy, bytes_share,
                                   bytes_describe};

vow_bytes_t *vow_bytes_get(vow_future_t *f) {
  return vow_get(f, &vow_type_bytes);
}

vow_bytes_t *vow_bytes_take(vow_future_t *f) {
  return vow_take(f, &vow_type_bytes);
}
