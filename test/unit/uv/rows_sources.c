/* SPDX-License-Identifier: MIT */
/* The wrappers of what repeats; see sources.h. */
#define _XOPEN_SOURCE 700 /* posix_openpt and what goes with it */
#include "unit/uv/sources.h"

#include <vow/fs_event.h>
#include <vow/fs_poll.h>
#include <vow/interval.h>
#include <vow/pipe.h>
#include <vow/poll.h>
#include <vow/signal.h>
#include <vow/tty.h>
#include <vow/udp.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

/* A libuv handle of any kind as a stream. */
static uv_stream_t *any_stream(void *handle) {
  return handle;
}

static void say_on(void *handle, const char *text) {
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
  ck_assert_int_eq(uv_try_write(any_stream(handle), &buf, 1), (int)buf.len);
}

/* ---- reading ------------------------------------------------------------- */

static int open_reader_on(spring_t *s, void *handle) {
  vow_reader_t *reader = NULL;
  int err = vow_reader_new(any_stream(handle), 0, &reader);
  s->it = reader;
  return err;
}

static vow_future_t *next_bytes(spring_t *s) {
  return vow_reader_next(s->it);
}

static void free_reader(void *it) {
  vow_reader_free(it);
}

static int open_tcp_reader(spring_t *s) {
  return open_reader_on(s, s->at->pair.a);
}
static void poke_tcp_reader(spring_t *s) {
  say_on(s->at->pair.b, "x");
}
static uv_handle_t *tcp_reader_handle(spring_t *s) {
  return (uv_handle_t *)s->at->pair.a;
}

static int open_pipe_reader(spring_t *s) {
  return open_reader_on(s, s->at->ipc[0]);
}
static void poke_pipe_reader(spring_t *s) {
  say_on(s->at->ipc[1], "x");
}
static uv_handle_t *pipe_reader_handle(spring_t *s) {
  return (uv_handle_t *)s->at->ipc[0];
}

static vow_future_t *next_handle(spring_t *s) {
  return vow_reader_next_handle(s->it);
}
static void poke_handle(spring_t *s) {
  uv_buf_t buf = uv_buf_init(s->at->into, 1);
  ck_assert_int_eq(uv_try_write2(any_stream(s->at->ipc[1]), &buf, 1,
                                 stream_of(s->at->pair.listening)),
                   1);
}

bool terminal_open(int ret_fds[2]) {
  struct termios mode;
  int user = posix_openpt(O_RDWR | O_NOCTTY), fd = -1;
  if (user >= 0 && grantpt(user) == 0 && unlockpt(user) == 0)
    fd = open(ptsname(user), O_RDWR | O_NOCTTY);
  ret_fds[0] = user;
  ret_fds[1] = fd;
  if (fd < 0) return false;
  ck_assert_int_eq(tcgetattr(fd, &mode), 0);
  mode.c_lflag &= ~(tcflag_t)ECHO;
  ck_assert_int_eq(tcsetattr(fd, TCSANOW, &mode), 0);
  return true;
}

/* Where there is no terminal, a stream of another kind stands in. */
static void prepare_tty_reader(spring_t *s) {
  if (terminal_open(s->fds))
    ck_assert_int_eq(vow_tty_new(s->loop, s->fds[1], &s->tty), 0);
}
static int open_tty_reader(spring_t *s) {
  return s->tty != NULL ? open_reader_on(s, s->tty) : open_tcp_reader(s);
}
static void poke_tty_reader(spring_t *s) {
  if (s->tty == NULL)
    poke_tcp_reader(s);
  else
    ck_assert_int_eq(write(s->fds[0], "x\n", 2), 2);
}

/* ---- connections --------------------------------------------------------- */

static void connect_raw(spring_t *s, const void *addr, socklen_t length) {
  const struct sockaddr *to = addr;
  int fd = socket(to->sa_family, SOCK_STREAM, 0);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(connect(fd, to, length), 0);
  if (s->fds[0] >= 0) close(s->fds[0]);
  s->fds[0] = fd;
}

