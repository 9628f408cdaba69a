/* SPDX-License-Identifier: MIT */
/* What a process uses, noted every few seconds, and whether that is flat. */
#include <dirent.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak/soak.h"
#include "support/fault.h"
#include "check/shim/shim.h"

#define FULL_PART     0.95 /* of the connections */
#define NOTES_MAX     20000
#define SETTLE_ROUNDS 300 /* of 10 ms, until all has unwound */
#define WARM_MIN_MS   20000
#define CLOSE_MS      3000

typedef enum meter { HEAP, RESIDENT, DESCRIPTORS, FUTURES, METERS } meter_t;

/* How much more the last third may be than the first. A stall of the machine
 * leaves a peak behind: slabs and stacks that others use now. */
static const struct {
  const char *name;
  double factor;
  double more;
} tolerance[METERS] = {
    {"bytes that vow has allocated", 1.02, 256 * 1024},
    {"resident bytes", 1.03, 4 * 1024 * 1024},
    {"descriptors", 1.02, 20},
    {"futures and tasks", 1.02, 100},
};

typedef struct note {
  uint64_t ms;
  double connected;
  double value[METERS];
} note_t;

static struct {
  const char *who;
  const soak_t *soak;
  uint64_t began_ms, warm_ms;
  double descriptors; /* before */
  soak_counts_t last;
  note_t notes[NOTES_MAX];
  size_t n;
  bool bad;
} gauge;

soak_counts_t soak_counts;

static uint64_t now_ms(void) {
  return uv_hrtime() / 1000000;
}

/* The one that lists them is among them, always. */
static double descriptors(void) {
  DIR *d = opendir("/proc/self/fd");
  double n = 0;
  if (d == NULL) return -1;
  while (readdir(d) != NULL) n++;
  closedir(d);
  return n - 3; /* ".", "..", and its own */
}

