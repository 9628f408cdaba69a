/* SPDX-License-Identifier: MIT */
/* Building a vow_dirents_t from what libuv hands out name by name. */
#ifndef VOW_UV_DIRENTS_H
#define VOW_UV_DIRENTS_H

#include <vow/fs_dir.h>

/** Without entries, with room for capacity of them; NULL for want of memory. */
vow_dirents_t *vow__dirents_new(size_t capacity);
/** One more, whose name is copied: UV_ENOMEM or 0. */
int vow__dirents_add(vow_dirents_t *d, const uv_dirent_t *entry);

#endif
