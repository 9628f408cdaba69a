/* SPDX-License-Identifier: MIT */
/* Reads bytes as a program over tasks, groups, locks, queues, channels, select,
 * iterators and tokens, runs it on the manual driver, and checks at its end
 * that nothing is left: no live future or task, no block of vow's memory; every
 * arg and item released exactly once; all permits back.
 *
 * How this works: a head of four bytes, then instructions of two, an opcode and
 * an operand. A task, a scope or a clean-up executes from a place that the
 * operand names, for so many instructions; so programs overlap, and any bytes
 * are one. What a future is used for is in the operand's two highest bits. */
#include "fuzz/tasks_futures.h"
#include "fuzz/tasks_sync.h"

/* ---- executing ------------------------------------------------------------
 */

static void run_loop(unsigned arg) {
  if (arg < 64)
    vow_loop_step(m.loop);
  else if (arg < 160)
    manual_drain(m.loop);
  else
    manual_advance(m.loop, arg % 8);
}

/* Who waits for a generator's close waits for its body, and nothing cancels
 * that; so the body waits for nobody who might: for objects only. */
static bool may_wait_for_all(unsigned opcode) {
  return opcode == 3 || (opcode >= 11 && opcode <= 14);
}

static void execute_one(frame_t *fr, unsigned opcode, unsigned arg) {
  unsigned op = opcode >> 4 | (opcode & 1) << 4;
  op |= (arg & 0xe0); /* more choices */
  if (fr->in_generator && may_wait_for_all(opcode & 15)) return;
  switch (opcode & 15) {
  case 0:
    if (!fr->in_task) run_loop(arg);
    break;
  case 1:
  case 2:
    do_task(fr, op, arg);
    break;
  case 3:
    do_group(fr, op, arg);
    break;
  case 4:
    do_mutex(fr, op, arg);
    break;
  case 5:
    do_semaphore(fr, op, arg);
    break;
  case 6:
    do_event(fr, op, arg);
    break;
  case 7:
  case 8:
    do_queue(fr, op, arg);
    break;
  case 9:
    do_broadcast(fr, op, arg);
    break;
  case 10:
    do_latest(fr, op, arg);
    break;
  case 11:
    do_select(fr, op, arg);
    break;
  case 12:
    do_future(fr, op, arg);
    break;
  case 13:
    do_token(fr, op, arg);
    break;
  case 14:
    do_iter(fr, op, arg);
    break;
  default:
    if (!fr->in_task) run_loop(opcode);
    break;
  }
}

/* What holds at any time. */
static void look(void) {
  for (size_t i = 0; i < FEW; i++) {
    size_t length = vow_queue_length(m.queue[i]);
    REQUIRE(length <= vow_queue_capacity(m.queue[i]));
    REQUIRE(length <= vow_queue_unfinished(m.queue[i]));
    REQUIRE(length == 0 || vow_queue_gets_waiting(m.queue[i]) == 0);
  }
  for (size_t i = 0; i < 2; i++) {
    REQUIRE(vow_semaphore_available(m.semaphore[i]) <= PERMITS);
    REQUIRE(vow_mutex_is_held(m.mutex[i]) ||
            vow_mutex_waiting(m.mutex[i]) == 0);
  }
}

static void execute(frame_t *fr) {
  while (fr->budget > 0 && m.steps < STEPS_MAX && !m.ending &&
         fuzz_left(&fr->in) > 1) {
    unsigned opcode = fuzz_byte(&fr->in);
    fr->budget--;
    m.steps++;
    execute_one(fr, opcode, fuzz_byte(&fr->in));
    look();
  }
}

/* ---- the end --------------------------------------------------------------
 */

static void drop_futures(void) {
  for (unsigned i = 0; i < FUTURES; i++) vow_drop(take_slot(i));
  for (size_t i = 0; i < FEW; i++) {
    vow_future_t *word = m.word[i];
    m.word[i] = NULL;
    vow_drop(word);
  }
}

static void free_groups_and_iters(void) {
  for (size_t i = 0; i < FEW; i++) {
    vow_group_free(m.group[i]);
    m.group[i] = NULL;
    vow_iter_free(m.iter[i]);
    m.iter[i] = NULL;
  }
}

