/* SPDX-License-Identifier: MIT */
/* Into a program that runs libuv already: attach to its loop and move over one
 * callback at a time. Here a raw timer stays, and what it sets off is new. */
#include <stdio.h>
#include <vow.h>

typedef struct program {
  uv_timer_t heartbeat; /* raw: its data field belongs to us, not to vow */
  vow_loop_t *loop;
  int beats;
} program_t;

static vow_value_t add_up(vow_future_t *in, void *arg) {
  program_t *program = arg;
  (void)in;
  printf("measured after beat %d\n", program->beats);
  return vow_nil();
}

static vow_value_t complain(vow_future_t *in, void *arg) {
  (void)arg;
  printf("not measured: %s\n", vow_strerror(vow_status(in)));
  return vow_nil();
}

/* The migrated part: two callbacks and a struct to pass state between them
 * once, now a chain. It is never waited for here, so it is detached. */
static void measure(program_t *program) {
  vow_future_t *f = vow_sleep(program->loop, 1);
  f = vow_then(f, add_up, program);
  f = vow_catch(f, complain, NULL);
  vow_detach(f);
}

/* A callback as it always was. */
static void on_heartbeat(uv_timer_t *timer) {
  program_t *program = timer->data;
  program->beats++;
  printf("beat %d\n", program->beats);
  measure(program);
  if (program->beats == 3) uv_close((uv_handle_t *)timer, NULL);
}

static int start(program_t *program, uv_loop_t *uv) {
  int rc = vow_loop_attach(uv, NULL, &program->loop);
  if (rc != 0) return rc;
  program->beats = 0;
  uv_timer_init(uv, &program->heartbeat);
  program->heartbeat.data = program;
  return uv_timer_start(&program->heartbeat, on_heartbeat, 0, 50);
}

int main(void) {
  uv_loop_t uv;
  program_t program;
  int rc = uv_loop_init(&uv);
  if (rc == 0) rc = start(&program, &uv);
  if (rc != 0) {
    fprintf(stderr, "cannot start: %s\n", vow_strerror(rc));
    return 1;
  }

  /* The program goes on running its loop by itself. What is pending in vow
   * keeps it going, as requests of libuv's do. */
  uv_run(&uv, UV_RUN_DEFAULT);
  puts("idle");

  /* Closing takes vow's handles out again; then the loop closes as ever. */
  if (vow_loop_close(program.loop, 1000) != 0) return 1;
  if (uv_loop_close(&uv) != 0) return 1;
  puts("closed");
  return 0;
}
