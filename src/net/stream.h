/* SPDX-License-Identifier: MIT */
/* The inside of a stream, for the files of its interface. Transports use
 * <vow/stream_class.h>. */
#ifndef VOW_NET_STREAM_H
#define VOW_NET_STREAM_H

#include <vow/op.h>
#include <vow/stream_class.h>

#include "net/chunks.h"

typedef struct vow__stream vow__stream_t;
typedef struct vow__read vow__read_t;

/** What vow_stream_t's private words are. */
struct vow__stream {
  vow_loop_t *loop;
  vow__chunks_t chunks;
  /** The last of a ring of pending reads; its next is the first. NULL: none. */
  vow__read_t *last;
  uint32_t refs;
  uint32_t high_water_bytes;
  int end;      /* what comes behind the chunks; 0: not known yet */
  bool begun;   /* there was a read */
  bool reading; /* read_start was called, and nothing ended it */
  bool closed;
  const vow_stream_class_t *cls;
};

static inline vow__stream_t *vow__stream_of(const vow_stream_t *s) {
  return (vow__stream_t *)(uintptr_t)s;
}
static inline vow_stream_t *vow__stream_public(vow__stream_t *s) {
  return (vow_stream_t *)(void *)s;
}

/** Why s cannot be used, as a failed future; NULL when it can. */
vow_future_t *vow__stream_refusal(const char *site, const vow_stream_t *s,
                                  const char *what);

/* ---- stream_read.c ------------------------------------------------------- */

/** Serves the reads that can be, and begins or pauses reading. */
void vow__stream_serve(vow__stream_t *s);
/** Fails all pending reads with what v says, a plain code. */
void vow__stream_fail_reads(vow__stream_t *s, int code);
/** How many bytes the first pending read may need in all; 0 when there is
 *  none. */
size_t vow__stream_need(const vow__stream_t *s);

#endif
