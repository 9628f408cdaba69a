/* SPDX-License-Identifier: MIT */
/* retry: attempts, pauses between them, and the story of those that failed. */
#include "combine/runner.h"

#include "base/errno.h"
#include <vow/retry.h>
#include <vow/time.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_ATTEMPTS 3u
#define DEFAULT_FACTOR   2.0
#define KEPT_MAX         8u

typedef struct retry {
  vow__runner_t run;
  vow_retry_cb start;
  vow_retry_options_t options;
  double delay_ms;  /* the next pause, before chance */
  uint64_t chance;  /* state of the generator */
  uint32_t attempt; /* the last one started */
  uint32_t kept_length;
  vow_value_t kept[KEPT_MAX]; /* failures, the oldest first */
} retry_t;

/* An even draw from [0, 1): splitmix64. */
static double draw(retry_t *t) {
  uint64_t z = t->chance += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  z ^= z >> 31;
  return (double)(z >> 11) / 9007199254740992.0; /* 2^53 */
}

/* The pause that is due now; the one after it is longer by the factor. */
static uint64_t next_pause(retry_t *t) {
  double limit_ms =
      t->options.max_delay_ms > 0 && t->options.max_delay_ms < VOW_MS_MAX
          ? (double)t->options.max_delay_ms
          : (double)VOW_MS_MAX;
  double pause_ms = t->delay_ms < limit_ms ? t->delay_ms : limit_ms;
  t->delay_ms = pause_ms * t->options.factor;
  if (t->options.jitter > 0) pause_ms -= pause_ms * t->options.jitter * draw(t);
  return (uint64_t)(pause_ms + 0.5);
}

static void keep(retry_t *t, vow_value_t failure) {
  if (t->kept_length == KEPT_MAX) {
    vow_value_t oldest = t->kept[0];
    t->kept_length--;
    memmove(&t->kept[0], &t->kept[1], t->kept_length * sizeof(t->kept[0]));
    vow_value_destroy(oldest);
  }
  t->kept[t->kept_length++] = failure;
}

static vow_value_t gave_up(retry_t *t) {
  const char *site = vow_site(vow_op_future(t));
  uint32_t n = t->kept_length;
  vow_value_t last = t->kept[n - 1];
  const vow_error_t *e = vow_value_error(last);
  int code = vow_value_code(last);
  char text[192];
  t->kept_length = 0;
  if (n == 1) return last;
  snprintf(text, sizeof(text), "gave up after %" PRIu32 " attempts: %s",
           t->attempt, e != NULL ? vow_error_message(e) : vow_strerror(code));
  return vow_fail_cause_at(
      site, code, vow_fail_multi_at(site, n, t->kept, n - 1), "%s", text);
}

static void next_attempt(retry_t *t) {
  vow__runner_t *r = &t->run;
  vow_future_t *f;
  r->calling = true; /* who cancels a pause ends it: we are wanted */
  f = t->start(vow_op_loop(t), ++t->attempt, r->arg);
  r->calling = false;
  vow__runner_adopt(r, f, "vow_retry");
}

static bool may_go_on(retry_t *t, vow_value_t failure) {
  vow__runner_t *r = &t->run;
  bool yes = true;
  if (t->attempt >= t->options.attempts) return false;
  if (t->options.retry_if == NULL) return true;
  r->calling = true;
  yes = t->options.retry_if(failure, r->arg);
  r->calling = false;
  return yes;
}

static void attempt_failed(retry_t *t, vow_value_t failure) {
  bool more = may_go_on(t, failure);
  keep(t, failure);
  if (t->run.cancelled)
    vow__runner_finish(&t->run, vow_fail(UV_ECANCELED));
  else if (more)
    vow__runner_pause(&t->run, next_pause(t));
  else
    vow__runner_finish(&t->run, gave_up(t));
}

static void retry_ready(void *op, vow_waiter_t *w) {
  retry_t *t = op;
  bool paused, failed;
  vow_value_t v = vow_nil();
  vow_future_t *f = vow__runner_take(&t->run, &paused);
  (void)w;
  if (f == NULL) return;
  failed = vow_state(f) == VOW_FAILED;
  if (!paused) v = vow_outcome(f);
  vow_drop(f);
  if (paused)
    next_attempt(t);
  else if (failed && !t->run.cancelled)
    attempt_failed(t, v);
  else
    vow__runner_finish(&t->run, v);
}

static void retry_destroy(void *op) {
  retry_t *t = op;
  while (t->kept_length > 0) vow_value_destroy(t->kept[--t->kept_length]);
}

static const vow_op_class_t retry_class = {
    .name = "retry",
    .size_bytes = sizeof(retry_t),
    .cancel = vow__runner_cancel,
    .destroy = retry_destroy,
    .ready = retry_ready,
    .sources = vow__runner_sources,
};

/* What is wrong with the settings, or NULL; defaults are filled in. */
static const char *complete_options(vow_retry_options_t *o) {
  if (o->attempts == 0) o->attempts = DEFAULT_ATTEMPTS;
  if (!isfinite(o->factor) || o->factor < 0)
    return "the factor is no number "
           "of 0 or more";
  if (o->factor == 0) o->factor = DEFAULT_FACTOR;
  if (!(o->jitter >= 0 && o->jitter <= 1))
    return "the jitter is not within "
           "0 to 1";
  return NULL;
}

vow_future_t *vow_retry_at(const char *site, vow_loop_t *loop,
                           vow_retry_cb start, void *arg, vow_drop_cb arg_drop,
                           const vow_retry_options_t *options) {
  static const vow_retry_options_t defaults;
  vow_retry_options_t o = options != NULL ? *options : defaults;
  const char *wrong = complete_options(&o);
  vow_future_t *failed;
  retry_t *t;
  if (start == NULL) wrong = "the callback is NULL";
  if (wrong != NULL)
    return vow__runner_refuse(site, loop, "vow_retry", wrong, arg, arg_drop);
  t = vow__runner_new(site, loop, &retry_class, "vow_retry", arg, arg_drop,
                      &failed);
  if (t == NULL) return failed;
  t->start = start;
  t->options = o;
  t->delay_ms = (double)o.delay_ms;
  t->chance = o.seed != 0 ? o.seed : (uintptr_t)t ^ vow_loop_now_ms(loop);
  return vow_op_future(t);
}
