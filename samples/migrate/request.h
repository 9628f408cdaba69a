/* SPDX-License-Identifier: MIT */
/* What a file server understands and says, and its command line: all that has
 * no callback in it, and so is the same in the four steps. */
#ifndef MIGRATE_REQUEST_H
#define MIGRATE_REQUEST_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

enum {
  REQUEST_MAX = 4096,  /* bytes, up to its empty line */
  CHUNK_BYTES = 65536, /* what is read of a file at a time */
  PATH_BYTES = 4096,
  BACKLOG = 512,
  /* Should it have become a FIFO since it was looked at, opening it must not
   * wait for a writer. */
  OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC
};

/* ---- the command line ---------------------------------------------------- */

typedef struct options {
  const char *root;
  int port;
  uint64_t timeout_ms; /* for a request to come, and for each chunk to go */
  uint64_t grace_ms;   /* for connections to end after the first signal */
} options_t;

static inline bool options_number(const char *text, uint64_t max,
                                  uint64_t *ret_number) {
  char *end;
  unsigned long long number = strtoull(text, &end, 10);
  *ret_number = number;
  return *text >= '0' && *text <= '9' && *end == '\0' && number <= max;
}

/* Says how it is used when the arguments are wrong. */
static inline bool options_read(int argc, char **argv, options_t *ret_options) {
  uint64_t port = 0, timeout_ms = 10000, grace_ms = 5000;
  if (argc < 2 || argc > 5 ||
      (argc > 2 && !options_number(argv[2], 65535, &port)) ||
      (argc > 3 && !options_number(argv[3], 3600000, &timeout_ms)) ||
      (argc > 4 && !options_number(argv[4], 3600000, &grace_ms))) {
    fprintf(stderr, "usage: %s ROOT [PORT [TIMEOUT_MS [GRACE_MS]]]\n", argv[0]);
    return false;
  }
  ret_options->root = argv[1];
  ret_options->port = (int)port;
  ret_options->timeout_ms = timeout_ms;
  ret_options->grace_ms = grace_ms;
  return true;
}

/* ---- the request ---------------------------------------------------------- */

typedef struct request {
  char head[REQUEST_MAX + 1]; /* as it came in */
  size_t length;
  const char *target;    /* within head; NULL until it is known to be fit */
  char path[PATH_BYTES]; /* of the file, when the status is 200 */
  int status;            /* what is answered; 0 before that is known */
} request_t;

/* Whether the empty line is there, after which nothing is of interest. */
static inline bool request_has_ended(const request_t *r) {
  for (size_t i = 0; i + 4 <= r->length; i++) {
    if (memcmp(r->head + i, "\r\n\r\n", 4) == 0) return true;
  }
  return false;
}

/* No spaces and control characters: the target is also written to the log. */
static inline bool request_is_plain(const char *target) {
  for (; *target != '\0'; target++) {
    if (*target <= ' ' || *target > '~') return false;
  }
  return true;
}

/* Whether a part of the path is "..". Names are taken as they are, "%2e" is no
 * dot: so nothing else can lead out, but for links that somebody made there. */
static inline bool request_climbs(const char *target, size_t length) {
  for (size_t i = 0; i + 3 <= length; i++) {
    if (memcmp(target + i, "/..", 3) == 0 &&
        (i + 3 == length || target[i + 3] == '/'))
      return true;
  }
  return false;
}

/* "GET /name HTTP/1.0": sets status, and with status 200 the path. */
static inline void request_parse(request_t *r, const char *root) {
  char *target, *version;
  size_t length;
  r->status = 400;
  if (!request_has_ended(r)) return;
  r->head[strcspn(r->head, "\r")] = '\0';
  if ((target = strchr(r->head, ' ')) == NULL) return;
  *target++ = '\0';
  if ((version = strchr(target, ' ')) == NULL) return;
  *version++ = '\0';
  if (strcmp(version, "HTTP/1.0") != 0 && strcmp(version, "HTTP/1.1") != 0)
    return;
  if (*target != '/' || !request_is_plain(target)) return;
  r->target = target;
  length = strcspn(target, "?");
  if (strcmp(r->head, "GET") != 0) {
    r->status = 405;
  } else if (request_climbs(target, length)) {
    r->status = 403;
  } else if (strlen(root) + length >= PATH_BYTES) {
    r->status = 404;
  } else {
    r->status = 200;
    snprintf(r->path, PATH_BYTES, "%s%.*s", root, (int)length, target);
  }
}

/* What to answer when the file cannot be had. */
static inline int request_status_of(int code) {
  switch (code) {
  case UV_ENOENT:
  case UV_ENOTDIR:
  case UV_ENAMETOOLONG:
    return 404;
  case UV_EACCES:
  case UV_EPERM:
    return 403;
  default:
    return 500;
  }
}

/* What became of an answer. */
static inline const char *request_outcome(int code) {
  switch (code) {
  case 0:
    return "done";
  case UV_ETIMEDOUT:
    return "timed out";
  case UV_ECANCELED:
    return "stopped";
  case UV_EOF:
  case UV_EPIPE:
  case UV_ECONNRESET:
    return "hung up";
  default:
    return uv_strerror(code);
  }
}

/* The line of the log, when the answer has gone, or has not: code is 0 or an
 * error. Who has asked for nothing gets none. */
static inline void request_log(const request_t *r, int code) {
  if (r->status == 0 && r->length == 0) return;
  printf("%03d %s %s\n", r->status, r->target != NULL ? r->target : "-",
         request_outcome(code));
}

/* ---- the answer ----------------------------------------------------------- */

static inline const char *answer_reason(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 400:
    return "Bad Request";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  default:
    return "Internal Server Error";
  }
}

/* The head of an answer with body_bytes to follow. Writes fewer than 512 bytes
 * to buf and gives their number. */
static inline size_t answer_head(char *buf, int status, uint64_t body_bytes) {
  return (size_t)snprintf(buf, 512,
                          "HTTP/1.0 %d %s\r\n%sContent-Length: %" PRIu64
                          "\r\nConnection: close\r\n\r\n",
                          status, answer_reason(status),
                          status == 405 ? "Allow: GET\r\n" : "", body_bytes);
}

/* A whole answer that says what is wrong; likewise. */
static inline size_t answer_error(char *buf, int status) {
  const char *reason = answer_reason(status);
  size_t length = answer_head(buf, status, strlen(reason) + 1);
  return length + (size_t)snprintf(buf + length, 512 - length, "%s\n", reason);
}

#endif
