/* SPDX-License-Identifier: MIT */
/* The inside of the test kit: the test that runs, how it fails, and the text of
 * its report. */
#ifndef VOW_CHECK_KIT_H
#define VOW_CHECK_KIT_H

#include <vow/check_fault.h>
#include <vow/driver.h>

#include <setjmp.h>
#include <stdarg.h>

/* ---- text.c --------------------------------------------------------------- */

/** A text that grows; zeroed when empty. Its memory is not vow's. */
typedef struct vow__text {
  char *data; /* NULL: "" */
  size_t length, capacity;
} vow__text_t;

void vow__text_add(vow__text_t *t, const char *fmt, ...) VOW_PRINTF(2, 3);
void vow__text_addv(vow__text_t *t, const char *fmt, va_list ap);
void vow__text_append(vow__text_t *t, const char *data, size_t length);
/** A vow_line_cb: adds line, indented; arg is the text. */
void vow__text_add_line(const char *line, void *arg);
const char *vow__text_str(const vow__text_t *t);
void vow__text_free(vow__text_t *t);

/** Memory for the kit itself: zeroed, not vow's; does not fail. */
void *vow__kit_alloc(size_t size_bytes);

/* ---- the test that runs --------------------------------------------------- */

typedef struct vow__at_end vow__at_end_t;
typedef struct vow__event vow__event_t;
typedef struct vow_check_net vow_check_net_t;

/** The site of what the kit makes for itself, which its reports leave out. */
#define VOW__KIT_SITE "(the test kit)"

typedef struct vow__kit {
  const char *name, *site;
  vow_check_body_cb body;
  vow_check_scenario_cb scenario; /* instead of body */
  vow_loop_t *loop;
  const void *thread; /* an address that tells threads apart */
  uint64_t begin_ms;

  vow_future_t *task;  /* the body's, borrowed; NULL before it has begun */
  vow_promise_t *over; /* settled when there is nothing more to wait for */
  const char *complaints_site;
  char heading[128]; /* which of many runs this is */
  char recipe[48];   /* how it alone is run: a variable of the environment */

  /* What a torture does to it; 0: nothing. */
  size_t fail_first, fail_last; /* allocations */
  size_t fail_call;             /* of libuv */
  size_t cancel_at;             /* the step */
  size_t steps;                 /* so far */
  vow_future_t *stepped;        /* the task to be cancelled; a reference */

  uint64_t seed;   /* 0: that of the run */
  uint64_t random; /* the state of vow_check_random */

  uv_timer_t *watchdog; /* NULL: none any more */
  uint64_t begin_ns;    /* of the first of many runs; 0: this is the only one */
  size_t round;         /* which of them it is, from 0 */
  uint64_t bark_ns;
  bool (*turn)(vow_driver_t *d, bool wait, bool remote); /* the driver's own */
  vow__at_end_t *at_end;
  vow_check_net_t *nets;
  vow__event_t *events;

  vow_value_t outcome;
  vow__text_t failure;
  vow__text_t complaints; /* what the end is to report */
  vow__text_t tail;       /* behind failure, however long that is */
  vow_check_options_t options;
  jmp_buf out;    /* of the body, on the task's stack */
  jmp_buf ground; /* of vow__kit_run, on libcheck's */
  int i;
  int line;           /* where it has failed */
  unsigned advancing; /* calls of vow_check_advance under way */
  bool in_body;
  bool allocs_looked_at, calls_looked_at; /* how many have failed */
  bool grounded;                          /* ground may be jumped to */
  bool failed;                            /* file, line and failure say how */
  bool parked;    /* a task was stopped for ever: the loop cannot go on */
  bool disturbed; /* something of the torture has happened */
  bool random_begun, seed_used;
  bool clock_held; /* by vow_check_hold_clock */
  char file[256];
} vow__kit_t;

/** The test that runs on this thread; NULL: none. */
vow__kit_t *vow__kit(void);

/** Whether a fault of a torture has come to pass, so that what goes unseen is
 *  none. Faults by hand do not count, for the test knows of those, unless it
 *  says so. */
bool vow__kit_is_disturbed(const vow__kit_t *k);
/** Tells libcheck which run this is, in case the process dies. */
void vow__kit_mark(const vow__kit_t *k);
/** The site of the test that runs, or VOW__KIT_SITE: of calls without one. */
const char *vow__kit_site(void);

/** Runs k, whose site, name, options, body or scenario, and plan are set. What
 *  came of it is in k->failed and so on. */
void vow__kit_run(vow__kit_t *k);
/** Tells libcheck that k has failed; frees k. */
void vow__kit_end_failed(vow__kit_t *k) __attribute__((noreturn));
/** After vow__kit_run, unless it failed: frees k. */
void vow__kit_free(vow__kit_t *k);
/** After the last of many runs: none is under way any more. */
void vow__kit_unmark(const char *site);
/** Fails the test at site before anything of it runs. */
void vow__kit_refuse(const char *site, const char *fmt, ...)
    __attribute__((noreturn)) VOW_PRINTF(2, 3);

/* ---- fail.c --------------------------------------------------------------- */

/** vow_check_failed with a site. */
void vow__kit_fail(const char *site, const char *fmt, ...)
    __attribute__((noreturn)) VOW_PRINTF(2, 3);
