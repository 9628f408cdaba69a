/* SPDX-License-Identifier: MIT */
/* The lines of a file, with vow_file_lines and with uv_fs_read and memchr. */
#define _GNU_SOURCE
#include "bench/lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)1024 * 1024)

/* ---- the file ------------------------------------------------------------ */

static char path[256]; /* of the file; "" when there is none */
static size_t path_line_bytes;

static void remove_file(void) {
  if (path[0] != '\0') unlink(path);
  path[0] = '\0';
}

static int create_file(void) {
  const char *folder = getenv("TMPDIR");
  int fd;
  if (folder == NULL) folder = "/tmp";
  snprintf(path, sizeof path, "%s/vow-bench-XXXXXX", folder);
  fd = mkstemp(path);
  BENCH_REQUIRE(fd >= 0);
  return fd;
}

/* The file with lines of that length, made when it is not there. */
static const char *file_of(size_t line_bytes) {
  size_t left = LINES_TOTAL_BYTES;
  size_t filled;
  char *text;
  int fd;
  if (path_line_bytes == line_bytes) return path;
  if (path_line_bytes == 0) atexit(remove_file);
  remove_file();
  fd = create_file();
  text = bench_malloc(CHUNK_BYTES);
  filled = lines_fill(text, CHUNK_BYTES, line_bytes);
  while (left > 0) {
    size_t n = left < filled ? left : filled;
    BENCH_REQUIRE(write(fd, text, n) == (ssize_t)n);
    left -= n;
  }
  close(fd);
  free(text);
  path_line_bytes = line_bytes;
  return path;
}

/* ---- with vow ------------------------------------------------------------ */

typedef struct futures {
  vow_lines_t *lines;
  lines_seen_t seen;
} futures_t;

static vow_value_t on_line(vow_future_t *in, void *arg) {
  futures_t *run = arg;
  vow_bytes_t *line = vow_bytes_get(in);
  lines_see(&run->seen, vow_bytes_data(line), vow_bytes_length(line));
  return vow_follow(vow_then(vow_lines_next(run->lines), on_line, run));
}

double lines_file_vow(size_t line_bytes) {
  const char *file = file_of(line_bytes);
  vow_loop_t *loop = bench_loop_new();
  futures_t run = {NULL, {0, 0, 0}};
  vow_future_t *done;
  uint64_t start, end;
  BENCH_REQUIRE(vow_file_lines(loop, file, SIZE_MAX, &run.lines) == 0);
  start = bench_cpu_ns();
  done = vow_then(vow_lines_next(run.lines), on_line, &run);
  BENCH_REQUIRE(vow_loop_run_until(loop, done) == 0);
  end = bench_cpu_ns();
  BENCH_REQUIRE(vow_status(done) == UV_EOF);
  vow_drop(done);
  vow_lines_free(run.lines);
  lines_check(&run.seen, line_bytes);
  bench_loop_done(loop);
  return bench_per_item(start, end, LINES_TOTAL_BYTES);
}

/* ---- by hand ------------------------------------------------------------- */

typedef struct raw {
  uv_loop_t loop;
  uv_fs_t req;
  uv_file file;
  char *data;
  size_t length; /* of the begun line at the front */
  lines_seen_t seen;
} raw_t;

static void read_more(raw_t *run);

static void on_read(uv_fs_t *req) {
  raw_t *run = req->data;
  ssize_t n = req->result;
  size_t found;
  uv_fs_req_cleanup(req);
  BENCH_REQUIRE(n >= 0);
  if (n == 0) return;
  run->length += (size_t)n;
  found = lines_find(&run->seen, run->data, run->length);
  run->length -= found;
  memmove(run->data, run->data + found, run->length);
  read_more(run);
}

static void read_more(raw_t *run) {
  uv_buf_t buf = uv_buf_init(run->data + run->length,
                             (unsigned)(CHUNK_BYTES - run->length));
  BENCH_REQUIRE(buf.len > 0);
  BENCH_REQUIRE(
      uv_fs_read(&run->loop, &run->req, run->file, &buf, 1, -1, on_read) == 0);
}

double lines_file_hand(size_t line_bytes) {
  const char *file = file_of(line_bytes);
  raw_t run = {.data = bench_malloc(CHUNK_BYTES)};
  uint64_t start, end;
  BENCH_REQUIRE(uv_loop_init(&run.loop) == 0);
  run.file = open(file, O_RDONLY | O_CLOEXEC);
  BENCH_REQUIRE(run.file >= 0);
  run.req.data = &run;
  start = bench_cpu_ns();
  read_more(&run);
  uv_run(&run.loop, UV_RUN_DEFAULT);
  end = bench_cpu_ns();
  lines_check(&run.seen, line_bytes);
  close(run.file);
  free(run.data);
  BENCH_REQUIRE(uv_loop_close(&run.loop) == 0);
  return bench_per_item(start, end, LINES_TOTAL_BYTES);
}
