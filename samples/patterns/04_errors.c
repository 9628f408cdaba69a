/* SPDX-License-Identifier: MIT */
/* Errors of many. vow_gather gives up at the first failure; vow_gather_settled
 * lets everybody finish and gives all outcomes, good and bad, as a list. */
#include "pattern.h"

typedef struct page {
  const char *path;
  uint64_t delay_ms;
  int status;
} page_t;

static page_t pages[] = {{"/index", 300, 200},
                         {"/secret", 100, 403},
                         {"/news", 200, 200},
                         {"/old", 250, 404}};

enum { PAGES = sizeof pages / sizeof pages[0] };

/* A failure has a code for programs, a message for people, and remembers the
 * line that made it. */
static vow_value_t fetch(void *arg) {
  const page_t *page = arg;
  vow_value_t v = vow_await(vow_sleep(vow_task_loop(), page->delay_ms));
  if (vow_value_is_failure(v)) {
    say("%s: %s", page->path, vow_strerror(vow_value_code(v)));
    return v;
  }
  if (page->status != 200)
    return vow_failf(UV_EPROTO, "%s: status %d", page->path, page->status);
  return vow_stringf("the text of %s", page->path);
}

static void start_all(vow_future_t *ret_futures[PAGES]) {
  for (size_t i = 0; i < PAGES; i++)
    ret_futures[i] = vow_go(vow_task_loop(), fetch, &pages[i]);
}

/* Everybody finishes; failures are elements of the list. */
static vow_value_t collect(void) {
  vow_future_t *futures[PAGES];
  char text[80];
  start_all(futures);
  VOW_TRY(v, vow_gather_settled(vow_task_loop(), PAGES, futures));
  vow_list_t *outcomes = vow_value_get(v, &vow_type_list);
  for (size_t i = 0; i < vow_list_length(outcomes); i++) {
    vow_value_t outcome = vow_list_at(outcomes, i);
    vow_value_describe(outcome, text, sizeof text);
    say("%s  %s", vow_value_is_failure(outcome) ? "bad " : "good", text);
  }
  vow_value_destroy(v);
  return vow_nil();
}

/* The first failure decides, the others are cancelled and awaited. To handle it
 * here, await without VOW_TRY and look at the code. */
static vow_value_t give_up_at_once(void) {
  vow_future_t *futures[PAGES];
  start_all(futures);
  vow_value_t v = vow_await(vow_gather(vow_task_loop(), PAGES, futures));
  if (vow_value_code(v) != UV_EPROTO) return v;
  say("given up: %s", vow_error_message(vow_value_error(v)));
  vow_value_destroy(v);
  return vow_nil();
}

static vow_value_t run(void *arg) {
  (void)arg;
  vow_value_t v = collect();
  if (vow_value_is_failure(v)) return v;
  return give_up_at_once();
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}
