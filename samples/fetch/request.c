/* SPDX-License-Identifier: MIT */
/* A request as a chain: resolve, connect, send, read until the parser has
 * enough; and one step that hangs up, whatever happened before. */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

VOW_DEFINE_TYPE(answer, answer_t, free);

/* What the steps share. It lives until the chain has ended. */
typedef struct exchange {
  vow_loop_t *loop;
  const url_t *url;
  struct addrinfo *addresses;
  struct addrinfo *address; /* the one that is tried */
  uv_tcp_t *tcp;
  vow_reader_t *reader;
  http_parser_t parser;
} exchange_t;

static void exchange_free(void *arg) {
  exchange_t *x = arg;
  vow_reader_free(x->reader);
  vow_tcp_free(x->tcp);
  if (x->addresses != NULL) uv_freeaddrinfo(x->addresses);
  free(x);
}

/* ---- connect ----------------------------------------------------------------
 */

static vow_value_t try_next(vow_future_t *in, void *arg);

static vow_future_t *connect_address(exchange_t *x) {
  int rc = vow_tcp_new(x->loop, &x->tcp);
  if (rc != 0) return vow_ready(x->loop, vow_fail(rc));
  vow_future_t *f = vow_tcp_connect(x->tcp, x->address->ai_addr);
  return vow_catch(f, try_next, x);
}

/* A name may have several addresses, of which some do not answer. */
static vow_value_t try_next(vow_future_t *in, void *arg) {
  exchange_t *x = arg;
  x->address = x->address->ai_next;
  if (x->address == NULL) return vow_outcome(in);
  vow_tcp_free(x->tcp); /* a handle that failed to connect is of no more use */
  x->tcp = NULL;
  return vow_follow(connect_address(x));
}

static vow_value_t on_resolved(vow_future_t *in, void *arg) {
  exchange_t *x = arg;
  x->addresses = vow_addrinfo_take(in);
  if (x->addresses == NULL) return vow_fail_last();
  x->address = x->addresses;
  return vow_follow(connect_address(x));
}

/* ---- ask
 * --------------------------------------------------------------------- */

/* The request, to be freed; NULL for want of memory. */
static char *make_request(const url_t *url) {
  static const char format[] =
      "GET %s%.*s HTTP/1.1\r\nHost: %s%s%s:%s\r\n"
      "User-Agent: vow-fetch\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  size_t size = sizeof format + url->target_length + URL_HOST_MAX + 16;
  bool has_slash = url->target_length > 0 && *url->target == '/';
  char *text = malloc(size);
  if (text == NULL) return NULL;
  snprintf(text, size, format, has_slash ? "" : "/", (int)url->target_length,
           url->target, url->is_ipv6 ? "[" : "", url->host,
           url->is_ipv6 ? "]" : "", url->port);
  return text;
}

static vow_value_t on_connected(vow_future_t *in, void *arg) {
  exchange_t *x = arg;
  char *text = make_request(x->url);
  (void)in;
  if (text == NULL) return vow_fail(UV_ENOMEM);
  uv_buf_t buf = uv_buf_init(text, (unsigned)strlen(text));
  vow_future_t *f = vow_write((uv_stream_t *)x->tcp, &buf, 1);
  free(text); /* what was not sent at once is copied */
  return vow_follow(f);
}

/* ---- read
 * -------------------------------------------------------------------- */

static vow_value_t make_answer(const http_parser_t *parser) {
  answer_t *answer = malloc(sizeof *answer);
  if (answer == NULL) return vow_fail(UV_ENOMEM);
  answer->status = parser->status;
  answer->body_bytes = parser->body_bytes;
  return answer_value(answer);
}

/* The end of the stream is news for the parser, not yet an error. */
static vow_value_t parse_piece(vow_future_t *in, void *arg) {
  http_parser_t *parser = &((exchange_t *)arg)->parser;
  int status = vow_status(in);
  if (status == 0) {
    vow_bytes_t *bytes = vow_bytes_get(in);
    http_feed(parser, vow_bytes_data(bytes), vow_bytes_length(bytes));
  } else if (status == UV_EOF) {
    http_end(parser);
  } else {
    return vow_outcome(in);
  }
  switch (parser->result) {
  case HTTP_MORE:
    return vow_again();
  case HTTP_DONE:
    return make_answer(parser);
  case HTTP_CUT:
    return vow_failf(UV_EOF, "%s", parser->problem);
  default:
    return vow_failf(UV_EPROTO, "%s", parser->problem);
  }
}

static vow_future_t *read_piece(vow_loop_t *loop, uint64_t i, void *arg) {
  exchange_t *x = arg;
  (void)loop;
  (void)i;
  return vow_handle(vow_reader_next(x->reader), parse_piece, x);
}

static vow_value_t on_sent(vow_future_t *in, void *arg) {
  exchange_t *x = arg;
  int rc = vow_reader_new((uv_stream_t *)x->tcp, 0, &x->reader);
  (void)in;
  if (rc != 0) return vow_fail(rc);
  return vow_follow(vow_repeat(x->loop, read_piece, x));
}

/* ---- all of it
 * --------------------------------------------------------------- */

/* Awaited: who limits the requests that run limits the sockets that are open.
 * exchange_free, which comes next, may free a handle that is being closed. */
static vow_value_t hang_up(vow_future_t *in, void *arg) {
  exchange_t *x = arg;
  (void)in;
  if (x->tcp == NULL) return vow_nil();
  return vow_follow(vow_close((uv_handle_t *)x->tcp));
}

vow_future_t *request_get(vow_loop_t *loop, const url_t *url) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  exchange_t *x = calloc(1, sizeof *x);
  if (x == NULL) return vow_ready(loop, vow_fail(UV_ENOMEM));
  x->loop = loop;
  x->url = url;
  http_init(&x->parser);

  vow_future_t *f = vow_getaddrinfo(loop, url->host, url->port, &hints);
  f = vow_then(f, on_resolved, x);
  f = vow_then(f, on_connected, x);
  f = vow_then(f, on_sent, x);
  return vow_finally(f, hang_up, x, exchange_free);
}
