/* SPDX-License-Identifier: MIT */
/* A seed: the world it makes, the storm, the calm after it, and what must hold
 * then. */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define STORM_MIN_MS 300
#define STORM_MAX_MS 1500
#define ASKED_MIN    3 /* by a client */
#define ASKED_MAX    10
#define GAP_MS       120   /* between two requests, at most */
#define END_MS       10000 /* by then every request has ended */
#define GRACE_MS     1000
#define CLOCK_MAX_MS 30000
#define WATCHDOG_MS  60000
#define PROBED       16 /* in each such seed memory may fail any future */

sim_t sim;

/* ---- help ------------------------------------------------------------------ */

uint32_t sim_below(uint32_t bound) {
  return (uint32_t)vow_check_random(bound);
}

bool sim_chance(uint32_t percent) {
  return sim_below(100) < percent;
}

void sim_pause(uint64_t ms) {
  uint64_t end_ms = vow_check_now_ms() + ms;
  while (vow_check_now_ms() < end_ms) {
    if (vow_await_status(vow_sleep(sim.loop, end_ms - vow_check_now_ms())) != 0)
      vow_check_fail_alloc(0);
  }
}

void sim_ignore(vow_future_t *f) {
  if (vow_is_settled(f)) (void)vow_status(f);
  vow_drop(f);
}

/* ---- what is asked ----------------------------------------------------------- */

static void ask(sim_client_t *c, uint32_t ops) {
  sim_request_t *r = &sim.requests[sim.n_requests++];
  MUST(sim.n_requests <= SIM_REQUESTS);
  r->id = (uint32_t)sim.n_requests;
  r->op = (sim_op_t)sim_below(ops);
  r->number = sim_below(1u << 30);
  if (sim_chance(50))
    r->work_ms = sim_below(!sim.calm && sim_chance(20) ? 300 : 20);
  r->padding_bytes = sim_below(sim_chance(10) ? 600 : 20);
  r->permits = sim_chance(20) ? SIM_PERMITS : 1;
  sim_client_ask(c, r);
}

static vow_value_t ask_many(void *arg) {
  uint32_t n = ASKED_MIN + sim_below(ASKED_MAX - ASKED_MIN + 1);
  while (n-- > 0) {
    if (sim_chance(70)) sim_pause(sim_below(GAP_MS));
    ask(arg, SIM_OPS);
  }
  return vow_nil();
}

/* ---- what must hold ------------------------------------------------------------ */

static bool all_ended(void) {
  size_t i;
  for (i = 0; i < sim.n_requests; i++)
    if (!sim.requests[i].ended) return false;
  return true;
}

static void check_request(sim_request_t *r, sim_result_t *result) {
  MUST_MSG(r->ended && r->outcomes == 1, "request %u has %u outcomes", r->id,
           r->outcomes);
  if (r->future != NULL && r->status == 0)
    vow_assert_int(r->future, sim_answer(r));
  else if (r->future != NULL)
    MUST(vow_await_status(r->future) == r->status);
  if (sim.fair) MUST(r->status == 0 && r->sent == 1);
  if (r->op != SIM_MARK) MUST(r->executed <= 1);
  MUST(r->executed <= r->sent);
  if (r->status == 0) {
    MUST(r->sent >= 1);
    if (r->op != SIM_ECHO) MUST(r->executed >= 1);
  }
  if (r->status == 0)
    result->succeeded++;
  else if (r->cancelled)
    result->cancelled++;
  else
    result->failed++;
}

/* When all is well again every client gets an answer. */
static void audit(void) {
  size_t i, first = sim.n_requests;
  for (i = 0; i < sim.n_clients; i++) {
    sim_note(SIM_AUDIT, (int64_t)i, 0, 0);
    ask(sim.clients[i], SIM_ONCE); /* one that is tried again */
  }
  sim_pause(2000);
  for (i = first; i < sim.n_requests; i++)
    MUST_MSG(sim.requests[i].ended && sim.requests[i].status == 0,
             "request %u should succeed: %s", sim.requests[i].id,
             vow_err_name(sim.requests[i].status));
}

/* ---- a seed ---------------------------------------------------------------------- */

static sim_result_t *result;

static void begin(vow_loop_t *loop) {
  size_t i;
  memset(&sim, 0, sizeof sim);
  sim.loop = loop;
  sim.net = vow_check_net_new(loop, NULL);
  sim.fair = sim.calm = sim_below(8) == 0;
  sim.n_clients = 1 + sim_below(SIM_CLIENTS);
  sim.server = sim_server_open();
  for (i = 0; i < sim.n_clients; i++) sim.clients[i] = sim_client_new((int)i);
}

static void wait_for_the_end(void) {
  uint64_t end_ms = vow_check_now_ms() + END_MS;
  while (!all_ended()) {
    MUST_MSG(vow_check_now_ms() < end_ms, "a request does not end");
    sim_pause(10);
  }
}

static void body(vow_loop_t *loop, int i) {
  vow_group_t *askers;
  size_t k;
  (void)i;
  begin(loop);
  askers = vow_group_open(VOW_GROUP_ALL);
  for (k = 0; k < sim.n_clients; k++)
    (void)vow_group_go(askers, ask_many, sim.clients[k]);
  sim_weather(STORM_MIN_MS + sim_below(STORM_MAX_MS - STORM_MIN_MS));
  sim_weather_clear();
  sim.calm = true;
  vow_assert_ok(vow_group_join(askers));
  wait_for_the_end();
  audit();
  for (k = 0; k < sim.n_requests; k++) check_request(&sim.requests[k], result);
  for (k = 0; k < sim.n_clients; k++) sim_client_free(sim.clients[k]);
  sim_server_close(sim.server, GRACE_MS);
  sim_note(SIM_THE_END, 0, 0, 0);
  result->clock_ms = vow_check_now_ms();
  MUST(result->clock_ms < CLOCK_MAX_MS);
}

/* The kit asks the environment for its seed. */
static void set_seed(const char *text) {
  if (text != NULL)
    setenv("VOW_SEED", text, 1);
  else
    unsetenv("VOW_SEED");
}

sim_result_t sim_run(uint64_t seed, FILE *file) {
  vow_check_options_t options = {
      .shuffle = true, .unseen_after_faults = true, .watchdog_ms = WATCHDOG_MS};
  const char *former = getenv("VOW_SEED");
  char text[24], *kept = former != NULL ? strdup(former) : NULL;
  sim_result_t r;
  memset(&r, 0, sizeof r);
  options.probe_cells = seed % PROBED == 0;
  snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
  set_seed(text);
  result = &r;
  sim_note_begin(file);
  vow_check_run(VOW_SITE, "sim", &options, body, 0);
  result = NULL;
  set_seed(kept);
  free(kept);
  r.hash = sim_note_hash();
  r.events = sim_note_count();
  r.requests = sim.n_requests;
  return r;
}