/* In place of the place's own, which has been listening for long. */
static void prepare_listener(spring_t *s) {
  vow_listener_free(s->at->pair.listener);
  s->at->pair.listener = NULL;
  vow_tcp_free(s->at->pair.listening);
  s->at->pair.listening = bound_tcp(s->loop);
}
static int open_listener(spring_t *s) {
  vow_listener_t *listener = NULL;
  int err = vow_listen(s->at->pair.listening, 8, &listener);
  s->it = listener;
  return err;
}
static vow_future_t *next_connection(spring_t *s) {
  return vow_accept(s->it);
}
static void poke_listener(spring_t *s) {
  struct sockaddr_in addr = local_addr(port_of(s->at->pair.listening));
  connect_raw(s, &addr, sizeof addr);
}
static void free_listener(void *it) {
  vow_listener_free(it);
}
static uv_handle_t *listener_handle(spring_t *s) {
  return (uv_handle_t *)s->at->pair.listening;
}

static void prepare_pipe_listener(spring_t *s) {
  place_t *at = s->at;
  vow_listener_free(at->pipe_listener);
  at->pipe_listener = NULL;
  vow_pipe_free(at->listening_pipe);
  turns(s->loop, 2); /* its name is free then */
  ck_assert_int_eq(vow_pipe_new(s->loop, false, &at->listening_pipe), 0);
  ck_assert_int_eq(uv_pipe_bind(at->listening_pipe, at->socket), 0);
}
static int open_pipe_listener(spring_t *s) {
  vow_listener_t *listener = NULL;
  int err = vow_pipe_listen(s->at->listening_pipe, 8, false, &listener);
  s->it = listener;
  return err;
}
static void poke_pipe_listener(spring_t *s) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  strcpy(addr.sun_path, s->at->socket);
  connect_raw(s, &addr, sizeof addr);
}
static uv_handle_t *pipe_listener_handle(spring_t *s) {
  return (uv_handle_t *)s->at->listening_pipe;
}

/* ---- datagrams ----------------------------------------------------------- */

static int open_receiver(spring_t *s) {
  vow_receiver_t *receiver = NULL;
  int err = vow_receiver_new(s->at->udp, 0, &receiver);
  s->it = receiver;
  return err;
}
static vow_future_t *next_datagram(spring_t *s) {
  return vow_receiver_next(s->it);
}
static void poke_receiver(spring_t *s) {
  struct sockaddr_in addr;
  int length = sizeof addr;
  ck_assert_int_eq(
      uv_udp_getsockname(s->at->udp, (struct sockaddr *)&addr, &length), 0);
  if (s->fds[0] < 0) s->fds[0] = socket(AF_INET, SOCK_DGRAM, 0);
  ck_assert_int_eq(
      sendto(s->fds[0], "x", 1, 0, (const struct sockaddr *)&addr, sizeof addr),
      1);
}
static void free_receiver(void *it) {
  vow_receiver_free(it);
}
static uv_handle_t *receiver_handle(spring_t *s) {
  return (uv_handle_t *)s->at->udp;
}

/* ---- signals, time ------------------------------------------------------- */

static int open_signal(spring_t *s) {
  vow_signal_t *it = NULL;
  int err = vow_signal_new(s->loop, SIGUSR1, &it);
  s->it = it;
  return err;
}
static vow_future_t *next_signal(spring_t *s) {
  return vow_signal_next(s->it);
}
static vow_future_t *next_once(spring_t *s) {
  return vow_signal_once(s->loop, SIGUSR1);
}
/* Uncaught, for want of memory perhaps, it would end the process. */
static void poke_signal(spring_t *s) {
  struct sigaction now;
  (void)s;
  ck_assert_int_eq(sigaction(SIGUSR1, NULL, &now), 0);
  if (now.sa_handler != SIG_DFL) ck_assert_int_eq(raise(SIGUSR1), 0);
}
static void free_signal(void *it) {
  vow_signal_free(it);
}

static int open_interval(spring_t *s) {
  vow_interval_t *it = NULL;
  int err = vow_interval_new(s->loop, 5, &it);
  s->it = it;
  return err;
}
static vow_future_t *next_tick(spring_t *s) {
  return vow_interval_next(s->it);
}
static void poke_interval(spring_t *s) {
  (void)s;
  uv_sleep(6);
}
static void free_interval(void *it) {
  vow_interval_free(it);
}

