/* SPDX-License-Identifier: MIT */
/* The shim before libuv's requests: each call may fail, and each callback be
 * told a code instead of the truth. What the request made is undone then. */
#include "check/shim/inside.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

vow__shim_cb_t vow__shim_request(vow__shim_call_t call, const void *req,
                                 vow__shim_cb_t cb, vow__shim_cb_t instead) {
  vow__shim_watch_t w = {req, cb, NULL, 0, 0};
  if (cb == NULL || !vow__shim_reports(call, &w.code)) return cb;
  vow__shim_watch(&w);
  return instead;
}

int vow__shim_begun(const void *req, int err) {
  if (err < 0) (void)vow__shim_take(req);
  return err;
}

/* The callback of name that takes over: calls the user's with a code. */
#define INSTEAD(on_name, req_t, cb_t)           \
  static void on_name(req_t *req, int status) { \
    vow__shim_watch_t w = vow__shim_take(req);  \
    (void)status;                               \
    ((cb_t)w.cb)(req, w.code);                  \
  }

/* A request whose callback is its last argument. */
#define REQUEST(name, on_name, cb_t, params, args)                     \
  int __real_##name params;                                            \
  int __wrap_##name params;                                            \
  int __wrap_##name params {                                           \
    int err;                                                           \
    if (vow__shim_fails(CALL_##name, &err)) return err;                \
    cb = (cb_t)vow__shim_request(CALL_##name, req, (vow__shim_cb_t)cb, \
                                 (vow__shim_cb_t)on_name);             \
    return vow__shim_begun(req, __real_##name args);                   \
  }

/* ---- streams, datagrams -------------------------------------------------- */

INSTEAD(on_write, uv_write_t, uv_write_cb)
INSTEAD(on_shutdown, uv_shutdown_t, uv_shutdown_cb)
INSTEAD(on_connect, uv_connect_t, uv_connect_cb)
INSTEAD(on_send, uv_udp_send_t, uv_udp_send_cb)

REQUEST(uv_write, on_write, uv_write_cb,
        (uv_write_t * req, uv_stream_t *stream, const uv_buf_t bufs[],
         unsigned n, uv_write_cb cb),
        (req, stream, bufs, n, cb))
REQUEST(uv_write2, on_write, uv_write_cb,
        (uv_write_t * req, uv_stream_t *stream, const uv_buf_t bufs[],
         unsigned n, uv_stream_t *sent, uv_write_cb cb),
        (req, stream, bufs, n, sent, cb))
REQUEST(uv_shutdown, on_shutdown, uv_shutdown_cb,
        (uv_shutdown_t * req, uv_stream_t *stream, uv_shutdown_cb cb),
        (req, stream, cb))
REQUEST(uv_tcp_connect, on_connect, uv_connect_cb,
        (uv_connect_t * req, uv_tcp_t *tcp, const struct sockaddr *addr,
         uv_connect_cb cb),
        (req, tcp, addr, cb))
REQUEST(uv_udp_send, on_send, uv_udp_send_cb,
        (uv_udp_send_t * req, uv_udp_t *udp, const uv_buf_t bufs[], unsigned n,
         const struct sockaddr *addr, uv_udp_send_cb cb),
        (req, udp, bufs, n, addr, cb))

/* It has no outcome of its own: a failing call is told to the callback. */
void __real_uv_pipe_connect(uv_connect_t *req, uv_pipe_t *pipe,
                            const char *name, uv_connect_cb cb);
void __wrap_uv_pipe_connect(uv_connect_t *req, uv_pipe_t *pipe,
                            const char *name, uv_connect_cb cb);
void __wrap_uv_pipe_connect(uv_connect_t *req, uv_pipe_t *pipe,
                            const char *name, uv_connect_cb cb) {
  vow__shim_watch_t w = {req, (vow__shim_cb_t)cb, NULL, 0, 0};
  if (vow__shim_fails(CALL_uv_pipe_connect, &w.code) ||
      vow__shim_reports(CALL_uv_pipe_connect, &w.code)) {
    vow__shim_watch(&w);
    cb = on_connect;
  }
  __real_uv_pipe_connect(req, pipe, name, cb);
}

int __real_uv_try_write(uv_stream_t *stream, const uv_buf_t bufs[], unsigned n);
int __wrap_uv_try_write(uv_stream_t *stream, const uv_buf_t bufs[], unsigned n);
int __wrap_uv_try_write(uv_stream_t *stream, const uv_buf_t bufs[],
                        unsigned n) {
  uv_buf_t cut;
  int err;
  if (vow__shim_fails(CALL_uv_try_write, &err)) return err;
  if (vow__shim_write_max() == 0) return __real_uv_try_write(stream, bufs, n);
  n = vow__shim_cut(bufs, n, vow__shim_write_max(), &cut);
  return __real_uv_try_write(stream, &cut, n);
}

int __real_uv_try_write2(uv_stream_t *stream, const uv_buf_t bufs[], unsigned n,
                         uv_stream_t *sent);
int __wrap_uv_try_write2(uv_stream_t *stream, const uv_buf_t bufs[], unsigned n,
                         uv_stream_t *sent);
int __wrap_uv_try_write2(uv_stream_t *stream, const uv_buf_t bufs[], unsigned n,
                         uv_stream_t *sent) {
  uv_buf_t cut;
  int err;
  if (vow__shim_fails(CALL_uv_try_write2, &err)) return err;
  if (vow__shim_write_max() == 0)
    return __real_uv_try_write2(stream, bufs, n, sent);
  n = vow__shim_cut(bufs, n, vow__shim_write_max(), &cut);
  return __real_uv_try_write2(stream, &cut, n, sent);
}

/* ---- on the thread pool -------------------------------------------------- */

static void on_after_work(uv_work_t *req, int status) {
  vow__shim_watch_t w = vow__shim_take(req);
  (void)status;
  ((uv_after_work_cb)w.cb)(req, w.code);
}

REQUEST(uv_queue_work, on_after_work, uv_after_work_cb,
        (uv_loop_t * loop, uv_work_t *req, uv_work_cb work,
         uv_after_work_cb cb),
        (loop, req, work, cb))

static void on_random(uv_random_t *req, int status, void *data, size_t size) {
  vow__shim_watch_t w = vow__shim_take(req);
  (void)status;
  ((uv_random_cb)w.cb)(req, w.code, data, size);
}

REQUEST(uv_random, on_random, uv_random_cb,
        (uv_loop_t * loop, uv_random_t *req, void *data, size_t size,
         unsigned flags, uv_random_cb cb),
        (loop, req, data, size, flags, cb))

static void on_nameinfo(uv_getnameinfo_t *req, int status, const char *host,
                        const char *service) {
  vow__shim_watch_t w = vow__shim_take(req);
  (void)status;
  (void)host;
  (void)service;
  ((uv_getnameinfo_cb)w.cb)(req, w.code, NULL, NULL);
}

REQUEST(uv_getnameinfo, on_nameinfo, uv_getnameinfo_cb,
        (uv_loop_t * loop, uv_getnameinfo_t *req, uv_getnameinfo_cb cb,
         const struct sockaddr *addr, int flags),
        (loop, req, cb, addr, flags))

/* ---- names, with answers of the test's ----------------------------------- */

#define ANSWERS_MAX 8

/* One piece of memory, so that its head tells whose it is. */
typedef struct answer {
  struct addrinfo info[ANSWERS_MAX];
  struct sockaddr_storage addr[ANSWERS_MAX];
  struct answer *next; /* of those that are out */
} answer_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sockaddr_storage answers[ANSWERS_MAX];
static size_t answer_count;
static answer_t *out;

static size_t length_of(int family) {
  return family == AF_INET ? sizeof(struct sockaddr_in)
                           : sizeof(struct sockaddr_in6);
}

void vow__shim_resolve(size_t n, const struct sockaddr *const addrs[]) {
  size_t i;
  if (n > ANSWERS_MAX) abort();
  pthread_mutex_lock(&lock);
  for (i = 0; i < n; i++)
    memcpy(&answers[i], addrs[i], length_of(addrs[i]->sa_family));
  answer_count = n;
  pthread_mutex_unlock(&lock);
}

/* The addresses of family (0: all) as a list; NULL without one. */
static struct addrinfo *answer_new(int family) {
  answer_t *a = calloc(1, sizeof *a);
  size_t i, n = 0;
  if (a == NULL) abort();
  pthread_mutex_lock(&lock);
  for (i = 0; i < answer_count; i++) {
    struct addrinfo *info = &a->info[n];
    if (family != AF_UNSPEC && answers[i].ss_family != family) continue;
    a->addr[n] = answers[i];
    info->ai_family = answers[i].ss_family;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addrlen = (socklen_t)length_of(info->ai_family);
    info->ai_addr = (struct sockaddr *)&a->addr[n];
    if (n > 0) a->info[n - 1].ai_next = info;
    n++;
  }
  if (n > 0) {
    a->next = out;
    out = a;
  }
  pthread_mutex_unlock(&lock);
  if (n > 0) return a->info;
  free(a);
  return NULL;
}

static bool has_answers(void) {
  bool has;
  pthread_mutex_lock(&lock);
  has = answer_count > 0;
  pthread_mutex_unlock(&lock);
  return has;
}

static bool is_answer(const struct addrinfo *list) {
  answer_t **at = &out, *a;
  pthread_mutex_lock(&lock);
  while (*at != NULL && (*at)->info != list) at = &(*at)->next;
  a = *at;
  if (a != NULL) *at = a->next;
  pthread_mutex_unlock(&lock);
  free(a);
  return a != NULL;
}

void __real_uv_freeaddrinfo(struct addrinfo *list);
void __wrap_uv_freeaddrinfo(struct addrinfo *list);
void __wrap_uv_freeaddrinfo(struct addrinfo *list) {
  if (list == NULL || !is_answer(list)) __real_uv_freeaddrinfo(list);
}

static void on_addrinfo(uv_getaddrinfo_t *req, int status,
                        struct addrinfo *list) {
  vow__shim_watch_t w = vow__shim_take(req);
  __real_uv_freeaddrinfo(list);
  list = NULL;
  if (w.code == 0 && status == 0) {
    list = answer_new(w.family);
    if (list == NULL) status = UV_EAI_NONAME;
  }
  ((uv_getaddrinfo_cb)w.cb)(req, w.code != 0 ? w.code : status, list);
}

int __real_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req,
                          uv_getaddrinfo_cb cb, const char *node,
                          const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req,
                          uv_getaddrinfo_cb cb, const char *node,
                          const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req,
                          uv_getaddrinfo_cb cb, const char *node,
                          const char *service, const struct addrinfo *hints) {
  vow__shim_watch_t w = {req, (vow__shim_cb_t)cb, NULL, 0, 0};
  int err;
  if (vow__shim_fails(CALL_uv_getaddrinfo, &err)) return err;
  if (vow__shim_reports(CALL_uv_getaddrinfo, &w.code)) {
    vow__shim_watch(&w);
    cb = on_addrinfo;
  } else if (has_answers()) {
    w.family = hints != NULL ? hints->ai_family : AF_UNSPEC;
    vow__shim_watch(&w);
    cb = on_addrinfo;
    node = "127.0.0.1"; /* any question that has an answer */
    service = NULL;
    hints = NULL;
  }
  return vow__shim_begun(
      req, __real_uv_getaddrinfo(loop, req, cb, node, service, hints));
}
