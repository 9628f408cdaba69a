/* SPDX-License-Identifier: MIT */
/* Running scenes, and the ledger of what they must not lose. */
#include "unit/torture/torture.h"

#include <dirent.h>
#include <signal.h>

/* ---- things --------------------------------------------------------------- */

#define THINGS_MAX 4096

typedef struct entry {
  int holders; /* 0: it was destroyed */
} entry_t;

static entry_t things[THINGS_MAX];
static int made, alive;

static void *make_entry(void) {
  ck_assert_int_lt(made, THINGS_MAX);
  things[made].holders = 1;
  alive++;
  return &things[made++];
}

static void release_entry(void *p) {
  entry_t *e = p;
  ck_assert_msg(e->holders > 0, "a thing was destroyed twice");
  if (--e->holders == 0) alive--;
}

static void *share_entry(void *p) {
  entry_t *e = p;
  ck_assert_msg(e->holders > 0, "a thing was shared that is no more");
  e->holders++;
  return e;
}

const vow_type_t torture_thing = {"thing", release_entry, NULL, NULL};
const vow_type_t torture_shared_thing = {"shared thing", release_entry,
                                         share_entry, NULL};

vow_value_t thing(void) {
  return vow_ptr(make_entry(), &torture_thing);
}

vow_value_t shared_thing(void) {
  return vow_ptr(make_entry(), &torture_shared_thing);
}

void *thing_arg(void) {
  return make_entry();
}

void thing_drop(void *arg) {
  release_entry(arg);
}

/* ---- callbacks ------------------------------------------------------------ */

vow_value_t pass_on(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

vow_value_t swap_thing(vow_future_t *in, void *arg) {
  void *p = vow_take(in, &torture_thing);
  (void)arg;
  if (p == NULL) return vow_fail_last();
  thing_drop(p);
  return thing();
}

vow_value_t rescue(vow_future_t *in, void *arg) {
  (void)arg;
  ck_assert_int_ne(vow_status(in), 0);
  return thing();
}

vow_value_t pause_a_moment(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_follow(vow_sleep(vow_loop_of(in), 0));
}

static vow_value_t give_thing(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return thing();
}

vow_future_t *thing_in(vow_loop_t *loop, uint64_t ms) {
  return vow_then(vow_sleep(loop, ms), give_thing, NULL);
}

/* ---- running -------------------------------------------------------------- */

static vow_check_scenario_cb current;
static int descriptors; /* while a scene's loop is open, and nothing else */

static int count_descriptors(void) {
  DIR *dir = opendir("/proc/self/fd");
  int n = 0;
  ck_assert_ptr_nonnull(dir);
  while (readdir(dir) != NULL) n++;
  closedir(dir);
  return n;
}

bool calm(void) {
  return vow_check_alloc_failures() == 0 && vow_check_call_failures() == 0 &&
         vow_task_reason() == 0;
}

static void look_for_things(void *site) {
  if (alive != 0)
    vow_check_complain(site, "%d things were not destroyed", alive);
}

static vow_value_t run_scene(vow_loop_t *loop, int i) {
  int now = count_descriptors();
  if (descriptors < 0) descriptors = now;
  ck_assert_msg(now == descriptors,
                "%d descriptors instead of %d are open after the run before",
                now, descriptors);
  made = alive = 0;
  vow_check_at_end(look_for_things, (void *)(uintptr_t)VOW_SITE);
  return current(loop, i);
}

/* libuv opens some things once for the process. */
static void warm_up(void) {
  vow_loop_t *loop;
  signal(SIGPIPE, SIG_IGN); /* as every program that writes to peers must */
  ck_assert_int_eq(vow_loop_new(NULL, &loop), 0);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
}

void torture_run(const char *site, const char *name,
                 vow_check_scenario_cb scene, bool real_time) {
  vow_check_options_t options = {.torture_stride = test_is_quick() ? 7 : 1,
                                 .real_time = real_time};
  int before;
  warm_up();
  before = count_descriptors();
  current = scene;
  descriptors = -1;
  vow_check_torture(site, name, &options, run_scene, 0);
  ck_assert_int_eq(count_descriptors(), before);
}
