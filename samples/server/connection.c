/* SPDX-License-Identifier: MIT */
/* Reads a request up to its empty line, and leaves the answer to routes.c. */
#include "connection.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routes.h"

static void connection_free(void *arg) {
  connection_t *c = arg;
  vow_reader_free(c->reader);
  vow_tcp_free(c->tcp);
  free(c);
}

vow_future_t *connection_send(connection_t *c, const char *data,
                              size_t length) {
  uv_buf_t buf = uv_buf_init((char *)data, (unsigned)length);
  return vow_write((uv_stream_t *)c->tcp, &buf, 1);
}

vow_future_t *connection_sendf(connection_t *c, const char *format, ...) {
  char text[512];
  va_list args;
  int length;
  va_start(args, format);
  length = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (length < 0 || (size_t)length >= sizeof text) {
    return vow_ready(c->loop, vow_failf(UV_EINVAL, "the text is too long"));
  }
  return connection_send(c, text, (size_t)length);
}

/* ---- the request ------------------------------------------------------------
 */

/* The request has ended when its empty line has come. */
static vow_value_t add_piece(vow_future_t *in, void *arg) {
  connection_t *c = arg;
  vow_bytes_t *bytes = vow_bytes_get(in);
  size_t n = vow_bytes_length(bytes);
  if (n > REQUEST_MAX - c->request_length) {
    return vow_failf(UV_EPROTO, "the request is too long");
  }
  memcpy(c->request + c->request_length, vow_bytes_data(bytes), n);
  c->request_length += n;
  c->request[c->request_length] = '\0';
  return strstr(c->request, "\r\n\r\n") != NULL ? vow_nil() : vow_again();
}

static vow_future_t *read_piece(vow_loop_t *loop, uint64_t i, void *arg) {
  connection_t *c = arg;
  (void)loop;
  (void)i;
  return vow_then(vow_reader_next(c->reader), add_piece, c);
}

/* "GET /path HTTP/1.1": the path, cut out of the request. */
static vow_value_t answer(vow_future_t *in, void *arg) {
  connection_t *c = arg;
  char *path = c->request + strlen("GET ");
  (void)in;
  if (strncmp(c->request, "GET /", 5) != 0) {
    return vow_failf(UV_EPROTO, "this is no GET request");
  }
  path[strcspn(path, " \r\n")] = '\0';
  printf("%s\n", path);
  return vow_follow(routes_answer(c, path));
}

/* ---- the connection
 * ---------------------------------------------------------- */

static vow_value_t hang_up(vow_future_t *in, void *arg) {
  connection_t *c = arg;
  (void)in;
  return vow_follow(vow_close((uv_handle_t *)c->tcp));
}

/* Clients come and go as they like; what else goes wrong is worth a line. */
static vow_value_t forgive(vow_future_t *in, void *arg) {
  (void)arg;
  switch (vow_status(in)) {
  case UV_EOF:
  case UV_EPIPE:
  case UV_ECONNRESET:
    break;
  default:
    fprintf(stderr, "server: %s\n", vow_error_message(vow_error(in)));
    break;
  }
  return vow_nil();
}

vow_future_t *connection_serve(vow_loop_t *loop, uv_tcp_t *tcp) {
  connection_t *c = calloc(1, sizeof *c);
  int rc;
  if (c == NULL) {
    vow_tcp_free(tcp);
    return vow_ready(loop, vow_fail(UV_ENOMEM));
  }
  c->loop = loop;
  c->tcp = tcp;
  rc = vow_reader_new((uv_stream_t *)tcp, 0, &c->reader);
  if (rc != 0) {
    connection_free(c);
    return vow_ready(loop, vow_fail(rc));
  }
  vow_future_t *f = vow_repeat(loop, read_piece, c);
  f = vow_then(f, answer, c);
  f = vow_finally(f, hang_up, c, connection_free);
  return vow_catch(f, forgive, NULL);
}
