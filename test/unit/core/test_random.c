/* SPDX-License-Identifier: MIT */
/* Random programs: trees of promises, chains, combinators and tokens, with
 * cancels, drops and time in between. After each program every future must
 * have settled, every arg and value be released exactly once, and nothing be
 * left. The seed of one that fails is printed; VOW_SEED=seed runs that one
 * alone. */
#include "support/seeds.h"
#include "unit/core/random_program.h"

static void random_step(void) {
  size_t i = below(POOL);
  uint64_t ms;
  switch (below(24)) {
  case 0:
  case 1:
  case 2:
    keep(random_promise());
    break;
  case 3:
    keep(vow_ready(r.loop, random_value(false)));
    break;
  case 4:
    keep(vow_sleep(r.loop, below(30)));
    break;
  case 5:
    keep(random_combination());
    break;
  case 6:
    keep(vow_timeout(pick(), (int64_t)below(20) - 1));
    break;
  case 7:
    keep(chance(50) ? vow_shield(pick())
                    : vow_deadline(pick(), 1000 + below(60)));
    break;
  case 8:
    if (r.pool[i] != NULL) vow_cancel(r.pool[i]);
    break;
  case 9:
    vow_drop(pick());
    break;
  case 10:
    vow_detach(pick());
    break;
  case 11:
  case 12:
    finish_some_promise();
    break;
  case 13:
  case 14:
  case 15:
    random_token_step();
    break;
  case 16:
    for (uint32_t n = below(6); n > 0; n--) vow_loop_step(r.loop);
    break;
  case 17:
    manual_drain(r.loop);
    break;
  case 18:
    ms = below(10);
    manual_advance(r.loop, ms);
    break;
  default:
    keep(random_chain(pick()));
  }
}

/* True when there was one. */
static bool finish_promises(void) {
  bool any = false;
  for (size_t i = 0; i < r.n_promises; i++) {
    vow_promise_t *p = r.promise[i];
    r.promise[i] = NULL;
    if (p == NULL) continue;
    any = true;
    vow_promise_finish(p, random_plain());
  }
  return any;
}

static void run_out(void) {
  while (finish_promises() || vow_loop_has_ready(r.loop) ||
         vow_loop_next_ms(r.loop) != UINT64_MAX)
    manual_advance(r.loop, 100);
}

static void close_loop(void) {
  int err;
  while ((err = vow_loop_close(r.loop, 50)) == UV_EBUSY)
    ck_assert(finish_promises());
  ck_assert_int_eq(err, 0);
}

/* Lets everything end by itself, or by being given up. */
static void wind_up(void) {
  bool by_closing = chance(30);
  while (chance(70)) vow_drop(pick());
  if (by_closing) {
    close_loop();
  } else {
    run_out();
    for (size_t i = 0; i < TOKENS; i++) vow_token_cancel(r.token[i], UV_EINTR);
    run_out();
  }
  for (size_t i = 0; i < POOL; i++)
    ck_assert_msg(r.pool[i] == NULL || vow_is_settled(r.pool[i]), "pending: %s",
                  vow_site(r.pool[i]));
  for (size_t i = 0; i < TOKENS; i++) free_token(i);
  if (!by_closing) run_out();
  for (size_t i = 0; i < POOL; i++) {
    vow_drop(r.pool[i]);
    r.pool[i] = NULL;
  }
  finish_promises();
  if (!by_closing) manual_done(r.loop);
}

static void ignore_unhandled(vow_future_t *f, void *arg) {
  (void)f;
  (void)arg;
}

static void run_program(uint64_t seed, const void *arg) {
  vow_loop_options_t options = {0};
  size_t n;
  (void)arg;
  memset(&r, 0, sizeof r);
  r.state = seed;
  fault_install();
  options.probe_cells = chance(10);
  options.step_budget = chance(20) ? 1 + below(4) : 0;
  options.on_unhandled = ignore_unhandled;
  r.loop = manual_loop_with(&options);
  if (options.probe_cells) fault_fail_at(1 + below(400));
  n = 10 + below(150);
  while (n-- > 0) random_step();
  fault_off();
  wind_up();
  for (size_t i = 0; i < r.n_args; i++)
    ck_assert_msg(r.arg[i].drops == 1, "arg %zu was released %d times", i,
                  r.arg[i].drops);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_random_programs_leave_nothing_behind) {
  seeds_run(test_scale(5000), run_program, NULL);
}

SUITE(core_random) {
  SEEDS_FIXTURE();
  ADD(test_random_programs_leave_nothing_behind);
}