/** Notes the failure, unless there was one, without leaving. */
void vow__kit_note(vow__kit_t *k, const char *site, const char *text);
/** A site's file and line. */
int vow__site_split(const char *site, char *file, size_t size_bytes);
/** Nothing is waited for any more. */
void vow__kit_over(vow__kit_t *k);
/** To libcheck: does not come back. */
void vow__kit_report(const char *file, int line, const char *text)
    __attribute__((noreturn));
/** The graph of what is pending on loop. */
void vow__kit_graph(vow__text_t *t, vow_loop_t *loop);

/** vow__kit_note with a file and a line. */
void vow__kit_note_at(vow__kit_t *k, const char *file, int line,
                      const char *text);

/* ---- thread.c ------------------------------------------------------------- */

/** An assertion on a thread that is not the test's: notes the failure, and
 *  ends the thread. Comes back when it is libcheck's own. */
void vow__thread_failed(const char *file, int line, const char *text);
/** Tests run on this thread. */
void vow__thread_begin(vow__kit_t *k);
void vow__thread_end(void);

/* ---- watchdog.c ----------------------------------------------------------- */

void vow__watchdog_start(vow__kit_t *k);
void vow__watchdog_stop(vow__kit_t *k);
/** ms, times CK_TIMEOUT_MULTIPLIER. */
uint64_t vow__scaled_ms(uint64_t ms);

/* ---- torture.c ------------------------------------------------------------ */

/** Takes a step of a test that is to be cancelled at one; false when that is
 *  not the case, or the driver's turn is due. */
bool vow__torture_step(vow__kit_t *k);
/** At the body's end: complains of faults by hand that did not come to pass. */
void vow__faults_end(vow__kit_t *k);
/** What the allocation or call was that failed, if k is a torture's. */
void vow__torture_tell(vow__kit_t *k);

/* ---- left.c --------------------------------------------------------------- */

/** Hooks of the loop. */
void vow__left_options(vow__kit_t *k, vow_loop_options_t *o);
/** When the body has ended: runs what was registered for the end, looks for
 *  what is left, and closes the loop; complains. */
void vow__left_find(vow__kit_t *k);
/** The same for a test that has failed anyway; tells nothing. */
void vow__left_forget(vow__kit_t *k);
void vow__at_end_run(vow__kit_t *k);

/* ---- memory.c ------------------------------------------------------------- */

/** Counts what vow allocates from now on, and gives vow its own allocator
 *  back. */
void vow__memory_begin(void);
void vow__memory_end(void);
/** What is allocated from now on counts as left; so what was before does not.
 */
void vow__memory_mark(void);
/** Adds a line for each block since the mark that was not released. */
void vow__memory_left(vow__text_t *t);
/** Adds a line for the first allocation that failed by the plan, if any. */
void vow__memory_failed(vow__text_t *t);
/** Whether there is such a block. */
bool vow__memory_is_left(void);
/** Allocations first to last from now on fail, 1 being the next; 0: none. */
void vow__memory_plan(size_t first, size_t last);
/** How many have failed since. */
size_t vow__memory_failures(void);
/** Whether a plan is still to come to pass. */
bool vow__memory_is_planned(void);
/** While paused, allocations are the kit's own: none of them fails by a plan or
 *  counts. */
void vow__memory_pause(void);
void vow__memory_resume(void);

/* ---- calls.c -------------------------------------------------------------- */

/** Calls of libuv pass through the shim, if it is there, from now on; no
 *  more. */
void vow__calls_begin(void);
void vow__calls_end(void);
/** To be called when vow has called libuv, and nobody else has. */
void vow__calls_look(void);
/** Whether vow's calls pass through it. */
bool vow__calls_seen(void);
/** The nth call of any function fails. */
void vow__calls_plan(size_t nth, int code);
/** How many faults have come to pass in this test. */
size_t vow__calls_hits(void);
/** The function that failed last, or NULL. */
const char *vow__calls_failed(void);
/** A function of which a call was to fail, and did not; or NULL. */
const char *vow__calls_unmet(void);

/* ---- fork.c --------------------------------------------------------------- */

/** How many other threads ran when this process was forked; 0 when it was not,
 *  or it does not matter. */
int vow__fork_threads(void);
/** Whether this process was forked. */
bool vow__is_forked(void);
/** Threads of this process; 0 where that cannot be told. */
int vow__count_threads(void);

/* ---- seed.c --------------------------------------------------------------- */

/** The seed of one of many runs; that of the run itself is the first. */
uint64_t vow__seed_of_round(size_t round);
/** Refuses the test at site when VOW_SEED is no number. */
void vow__seed_check(const char *site);
/** Whether it is there; empty it is not. */
bool vow__seed_is_given(void);
/** The seed of k. */
uint64_t vow__seed_of(const vow__kit_t *k);
/** By which k's loop is shuffled; not 0. */
uint64_t vow__seed_of_order(vow__kit_t *k);

/* ---- net.c ---------------------------------------------------------------- */

/** How long something is under way on the test's nets; 0: nothing is. */
uint64_t vow__nets_busy_ms(const vow__kit_t *k);

/* ---- events.c ------------------------------------------------------------- */

void vow__events_free(vow__kit_t *k);

#endif
