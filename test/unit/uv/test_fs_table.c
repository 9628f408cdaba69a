/* SPDX-License-Identifier: MIT */
/* The same situations for every uv_fs_* request; see test_requests_table.c,
 * which has those of open, close, read, write and stat. */
#include "unit/uv/fs_support.h"

/* ---- the requests: with something to work on, or with nothing -------------
 */

typedef struct where {
  folder_t *t;
  vow_loop_t *loop;
  const char *file; /* or, when it is to fail, one that is not there */
  const char *empty;
  const char *fresh; /* a name that is free; or in a folder that is not there */
  int fd;            /* or one that is not open */
  vow_dir_t *dir;
  char into[16];
} where_t;

#define PATH_START(name)                           \
  static vow_future_t *start_##name(where_t *at) { \
    return vow_fs_##name(at->loop, at->file);      \
  }

PATH_START(unlink)
PATH_START(lstat)
PATH_START(statfs)
PATH_START(realpath)

static vow_future_t *start_rmdir(where_t *at) {
  return vow_fs_rmdir(at->loop, at->empty);
}
static vow_future_t *start_mkdir(where_t *at) {
  return vow_fs_mkdir(at->loop, at->fresh, 0700);
}
static vow_future_t *start_rename(where_t *at) {
  return vow_fs_rename(at->loop, at->file, at->fresh);
}
static vow_future_t *start_link(where_t *at) {
  return vow_fs_link(at->loop, at->file, at->fresh);
}
static vow_future_t *start_symlink(where_t *at) {
  return vow_fs_symlink(at->loop, "anything", at->fresh, 0);
}
static vow_future_t *start_copyfile(where_t *at) {
  return vow_fs_copyfile(at->loop, at->file, at->fresh, 0);
}
static vow_future_t *start_readlink(where_t *at) {
  bool good = at->file == at->t->names[0];
  return vow_fs_readlink(at->loop, good ? in(at->t, "link") : at->file);
}
static vow_future_t *start_access(where_t *at) {
  return vow_fs_access(at->loop, at->file, R_OK);
}
static vow_future_t *start_chmod(where_t *at) {
  return vow_fs_chmod(at->loop, at->file, 0600);
}
static vow_future_t *start_fchmod(where_t *at) {
  return vow_fs_fchmod(at->loop, at->fd, 0600);
}
static vow_future_t *start_chown(where_t *at) {
  return vow_fs_chown(at->loop, at->file, getuid(), getgid());
}
static vow_future_t *start_lchown(where_t *at) {
  return vow_fs_lchown(at->loop, at->file, getuid(), getgid());
}
static vow_future_t *start_fchown(where_t *at) {
  return vow_fs_fchown(at->loop, at->fd, getuid(), getgid());
}
static vow_future_t *start_utime(where_t *at) {
  return vow_fs_utime(at->loop, at->file, 1000, 2000);
}
static vow_future_t *start_lutime(where_t *at) {
  return vow_fs_lutime(at->loop, at->file, 1000, 2000);
}
static vow_future_t *start_futime(where_t *at) {
  return vow_fs_futime(at->loop, at->fd, 1000, 2000);
}
static vow_future_t *start_fstat(where_t *at) {
  return vow_fs_fstat(at->loop, at->fd);
}
static vow_future_t *start_fsync(where_t *at) {
  return vow_fs_fsync(at->loop, at->fd);
}
static vow_future_t *start_fdatasync(where_t *at) {
  return vow_fs_fdatasync(at->loop, at->fd);
}
static vow_future_t *start_ftruncate(where_t *at) {
  return vow_fs_ftruncate(at->loop, at->fd, 5);
}
static vow_future_t *start_sendfile(where_t *at) {
  return vow_fs_sendfile(at->loop, at->fd, at->fd, 0, 5);
}
static vow_future_t *start_readv_into(where_t *at) {
  uv_buf_t bufs[2] = {{at->into, 4}, {at->into + 4, 6}};
  return vow_fs_readv_into(at->loop, at->fd, bufs, 2, 0);
}
static vow_future_t *start_writev_borrowed(where_t *at) {
  uv_buf_t bufs[2] = {{at->into, 4}, {at->into + 4, 6}};
  return vow_fs_writev_borrowed(at->loop, at->fd, bufs, 2, 0);
}
static vow_future_t *start_mkstemp(where_t *at) {
  char tpl[320];
  snprintf(tpl, sizeof tpl, "%s-XXXXXX", at->fresh);
  return vow_fs_mkstemp(at->loop, tpl);
}
static vow_future_t *start_mkdtemp(where_t *at) {
  char tpl[320];
  snprintf(tpl, sizeof tpl, "%s-XXXXXX", at->fresh);
  return vow_fs_mkdtemp(at->loop, tpl);
}
static vow_future_t *start_scandir(where_t *at) {
  return vow_fs_scandir(
      at->loop, at->file == at->t->names[0] ? at->t->path : at->file, 0);
}
static vow_future_t *start_opendir(where_t *at) {
  return vow_fs_opendir(at->loop, at->empty);
}
static vow_future_t *start_readdir(where_t *at) {
  return vow_fs_readdir(at->loop, at->dir, 10);
}
static vow_future_t *start_closedir(where_t *at) {
  vow_future_t *f = vow_fs_closedir(at->loop, at->dir);
  if (!vow_is_settled(f)) at->dir = NULL;
  return f;
}

