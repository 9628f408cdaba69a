/* SPDX-License-Identifier: MIT */
/* Reads bytes as a program over futures, promises and tokens, runs it on the
 * manual driver, and checks at its end that nothing is left: no live future,
 * no block of vow's memory, every arg released exactly once.
 *
 * How this works: a program is a head of two bytes, then instructions of two
 * bytes, an opcode and an operand; the operand names slots and choices by its
 * bits. Instructions on empty slots do nothing. The head's bits: every cell
 * asks the allocator, and one allocation or all from it on fails (its number
 * follows); the loop is closed while futures are pending. */
#include "support/fault.h"
#include "support/manual.h"

#include <stdio.h>
#include <stdlib.h>

#include <vow.h>

#define SLOTS      8
#define MAX_STEPS  512
#define MAX_TWICE  8 /* the search for circles is bounded; see vow_follow */
#define END_TIME   UINT64_C(1000000)
#define REQUIRE(c) require((c), #c, __LINE__)

typedef struct machine machine_t;

/* What a callback is given: its behaviour, and a count that must be 1. */
typedef struct arg {
  machine_t *m;
  uint8_t choice;
} arg_t;

typedef struct watch {
  machine_t *m;
  vow_watch_t *watch;
  vow_token_t *token;
} watch_t;

struct machine {
  vow_loop_t *loop;
  vow_future_t *future[SLOTS];
  vow_promise_t *promise[SLOTS];
  vow_token_t *token[SLOTS];
  bool kept[SLOTS]; /* a future of the token needs it until the end */
  watch_t watch[SLOTS];
  long args;
  size_t steps;
  size_t twice;
};

static void require(bool ok, const char *what, int line) {
  if (ok) return;
  fprintf(stderr, "fuzz_program.c:%d: not so: %s\n", line, what);
  abort();
}

static size_t slot(unsigned bits) {
  return bits % SLOTS;
}

/* ---- callbacks ------------------------------------------------------------
 */

static arg_t *arg_new(machine_t *m, uint8_t choice) {
  arg_t *a = malloc(sizeof *a);
  REQUIRE(a != NULL);
  a->m = m;
  a->choice = choice;
  m->args++;
  return a;
}

/* A second call frees twice, which the sanitizer sees. */
static void arg_drop(void *arg) {
  arg_t *a = arg;
  a->m->args--;
  free(a);
}

static vow_future_t *take_slot(machine_t *m, unsigned bits) {
  vow_future_t *f = m->future[slot(bits)];
  m->future[slot(bits)] = NULL;
  return f;
}

static void put_slot(machine_t *m, unsigned bits, vow_future_t *f) {
  REQUIRE(f != NULL);
  vow_drop(m->future[slot(bits)]);
  m->future[slot(bits)] = f;
}

/* What a callback may do to the world before it returns. */
static vow_value_t behave(machine_t *m, uint8_t choice) {
  unsigned bits = choice >> 4;
  vow_future_t *f;
  switch (choice & 15) {
  case 0:
    return vow_fail(UV_EIO);
  case 1:
    return vow_failf(UV_EPROTO, "number %u", bits);
  case 2:
    return vow_cancelled(UV_ECANCELED);
  case 3:
    return vow_follow(vow_sleep(m->loop, bits));
  case 4:
    f = take_slot(m, bits);
    return f != NULL ? vow_follow(f) : vow_nil();
  case 5:
    vow_drop(take_slot(m, bits));
    return vow_nil();
  case 6:
    if (m->future[slot(bits)] != NULL) vow_cancel(m->future[slot(bits)]);
    return vow_int(1);
  case 7:
    if (m->token[slot(bits)] != NULL) vow_token_cancel(m->token[slot(bits)], 0);
    return vow_stringf("token %u", bits);
  case 8:
    vow_reject(m->promise[slot(bits)], UV_EPIPE);
    return vow_nil();
  default:
    return vow_int(choice);
  }
}

static vow_value_t on_settled(vow_future_t *in, void *arg) {
  const arg_t *a = arg;
  REQUIRE(vow_is_settled(in));
  if (a->choice == 255) return vow_outcome(in);
  return behave(a->m, a->choice);
}

static void on_watch(int reason, void *arg) {
  watch_t *w = arg;
  REQUIRE(reason < 0);
  w->watch = NULL;
}

static void on_cancel(vow_promise_t *p, void *arg) {
  machine_t *m = arg;
  for (size_t i = 0; i < SLOTS; i++) {
    if (m->promise[i] == p) m->promise[i] = NULL;
  }
  vow_promise_finish(p, vow_cancelled(UV_ECANCELED));
}

static void on_stuck(const char *what, const char *site, void *arg) {
  (void)arg;
  REQUIRE(what != NULL && site != NULL);
}

