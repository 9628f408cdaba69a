/* SPDX-License-Identifier: MIT */
/* What the files of this folder see of a group. */
#ifndef VOW_TASK_GROUP_H
#define VOW_TASK_GROUP_H

#include <vow/group.h>

/** 0 when g takes members; UV_EINVAL, VOW_ESHUTDOWN, VOW_ETHREAD. */
int vow__group_check(const vow_group_t *g);

#endif
