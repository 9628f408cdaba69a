/* SPDX-License-Identifier: MIT */
/* Reads bytes as a program that reads one stream in all shapes, while its input
 * comes in pieces, ends, fails, is cancelled; and compares what comes out with
 * a plain reference over the whole input (stream_model.h).
 *
 * How this works: a head of five bytes, then instructions of two, some with
 * literal bytes behind them. Reads stand in a list until they have settled,
 * which they must do in order. After each instruction all that have are
 * compared; after each drain of the loop, none may still wait that could be
 * served. While an iterator or a copy has the stream there are no other
 * reads. */
#include "fuzz/stream_model.h"
#include "fuzz/stream_source.h"

#define READS_MAX 16
#define STEPS_MAX 128
#define STALL     UV_EINTR

typedef struct read {
  wish_t wish;
  vow_future_t *f;
} read_t;

typedef struct world {
  source_t source;
  fuzz_input_t in;
  bool faults, closed, stalled;
  bool blind; /* nobody can tell where the reader is any more */
  size_t at;  /* so far the reads have taken */
  read_t reads[READS_MAX];
  size_t count;
  /* An iterator has the stream. */
  vow_iter_t *it;
  vow_future_t *next; /* NULL: none is pending */
  size_t line_max;
  bool ahead;   /* it may hold lines that were not given */
  bool adapted; /* an adaptor is on top of it */
  /* A copy has it. */
  vow_future_t *copy;
  vow_stream_t *sink_near, *sink_far;
  uint64_t copy_limit;
} world_t;

static const size_t sizes[] = {
    0,  1,       2, 3, 4, 5, 7, 8, 16, 100, 1000, 5000, 70000, SIZE_MAX - 1,
    31, SIZE_MAX};
static const char *const delimiters[] = {
    "\n", "\r\n", "ab", "aab", "aba", "0123456789abcdef", "aaaaaaaab", "\n\n"};

static rest_t rest_of(const world_t *w) {
  rest_t r = {w->source.sent + w->at, w->source.sent_bytes - w->at,
              w->source.end};
  return r;
}

/* ---- comparing ------------------------------------------------------------
 */

static void same_bytes(const world_t *w, const vow_bytes_t *b, size_t length) {
  REQUIRE(b != NULL && vow_bytes_length(b) == length);
  REQUIRE(memcmp(vow_bytes_data(b), w->source.sent + w->at, length) == 0);
}

static bool may_fail_with(const world_t *w, int code) {
  if (code == UV_ENOMEM) return w->faults;
  if (code == VOW_ESHUTDOWN) return w->closed;
  return code == STALL && w->stalled;
}

/* f, a read of this kind that was the first in line, has settled. */
static void compare(world_t *w, const wish_t *wish, vow_future_t *f) {
  rest_t r = rest_of(w);
  verdict_t v = model_read(wish, &r);
  int code = vow_status(f);
  if (w->blind || may_fail_with(w, code)) return;
  REQUIRE(v.how != WAITS);
  if (v.how == FAILS) {
    REQUIRE(code == v.code);
    return;
  }
  REQUIRE(code == 0);
  if (wish->shape == SOME) {
    size_t length = vow_bytes_length(vow_bytes_get(f));
    REQUIRE(length > 0 && length <= v.length);
    v.length = v.taken = length;
  }
  same_bytes(w, vow_bytes_get(f), v.length);
  w->at += v.taken;
}

static void forget_read(world_t *w, size_t i) {
  vow_drop(w->reads[i].f);
  w->count--;
  memmove(&w->reads[i], &w->reads[i + 1], (w->count - i) * sizeof w->reads[0]);
}

static void look_at_reads(world_t *w, bool quiet) {
  while (w->count > 0 && vow_is_settled(w->reads[0].f)) {
    compare(w, &w->reads[0].wish, w->reads[0].f);
    forget_read(w, 0);
  }
  for (size_t i = 0; i < w->count; i++)
    REQUIRE(!vow_is_settled(w->reads[i].f)); /* nobody overtakes */
  if (w->count > 0 && quiet && !w->faults && !w->blind) {
    rest_t r = rest_of(w);
    REQUIRE(model_read(&w->reads[0].wish, &r).how == WAITS);
  }
}

/* Of the iterator: what is given after the stream was closed came before. */
static void look_at_next(world_t *w, bool quiet) {
  wish_t wish = {LINE, w->line_max, NULL};
  vow_future_t *f = w->next;
  if (f != NULL && vow_is_settled(f)) {
    if (vow_status(f) != 0 || !w->closed) {
      compare(w, &wish, f);
    } else if (!w->blind) {
      vow_bytes_t *b = vow_bytes_get(f);
      same_bytes(w, b, vow_bytes_length(b));
      w->blind = true;
    }
    w->next = NULL;
    vow_drop(f);
  } else if (f != NULL && quiet && !w->faults && !w->blind) {
    rest_t r = rest_of(w);
    REQUIRE(model_read(&wish, &r).how == WAITS);
  }
}