static void on_unhandled(vow_future_t *f, void *arg) {
  (void)arg;
  REQUIRE(vow_state(f) == VOW_FAILED);
}

/* ---- instructions ----------------------------------------------------------
 */

static void do_chain(machine_t *m, unsigned kind, unsigned bits,
                     uint8_t choice) {
  vow_future_t *f = take_slot(m, bits);
  arg_t *a;
  if (f == NULL) return;
  a = arg_new(m, choice);
  switch (kind % 4) {
  case 0:
    f = vow_then(f, on_settled, a, arg_drop);
    break;
  case 1:
    f = vow_catch(f, on_settled, a, arg_drop);
    break;
  case 2:
    f = vow_handle(f, on_settled, a, arg_drop);
    break;
  default:
    f = vow_finally(f, on_settled, a, arg_drop);
    break;
  }
  put_slot(m, bits, f);
}

/* The inputs are neighbouring slots; one may be given twice. */
static void do_combine(machine_t *m, unsigned kind, unsigned bits) {
  vow_future_t *inputs[SLOTS];
  size_t n = 0;
  for (unsigned i = 0; i < 2 + (bits >> 4) % 4; i++) {
    vow_future_t *f = take_slot(m, bits + i);
    if (f == NULL) continue;
    if (bits >> 7 != 0 && n == 0 && m->twice++ < MAX_TWICE) {
      inputs[n++] = vow_ref(f);
    }
    inputs[n++] = f;
  }
  switch (kind % 4) {
  case 0:
    put_slot(m, bits, vow_gather(m->loop, n, inputs));
    break;
  case 1:
    put_slot(m, bits, vow_gather_settled(m->loop, n, inputs));
    break;
  case 2:
    put_slot(m, bits, vow_race(m->loop, n, inputs));
    break;
  default:
    put_slot(m, bits, vow_any(m->loop, n, inputs));
    break;
  }
}

static void do_wrap(machine_t *m, unsigned kind, unsigned bits) {
  vow_token_t *t = m->token[slot(bits >> 4)];
  vow_future_t *f = take_slot(m, bits);
  if (f == NULL) return;
  switch (kind % 3) {
  case 0:
    f = vow_timeout(f, (int64_t)(bits >> 4) - 1);
    break;
  case 1:
    if (t != NULL) f = vow_with_token(f, t);
    break;
  default:
    f = vow_shield(f);
    break;
  }
  put_slot(m, bits, f);
}

static void do_settle(machine_t *m, unsigned bits) {
  vow_promise_t **p = &m->promise[slot(bits)];
  vow_future_t *f;
  switch (bits >> 5) {
  case 0:
    vow_resolve(*p, vow_int(bits));
    break;
  case 1:
    vow_resolve(*p, vow_string("value"));
    break;
  case 2:
    vow_reject(*p, UV_ECONNRESET);
    break;
  case 3:
    f = take_slot(m, bits >> 3);
    vow_resolve(*p, f != NULL ? vow_follow(f) : vow_nil());
    break;
  case 4:
    if (*p != NULL) vow_promise_on_cancel(*p, on_cancel, m);
    break;
  default:
    vow_promise_drop(*p);
    *p = NULL;
    break;
  }
}

static void free_token(machine_t *m, size_t at) {
  for (size_t i = 0; i < SLOTS; i++) {
    watch_t *w = &m->watch[i];
    if (w->token == m->token[at]) w->watch = NULL;
  }
  vow_token_free(m->token[at]);
  m->token[at] = NULL;
}

static void do_token(machine_t *m, unsigned kind, unsigned bits) {
  size_t at = slot(bits);
  vow_token_t *other = m->token[slot(bits >> 3)];
  vow_token_t *pair[2] = {other, m->token[slot(bits >> 5)]};
  vow_token_t *made = NULL;
  switch (kind % 4) {
  case 0:
    made = vow_token_new(m->loop);
    break;
  case 1:
    if (other != NULL) made = vow_token_child(other);
    break;
  case 2:
    if (other != NULL) made = vow_token_deadline(other, bits >> 5);
    break;
  default:
    if (pair[0] != NULL && pair[1] != NULL) made = vow_token_linked(2, pair);
    break;
  }
  if (made == NULL) return;
  if (m->token[at] == NULL) {
    m->token[at] = made;
  } else {
    vow_token_free(made);
  }
}

static void do_token_act(machine_t *m, unsigned kind, unsigned bits) {
  size_t at = slot(bits);
  watch_t *w = &m->watch[slot(bits >> 3)];
  vow_token_t *t = m->token[at];
  if (t == NULL) return;
  switch (kind % 6) {
  case 0:
    vow_token_cancel(t, bits >> 7 != 0 ? UV_ETIMEDOUT : UV_ECANCELED);
    break;
  case 1:
    if (!m->kept[at]) free_token(m, at);
    break;
  case 2:
    m->kept[at] = true;
    put_slot(m, bits >> 3, vow_token_future(t));
    break;
  case 3:
    m->kept[at] = true;
    put_slot(m, bits >> 3, vow_token_close(t));
    break;
  case 4:
    if (w->watch != NULL) break;
    w->token = t;
    w->watch = vow_token_watch(t, on_watch, w);
    break;
  default:
    if (w->watch != NULL) vow_token_unwatch(w->watch);
    w->watch = NULL;
    break;
  }
}

