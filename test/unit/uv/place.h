/* SPDX-License-Identifier: MIT */
/* The tables of wrappers, and the place where their tests work: handles that
 * are connected and fresh ones, or a folder with a few files. A new wrapper
 * gets every situation of test_requests_*.c by a row in rows_streams.c or
 * rows_files.c, those of test_sources_*.c by one in rows_sources.c, and those
 * of test_makers.c by one there. A test sees to it that none is left out. */
#ifndef VOW_TEST_UV_PLACE_H
#define VOW_TEST_UV_PLACE_H

#include "check/shim/shim.h"
#include "unit/uv/fs_support.h"

/** What it holds depends on the row. */
typedef struct place {
  vow_loop_t *loop;
  char into[64];
  int drops;

  /* Streams and datagrams; a folder NULL. */
  pair_t pair;
  uv_tcp_t *fresh; /* neither bound nor connected */
  char *big;       /* larger than any socket buffer */
  char socket[40]; /* where listening_pipe listens */
  uv_pipe_t *listening_pipe;
  vow_listener_t *pipe_listener;
  uv_pipe_t *fresh_pipe;
  uv_pipe_t *ipc[2]; /* connected, with ipc */
  uv_udp_t *udp;
  uv_udp_send_t raw; /* goes ahead of what vow sends */

  /* Files: what is worked on. Or, after place_clear, what is not there. */
  folder_t *folder;
  const char *file;  /* holds "0123456789" */
  const char *link;  /* to it */
  const char *empty; /* a folder */
  const char *fresh_name;
  int fd; /* of the file */
  vow_dir_t *dir;
} place_t;

#define BIG_BYTES (400u * 1000)

/** A place with streams, or with files; probe: every cell asks the
 *  allocator. */
place_t *place_open(bool files, bool probe);
/** From now on paths and descriptors name nothing. */
void place_clear(place_t *at);
/** Failures that nobody saw since place_open, or since the last time this was
 *  asked. */
int place_unseen(void);
/** Runs until what was begun there has ended. */
void place_calm(place_t *at);
/** Frees what tests work on, but for the loop: before it is closed. */
void place_free_handles(place_t *at);
/** After the loop was closed. */
void place_free(place_t *at);
/** All of it; nothing may be left behind. */
void place_close(place_t *at);

/* ---- requests ------------------------------------------------------------ */

typedef enum cancel_kind {
  AT_ONCE, /* owns its memory */
  WAITS,   /* may be cancelled, settles when libuv has let go */
  NEVER    /* runs on */
} cancel_kind_t;

/** A wrapper of a request. Lists of codes end with 0; NULL is an empty one. */
typedef struct request {
  const char *name; /* without vow_ */
  vow_future_t *(*start)(place_t *at);
  void (*prepare)(place_t *at); /* before start; NULL: nothing to do */
  cancel_kind_t cancel;
  const char *call;     /* the libuv function that begins it */
  const int *fails;     /* what that may return */
  const int *reports;   /* what its callback may be told */
  const char *try_call; /* called before, to do without a request; or NULL */
  const int *try_fails; /* what that may return, but for UV_EAGAIN */
  int missing;          /* when there is nothing to work on; 0: no such case */
  bool files;           /* works on files */
  bool pooled;          /* on libuv's thread pool: waits in its queue */
} request_t;

extern const request_t stream_rows[], file_rows[];
extern const int stream_row_count, file_row_count;

/** Number i of all. */
const request_t *request_at(int i);
int request_count(void);

/** A place for r; and r begun there. */
place_t *request_place(const request_t *r, bool probe);
vow_future_t *request_begin(const request_t *r, place_t *at);

#endif
