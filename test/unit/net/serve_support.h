/* SPDX-License-Identifier: MIT */
/* What the tests of servers share: servers on the loopback with handlers that
 * echo, wait or fail. Header only. */
#ifndef VOW_TEST_SERVE_SUPPORT_H
#define VOW_TEST_SERVE_SUPPORT_H

#include <vow/serve.h>

#include "unit/net/connect_support.h"

typedef struct service {
  vow_loop_t *loop;
  vow_server_t *server;
  vow_serve_options_t options;
  int calls;      /* of the handler */
  int running;    /* handlers that have not ended */
  int most;       /* at a time */
  int failures;   /* told to on_error */
  int last_error; /* of them */
} service_t;

static inline void handler_ended(void *arg) {
  ((service_t *)arg)->running--;
}

/* f, counted until it ends. */
static inline vow_future_t *counted(service_t *s, vow_future_t *f) {
  s->calls++;
  s->running++;
  if (s->running > s->most) s->most = s->running;
  return vow_keep(f, s, handler_ended);
}

/* Sends everything back until the end. */
static inline vow_future_t *echo(vow_stream_t *stream, void *arg) {
  return counted(arg, vow_stream_copy(stream, stream, UINT64_MAX));
}

/* Waits for ever. */
static inline vow_future_t *wait_for_ever(vow_stream_t *stream, void *arg) {
  return counted(arg, vow_never(vow_stream_loop(stream)));
}

static inline void count_failure(vow_server_t *server, vow_value_t failure,
                                 void *arg) {
  service_t *s = arg;
  (void)server;
  s->failures++;
  s->last_error = vow_value_code(failure);
}

static inline void service_start(service_t *s, vow_serve_cb handler) {
  const vow_serve_on_t on = {.host = "127.0.0.1"};
  s->options.on_error = count_failure;
  s->options.on_error_arg = s;
  ck_assert_int_eq(
      vow_serve(s->loop, 1, &on, handler, s, &s->options, &s->server), 0);
  ck_assert_int_gt(vow_server_port(s->server, 0), 0);
}

static inline void service_open(service_t *s, vow_serve_cb handler) {
  s->loop = loop_open();
  service_start(s, handler);
}

/* Without grace. */
static inline void service_end(service_t *s) {
  vow_future_t *f = vow_server_shutdown(s->server, 0);
  vow_server_free(s->server);
  s->server = NULL;
  ck_assert_int_eq(settle_drop(s->loop, f), 0);
  ck_assert_int_eq(s->running, 0);
}

static inline void service_close(service_t *s) {
  service_end(s);
  loop_done(s->loop);
}

static inline address_t service_address(const service_t *s) {
  return address_of("127.0.0.1", vow_server_port(s->server, 0));
}

/* A client of the kernel's, waiting to be accepted. */
static inline int client_of(const service_t *s) {
  address_t a = service_address(s);
  return connect_raw(&a);
}

/* Turns until *value is what it should be, two seconds at most. */
static inline void turn_until(vow_loop_t *loop, const int *value, int wanted) {
  int i;
  for (i = 0; i < 2000 && *value != wanted; i++) {
    turns(loop, 1);
    if (*value != wanted) pass_ms(1);
  }
  ck_assert_int_eq(*value, wanted);
}

/* That fd's server closed it. */
static inline void expect_end(int fd) {
  char byte;
  ck_assert_int_le(read_raw(fd, &byte, 1), 0);
  close(fd);
}

#endif
