/* SPDX-License-Identifier: MIT */
/* A resource with asynchronous open and close: Python's `async with`. vow_defer
 * closes on every way out: return, failure, cancellation; the close may wait,
 * and no cancellation reaches it. (vow_using does the same for chains.) */
#include "pattern.h"

typedef struct session {
  int id;
} session_t;

/* The last resort, for a session that nobody has taken charge of: one that was
 * opened just when its opener was cancelled. */
static void session_free(session_t *s) {
  free(s);
}

VOW_DEFINE_TYPE(session, session_t, session_free);

static vow_value_t session_open(void *arg) {
  static int last;
  (void)arg;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 100));
  session_t *s = malloc(sizeof *s);
  if (s == NULL) return vow_fail(UV_ENOMEM);
  s->id = ++last;
  say("session %d: open", s->id);
  return session_value(s);
}

static vow_value_t session_close(void *arg) {
  session_t *s = arg;
  int rc = vow_await_status(vow_sleep(vow_task_loop(), 50));
  say("session %d: closed", s->id);
  session_free(s);
  return rc == 0 ? vow_nil() : vow_fail(rc);
}

static vow_value_t session_query(session_t *s, const char *sql) {
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 200));
  if (sql[0] == '\0') return vow_failf(UV_EINVAL, "an empty query");
  say("session %d: %s", s->id, sql);
  return vow_int(42);
}

/* From vow_defer on there is nothing to think of: query after query may fail or
 * be cancelled. What the last one gave is returned behind the close. */
static vow_value_t report(void *arg) {
  const char *sql = arg;
  VOW_TRY(opened, vow_go(vow_task_loop(), session_open, NULL));
  session_t *s = vow_value_get(opened, &session_type);
  int rc = vow_defer(session_close, s);
  if (rc != 0) return vow_fail(rc); /* out of memory; closed already */
  vow_value_t v = session_query(s, "begin");
  if (vow_value_is_failure(v)) return v;
  return session_query(s, sql);
}

static vow_value_t run(void *arg) {
  static const char *const queries[] = {"select 1", "", "select 2"};
  static const int64_t limits_ms[] = {60000, 60000, 250};
  (void)arg;
  for (size_t i = 0; i < 3; i++) {
    vow_future_t *f = vow_go(vow_task_loop(), report, (void *)queries[i]);
    int rc = vow_await_status(vow_timeout(f, limits_ms[i]));
    say("report: %s", rc == 0 ? "good" : vow_strerror(rc));
  }
  return vow_nil();
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}