static void do_future(machine_t *m, unsigned kind, unsigned bits) {
  vow_future_t *f = m->future[slot(bits)];
  switch (kind % 5) {
  case 0:
    vow_drop(take_slot(m, bits));
    break;
  case 1:
    if (f != NULL) vow_cancel(f);
    break;
  case 2:
    if (f != NULL) put_slot(m, bits >> 3, vow_ref(f));
    break;
  case 3:
    vow_detach(take_slot(m, bits));
    break;
  default:
    if (f != NULL) (void)vow_error(f);
    break;
  }
}

static void do_make(machine_t *m, unsigned kind, unsigned bits) {
  vow_promise_t *p;
  switch (kind % 3) {
  case 0:
    if (m->promise[slot(bits)] != NULL) return;
    put_slot(m, bits, vow_promise_new(m->loop, &p));
    m->promise[slot(bits)] = p;
    break;
  case 1:
    put_slot(m, bits, vow_sleep(m->loop, bits >> 3));
    break;
  default:
    put_slot(m, bits, vow_ready(m->loop, behave(m, (uint8_t)bits)));
    break;
  }
}

static void do_run(machine_t *m, unsigned kind, unsigned bits) {
  switch (kind % 3) {
  case 0:
    vow_loop_step(m->loop);
    break;
  case 1:
    manual_drain(m->loop);
    break;
  default:
    manual_advance(m->loop, bits % 16);
    break;
  }
}

static void execute(machine_t *m, uint8_t opcode, uint8_t bits) {
  unsigned kind = opcode >> 3;
  switch (opcode & 7) {
  case 0:
    do_make(m, kind, bits);
    break;
  case 1:
    do_chain(m, kind, bits, (uint8_t)(bits * 31 + opcode));
    break;
  case 2:
    do_combine(m, kind, bits);
    break;
  case 3:
    do_wrap(m, kind, bits);
    break;
  case 4:
    do_settle(m, bits);
    break;
  case 5:
    if (kind < 16) do_token(m, kind, bits);
    if (kind >= 16) do_token_act(m, kind, bits);
    break;
  case 6:
    do_future(m, kind, bits);
    break;
  default:
    do_run(m, kind, bits);
    break;
  }
}

/* ---- the whole program ------------------------------------------------------
 */

static void give_up_futures(machine_t *m) {
  for (size_t i = 0; i < SLOTS; i++) {
    vow_drop(m->future[i]);
    m->future[i] = NULL;
    vow_promise_drop(m->promise[i]);
    m->promise[i] = NULL;
  }
}

static void free_tokens(machine_t *m) {
  for (size_t i = 0; i < SLOTS; i++) free_token(m, i);
}

/* Clean-up may wait for what only we could settle: then the loop refuses, and
 * must be usable all the same. */
static bool close_early(machine_t *m) {
  if (vow_loop_close(m->loop, 10) != 0) return false;
  give_up_futures(m);
  free_tokens(m);
  return true;
}

static void give_up_all(machine_t *m) {
  give_up_futures(m);
  for (size_t i = 0; i < SLOTS; i++) {
    if (m->token[i] != NULL) vow_token_cancel(m->token[i], 0);
  }
  manual_advance(m->loop, END_TIME);
  give_up_futures(m); /* callbacks may have filled slots anew */
  manual_advance(m->loop, END_TIME);
  free_tokens(m);
  manual_done(m->loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  vow_loop_options_t options = {0};
  machine_t m = {0};
  if (size < 2) return 0;
  fault_install();
  options.on_unhandled = on_unhandled;
  options.on_stuck = on_stuck;
  options.probe_cells = (data[0] & 1) != 0;
  m.loop = manual_loop_with(&options);
  REQUIRE(m.loop != NULL);
  if ((data[0] & 3) == 1) fault_fail_at(1u + data[1]);
  if ((data[0] & 3) == 3) fault_fail_from(1u + data[1]);
  for (size_t i = 2; i + 1 < size && m.steps < MAX_STEPS; i += 2, m.steps++) {
    execute(&m, data[i], data[i + 1]);
  }
  fault_off();
  if ((data[0] & 4) == 0 || !close_early(&m)) give_up_all(&m);
  REQUIRE(m.args == 0);
  REQUIRE(fault_live() == 0);
  fault_remove();
  return 0;
}
