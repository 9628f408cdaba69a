/* SPDX-License-Identifier: MIT */
/* The libuv driver's struct, which every file of src/uv hangs its per-loop
 * state on. No wrapper's types in here. */
#ifndef VOW_UV_DRIVER_H
#define VOW_UV_DRIVER_H

#include <vow/driver.h>
#include <vow/uv.h>

#include "uv/handles.h"

/** The struct of type that has ptr as its member. */
#define VOW__OF(ptr, type, member) \
  ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

typedef struct vow__uv vow__uv_t;
struct vow__pool;
struct vow__owned;
typedef struct vow__crew vow__crew_t;
struct vow__dock;

struct vow__uv {
  vow_driver_t base;
  vow_loop_t *loop;
  uv_loop_t *uv;
  vow__uv_t *next; /* in this thread's list, see registry.c */

  /* Always active and never referenced: they hold nothing open. */
  uv_prepare_t prepare;
  uv_check_t check;
  uv_async_t async;
  /* Active while a vow timer is armed. */
  uv_timer_t timer;
  uint64_t armed_ms;
  /* Active while a continuation is ready, so that the poll does not block. */
  uv_idle_t idle;
  bool asked; /* wake_soon was called; not answered by a drain of ours yet */

  uint64_t virtual_ns; /* the clock; 0: it is the real one */
  bool clock_held;     /* the virtual clock moves by hand only */
  bool advancing;      /* vow_loop_advance moves the clock */
  bool heard;          /* another thread's post came, in this turn */

  bool owned;    /* uv is &own */
  bool closing;  /* our handles are closed or being closed */
  bool orphan;   /* free this struct with the last of them */
  bool firing;   /* on_timer is on the stack */
  bool spent;    /* the last drain left some; poll before the next */
  unsigned open; /* handles of ours whose close callback has not come */

  vow__handles_t handles;           /* raw handles that vow knows of */
  struct vow__owned *owned_handles; /* made by vow, not closed */
  struct vow__pool *pool;           /* read buffers, NULL until the first */
  vow__crew_t *crew;                /* jobs on threads, likewise */
  struct vow__dock *dock;           /* jobs in thread pools, likewise */
  char *datagram;                   /* where datagrams arrive, likewise */
  uv_loop_t own;
};

/** The driver of loop; NULL when loop is NULL or runs on another driver. */
vow__uv_t *vow__uv_of(vow_loop_t *loop);

/* ---- registry.c: which vow loop belongs to a uv_loop_t ------------------- */

/** The driver on uv, of this thread; NULL when there is none. */
vow__uv_t *vow__uv_find(const uv_loop_t *uv);
void vow__uv_register(vow__uv_t *d);
void vow__uv_unregister(vow__uv_t *d);

/** The loop to use for a raw handle: NULL, with a failed future in *ret_failed,
 *  when handle is NULL or its uv_loop_t has no vow loop. */
vow__uv_t *vow__uv_for(const char *site, const void *handle, const char *what,
                       vow_future_t **ret_failed);

/** The driver of loop for functions that return a code: UV_EINVAL (NULL),
 *  UV_ENOTSUP, VOW_ETHREAD, or 0. */
int vow__uv_check(vow_loop_t *loop, vow__uv_t **ret_d);

/** vow__uv_for for functions that return a code: UV_EINVAL or 0. */
int vow__uv_get(const void *handle, vow__uv_t **ret_d);

/* ---- close.c ------------------------------------------------------------- */

/** The driver's close hook. */
int vow__uv_close(vow_driver_t *base, vow_stuck_cb stuck, void *arg);
/** thread_pool_dock.c: no job is in a thread pool any more. */
void vow__dock_close(vow__uv_t *d);
/** Closes our handles; counts d->open down as their callbacks come. */
void vow__uv_close_handles(vow__uv_t *d);

#endif
