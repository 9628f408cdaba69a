/* SPDX-License-Identifier: MIT */
/* The soak: a server and thousands of clients, each side a process of its own,
 * under faults for minutes. Memory and descriptors must stay flat, and nothing
 * may be left in the end. */
#ifndef VOW_TEST_SOAK_H
#define VOW_TEST_SOAK_H

#include <vow.h>

#include <stdio.h>

typedef struct soak {
  uint64_t seconds;
  uint64_t seed;
  size_t connections;
} soak_t;

/** What a process has seen; of the wrong there must be none. */
typedef struct soak_counts {
  uint64_t exchanges; /* frames that were answered, or got their answer */
  uint64_t visits;    /* connections that were made or accepted */
  uint64_t failures;  /* of connections and exchanges */
  uint64_t timeouts;
  uint64_t starved; /* allocations that failed */
  uint64_t wrong;   /* bytes other than those that were sent */
  size_t connected;
} soak_counts_t;

extern soak_counts_t soak_counts;

/* ---- chance ---------------------------------------------------------------- */

/** Below bound, by the seed of the process. */
uint64_t soak_below(uint64_t bound);
void soak_seed(uint64_t seed);

/* ---- frames: frame.c -------------------------------------------------------- */

#define SOAK_HEAD_BYTES  8
#define SOAK_LIMIT_BYTES 4096

/** A head, and length bytes that follow from it. */
typedef struct soak_frame {
  uint32_t length;
  uint32_t delay_ms; /* how long the server is to wait before it answers */
} soak_frame_t;

/** NULL for want of memory. */
vow_bytes_t *soak_frame_write(const soak_frame_t *f);
/** Succeeds with the bytes of a frame without its head, which it writes to
 *  *ret_frame; that must live until then. One that is wrong is counted, and
 *  fails with UV_EPROTO. */
vow_future_t *soak_frame_read(vow_stream_t *s, soak_frame_t *ret_frame);

/* ---- the two sides ----------------------------------------------------------- */

/** Run until the time is over, or child has ended; true when all was well. */
bool soak_serve(const soak_t *soak, int port_fd, int child);
bool soak_visit(const soak_t *soak, int port_fd);

/* ---- faults: storm.c ---------------------------------------------------------- */

/** A task's body: makes memory and calls of libuv fail until it is cancelled. */
vow_value_t soak_storm(void *loop);
/** From now on nothing fails. */
void soak_storm_end(void);

/* ---- measuring: gauge.c -------------------------------------------------------- */

/** Before anything is opened. */
void soak_gauge_begin(const char *who, const soak_t *soak);
/** Notes how things are, and prints a line. */
void soak_gauge_note(vow_loop_t *loop);
/** Closes a loop on which nothing may be left. */
void soak_close(vow_loop_t *loop);
/** When all was given back: true when nothing is left, and what was noted since
 *  the warm-up was flat; prints why not. */
bool soak_gauge_end(void);
/** Counts and prints what should not be. */
void soak_complain(const char *text, long number);

/** Waits ms, though memory fails, or until the task is cancelled. */
void soak_pause(vow_loop_t *loop, uint64_t ms);

#define SOAK_INTERVAL_MS 5000

#endif