/* What waits and what was taken are what was pushed. */
static void look_at_buffer(world_t *w) {
  size_t buffered = vow_stream_buffered(w->source.s);
  if (w->blind || w->closed || w->it != NULL || w->copy != NULL) return;
  if (w->source.is_pair)
    REQUIRE(w->at + buffered <= w->source.sent_bytes);
  else
    REQUIRE(w->at + buffered == w->source.pushed_bytes);
}

static void end_copy(world_t *w);

static void look(world_t *w, bool quiet) {
  look_at_reads(w, quiet);
  look_at_next(w, quiet);
  if (w->copy != NULL && vow_is_settled(w->copy)) end_copy(w);
  look_at_buffer(w);
  source_look(&w->source);
}

static void drain(world_t *w) {
  manual_drain(w->source.loop);
  look(w, true);
}

/* ---- input ----------------------------------------------------------------
 */

static char *room(world_t *w, size_t n) {
  source_t *x = &w->source;
  return x->sent_bytes + n <= SENT_MAX ? x->sent + x->sent_bytes : NULL;
}

static void feed_literal(world_t *w, unsigned arg) {
  size_t n = arg % 32 + 1, i;
  char *to = room(w, n);
  if (n > fuzz_left(&w->in)) n = fuzz_left(&w->in);
  if (to == NULL) return;
  for (i = 0; i < n; i++) to[i] = (char)fuzz_byte(&w->in);
  source_send(&w->source, n, arg >> 5);
}

/* Many bytes, with a delimiter here and there. */
static void feed_run(world_t *w, unsigned arg) {
  static const size_t lengths[] = {6, 15, 16, 17, 255, 513, 1023, 4097};
  static const char letters[] = "ab\r#";
  size_t n = lengths[arg % 8], period = (arg >> 5) * 37, i;
  char *to = room(w, n);
  if (to == NULL) return;
  memset(to, letters[(arg >> 3) % 4], n);
  for (i = period; period > 0 && i < n; i += period) to[i] = '\n';
  source_send(&w->source, n, arg >> 3);
}

/* A part of a delimiter: what is found may lie across pieces. */
static void feed_delimiter(world_t *w, unsigned arg) {
  const char *text = delimiters[arg % 8];
  size_t length = strlen(text), from = (arg >> 3) % 4, n;
  char *to;
  if (from >= length) from = 0;
  n = length - from;
  if ((arg >> 5) != 0 && (arg >> 5) < n) n = arg >> 5;
  to = room(w, n);
  if (to == NULL) return;
  memcpy(to, text + from, n);
  source_send(&w->source, n, arg);
}

/* ---- reads ----------------------------------------------------------------
 */

static vow_future_t *read_begin(vow_stream_t *s, const wish_t *wish) {
  switch (wish->shape) {
  case SOME:
    return vow_stream_read(s, wish->n);
  case EXACTLY:
    return vow_stream_read_exactly(s, wish->n);
  case UNTIL:
    return vow_stream_read_until(s, wish->delimiter, strlen(wish->delimiter),
                                 wish->n);
  case LINE:
    return vow_stream_read_line(s, wish->n);
  case TO_END:
    return vow_stream_read_to_end(s, wish->n);
  default:
    return vow_stream_peek(s, wish->n);
  }
}

static bool is_taken(const world_t *w) {
  return w->it != NULL || w->copy != NULL;
}

static void do_read(world_t *w, shape_t shape, unsigned arg) {
  wish_t wish = {shape, sizes[arg % 16], delimiters[(arg >> 4) % 8]};
  vow_future_t *f;
  if (is_taken(w) || w->count == READS_MAX) return;
  if (shape == PEEK && wish.n == 0) wish.n = 1;
  if (shape == UNTIL && wish.n < strlen(wish.delimiter))
    wish.n = strlen(wish.delimiter);
  f = read_begin(w->source.s, &wish);
  if (w->count > 0 && vow_is_settled(f)) { /* before those in line */
    REQUIRE(may_fail_with(w, vow_status(f)));
    vow_drop(f);
    return;
  }
  w->reads[w->count].wish = wish;
  w->reads[w->count].f = f;
  w->count++;
}

