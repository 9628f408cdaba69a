/* SPDX-License-Identifier: MIT */
/* Pipe handles of vow's own, and connecting. Listening is in listen.c, what is
 * handed over in handover.c. */
#include <vow/pipe.h>

#include "uv/owned.h"
#include "uv/pipe.h"
#include "uv/request.h"

#include <string.h>
#include <sys/un.h>

/* ---- handles ------------------------------------------------------------- */

int vow__pipe_new(const char *site, vow__uv_t *d, bool ipc,
                  uv_pipe_t **ret_pipe) {
  uv_pipe_t *pipe = vow__heap_new(sizeof *pipe);
  if (pipe == NULL) return UV_ENOMEM;
  return vow__heap_start(site, d, pipe, uv_pipe_init(d->uv, pipe, ipc),
                         ret_pipe);
}

int vow_pipe_new_at(const char *site, vow_loop_t *loop, bool ipc,
                    uv_pipe_t **ret_pipe) {
  vow__uv_t *d;
  int err = ret_pipe == NULL ? UV_EINVAL : vow__uv_check(loop, &d);
  return err != 0 ? err : vow__pipe_new(site, d, ipc, ret_pipe);
}

void vow_pipe_free(uv_pipe_t *pipe) {
  vow__heap_free(pipe);
}

static void pipe_destroy(void *p) {
  vow__heap_free(p);
}

const vow_type_t vow_type_pipe = {"pipe handle", pipe_destroy, NULL, NULL};

uv_pipe_t *vow_pipe_get(vow_future_t *f) {
  return vow_get(f, &vow_type_pipe);
}

uv_pipe_t *vow_pipe_take(vow_future_t *f) {
  return vow_take(f, &vow_type_pipe);
}

/* ---- connecting ---------------------------------------------------------- */

#define NAME_BYTES sizeof(((struct sockaddr_un *)NULL)->sun_path)

typedef struct connect_op {
  vow__request_t base;
  uv_connect_t req;
  char name[NAME_BYTES]; /* for the message */
} connect_op_t;

static const vow_op_class_t connect_class = {"pipe_connect",
                                             sizeof(connect_op_t),
                                             vow__request_cancel,
                                             NULL,
                                             NULL,
                                             NULL};

static void on_connect(uv_connect_t *req, int status) {
  connect_op_t *op = VOW__OF(req, connect_op_t, req);
  vow__request_done(op, status < 0 ? vow__request_failure(op, status, op->name)
                                   : vow_nil());
}

/* Why libuv must not be asked; it does not look itself. 0: it may. */
static int refusal(const uv_pipe_t *pipe, const char *name) {
  const uv_stream_t *stream = (const uv_stream_t *)pipe;
  if (strlen(name) >= NAME_BYTES) return UV_ENAMETOOLONG;
  if (pipe->connect_req != NULL) return UV_EALREADY;
  return uv_is_readable(stream) || uv_is_writable(stream) ? UV_EISCONN : 0;
}

vow_future_t *vow_pipe_connect_at(const char *site, uv_pipe_t *pipe,
                                  const char *name) {
  vow_future_t *failed;
  connect_op_t *op;
  vow__uv_t *d = vow__uv_for(site, pipe, "pipe_connect", &failed);
  int err;
  if (d == NULL) return failed;
  if (name == NULL)
    return vow_misuse_at(site, d->loop, UV_EINVAL,
                         "pipe_connect: the name is NULL");
  if (uv_is_closing((uv_handle_t *)pipe))
    return vow_misuse_at(site, d->loop, VOW_ESHUTDOWN,
                         "pipe_connect: the handle is closed");
  op = vow__request_new(site, d->loop, &connect_class, &failed);
  if (op == NULL) return failed;
  err = refusal(pipe, name);
  if (err != 0) return vow__request_start_for(op, err, name);
  memcpy(op->name, name, strlen(name) + 1);
  uv_pipe_connect(&op->req, pipe, name, on_connect);
  return vow__request_start(op, 0);
}
