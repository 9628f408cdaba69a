/* SPDX-License-Identifier: MIT */
/* What each path answers:
 *   /ok           13 bytes
 *   /big?n=N      N bytes (1000000)
 *   /delay?ms=N   "late", after N milliseconds (100)
 *   /slow?n=N     N bytes (20), one by one
 *   /chunked      26 bytes in chunks, with extensions and a trailer
 *   /flaky?id=N   resets the first connection of each N (0 to 255), then /ok
 *   /hang         nothing, until the client gives up
 *   /reset?ms=N   half a body and, N milliseconds later (100), a reset
 *   /cut          half a body, then the end
 *   /garbage      no HTTP
 *   anything else 404 */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
  BIG_PIECE_BYTES = 65536,
  BIG_MAX_BYTES = 1 << 30,
  SLOW_MAX_BYTES = 10000,
  SLOW_PAUSE_MS = 10,
  DELAY_MAX_MS = 3600000,
  FLAKY_IDS = 256
};

static vow_future_t *send_header(connection_t *c, const char *status,
                                 uint64_t body_bytes) {
  return connection_sendf(c,
                          "HTTP/1.1 %s\r\nContent-Length: %llu\r\n"
                          "Connection: close\r\n\r\n",
                          status, (unsigned long long)body_bytes);
}

static vow_future_t *answer_text(connection_t *c, const char *status,
                                 const char *body) {
  return connection_sendf(c,
                          "HTTP/1.1 %s\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n%s",
                          status, strlen(body), body);
}

/* The number, of at most max, in a query that is "name=number"; fallback when
 * it is something else. */
static uint64_t read_query(const char *query, const char *name,
                           uint64_t fallback, uint64_t max) {
  size_t length = strlen(name);
  const char *text = query + length;
  unsigned long long number;
  if (strncmp(query, name, length) != 0) return fallback;
  if (*text < '0' || *text > '9') return fallback;
  number = strtoull(text, NULL, 10);
  return number > max ? max : number;
}

/* ---- good ones -------------------------------------------------------------
 */

static vow_future_t *answer_ok(connection_t *c, const char *query) {
  (void)query;
  return answer_text(c, "200 OK", "hello, fetch\n");
}

static vow_future_t *answer_not_found(connection_t *c, const char *query) {
  (void)query;
  return answer_text(c, "404 Not Found", "no such path\n");
}

static vow_value_t again(vow_future_t *in, void *arg) {
  (void)in;
  return *(uint64_t *)arg > 0 ? vow_again() : vow_nil();
}

/* Waits for each piece before the next: a client that reads slowly costs one
 * piece of memory and not the whole body. */
static vow_future_t *send_piece(vow_loop_t *loop, uint64_t i, void *arg) {
  static const char zeros[BIG_PIECE_BYTES];
  connection_t *c = arg;
  size_t n = sizeof zeros;
  (void)loop;
  (void)i;
  if (n > c->to_send_bytes) n = (size_t)c->to_send_bytes;
  c->to_send_bytes -= n;
  return vow_then(connection_send(c, zeros, n), again, &c->to_send_bytes);
}

static vow_value_t send_body(vow_future_t *in, void *arg) {
  connection_t *c = arg;
  (void)in;
  return vow_follow(vow_repeat(c->loop, send_piece, c));
}

static vow_future_t *answer_big(connection_t *c, const char *query) {
  c->to_send_bytes = read_query(query, "n=", 1000000, BIG_MAX_BYTES);
  vow_future_t *f = send_header(c, "200 OK", c->to_send_bytes);
  return vow_then(f, send_body, c);
}

static vow_value_t send_late(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(answer_text(arg, "200 OK", "late\n"));
}

static vow_future_t *answer_delay(connection_t *c, const char *query) {
  uint64_t delay_ms = read_query(query, "ms=", 100, DELAY_MAX_MS);
  return vow_then(vow_sleep(c->loop, delay_ms), send_late, c);
}

static vow_value_t pause(vow_future_t *in, void *arg) {
  connection_t *c = arg;
  (void)in;
  vow_future_t *f = vow_sleep(c->loop, SLOW_PAUSE_MS);
  return vow_follow(vow_then(f, again, &c->to_send_bytes));
}

