/* SPDX-License-Identifier: MIT */
/* The weather: what goes wrong with wires, memory, the server and requests. */
#include "sim/sim.h"

#define PAUSE_MS     60  /* between two troubles, at most */
#define OUTAGE_MS    400 /* of the server, or of a partition, at most */
#define GRACE_MS     300
#define ALLOCATIONS  40 /* until one fails, at most */
#define FAMINE_STEPS 12

static void set_wire(void) {
  static const uint64_t rates[] = {0, 200000, 20000, 2000, 0};
  vow_check_wire_t w = {.latency_ms = sim_below(8)};
  uint32_t n = sim_below(100);
  w.delivery = n < 40   ? VOW_CHECK_RANDOM
               : n < 65 ? VOW_CHECK_DEFERRED
               : n < 95 ? VOW_CHECK_IMMEDIATE
                        : VOW_CHECK_BYTEWISE;
  w.bytes_per_s = rates[sim_below(sim.fair ? 2 : 5)];
  if (!sim.fair && sim_chance(20)) w.latency_ms = sim_below(120);
  if (sim_chance(30)) w.capacity_bytes = 16 + sim_below(200);
  if (sim.fair && w.capacity_bytes > 0) w.latency_ms = 0;
  w.jitter_ms = 1 + sim_below(10);
  sim_note(SIM_WIRE, (int64_t)w.delivery, (int64_t)w.latency_ms,
           (int64_t)w.bytes_per_s);
  vow_check_net_set_wire(sim.net, &w);
}

static void partition(void) {
  sim_note(SIM_PARTITION, 0, 0, 0);
  vow_check_partition(sim.net, sim_chance(50) ? NULL : SIM_ADDRESS);
  sim_pause(sim_below(OUTAGE_MS));
  sim_note(SIM_HEAL, 0, 0, 0);
  vow_check_heal(sim.net, NULL);
}

static void reset_all(void) {
  sim_note(SIM_RESET, 0, 0, 0);
  vow_check_reset_all(sim.net, NULL, 0);
}

static void starve(void) {
  uint32_t nth = 1 + sim_below(ALLOCATIONS);
  sim_note(SIM_STARVE, nth, 0, 0);
  vow_check_fail_alloc(nth);
}

/* Time must not pass meanwhile: who tries again until there is memory would
 * never let it. */
static void famine(void) {
  uint32_t steps = 1 + sim_below(FAMINE_STEPS);
  sim_note(SIM_FAMINE, steps, 0, 0);
  vow_check_fail_alloc_from(1);
  while (steps-- > 0) vow_yield();
  vow_check_fail_alloc(0);
}

static void restart_server(void) {
  vow_check_fail_alloc(0);
  sim_server_close(sim.server, sim_below(GRACE_MS));
  sim.server = NULL;
  sim_pause(sim_below(OUTAGE_MS));
  vow_check_fail_alloc(0);
  sim.server = sim_server_open();
}

/* One that has begun and not ended, or NULL. */
static sim_request_t *some_request(void) {
  size_t tries = 8;
  while (tries-- > 0 && sim.n_requests > 0) {
    sim_request_t *r = &sim.requests[sim_below((uint32_t)sim.n_requests)];
    if (r->future != NULL && !r->ended) return r;
  }
  return NULL;
}

static void cancel_request(void) {
  sim_request_t *r = some_request();
  bool drop = sim_chance(30);
  if (r == NULL) return;
  sim_note(drop ? SIM_DROP : SIM_CANCEL, r->id, 0, 0);
  r->cancelled = true;
  if (!drop) {
    vow_cancel(r->future);
    return;
  }
  vow_drop(r->future);
  r->future = NULL;
}

static sim_client_t *some_client(void) {
  return sim.clients[sim_below((uint32_t)sim.n_clients)];
}

static void cancel_client(void) {
  sim_client_t *c = some_client();
  size_t i;
  sim_note(SIM_CANCEL_CLIENT, 0, 0, 0);
  for (i = 0; i < sim.n_requests; i++)
    if (sim.requests[i].client == c && !sim.requests[i].ended)
      sim.requests[i].cancelled = true;
  sim_client_cancel(c, sim_chance(50) ? UV_ETIMEDOUT : UV_EINTR);
}

static void trouble(void) {
  uint32_t n = sim_below(100);
  if (n < 20)
    set_wire();
  else if (n < 28)
    partition();
  else if (n < 34)
    reset_all();
  else if (n < 54)
    starve();
  else if (n < 60)
    famine();
  else if (n < 64)
    restart_server();
  else if (n < 86)
    cancel_request();
  else if (n < 92)
    cancel_client();
  else
    sim_client_break(some_client());
}

void sim_weather(uint64_t ms) {
  uint64_t end_ms = vow_check_now_ms() + ms;
  size_t i;
  set_wire();
  while (vow_check_now_ms() < end_ms) {
    sim_pause(1 + sim_below(PAUSE_MS));
    if (!sim.fair) trouble();
    for (i = 0; i < sim.n_clients; i++) sim_client_check(sim.clients[i]);
  }
}

void sim_weather_clear(void) {
  sim_note(SIM_CLEAR, 0, 0, 0);
  vow_check_fail_alloc(0);
  vow_check_heal(sim.net, NULL);
  vow_check_net_set_wire(sim.net, NULL);
}
