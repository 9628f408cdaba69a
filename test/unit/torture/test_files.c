/* SPDX-License-Identifier: MIT */
/* Files and folders: every descriptor is closed, and what is read is what was
 * written. */
#include "unit/torture/torture.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- a folder for each run --------------------------------------------------- */

static char root[32];
static char names[8][64];
static int next_name;

static const char *in(const char *name) {
  char *to = names[next_name++ % 8];
  snprintf(to, sizeof names[0], "%s/%s", root, name);
  return to;
}

/* Two levels are all there are. */
static void empty_folder(const char *path) {
  DIR *dir = opendir(path);
  const struct dirent *e;
  while (dir != NULL && (e = readdir(dir)) != NULL) {
    char sub[400];
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
    if (unlink(sub) == 0) continue;
    if (strcmp(path, root) == 0) empty_folder(sub);
    rmdir(sub);
  }
  if (dir != NULL) closedir(dir);
}

/* When all that is under way has ended. */
static void remove_root(void *arg) {
  (void)arg;
  empty_folder(root);
  ck_assert_int_eq(rmdir(root), 0);
}

/* With "file" in it, which holds ten digits. */
static void make_root(void) {
  int fd;
  strcpy(root, "/tmp/vow-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(root));
  fd = open(in("file"), O_WRONLY | O_CREAT, 0600);
  ck_assert_int_eq(write(fd, "0123456789", 10), 10);
  close(fd);
  vow_check_at_end(remove_root, NULL);
}

/* A descriptor of the scene's own; the body has gone when it is closed. */
static vow_value_t note_file(vow_future_t *in, void *arg) {
  *(uv_file *)arg = vow_file_take(in);
  return vow_nil();
}

static vow_value_t close_file(void *arg) {
  const uv_file *fd = arg;
  if (*fd >= 0) close(*fd);
  return vow_nil();
}

#define OPEN(fd, path, flags) \
  static uv_file fd;          \
  fd = -1;                    \
  LATER(close_file, &fd);     \
  VOW_TRY_NIL(                \
      vow_then(vow_fs_open(loop, (path), (flags), 0600), note_file, &fd))

/* ---- a file ------------------------------------------------------------------ */

SCENE(test_torture_file_is_read_and_written) {
  char into[10];
  uv_buf_t bufs[2] = {uv_buf_init(into, 4), uv_buf_init(into + 4, 6)};
  make_root();
  OPEN(fd, in("file"), O_RDWR);
  VOW_TRY_NIL(vow_fs_read(loop, fd, 10, 0));
  VOW_TRY_NIL(vow_fs_read_into(loop, fd, into, sizeof into, 0));
  CALMLY(memcmp(into, "0123456789", 10) == 0);
  VOW_TRY_NIL(vow_fs_write(loop, fd, "ab", 2, 0));
  VOW_TRY_NIL(vow_fs_write_borrowed(loop, fd, "cd", 2, 2));
  VOW_TRY_NIL(vow_fs_readv_into(loop, fd, bufs, 2, 0));
  CALMLY(memcmp(into, "abcd456789", 10) == 0);
  VOW_TRY_NIL(vow_fs_writev_borrowed(loop, fd, bufs, 2, 10));
  VOW_TRY_NIL(vow_fs_fsync(loop, fd));
  VOW_TRY_NIL(vow_fs_fdatasync(loop, fd));
  VOW_TRY_NIL(vow_fs_ftruncate(loop, fd, 5));
  VOW_TRY_NIL(vow_fs_fstat(loop, fd));
  vow_drop(vow_fs_statfs(loop, root)); /* fd may not be closed under a read */
  return vow_nil();
}

SCENE(test_torture_file_is_sent_and_closed) {
  vow_future_t *f;
  uv_file closing;
  make_root();
  OPEN(from, in("file"), O_RDONLY);
  OPEN(to, in("copy"), O_WRONLY | O_CREAT);
  VOW_TRY_NIL(vow_fs_sendfile(loop, to, from, 0, 10));
  vow_drop(vow_fs_open(loop, in("file"), O_RDONLY, 0));
  closing = dup(to);
  f = vow_fs_close(loop, closing);
  if (vow_is_settled(f)) close(closing); /* it was not submitted */
  VOW_TRY_NIL(f);
  return vow_nil();
}

/* ---- attributes and paths ----------------------------------------------------- */

SCENE(test_torture_attributes_are_set) {
  const char *path;
  uv_uid_t uid = getuid();
  uv_gid_t gid = getgid();
  make_root();
  path = in("file");
  OPEN(fd, path, O_RDWR);
  VOW_TRY_NIL(vow_fs_chmod(loop, path, 0640));
  VOW_TRY_NIL(vow_fs_fchmod(loop, fd, 0600));
  VOW_TRY_NIL(vow_fs_chown(loop, path, uid, gid));
  VOW_TRY_NIL(vow_fs_fchown(loop, fd, uid, gid));
  VOW_TRY_NIL(vow_fs_lchown(loop, path, uid, gid));
  VOW_TRY_NIL(vow_fs_utime(loop, path, 1, 2));
  VOW_TRY_NIL(vow_fs_futime(loop, fd, 1, 2));
  VOW_TRY_NIL(vow_fs_lutime(loop, path, 1, 2));
  VOW_TRY_NIL(vow_fs_stat(loop, path));
  VOW_TRY_NIL(vow_fs_lstat(loop, path));
  VOW_TRY_NIL(vow_fs_statfs(loop, path));
  VOW_TRY_NIL(vow_fs_access(loop, path, R_OK));
  return vow_nil();
}

SCENE(test_torture_paths_are_made_and_removed) {
  make_root();
  VOW_TRY_NIL(vow_fs_mkdir(loop, in("folder"), 0700));
  VOW_TRY_NIL(vow_fs_symlink(loop, "file", in("symlink"), 0));
  VOW_TRY_NIL(vow_fs_readlink(loop, in("symlink")));
  VOW_TRY_NIL(vow_fs_realpath(loop, in("symlink")));
  VOW_TRY_NIL(vow_fs_link(loop, in("file"), in("second")));
  VOW_TRY_NIL(vow_fs_rename(loop, in("second"), in("folder/third")));
  VOW_TRY_NIL(vow_fs_copyfile(loop, in("file"), in("copy"), 0));
  VOW_TRY_NIL(vow_fs_unlink(loop, in("folder/third")));
  VOW_TRY_NIL(vow_fs_rmdir(loop, in("folder")));
  return vow_nil();
}

/* ---- folders and temporary files ---------------------------------------------- */

SCENE(test_torture_folder_is_read) {
  vow_future_t *opened;
  vow_dir_t *dir;
  make_root();
  OWN(entries, vow_fs_scandir(loop, root, 0));
  CALMLY(vow_dirents_count(entries.as.p) == 1);
  CALMLY(vow_dirents_at(entries.as.p, 0) != NULL);
  opened = vow_fs_opendir(loop, root);
  (void)vow_await_status(vow_ref(opened));
  dir = vow_dir_take(opened);
  vow_drop(opened);
  if (dir == NULL) return vow_fail_last();
  (void)vow_await_status(vow_fs_readdir(loop, dir, 4));
  vow_drop(vow_fs_readdir(loop, dir, 4));
  opened = vow_fs_closedir(loop, dir);
  if (vow_is_settled(opened)) vow_dir_free(dir); /* it was not submitted */
  (void)vow_await_status(opened);
  vow_drop(vow_fs_opendir(loop, root));
  return vow_nil();
}

SCENE(test_torture_temporary_files_are_made) {
  char template[64], folder[64];
  make_root();
  snprintf(template, sizeof template, "%s/temp-XXXXXX", root);
  snprintf(folder, sizeof folder, "%s/folder-XXXXXX", root);
  VOW_TRY_NIL(vow_fs_mkstemp(loop, template));
  vow_drop(vow_fs_mkstemp(loop, template));
  VOW_TRY_NIL(vow_fs_mkdtemp(loop, folder));
  return vow_nil();
}

/* ---- as a whole ----------------------------------------------------------------- */

SCENE(test_torture_files_are_read_and_written_whole) {
  const char *path;
  make_root();
  path = in("whole");
  VOW_TRY_NIL(vow_file_write_all(loop, path, "one\n", 4, 0, 0600));
  VOW_TRY_NIL(
      vow_file_write_all_borrowed(loop, path, "two\nthree\n", 10, 0, 0600));
  VOW_TRY_NIL(vow_file_replace(loop, path, "four\nfive\n", 10, 0600));
  OWN(all, vow_file_read_all(loop, path, 100));
  CALMLY(vow_bytes_length(all.as.p) == 10);
  vow_drop(vow_file_read_all(loop, path, 100));
  vow_drop(vow_file_replace(loop, path, "six\n", 4, 0600));
  return vow_nil();
}

ENDER(end_lines, vow_lines_t, vow_lines_free)
ENDER(end_walk, vow_walk_t, vow_walk_free)

SCENE(test_torture_lines_and_folders_are_walked) {
  vow_lines_t *lines;
  vow_walk_t *walk;
  vow_value_t failure;
  int n = 0;
  make_root();
  VOW_TRY_CODE(vow_file_lines(loop, in("file"), 100, &lines));
  LATER(end_lines, lines);
  VOW_TRY_NIL(vow_lines_next(lines));
  VOW_TRY_CODE(vow_file_lines(loop, in("file"), 100, &lines));
  VOW_FOR(step, vow_lines_iter(lines), &failure) n++;
  if (vow_value_is_failure(failure)) return failure;
  VOW_TRY_NIL(vow_fs_mkdir(loop, in("folder"), 0700));
  VOW_TRY_CODE(vow_dir_walk(loop, root, 0, &walk));
  LATER(end_walk, walk);
  VOW_TRY_NIL(vow_walk_next(walk));
  VOW_TRY_CODE(vow_dir_walk(loop, root, 0, &walk));
  VOW_FOR(step, vow_walk_iter(walk), &failure) n++;
  CALMLY(n == 3);
  return failure;
}

SUITE(torture_files) {
  ADD(test_torture_file_is_read_and_written);
  ADD(test_torture_file_is_sent_and_closed);
  ADD(test_torture_attributes_are_set);
  ADD(test_torture_paths_are_made_and_removed);
  ADD(test_torture_folder_is_read);
  ADD(test_torture_temporary_files_are_made);
  ADD(test_torture_files_are_read_and_written_whole);
  ADD(test_torture_lines_and_folders_are_walked);
}
