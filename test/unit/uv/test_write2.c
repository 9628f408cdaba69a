/* SPDX-License-Identifier: MIT */
/* Pipes: connecting, listening, and handing handles over. */
#include <vow/pipe.h>
#include <vow/udp.h>

#include "check/shim/shim.h"
#include "unit/uv/uv_support.h"

#include <fcntl.h>
#include <unistd.h>

static uv_stream_t *pipe_stream(uv_pipe_t *pipe) {
  return (uv_stream_t *)pipe;
}

static uv_handle_t *pipe_handle(uv_pipe_t *pipe) {
  return (uv_handle_t *)pipe;
}

static uv_buf_t text_buf(const char *text) {
  return uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
}

/* ---- connecting, listening ----------------------------------------------- */

/* A name of its own, bound to a listening pipe. */
typedef struct local {
  vow_loop_t *loop;
  char folder[32];
  char name[64];
  uv_pipe_t *listening;
  vow_listener_t *listener;
} local_t;

static local_t local_open(vow_loop_t *loop, bool ipc) {
  local_t l = {loop, "/tmp/vow-test-XXXXXX", "", NULL, NULL};
  ck_assert_ptr_nonnull(mkdtemp(l.folder));
  snprintf(l.name, sizeof l.name, "%s/socket", l.folder);
  ck_assert_int_eq(vow_pipe_new(loop, false, &l.listening), 0);
  ck_assert_int_eq(uv_pipe_bind(l.listening, l.name), 0);
  ck_assert_int_eq(vow_pipe_listen(l.listening, 8, ipc, &l.listener), 0);
  return l;
}

static void local_close(local_t *l) {
  vow_listener_free(l->listener);
  vow_pipe_free(l->listening);
  turns(l->loop, 2);
  unlink(l->name);
  rmdir(l->folder);
}

TEST(test_pipe_connect_and_accept_give_a_pair_of_streams) {
  vow_loop_t *loop = loop_open();
  local_t l = local_open(loop, false);
  uv_pipe_t *client = NULL, *server;
  vow_reader_t *r = NULL;
  uv_buf_t buf = text_buf("hello");
  vow_future_t *accepted = vow_accept(l.listener), *f;
  ck_assert_int_eq(vow_pipe_new(loop, false, &client), 0);
  ck_assert_int_eq(settle_drop(loop, vow_pipe_connect(client, l.name)), 0);
  ck_assert_int_eq(settle(loop, accepted), 0);
  ck_assert_ptr_null(vow_tcp_get(accepted));
  server = vow_pipe_take(accepted);
  ck_assert_ptr_nonnull(server);
  ck_assert_int_eq(server->ipc, 0);
  vow_drop(accepted);
  ck_assert_int_eq(settle_drop(loop, vow_write(pipe_stream(client), &buf, 1)),
                   0);
  ck_assert_int_eq(vow_reader_new(pipe_stream(server), 0, &r), 0);
  f = vow_reader_next(r);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_bytes(f, "hello");
  vow_drop(f);
  f = vow_reader_next_handle(r);
  ck_assert_int_eq(vow_status(f), UV_EINVAL); /* no ipc */
  vow_drop(f);
  f = vow_pipe_connect(client, l.name);
  ck_assert_int_eq(vow_status(f), UV_EISCONN);
  vow_drop(f);
  vow_reader_free(r);
  vow_pipe_free(client);
  vow_pipe_free(server);
  local_close(&l);
  loop_done(loop);
}

