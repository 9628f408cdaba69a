/* SPDX-License-Identifier: MIT */
/* A whole file from memory: written in place, or beside the old one and then
 * put in its place. */
#include <vow/file.h>

#include "net/file.h"

#include <fcntl.h>
#include <string.h>

#define TEMP_NAME ".vow-XXXXXX"

typedef struct writer {
  vow__steps_t steps;
  uv_file file;
  vow_bytes_t *copy; /* of the data; NULL: it is borrowed */
  const char *data;
  size_t left;
  vow__step_fn written; /* after the last byte; f is NULL or a write */
  /* Of file_replace. */
  char *path;
  char *folder;
  vow_temp_t *temp;
  int mode;
} writer_t;

static writer_t *writer_of(vow__steps_t *s) {
  return (writer_t *)(void *)s;
}

static void writer_destroy(void *op) {
  writer_t *w = op;
  vow_bytes_unref(w->copy);
  vow_release(w->path);
  vow_release(w->folder);
}

static void writer_unwind(vow__steps_t *s) {
  writer_t *w = writer_of(s);
  if (vow__file_close_unwinding(s, &w->file)) return;
  if (vow__file_unlink_unwinding(s, &w->temp)) return;
  vow__steps_end(s);
}

static writer_t *writer_new(const char *site, vow_loop_t *loop,
                            const vow_op_class_t *cls, const char *path,
                            const void *data, size_t size_bytes,
                            vow_future_t **ret_failed) {
  writer_t *w;
  if (path == NULL || (data == NULL && size_bytes > 0)) {
    *ret_failed = vow_misuse_at(site, loop, UV_EINVAL, "%s: the %s is NULL",
                                cls->name, path == NULL ? "path" : "data");
    return NULL;
  }
  w = vow_op_new_at(site, loop, cls);
  if (w == NULL) {
    *ret_failed = vow_op_failed(site, loop, cls->name);
    return NULL;
  }
  w->steps.unwind = writer_unwind;
  w->file = -1;
  w->data = data;
  w->left = size_bytes;
  return w;
}

/* Data of its own: UV_ENOMEM or 0. */
static int copy_data(writer_t *w) {
  w->copy = vow_bytes_copy(w->data, w->left);
  if (w->copy == NULL) return UV_ENOMEM;
  w->data = vow_bytes_data(w->copy);
  return 0;
}

static vow_future_t *give_up(writer_t *w) {
  vow_op_settle(w, vow_fail(UV_ENOMEM));
  return vow_op_future(w);
}

/* ---- writing ------------------------------------------------------------- */

static void on_write(vow__steps_t *s, vow_future_t *f);

static void write_more(writer_t *w) {
  vow__steps_t *s = &w->steps;
  size_t n = w->left < VOW__FILE_STEP ? w->left : VOW__FILE_STEP;
  if (n == 0) {
    w->written(s, NULL);
    return;
  }
  vow__steps_await(s,
                   vow_fs_write_borrowed_at(vow__steps_site(s),
                                            vow__steps_loop(s), w->file,
                                            w->data, n, -1),
                   0, on_write);
}

static void on_write(vow__steps_t *s, vow_future_t *f) {
  writer_t *w = writer_of(s);
  size_t n = (size_t)vow_get_int(f);
  if (n == 0) {
    vow__steps_finish(s, vow_fail(UV_EIO)); /* it would go on for ever */
    return;
  }
  w->data += n;
  w->left -= n;
  write_more(w);
}

/* Closes the file, whose failure counts: it may be the disk's. */
static void close_then(writer_t *w, vow__step_fn next) {
  int err = 0;
  vow_future_t *f = vow__file_close(&w->steps, &w->file, &err);
  if (f != NULL)
    vow__steps_await(&w->steps, f, VOW__STEP_FIRM, next);
  else if (err < 0)
    vow__steps_finish(&w->steps, vow_fail(err));
  else
    next(&w->steps, NULL);
}

/* ---- write_all ----------------------------------------------------------- */

static void on_closed(vow__steps_t *s, vow_future_t *f) {
  (void)f;
  vow__steps_finish(s, vow_nil());
}

static void all_written(vow__steps_t *s, vow_future_t *f) {
  (void)f;
  s->committed = true;
  close_then(writer_of(s), on_closed);
}

static void on_open(vow__steps_t *s, vow_future_t *f) {
  writer_t *w = writer_of(s);
  w->file = vow_file_take(f);
  write_more(w);
}

static const vow_op_class_t write_class =
    VOW__STEPS_CLASS("file_write_all", writer_t, writer_destroy);

static vow_future_t *write_all(writer_t *w, const char *path, int flags,
                               int mode) {
  vow__steps_t *s = &w->steps;
  w->written = all_written;
  vow__steps_await(s,
                   vow_fs_open_at(vow__steps_site(s), vow__steps_loop(s), path,
                                  O_WRONLY | O_CREAT | flags, mode),
                   0, on_open);
  return vow_op_future(w);
}

vow_future_t *vow_file_write_all_at(const char *site, vow_loop_t *loop,
                                    const char *path, const void *data,
                                    size_t size_bytes, int flags, int mode) {
  vow_future_t *failed;
  writer_t *w =
      writer_new(site, loop, &write_class, path, data, size_bytes, &failed);
  if (w == NULL) return failed;
  if (copy_data(w) < 0) return give_up(w);
  return write_all(w, path, flags, mode);
}

