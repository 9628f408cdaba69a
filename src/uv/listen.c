/* SPDX-License-Identifier: MIT */
/* Listening and accepting.
 *
 * How this works. A connection that there is no room or memory for is left with
 * libuv, which then asks the kernel for no more until uv_accept has fetched it.
 *
 * Without descriptors libuv gives up one that it keeps, to accept and close
 * what waits. When it has lost that one it calls back with UV_EMFILE and tries
 * again, for ever, without going back to its loop. So a listener keeps one as
 * well: given up, it lets one connection be accepted, which is left with libuv
 * until there are descriptors again; a timer looks. */
#include <vow/pipe.h>

#include "uv/driver.h"
#include "uv/feed.h"
#include "uv/pipe.h"
#include "uv/tcp.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define AHEAD_MAX 64
#define RETRY_MS  100

struct vow_listener {
  vow__feed_t feed;
  vow__attached_t att;
  vow__uv_t *d;        /* NULL once off the handle */
  uv_stream_t *stream; /* likewise */
  vow_timer_t timer;   /* while paused: to look again */
  int reserve;         /* a descriptor to give up; -1: none */
  bool paused;         /* until there is one to keep again */
  bool left;           /* libuv holds a connection for us */
  bool ipc;            /* the pipes that are accepted have it */
};

static const vow_op_class_t accept_class = VOW__NEXT_CLASS("accept");
static const vow__attached_kind_t listener_kind;

/* A handle like the listening one, to accept into. */
static int handle_for(vow_listener_t *l, vow_value_t *ret_handle) {
  uv_tcp_t *tcp = NULL;
  uv_pipe_t *pipe = NULL;
  int err;
  if (l->stream->type == UV_TCP) {
    err = vow__tcp_new(l->att.site, l->d, &tcp);
    *ret_handle = vow_ptr(tcp, &vow_type_tcp);
  } else {
    err = vow__pipe_new(l->att.site, l->d, l->ipc, &pipe);
    *ret_handle = vow_ptr(pipe, &vow_type_pipe);
  }
  return err;
}

/* Fetches the connection that libuv holds: 0, or why not; UV_EAGAIN: no
 * room. */
static int fetch(vow_listener_t *l) {
  vow_value_t v;
  int err;
  l->left = true;
  if (l->feed.count >= AHEAD_MAX) return UV_EAGAIN;
  err = vow__feed_reserve(&l->feed);
  if (err != 0) return err;
  err = handle_for(l, &v);
  if (err != 0) return err;
  err = uv_accept(l->stream, v.as.p);
  l->left = false;
  if (err != 0) {
    vow_value_destroy(v);
    return err;
  }
  vow__feed_push(&l->feed, v);
  return 0;
}

/* Fails one that waits; it is free to ask again. */
static void tell(vow_listener_t *l, int err) {
  if (!vow__feed_is_wanted(&l->feed)) return;
  vow__feed_fail_one(&l->feed, vow_failf_at(l->att.site, err, "accept: %s",
                                            vow_strerror(err)));
}

static void fetch_left(vow_listener_t *l) {
  int err = fetch(l);
  if (err != 0 && err != UV_EAGAIN) tell(l, err);
}

/* ---- without descriptors ------------------------------------------------- */

