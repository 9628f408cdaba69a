/* SPDX-License-Identifier: MIT */
/* Terminals, on a pseudo-terminal; where there is none, nothing is tested. */
#define _XOPEN_SOURCE 700 /* posix_openpt and what goes with it */
#include <vow/tty.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

/* The side of the user, and that of the program; false: none to be had. */
typedef struct terminal {
  int user;
  int fd;
} terminal_t;

static bool terminal_open(terminal_t *t) {
  struct termios mode;
  t->user = posix_openpt(O_RDWR | O_NOCTTY);
  if (t->user < 0 || grantpt(t->user) != 0 || unlockpt(t->user) != 0)
    return false;
  t->fd = open(ptsname(t->user), O_RDWR | O_NOCTTY);
  if (t->fd < 0) return false;
  ck_assert_int_eq(tcgetattr(t->fd, &mode), 0);
  mode.c_lflag &= ~(tcflag_t)ECHO;
  mode.c_oflag &= ~(tcflag_t)OPOST;
  ck_assert_int_eq(tcsetattr(t->fd, TCSANOW, &mode), 0);
  return true;
}

TEST(test_tty_reads_and_writes_as_a_stream) {
  vow_loop_t *loop;
  terminal_t t;
  uv_tty_t *tty = NULL;
  vow_reader_t *r = NULL;
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t) "prompt", 6);
  char shown[16] = {0};
  vow_future_t *f;
  int width, height;
  if (!terminal_open(&t)) return;
  loop = loop_open();
  ck_assert_int_eq(vow_tty_new(loop, t.fd, &tty), 0);
  ck_assert_int_eq(uv_tty_set_mode(tty, UV_TTY_MODE_NORMAL), 0);
  ck_assert_int_eq(uv_tty_get_winsize(tty, &width, &height), 0);
  f = vow_write((uv_stream_t *)tty, &buf, 1);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(read(t.user, shown, sizeof shown), 6);
  ck_assert_str_eq(shown, "prompt");
  ck_assert_int_eq(vow_reader_new((uv_stream_t *)tty, 0, &r), 0);
  f = vow_reader_next(r);
  ck_assert_int_eq(write(t.user, "answer\n", 7), 7);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_bytes(f, "answer\n");
  vow_drop(f);
  f = vow_reader_next(r);
  vow_tty_free(tty);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  vow_reader_free(r);
  loop_done(loop);
  close(t.user);
}

TEST(test_tty_value_nobody_takes_is_closed) {
  vow_loop_t *loop;
  terminal_t t;
  uv_tty_t *tty = NULL;
  vow_future_t *f;
  if (!terminal_open(&t)) return;
  fault_install();
  loop = loop_open();
  ck_assert_int_eq(vow_tty_new(loop, t.fd, &tty), 0);
  f = vow_ready(loop, vow_ptr(tty, &vow_type_tty));
  ck_assert_ptr_eq(vow_tty_get(f), tty);
  ck_assert_ptr_eq(vow_tty_take(f), tty);
  vow_drop(f);
  vow_drop(vow_ready(loop, vow_ptr(tty, &vow_type_tty)));
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  close(t.user);
}

TEST(test_tty_new_bad_arguments_or_no_memory_give_codes) {
  vow_loop_t *loop, *manual = manual_loop();
  uv_tty_t *tty = NULL;
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(vow_tty_new(NULL, 0, &tty), UV_EINVAL);
  ck_assert_int_eq(vow_tty_new(manual, 0, &tty), UV_ENOTSUP);
  manual_done(manual);
  fault_install();
  loop = loop_open();
  ck_assert_int_eq(vow_tty_new(loop, 0, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_tty_new(loop, fileno(file), &tty), UV_EINVAL);
  fault_fail_from(1);
  ck_assert_int_eq(vow_tty_new(loop, 0, &tty), UV_ENOMEM);
  fault_off();
  ck_assert_ptr_null(tty);
  vow_tty_free(NULL);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  fclose(file);
}

SUITE(uv_tty) {
  ADD(test_tty_reads_and_writes_as_a_stream);
  ADD(test_tty_value_nobody_takes_is_closed);
  ADD(test_tty_new_bad_arguments_or_no_memory_give_codes);
}
