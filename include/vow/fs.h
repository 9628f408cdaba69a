/* SPDX-License-Identifier: MIT */
/* The file system: all 36 requests of libuv's, in one include. Nothing but
 * includes in here. */
#ifndef VOW_FS_H
#define VOW_FS_H

#include <vow/fs_attr.h>
#include <vow/fs_dir.h>
#include <vow/fs_file.h>
#include <vow/fs_path.h>
#include <vow/fs_stat.h>
#include <vow/fs_temp.h>

#endif
