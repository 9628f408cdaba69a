/* SPDX-License-Identifier: MIT */
/* UDP: handles, connecting, sending and receiving. */
#include <vow/udp.h>

#include "unit/uv/uv_support.h"

static uv_handle_t *udp_handle(uv_udp_t *udp) {
  return (uv_handle_t *)udp;
}

static uv_udp_t *bound_udp(vow_loop_t *loop) {
  uv_udp_t *udp = NULL;
  struct sockaddr_in addr = local_addr(0);
  ck_assert_int_eq(vow_udp_new(loop, 0, &udp), 0);
  ck_assert_int_eq(uv_udp_bind(udp, (const struct sockaddr *)&addr, 0), 0);
  return udp;
}

static struct sockaddr_in addr_of(const uv_udp_t *udp) {
  struct sockaddr_in addr;
  int length = sizeof addr;
  ck_assert_int_eq(uv_udp_getsockname(udp, (struct sockaddr *)&addr, &length),
                   0);
  return addr;
}

static vow_future_t *send_text(uv_udp_t *from, const char *text,
                               const uv_udp_t *to) {
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
  struct sockaddr_in addr;
  if (to == NULL) return vow_udp_send(from, &buf, 1, NULL);
  addr = addr_of(to);
  return vow_udp_send(from, &buf, 1, (const struct sockaddr *)&addr);
}

static void expect_datagram(vow_future_t *f, const char *text) {
  vow_datagram_t *d = vow_datagram_get(f);
  ck_assert_ptr_nonnull(d);
  ck_assert_uint_eq(vow_datagram_length(d), strlen(text));
  ck_assert_int_eq(memcmp(vow_datagram_data(d), text, strlen(text)), 0);
  ck_assert(!vow_datagram_is_cut(d));
}

/* Two bound handles, and a receiver on b. */
typedef struct duo {
  vow_loop_t *loop;
  uv_udp_t *a;
  uv_udp_t *b;
  vow_receiver_t *r;
} duo_t;

static duo_t duo_open(vow_loop_t *loop, size_t high_water_bytes) {
  duo_t p = {loop, bound_udp(loop), bound_udp(loop), NULL};
  ck_assert_int_eq(vow_receiver_new(p.b, high_water_bytes, &p.r), 0);
  return p;
}

static void duo_done(duo_t *p) {
  vow_receiver_free(p->r);
  vow_udp_free(p->a);
  vow_udp_free(p->b);
  loop_done(p->loop);
}

static void send_now(duo_t *p, const char *text) {
  vow_future_t *f = send_text(p->a, text, p->b);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_get_int(f), (int64_t)strlen(text));
  vow_drop(f);
}

/* Until what was sent has arrived. */
static void arrive(const duo_t *p) {
  int i;
  for (i = 0; i < 3; i++) {
    uv_sleep(1);
    turns(p->loop, 1);
  }
}

/* ---- handles ------------------------------------------------------------- */

