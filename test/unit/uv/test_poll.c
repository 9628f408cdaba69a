/* SPDX-License-Identifier: MIT */
/* Readiness of descriptors. */
#include <vow/poll.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

#include <sys/socket.h>
#include <unistd.h>

/* Two ends, and a poll on the first. */
typedef struct ends {
  vow_loop_t *loop;
  int fd[2];
  vow_poll_t *poll;
} ends_t;

static ends_t ends_open(vow_loop_t *loop, int events) {
  ends_t e = {loop, {-1, -1}, NULL};
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, e.fd), 0);
  ck_assert_int_eq(vow_poll_new(loop, e.fd[0], events, &e.poll), 0);
  return e;
}

static void ends_done(ends_t *e) {
  vow_poll_free(e->poll);
  close(e->fd[0]);
  if (e->fd[1] >= 0) close(e->fd[1]);
  loop_done(e->loop);
}

static void put(const ends_t *e) {
  ck_assert_int_eq(write(e->fd[1], "x", 1), 1);
}

static void get(const ends_t *e) {
  char c;
  ck_assert_int_eq(read(e->fd[0], &c, 1), 1);
}

TEST(test_poll_next_gives_the_events) {
  ends_t e = ends_open(loop_open(), UV_READABLE | UV_WRITABLE);
  vow_future_t *f = vow_poll_next(e.poll);
  ck_assert_int_eq(settle(e.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), UV_WRITABLE);
  vow_drop(f);
  put(&e);
  f = vow_poll_next(e.poll);
  ck_assert_int_eq(settle(e.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), UV_READABLE | UV_WRITABLE);
  vow_drop(f);
  ends_done(&e);
}

TEST(test_poll_serves_in_order_one_a_look) {
  ends_t e = ends_open(loop_open(), UV_READABLE);
  vow_future_t *a = vow_poll_next(e.poll), *b = vow_poll_next(e.poll);
  vow_future_t *c = vow_poll_next(e.poll);
  ck_assert_int_eq(vow_cancel(b), 0);
  ck_assert(vow_is_cancelled(b));
  put(&e);
  turns(e.loop, 1);
  ck_assert_int_eq(vow_state(a), VOW_SUCCEEDED);
  ck_assert_int_eq(vow_state(c), VOW_PENDING);
  ck_assert_int_eq(settle(e.loop, c), 0);
  vow_drop(a);
  vow_drop(b);
  vow_drop(c);
  ends_done(&e);
}

static void nothing(uv_timer_t *t) {
  (void)t;
}

TEST(test_poll_that_nobody_waits_for_does_not_spin_nor_go_stale) {
  ends_t e = ends_open(loop_open(), UV_READABLE);
  vow_future_t *f = vow_poll_next(e.poll);
  uv_timer_t timer;
  uint64_t idle_turns = 0;
  put(&e);
  ck_assert_int_eq(settle_drop(e.loop, f), 0);
  uv_timer_init(vow_loop_uv(e.loop), &timer);
  uv_timer_start(&timer, nothing, 5, 0);
  while (uv_is_active((uv_handle_t *)&timer)) {
    uv_run(vow_loop_uv(e.loop), UV_RUN_ONCE);
    ck_assert_uint_lt(idle_turns++, 8);
  }
  uv_close((uv_handle_t *)&timer, NULL);
  get(&e);
  f = vow_poll_next(e.poll); /* what was so before does not count */
  turns(e.loop, 3);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  put(&e);
  ck_assert_int_eq(settle_drop(e.loop, f), 0);
  ends_done(&e);
}

TEST(test_poll_set_counts_for_pending_nexts) {
  ends_t e = ends_open(loop_open(), UV_READABLE);
  vow_future_t *f = vow_poll_next(e.poll);
  turns(e.loop, 2);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(vow_poll_set(e.poll, UV_WRITABLE), 0);
  ck_assert_int_eq(settle(e.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), UV_WRITABLE);
  vow_drop(f);
  ends_done(&e);
}

TEST(test_poll_disconnect_is_told) {
  ends_t e = ends_open(loop_open(), UV_DISCONNECT);
  vow_future_t *f = vow_poll_next(e.poll);
  close(e.fd[1]);
  e.fd[1] = -1;
  ck_assert_int_eq(settle(e.loop, f), 0);
  ck_assert_int_ne(vow_get_int(f) & UV_DISCONNECT, 0);
  vow_drop(f);
  ends_done(&e);
}

TEST(test_poll_of_a_broken_pipe_fails_all_with_ebadf_then_looks_afresh) {
  vow_loop_t *loop = loop_open();
  vow_poll_t *p = NULL;
  vow_future_t *a, *b;
  int fd[2];
  ck_assert_int_eq(pipe(fd), 0);
  ck_assert_int_eq(vow_poll_new(loop, fd[1], UV_READABLE, &p), 0);
  a = vow_poll_next(p);
  b = vow_poll_next(p);
  close(fd[0]); /* POLLERR on the writing end */
  ck_assert_int_eq(settle_drop(loop, a), UV_EBADF);
  ck_assert_int_eq(settle_drop(loop, b), UV_EBADF);
  ck_assert_int_eq(settle_drop(loop, vow_poll_next(p)), UV_EBADF);
  vow_poll_free(p);
  close(fd[1]);
  loop_done(loop);
}

