/* SPDX-License-Identifier: MIT */
/* Step 1 of 4: a file server in raw libuv, as such programs are. Each client
 * is a struct that walks from callback to callback:
 *
 *   on_connection, on_read, on_stat, on_opened, on_written,
 *   on_chunk, on_written, ..., on_shut_down, on_read, on_closed
 *
 * and on_timeout, on_grace and on_signal may come in between at any point. */
#include <signal.h>

#include "request.h"

typedef struct client client_t;

typedef struct server {
  uv_loop_t uv;
  uv_tcp_t listener;
  uv_signal_t signals[2];
  uv_timer_t grace;
  options_t options;
  client_t *clients;
  bool is_stopping;
} server_t;

struct client {
  server_t *server;
  client_t *previous, *next;
  uv_tcp_t tcp;
  uv_timer_t timer;
  uv_fs_t fs;
  uv_write_t write;
  uv_shutdown_t shutdown;
  unsigned holds; /* what will still call back: tcp, timer, fs */
  bool is_fs_busy;
  bool is_answered; /* and logged */
  bool is_closing;
  request_t request;
  uv_file file; /* -1: none */
  uint64_t size_bytes, sent_bytes;
  char chunk[CHUNK_BYTES];
};

static void on_written(uv_write_t *req, int status);
static void server_end_if_idle(server_t *server);

/* ---- the end of a client -------------------------------------------------- */

/* Whoever calls this lets go of c, and may be the last. */
static void client_release(client_t *c) {
  server_t *server = c->server;
  if (--c->holds > 0) return;
  if (c->file >= 0) {
    uv_fs_close(NULL, &c->fs, c->file, NULL);
    uv_fs_req_cleanup(&c->fs);
  }
  if (c->next != NULL) c->next->previous = c->previous;
  if (c->previous != NULL) c->previous->next = c->next;
  if (server->clients == c) server->clients = c->next;
  free(c);
  server_end_if_idle(server);
}

static void on_closed(uv_handle_t *handle) {
  client_release(handle->data);
}

static void client_log(client_t *c, int code) {
  if (!c->is_answered) request_log(&c->request, code);
  c->is_answered = true;
}

/* From here on c's callbacks still come, but do nothing any more: they must
 * look at is_closing first. */
static void client_close(client_t *c, int code) {
  if (c->is_closing) return;
  c->is_closing = true;
  client_log(c, code);
  uv_close((uv_handle_t *)&c->tcp, on_closed);
  uv_close((uv_handle_t *)&c->timer, on_closed);
  if (c->is_fs_busy) uv_cancel((uv_req_t *)&c->fs); /* may be too late */
}

/* ---- writing -------------------------------------------------------------- */

static void on_timeout(uv_timer_t *timer);

static void client_await(client_t *c) {
  uv_timer_start(&c->timer, on_timeout, c->server->options.timeout_ms, 0);
}

/* Writes the first length bytes of the chunk. */
static void client_write(client_t *c, size_t length) {
  uv_buf_t buf = uv_buf_init(c->chunk, (unsigned)length);
  int rc = uv_write(&c->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
  if (rc != 0) {
    client_close(c, rc);
  } else {
    client_await(c);
  }
}

/* No file: so the head is all there is. */
static void client_refuse(client_t *c, int status) {
  c->request.status = status;
  c->size_bytes = c->sent_bytes = 0;
  client_write(c, answer_error(c->chunk, status));
}

static void on_shut_down(uv_shutdown_t *req, int status) {
  client_t *c = req->handle->data;
  if (status != 0) client_close(c, status);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret_buf);
static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf);

/* Closing while bytes of the client's are unread would reset the connection,
 * and with it what is on its way: so it reads until the client has closed. */
static void client_finish(client_t *c) {
  int rc;
  client_log(c, 0);
  rc = uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shut_down);
  if (rc == 0) rc = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
  if (rc != 0) {
    client_close(c, rc);
  } else {
    client_await(c);
  }
}

/* ---- the file ------------------------------------------------------------- */

/* Every request to the file system begins and ends here. rc is what libuv said
 * to it. */