TEST(test_udp_new_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open();
  uv_udp_t *udp = NULL;
  ck_assert_int_eq(vow_udp_new(NULL, 0, &udp), UV_EINVAL);
  ck_assert_int_eq(vow_udp_new(loop, 0, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_udp_new(loop, 0x77, &udp), UV_EINVAL);
  ck_assert_ptr_null(udp);
  vow_udp_free(NULL);
  loop_done(loop);
}

TEST(test_udp_value_nobody_takes_is_closed) {
  vow_loop_t *loop;
  fault_install();
  loop = loop_open();
  vow_drop(vow_ready(loop, vow_ptr(bound_udp(loop), &vow_type_udp)));
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- connecting ---------------------------------------------------------- */

TEST(test_udp_connect_fixes_the_peer_until_undone) {
  duo_t p = duo_open(loop_open(), 0);
  struct sockaddr_in addr = addr_of(p.b);
  const struct sockaddr *to = (const struct sockaddr *)&addr;
  vow_future_t *f = vow_udp_connect(p.a, to), *next;
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  f = send_text(p.a, "hello", NULL);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  f = send_text(p.a, "hello", p.b);
  ck_assert_int_eq(vow_status(f), UV_EISCONN);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "udp_send 127.0.0.1:"));
  vow_drop(f);
  f = vow_udp_connect(p.a, to);
  ck_assert_int_eq(vow_status(f), UV_EISCONN);
  vow_drop(f);
  next = vow_receiver_next(p.r);
  ck_assert_int_eq(settle(p.loop, next), 0);
  expect_datagram(next, "hello");
  vow_drop(next);
  f = vow_udp_connect(p.a, NULL);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  f = send_text(p.a, "hello", NULL);
  ck_assert_int_eq(vow_status(f), UV_EDESTADDRREQ);
  vow_drop(f);
  f = vow_udp_connect(p.a, NULL);
  ck_assert_int_eq(vow_status(f), UV_ENOTCONN);
  vow_drop(f);
  duo_done(&p);
}

TEST(test_udp_bad_arguments_give_clear_failures) {
  vow_loop_t *loop = loop_open();
  uv_udp_t *udp = bound_udp(loop);
  struct sockaddr other;
  uv_buf_t buf = uv_buf_init(NULL, 0);
  vow_future_t *f[6];
  int i;
  memset(&other, 0, sizeof other);
  other.sa_family = AF_UNIX;
  f[0] = vow_udp_connect(NULL, &other);
  f[1] = vow_udp_connect(udp, &other);
  f[2] = vow_udp_send(NULL, &buf, 1, NULL);
  f[3] = vow_udp_send(udp, &buf, 1, &other);
  f[4] = vow_udp_send(udp, NULL, 1, NULL);
  vow_udp_free(udp);
  f[5] = vow_udp_send(udp, &buf, 1, NULL);
  for (i = 0; i < 6; i++) {
    ck_assert_int_eq(vow_status(f[i]), i < 5 ? UV_EINVAL : VOW_ESHUTDOWN);
    ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f[i])), "udp_"));
    vow_drop(f[i]);
  }
  loop_done(loop);
}

/* ---- sending ------------------------------------------------------------- */

TEST(test_udp_send_gathers_buffers_into_one_datagram) {
  duo_t p = duo_open(loop_open(), 0);
  struct sockaddr_in addr = addr_of(p.b);
  uv_buf_t bufs[3];
  vow_future_t *f;
  bufs[0] = uv_buf_init((char *)(uintptr_t) "ab", 2);
  bufs[1] = uv_buf_init(NULL, 0);
  bufs[2] = uv_buf_init((char *)(uintptr_t) "cd", 2);
  f = vow_udp_send(p.a, bufs, 3, (const struct sockaddr *)&addr);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  ck_assert_int_eq(vow_get_int(f), 4);
  vow_drop(f);
  f = vow_receiver_next(p.r);
  ck_assert_int_eq(settle(p.loop, f), 0);
  expect_datagram(f, "abcd");
  vow_drop(f);
  duo_done(&p);
}

TEST(test_udp_send_too_large_gives_emsgsize) {
  duo_t p = duo_open(loop_open(), 0);
  struct sockaddr_in addr = addr_of(p.b);
  char *big = calloc(1, 70000);
  uv_buf_t buf = uv_buf_init(big, 70000);
  vow_future_t *f = vow_udp_send(p.a, &buf, 1, (const struct sockaddr *)&addr);
  ck_assert_int_eq(vow_status(f), UV_EMSGSIZE);
  vow_drop(f);
  free(big);
  duo_done(&p);
}

static void on_raw_sent(uv_udp_send_t *req, int status) {
  *(int *)req->data = status;
}

