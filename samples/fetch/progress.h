/* SPDX-License-Identifier: MIT */
/* The line that tells how far it is, on a terminal only. */
#ifndef FETCH_PROGRESS_H
#define FETCH_PROGRESS_H

#include "fetch.h"

typedef struct progress progress_t;

/* Rewrites a line on stderr ten times a second, until progress_stop wipes it
 * out. NULL when stderr is no terminal, or for want of memory: it runs without
 * then. */
progress_t *progress_start(const fetch_t *fetch);
void progress_stop(progress_t *progress);

#endif
