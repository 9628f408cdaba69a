/* SPDX-License-Identifier: MIT */
/* Handles that vow allocated itself: where they were made, for the report of
 * what keeps a loop from closing. */
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

#endif