TEST(test_pipe_accepted_unseen_is_closed_and_has_ipc_as_asked) {
  vow_loop_t *loop;
  local_t l;
  uv_pipe_t *client = NULL;
  vow_future_t *f;
  fault_install();
  loop = loop_open();
  l = local_open(loop, true);
  ck_assert_int_eq(vow_pipe_new(loop, true, &client), 0);
  ck_assert_int_eq(settle_drop(loop, vow_pipe_connect(client, l.name)), 0);
  f = vow_accept(l.listener);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_pipe_get(f)->ipc, 1);
  vow_drop(f);
  vow_pipe_free(client);
  local_close(&l);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_pipe_connect_errors_name_the_socket) {
  vow_loop_t *loop = loop_open();
  local_t l = local_open(loop, false);
  uv_pipe_t *client = NULL;
  char longest[200];
  vow_future_t *f;
  ck_assert_int_eq(vow_pipe_new(loop, false, &client), 0);
  f = vow_pipe_connect(client, "/no/such/socket");
  ck_assert_int_eq(settle(loop, f), UV_ENOENT);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "pipe_connect /no/such/socket: no such file or directory");
  vow_drop(f);
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  f = vow_pipe_connect(client, longest);
  ck_assert_int_eq(vow_status(f), UV_ENAMETOOLONG);
  vow_drop(f);
  f = vow_pipe_connect(client, NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = vow_pipe_connect(NULL, l.name);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  vow_pipe_free(client);
  f = vow_pipe_connect(client, l.name);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  local_close(&l);
  loop_done(loop);
}

TEST(test_pipe_connect_twice_gives_ealready_and_closing_eshutdown) {
  vow_loop_t *loop = loop_open();
  local_t l = local_open(loop, false);
  uv_pipe_t *client = NULL;
  vow_future_t *f, *again;
  ck_assert_int_eq(vow_pipe_new(loop, false, &client), 0);
  f = vow_pipe_connect(client, l.name);
  again = vow_pipe_connect(client, l.name);
  ck_assert_int_eq(vow_status(again), UV_EALREADY);
  vow_drop(again);
  vow_pipe_free(client);
  ck_assert_int_eq(settle_drop(loop, f), VOW_ESHUTDOWN);
  local_close(&l);
  loop_done(loop);
}

TEST(test_pipe_new_and_listen_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open();
  uv_pipe_t *pipe = NULL;
  vow_listener_t *l = NULL;
  ck_assert_int_eq(vow_pipe_new(NULL, false, &pipe), UV_EINVAL);
  ck_assert_int_eq(vow_pipe_new(loop, false, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_pipe_new(loop, false, &pipe), 0);
  ck_assert_int_eq(vow_pipe_listen(NULL, 8, false, &l), UV_EINVAL);
  ck_assert_int_eq(vow_pipe_listen(pipe, 8, false, &l),
                   UV_EINVAL); /* no name */
  ck_assert_ptr_null(l);
  vow_pipe_free(pipe);
  vow_pipe_free(NULL);
  loop_done(loop);
}

/* ---- handing over -------------------------------------------------------- */

/* Two connected pipes with ipc, and a reader on the second. */
typedef struct ipc {
  vow_loop_t *loop;
  uv_pipe_t *a;
  uv_pipe_t *b;
  vow_reader_t *r;
} ipc_t;

static ipc_t ipc_open(vow_loop_t *loop, size_t high_water_bytes) {
  ipc_t p = {loop, NULL, NULL, NULL};
  uv_os_sock_t fd[2];
  ck_assert_int_eq(
      uv_socketpair(SOCK_STREAM, 0, fd, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE), 0);
  ck_assert_int_eq(vow_pipe_new(loop, true, &p.a), 0);
  ck_assert_int_eq(vow_pipe_new(loop, true, &p.b), 0);
  ck_assert_int_eq(uv_pipe_open(p.a, fd[0]), 0);
  ck_assert_int_eq(uv_pipe_open(p.b, fd[1]), 0);
  ck_assert_int_eq(vow_reader_new(pipe_stream(p.b), high_water_bytes, &p.r), 0);
  return p;
}

static void ipc_done(ipc_t *p) {
  vow_reader_free(p->r);
  vow_pipe_free(p->a);
  vow_pipe_free(p->b);
  loop_done(p->loop);
}

static vow_future_t *hand_over(ipc_t *p, const char *text, void *handle) {
  uv_buf_t buf = text_buf(text);
  return vow_write2(pipe_stream(p->a), &buf, 1, handle);
}

static void hand_over_now(ipc_t *p, const char *text, void *handle) {
  vow_future_t *f = hand_over(p, text, handle);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_get_int(f), (int64_t)strlen(text));
  vow_drop(f);
}