/* ---- descriptors, files -------------------------------------------------- */

static int open_poll(spring_t *s) {
  vow_poll_t *it = NULL;
  int err;
  if (s->fds[0] < 0)
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, s->fds), 0);
  err = vow_poll_new(s->loop, s->fds[0], UV_READABLE, &it);
  s->it = it;
  return err;
}
static vow_future_t *next_poll(spring_t *s) {
  return vow_poll_next(s->it);
}
static void poke_poll(spring_t *s) {
  ck_assert_int_eq(write(s->fds[1], "x", 1), 1);
}
static void eat_poll(spring_t *s) {
  char byte;
  ck_assert_int_eq(read(s->fds[0], &byte, 1), 1);
}
static void free_poll(void *it) {
  vow_poll_free(it);
}

static int open_fs_event(spring_t *s) {
  vow_fs_event_t *it = NULL;
  int err = vow_fs_event_new(s->loop, s->at->folder->path, 0, &it);
  s->it = it;
  return err;
}
static vow_future_t *next_fs_event(spring_t *s) {
  return vow_fs_event_next(s->it);
}
static void poke_fs_event(spring_t *s) {
  char name[16];
  snprintf(name, sizeof name, "new-%d", s->names++);
  ck_assert_int_eq(mkdir(in(s->at->folder, name), 0700), 0);
}
static void free_fs_event(void *it) {
  vow_fs_event_free(it);
}

static void free_handle(uv_handle_t *handle) {
  free(handle);
}

static void nothing(uv_timer_t *timer) {
  (void)timer;
}

/* Turns that wait for something, until fs_poll has looked once: a look is a
 * timer that fires and a request that ends. */
static void look(vow_loop_t *loop) {
  uv_timer_t *alive = malloc(sizeof *alive); /* so that turns happen */
  int i;
  uv_timer_init(vow_loop_uv(loop), alive);
  uv_timer_start(alive, nothing, 100000, 0);
  for (i = 0; i < 16; i++) uv_run(vow_loop_uv(loop), UV_RUN_ONCE);
  uv_close((uv_handle_t *)alive, free_handle);
}

static int open_fs_poll(spring_t *s) {
  vow_fs_poll_t *it = NULL;
  int err = vow_fs_poll_new(s->loop, in(s->at->folder, "empty"), 1, &it);
  s->it = it;
  if (err == 0) look(s->loop);
  return err;
}
static vow_future_t *next_fs_poll(spring_t *s) {
  return vow_fs_poll_next(s->it);
}
/* One call, so that no look sees half of it. */
static void poke_fs_poll(spring_t *s) {
  mode_t mode = (mode_t)(0700 + ++s->names);
  ck_assert_int_eq(chmod(in(s->at->folder, "empty"), mode), 0);
}
static void free_fs_poll(void *it) {
  vow_fs_poll_free(it);
}

/* ---- the table ----------------------------------------------------------- */

static const int read_fails[] = {UV_EINVAL, UV_ENOTCONN, 0};
static const int read_told[] = {UV_ECONNRESET, UV_ETIMEDOUT, UV_EIO, UV_EOF, 0};
static const int listen_fails[] = {UV_EADDRINUSE, UV_EINVAL, UV_EACCES, 0};
static const int listen_told[] = {UV_EMFILE, UV_ENFILE, UV_ECONNABORTED,
                                  UV_ENOBUFS, 0};
static const int receive_fails[] = {UV_EADDRINUSE, UV_EINVAL, UV_ENOMEM, 0};
static const int receive_told[] = {UV_ECONNREFUSED, UV_EHOSTUNREACH, UV_ENOBUFS,
                                   0};
static const int signal_fails[] = {UV_EINVAL, UV_ENOMEM, 0};
static const int poll_fails[] = {UV_EBADF, UV_ENOMEM, 0};
static const int poll_told[] = {UV_EBADF, 0};
static const int fs_event_fails[] = {UV_ENOENT, UV_EACCES, UV_ENOSPC,
                                     UV_EMFILE, UV_ENOMEM, 0};
