/* SPDX-License-Identifier: MIT */
/* The wrappers of uv_fs_* requests; see place.h. */
#include "unit/uv/place.h"

/* ---- with a path --------------------------------------------------------- */

#define ON_PATH(name, path)                        \
  static vow_future_t *start_##name(place_t *at) { \
    return vow_fs_##name(at->loop, at->path);      \
  }

ON_PATH(unlink, file)
ON_PATH(rmdir, empty)
ON_PATH(stat, file)
ON_PATH(lstat, file)
ON_PATH(statfs, file)
ON_PATH(readlink, link)
ON_PATH(realpath, file)
ON_PATH(opendir, empty)

static vow_future_t *start_open(place_t *at) {
  return vow_fs_open(at->loop, at->file, O_RDONLY, 0);
}
static vow_future_t *start_mkdir(place_t *at) {
  return vow_fs_mkdir(at->loop, at->fresh_name, 0700);
}
static vow_future_t *start_rename(place_t *at) {
  return vow_fs_rename(at->loop, at->file, at->fresh_name);
}
static vow_future_t *start_link(place_t *at) {
  return vow_fs_link(at->loop, at->file, at->fresh_name);
}
static vow_future_t *start_symlink(place_t *at) {
  return vow_fs_symlink(at->loop, "anything", at->fresh_name, 0);
}
static vow_future_t *start_copyfile(place_t *at) {
  return vow_fs_copyfile(at->loop, at->file, at->fresh_name, 0);
}
static vow_future_t *start_access(place_t *at) {
  return vow_fs_access(at->loop, at->file, R_OK);
}
static vow_future_t *start_chmod(place_t *at) {
  return vow_fs_chmod(at->loop, at->file, 0600);
}
static vow_future_t *start_chown(place_t *at) {
  return vow_fs_chown(at->loop, at->file, getuid(), getgid());
}
static vow_future_t *start_lchown(place_t *at) {
  return vow_fs_lchown(at->loop, at->file, getuid(), getgid());
}
static vow_future_t *start_utime(place_t *at) {
  return vow_fs_utime(at->loop, at->file, 1000, 2000);
}
static vow_future_t *start_lutime(place_t *at) {
  return vow_fs_lutime(at->loop, at->file, 1000, 2000);
}
static vow_future_t *start_mkstemp(place_t *at) {
  char tpl[320];
  snprintf(tpl, sizeof tpl, "%s-XXXXXX", at->fresh_name);
  return vow_fs_mkstemp(at->loop, tpl);
}
static vow_future_t *start_mkdtemp(place_t *at) {
  char tpl[320];
  snprintf(tpl, sizeof tpl, "%s-XXXXXX", at->fresh_name);
  return vow_fs_mkdtemp(at->loop, tpl);
}
static vow_future_t *start_scandir(place_t *at) {
  /* One with something in it. */
  bool good = at->fd != 999;
  return vow_fs_scandir(at->loop, good ? at->folder->path : at->empty, 0);
}

/* ---- with a descriptor --------------------------------------------------- */

#define ON_FD(name)                                \
  static vow_future_t *start_##name(place_t *at) { \
    return vow_fs_##name(at->loop, at->fd);        \
  }

ON_FD(fstat)
ON_FD(fsync)
ON_FD(fdatasync)