TEST(test_write2_listening_tcp_arrives_and_accepts) {
  ipc_t p = ipc_open(loop_open(), 0);
  uv_tcp_t *listening = bound_tcp(p.loop), *other, *client = NULL;
  int port = port_of(listening);
  vow_listener_t *l = NULL;
  vow_future_t *f, *accepted;
  hand_over_now(&p, "take this", listening);
  vow_tcp_free(listening); /* the other side has a duplicate */
  f = vow_reader_next_handle(p.r);
  ck_assert_int_eq(settle(p.loop, f), 0);
  other = vow_tcp_take(f);
  ck_assert_ptr_nonnull(other);
  vow_drop(f);
  f = vow_reader_next(p.r); /* the bytes are there as well */
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  expect_bytes(f, "take this");
  vow_drop(f);
  ck_assert_int_eq(vow_listen(other, 8, &l), 0);
  accepted = vow_accept(l);
  ck_assert_int_eq(vow_tcp_new(p.loop, &client), 0);
  ck_assert_int_eq(settle_drop(p.loop, connect_to(client, port)), 0);
  ck_assert_int_eq(settle_drop(p.loop, accepted), 0);
  vow_listener_free(l);
  vow_tcp_free(other);
  vow_tcp_free(client);
  ipc_done(&p);
}

TEST(test_write2_handles_of_each_kind_arrive_in_order) {
  ipc_t p = ipc_open(loop_open(), 0);
  uv_tcp_t *tcp = bound_tcp(p.loop);
  uv_udp_t *udp = NULL;
  struct sockaddr_in addr = local_addr(0);
  vow_future_t *f[3];
  int i;
  ck_assert_int_eq(vow_udp_new(p.loop, 0, &udp), 0);
  ck_assert_int_eq(uv_udp_bind(udp, (const struct sockaddr *)&addr, 0), 0);
  for (i = 0; i < 3; i++) f[i] = vow_reader_next_handle(p.r);
  hand_over_now(&p, "1", tcp);
  hand_over_now(&p, "2", udp);
  hand_over_now(&p, "3", p.a);
  for (i = 0; i < 3; i++) ck_assert_int_eq(settle(p.loop, f[i]), 0);
  ck_assert_ptr_nonnull(vow_tcp_get(f[0]));
  ck_assert_ptr_eq(vow_peek(f[1]).type, &vow_type_udp);
  ck_assert_ptr_eq(vow_peek(f[2]).type, &vow_type_pipe);
  for (i = 0; i < 3; i++) vow_drop(f[i]);
  vow_tcp_free(tcp);
  vow_udp_free(udp);
  ipc_done(&p);
}

TEST(test_reader_next_handle_cancelled_leaves_it_to_the_next) {
  ipc_t p = ipc_open(loop_open(), 0);
  uv_tcp_t *tcp = bound_tcp(p.loop);
  vow_future_t *a = vow_reader_next_handle(p.r);
  vow_future_t *b = vow_reader_next_handle(p.r);
  ck_assert_int_eq(vow_cancel(a), 0);
  ck_assert(vow_is_cancelled(a));
  hand_over_now(&p, "x", tcp);
  ck_assert_int_eq(settle(p.loop, b), 0);
  ck_assert_ptr_nonnull(vow_tcp_get(b));
  vow_drop(a);
  vow_drop(b);
  vow_tcp_free(tcp);
  ipc_done(&p);
}

TEST(test_reader_next_handle_unusable_kind_fails_alone) {
  ipc_t p = ipc_open(loop_open(), 0);
  FILE *file = tmpfile();
  uv_tcp_t *tcp = bound_tcp(p.loop);
  uv_pipe_t odd; /* never run: only its descriptor is read */
  uv_buf_t buf = text_buf("x");
  vow_future_t *f;
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(uv_pipe_init(vow_loop_uv(p.loop), &odd, 0), 0);
  odd.io_watcher.fd = fileno(file);
  ck_assert_int_eq(
      uv_try_write2(pipe_stream(p.a), &buf, 1, (uv_stream_t *)&odd), 1);
  odd.io_watcher.fd = -1;
  uv_close((uv_handle_t *)&odd, NULL);
  fclose(file);
  hand_over_now(&p, "y", tcp);
  f = vow_reader_next_handle(p.r);
  ck_assert_int_eq(settle_drop(p.loop, f), UV_ENOTSUP);
  f = vow_reader_next_handle(p.r);
  ck_assert_int_eq(settle_drop(p.loop, f), 0);
  vow_tcp_free(tcp);
  ipc_done(&p);
}