static void fs_begin(client_t *c, int rc) {
  if (rc != 0) {
    client_close(c, rc);
    return;
  }
  c->fs.data = c;
  c->is_fs_busy = true;
  c->holds++;
}

/* False: c was closed meanwhile, and may be gone. */
static bool fs_end(client_t *c) {
  bool goes_on = !c->is_closing;
  uv_fs_req_cleanup(&c->fs);
  c->is_fs_busy = false;
  client_release(c);
  return goes_on;
}

static void on_chunk(uv_fs_t *req) {
  client_t *c = req->data;
  ssize_t n = req->result;
  if (!fs_end(c)) return;
  if (n <= 0) {
    client_close(c, n < 0 ? (int)n : UV_EIO); /* it has become shorter */
    return;
  }
  c->sent_bytes += (uint64_t)n;
  client_write(c, (size_t)n);
}

/* Reads a chunk only when the one before has gone: a client that reads slowly
 * costs one chunk of memory, not the whole file. */
static void on_written(uv_write_t *req, int status) {
  client_t *c = req->handle->data;
  uint64_t left = c->size_bytes - c->sent_bytes;
  uv_buf_t buf = uv_buf_init(c->chunk, CHUNK_BYTES);
  if (c->is_closing) return;
  uv_timer_stop(&c->timer);
  if (left < buf.len) buf.len = (size_t)left;
  if (status != 0) {
    client_close(c, status);
  } else if (left == 0) {
    client_finish(c);
  } else {
    fs_begin(c, uv_fs_read(&c->server->uv, &c->fs, c->file, &buf, 1,
                           (int64_t)c->sent_bytes, on_chunk));
  }
}

static void on_opened(uv_fs_t *req) {
  client_t *c = req->data;
  int result = (int)req->result;
  if (result >= 0) c->file = result; /* to be closed whatever comes */
  if (!fs_end(c)) return;
  if (result < 0) {
    client_refuse(c, request_status_of(result));
  } else {
    client_write(c, answer_head(c->chunk, 200, c->size_bytes));
  }
}

static void on_stat(uv_fs_t *req) {
  client_t *c = req->data;
  int rc = (int)req->result;
  if (rc == 0 && !S_ISREG(req->statbuf.st_mode)) rc = UV_ENOENT;
  c->size_bytes = req->statbuf.st_size;
  if (!fs_end(c)) return;
  if (rc != 0) {
    client_refuse(c, request_status_of(rc));
  } else {
    fs_begin(c, uv_fs_open(&c->server->uv, &c->fs, c->request.path, OPEN_FLAGS,
                           0, on_opened));
  }
}

/* ---- the request ---------------------------------------------------------- */

static void client_answer(client_t *c) {
  uv_timer_stop(&c->timer);
  uv_read_stop((uv_stream_t *)&c->tcp);
  request_parse(&c->request, c->server->options.root);
  if (c->request.status != 200) {
    client_refuse(c, c->request.status);
  } else {
    fs_begin(c, uv_fs_stat(&c->server->uv, &c->fs, c->request.path, on_stat));
  }
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret_buf) {
  client_t *c = handle->data;
  (void)size;
  if (c->is_answered) {
    *ret_buf = uv_buf_init(c->chunk, CHUNK_BYTES); /* thrown away */
  } else {
    *ret_buf = uv_buf_init(c->request.head + c->request.length,
                           (unsigned)(REQUEST_MAX - c->request.length));
  }
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  client_t *c = stream->data;
  (void)buf;
  if (nread < 0) {
    client_close(c, (int)nread);
  } else if (!c->is_answered) {
    c->request.length += (size_t)nread;
    if (request_has_ended(&c->request) || c->request.length == REQUEST_MAX)
      client_answer(c);
  }
}

/* The timer runs in three states, and means something else in each. */
static void on_timeout(uv_timer_t *timer) {
  client_t *c = timer->data;
  if (c->request.status == 0) {
    uv_read_stop((uv_stream_t *)&c->tcp);
    client_refuse(c, 408);
  } else {
    client_close(c, UV_ETIMEDOUT);
  }
}