TEST(test_poll_keeps_the_loop_alive_only_while_a_next_pends) {
  ends_t e = ends_open(loop_open(), UV_READABLE);
  vow_future_t *f;
  ck_assert_int_eq(vow_loop_run(e.loop), 0);
  f = vow_poll_next(e.poll);
  ck_assert(uv_loop_alive(vow_loop_uv(e.loop)));
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(e.loop), 0);
  f = vow_poll_next(e.poll);
  put(&e);
  ck_assert_int_eq(settle_drop(e.loop, f), 0);
  ck_assert_int_eq(vow_loop_run(e.loop), 0);
  ends_done(&e);
}

static vow_value_t free_it(vow_future_t *in, void *arg) {
  ends_t *e = arg;
  (void)in;
  vow_poll_free(e->poll);
  e->poll = NULL;
  return vow_nil();
}

TEST(test_poll_may_be_freed_by_its_own_continuation) {
  ends_t e = ends_open(loop_open(), UV_WRITABLE);
  vow_future_t *f = vow_then(vow_poll_next(e.poll), free_it, &e);
  ck_assert_int_eq(settle_drop(e.loop, f), 0);
  ends_done(&e);
}

TEST(test_poll_free_fails_pending_nexts_and_leaves_the_descriptor) {
  ends_t e = ends_open(loop_open(), UV_READABLE);
  vow_future_t *f = vow_poll_next(e.poll);
  vow_poll_free(e.poll);
  vow_poll_free(NULL);
  e.poll = NULL;
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  put(&e);
  get(&e);
  ends_done(&e);
}

TEST(test_rule_22_close_with_a_poll_names_it) {
  ends_t e = ends_open(loop_open(), UV_READABLE);
  vow_future_t *f = vow_poll_next(e.poll);
  ck_assert_int_eq(vow_loop_close(e.loop, 0), UV_EBUSY);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ends_done(&e);
}

TEST(test_poll_on_an_attached_loop_may_be_freed_after_close) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  vow_poll_t *p = NULL;
  vow_future_t *f;
  int fd[2];
  ck_assert_int_eq(pipe(fd), 0);
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  ck_assert_int_eq(vow_poll_new(loop, fd[0], UV_READABLE, &p), 0);
  f = vow_poll_next(p);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ck_assert_int_eq(vow_poll_set(p, UV_READABLE), VOW_ESHUTDOWN);
  vow_poll_free(p);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
  close(fd[0]);
  close(fd[1]);
}

TEST(test_poll_bad_arguments_give_codes) {
  ends_t e = ends_open(loop_open(), UV_READABLE);
  vow_loop_t *manual = manual_loop();
  vow_poll_t *p = NULL;
  vow_future_t *f;
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(vow_poll_new(NULL, e.fd[1], UV_READABLE, &p), UV_EINVAL);
  ck_assert_int_eq(vow_poll_new(e.loop, e.fd[1], UV_READABLE, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_poll_new(e.loop, e.fd[1], 0, &p), UV_EINVAL);
  ck_assert_int_eq(vow_poll_new(e.loop, e.fd[1], 64, &p), UV_EINVAL);
  ck_assert_int_eq(vow_poll_new(manual, e.fd[1], UV_READABLE, &p), UV_ENOTSUP);
  ck_assert_int_eq(vow_poll_new(e.loop, fileno(file), UV_READABLE, &p),
                   UV_EPERM);
  ck_assert_int_eq(vow_poll_new(e.loop, -1, UV_READABLE, &p), UV_EBADF);
  ck_assert_ptr_null(p);
  ck_assert_int_eq(vow_poll_set(e.poll, 0), UV_EINVAL);
  ck_assert_int_eq(vow_poll_set(NULL, UV_READABLE), UV_EINVAL);
  f = vow_poll_next(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  fclose(file);
  manual_done(manual);
  ends_done(&e);
}

TEST(test_poll_out_of_memory_gives_enomem) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    ends_t e;
    vow_future_t *f = NULL;
    int err;
    fault_install();
    e.loop = loop_open_probe();
    e.poll = NULL;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, e.fd), 0);
    fault_fail_at(n);
    err = vow_poll_new(e.loop, e.fd[0], UV_WRITABLE, &e.poll);
    if (err == 0) {
      f = vow_poll_next(e.poll);
      err = vow_is_settled(f) ? vow_status(f) : settle(e.loop, f);
      vow_drop(f);
    }
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_int_eq(err, failed ? UV_ENOMEM : 0);
    ends_done(&e);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 3);
}

SUITE(uv_poll) {
  ADD(test_poll_next_gives_the_events);
  ADD(test_poll_serves_in_order_one_a_look);
  ADD(test_poll_that_nobody_waits_for_does_not_spin_nor_go_stale);
  ADD(test_poll_set_counts_for_pending_nexts);
  ADD(test_poll_disconnect_is_told);
  ADD(test_poll_of_a_broken_pipe_fails_all_with_ebadf_then_looks_afresh);
  ADD(test_poll_keeps_the_loop_alive_only_while_a_next_pends);
  ADD(test_poll_may_be_freed_by_its_own_continuation);
  ADD(test_poll_free_fails_pending_nexts_and_leaves_the_descriptor);
  ADD(test_rule_22_close_with_a_poll_names_it);
  ADD(test_poll_on_an_attached_loop_may_be_freed_after_close);
  ADD(test_poll_bad_arguments_give_codes);
  ADD(test_poll_out_of_memory_gives_enomem);
}
