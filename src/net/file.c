/* SPDX-License-Identifier: MIT */
/* Closing and removing files when an operation ends: on the pool, or, when not
 * even that can be submitted, in the call. */
#include "net/file.h"

int vow__file_close_now(uv_file file) {
  uv_fs_t req;
  int err;
  if (file < 0) return 0;
  err = uv_fs_close(NULL, &req, file, NULL);
  uv_fs_req_cleanup(&req);
  return err;
}

vow_future_t *vow__file_close(vow__steps_t *s, uv_file *file, int *ret_err) {
  uv_file fd = *file;
  vow_future_t *f = vow_fs_close_at(vow__steps_site(s), vow__steps_loop(s), fd);
  *file = -1;
  if (!vow_is_settled(f)) return f;
  (void)vow_status(f);
  vow_drop(f);
  *ret_err = vow__file_close_now(fd);
  return NULL;
}

bool vow__file_close_unwinding(vow__steps_t *s, uv_file *file) {
  int ignored;
  vow_future_t *f = *file >= 0 ? vow__file_close(s, file, &ignored) : NULL;
  if (f == NULL) return false;
  vow__steps_unwind_after(s, f);
  return true;
}

bool vow__file_unlink_unwinding(vow__steps_t *s, vow_temp_t **temp) {
  vow_temp_t *t = *temp;
  vow_future_t *f;
  if (t == NULL) return false;
  *temp = NULL;
  f = vow_fs_unlink_at(vow__steps_site(s), vow__steps_loop(s), t->path);
  if (vow_is_settled(f)) {
    (void)vow_status(f);
    vow_drop(f);
    vow_temp_free(t);
    return false;
  }
  vow_release(t);
  vow__steps_unwind_after(s, f);
  return true;
}