TEST(test_reader_next_handle_end_close_and_free_fail_it) {
  ipc_t p = ipc_open(loop_open(), 0);
  vow_future_t *f = vow_reader_next_handle(p.r);
  vow_pipe_free(p.a);
  p.a = NULL;
  ck_assert_int_eq(settle_drop(p.loop, f), UV_EOF);
  f = vow_reader_next_handle(p.r);
  ck_assert_int_eq(vow_status(f), UV_EOF);
  vow_drop(f);
  ck_assert_int_eq(settle_drop(p.loop, vow_close(pipe_handle(p.b))), 0);
  f = vow_reader_next_handle(p.r);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  f = vow_reader_next_handle(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  ipc_done(&p);
  p = ipc_open(loop_open(), 0);
  f = vow_reader_next_handle(p.r);
  vow_reader_free(p.r);
  p.r = NULL;
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  ipc_done(&p);
}

TEST(test_handles_nobody_takes_are_closed) {
  ipc_t p;
  uv_tcp_t *tcp;
  fault_install();
  p = ipc_open(loop_open_probe(), 0);
  tcp = bound_tcp(p.loop);
  vow_drop(vow_reader_next(p.r));
  hand_over_now(&p, "x", tcp);
  hand_over_now(&p, "y", tcp);
  turns(p.loop, 3);
  vow_tcp_free(tcp);
  ipc_done(&p);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

#define BIG_BYTES (1000u * 1000)

TEST(test_write2_larger_than_the_socket_sends_all_and_one_handle) {
  ipc_t p = ipc_open(loop_open(), 0);
  uv_tcp_t *tcp = bound_tcp(p.loop);
  char *big = calloc(1, BIG_BYTES);
  uv_buf_t buf = uv_buf_init(big, BIG_BYTES);
  size_t got = 0;
  vow_future_t *f = vow_write2(pipe_stream(p.a), &buf, 1, (uv_stream_t *)tcp);
  vow_future_t *behind = hand_over(&p, "end", tcp), *next;
  free(big);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_state(f), VOW_PENDING); /* the handle is borrowed */
  while (got < BIG_BYTES + 3) {
    next = vow_reader_next(p.r);
    ck_assert_int_eq(settle(p.loop, next), 0);
    got += vow_bytes_length(vow_bytes_get(next));
    vow_drop(next);
  }
  ck_assert_int_eq(settle(p.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), BIG_BYTES);
  ck_assert_int_eq(settle_drop(p.loop, behind), 0);
  vow_drop(f);
  ck_assert_int_eq(settle_drop(p.loop, vow_reader_next_handle(p.r)), 0);
  ck_assert_int_eq(settle_drop(p.loop, vow_reader_next_handle(p.r)), 0);
  next = vow_reader_next_handle(p.r);
  turns(p.loop, 2);
  ck_assert_int_eq(vow_state(next), VOW_PENDING);
  vow_drop(next);
  vow_tcp_free(tcp);
  ipc_done(&p);
}

TEST(test_write2_bad_arguments_give_clear_failures) {
  ipc_t p = ipc_open(loop_open(), 0);
  uv_tcp_t *tcp = bound_tcp(p.loop), *unbound = NULL;
  uv_pipe_t *plain = NULL;
  uv_buf_t buf = text_buf("x");
  uv_stream_t *a = pipe_stream(p.a), *handle = stream_of(tcp);
  vow_future_t *f[8];
  static const int codes[8] = {UV_EINVAL, UV_EINVAL, UV_EINVAL,     UV_EINVAL,
                               UV_EBADF,  UV_EBADF,  VOW_ESHUTDOWN, UV_EINVAL};
  int i;
  ck_assert_int_eq(vow_tcp_new(p.loop, &unbound), 0);
  ck_assert_int_eq(vow_pipe_new(p.loop, false, &plain), 0);
  f[0] = vow_write2(NULL, &buf, 1, handle);
  f[1] = vow_write2(a, &buf, 1, NULL);
  f[2] = vow_write2(a, NULL, 1, handle);
  f[3] = vow_write2(a, &buf, 0, handle);
  f[4] = vow_write2(a, &buf, 1, stream_of(unbound));
  vow_tcp_free(unbound);
  f[5] = vow_write2(a, &buf, 1, stream_of(unbound));
  vow_pipe_free(plain);
  f[6] = vow_write2(pipe_stream(plain), &buf, 1, handle);
  f[7] = vow_write2(stream_of(tcp), &buf, 1, handle); /* no pipe */
  for (i = 0; i < 8; i++) {
    ck_assert_msg(vow_status(f[i]) == codes[i], "%d: %d", i, vow_status(f[i]));
    ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f[i])), "write2"));
    vow_drop(f[i]);
  }
  vow_tcp_free(tcp);
  ipc_done(&p);
}

