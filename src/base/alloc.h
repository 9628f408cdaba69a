/* SPDX-License-Identifier: MIT */
/* The allocator as the library's own files see it. */
#ifndef VOW_BASE_ALLOC_H
#define VOW_BASE_ALLOC_H

#include <vow/op.h>

void *vow__alloc_aligned(size_t align_bytes, size_t size_bytes);

#endif