/* Queues a datagram by libuv itself, so that the next has to queue. */
static void queue_raw(duo_t *p, uv_udp_send_t *req, int *status) {
  struct sockaddr_in addr = addr_of(p->b);
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t) "raw", 3);
  req->data = status;
  ck_assert_int_eq(uv_udp_send(req, p->a, &buf, 1,
                               (const struct sockaddr *)&addr, on_raw_sent),
                   0);
}

TEST(test_udp_send_behind_a_queued_one_is_copied_and_sent) {
  duo_t p = duo_open(loop_open(), 0);
  uv_udp_send_t req;
  int status = 1;
  char text[] = "later";
  vow_future_t *f, *cancelled, *next;
  queue_raw(&p, &req, &status);
  f = send_text(p.a, text, p.b);
  memset(text, 'x', 5);
  cancelled = send_text(p.a, "cancelled", p.b);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_cancel(cancelled);
  ck_assert(vow_is_cancelled(cancelled));
  vow_drop(cancelled);
  ck_assert_int_eq(settle(p.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 5);
  ck_assert_int_eq(status, 0);
  vow_drop(f);
  next = vow_receiver_next(p.r);
  ck_assert_int_eq(settle(p.loop, next), 0);
  expect_datagram(next, "raw");
  vow_drop(next);
  next = vow_receiver_next(p.r);
  ck_assert_int_eq(settle(p.loop, next), 0);
  expect_datagram(next, "later");
  vow_drop(next);
  next = vow_receiver_next(p.r);
  ck_assert_int_eq(settle(p.loop, next), 0);
  expect_datagram(next, "cancelled");
  vow_drop(next);
  duo_done(&p);
}

TEST(test_udp_send_borrowed_queued_cannot_be_cancelled) {
  duo_t p = duo_open(loop_open(), 0);
  struct sockaddr_in addr = addr_of(p.b);
  uv_udp_send_t req;
  int status = 1;
  char text[] = "mine";
  uv_buf_t buf = uv_buf_init(text, 4);
  vow_future_t *f;
  queue_raw(&p, &req, &status);
  f = vow_udp_send_borrowed(p.a, &buf, 1, (const struct sockaddr *)&addr);
  vow_cancel(f);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(settle(p.loop, f), 0);
  vow_drop(f);
  duo_done(&p);
}

TEST(test_udp_send_queued_when_closed_fails_with_eshutdown_or_was_sent) {
  duo_t p = duo_open(loop_open(), 0);
  uv_udp_send_t req;
  int status = 1;
  vow_future_t *f;
  queue_raw(&p, &req, &status);
  f = send_text(p.a, "late", p.b);
  vow_udp_free(p.a);
  p.a = NULL;
  ck_assert_int_eq(settle(p.loop, f), VOW_ESHUTDOWN);
  vow_drop(f);
  duo_done(&p);
}

/* ---- receiving ----------------------------------------------------------- */

TEST(test_receiver_gives_bytes_and_sender) {
  duo_t p = duo_open(loop_open(), 0);
  vow_future_t *f = vow_receiver_next(p.r);
  struct sockaddr_in from = addr_of(p.a);
  const struct sockaddr_in *addr;
  vow_datagram_t *d;
  send_now(&p, "hello");
  ck_assert_int_eq(settle(p.loop, f), 0);
  expect_datagram(f, "hello");
  d = vow_datagram_take(f);
  vow_drop(f);
  addr = (const void *)vow_datagram_addr(d);
  ck_assert_int_eq(addr->sin_family, AF_INET);
  ck_assert_int_eq(addr->sin_port, from.sin_port);
  vow_datagram_unref(vow_datagram_ref(d));
  duo_done(&p);
  ck_assert_int_eq(vow_datagram_data(d)[0], 'h'); /* outlives the loop */
  vow_datagram_unref(d);
  vow_datagram_unref(NULL);
}

TEST(test_receiver_empty_datagram_is_one_and_silence_is_none) {
  duo_t p = duo_open(loop_open(), 0);
  struct sockaddr_in addr = addr_of(p.b);
  vow_future_t *f = vow_receiver_next(p.r), *sent;
  arrive(&p);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  sent = vow_udp_send(p.a, NULL, 0, (const struct sockaddr *)&addr);
  ck_assert_int_eq(vow_status(sent), 0);
  ck_assert_int_eq(vow_get_int(sent), 0);
  vow_drop(sent);
  ck_assert_int_eq(settle(p.loop, f), 0);
  expect_datagram(f, "");
  vow_drop(f);
  f = vow_receiver_next(p.r); /* libuv's "no more" must not count */
  arrive(&p);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_drop(f);
  duo_done(&p);
}

TEST(test_receiver_serves_in_order_and_a_cancelled_next_loses_nothing) {
  duo_t p = duo_open(loop_open(), 0);
  vow_future_t *a = vow_receiver_next(p.r), *b = vow_receiver_next(p.r);
  vow_future_t *c = vow_receiver_next(p.r);
  ck_assert_int_eq(vow_cancel(b), 0);
  ck_assert(vow_is_cancelled(b));
  send_now(&p, "1");
  send_now(&p, "2");
  ck_assert_int_eq(settle(p.loop, c), 0);
  expect_datagram(a, "1");
  expect_datagram(c, "2");
  vow_drop(a);
  vow_drop(b);
  vow_drop(c);
  send_now(&p, "3"); /* armed between nexts: waits when asked for */
  arrive(&p);
  a = vow_receiver_next(p.r);
  ck_assert_int_eq(vow_state(a), VOW_SUCCEEDED);
  expect_datagram(a, "3");
  vow_drop(a);
  duo_done(&p);
}

TEST(test_receiver_stops_at_the_high_water_mark_and_goes_on) {
  duo_t p = duo_open(loop_open(), 1000);
  vow_future_t *f = vow_receiver_next(p.r);
  int i;
  send_now(&p, "first");
  ck_assert_int_eq(settle_drop(p.loop, f), 0);
  for (i = 0; i < 20; i++) send_now(&p, "more");
  arrive(&p);
  ck_assert(!uv_is_active(udp_handle(p.b)));
  for (i = 0; i < 20; i++) { /* the kernel kept the others */
    f = vow_receiver_next(p.r);
    ck_assert_int_eq(settle(p.loop, f), 0);
    expect_datagram(f, "more");
    vow_drop(f);
  }
  duo_done(&p);
}

TEST(test_receiver_refused_peer_fails_one_next_and_goes_on) {
  duo_t p = duo_open(loop_open(), 0);
  struct sockaddr_in addr = addr_of(p.a), self = addr_of(p.b);
  vow_future_t *f = vow_udp_connect(p.b, (const struct sockaddr *)&addr);
  uv_udp_t *again = NULL;
  vow_drop(f);
  vow_udp_free(p.a); /* nobody listens there any more */
  p.a = NULL;
  turns(p.loop, 2);
  f = vow_receiver_next(p.r);
  vow_drop(send_text(p.b, "anybody?", NULL));
  ck_assert_int_eq(settle(p.loop, f), UV_ECONNREFUSED);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "receiver_next: "));
  vow_drop(f);
  f = vow_receiver_next(p.r);
  ck_assert_int_eq(vow_udp_new(p.loop, 0, &again), 0);
  ck_assert_int_eq(uv_udp_bind(again, (const struct sockaddr *)&addr, 0), 0);
  p.a = again;
  vow_drop(vow_udp_connect(p.a, (const struct sockaddr *)&self));
  vow_drop(send_text(p.a, "me", NULL));
  ck_assert_int_eq(settle(p.loop, f), 0);
  expect_datagram(f, "me");
  vow_drop(f);
  duo_done(&p);
}