/* With the nth allocation failing; returns whether one did. */
static bool round_with_fault(size_t n) {
  ipc_t p;
  uv_tcp_t *tcp;
  vow_future_t *f;
  bool failed;
  int err;
  fault_install();
  p = ipc_open(loop_open_probe(), 0);
  tcp = bound_tcp(p.loop);
  fault_fail_at(n);
  f = vow_reader_next_handle(p.r);
  vow_drop(hand_over(&p, "x", tcp));
  turns(p.loop, 3);
  err = vow_is_settled(f) ? vow_status(f) : 0;
  failed = fault_failed() > 0;
  fault_off();
  ck_assert(err == 0 || (err == UV_ENOMEM && failed));
  vow_drop(f);
  if (err != 0) { /* it is still there for the asking */
    f = vow_reader_next_handle(p.r);
    ck_assert_int_eq(settle_drop(p.loop, f), 0);
  }
  vow_tcp_free(tcp);
  ipc_done(&p);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_reader_next_handle_out_of_memory_loses_nothing) {
  size_t n = 1;
  while (round_with_fault(n)) n++;
  ck_assert_uint_gt(n, 4);
}

/* ---- try_write, close_reset ---------------------------------------------- */

TEST(test_try_write_gives_what_went_out_or_why_not) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  uv_buf_t buf = text_buf("hello");
  uv_stream_t *a = stream_of(p.a);
  char *big = calloc(1, BIG_BYTES);
  uv_buf_t much = uv_buf_init(big, BIG_BYTES);
  ck_assert_int_eq(vow_try_write(a, &buf, 1), 5);
  ck_assert_int_eq(vow_try_write(a, NULL, 0), 0);
  ck_assert_int_eq(vow_try_write(a, NULL, 1), UV_EINVAL);
  ck_assert_int_eq(vow_try_write(NULL, &buf, 1), UV_EINVAL);
  while (vow_try_write(a, &much, 1) > 0) {
  }
  ck_assert_int_eq(vow_try_write(a, &buf, 1), UV_EAGAIN);
  vow_tcp_free(p.a);
  ck_assert_int_eq(vow_try_write(a, &buf, 1), VOW_ESHUTDOWN);
  p.a = NULL;
  free(big);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_tcp_close_reset_resets_the_peer_and_ends_readers) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  vow_reader_t *mine = NULL, *peers = NULL;
  vow_future_t *f, *next, *seen;
  ck_assert_int_eq(vow_reader_new(stream_of(p.a), 0, &mine), 0);
  ck_assert_int_eq(vow_reader_new(stream_of(p.b), 0, &peers), 0);
  next = vow_reader_next(mine);
  seen = vow_reader_next(peers);
  f = vow_tcp_close_reset(p.a);
  ck_assert_int_eq(vow_status(next), VOW_ESHUTDOWN);
  vow_drop(next);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(settle_drop(loop, seen), UV_ECONNRESET);
  f = vow_tcp_close_reset(p.a);
  ck_assert_int_eq(vow_status(f), UV_EALREADY);
  vow_drop(f);
  vow_reader_free(mine);
  vow_reader_free(peers);
  pair_close(&p);
  loop_done(loop);
}

