/* SPDX-License-Identifier: MIT */
/* Opening and closing the place where wrappers are tested. */
#include "unit/uv/place.h"

#include <vow/pipe.h>
#include <vow/udp.h>

/* ---- streams ------------------------------------------------------------- */

static char sink[65536];

static void sink_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf) {
  (void)h;
  (void)size;
  *buf = uv_buf_init(sink, sizeof sink);
}

static void sink_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
  (void)buf;
  if (n < 0) uv_read_stop(s);
}

static void open_pipes(place_t *at) {
  uv_os_sock_t fd[2];
  int i;
  strcpy(at->socket, "/tmp/vow-test-XXXXXX");
  close(mkstemp(at->socket));
  strcat(at->socket, ".s");
  ck_assert_int_eq(vow_pipe_new(at->loop, false, &at->listening_pipe), 0);
  ck_assert_int_eq(uv_pipe_bind(at->listening_pipe, at->socket), 0);
  ck_assert_int_eq(
      vow_pipe_listen(at->listening_pipe, 8, false, &at->pipe_listener), 0);
  ck_assert_int_eq(vow_pipe_new(at->loop, false, &at->fresh_pipe), 0);
  ck_assert_int_eq(
      uv_socketpair(SOCK_STREAM, 0, fd, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE), 0);
  for (i = 0; i < 2; i++) {
    ck_assert_int_eq(vow_pipe_new(at->loop, true, &at->ipc[i]), 0);
    ck_assert_int_eq(uv_pipe_open(at->ipc[i], fd[i]), 0);
  }
  uv_read_start((uv_stream_t *)at->ipc[1], sink_alloc, sink_read);
}

static void open_streams(place_t *at) {
  struct sockaddr_in addr = local_addr(0);
  at->pair = pair_open(at->loop);
  ck_assert_int_eq(vow_tcp_new(at->loop, &at->fresh), 0);
  uv_read_start(stream_of(at->pair.b), sink_alloc, sink_read);
  at->big = calloc(1, BIG_BYTES);
  ck_assert_ptr_nonnull(at->big);
  open_pipes(at);
  ck_assert_int_eq(vow_udp_new(at->loop, 0, &at->udp), 0);
  ck_assert_int_eq(uv_udp_bind(at->udp, (const struct sockaddr *)&addr, 0), 0);
}

static void free_streams(place_t *at) {
  vow_listener_free(at->pair.listener);
  vow_tcp_free(at->pair.listening);
  vow_tcp_free(at->pair.a);
  vow_tcp_free(at->pair.b);
  vow_tcp_free(at->fresh);
  vow_listener_free(at->pipe_listener);
  vow_pipe_free(at->listening_pipe);
  vow_pipe_free(at->fresh_pipe);
  vow_pipe_free(at->ipc[0]);
  vow_pipe_free(at->ipc[1]);
  vow_udp_free(at->udp);
}

/* ---- files --------------------------------------------------------------- */

static void open_files(place_t *at) {
  folder_t *t = at->folder = folder_open(at->loop);
  vow_future_t *f = vow_fs_opendir(at->loop, t->path);
  ck_assert_int_eq(settle(at->loop, f), 0);
  at->dir = vow_dir_take(f);
  ck_assert_ptr_nonnull(at->dir);
  vow_drop(f);
  at->file = in(t, "file");
  at->link = in(t, "link");
  at->empty = in(t, "empty");
  at->fresh_name = in(t, "fresh");
  at->fd = t->fd;
}

void place_clear(place_t *at) {
  folder_t *t = at->folder;
  at->file = at->link = at->empty = in(t, "missing");
  at->fresh_name = in(t, "missing/fresh");
  at->fd = 999;
}

/* ---- all of it ----------------------------------------------------------- */

place_t *place_open(bool files, bool probe) {
  place_t *at = calloc(1, sizeof *at);
  ck_assert_ptr_nonnull(at);
  at->loop = probe ? loop_open_probe() : loop_open();
  strcpy(at->into, "0123456789");
  if (files)
    open_files(at);
  else
    open_streams(at);
  return at;
}

void place_free_handles(place_t *at) {
  if (at->folder == NULL) free_streams(at);
  vow_dir_free(at->dir);
  at->dir = NULL;
}

void place_free(place_t *at) {
  if (at->folder != NULL) {
    folder_free(at->folder);
  } else {
    unlink(at->socket);
    at->socket[strlen(at->socket) - 2] = '\0';
    unlink(at->socket);
  }
  free(at->big);
  free(at);
}

int place_unseen(void) {
  int n = unseen;
  unseen = 0;
  return n;
}

void place_calm(place_t *at) {
  uv_loop_t *uv = vow_loop_uv(at->loop);
  if (at->folder != NULL) {
    ck_assert_int_eq(vow_loop_run(at->loop), 0);
    return;
  }
  /* Handles that read keep the loop alive. */
  while (uv->active_reqs.count > 0) uv_run(uv, UV_RUN_ONCE);
  turns(at->loop, 3);
}

void place_close(place_t *at) {
  place_calm(at);
  place_free_handles(at);
  loop_done(at->loop);
  place_free(at);
}

/* ---- requests ------------------------------------------------------------ */

const request_t *request_at(int i) {
  return i < stream_row_count ? &stream_rows[i]
                              : &file_rows[i - stream_row_count];
}

int request_count(void) {
  return stream_row_count + file_row_count;
}

place_t *request_place(const request_t *r, bool probe) {
  return place_open(r->files, probe);
}

vow_future_t *request_begin(const request_t *r, place_t *at) {
  if (r->prepare != NULL) r->prepare(at);
  return r->start(at);
}
