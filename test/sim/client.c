/* SPDX-License-Identifier: MIT */
/* A client: requests with timeouts, and retries with growing pauses; half of
 * them as chains, half as tasks. */
#include <stdlib.h>

#include "sim/link.h"

#define AT_A_TIME  4
#define ATTEMPT_MS 250
#define ATTEMPTS   4
#define PAUSE_MS   20
#define PAUSE_MAX  60
#define PROMPT_MS  10

uint32_t sim_answer(const sim_request_t *r) {
  return r->number * 2654435761u ^ r->id;
}

/* The reply must be the right one. */
static vow_value_t on_number(vow_future_t *in, void *arg) {
  MUST(vow_get_int(in) == sim_answer(arg));
  return vow_outcome(in);
}

static uint32_t attempts_of(const sim_request_t *r) {
  return r->op == SIM_ONCE ? 1 : ATTEMPTS;
}

/* ---- as a chain ---------------------------------------------------------------- */

static vow_value_t find_link(void *arg) {
  return sim_link_find(arg);
}

static vow_value_t on_link(vow_future_t *in, void *arg) {
  return vow_follow(sim_link_exchange(sim_link_get(in), arg));
}

static vow_value_t use_room(vow_future_t *room, void *arg) {
  sim_request_t *r = arg;
  (void)room;
  return vow_follow(
      vow_then(vow_go(sim.loop, find_link, r->client), on_link, r));
}

static vow_value_t leave_room(vow_future_t *room, void *arg) {
  (void)room; /* the permit goes with it */
  (void)arg;
  return vow_nil();
}

static vow_future_t *start_attempt(vow_loop_t *loop, uint32_t attempt,
                                   void *arg) {
  sim_request_t *r = arg;
  vow_future_t *room = vow_semaphore_acquire(r->client->room, r->permits);
  (void)loop;
  (void)attempt;
  return vow_timeout(vow_using(room, use_room, leave_room, r), ATTEMPT_MS);
}

static vow_future_t *chain(sim_request_t *r) {
  vow_retry_options_t options = {
      .delay_ms = PAUSE_MS, .max_delay_ms = PAUSE_MAX, .jitter = 0.5};
  options.attempts = attempts_of(r);
  options.seed = 1 + sim_below(1000000);
  return vow_retry(sim.loop, start_attempt, r, NULL, &options);
}

/* ---- as a task ------------------------------------------------------------------ */

static vow_value_t attempt_once(void *arg) {
  sim_request_t *r = arg;
  vow_value_t v = vow_defer_value(
      vow_await(vow_semaphore_acquire(r->client->room, r->permits)));
  if (vow_value_is_failure(v)) return v;
  v = vow_defer_value(sim_link_find(r->client));
  if (vow_value_is_failure(v)) return v;
  return vow_await(vow_timeout(
      sim_link_exchange(vow_value_get(v, &sim_link_type), r), ATTEMPT_MS));
}

static vow_value_t ask(void *arg) {
  sim_request_t *r = arg;
  uint32_t n;
  uint64_t pause_ms = PAUSE_MS;
  for (n = 1;; n++, pause_ms *= 2) {
    vow_value_t v = vow_scope(attempt_once, r);
    if (!vow_value_is_failure(v) || n == attempts_of(r) ||
        vow_task_reason() != 0)
      return v;
    vow_value_destroy(v);
    VOW_TRY_NIL(vow_sleep(sim.loop, pause_ms + sim_below(PAUSE_MS)));
  }
}

/* ---- requests --------------------------------------------------------------------- */

static void note_outcome(sim_request_t *r, int status) {
  r->status = status;
  r->outcomes++;
  sim_client_check(r->client);
  sim_note(SIM_OUTCOME, r->client->number, r->id, status);
}

static vow_value_t on_outcome(vow_future_t *in, void *arg) {
  const sim_request_t *r = arg;
  note_outcome(arg, vow_status(in));
  /* Of one that was dropped nobody would see the failure. */
  return r->future != NULL ? vow_outcome(in) : vow_nil();
}

/* Runs always, though memory may have been too short for the callback. */
static void on_end(void *arg) {
  sim_request_t *r = arg;
  MUST(!r->ended);
  r->ended = true;
  if (r->outcomes == 0) note_outcome(r, UV_ENOMEM);
}

void sim_client_ask(sim_client_t *c, sim_request_t *r) {
  bool as_task = sim_chance(50);
  int64_t limit_ms = 300 + (int64_t)sim_below(900);
  vow_future_t *f;
  r->client = c;
  sim_note(SIM_ASK, c->number, r->id, r->op);
  f = as_task ? vow_go(sim.loop, ask, r) : chain(r);
  f = vow_with_token(vow_timeout(f, limit_ms), c->token);
  f = vow_then(f, on_number, r);
  r->future = vow_handle(f, on_outcome, r, on_end);
}

/* ---- clients ---------------------------------------------------------------------- */

sim_client_t *sim_client_new(int number) {
  sim_client_t *c = calloc(1, sizeof *c);
  MUST(c != NULL);
  c->number = number;
  c->token = vow_token_new(sim.loop);
  c->room = vow_semaphore_new(sim.loop, AT_A_TIME);
  c->dialling = vow_mutex_new(sim.loop);
  c->tasks = vow_group_new(sim.loop, VOW_GROUP_BACKGROUND);
  MUST(c->token != NULL && c->room != NULL && c->dialling != NULL &&
       c->tasks != NULL);
  return c;
}

void sim_client_cancel(sim_client_t *c, int reason) {
  vow_token_t *next = vow_token_new(sim.loop);
  if (next == NULL) return;
  vow_token_cancel(c->token, reason);
  vow_token_free(c->token);
  c->token = next;
}

void sim_client_check(const sim_client_t *c) {
  MUST(vow_semaphore_available(c->room) < SIM_PERMITS ||
       vow_semaphore_waiting(c->room) == 0);
}

void sim_client_break(sim_client_t *c) {
  sim_link_t *l = c->links[sim_below(SIM_POOL)];
  if (l != NULL) sim_link_fail(l, UV_ECONNABORTED);
}

void sim_client_free(sim_client_t *c) {
  uint64_t began_ms = vow_check_now_ms();
  size_t i;
  MUST(vow_semaphore_available(c->room) == AT_A_TIME);
  MUST(vow_semaphore_waiting(c->room) == 0);
  MUST(!vow_mutex_is_held(c->dialling));
  for (i = 0; i < SIM_POOL; i++)
    if (c->links[i] != NULL) sim_link_fail(c->links[i], VOW_ESHUTDOWN);
  vow_assert_ok(vow_group_join(c->tasks));
  MUST(vow_check_now_ms() - began_ms <= PROMPT_MS);
  vow_token_free(c->token);
  vow_semaphore_free(c->room);
  vow_mutex_free(c->dialling);
  free(c);
}
