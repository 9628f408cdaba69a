/* SPDX-License-Identifier: MIT */
/* The lines of a stream that another thread writes as fast as it is read:
 * vow_stream_read_line, and uv_read_start with memchr. */
#define _GNU_SOURCE
#include "bench/lines.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)64 * 1024)
/* Of a line that a read cut, at most. */
#define LINE_MAX_BYTES ((size_t)1024)

/* ---- the writer ---------------------------------------------------------- */

typedef struct writer {
  uv_thread_t thread;
  size_t line_bytes;
  int fd;
} writer_t;

static void write_lines(void *arg) {
  writer_t *w = arg;
  char *text = bench_malloc(CHUNK_BYTES);
  size_t filled = lines_fill(text, CHUNK_BYTES, w->line_bytes);
  size_t left = LINES_TOTAL_BYTES;
  size_t at = 0;
  while (left > 0) {
    size_t n = filled - at < left ? filled - at : left;
    ssize_t sent = write(w->fd, text + at, n);
    BENCH_REQUIRE(sent > 0);
    at += (size_t)sent;
    left -= (size_t)sent;
    if (at == filled) at = 0;
  }
  close(w->fd);
  free(text);
}

/* Returns the end to read from. */
static int writer_start(writer_t *w, size_t line_bytes) {
  int fds[2];
  BENCH_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  w->line_bytes = line_bytes;
  w->fd = fds[1];
  BENCH_REQUIRE(uv_thread_create(&w->thread, write_lines, w) == 0);
  return fds[0];
}

/* ---- with vow ------------------------------------------------------------ */

typedef struct futures {
  vow_stream_t *stream;
  lines_seen_t seen;
} futures_t;

static vow_value_t on_line(vow_future_t *in, void *arg) {
  futures_t *run = arg;
  vow_bytes_t *line = vow_bytes_get(in);
  lines_see(&run->seen, vow_bytes_data(line), vow_bytes_length(line));
  return vow_follow(vow_then(vow_stream_read_line(run->stream, LINE_MAX_BYTES),
                             on_line, run));
}

double lines_stream_vow(size_t line_bytes) {
  vow_loop_t *loop = bench_loop_new();
  futures_t run = {NULL, {0, 0, 0}};
  writer_t writer;
  uv_pipe_t *pipe;
  vow_future_t *done;
  uint64_t start, end;
  BENCH_REQUIRE(vow_pipe_new(loop, false, &pipe) == 0);
  BENCH_REQUIRE(uv_pipe_open(pipe, writer_start(&writer, line_bytes)) == 0);
  BENCH_REQUIRE(vow_stream_from_uv((uv_stream_t *)pipe, VOW_STREAM_OWNED,
                                   &run.stream) == 0);
  start = bench_thread_ns();
  done =
      vow_then(vow_stream_read_line(run.stream, LINE_MAX_BYTES), on_line, &run);
  BENCH_REQUIRE(vow_loop_run_until(loop, done) == 0);
  end = bench_thread_ns();
  BENCH_REQUIRE(vow_status(done) == UV_EOF);
  vow_drop(done);
  vow_stream_unref(run.stream);
  BENCH_REQUIRE(vow_loop_run(loop) == 0);
  bench_loop_done(loop);
  uv_thread_join(&writer.thread);
  lines_check(&run.seen, line_bytes);
  return bench_per_item(start, end, LINES_TOTAL_BYTES);
}

/* ---- by hand ------------------------------------------------------------- */

typedef struct raw {
  uv_pipe_t pipe;
  char *data;
  size_t length; /* of the begun line at the front */
  lines_seen_t seen;
} raw_t;

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  raw_t *run = handle->data;
  (void)hint;
  *buf = uv_buf_init(run->data + run->length, CHUNK_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  raw_t *run = stream->data;
  size_t found;
  (void)buf;
  if (nread == 0) return;
  if (nread < 0) {
    BENCH_REQUIRE(nread == UV_EOF);
    uv_close((uv_handle_t *)stream, NULL);
    return;
  }
  run->length += (size_t)nread;
  found = lines_find(&run->seen, run->data, run->length);
  run->length -= found;
  BENCH_REQUIRE(run->length <= LINE_MAX_BYTES);
  memmove(run->data, run->data + found, run->length);
}

double lines_stream_hand(size_t line_bytes) {
  raw_t run = {.data = bench_malloc(LINE_MAX_BYTES + CHUNK_BYTES)};
  writer_t writer;
  uv_loop_t loop;
  uint64_t start, end;
  BENCH_REQUIRE(uv_loop_init(&loop) == 0);
  uv_pipe_init(&loop, &run.pipe, 0);
  run.pipe.data = &run;
  BENCH_REQUIRE(uv_pipe_open(&run.pipe, writer_start(&writer, line_bytes)) ==
                0);
  start = bench_thread_ns();
  BENCH_REQUIRE(uv_read_start((uv_stream_t *)&run.pipe, on_alloc, on_read) ==
                0);
  uv_run(&loop, UV_RUN_DEFAULT);
  end = bench_thread_ns();
  uv_thread_join(&writer.thread);
  lines_check(&run.seen, line_bytes);
  free(run.data);
  BENCH_REQUIRE(uv_loop_close(&loop) == 0);
  return bench_per_item(start, end, LINES_TOTAL_BYTES);
}
