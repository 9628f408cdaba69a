/* SPDX-License-Identifier: MIT */
/* The table of what libuv tells again and again: each wrapper that gives it out
 * as futures gets every situation of test_sources_table.c and
 * test_sources_faults.c by a row in rows_sources.c. */
#ifndef VOW_TEST_UV_SOURCES_H
#define VOW_TEST_UV_SOURCES_H

#include "unit/uv/place.h"

/** A place and a source in it. */
typedef struct spring {
  place_t *at;
  vow_loop_t *loop;
  void *it;      /* what the source's own functions take; NULL: not open */
  int fds[2];    /* ends of tests' own; -1: none */
  int names;     /* given to files so far */
  uv_tty_t *tty; /* or NULL */
} spring_t;

typedef struct source {
  const char *name; /* of the function that gives the next, without vow_ */
  void (*prepare)(spring_t *s); /* the place; NULL: nothing to do */
  /** Makes it; the code of the function that does. NULL: next does. */
  int (*open)(spring_t *s);
  vow_future_t *(*next)(spring_t *s);
  /** One thing comes; and is used up, once it was told. */
  void (*poke)(spring_t *s);
  void (*stir)(spring_t *s); /* has its callback called; NULL: poke does */
  void (*eat)(spring_t *s);  /* NULL: it is used up by being told */
  void (*free)(void *it);    /* NULL: nothing */
  /** The handle below that a user may close; NULL: there is none. */
  uv_handle_t *(*handle)(spring_t *s);
  const char *call; /* the libuv function that starts it; NULL: none */
  const int *fails; /* what that may return */
  bool early;       /* open calls it, not next */
  const int *told;  /* what its callback may be told */
  bool ends;        /* after that nothing comes any more */
  bool forgets;     /* what comes while nobody waits is not kept */
  bool timed;       /* it comes by itself, sooner or later */
  bool files;
} source_t;

extern const source_t sources[];
extern const int source_count;

/** A terminal: the user's end, and the program's; false: there is none to be
 *  had. */
bool terminal_open(int ret_fds[2]);

/** A spring for r, not open; and closing it. */
spring_t spring_new(const source_t *r, bool probe);
void spring_done(const source_t *r, spring_t *s);

/** spring_new, and it is open. */
spring_t spring_open(const source_t *r, bool probe);

/** f has succeeded in the end; it is dropped, and what it told used up. */
void spring_gives(const source_t *r, spring_t *s, vow_future_t *f);

#endif
