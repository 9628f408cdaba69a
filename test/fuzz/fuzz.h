/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: reading the input, saying what is not so, and
 * the loop that a program runs on. Header only. */
#ifndef VOW_TEST_FUZZ_H
#define VOW_TEST_FUZZ_H

#include "support/fault.h"
#include "support/manual.h"

#include <stdio.h>
#include <stdlib.h>

#include <vow.h>
#include <vow/debug.h>

#define REQUIRE(c) fuzz_require((c), #c, __FILE__, __LINE__)

/* The one that is running; what is pending on it is told with a failure. */
static vow_loop_t *fuzz_running;

static inline void fuzz_tell(const char *line, void *arg) {
  (void)arg;
  fprintf(stderr, "  %s\n", line);
}

static inline void fuzz_require(bool ok, const char *what, const char *file,
                                int line) {
  if (ok) return;
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
  if (fuzz_running != NULL) vow_dump(fuzz_running, fuzz_tell, NULL);
  abort();
}

/** The input. Behind its end there are zeros. */
typedef struct fuzz_input {
  const uint8_t *data;
  size_t size, at;
} fuzz_input_t;

static inline size_t fuzz_left(const fuzz_input_t *in) {
  return in->size - in->at;
}

static inline uint8_t fuzz_byte(fuzz_input_t *in) {
  return in->at < in->size ? in->data[in->at++] : 0;
}

static inline void fuzz_on_stuck(const char *what, const char *site,
                                 void *arg) {
  (void)arg;
  REQUIRE(what != NULL && site != NULL);
}

static inline void fuzz_on_unhandled(vow_future_t *f, void *arg) {
  (void)arg;
  REQUIRE(vow_state(f) == VOW_FAILED);
}

/** A loop on the manual driver. The low bits of mode say how: 1: every cell
 *  asks the allocator; 2: allocation number nth fails; 4: all from it on do; 8:
 *  what is ready is shuffled by seed. While no other loop exists. */
static inline vow_loop_t *fuzz_loop(unsigned mode, unsigned nth,
                                    unsigned seed) {
  vow_loop_options_t options = {0};
  vow_loop_t *loop;
  fuzz_running = NULL;
  fault_install();
  options.on_unhandled = fuzz_on_unhandled;
  options.on_stuck = fuzz_on_stuck;
  options.probe_cells = (mode & 1) != 0;
  options.shuffle_seed = (mode & 8) != 0 ? seed + 1u : 0;
  loop = manual_loop_with(&options);
  REQUIRE(loop != NULL);
  fuzz_running = loop;
  if ((mode & 6) == 2) fault_fail_at(1u + nth);
  if ((mode & 6) == 6) fault_fail_from(1u + nth);
  return loop;
}

static inline void fuzz_tell_live(vow_future_t *f, const char *what,
                                  const char *site, vow_state_t state,
                                  void *arg) {
  (void)f;
  (void)arg;
  fprintf(stderr, "  left: %s, state %d, made at %s\n", what, (int)state, site);
}

/** Checks that no future is left, then closes the loop. */
static inline void fuzz_close(vow_loop_t *loop) {
  manual_drain(loop);
  vow_loop_each(loop, fuzz_tell_live, NULL);
  REQUIRE(vow_loop_live(loop) == 0);
  manual_close(loop);
}

/** At the end of a program, when its loop has been closed: nothing is left. */
static inline void fuzz_end(void) {
  fuzz_running = NULL;
  if (fault_live() != 0) vow_task_trim();
  REQUIRE(fault_live() == 0);
  fault_remove();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
