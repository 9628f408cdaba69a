/* SPDX-License-Identifier: MIT */
/* Instructions of fuzz_tasks.c: futures in slots, tokens, iterators. */
#ifndef VOW_TEST_FUZZ_TASKS_FUTURES_H
#define VOW_TEST_FUZZ_TASKS_FUTURES_H

#include "fuzz/tasks_tasks.h"

/* ---- futures, tokens ------------------------------------------------------
 */

static void combine(frame_t *fr, unsigned op, unsigned arg) {
  vow_future_t *pair[2] = {take_slot(arg), take_slot(arg >> 3)};
  size_t n = (size_t)(pair[0] != NULL) + (size_t)(pair[1] != NULL);
  if (pair[0] == NULL) pair[0] = pair[1];
  switch (op % 4) {
  case 0:
    use(fr, arg, vow_gather_settled(m.loop, n, pair));
    break;
  case 1:
    use(fr, arg, vow_race(m.loop, n, pair));
    break;
  case 2:
    if (n > 0) use(fr, arg, vow_timeout(pair[0], (arg >> 3) % 4));
    if (n > 1) vow_drop(pair[1]);
    break;
  default:
    if (n > 0) use(fr, arg, vow_shield(pair[0]));
    if (n > 1) vow_drop(pair[1]);
    break;
  }
}

static void reclaim(vow_future_t *f) {
  vow_value_t v;
  if (vow_reclaim(f, &v) == 0)
    vow_value_destroy(v);
  else if (vow_take_value(f, &v) == 0)
    end_value(v);
}

static void do_future(frame_t *fr, unsigned op, unsigned arg) {
  vow_future_t *f = m.future[arg % FUTURES];
  switch (op % 8) {
  case 0:
    if ((f = take_slot(arg)) != NULL) use(fr, arg | 64, f);
    break;
  case 1:
    if (f != NULL) use(fr, arg >> 3 | (arg & 0xc0), vow_ref(f));
    break;
  case 2:
    if (f != NULL) vow_cancel(f);
    break;
  case 3:
    vow_drop(take_slot(arg));
    break;
  case 4:
    if (f != NULL) reclaim(f);
    break;
  case 5:
    use(fr, arg, vow_sleep(m.loop, (arg >> 3) % 8));
    break;
  case 6:
    combine(fr, op >> 3, arg);
    break;
  default:
    m.detached = m.detached || f != NULL;
    vow_detach(take_slot(arg));
    break;
  }
}

static void make_token(size_t i, unsigned arg) {
  vow_token_t *parent = m.token[(arg >> 3) % FEW];
  if (m.token[i] != NULL || m.ending) return;
  if (parent == NULL)
    m.token[i] = vow_token_new(m.loop);
  else if (arg & 32)
    m.token[i] = vow_token_deadline(parent, arg >> 6);
  else
    m.token[i] = vow_token_child(parent);
}

static void do_token(frame_t *fr, unsigned op, unsigned arg) {
  size_t i = arg % FEW;
  vow_future_t *f;
  make_token(i, arg);
  if (m.token[i] == NULL) return;
  switch (op % 4) {
  case 0:
    f = take_slot(arg >> 3);
    if (f != NULL) use(fr, arg, vow_with_token(f, m.token[i]));
    break;
  case 1:
    vow_token_cancel(m.token[i], arg & 64 ? UV_ETIMEDOUT : 0);
    break;
  case 2:
    m.token_kept[i] = true;
    if ((arg & 32) == 0)
      use(fr, arg, vow_token_future(m.token[i]));
    else /* who is bound to it, and awaits that in a shield, never ends */
      vow_detach(vow_token_close(m.token[i]));
    break;
  default:
    if (m.token_kept[i]) break;
    vow_token_free(m.token[i]);
    m.token[i] = NULL;
    break;
  }
}

/* ---- iterators ------------------------------------------------------------
 */

static vow_value_t on_item(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

static vow_iter_t *iter_new(frame_t *fr, unsigned op, unsigned arg) {
  size_t i = arg % FEW;
  vow_subscription_t *s;
  switch (op % 3) {
  case 0:
    m.queue_kept[i] = true;
    return vow_queue_iter(queue_at(i, arg));
  case 1:
    s = subscription_at(i, arg);
    m.subscription[i] = NULL;
    return vow_subscription_iter(s);
  default:
    if (!may_start()) return NULL;
    return vow_generator(m.loop, generator_body, arg_of(fr, arg, NULL),
                         arg_drop);
  }
}

static vow_iter_t *adapt(size_t i, unsigned arg) {
  vow_iter_t *both[2] = {m.iter[i], m.iter[(i + 1) % FEW]};
  switch (arg % 8) {
  case 0:
    return vow_iter_take(both[0], arg >> 6);
  case 1:
    return vow_iter_chunk(both[0], 2);
  case 2:
    return vow_iter_timeout(both[0], arg >> 6);
  case 3:
    return vow_iter_buffered(both[0], 1 + (arg >> 6), on_item,
                             arg_new(0, 0, NULL), arg_drop);
  case 4:
    return vow_iter_buffered_unordered(both[0], 1 + (arg >> 6), on_item, NULL);
  case 5:
    return vow_iter_map(both[0], on_item, arg_new(0, 0, NULL), arg_drop);
  default:
    if (both[1] == NULL) return both[0];
    m.iter[(i + 1) % FEW] = NULL;
    return vow_iter_merge(m.loop, 2, both);
  }
}

static void walk(frame_t *fr, vow_iter_t *it, unsigned arg) {
  vow_value_t failure;
  unsigned left = 1 + arg % 3;
  (void)fr;
  VOW_FOR(step, it, &failure) {
    if (arg & 32) vow_value_destroy(vow_step_take(&step));
    if (--left == 0) break;
  }
  vow_value_destroy(failure);
}

static void end_iter(frame_t *fr, size_t i, unsigned arg) {
  vow_iter_t *it = m.iter[i];
  m.iter[i] = NULL;
  if (arg & 8) {
    use(fr, arg, vow_iter_collect(it, 8));
  } else if (fr->in_task && (arg & 16) != 0) {
    walk(fr, it, arg);
  } else {
    if (arg & 32) use(fr, arg, vow_iter_close(it));
    vow_iter_free(it);
  }
}

static void do_iter(frame_t *fr, unsigned op, unsigned arg) {
  size_t i = (op >> 3) % FEW;
  if (m.iter[i] == NULL) {
    if (!m.ending) m.iter[i] = iter_new(fr, op, arg);
    return;
  }
  switch (op % 8) {
  case 0:
    end_iter(fr, i, arg);
    break;
  case 1:
    m.iter[i] = adapt(i, arg);
    break;
  default:
    use(fr, arg, vow_iter_next(m.iter[i]));
    break;
  }
}

#endif
