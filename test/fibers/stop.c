/* SPDX-License-Identifier: MIT */
/* A program to stop in a debugger: stop_here is called a few frames deep in a
 * task, before and after a switch. */
#include <stdio.h>
#include <vow.h>

int stop_here(int depth);

static volatile int stops;

__attribute__((noinline)) int stop_here(int depth) {
  return stops += depth;
}

__attribute__((noinline)) static int go_down(int depth) {
  if (depth == 0) return stop_here(1);
  return go_down(depth - 1) + 1;
}

static vow_value_t body_of_task(void *arg) {
  int n = go_down(2);
  vow_value_t v = vow_await(vow_sleep(vow_task_loop(), 1));
  (void)arg;
  if (vow_value_is_failure(v)) return v;
  return vow_int(n + go_down(2));
}

int main(void) {
  vow_loop_t *loop;
  vow_value_t v;
  if (vow_loop_new(NULL, &loop) != 0) return 1;
  if (vow_await_blocking(vow_go(loop, body_of_task, NULL), &v) != 0) return 1;
  printf("%d stops\n", stops);
  return vow_loop_close(loop, 100) == 0 ? 0 : 1;
}
