/* SPDX-License-Identifier: MIT */
/* Terminal handles of vow's own. */
#include <vow/tty.h>

#include "uv/owned.h"

int vow_tty_new_at(const char *site, vow_loop_t *loop, uv_file fd,
                   uv_tty_t **ret_tty) {
  vow__uv_t *d;
  uv_tty_t *tty;
  int err = ret_tty == NULL ? UV_EINVAL : vow__uv_check(loop, &d);
  if (err != 0) return err;
  tty = vow__heap_new(sizeof *tty);
  if (tty == NULL) return UV_ENOMEM;
  return vow__heap_start(site, d, tty, uv_tty_init(d->uv, tty, fd, 0), ret_tty);
}

void vow_tty_free(uv_tty_t *tty) {
  vow__heap_free(tty);
}

static void tty_destroy(void *p) {
  vow__heap_free(p);
}

const vow_type_t vow_type_tty = {"tty handle", tty_destroy, NULL, NULL};

uv_tty_t *vow_tty_get(vow_future_t *f) {
  return vow_get(f, &vow_type_tty);
}

uv_tty_t *vow_tty_take(vow_future_t *f) {
  return vow_take(f, &vow_type_tty);
}
