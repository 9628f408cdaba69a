/* SPDX-License-Identifier: MIT */
/* A paginated fetch. The server gives pages, the caller wants items: between
 * them a generator hides the pages. A page is asked for when its first item is
 * wanted, so who leaves early saves the rest. */
#include "pattern.h"

#include <vow/task_iter.h>

enum { PAGE_ITEMS = 4, ALL_ITEMS = 11 };

typedef struct page {
  int64_t items[PAGE_ITEMS];
  size_t count;
  bool last;
} page_t;

/* The server: 100 ms for a page. */
static vow_value_t fetch_page(int64_t number, page_t *ret_page) {
  int64_t first = number * PAGE_ITEMS;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 100));
  say("page %" PRId64 " is here", number);
  ret_page->count = 0;
  while (ret_page->count < PAGE_ITEMS && first < ALL_ITEMS)
    ret_page->items[ret_page->count++] = first++;
  ret_page->last = first == ALL_ITEMS;
  return vow_nil();
}

static vow_value_t emit_items(void *arg) {
  page_t page = {.last = false};
  (void)arg;
  for (int64_t number = 0; !page.last; number++) {
    vow_value_t v = fetch_page(number, &page);
    if (vow_value_is_failure(v)) return v;
    for (size_t i = 0; i < page.count; i++) {
      int rc = vow_emit(vow_int(page.items[i]));
      if (rc != 0) return vow_fail(rc);
    }
  }
  return vow_nil();
}

static vow_iter_t *all_items(void) {
  return vow_generator(vow_task_loop(), emit_items, NULL);
}

static vow_value_t run(void *arg) {
  vow_value_t failure;
  int64_t sum = 0;
  (void)arg;
  VOW_FOR(step, all_items(), &failure) {
    sum += step.item.as.i;
  }
  if (vow_value_is_failure(failure)) return failure;
  say("the sum of all is %" PRId64, sum);

  VOW_FOR(step, all_items(), &failure) {
    if (step.item.as.i < 6) continue;
    say("found %" PRId64 ", need no more", step.item.as.i);
    break;
  }
  return failure;
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}