TEST(test_tcp_close_reset_refused_leaves_it_open) {
  vow_loop_t *loop = loop_open();
  pair_t p = pair_open(loop);
  uv_tcp_t *fresh = NULL;
  vow_future_t *f = vow_tcp_close_reset(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  ck_assert_int_eq(vow_tcp_new(loop, &fresh), 0);
  f = vow_tcp_close_reset(fresh);
  ck_assert_int_eq(vow_status(f), UV_EBADF);
  vow_drop(f);
  ck_assert(!uv_is_closing(handle_of(fresh)));
  vow_tcp_free(fresh);
  vow_detach(vow_shutdown(stream_of(p.a)));
  f = vow_tcp_close_reset(p.a);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "tcp_close_reset: "));
  vow_drop(f);
  ck_assert(!uv_is_closing(handle_of(p.a)));
  pair_close(&p);
  loop_done(loop);
}

/* What has come and could not be taken in is there for the asking. */
TEST(test_reader_next_handle_that_cannot_be_taken_in_fails_and_stays) {
  ipc_t p;
  uv_tcp_t *tcp;
  vow_future_t *f;
  fault_install();
  p = ipc_open(loop_open(), 0);
  tcp = bound_tcp(p.loop);
  f = vow_reader_next_handle(p.r);
  vow__shim_on();
  vow__shim_fail_from("uv_tcp_init", 1, UV_EMFILE);
  hand_over_now(&p, "x", tcp);
  ck_assert_int_eq(settle_drop(p.loop, f), UV_EMFILE);
  f = vow_reader_next_handle(p.r);
  ck_assert(vow_is_settled(f));
  ck_assert_int_eq(vow_status(f), UV_EMFILE);
  vow_drop(f);
  vow__shim_off();
  f = vow_reader_next_handle(p.r);
  ck_assert_int_eq(settle_drop(p.loop, f), 0);
  vow_tcp_free(tcp);
  ipc_done(&p);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static bool new_reader_starved(size_t n) {
  ipc_t p;
  vow_reader_t *r = NULL;
  bool hit;
  int err;
  fault_install();
  p = ipc_open(loop_open(), 0);
  vow_reader_free(p.r);
  p.r = NULL;
  fault_fail_at(n);
  err = vow_reader_new(pipe_stream(p.b), 0, &r);
  hit = fault_failed() > 0;
  fault_off();
  ck_assert_int_eq(err, hit ? UV_ENOMEM : 0);
  ck_assert((r == NULL) == hit);
  vow_reader_free(r);
  ipc_done(&p);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return hit;
}

TEST(test_reader_new_of_a_pipe_with_ipc_without_memory_gives_enomem) {
  size_t n = 1;
  while (new_reader_starved(n)) n++;
  ck_assert_uint_gt(n, 2);
}

SUITE(uv_write2) {
  ADD(test_pipe_connect_and_accept_give_a_pair_of_streams);
  ADD(test_pipe_accepted_unseen_is_closed_and_has_ipc_as_asked);
  ADD(test_pipe_connect_errors_name_the_socket);
  ADD(test_pipe_connect_twice_gives_ealready_and_closing_eshutdown);
  ADD(test_pipe_new_and_listen_bad_arguments_give_codes);
  ADD(test_write2_listening_tcp_arrives_and_accepts);
  ADD(test_write2_handles_of_each_kind_arrive_in_order);
  ADD(test_reader_next_handle_cancelled_leaves_it_to_the_next);
  ADD(test_reader_next_handle_unusable_kind_fails_alone);
  ADD(test_reader_next_handle_end_close_and_free_fail_it);
  ADD(test_handles_nobody_takes_are_closed);
  ADD(test_write2_larger_than_the_socket_sends_all_and_one_handle);
  ADD(test_write2_bad_arguments_give_clear_failures);
  ADD(test_reader_next_handle_out_of_memory_loses_nothing);
  ADD(test_try_write_gives_what_went_out_or_why_not);
  ADD(test_tcp_close_reset_resets_the_peer_and_ends_readers);
  ADD(test_tcp_close_reset_refused_leaves_it_open);
  ADD(test_reader_next_handle_that_cannot_be_taken_in_fails_and_stays);
  ADD(test_reader_new_of_a_pipe_with_ipc_without_memory_gives_enomem);
}