static void open_reserve(vow_listener_t *l) {
  if (l->reserve < 0) l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void close_reserve(vow_listener_t *l) {
  if (l->reserve >= 0) close(l->reserve);
  l->reserve = -1;
}

/* Whether accepting may go on. */
static bool resume(vow_listener_t *l) {
  if (!l->paused) return true;
  open_reserve(l);
  if (l->reserve < 0) return false;
  l->paused = false;
  vow_timer_stop(l->feed.loop, &l->timer);
  return true;
}

static void on_retry(vow_timer_t *t);

/* Without memory for the timer the next vow_accept looks. */
static void look_again_later(vow_listener_t *l) {
  vow_loop_t *loop = l->feed.loop;
  (void)vow_timer_start(loop, &l->timer, vow_deadline_ms(loop, RETRY_MS),
                        on_retry);
}

static void on_retry(vow_timer_t *t) {
  vow_listener_t *l = VOW__OF(t, vow_listener_t, timer);
  if (!resume(l))
    look_again_later(l);
  else if (l->left)
    fetch_left(l);
}

/* libuv could not accept and will try again at once, whatever is done here. */
static bool is_shortage(int err) {
  return err == UV_EMFILE || err == UV_ENFILE || err == UV_ENOBUFS ||
         err == UV_ENOMEM;
}

/* No continuation runs before libuv has the descriptor. False when there is
 * none to be given up, as another thread was faster: then all there is to do is
 * to wait a little, and to let continuations run, which may close something. */
static bool pause_accepting(vow_listener_t *l, int err) {
  bool gives = l->reserve >= 0, was_paused = l->paused;
  l->paused = true;
  look_again_later(l);
  close_reserve(l);
  if (!was_paused) tell(l, err); /* l may be gone now */
  return gives;
}

/* ---- libuv's side -------------------------------------------------------- */

static void on_connection(uv_stream_t *stream, int status) {
  vow__uv_t *d = vow__uv_find(stream->loop);
  vow__attached_t *a = NULL;
  vow_listener_t *l = NULL;
  if (d != NULL)
    a = vow__attached_find(&d->handles, (uv_handle_t *)stream, &listener_kind);
  if (a != NULL) l = VOW__OF(a, vow_listener_t, att);
  if (is_shortage(status)) {
    if (l != NULL && pause_accepting(l, status)) return;
    uv_sleep(1);
  } else if (l != NULL && status != 0) {
    tell(l, status);
  } else if (l != NULL) {
    l->left = true;
    if (!l->paused) fetch_left(l);
  }
  if (d != NULL) vow_loop_drain(d->loop); /* l may be gone now */
}

/* ---- leaving the handle -------------------------------------------------- */

static void leave(vow_listener_t *l) {
  vow_timer_stop(l->feed.loop, &l->timer);
  close_reserve(l);
  l->d = NULL;
  l->stream = NULL;
  vow__feed_close(&l->feed, VOW_ESHUTDOWN);
}

static void listener_closing(vow__attached_t *a) {
  vow_listener_t *l = VOW__OF(a, vow_listener_t, att);
  vow__detach(&l->d->handles, a);
  leave(l);
}

static void listener_forget(vow__attached_t *a) {
  leave(VOW__OF(a, vow_listener_t, att));
}

static const vow__attached_kind_t listener_kind = {listener_closing, NULL,
                                                   listener_forget};

/* ---- the user's side ----------------------------------------------------- */

static int listen_on(const char *site, uv_handle_t *handle, int backlog,
                     bool ipc, vow_listener_t **ret_listener) {
  vow__uv_t *d;
  vow_listener_t *l;
  int err = vow__uv_get(handle, &d);
  if (err != 0) return err;
  if (ret_listener == NULL || backlog < 0 || uv_is_closing(handle))
    return UV_EINVAL;
  if (vow__attached_find(&d->handles, handle, &listener_kind) != NULL)
    return UV_EEXIST;
  l = vow_alloc(sizeof *l);
  if (l == NULL) return UV_ENOMEM;
  memset(l, 0, sizeof *l);
  vow__feed_init(&l->feed, d->loop, &accept_class);
  l->d = d;
  l->stream = (uv_stream_t *)handle;
  l->ipc = ipc;
  l->reserve = -1;
  err = vow__attach(&d->handles, handle, &l->att, &listener_kind, site);
  if (err != 0) goto fail;
  err = uv_listen(l->stream, backlog, on_connection);
  if (err != 0) goto fail_attached;
  open_reserve(l);
  *ret_listener = l;
  return 0;

fail_attached:
  vow__detach(&d->handles, &l->att);
fail:
  vow_release(l);
  return err;
}

int vow_listen_at(const char *site, uv_tcp_t *tcp, int backlog,
                  vow_listener_t **ret_listener) {
  return listen_on(site, (uv_handle_t *)tcp, backlog, false, ret_listener);
}

int vow_pipe_listen_at(const char *site, uv_pipe_t *pipe, int backlog, bool ipc,
                       vow_listener_t **ret_listener) {
  return listen_on(site, (uv_handle_t *)pipe, backlog, ipc, ret_listener);
}

vow_future_t *vow_accept_at(const char *site, vow_listener_t *listener) {
  vow_listener_t *l = listener;
  vow_future_t *f;
  int err;
  if (l == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL, "accept: the listener is NULL");
  if (l->stream == NULL)
    return vow_misuse_at(site, NULL, VOW_ESHUTDOWN,
                         "accept: the listening handle is closed");
  if (uv_is_closing((uv_handle_t *)l->stream))
    return vow_misuse_at(site, l->feed.loop, VOW_ESHUTDOWN,
                         "accept: the handle was closed by uv_close");
  if (resume(l) && l->left && l->feed.count == 0) {
    err = fetch(l);
    if (err != 0 && err != UV_EAGAIN)
      return vow_ready_at(
          site, l->feed.loop,
          vow_failf_at(site, err, "accept: %s", vow_strerror(err)));
  }
  f = vow__feed_next(site, &l->feed);
  if (l->left && !l->paused) fetch(l); /* there is room again */
  return f;
}

void vow_listener_free(vow_listener_t *listener) {
  vow_listener_t *l = listener;
  if (l == NULL) return;
  if (l->d != NULL) {
    vow__detach(&l->d->handles, &l->att);
    leave(l);
  }
  vow_release(l);
}