TEST(test_receiver_by_recvmmsg_gives_the_same) {
  vow_loop_t *loop = loop_open();
  duo_t p = {loop, bound_udp(loop), NULL, NULL};
  struct sockaddr_in addr = local_addr(0);
  vow_future_t *f;
  ck_assert_int_eq(vow_udp_new(loop, UV_UDP_RECVMMSG | AF_INET, &p.b), 0);
  ck_assert_int_eq(uv_udp_bind(p.b, (const struct sockaddr *)&addr, 0), 0);
  ck_assert_int_eq(vow_receiver_new(p.b, 0, &p.r), 0);
  f = vow_receiver_next(p.r);
  send_now(&p, "one");
  send_now(&p, "two");
  ck_assert_int_eq(settle(loop, f), 0);
  expect_datagram(f, "one");
  vow_drop(f);
  f = vow_receiver_next(p.r);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_datagram(f, "two");
  vow_drop(f);
  duo_done(&p);
}

TEST(test_receiver_pending_next_fails_when_closed_or_freed) {
  duo_t p = duo_open(loop_open(), 0);
  vow_future_t *f = vow_receiver_next(p.r), *g;
  ck_assert_int_eq(settle_drop(p.loop, vow_close(udp_handle(p.b))), 0);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  f = vow_receiver_next(p.r);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  vow_receiver_free(p.r);
  vow_receiver_free(NULL);
  ck_assert_int_eq(vow_receiver_new(p.a, 0, &p.r), 0);
  f = vow_receiver_next(p.r);
  g = vow_receiver_next(p.r);
  vow_receiver_free(p.r);
  p.r = NULL;
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_status(g), VOW_ESHUTDOWN);
  ck_assert(!uv_is_active(udp_handle(p.a)));
  vow_drop(f);
  vow_drop(g);
  duo_done(&p);
}