static vow_future_t *start_close(place_t *at) {
  int fd = at->fd != 999 ? dup(at->fd) : at->fd;
  vow_future_t *f = vow_fs_close(at->loop, fd);
  if (vow_is_settled(f)) close(fd); /* refused: still ours */
  return f;
}
static vow_future_t *start_fchmod(place_t *at) {
  return vow_fs_fchmod(at->loop, at->fd, 0600);
}
static vow_future_t *start_fchown(place_t *at) {
  return vow_fs_fchown(at->loop, at->fd, getuid(), getgid());
}
static vow_future_t *start_futime(place_t *at) {
  return vow_fs_futime(at->loop, at->fd, 1000, 2000);
}
static vow_future_t *start_ftruncate(place_t *at) {
  return vow_fs_ftruncate(at->loop, at->fd, 5);
}
static vow_future_t *start_sendfile(place_t *at) {
  return vow_fs_sendfile(at->loop, at->fd, at->fd, 0, 5);
}
static vow_future_t *start_read(place_t *at) {
  return vow_fs_read(at->loop, at->fd, 10, 0);
}
static vow_future_t *start_read_into(place_t *at) {
  return vow_fs_read_into(at->loop, at->fd, at->into, 10, 0);
}
static vow_future_t *start_readv_into(place_t *at) {
  uv_buf_t bufs[2] = {{at->into, 4}, {at->into + 4, 6}};
  return vow_fs_readv_into(at->loop, at->fd, bufs, 2, 0);
}
static vow_future_t *start_write(place_t *at) {
  return vow_fs_write(at->loop, at->fd, "abc", 3, 0);
}
static vow_future_t *start_write_borrowed(place_t *at) {
  return vow_fs_write_borrowed(at->loop, at->fd, "abc", 3, 0);
}
static vow_future_t *start_writev_borrowed(place_t *at) {
  uv_buf_t bufs[2] = {{at->into, 4}, {at->into + 4, 6}};
  return vow_fs_writev_borrowed(at->loop, at->fd, bufs, 2, 0);
}

/* ---- with an open folder ------------------------------------------------- */

static vow_future_t *start_readdir(place_t *at) {
  return vow_fs_readdir(at->loop, at->dir, 10);
}
static vow_future_t *start_closedir(place_t *at) {
  vow_future_t *f = vow_fs_closedir(at->loop, at->dir);
  if (!vow_is_settled(f)) at->dir = NULL;
  return f;
}

/* ---- the table ----------------------------------------------------------- */

static const int refused[] = {UV_EINVAL, UV_ENOMEM, 0};
static const int path_reports[] = {
    UV_ENOENT, UV_EACCES, UV_ENOTDIR, UV_EEXIST, UV_ELOOP, UV_ENAMETOOLONG,
    UV_EROFS,  UV_EMFILE, UV_EIO,     UV_ENOMEM, 0};
static const int fd_reports[] = {UV_EBADF,  UV_EIO,    UV_EINTR, UV_ENOSPC,
                                 UV_EISDIR, UV_EAGAIN, 0};

#define ROW(wrapper, begin, uv_name)                                 \
  .name = "fs_" wrapper, .start = (begin), .call = "uv_fs_" uv_name, \
  .fails = refused, .files = true, .pooled = true
#define PATH(wrapper)                                                \
  ROW(#wrapper, start_##wrapper, #wrapper), .reports = path_reports, \
                                            .missing = UV_ENOENT
#define FD_AS(wrapper, uv_name)                                   \
  ROW(#wrapper, start_##wrapper, uv_name), .reports = fd_reports, \
                                           .missing = UV_EBADF
#define FD(wrapper) FD_AS(wrapper, #wrapper)

const request_t file_rows[] = {
    {PATH(open)},
    {FD(close), .cancel = NEVER},
    {FD(read)},
    {FD_AS(read_into, "read"), .cancel = WAITS},
    {FD_AS(readv_into, "read"), .cancel = WAITS},
    {FD(write)},
    {FD_AS(write_borrowed, "write"), .cancel = WAITS},
    {FD_AS(writev_borrowed, "write"), .cancel = WAITS},
    {PATH(unlink)},
    {PATH(rmdir)},
    {PATH(mkdir)},
    {PATH(rename)},
    {PATH(link)},
    {PATH(symlink)},
    {PATH(copyfile)},
    {PATH(readlink)},
    {PATH(realpath)},
    {PATH(access)},
    {PATH(stat)},
    {PATH(lstat)},
    {FD(fstat)},
    {PATH(statfs)},
    {PATH(chmod)},
    {FD(fchmod)},
    {PATH(chown)},
    {PATH(lchown)},
    {FD(fchown)},
    {PATH(utime)},
    {PATH(lutime)},
    {FD(futime)},
    {FD(fsync)},
    {FD(fdatasync)},
    {FD(ftruncate)},
    {FD(sendfile)},
    {PATH(mkstemp)},
    {PATH(mkdtemp)},
    {PATH(scandir)},
    {PATH(opendir)},
    {ROW("readdir", start_readdir, "readdir"), .reports = fd_reports},
    {ROW("closedir", start_closedir, "closedir"), .reports = fd_reports,
     .cancel = NEVER},
};

const int file_row_count = (int)(sizeof file_rows / sizeof file_rows[0]);