/* ---- beginning and end ---------------------------------------------------- */

static void client_new(server_t *server) {
  client_t *c = calloc(1, sizeof *c);
  if (c == NULL) abort(); /* libuv accepts no more until this one is taken */
  c->server = server;
  c->file = -1;
  c->next = server->clients;
  if (c->next != NULL) c->next->previous = c;
  server->clients = c;
  uv_tcp_init(&server->uv, &c->tcp);
  uv_timer_init(&server->uv, &c->timer);
  c->tcp.data = c->timer.data = c;
  c->holds = 2;
  int rc = uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&c->tcp);
  if (rc == 0) rc = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
  if (rc != 0) {
    client_close(c, rc);
  } else {
    client_await(c);
  }
}

static void on_connection(uv_stream_t *listener, int status) {
  if (status != 0) {
    fprintf(stderr, "accept: %s\n", uv_strerror(status));
  } else {
    client_new(listener->data);
  }
}

static void server_end_if_idle(server_t *server) {
  if (!server->is_stopping || server->clients != NULL) return;
  if (uv_is_closing((uv_handle_t *)&server->grace)) return;
  uv_close((uv_handle_t *)&server->grace, NULL);
  uv_close((uv_handle_t *)&server->signals[0], NULL);
  uv_close((uv_handle_t *)&server->signals[1], NULL);
}

static void server_close_clients(server_t *server) {
  for (client_t *c = server->clients; c != NULL; c = c->next)
    client_close(c, UV_ECANCELED);
}

static void on_grace(uv_timer_t *timer) {
  server_close_clients(timer->data);
}

/* The first signal lets the clients finish, the second one does not. */
static void on_signal(uv_signal_t *handle, int signum) {
  server_t *server = handle->data;
  (void)signum;
  if (server->is_stopping) {
    server_close_clients(server);
    return;
  }
  server->is_stopping = true;
  uv_close((uv_handle_t *)&server->listener, NULL);
  uv_timer_start(&server->grace, on_grace, server->options.grace_ms, 0);
  puts("shutting down");
  server_end_if_idle(server);
}

static int server_listen(server_t *server) {
  struct sockaddr_in addr;
  int length = sizeof addr;
  int rc = uv_ip4_addr("127.0.0.1", server->options.port, &addr);
  uv_tcp_init(&server->uv, &server->listener);
  server->listener.data = server;
  if (rc == 0) {
    rc = uv_tcp_bind(&server->listener, (const struct sockaddr *)&addr, 0);
  }
  if (rc == 0) {
    rc = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
  }
  if (rc == 0) {
    rc = uv_tcp_getsockname(&server->listener, (struct sockaddr *)&addr,
                            &length);
  }
  server->options.port = ntohs(addr.sin_port);
  return rc;
}

static int server_start(server_t *server) {
  static const int signums[2] = {SIGINT, SIGTERM};
  int rc = server_listen(server);
  uv_timer_init(&server->uv, &server->grace);
  server->grace.data = server;
  for (int i = 0; i < 2; i++) {
    uv_signal_init(&server->uv, &server->signals[i]);
    server->signals[i].data = server;
    if (rc == 0)
      rc = uv_signal_start(&server->signals[i], on_signal, signums[i]);
  }
  if (rc != 0) {
    fprintf(stderr, "cannot start: %s\n", uv_strerror(rc));
    server->is_stopping = true;
    uv_close((uv_handle_t *)&server->listener, NULL);
    server_end_if_idle(server);
    return rc;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%d\n", server->options.port);
  return 0;
}

int main(int argc, char **argv) {
  static server_t server;
  if (!options_read(argc, argv, &server.options)) return 2;
  /* Writing to a client that has gone shall be an error and not a signal. */
  signal(SIGPIPE, SIG_IGN);
  int rc = uv_loop_init(&server.uv);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", uv_strerror(rc));
    return 1;
  }
  rc = server_start(&server);
  uv_run(&server.uv, UV_RUN_DEFAULT);
  if (uv_loop_close(&server.uv) != 0) return 1;
  return rc == 0 ? 0 : 1;
}