TEST(test_rule_22_loop_closed_while_a_next_pends_cancels_it) {
  duo_t p = duo_open(loop_open(), 0);
  vow_future_t *f = vow_receiver_next(p.r);
  ck_assert_int_eq(vow_loop_close(p.loop, 0), UV_EBUSY); /* the handles */
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  duo_done(&p);
}

TEST(test_receiver_on_an_attached_loop_ends_with_it) {
  uv_loop_t uv;
  uv_udp_t raw;
  struct sockaddr_in addr = local_addr(0);
  vow_loop_t *loop = NULL;
  vow_receiver_t *r = NULL;
  vow_future_t *f;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  ck_assert_int_eq(uv_udp_init(&uv, &raw), 0);
  ck_assert_int_eq(uv_udp_bind(&raw, (const struct sockaddr *)&addr, 0), 0);
  ck_assert_int_eq(vow_receiver_new(&raw, 0, &r), 0);
  f = vow_receiver_next(r);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ck_assert(!uv_is_active(udp_handle(&raw)));
  f = vow_receiver_next(r);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  vow_receiver_free(r);
  uv_close(udp_handle(&raw), NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

TEST(test_receiver_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open();
  uv_udp_t *udp = bound_udp(loop);
  vow_receiver_t *r = NULL, *other = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_receiver_new(NULL, 0, &r), UV_EINVAL);
  ck_assert_int_eq(vow_receiver_new(udp, 0, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_receiver_new(udp, 0, &r), 0);
  ck_assert_int_eq(vow_receiver_new(udp, 0, &other), UV_EEXIST);
  ck_assert_ptr_null(other);
  f = vow_receiver_next(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  vow_receiver_free(r);
  vow_udp_free(udp);
  ck_assert_int_eq(vow_receiver_new(udp, 0, &r), UV_EINVAL);
  loop_done(loop);
}

/* One round of all that allocates, with the nth allocation failing; returns
 * whether one did. */
static bool round_with_fault(size_t n) {
  duo_t p;
  vow_future_t *f = NULL;
  bool failed;
  int err;
  fault_install();
  p.loop = loop_open_probe();
  p.a = bound_udp(p.loop);
  p.b = bound_udp(p.loop);
  p.r = NULL;
  fault_fail_at(n);
  err = vow_receiver_new(p.b, 0, &p.r);
  if (err == 0) {
    f = vow_receiver_next(p.r);
    vow_drop(send_text(p.a, "hello", p.b));
    arrive(&p);
    err = vow_is_settled(f) ? vow_status(f) : 0;
    vow_drop(f);
  }
  failed = fault_failed() > 0;
  fault_off();
  ck_assert(err == 0 || (err == UV_ENOMEM && failed));
  duo_done(&p);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_receiver_out_of_memory_gives_enomem) {
  size_t n = 1;
  while (round_with_fault(n)) n++;
  ck_assert_uint_gt(n, 5);
}

/* ---- as values ------------------------------------------------------------ */

TEST(test_udp_get_borrows_and_take_moves_the_handle_out) {
  vow_loop_t *loop = loop_open();
  uv_udp_t *udp = bound_udp(loop);
  vow_future_t *f = vow_ready(loop, vow_ptr(udp, &vow_type_udp));
  ck_assert_ptr_eq(vow_udp_get(f), udp);
  ck_assert_ptr_eq(vow_udp_take(f), udp);
  vow_drop(f);
  ck_assert(!uv_is_closing(udp_handle(udp)));
  vow_udp_free(udp);
  f = vow_ready(loop, vow_int(1));
  ck_assert_ptr_null(vow_udp_get(f));
  ck_assert_ptr_null(vow_udp_take(f));
  vow_drop(f);
  loop_done(loop);
}

/* A datagram is shared when the future that holds it is. */
TEST(test_udp_datagram_taken_of_a_shared_future_is_shared) {
  duo_t p = duo_open(loop_open(), 0);
  vow_future_t *f = vow_receiver_next(p.r);
  vow_datagram_t *a, *b;
  send_now(&p, "once");
  ck_assert_int_eq(settle(p.loop, f), 0);
  (void)vow_ref(f);
  a = vow_datagram_take(f);
  vow_drop(f);
  b = vow_datagram_take(f);
  vow_drop(f);
  ck_assert_ptr_eq(a, b);
  vow_datagram_unref(a);
  ck_assert_int_eq(memcmp(vow_datagram_data(b), "once", 4), 0);
  vow_datagram_unref(b);
  duo_done(&p);
}

SUITE(uv_udp) {
  ADD(test_udp_new_bad_arguments_give_codes);
  ADD(test_udp_value_nobody_takes_is_closed);
  ADD(test_udp_connect_fixes_the_peer_until_undone);
  ADD(test_udp_bad_arguments_give_clear_failures);
  ADD(test_udp_send_gathers_buffers_into_one_datagram);
  ADD(test_udp_send_too_large_gives_emsgsize);
  ADD(test_udp_send_behind_a_queued_one_is_copied_and_sent);
  ADD(test_udp_send_borrowed_queued_cannot_be_cancelled);
  ADD(test_udp_send_queued_when_closed_fails_with_eshutdown_or_was_sent);
  ADD(test_receiver_gives_bytes_and_sender);
  ADD(test_receiver_empty_datagram_is_one_and_silence_is_none);
  ADD(test_receiver_serves_in_order_and_a_cancelled_next_loses_nothing);
  ADD(test_receiver_stops_at_the_high_water_mark_and_goes_on);
  ADD(test_receiver_refused_peer_fails_one_next_and_goes_on);
  ADD(test_receiver_by_recvmmsg_gives_the_same);
  ADD(test_receiver_pending_next_fails_when_closed_or_freed);
  ADD(test_rule_22_loop_closed_while_a_next_pends_cancels_it);
  ADD(test_receiver_on_an_attached_loop_ends_with_it);
  ADD(test_receiver_bad_arguments_give_codes);
  ADD(test_receiver_out_of_memory_gives_enomem);
  ADD(test_udp_get_borrows_and_take_moves_the_handle_out);
  ADD(test_udp_datagram_taken_of_a_shared_future_is_shared);
}