static void do_cancel(world_t *w, unsigned arg) {
  size_t i;
  if (w->count == 0) return;
  i = (arg >> 1) % w->count;
  if (arg & 1) {
    vow_cancel(w->reads[i].f);
    REQUIRE(vow_is_cancelled(w->reads[i].f));
  }
  forget_read(w, i);
}

/* ---- the iterator ---------------------------------------------------------
 */

static vow_value_t on_line(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

static void open_iter(world_t *w, unsigned arg) {
  if (is_taken(w) || w->count > 0 || w->closed) return;
  w->line_max = sizes[arg % 16];
  w->it = vow_stream_line_iter(w->source.s, w->line_max);
  w->ahead = false;
  w->adapted = (arg & 0x30) == 0x30;
  if (!w->adapted) return;
  if ((arg >> 6) == 0)
    w->it = vow_iter_map(w->it, on_line, NULL);
  else
    w->it = vow_iter_buffered(w->it, arg >> 6, on_line, NULL);
}

/* Behind lines that were not given the place is told by what is left. */
static void find_place(world_t *w) {
  size_t at;
  if (w->source.is_pair || w->faults) {
    w->blind = w->blind || w->ahead || w->faults;
    return;
  }
  if (w->blind || w->closed) return;
  at = w->source.pushed_bytes - vow_stream_buffered(w->source.s);
  REQUIRE(w->ahead ? at >= w->at : at == w->at);
  w->at = at;
}

static void close_iter(world_t *w) {
  vow_future_t *f;
  if (w->it == NULL) return;
  w->ahead = w->ahead || w->next != NULL; /* on its way perhaps */
  f = vow_iter_close(w->it);
  vow_drop(w->next);
  w->next = NULL;
  vow_iter_free(w->it);
  w->it = NULL;
  manual_drain(w->source.loop);
  REQUIRE(vow_is_settled(f));
  (void)vow_status(f);
  vow_drop(f);
  find_place(w);
}

static void do_iter(world_t *w, unsigned arg) {
  if (w->it == NULL) {
    open_iter(w, arg);
    return;
  }
  switch (arg % 8) {
  case 0:
    close_iter(w);
    break;
  case 1: /* what comes all the same is there for the next */
    if (w->next == NULL) break;
    w->ahead = true;
    vow_cancel(w->next);
    REQUIRE(vow_is_cancelled(w->next));
    vow_drop(w->next);
    w->next = NULL;
    break;
  default:
    if (w->next != NULL) break;
    w->ahead = w->ahead || w->adapted;
    w->next = vow_iter_next(w->it);
    break;
  }
}

/* ---- copies ---------------------------------------------------------------
 */

static void begin_copy(world_t *w, unsigned arg) {
  if (is_taken(w) || w->count > 0 || w->closed) return;
  if (vow_stream_pair(w->source.loop, 2 * SENT_MAX, &w->sink_near,
                      &w->sink_far) != 0)
    return;
  w->copy_limit = arg % 16 < 13 ? sizes[arg % 16] : UINT64_MAX;
  w->copy = vow_stream_copy(w->source.s, w->sink_near, w->copy_limit);
}

/* All that came out of it is what went in. */
static size_t empty_sink(world_t *w) {
  size_t got = 0;
  for (;;) {
    vow_future_t *f = vow_stream_read(w->sink_far, 0);
    if (!vow_is_settled(f) || vow_status(f) != 0) {
      vow_drop(f);
      return got;
    }
    if (!w->blind) {
      size_t n = vow_bytes_length(vow_bytes_get(f));
      REQUIRE(w->at + n <= w->source.sent_bytes);
      same_bytes(w, vow_bytes_get(f), n);
      w->at += n;
      got += n;
    }
    vow_drop(f);
  }
}

static void compare_copy(world_t *w, size_t got) {
  int code = vow_status(w->copy);
  bool all = w->at == w->source.sent_bytes;
  REQUIRE(got <= w->copy_limit);
  if (vow_is_cancelled(w->copy) || may_fail_with(w, code)) return;
  if (code == 0) {
    REQUIRE((uint64_t)vow_get_int(w->copy) == got);
    REQUIRE(got == w->copy_limit || (all && w->source.end == UV_EOF));
  } else {
    REQUIRE(all && code == w->source.end && code != UV_EOF);
  }
}

/* The copy has settled. */
static void end_copy(world_t *w) {
  size_t got;
  w->blind = w->blind || w->faults;
  got = empty_sink(w);
  if (!w->blind) compare_copy(w, got);
  (void)vow_status(w->copy);
  vow_drop(w->copy);
  w->copy = NULL;
  vow_stream_unref(w->sink_near);
  vow_stream_unref(w->sink_far);
}

static void do_copy(world_t *w, unsigned arg) {
  if (w->copy == NULL) {
    begin_copy(w, arg);
  } else if (arg & 1) {
    vow_cancel(w->copy);
  }
}

/* ---- the rest -------------------------------------------------------------
 */

static void do_stall(world_t *w) {
  source_t *x = &w->source;
  if (x->is_pair || x->end_told || w->closed) return;
  w->stalled = true;
  x->reading = false;
  vow_stream_stall(x->s, STALL);
  REQUIRE(w->count == 0 || vow_is_settled(w->reads[w->count - 1].f));
}

static void do_close(world_t *w, unsigned arg) {
  if (w->closed) return;
  w->closed = true;
  vow_drop(arg & 1 ? vow_stream_close(w->source.s)
                   : vow_stream_reset(w->source.s, 0));
  REQUIRE(vow_stream_buffered(w->source.s) == 0);
}

static void do_rare(world_t *w, unsigned arg) {
  switch (arg % 8) {
  case 0:
    do_stall(w);
    break;
  case 1:
    do_close(w, arg >> 3);
    break;
  case 2:
  case 3:
    do_copy(w, arg >> 3);
    break;
  case 4:
    vow_stream_set_high_water(w->source.s, sizes[1 + (arg >> 3) % 11]);
    break;
  case 5:
    vow_loop_step(w->source.loop);
    break;
  default:
    drain(w);
    break;
  }
}

/* What is lost when the peer goes can only be told while reads are plain. */
static void do_end(world_t *w, unsigned arg) {
  if (arg >> 6 != 0) return;
  source_end(&w->source, w->at, is_taken(w) ? 0 : arg);
}

static void execute(world_t *w, unsigned op, unsigned arg) {
  switch (op % 16) {
  case 0:
  case 1:
    feed_literal(w, arg);
    break;
  case 2:
    feed_run(w, arg);
    break;
  case 3:
    feed_delimiter(w, arg);
    break;
  case 4:
    do_end(w, arg);
    break;
  case 5:
    do_cancel(w, arg);
    break;
  case 6:
    drain(w);
    break;
  case 7:
    do_iter(w, arg);
    break;
  case 8:
    do_rare(w, arg);
    break;
  case 9:
    do_read(w, arg & 128 ? LINE : UNTIL, arg);
    break;
  case 10:
    do_read(w, PEEK, arg);
    break;
  default:
    do_read(w, (shape_t)(op % 16 - 11), arg);
    break;
  }
}

/* ---- the whole program ----------------------------------------------------
 */

static void let_go(world_t *w) {
  if (w->it != NULL) {
    vow_drop(w->next);
    vow_iter_free(w->it);
  }
  if (w->copy != NULL) {
    vow_drop(w->copy);
    vow_stream_unref(w->sink_near);
    vow_stream_unref(w->sink_far);
  }
  while (w->count > 0) forget_read(w, w->count - 1);
  source_drop_writes(&w->source);
}

static void finish(world_t *w, unsigned how) {
  source_t *x = &w->source;
  if (how & 1) {
    fault_off();
    source_end(x, w->at, 0);
    drain(w);
  }
  if (how & 2) { /* the loop goes while reads are pending */
    int err = vow_loop_close(x->loop, 10);
    REQUIRE(err == 0);
    let_go(w);
    vow_stream_unref(x->s);
    vow_stream_unref(x->peer);
    return;
  }
  if (how & 4) vow_stream_unref(x->peer); /* before the reads */
  let_go(w);
  vow_stream_unref(x->s);
  if ((how & 4) == 0) vow_stream_unref(x->peer);
  fuzz_close(x->loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  world_t w = {0};
  fuzz_input_t in = {data, size, 0};
  unsigned mode = fuzz_byte(&in), nth = fuzz_byte(&in);
  unsigned how = fuzz_byte(&in), high_water = fuzz_byte(&in);
  w.source.loop = fuzz_loop(mode, nth, fuzz_byte(&in));
  w.faults = (mode & 2) != 0;
  w.source.obedient = (how & 16) != 0;
  w.in = in;
  if (source_open(&w.source, (how & 8) != 0, sizes[1 + high_water % 11])) {
    if (!w.source.is_pair)
      vow_stream_set_high_water(w.source.s, sizes[1 + high_water % 11]);
    for (unsigned i = 0; i < STEPS_MAX && fuzz_left(&w.in) > 1; i++) {
      unsigned op = fuzz_byte(&w.in);
      execute(&w, op, fuzz_byte(&w.in));
      look(&w, false);
    }
  }
  fault_off();
  if (w.source.s != NULL)
    finish(&w, how);
  else
    fuzz_close(w.source.loop);
  fuzz_end();
  return 0;
}
