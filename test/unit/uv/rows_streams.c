/* SPDX-License-Identifier: MIT */
/* The wrappers of requests that work on streams, datagrams, names, threads and
 * children; see place.h. */
#include "unit/uv/place.h"

#include <vow/dns.h>
#include <vow/phase.h>
#include <vow/pipe.h>
#include <vow/process.h>
#include <vow/random.h>
#include <vow/udp.h>
#include <vow/work.h>

/* ---- names and numbers --------------------------------------------------- */

static vow_future_t *start_getaddrinfo(place_t *at) {
  return vow_getaddrinfo(at->loop, "127.0.0.1", "80", NULL);
}

static vow_future_t *start_getnameinfo(place_t *at) {
  struct sockaddr_in addr = local_addr(80);
  return vow_getnameinfo(at->loop, (const struct sockaddr *)&addr, 1);
}

static vow_future_t *start_random(place_t *at) {
  return vow_random(at->loop, 16);
}

static vow_future_t *start_random_into(place_t *at) {
  return vow_random_into(at->loop, at->into, sizeof at->into);
}

/* ---- streams ------------------------------------------------------------- */

static vow_future_t *start_connect(place_t *at) {
  return connect_to(at->fresh, port_of(at->pair.listening));
}

static vow_future_t *start_pipe_connect(place_t *at) {
  return vow_pipe_connect(at->fresh_pipe, at->socket);
}

static vow_future_t *start_write(place_t *at) {
  uv_buf_t buf = uv_buf_init(at->big, BIG_BYTES);
  return vow_write(stream_of(at->pair.a), &buf, 1);
}

static vow_future_t *start_write_borrowed(place_t *at) {
  uv_buf_t bufs[20];
  unsigned i;
  for (i = 0; i < 20; i++) bufs[i] = uv_buf_init(at->big + i, BIG_BYTES / 20);
  return vow_write_borrowed(stream_of(at->pair.a), bufs, 20);
}

static vow_future_t *start_write2(place_t *at) {
  uv_buf_t buf = uv_buf_init(at->big, BIG_BYTES);
  return vow_write2((uv_stream_t *)at->ipc[0], &buf, 1,
                    stream_of(at->pair.listening));
}

/* Then nothing goes before it is queued. Off, the shim hears nothing. */
static void be_busy(place_t *at) {
  (void)at;
  vow__shim_fail("uv_try_write2", 1, UV_EAGAIN);
}

static vow_future_t *start_shutdown(place_t *at) {
  return vow_shutdown(stream_of(at->pair.a));
}

static vow_future_t *start_close(place_t *at) {
  return vow_close(handle_of(at->fresh));
}

static vow_future_t *start_close_reset(place_t *at) {
  return vow_tcp_close_reset(at->pair.a);
}

/* ---- datagrams ----------------------------------------------------------- */

/* A datagram goes out at once, unless another is on its way. */
static void queue_raw(place_t *at) {
  struct sockaddr_in to = local_addr(9);
  uv_buf_t buf = uv_buf_init(at->into, 10);
  ck_assert_int_eq(uv_udp_send(&at->raw, at->udp, &buf, 1,
                               (const struct sockaddr *)&to, NULL),
                   0);
}

static vow_future_t *start_udp_send(place_t *at) {
  struct sockaddr_in to = local_addr(9);
  uv_buf_t buf = uv_buf_init(at->into, 10);
  return vow_udp_send(at->udp, &buf, 1, (const struct sockaddr *)&to);
}

static vow_future_t *start_udp_send_borrowed(place_t *at) {
  struct sockaddr_in to = local_addr(9);
  uv_buf_t buf = uv_buf_init(at->into, 10);
  return vow_udp_send_borrowed(at->udp, &buf, 1, (const struct sockaddr *)&to);
}

/* ---- threads, children, phases ------------------------------------------- */

static vow_value_t compute(void *arg) {
  (void)arg;
  uv_sleep(2);
  return vow_string("result");
}

static vow_future_t *start_work(place_t *at) {
  return vow_queue_work(at->loop, compute, &at->drops, count_drop);
}

static vow_future_t *start_spawn(place_t *at) {
  char *args[] = {at->into, NULL};
  uv_process_options_t o;
  memset(&o, 0, sizeof o);
  o.file = "/bin/true";
  o.args = args;
  return vow_spawn(at->loop, &o);
}

static vow_future_t *start_next_idle(place_t *at) {
  return vow_next_idle(at->loop);
}

static vow_future_t *start_next_prepare(place_t *at) {
  return vow_next_prepare(at->loop);
}

static vow_future_t *start_next_check(place_t *at) {
  return vow_next_check(at->loop);
}

/* ---- the table ----------------------------------------------------------- */

