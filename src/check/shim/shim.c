/* SPDX-License-Identifier: MIT */
/* The shim's settings and counters, and the calls that need nothing special.
 * Requests are in requests.c, what repeats in sources.c. */
#include "check/shim/inside.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct rule {
  size_t seen;
  size_t first; /* 0: none */
  size_t last;
  int code;
} rule_t;

typedef struct slot {
  rule_t call;
  rule_t report;
} slot_t;

#define SHIM_CALL(name, params, args) #name,
#define SHIM_FS(name, params, args)   #name,
#define SHIM_OWN(name)                #name,
static const char *const names[CALL_COUNT] = {
#include "check/shim/calls.h"
};
#undef SHIM_CALL
#undef SHIM_FS
#undef SHIM_OWN

static atomic_bool active;
static atomic_size_t read_max, write_max;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all below */
static slot_t slots[CALL_COUNT];
static slot_t all;
static size_t hits;
static const char *last_hit; /* where the last of them was */

/* ---- settings ------------------------------------------------------------ */

static slot_t *find_slot(const char *name) {
  size_t i;
  for (i = 0; i < CALL_COUNT; i++)
    if (strcmp(names[i], name) == 0) return &slots[i];
  return NULL;
}

bool vow__shim_knows(const char *name) {
  return find_slot(name) != NULL;
}

static slot_t *slot_of(const char *name) {
  slot_t *slot = name != NULL ? find_slot(name) : &all;
  if (slot != NULL) return slot;
  fprintf(stderr, "vow-check: the shim before libuv does not know %s\n", name);
  abort();
}

static void set_rule(rule_t *r, size_t first, size_t last, int code) {
  pthread_mutex_lock(&lock);
  *r = (rule_t){0, first, last, code};
  pthread_mutex_unlock(&lock);
}

static void reset(bool begin) {
  vow__shim_resolve(0, NULL);
  atomic_store(&read_max, 0);
  atomic_store(&write_max, 0);
  pthread_mutex_lock(&lock);
  if (begin) {
    hits = 0;
    last_hit = NULL;
  }
  memset(slots, 0, sizeof slots);
  memset(&all, 0, sizeof all);
  pthread_mutex_unlock(&lock);
  atomic_store(&active, begin);
}

void vow__shim_on(void) {
  reset(true);
}

void vow__shim_off(void) {
  reset(false);
}

void vow__shim_fail(const char *name, size_t nth, int code) {
  set_rule(&slot_of(name)->call, nth, nth, code);
}

void vow__shim_fail_from(const char *name, size_t nth, int code) {
  set_rule(&slot_of(name)->call, nth, SIZE_MAX, code);
}

void vow__shim_report(const char *name, size_t nth, int code) {
  set_rule(&slot_of(name)->report, nth, nth, code);
}

void vow__shim_report_from(const char *name, size_t nth, int code) {
  set_rule(&slot_of(name)->report, nth, SIZE_MAX, code);
}

void vow__shim_short_reads(size_t max_bytes) {
  atomic_store(&read_max, max_bytes);
}

void vow__shim_short_writes(size_t max_bytes) {
  atomic_store(&write_max, max_bytes);
}

size_t vow__shim_count(const char *name) {
  const slot_t *slot = slot_of(name);
  size_t seen;
  pthread_mutex_lock(&lock);
  seen = slot->call.seen;
  pthread_mutex_unlock(&lock);
  return seen;
}

size_t vow__shim_hits(void) {
  size_t n;
  pthread_mutex_lock(&lock);
  n = hits;
  pthread_mutex_unlock(&lock);
  return n;
}

const char *vow__shim_last(void) {
  const char *name;
  pthread_mutex_lock(&lock);
  name = last_hit;
  pthread_mutex_unlock(&lock);
  return name;
}

static bool is_unmet(const slot_t *s) {
  return s->call.seen < s->call.first || s->report.seen < s->report.first;
}

const char *vow__shim_unmet(void) {
  const char *name;
  size_t i;
  pthread_mutex_lock(&lock);
  name = is_unmet(&all) ? "any function" : NULL;
  for (i = 0; i < CALL_COUNT && name == NULL; i++)
    if (is_unmet(&slots[i])) name = names[i];
  pthread_mutex_unlock(&lock);
  return name;
}

