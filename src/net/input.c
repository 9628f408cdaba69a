/* SPDX-License-Identifier: MIT */
/* Feeding a pipe.
 *
 * How this works. A reader that leaves early is the normal case of a child that
 * has seen enough, but writing to it raises SIGPIPE, which ends a program that
 * has not ignored it; libuv's streams leave that to the program. So this writes
 * by itself, with the signal blocked in this thread, and takes away the one
 * that its own write raised. */
#include "net/input.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* So many writes, and then others get their turn. */
#define BUDGET 16
#define PIECE  ((size_t)64 * 1024)

static bool is_pending(int signum) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, signum) == 1;
}

/* write(2); the error as a negative code of libuv's. */
static ssize_t write_quietly(int fd, const char *data, size_t n) {
  sigset_t pipe, former;
  bool before = is_pending(SIGPIPE);
  ssize_t sent;
  int signum;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &former);
  do {
    sent = write(fd, data, n);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    sent = uv_translate_sys_error(errno);
    if (sent == UV_EPIPE && !before && is_pending(SIGPIPE))
      sigwait(&pipe, &signum);
  }
  pthread_sigmask(SIG_SETMASK, &former, NULL);
  return sent;
}

int vow__input_write(vow__input_t *in) {
  int budget = BUDGET;
  while (in->left > 0 && budget-- > 0) {
    ssize_t n =
        write_quietly(in->fd, in->data, in->left < PIECE ? in->left : PIECE);
    if (n == UV_EPIPE) return 0;
    if (n < 0) return (int)n;
    in->data += n;
    in->left -= (size_t)n;
    in->sent += (size_t)n;
  }
  return in->left > 0 ? UV_EAGAIN : 0;
}

static int prepare(const char *site, vow_loop_t *loop, vow__input_t *in) {
  if (in->kept == NULL) {
    in->kept = vow_bytes_copy(in->data, in->left);
    if (in->kept == NULL) return UV_ENOMEM;
    in->data = vow_bytes_data(in->kept);
  }
  if (in->poll != NULL) return 0;
  return vow_poll_new_at(site, loop, in->fd, UV_WRITABLE, &in->poll);
}

vow_future_t *vow__input_wait(const char *site, vow_loop_t *loop,
                              vow__input_t *in) {
  int err = prepare(site, loop, in);
  if (err != 0) return vow_ready_at(site, loop, vow_fail(err));
  return vow_poll_next_at(site, in->poll);
}

void vow__input_close(vow__input_t *in) {
  vow_poll_free(in->poll);
  in->poll = NULL;
  vow_bytes_unref(in->kept);
  in->kept = NULL;
  if (in->fd >= 0) close(in->fd);
  in->fd = -1;
}
