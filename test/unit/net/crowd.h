/* SPDX-License-Identifier: MIT */
/* A process full of clients for the tests of echo servers. It speaks to the
 * kernel alone: nothing of vow or libuv is used there. */
#ifndef VOW_TEST_CROWD_H
#define VOW_TEST_CROWD_H

#include <stdbool.h>
#include <stddef.h>

/** What the clients do when they have got their echo. */
typedef enum crowd_manner {
  CROWD_STAYS,  /* they stay until crowd_leave */
  CROWD_PASSES, /* each leaves at once; who was turned away comes again */
} crowd_manner_t;

typedef struct crowd {
  int pid;
  int fd; /* to it and back; readable when it has something to say */
} crowd_t;

/** What it says after each order. */
typedef struct crowd_report {
  size_t served; /* got the right echo */
  size_t turned_away;
  int error; /* an errno that ended it; 0: none */
} crowd_report_t;

/** Starts the process; before there are loops, for it shares nothing. */
crowd_t crowd_start(void);
/** Has n clients come to 127.0.0.1:port, at most at_a_time of them on their
 *  way; they report when all have been served. */
void crowd_send(const crowd_t *c, int port, size_t n, size_t at_a_time,
                crowd_manner_t manner);
/** Those that stay leave: every second one with a reset, or, when orderly is
 *  set, none. They report when all have left. */
void crowd_leave(const crowd_t *c, bool orderly);
/** Reads a report that is there. */
crowd_report_t crowd_hear(const crowd_t *c);
/** Ends the process and waits for that. */
void crowd_end(crowd_t *c);

#endif