typedef enum cancel_kind { AT_ONCE, WAITS, NEVER } cancel_kind_t;

typedef struct request {
  const char *name;
  vow_future_t *(*start)(where_t *at);
  cancel_kind_t cancel;
  int error; /* when there is nothing to work on; 0: no such case */
} request_t;

static const request_t requests[] = {
    {"fs_unlink", start_unlink, AT_ONCE, UV_ENOENT},
    {"fs_rmdir", start_rmdir, AT_ONCE, UV_ENOENT},
    {"fs_mkdir", start_mkdir, AT_ONCE, UV_ENOENT},
    {"fs_rename", start_rename, AT_ONCE, UV_ENOENT},
    {"fs_link", start_link, AT_ONCE, UV_ENOENT},
    {"fs_symlink", start_symlink, AT_ONCE, UV_ENOENT},
    {"fs_copyfile", start_copyfile, AT_ONCE, UV_ENOENT},
    {"fs_readlink", start_readlink, AT_ONCE, UV_ENOENT},
    {"fs_realpath", start_realpath, AT_ONCE, UV_ENOENT},
    {"fs_access", start_access, AT_ONCE, UV_ENOENT},
    {"fs_lstat", start_lstat, AT_ONCE, UV_ENOENT},
    {"fs_fstat", start_fstat, AT_ONCE, UV_EBADF},
    {"fs_statfs", start_statfs, AT_ONCE, UV_ENOENT},
    {"fs_chmod", start_chmod, AT_ONCE, UV_ENOENT},
    {"fs_fchmod", start_fchmod, AT_ONCE, UV_EBADF},
    {"fs_chown", start_chown, AT_ONCE, UV_ENOENT},
    {"fs_lchown", start_lchown, AT_ONCE, UV_ENOENT},
    {"fs_fchown", start_fchown, AT_ONCE, UV_EBADF},
    {"fs_utime", start_utime, AT_ONCE, UV_ENOENT},
    {"fs_lutime", start_lutime, AT_ONCE, UV_ENOENT},
    {"fs_futime", start_futime, AT_ONCE, UV_EBADF},
    {"fs_fsync", start_fsync, AT_ONCE, UV_EBADF},
    {"fs_fdatasync", start_fdatasync, AT_ONCE, UV_EBADF},
    {"fs_ftruncate", start_ftruncate, AT_ONCE, UV_EBADF},
    {"fs_sendfile", start_sendfile, AT_ONCE, UV_EBADF},
    {"fs_readv_into", start_readv_into, WAITS, UV_EBADF},
    {"fs_writev_borrowed", start_writev_borrowed, WAITS, UV_EBADF},
    {"fs_mkstemp", start_mkstemp, AT_ONCE, UV_ENOENT},
    {"fs_mkdtemp", start_mkdtemp, AT_ONCE, UV_ENOENT},
    {"fs_scandir", start_scandir, AT_ONCE, UV_ENOENT},
    {"fs_opendir", start_opendir, AT_ONCE, UV_ENOENT},
    {"fs_readdir", start_readdir, AT_ONCE, 0},
    {"fs_closedir", start_closedir, NEVER, 0},
};

