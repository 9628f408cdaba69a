/* SPDX-License-Identifier: MIT */
/* One connection of a server: handler, then closing, then gone. */
#include "net/server.h"

#include "net/handle.h"

enum { STARTING, SERVING, CLOSING };

/* ---- the end ------------------------------------------------------------- */

static void release(vow__connection_t *c) {
  vow_stream_unref(c->stream);
  c->stream = NULL;
  vow_token_free(c->token);
  c->token = NULL;
}

static void gone(vow__connection_t *c) {
  vow_server_t *s = c->server;
  release(c);
  *c->link = c->next;
  if (c->next != NULL) c->next->link = c->link;
  s->count--;
  vow_op_settle(c, vow_nil());
  vow_drop(vow_op_future(c));
  vow__server_step(s);
}

static void close_now(vow__connection_t *c) {
  c->phase = CLOSING;
  vow_waiter_start(&c->waiter, c,
                   vow_stream_close_at(vow__server_site(c->server), c->stream));
}

/* ---- the handler --------------------------------------------------------- */

/* Asks what the handler gave to end; the future comes to ready, now or when it
 * has unwound. One that others share is left to them. */
static void stop_handler(vow__connection_t *c) {
  if (c->token != NULL) vow_token_cancel(c->token, UV_ECANCELED);
  if (vow_waiter_future(&c->waiter) == NULL ||
      vow_is_settled(vow_waiter_future(&c->waiter)))
    return;
  if (!vow_waiter_cancel(&c->waiter)) close_now(c);
}

static vow_future_t *call_handler(vow__connection_t *c) {
  vow_server_t *s = c->server;
  const char *site = vow__server_site(s);
  vow_loop_t *loop = vow_op_loop(s);
  vow__connection_t *before = s->current;
  vow_future_t *f;
  s->current = c;
  f = s->handler(c->stream, s->arg);
  s->current = before;
  if (vow_op_check(f, loop) != 0) {
    vow_op_discard(f);
    f = vow_misuse_at(site, loop, UV_EINVAL, "serve: the handler gave %s",
                      f == NULL ? "NULL" : "a future of another loop");
  }
  if (s->options.token != NULL)
    f = vow_with_token_at(site, f, s->options.token);
  return f;
}

static void start(vow__connection_t *c) {
  if (c->asked) {
    close_now(c);
    return;
  }
  c->phase = SERVING;
  vow_waiter_start(&c->waiter, c, call_handler(c));
  if (c->asked) stop_handler(c);
}

/* ---- the operation ------------------------------------------------------- */

static void connection_ready(void *op, vow_waiter_t *w) {
  vow__connection_t *c = op;
  vow_future_t *f = vow_waiter_take(w);
  vow_op_pin(c);
  switch (c->phase) {
  case STARTING:
    vow_drop(f);
    start(c);
    break;
  case SERVING:
    vow__server_report(c->server, f);
    close_now(c);
    break;
  default:
    (void)vow_status(f);
    vow_drop(f);
    gone(c);
  }
  vow_op_unpin(c);
}

static void connection_cancel(void *op) {
  vow__connection_t *c = op;
  c->asked = true;
  if (c->phase == SERVING) stop_handler(c);
}

static void connection_sources(void *op,
                               void (*visit)(vow_future_t *f, void *arg),
                               void *arg) {
  const vow__connection_t *c = op;
  if (vow_waiter_future(&c->waiter) != NULL)
    visit(vow_waiter_future(&c->waiter), arg);
}

static const vow_op_class_t connection_class = {
    .name = "connection",
    .size_bytes = sizeof(vow__connection_t),
    .cancel = connection_cancel,
    .ready = connection_ready,
    .sources = connection_sources,
};

int vow__connection_new(vow_server_t *s, uv_stream_t *handle,
                        vow__connection_t **ret_c) {
  const char *site = vow__server_site(s);
  vow_loop_t *loop = vow_op_loop(s);
  vow__connection_t *c;
  vow_stream_t *stream = NULL;
  vow_future_t *now;
  int err = vow_stream_from_uv_at(site, handle, VOW_STREAM_OWNED, &stream);
  if (err != 0) {
    vow__handle_free(handle);
    return err;
  }
  now = vow_ready_at(site, loop, vow_nil());
  err = vow_status(now);
  c = err == 0 ? vow_op_new_at(site, loop, &connection_class) : NULL;
  if (c == NULL) {
    vow_drop(now);
    vow_stream_unref(stream);
    return err != 0 ? err : UV_ENOMEM;
  }
  c->server = s;
  c->stream = stream;
  vow_waiter_start(&c->waiter, c, now);
  *ret_c = c;
  return 0;
}

void vow__connection_begin(vow__connection_t *c) {
  vow_server_t *s = c->server;
  c->next = s->first;
  if (c->next != NULL) c->next->link = &c->next;
  c->link = &s->first;
  s->first = c;
  s->count++;
}

void vow__connection_discard(vow__connection_t *c) {
  vow_waiter_release(&c->waiter);
  release(c);
  vow_op_settle(c, vow_fail(UV_ECANCELED));
  vow_drop(vow_op_future(c));
}

vow_token_t *vow__connection_token(vow__connection_t *c) {
  vow_token_t *parent = c->server->options.token;
  if (c->token != NULL) return c->token;
  c->token =
      parent != NULL ? vow_token_child(parent) : vow_token_new(vow_op_loop(c));
  if (c->asked && c->token != NULL) vow_token_cancel(c->token, UV_ECANCELED);
  return c->token;
}
