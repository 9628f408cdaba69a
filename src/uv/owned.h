/* SPDX-License-Identifier: MIT */
/* Handles that vow allocated itself: where they were made, for the report of
 * what keeps a loop from closing, and how those end that users hold. */
#ifndef VOW_UV_OWNED_H
#define VOW_UV_OWNED_H

#include "uv/driver.h"

/** Part of the struct that also has the handle. */
typedef struct vow__owned vow__owned_t;
struct vow__owned {
  vow__owned_t *next;
  vow__owned_t **link; /* NULL: in no list */
  uv_handle_t *handle;
  const char *site;
  void (*forget)(vow__owned_t *o); /* as vow__attached_kind_t's; may be NULL */
};

/** Lists a handle from its init until its close begins. */
void vow__owned_add(vow__uv_t *d, vow__owned_t *o, void *handle,
                    const char *site);
void vow__owned_remove(vow__owned_t *o);
/** The vow loop goes, the handles stay: empties the list. */
void vow__owned_forget(vow__uv_t *d);
/** Where handle was made; NULL when it is none of these. */
const char *vow__owned_site(vow__uv_t *d, const uv_handle_t *handle);

/* ---- on the heap, for users ---------------------------------------------- */

/** Zeroed memory for a handle of size_bytes, with what vow keeps about it in
 *  front; NULL for want of memory. */
void *vow__heap_new(size_t size_bytes);
/** After uv_x_init, which returned err: lists handle and stores it in
 *  *ret_handle (a uv_x_t **), or releases the memory. Returns err. */
int vow__heap_start(const char *site, vow__uv_t *d, void *handle, int err,
                    void *ret_handle);
/** What every vow_x_free does. NULL is allowed. */
void vow__heap_free(void *handle);

#endif