static const int refused[] = {UV_EINVAL, UV_ENOMEM, 0};
static const int eai[] = {UV_EAI_NONAME, UV_EAI_AGAIN,  UV_EAI_FAIL,
                          UV_EAI_NODATA, UV_EAI_MEMORY, 0};
static const int connect_fails[] = {UV_EINVAL, UV_EALREADY,      UV_EMFILE,
                                    UV_ENOMEM, UV_EADDRNOTAVAIL, UV_EACCES,
                                    0};
static const int connect_reports[] = {UV_ECONNREFUSED, UV_ETIMEDOUT,
                                      UV_EHOSTUNREACH, UV_ENETUNREACH, 0};
static const int pipe_reports[] = {UV_ENOENT, UV_ECONNREFUSED, UV_EACCES, 0};
static const int write_fails[] = {UV_ENOMEM, UV_EBADF, UV_EPIPE, 0};
static const int write_reports[] = {UV_EPIPE, UV_ECONNRESET, UV_ETIMEDOUT,
                                    UV_ENOBUFS, 0};
static const int shutdown_fails[] = {UV_ENOTCONN, 0};
static const int shutdown_reports[] = {UV_ENOTCONN, UV_EPIPE, 0};
static const int reset_fails[] = {UV_EINVAL, UV_EBADF, 0};
static const int send_fails[] = {UV_EMSGSIZE, UV_ECONNREFUSED, UV_ENETUNREACH,
                                 UV_EPERM,    UV_EINVAL,       0};
static const int random_reports[] = {UV_EIO, UV_ENOSYS, 0};
static const int spawn_fails[] = {UV_ENOENT, UV_EACCES, UV_EAGAIN, UV_EMFILE,
                                  UV_ENOMEM, UV_EPERM,  0};

#define NAMES(wrapper, begin)                                 \
  .name = #wrapper, .start = (begin), .call = "uv_" #wrapper, \
  .fails = refused, .reports = eai, .pooled = true

#define RANDOM(wrapper, begin)                                                \
  .name = (wrapper), .start = (begin), .call = "uv_random", .fails = refused, \
  .reports = random_reports, .pooled = true

#define WRITE(wrapper, begin)                                                 \
  .name = (wrapper), .start = (begin), .call = "uv_write",                    \
  .fails = write_fails, .reports = write_reports, .try_call = "uv_try_write", \
  .try_fails = write_reports

#define SEND(wrapper, begin)                                      \
  .name = (wrapper), .start = (begin), .prepare = queue_raw,      \
  .call = "uv_udp_send", .fails = refused, .reports = send_fails, \
  .try_call = "uv_udp_try_send", .try_fails = send_fails

const request_t stream_rows[] = {
    {NAMES(getaddrinfo, start_getaddrinfo)},
    {NAMES(getnameinfo, start_getnameinfo)},
    {RANDOM("random", start_random)},
    {RANDOM("random_into", start_random_into), .cancel = WAITS},
    {.name = "tcp_connect",
     .start = start_connect,
     .call = "uv_tcp_connect",
     .fails = connect_fails,
     .reports = connect_reports},
    {.name = "pipe_connect",
     .start = start_pipe_connect,
     .call = "uv_pipe_connect",
     .reports = pipe_reports},
    {WRITE("write", start_write)},
    {WRITE("write_borrowed", start_write_borrowed), .cancel = NEVER},
    {.name = "write2",
     .start = start_write2,
     .cancel = NEVER,
     .call = "uv_write",
     .fails = write_fails,
     .reports = write_reports,
     .try_call = "uv_try_write2",
     .try_fails = write_reports},
    {.name = "write2",
     .start = start_write2,
     .prepare = be_busy,
     .cancel = NEVER,
     .call = "uv_write2",
     .fails = write_fails,
     .reports = write_reports},
    {.name = "shutdown",
     .start = start_shutdown,
     .call = "uv_shutdown",
     .fails = shutdown_fails,
     .reports = shutdown_reports},
    {.name = "close", .start = start_close, .cancel = NEVER},
    {.name = "tcp_close_reset",
     .start = start_close_reset,
     .cancel = NEVER,
     .call = "uv_tcp_close_reset",
     .fails = reset_fails},
    {SEND("udp_send", start_udp_send)},
    {SEND("udp_send_borrowed", start_udp_send_borrowed), .cancel = NEVER},
    /* libuv never refuses a function; test/unit/torture has that. */
    {.name = "queue_work", .start = start_work, .pooled = true},
    {.name = "spawn",
     .start = start_spawn,
     .cancel = WAITS,
     .call = "uv_spawn",
     .fails = spawn_fails},
    /* These begin with calls that cannot fail. */
    {.name = "next_idle", .start = start_next_idle},
    {.name = "next_prepare", .start = start_next_prepare},
    {.name = "next_check", .start = start_next_check},
};

const int stream_row_count = (int)(sizeof stream_rows / sizeof stream_rows[0]);
