/* SPDX-License-Identifier: MIT */
/* What vow knows of the program's raw handles, found by their address, since
 * handle->data is the user's: a reader, a listener, a close under way. */
#ifndef VOW_UV_HANDLES_H
#define VOW_UV_HANDLES_H

#include <uv.h>
#include <vow/base.h>

typedef struct vow__attached vow__attached_t;

/** What an attachment is told. Each hook may detach and free it. */
typedef struct vow__attached_kind {
  /** vow is about to close the handle. NULL: nothing to do. */
  void (*closing)(vow__attached_t *a);
  /** libuv has let go of the handle; a is detached already. */
  void (*closed)(vow__attached_t *a);
  /** The vow loop goes, the handle stays (an attached loop): stop using
   *  either. a is detached already. */
  void (*forget)(vow__attached_t *a);
} vow__attached_kind_t;

/** Part of a struct that hangs on a handle. */
struct vow__attached {
  vow__attached_t *next; /* on the same handle */
  const vow__attached_kind_t *kind;
  uv_handle_t *handle; /* NULL when detached */
  const char *site;
};

typedef struct vow__handles_slot {
  uv_handle_t *handle; /* NULL: free */
  vow__attached_t *first;
} vow__handles_slot_t;

/** Open addressing, linear probing; zeroed when empty. */
typedef struct vow__handles {
  vow__handles_slot_t *slots;
  size_t capacity; /* a power of two, or 0 */
  size_t count;
  uv_handle_t *last_handle; /* the last hit; NULL: none */
  vow__attached_t *last_first;
} vow__handles_t;

/** Hangs a on handle. UV_ENOMEM; never when something hangs on it already. */
int vow__attach(vow__handles_t *h, uv_handle_t *handle, vow__attached_t *a,
                const vow__attached_kind_t *kind, const char *site);
/** Takes a off its handle; nothing when it is off already. */
void vow__detach(vow__handles_t *h, vow__attached_t *a);
/** The first thing on handle, NULL for none. */
vow__attached_t *vow__attached_first(vow__handles_t *h, uv_handle_t *handle);
/** The one of kind; NULL for none. */
vow__attached_t *vow__attached_find(vow__handles_t *h, uv_handle_t *handle,
                                    const vow__attached_kind_t *kind);
/** Calls the closing hook of everything on handle. */
void vow__attached_closing(vow__handles_t *h, uv_handle_t *handle);
/** Detaches everything from handle and calls its closed hooks. */
void vow__attached_closed(vow__handles_t *h, uv_handle_t *handle);
/** Detaches everything there is, calls the forget hooks, and releases h. */
void vow__handles_done(vow__handles_t *h);

#endif
