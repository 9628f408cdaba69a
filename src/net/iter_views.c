/* SPDX-License-Identifier: MIT */
/* Byte streams, lines of files and walks as iterators. */
#include "net/pull.h"

#include <vow/iter_class.h>
#include <vow/iter_net.h>

#include <uv.h>

/* ---- streams ------------------------------------------------------------- */

typedef struct part {
  vow_stream_t *s;
  size_t max_bytes;
} part_t;

static vow_future_t *bytes_next(const char *site, void *source) {
  const part_t *p = source;
  return vow_stream_read_at(site, p->s, p->max_bytes);
}

static vow_future_t *line_next(const char *site, void *source) {
  const part_t *p = source;
  return vow_stream_read_line_at(site, p->s, p->max_bytes);
}

static vow_future_t *part_close(void *source) {
  part_t *p = source;
  vow_stream_unref(p->s);
  vow_release(p);
  return NULL;
}

static const vow_iter_view_t bytes_view = {"stream_iter", bytes_next,
                                           part_close, 0};
static const vow_iter_view_t line_view = {"stream_line_iter", line_next,
                                          part_close, 0};

static vow_iter_t *stream_view(const char *site, vow_stream_t *s,
                               size_t max_bytes, const vow_iter_view_t *kind) {
  vow_loop_t *loop = vow_stream_loop(s);
  part_t *p;
  if (s == NULL)
    return vow_iter_failed(vow_misuse_at(site, NULL, UV_EINVAL,
                                         "%s: the stream is NULL", kind->name));
  p = vow_alloc(sizeof *p);
  if (p == NULL) return vow_iter_failed(vow_op_failed(site, loop, kind->name));
  p->s = vow_stream_ref(s);
  p->max_bytes = max_bytes;
  return vow_iter_view_at(site, loop, p, kind);
}

vow_iter_t *vow_stream_iter_at(const char *site, vow_stream_t *s,
                               size_t max_bytes) {
  return stream_view(site, s, max_bytes, &bytes_view);
}

vow_iter_t *vow_stream_line_iter_at(const char *site, vow_stream_t *s,
                                    size_t max_bytes) {
  return stream_view(site, s, max_bytes, &line_view);
}

/* ---- lines, walks -------------------------------------------------------- */

/* The future of what is under way, to be awaited; NULL when nothing is. A pull
 * is freed when that has ended. */
static vow_future_t *under_way(vow__pull_t *p) {
  return p->filling != NULL ? vow_ref(vow_op_future(p->filling)) : NULL;
}

static vow_future_t *lines_next(const char *site, void *source) {
  return vow_lines_next_at(site, source);
}

static vow_future_t *lines_close(void *source) {
  vow_future_t *f = under_way(source);
  vow_lines_free(source);
  return f;
}

static vow_future_t *walk_next(const char *site, void *source) {
  return vow_walk_next_at(site, source);
}

static vow_future_t *walk_close(void *source) {
  vow_future_t *f = under_way(source);
  vow_walk_free(source);
  return f;
}

static const vow_iter_view_t lines_view = {"lines_iter", lines_next,
                                           lines_close, 0};
static const vow_iter_view_t walk_view = {"walk_iter", walk_next, walk_close,
                                          0};

static vow_iter_t *pull_view(const char *site, void *source,
                             const vow_iter_view_t *kind) {
  const vow__pull_t *p = source; /* both begin with one */
  return vow_iter_view_at(site, p != NULL ? p->loop : NULL, source, kind);
}

vow_iter_t *vow_lines_iter_at(const char *site, vow_lines_t *lines) {
  return pull_view(site, lines, &lines_view);
}

vow_iter_t *vow_walk_iter_at(const char *site, vow_walk_t *walk) {
  return pull_view(site, walk, &walk_view);
}