static vow_future_t *send_byte(vow_loop_t *loop, uint64_t i, void *arg) {
  connection_t *c = arg;
  (void)loop;
  (void)i;
  if (c->to_send_bytes == 0) return vow_ready(c->loop, vow_nil());
  c->to_send_bytes--;
  return vow_then(connection_send(c, ".", 1), pause, c);
}

static vow_value_t send_slowly(vow_future_t *in, void *arg) {
  connection_t *c = arg;
  (void)in;
  return vow_follow(vow_repeat(c->loop, send_byte, c));
}

static vow_future_t *answer_slow(connection_t *c, const char *query) {
  c->to_send_bytes = read_query(query, "n=", 20, SLOW_MAX_BYTES);
  vow_future_t *f = send_header(c, "200 OK", c->to_send_bytes);
  return vow_then(f, send_slowly, c);
}

static vow_future_t *answer_chunked(connection_t *c, const char *query) {
  (void)query;
  return connection_sendf(c, "HTTP/1.1 200 OK\r\n"
                             "Transfer-Encoding: chunked\r\n"
                             "Connection: close\r\n\r\n"
                             "a\r\nabcdefghij\r\n"
                             "A;name=value\r\nklmnopqrst\r\n"
                             "6\r\nuvwxyz\r\n"
                             "0\r\nX-Trailer: yes\r\n\r\n");
}

/* ---- bad ones --------------------------------------------------------------
 */

/* Ends with an error of the reader's when the client has gone. */
static vow_future_t *answer_hang(connection_t *c, const char *query) {
  (void)query;
  return vow_reader_next(c->reader);
}

static vow_future_t *send_half(connection_t *c) {
  return connection_sendf(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"
                             "Connection: close\r\n\r\nhello");
}

static vow_future_t *answer_cut(connection_t *c, const char *query) {
  (void)query;
  return send_half(c);
}

static vow_future_t *answer_garbage(connection_t *c, const char *query) {
  (void)query;
  return connection_sendf(c, "220 mail.example ESMTP\r\n");
}

/* Makes the close that follows reset the connection instead of ending it. */
static vow_value_t reset(vow_future_t *in, void *arg) {
  static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  connection_t *c = arg;
  uv_os_fd_t fd;
  int rc = uv_fileno((uv_handle_t *)c->tcp, &fd);
  (void)in;
  if (rc != 0) return vow_fail(rc);
  if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) != 0) {
    return vow_failf(UV_EIO, "SO_LINGER cannot be set");
  }
  return vow_nil();
}

static vow_future_t *answer_reset(connection_t *c, const char *query) {
  /* The pause is for the client's libuv: bytes and a reset that it finds in
   * one poll look like bytes and a regular end to it. */
  uint64_t delay_ms = read_query(query, "ms=", 100, DELAY_MAX_MS);
  vow_future_t *f =
      vow_gather_of(c->loop, send_half(c), vow_sleep(c->loop, delay_ms));
  return vow_then(f, reset, c);
}

static vow_future_t *answer_flaky(connection_t *c, const char *query) {
  static bool has_come[FLAKY_IDS];
  uint64_t id = read_query(query, "id=", 0, FLAKY_IDS - 1);
  if (has_come[id]) return answer_ok(c, query);
  has_come[id] = true;
  return vow_then(vow_ready(c->loop, vow_nil()), reset, c);
}

/* ---- which one -------------------------------------------------------------
 */

typedef struct route {
  const char *path;
  vow_future_t *(*answer)(connection_t *c, const char *query);
} route_t;

static const route_t routes[] = {
    {"/ok", answer_ok},           {"/big", answer_big},
    {"/delay", answer_delay},     {"/slow", answer_slow},
    {"/chunked", answer_chunked}, {"/flaky", answer_flaky},
    {"/hang", answer_hang},       {"/reset", answer_reset},
    {"/cut", answer_cut},         {"/garbage", answer_garbage}};

vow_future_t *routes_answer(connection_t *c, const char *path) {
  size_t length = strcspn(path, "?");
  const char *query = path[length] == '?' ? path + length + 1 : "";
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    if (strlen(routes[i].path) == length &&
        memcmp(routes[i].path, path, length) == 0) {
      return routes[i].answer(c, query);
    }
  }
  return answer_not_found(c, query);
}
