/* SPDX-License-Identifier: MIT */
/* Networks: making them, their numbers and timers, partitions, and the end. */
#include "check/net.h"

#include <vow/time.h>

#include <stdlib.h>
#include <string.h>

struct vow__cut {
  vow__cut_t *next;
  char *address; /* NULL: all */
};

char *vow__kit_copy(const char *text) {
  size_t size = strlen(text) + 1;
  return memcpy(vow__kit_alloc(size), text, size);
}

/* ---- misuse ---------------------------------------------------------------- */

/* Of calls that take no site: the test fails at its own line. */
static void need(const void *p, const char *what) {
  if (p == NULL) vow__kit_fail(vow__kit_site(), "%s is NULL", what);
}

/* ---- making --------------------------------------------------------------- */

static void end_with_test(void *arg);

vow_check_net_t *vow_check_net_new(vow_loop_t *loop,
                                   const vow_check_wire_t *wire) {
  vow_check_net_t *net;
  need(loop, "vow_check_net_new: the loop");
  net = vow__kit_alloc(sizeof *net);
  net->loop = loop;
  net->refs = 1;
  vow_check_net_set_wire(net, wire);
  if (vow__kit() != NULL && vow__kit()->loop == loop) {
    vow_check_at_end(end_with_test, net);
    net->next = vow__kit()->nets;
    vow__kit()->nets = net;
  }
  return net;
}

void vow_check_net_set_wire(vow_check_net_t *net,
                            const vow_check_wire_t *wire) {
  need(net, "vow_check_net_set_wire: the net");
  if (wire != NULL &&
      (wire->latency_ms > VOW_MS_MAX || wire->jitter_ms > VOW_MS_MAX))
    vow__kit_fail(vow__kit_site(),
                  "vow_check_net_set_wire: latency_ms is %llu, jitter_ms %llu: "
                  "more than VOW_MS_MAX",
                  (unsigned long long)wire->latency_ms,
                  (unsigned long long)wire->jitter_ms);
  if (wire != NULL)
    net->wire = *wire;
  else
    memset(&net->wire, 0, sizeof net->wire);
}

void vow__net_timer(vow_check_net_t *net, vow_timer_t *t, uint64_t deadline_ms,
                    void (*fn)(vow_timer_t *t)) {
  int err;
  vow__memory_pause();
  err = vow_timer_start(net->loop, t, deadline_ms, fn);
  vow__memory_resume();
  if (err != 0) abort(); /* the kit's memory does not fail */
}

/* ---- partitions ----------------------------------------------------------- */

static bool is_at(const char *address, const char *wanted) {
  return wanted == NULL || strcmp(address, wanted) == 0;
}

bool vow__net_is_cut(const vow_check_net_t *net, const char *address) {
  const vow__cut_t *cut = net->cuts;
  while (cut != NULL && !is_at(address, cut->address)) cut = cut->next;
  return cut != NULL;
}

/* A lane delivers into streams and scripts, so no connection goes meanwhile. */
static void apply_cuts(vow_check_net_t *net) {
  vow__conn_t *c;
  int i;
  for (c = net->conns; c != NULL; c = c->next)
    for (i = 0; i < 2; i++) c->lane[i].cut = vow__net_is_cut(net, c->address);
  for (c = net->conns; c != NULL; c = c->next)
    for (i = 0; i < 2; i++) vow__lane_pump(&c->lane[i]);
  vow__dials_look(net);
}

void vow_check_partition(vow_check_net_t *net, const char *address) {
  vow__cut_t *cut;
  need(net, "vow_check_partition: the net");
  cut = vow__kit_alloc(sizeof *cut);
  if (address != NULL) cut->address = vow__kit_copy(address);
  cut->next = net->cuts;
  net->cuts = cut;
  apply_cuts(net);
}

static void remove_cuts(vow_check_net_t *net, const char *address) {
  vow__cut_t **at = &net->cuts;
  while (*at != NULL) {
    vow__cut_t *cut = *at;
    if (address != NULL &&
        (cut->address == NULL || strcmp(cut->address, address) != 0)) {
      at = &cut->next;
      continue;
    }
    *at = cut->next;
    free(cut->address);
    free(cut);
  }
}

void vow_check_heal(vow_check_net_t *net, const char *address) {
  need(net, "vow_check_heal: the net");
  remove_cuts(net, address);
  apply_cuts(net);
}

void vow_check_reset_all(vow_check_net_t *net, const char *address, int code) {
  vow__conn_t *c;
  need(net, "vow_check_reset_all: the net");
  for (c = net->conns; c != NULL; c = c->next)
    if (is_at(c->address, address))
      vow__conn_kill(c, code < 0 ? code : UV_ECONNRESET);
}

/* ---- what is under way ----------------------------------------------------- */

uint64_t vow__nets_busy_ms(const vow__kit_t *k) {
  const vow_check_net_t *net;
  const vow__conn_t *c;
  uint64_t ms, longest_ms = 0;
  int i;
  for (net = k->nets; net != NULL; net = net->next)
    for (c = net->conns; c != NULL; c = c->next)
      for (i = 0; i < 2; i++) {
        ms = vow__lane_busy_ms(&c->lane[i]);
        if (ms > longest_ms) longest_ms = ms;
      }
  return longest_ms;
}

/* ---- the end -------------------------------------------------------------- */

void vow__net_unref(vow_check_net_t *net) {
  if (--net->refs == 0) free(net);
}

static void end_conn(vow__conn_t *c) {
  vow__kit_t *k = vow__kit();
  bool left = k != NULL && k->failed; /* by a body that closes nothing */
  int i;
  for (i = 0; i < 2 && !left; i++)
    if (c->end[i] != NULL)
      vow_check_complain(c->site,
                         "the %s stream of the connection to %s is still open",
                         i == 0 ? "near" : "far", c->address);
  vow__conn_kill(c, VOW_ESHUTDOWN);
  vow__conn_unref(c);
}

static void end_net(vow_check_net_t *net) {
  vow__dials_end(net);
  while (net->listeners != NULL) vow_check_unlisten(net->listeners);
  while (net->scripts != NULL) {
    vow__script_t *s = net->scripts;
    net->scripts = s->next;
    vow__script_finish(s);
  }
  while (net->conns != NULL) {
    vow__conn_t *c = net->conns;
    net->conns = c->next;
    end_conn(c);
  }
  remove_cuts(net, NULL);
  net->freed = true;
  vow__net_unref(net);
}

static void end_with_test(void *arg) {
  vow_check_net_t *net = arg;
  if (!net->freed) end_net(net);
}

void vow_check_net_free(vow_check_net_t *net) {
  vow__kit_t *k = vow__kit();
  if (net == NULL) return;
  if (k != NULL && k->loop == net->loop)
    vow__kit_fail(k->site, "vow_check_net_free: the test frees its nets");
  end_net(net);
}