/* ---- who fails ----------------------------------------------------------- */

bool vow__shim_is_on(void) {
  return atomic_load(&active);
}

size_t vow__shim_read_max(void) {
  return atomic_load(&read_max);
}

size_t vow__shim_write_max(void) {
  return atomic_load(&write_max);
}

static bool hits_now(rule_t *r, int *ret_code) {
  r->seen++;
  if (r->first == 0 || r->seen < r->first || r->seen > r->last) return false;
  *ret_code = r->code;
  return true;
}

static bool is_hit(vow__shim_call_t call, rule_t *r, rule_t *any,
                   int *ret_code) {
  bool by_any, by_name;
  if (!vow__shim_is_on()) return false;
  pthread_mutex_lock(&lock);
  by_any = hits_now(any, ret_code);
  by_name = hits_now(r, ret_code);
  if (by_any || by_name) {
    hits++;
    last_hit = names[call];
  }
  pthread_mutex_unlock(&lock);
  return by_any || by_name;
}

bool vow__shim_fails(vow__shim_call_t call, int *ret_code) {
  return is_hit(call, &slots[call].call, &all.call, ret_code);
}

bool vow__shim_reports(vow__shim_call_t call, int *ret_code) {
  return is_hit(call, &slots[call].report, &all.report, ret_code);
}

unsigned vow__shim_cut(const uv_buf_t bufs[], unsigned n, size_t max,
                       uv_buf_t *ret_buf) {
  unsigned i = 0;
  if (max == 0 || n == 0) return n;
  while (i < n - 1 && bufs[i].len == 0) i++;
  *ret_buf = bufs[i];
  if (ret_buf->len > max) ret_buf->len = max;
  return 1;
}

/* ---- callbacks that were taken over -------------------------------------- */

typedef struct kept {
  vow__shim_watch_t w;
  struct kept *next;
} kept_t;

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
#define LISTS 1024 /* by key: there may be thousands of connections */

static kept_t *lists[LISTS];
static atomic_size_t list_length; /* of all of them */

static kept_t **list_of(const void *key) {
  return &lists[((uintptr_t)key >> 6) % LISTS];
}

static kept_t **find(const void *key) {
  kept_t **at = list_of(key);
  while (*at != NULL && (*at)->w.key != key) at = &(*at)->next;
  return at;
}

vow__shim_watch_t vow__shim_take(const void *key) {
  vow__shim_watch_t w = {NULL, NULL, NULL, 0, 0};
  kept_t **at, *k;
  if (atomic_load(&list_length) == 0) return w;
  pthread_mutex_lock(&list_lock);
  at = find(key);
  k = *at;
  if (k != NULL) {
    w = k->w;
    *at = k->next;
    free(k);
    atomic_fetch_sub(&list_length, 1);
  }
  pthread_mutex_unlock(&list_lock);
  return w;
}

void vow__shim_watch(const vow__shim_watch_t *w) {
  kept_t *k = malloc(sizeof *k);
  if (k == NULL) abort();
  (void)vow__shim_take(w->key);
  k->w = *w;
  pthread_mutex_lock(&list_lock);
  k->next = *list_of(w->key);
  *list_of(w->key) = k;
  atomic_fetch_add(&list_length, 1);
  pthread_mutex_unlock(&list_lock);
}

vow__shim_watch_t vow__shim_watched(const void *key) {
  vow__shim_watch_t w = {NULL, NULL, NULL, 0, 0};
  kept_t **at;
  pthread_mutex_lock(&list_lock);
  at = find(key);
  if (*at != NULL) w = (*at)->w;
  pthread_mutex_unlock(&list_lock);
  return w;
}

/* ---- calls that need nothing special ------------------------------------- */

#define SHIM_OWN(name)
#define SHIM_FS(name, params, args)
#define SHIM_CALL(name, params, args)                     \
  int __real_##name params;                               \
  int __wrap_##name params;                               \
  int __wrap_##name params {                              \
    int code;                                             \
    if (vow__shim_fails(CALL_##name, &code)) return code; \
    return __real_##name args;                            \
  }
#include "check/shim/calls.h"