vow_future_t *vow_file_write_all_borrowed_at(const char *site, vow_loop_t *loop,
                                             const char *path, const void *data,
                                             size_t size_bytes, int flags,
                                             int mode) {
  vow_future_t *failed;
  writer_t *w =
      writer_new(site, loop, &write_class, path, data, size_bytes, &failed);
  if (w == NULL) return failed;
  return write_all(w, path, flags, mode);
}

/* ---- replace ------------------------------------------------------------- */

static void on_folder_synced(vow__steps_t *s, vow_future_t *f) {
  int err = vow_status(f);
  /* UV_EINVAL: this file system has no such thing. */
  if (err == 0 || err == UV_EINVAL)
    vow__steps_finish(s, vow_nil());
  else
    vow__steps_finish(s, vow_outcome(f));
}

static void on_folder(vow__steps_t *s, vow_future_t *f) {
  writer_t *w = writer_of(s);
  w->file = vow_file_take(f);
  vow__steps_await(
      s, vow_fs_fsync_at(vow__steps_site(s), vow__steps_loop(s), w->file),
      VOW__STEP_ANY, on_folder_synced);
}

static void on_renamed(vow__steps_t *s, vow_future_t *f) {
  writer_t *w = writer_of(s);
  (void)f;
  vow_release(w->temp); /* its name is gone */
  w->temp = NULL;
  vow__steps_await(s,
                   vow_fs_open_at(vow__steps_site(s), vow__steps_loop(s),
                                  w->folder, O_RDONLY | O_DIRECTORY, 0),
                   0, on_folder);
}

static void on_temp_closed(vow__steps_t *s, vow_future_t *f) {
  writer_t *w = writer_of(s);
  (void)f;
  s->committed = true;
  vow__steps_await(s,
                   vow_fs_rename_at(vow__steps_site(s), vow__steps_loop(s),
                                    w->temp->path, w->path),
                   VOW__STEP_FIRM, on_renamed);
}

static void on_synced(vow__steps_t *s, vow_future_t *f) {
  (void)f;
  close_then(writer_of(s), on_temp_closed);
}

static void on_mode(vow__steps_t *s, vow_future_t *f) {
  (void)f;
  vow__steps_await(s,
                   vow_fs_fsync_at(vow__steps_site(s), vow__steps_loop(s),
                                   writer_of(s)->file),
                   VOW__STEP_FIRM, on_synced);
}

static void temp_written(vow__steps_t *s, vow_future_t *f) {
  writer_t *w = writer_of(s);
  (void)f;
  vow__steps_await(s,
                   vow_fs_fchmod_at(vow__steps_site(s), vow__steps_loop(s),
                                    w->file, w->mode),
                   VOW__STEP_FIRM, on_mode);
}

static void on_temp(vow__steps_t *s, vow_future_t *f) {
  writer_t *w = writer_of(s);
  w->temp = vow_temp_take(f);
  w->file = w->temp->file;
  w->temp->file = -1;
  write_more(w);
}

static void make_temp(writer_t *w) {
  vow__steps_t *s = &w->steps;
  size_t length = strlen(w->folder);
  char *tpl = vow_alloc(length + sizeof "/" TEMP_NAME);
  vow_future_t *f;
  if (tpl == NULL) {
    vow__steps_finish(s, vow_fail(UV_ENOMEM));
    return;
  }
  memcpy(tpl, w->folder, length);
  memcpy(tpl + length, "/" TEMP_NAME, sizeof "/" TEMP_NAME);
  f = vow_fs_mkstemp_at(vow__steps_site(s), vow__steps_loop(s), tpl);
  vow_release(tpl);
  vow__steps_await(s, f, VOW__STEP_FIRM, on_temp);
}

static void on_old(vow__steps_t *s, vow_future_t *f) {
  writer_t *w = writer_of(s);
  int err = s->cancelled ? UV_ECANCELED : vow_status(f);
  if (err == 0)
    w->mode = (int)(vow_stat_get(f)->st_mode & 07777);
  else
    w->mode = 0600;
  if (err == 0 || err == UV_ENOENT)
    make_temp(w);
  else if (err == UV_ECANCELED)
    vow__steps_finish(s, vow_cancelled(UV_ECANCELED));
  else
    vow__steps_finish(s, vow_outcome(f));
}

/* Copies of the path, and of what is in front of its last slash: UV_ENOMEM or
 * 0. */
static int copy_paths(writer_t *w, const char *path) {
  const char *slash = strrchr(path, '/');
  size_t folder = slash == NULL ? 0 : (size_t)(slash - path) + 1;
  size_t length = strlen(path);
  w->path = vow_alloc(length + 1);
  w->folder = vow_alloc(folder + 2);
  if (w->path == NULL || w->folder == NULL) return UV_ENOMEM;
  memcpy(w->path, path, length + 1);
  memcpy(w->folder, path, folder);
  /* "a/" becomes "a/.", "" becomes "." */
  memcpy(w->folder + folder, ".", 2);
  return 0;
}

static const vow_op_class_t replace_class =
    VOW__STEPS_CLASS("file_replace", writer_t, writer_destroy);

vow_future_t *vow_file_replace_at(const char *site, vow_loop_t *loop,
                                  const char *path, const void *data,
                                  size_t size_bytes, int mode) {
  vow_future_t *failed;
  writer_t *w =
      writer_new(site, loop, &replace_class, path, data, size_bytes, &failed);
  if (w == NULL) return failed;
  if (copy_paths(w, path) < 0 || copy_data(w) < 0) return give_up(w);
  w->written = temp_written;
  w->mode = mode;
  if (mode >= 0)
    make_temp(w);
  else
    vow__steps_await(&w->steps, vow_fs_stat_at(site, loop, path), VOW__STEP_ANY,
                     on_old);
  return vow_op_future(w);
}