static const int fs_event_told[] = {UV_EIO, 0};
static const int fs_poll_fails[] = {UV_ENOMEM, UV_EINVAL, 0};
static const int fs_poll_told[] = {UV_ENOENT, UV_EACCES, 0};

#define READER(which)                                                          \
  .name = "reader_next", .open = open_##which##_reader, .next = next_bytes,    \
  .poke = poke_##which##_reader, .free = free_reader, .call = "uv_read_start", \
  .fails = read_fails, .told = read_told, .ends = true

#define LISTENER(which)                                                  \
  .name = "accept", .open = open_##which, .next = next_connection,       \
  .poke = poke_##which, .free = free_listener, .handle = which##_handle, \
  .call = "uv_listen", .fails = listen_fails, .early = true,             \
  .told = listen_told

#define ROW(which, function)                                    \
  .name = function, .open = open_##which, .next = next_##which, \
  .poke = poke_##which, .free = free_##which

const source_t sources[] = {
    {READER(tcp), .handle = tcp_reader_handle},
    {READER(pipe), .handle = pipe_reader_handle},
    {READER(tty), .prepare = prepare_tty_reader},
    {.name = "reader_next_handle",
     .open = open_pipe_reader,
     .next = next_handle,
     .poke = poke_handle,
     .stir = poke_pipe_reader,
     .free = free_reader,
     .handle = pipe_reader_handle,
     .call = "uv_read_start",
     .fails = read_fails,
     .told = read_told,
     .ends = true},
    {LISTENER(listener), .prepare = prepare_listener},
    {LISTENER(pipe_listener), .prepare = prepare_pipe_listener},
    {.name = "receiver_next",
     .open = open_receiver,
     .next = next_datagram,
     .poke = poke_receiver,
     .free = free_receiver,
     .handle = receiver_handle,
     .call = "uv_udp_recv_start",
     .fails = receive_fails,
     .told = receive_told},
    {ROW(signal, "signal_next"), .call = "uv_signal_start",
     .fails = signal_fails, .early = true},
    {.name = "signal_once",
     .next = next_once,
     .poke = poke_signal,
     .call = "uv_signal_start_oneshot",
     .fails = signal_fails,
     .forgets = true},
    {.name = "interval_next",
     .open = open_interval,
     .next = next_tick,
     .poke = poke_interval,
     .free = free_interval,
     .timed = true},
    {ROW(poll, "poll_next"), .eat = eat_poll, .call = "uv_poll_start",
     .fails = poll_fails, .told = poll_told},
    {ROW(fs_event, "fs_event_next"), .call = "uv_fs_event_start",
     .fails = fs_event_fails, .early = true, .told = fs_event_told,
     .files = true},
    {ROW(fs_poll, "fs_poll_next"), .call = "uv_fs_poll_start",
     .fails = fs_poll_fails, .early = true, .told = fs_poll_told,
     .files = true},
};

const int source_count = (int)(sizeof sources / sizeof sources[0]);

/* ---- springs ------------------------------------------------------------- */

spring_t spring_new(const source_t *r, bool probe) {
  spring_t s = {place_open(r->files, probe), NULL, NULL, {-1, -1}, 0, NULL};
  s.loop = s.at->loop;
  if (r->prepare != NULL) r->prepare(&s);
  return s;
}

spring_t spring_open(const source_t *r, bool probe) {
  spring_t s = spring_new(r, probe);
  if (r->open != NULL) ck_assert_int_eq(r->open(&s), 0);
  return s;
}

void spring_done(const source_t *r, spring_t *s) {
  int i;
  if (s->it != NULL) r->free(s->it);
  vow_tty_free(s->tty);
  place_free_handles(s->at);
  loop_done(s->loop);
  place_free(s->at);
  for (i = 0; i < 2; i++) /* a terminal's may have gone with its handle */
    if (s->fds[i] >= 0 && fcntl(s->fds[i], F_GETFD) >= 0) close(s->fds[i]);
}

void spring_gives(const source_t *r, spring_t *s, vow_future_t *f) {
  ck_assert_msg(settle(s->loop, f) == 0, "%s: %s", r->name,
                vow_error_message(vow_error(f)));
  vow_drop(f);
  if (r->eat != NULL) r->eat(s);
}