static double resident(void) {
  FILE *f = fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  if (f == NULL) return 0;
  if (fscanf(f, "%*u %lu", &pages) != 1) pages = 0;
  fclose(f);
  return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Its first loop opens what is never closed. */
static void warm_libuv(void) {
  uv_loop_t uv;
  if (uv_loop_init(&uv) == 0) (void)uv_loop_close(&uv);
}

void soak_gauge_begin(const char *who, const soak_t *soak) {
  gauge.who = who;
  gauge.soak = soak;
  gauge.began_ms = now_ms();
  /* Until everybody is there, and allocators have their shape. */
  gauge.warm_ms = soak->seconds * 1000 / 4;
  if (gauge.warm_ms < WARM_MIN_MS) gauge.warm_ms = WARM_MIN_MS;
  warm_libuv();
  gauge.descriptors = descriptors() - 1; /* the pipe to the other process */
}

void soak_complain(const char *text, long number) {
  printf("soak: %s: %s: %ld\n", gauge.who, text, number);
  gauge.bad = true;
}

/* ---- notes ---------------------------------------------------------------- */

static void print(const note_t *n) {
  const soak_counts_t *c = &soak_counts, *l = &gauge.last;
  printf("%5llu s %-7s %6zu connected %6.0f fds %7.0f futures %8.0f KiB heap "
         "%8.0f KiB resident | %6llu exchanges %5llu visits %5llu failures "
         "%4llu timeouts | %llu allocations, %zu calls failed\n",
         (unsigned long long)n->ms / 1000, gauge.who, c->connected,
         n->value[DESCRIPTORS], n->value[FUTURES], n->value[HEAP] / 1024,
         n->value[RESIDENT] / 1024,
         (unsigned long long)(c->exchanges - l->exchanges),
         (unsigned long long)(c->visits - l->visits),
         (unsigned long long)(c->failures - l->failures),
         (unsigned long long)(c->timeouts - l->timeouts),
         (unsigned long long)c->starved, vow__shim_hits());
  fflush(stdout);
  gauge.last = *c;
}

/* What is only kept for the next burst is not looked at. */
static void give_back(void) {
  vow_task_trim();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void soak_gauge_note(vow_loop_t *loop) {
  note_t *n = &gauge.notes[gauge.n];
  if (gauge.n == NOTES_MAX) return;
  n->ms = now_ms() - gauge.began_ms;
  give_back();
  n->value[HEAP] = (double)fault_live_bytes();
  n->connected = (double)soak_counts.connected;
  n->value[RESIDENT] = resident();
  n->value[DESCRIPTORS] = descriptors();
  n->value[FUTURES] = (double)vow_loop_live(loop);
  gauge.n++;
  print(n);
}

/* ---- the end ---------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Of the notes from..to; a mean would tell of the machine's stalls. */
static double median(meter_t m, size_t from, size_t to) {
  static double sorted[NOTES_MAX];
  size_t i;
  for (i = from; i < to; i++) sorted[i - from] = gauge.notes[i].value[m];
  qsort(sorted, to - from, sizeof sorted[0], compare);
  return sorted[(to - from) / 2];
}

/* Keeps the notes that say something: after the warm-up, and when all were
 * there; on a machine that has no time for us they are not. */
static void keep_full(void) {
  size_t i, kept = 0;
  double full = (double)gauge.soak->connections * FULL_PART;
  for (i = 0; i < gauge.n; i++)
    if (gauge.notes[i].ms >= gauge.warm_ms && gauge.notes[i].connected >= full)
      gauge.notes[kept++] = gauge.notes[i];
  gauge.n = kept;
}

static void check_flat(void) {
  size_t from = 0, third;
  int m;
  keep_full();
  third = gauge.n / 3;
  if (third == 0) {
    soak_complain("too short, or the machine too slow: notes", (long)gauge.n);
    return;
  }
  for (m = 0; m < METERS; m++) {
    double first = median((meter_t)m, from, from + third);
    double last = median((meter_t)m, gauge.n - third, gauge.n);
    bool flat = last <= first * tolerance[m].factor + tolerance[m].more;
    printf("soak: %-7s %-28s %12.0f at first, %12.0f at last (%+.2f %%): %s\n",
           gauge.who, tolerance[m].name, first, last,
           100 * (last - first) / first, flat ? "flat" : "NOT FLAT");
    if (!flat) gauge.bad = true;
  }
}

static void tell_left(vow_future_t *f, const char *what, const char *site,
                      vow_state_t state, void *arg) {
  (void)f;
  (void)arg;
  printf("soak: %s: left: %s, state %d, made at %s\n", gauge.who, what,
         (int)state, site);
}

void soak_close(vow_loop_t *loop) {
  int rounds = SETTLE_ROUNDS;
  while (rounds-- > 0 && vow_loop_live(loop) > 0)
    (void)vow_await_blocking(vow_sleep(loop, 10), NULL);
  if (vow_loop_live(loop) > 0) {
    soak_complain("futures are left", (long)vow_loop_live(loop));
    vow_loop_each(loop, tell_left, NULL);
  }
  if (vow_loop_close(loop, CLOSE_MS) != 0)
    soak_complain("the loop does not close", 0);
  vow_task_trim();
}

bool soak_gauge_end(void) {
  const soak_counts_t *c = &soak_counts;
  check_flat();
  if (fault_live() != 0) {
    soak_complain("blocks are left", fault_live());
    soak_complain("bytes are left", fault_live_bytes());
  }
  if (descriptors() != gauge.descriptors)
    soak_complain("descriptors are left",
                  (long)(descriptors() - gauge.descriptors));
  if (c->connected != 0)
    soak_complain("connections are left", (long)c->connected);
  if (c->wrong != 0) soak_complain("wrong frames", (long)c->wrong);
  if (c->exchanges == 0) soak_complain("exchanges", 0);
  printf("soak: %s: %llu exchanges, %llu visits, %llu failures, %llu timeouts: "
         "%s\n",
         gauge.who, (unsigned long long)c->exchanges,
         (unsigned long long)c->visits, (unsigned long long)c->failures,
         (unsigned long long)c->timeouts, gauge.bad ? "FAILED" : "ok");
  fflush(stdout);
  return !gauge.bad;
}

void soak_pause(vow_loop_t *loop, uint64_t ms) {
  uint64_t end_ms = vow_loop_now_ms(loop) + ms;
  while (vow_loop_now_ms(loop) < end_ms && vow_task_reason() == 0)
    (void)vow_await_status(vow_sleep_until(loop, end_ms));
}