static void stop_all(void) {
  free_groups_and_iters();
  drop_futures();
  for (size_t i = 0; i < FEW; i++)
    if (m.token[i] != NULL) vow_token_cancel(m.token[i], 0);
}

static void free_waited_for(void) {
  for (size_t i = 0; i < 2; i++) {
    vow_condition_free(m.condition[i]);
    vow_event_free(m.event[i]);
  }
  for (size_t i = 0; i < FEW; i++) {
    vow_queue_free(m.queue[i]);
    vow_broadcast_free(m.broadcast[i]);
    vow_subscription_free(m.subscription[i]);
    m.queue[i] = NULL;
  }
  vow_latest_free(m.latest);
  for (size_t i = 0; i < 2; i++) m.condition[i] = NULL;
}

static void free_locks(void) {
  m.mutexes_gone = true;
  for (size_t i = 0; i < 2; i++) {
    vow_mutex_free(m.mutex[i]);
    vow_semaphore_free(m.semaphore[i]);
    m.mutex[i] = NULL;
    m.semaphore[i] = NULL;
  }
}

static void free_tokens(void) {
  for (size_t i = 0; i < FEW; i++) vow_token_free(m.token[i]);
}

/* With nobody there, nobody has or waits for anything. */
static void check_balance(void) {
  for (size_t i = 0; i < 2; i++) {
    REQUIRE(!vow_mutex_is_held(m.mutex[i]));
    REQUIRE(m.semaphore[i] == NULL ||
            vow_semaphore_available(m.semaphore[i]) == PERMITS);
    REQUIRE(vow_semaphore_waiting(m.semaphore[i]) == 0);
    REQUIRE(vow_condition_waiting(m.condition[i]) == 0);
  }
  for (size_t i = 0; i < FEW; i++) {
    REQUIRE(vow_queue_gets_waiting(m.queue[i]) == 0);
    REQUIRE(vow_queue_puts_waiting(m.queue[i]) == 0);
  }
}

#define LONG_MS 1000

static void settle_down(void) {
  stop_all();
  manual_advance(m.loop, LONG_MS);
  stop_all(); /* clean-up may have filled slots anew */
  manual_advance(m.loop, LONG_MS);
  m.ending = true;
  stop_all();
  manual_advance(m.loop, LONG_MS);
  stop_all(); /* what tasks end with */
  manual_advance(m.loop, LONG_MS);
}

static void end_open(void) {
  settle_down();
  if (m.args == 0 && !m.detached) check_balance();
  free_waited_for();
  manual_advance(m.loop, LONG_MS);
  free_locks();
  manual_advance(m.loop, LONG_MS);
  stop_all();
  manual_advance(m.loop, LONG_MS);
  free_tokens();
  REQUIRE(m.tasks == 0);
  fuzz_close(m.loop);
}

/* Clean-up may wait for what only others could settle: then the loop refuses,
 * and goes on. */
static bool end_closing(void) {
  for (size_t i = 0; i < FEW; i++) {
    vow_group_free(m.group[i]);
    m.group[i] = NULL;
  }
  if (vow_loop_close(m.loop, 10) != 0) return false;
  m.ending = true;
  REQUIRE(m.tasks == 0);
  stop_all();
  free_waited_for();
  free_locks();
  free_tokens();
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  frame_t fr = {0};
  unsigned mode, nth, seed, ends;
  memset(&m, 0, sizeof m);
  m.in.data = data;
  m.in.size = size;
  mode = fuzz_byte(&m.in);
  nth = fuzz_byte(&m.in);
  seed = fuzz_byte(&m.in);
  ends = fuzz_byte(&m.in);
  if (mode & 2) vow_task_trim(); /* so that stacks are allocated, too */
  m.loop = fuzz_loop(mode, nth, seed);
  fr.in = m.in;
  fr.budget = STEPS_MAX;
  execute(&fr);
  fault_off();
  frame_release(&fr);
  if ((ends & 1) == 0 || !end_closing()) end_open();
  REQUIRE(m.args == 0);
  REQUIRE(m.items == 0);
  fuzz_end();
  return 0;
}