#define REQUESTS ((int)(sizeof requests / sizeof requests[0]))

/* ---- the place ----------------------------------------------------------- */

static where_t where_open(bool probe) {
  vow_loop_t *loop = probe ? loop_open_probe() : loop_open();
  folder_t *t = folder_open(loop);
  where_t at = {t, loop, NULL, NULL, NULL, -1, NULL, "0123456789"};
  vow_future_t *f = vow_fs_opendir(loop, t->path);
  ck_assert_int_eq(settle(loop, f), 0);
  at.dir = vow_dir_take(f);
  ck_assert_ptr_nonnull(at.dir);
  vow_drop(f);
  t->next_name = 0;
  at.file = in(t, "file");
  at.empty = in(t, "empty");
  at.fresh = in(t, "fresh");
  at.fd = t->fd;
  return at;
}

static void where_free(where_t *at) {
  vow_dir_free(at->dir);
  folder_free(at->t);
}

static void where_close(where_t *at) {
  ck_assert_int_eq(vow_loop_run(at->loop), 0);
  vow_dir_free(at->dir);
  at->dir = NULL;
  folder_close(at->t);
}

/* ---- the situations ------------------------------------------------------ */

TEST(test_fs_request_undisturbed_succeeds) {
  const request_t *r = &requests[_i];
  where_t at = where_open(false);
  vow_future_t *f = r->start(&at);
  ck_assert_msg(!vow_is_settled(f), "%s settled at once", r->name);
  ck_assert_msg(settle(at.loop, f) == 0, "%s: %s", r->name,
                vow_error_message(vow_error(f)));
  vow_drop(f);
  where_close(&at);
}

TEST(test_fs_request_with_nothing_there_names_itself) {
  const request_t *r = &requests[_i];
  where_t at = where_open(false);
  vow_future_t *f;
  const vow_error_t *e;
  at.file = in(at.t, "missing");
  at.empty = in(at.t, "missing");
  at.fresh = in(at.t, "missing/fresh");
  at.fd = 999;
  if (r->error != 0) {
    f = r->start(&at);
    ck_assert_msg(settle(at.loop, f) == r->error, "%s: %d", r->name,
                  vow_status(f));
    e = vow_error(f);
    ck_assert_ptr_eq(strstr(vow_error_message(e), r->name),
                     vow_error_message(e));
    if (r->error == UV_ENOENT)
      ck_assert_ptr_nonnull(strstr(vow_error_message(e), at.t->path));
    ck_assert_ptr_nonnull(strstr(vow_error_site(e), "test_fs_table.c:"));
    vow_drop(f);
  }
  where_close(&at);
}

