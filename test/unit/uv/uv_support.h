/* SPDX-License-Identifier: MIT */
/* What the tests of src/uv share: loops on libuv, and a connected pair of TCP
 * handles. Header only; nothing of src/uv's inside is used. */
#ifndef VOW_TEST_UV_SUPPORT_H
#define VOW_TEST_UV_SUPPORT_H

#include <vow/fs.h>
#include <vow/handle.h>
#include <vow/op.h>
#include <vow/stream_io.h>
#include <vow/tcp.h>

#include "support/fault.h"
#include "support/test.h"

/* Failures that nobody saw since the last loop was made. */
static int unseen __attribute__((unused));

static inline void count_unseen(vow_future_t *f, void *arg) {
  (void)f;
  ++*(int *)arg;
}

static inline vow_loop_options_t quiet_options(bool probe) {
  vow_loop_options_t o = {0};
  o.on_unhandled = count_unseen;
  o.on_unhandled_arg = &unseen;
  o.probe_cells = probe;
  unseen = 0;
  return o;
}

static inline vow_loop_t *loop_open(void) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  return loop;
}

/* Every cell asks vow's allocator. */
static inline vow_loop_t *loop_open_probe(void) {
  vow_loop_options_t o = quiet_options(true);
  vow_loop_t *loop = NULL;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  return loop;
}

/* Nothing may be left but what close itself ends. */
static inline void loop_done(vow_loop_t *loop) {
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
}

/* Runs until f has settled, and tells how. */
static inline int settle(vow_loop_t *loop, vow_future_t *f) {
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  return vow_status(f);
}

/* The same; f is dropped. */
static inline int settle_drop(vow_loop_t *loop, vow_future_t *f) {
  int err = settle(loop, f);
  vow_drop(f);
  return err;
}

/* A few turns that do not block. */
static inline void turns(vow_loop_t *loop, int n) {
  while (n-- > 0) uv_run(vow_loop_uv(loop), UV_RUN_NOWAIT);
}

static inline struct sockaddr_in local_addr(int port) {
  struct sockaddr_in addr;
  uv_ip4_addr("127.0.0.1", port, &addr);
  return addr;
}

static inline int port_of(const uv_tcp_t *tcp) {
  struct sockaddr_in addr;
  int length = sizeof addr;
  ck_assert_int_eq(uv_tcp_getsockname(tcp, (struct sockaddr *)&addr, &length),
                   0);
  return ntohs(addr.sin_port);
}

static inline uv_stream_t *stream_of(uv_tcp_t *tcp) {
  return (uv_stream_t *)tcp;
}

static inline uv_handle_t *handle_of(uv_tcp_t *tcp) {
  return (uv_handle_t *)tcp;
}

/* A handle bound to a free port of this machine. */
static inline uv_tcp_t *bound_tcp(vow_loop_t *loop) {
  uv_tcp_t *tcp = NULL;
  struct sockaddr_in addr = local_addr(0);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  ck_assert_int_eq(uv_tcp_bind(tcp, (const struct sockaddr *)&addr, 0), 0);
  return tcp;
}

static inline vow_future_t *connect_to(uv_tcp_t *tcp, int port) {
  struct sockaddr_in addr = local_addr(port);
  return vow_tcp_connect(tcp, (const struct sockaddr *)&addr);
}

/* Two connected handles, and the listening one. */
typedef struct pair {
  vow_loop_t *loop;
  uv_tcp_t *listening;
  vow_listener_t *listener;
  uv_tcp_t *a;
  uv_tcp_t *b;
} pair_t;

static inline pair_t pair_open(vow_loop_t *loop) {
  pair_t p = {loop, bound_tcp(loop), NULL, NULL, NULL};
  vow_future_t *accepted;
  int small = 32 * 1024; /* so that large writes have to wait */
  ck_assert_int_eq(vow_listen(p.listening, 8, &p.listener), 0);
  accepted = vow_accept(p.listener);
  ck_assert_int_eq(vow_tcp_new(loop, &p.a), 0);
  ck_assert_int_eq(settle_drop(loop, connect_to(p.a, port_of(p.listening))), 0);
  ck_assert_int_eq(settle(loop, accepted), 0);
  p.b = vow_tcp_take(accepted);
  ck_assert_ptr_nonnull(p.b);
  uv_send_buffer_size(handle_of(p.a), &small);
  vow_drop(accepted);
  return p;
}

/* Frees what is left, and turns until libuv has let go. */
static inline void pair_close(pair_t *p) {
  vow_listener_free(p->listener);
  vow_tcp_free(p->listening);
  vow_tcp_free(p->a);
  vow_tcp_free(p->b);
  turns(p->loop, 3);
}

static inline vow_future_t *write_text(uv_tcp_t *tcp, const char *text) {
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
  return vow_write(stream_of(tcp), &buf, 1);
}

/* What f succeeded with must be these bytes. */
static inline void expect_bytes(vow_future_t *f, const char *text) {
  vow_bytes_t *b = vow_bytes_get(f);
  ck_assert_ptr_nonnull(b);
  ck_assert_uint_eq(vow_bytes_length(b), strlen(text));
  ck_assert_int_eq(memcmp(vow_bytes_data(b), text, strlen(text)), 0);
}

/* Counts calls; an arg_drop. */
static inline void count_drop(void *arg) {
  ++*(int *)arg;
}

/* A continuation that counts. */
static inline vow_value_t count_call(vow_future_t *in, void *arg) {
  (void)in;
  ++*(int *)arg;
  return vow_nil();
}

#endif