TEST(test_fs_request_dropped_unseen_leaves_nothing) {
  where_t at;
  fault_install();
  at = where_open(true);
  vow_drop(requests[_i].start(&at));
  where_close(&at);
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void expect_cancelled(const request_t *r, vow_loop_t *loop,
                             vow_future_t *f) {
  int status;
  ck_assert_int_eq(vow_cancel(f), 0);
  if (r->cancel == AT_ONCE)
    ck_assert_msg(vow_is_cancelled(f), "%s still pending", r->name);
  else
    ck_assert_msg(!vow_is_settled(f), "%s settled early", r->name);
  status = settle(loop, f);
  if (r->cancel == AT_ONCE) ck_assert_int_eq(status, UV_ECANCELED);
  if (r->cancel == NEVER) ck_assert_int_eq(status, 0);
  if (r->cancel == WAITS) ck_assert(status == 0 || vow_is_cancelled(f));
}

TEST(test_fs_request_cancelled_before_a_turn_settles_as_its_kind_says) {
  where_t at;
  vow_future_t *f;
  fault_install();
  at = where_open(true);
  f = requests[_i].start(&at);
  expect_cancelled(&requests[_i], at.loop, f);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(at.loop), 0);
  ck_assert_int_eq(count_names(at.t, "fresh-"), 0);
  where_close(&at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* By then a thread has done it; the callback has not run. */
TEST(test_fs_request_cancelled_when_done_gives_back_what_it_made) {
  where_t at;
  vow_future_t *f;
  fault_install();
  at = where_open(true);
  f = requests[_i].start(&at);
  uv_sleep(2);
  expect_cancelled(&requests[_i], at.loop, f);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(at.loop), 0);
  ck_assert_int_eq(count_names(at.t, "fresh-"), 0);
  where_close(&at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_fs_request_cancelled_after_it_settled_keeps_its_outcome) {
  where_t at = where_open(false);
  vow_future_t *f = requests[_i].start(&at);
  ck_assert_int_eq(settle(at.loop, f), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  where_close(&at);
}

TEST(test_fs_request_loop_closed_while_it_pends_waits_for_it) {
  where_t at;
  vow_future_t *f;
  fault_install();
  at = where_open(true);
  f = requests[_i].start(&at);
  ck_assert_int_eq(vow_loop_close(at.loop, 5000), 0);
  ck_assert(vow_is_settled(f));
  vow_status(f);
  vow_drop(f);
  where_free(&at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void expect_enomem(const request_t *r, bool from) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    where_t at;
    vow_future_t *f;
    int status;
    ck_assert_uint_lt(n, 50);
    fault_install();
    at = where_open(true);
    if (from)
      fault_fail_from(n);
    else
      fault_fail_at(n);
    f = r->start(&at);
    ck_assert_ptr_nonnull(f);
    status = vow_is_settled(f) ? vow_status(f) : settle(at.loop, f);
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_msg(status == UV_ENOMEM || status == 0, "%s: %d", r->name,
                  status);
    if (!failed) ck_assert_int_eq(status, 0);
    vow_drop(f);
    if (status != 0) ck_assert_int_eq(count_names(at.t, "fresh-"), 0);
    where_close(&at);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_ge(n, 2);
}

TEST(test_fs_request_nth_allocation_fails_gives_enomem) {
  expect_enomem(&requests[_i], false);
}

TEST(test_fs_request_out_of_memory_for_good_gives_enomem) {
  expect_enomem(&requests[_i], true);
}

/* Every thread of the pool is busy with a fifo that nobody else opens: libuv
 * takes the request back. */
TEST(test_fs_request_cancelled_in_the_queue_never_runs) {
  const request_t *r = &requests[_i];
  where_t at = where_open(false);
  const char *fifo = in(at.t, "fifo");
  vow_future_t *blockers[4], *f;
  int i, fd;
  if (r->cancel != NEVER) {
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    for (i = 0; i < 4; i++)
      blockers[i] = vow_fs_open(at.loop, fifo, O_RDONLY, 0);
    uv_sleep(5);
    f = r->start(&at);
    ck_assert_int_eq(vow_cancel(f), 0);
    ck_assert_int_eq(settle_drop(at.loop, f), UV_ECANCELED);
    fd = open(fifo, O_RDWR);
    for (i = 0; i < 4; i++)
      ck_assert_int_eq(settle_drop(at.loop, blockers[i]), 0);
    close(fd);
    ck_assert_int_eq(count_names(at.t, "fresh"), 0);
    expect_content(in(at.t, "file"), "0123456789");
  }
  where_close(&at);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, REQUESTS)

SUITE(uv_fs_table) {
  EACH(test_fs_request_undisturbed_succeeds);
  EACH(test_fs_request_with_nothing_there_names_itself);
  EACH(test_fs_request_dropped_unseen_leaves_nothing);
  EACH(test_fs_request_cancelled_before_a_turn_settles_as_its_kind_says);
  EACH(test_fs_request_cancelled_when_done_gives_back_what_it_made);
  EACH(test_fs_request_cancelled_after_it_settled_keeps_its_outcome);
  EACH(test_fs_request_loop_closed_while_it_pends_waits_for_it);
  EACH(test_fs_request_nth_allocation_fails_gives_enomem);
  EACH(test_fs_request_out_of_memory_for_good_gives_enomem);
  EACH(test_fs_request_cancelled_in_the_queue_never_runs);
}
