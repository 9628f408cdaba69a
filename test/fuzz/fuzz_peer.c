/* SPDX-License-Identifier: MIT */
/* Reads bytes as a conversation over the test kit's network in memory: a client
 * task, and a peer that plays a script, echoes, or is the other end of a pair;
 * the wire's ways, and what happens to it meanwhile. What arrives must be what
 * was sent, in order; it must come to an end; nothing may be left.
 *
 * How this works: a head of twelve bytes (see main_head), the script and the
 * client's program, which end with a zero, then what happens, in instructions
 * of two bytes. A conversation is strict when both sides keep to it and the
 * wire only delays: then all of it must succeed, and no script complain. */
#include "fuzz/peer_conn.h"

#define ROUNDS_MAX 4
#define STEPS_MAX  24
#define EVENTS_MAX 48
#define ADDRESS    "peer:1"
#define LONG_MS    UINT64_C(100000000)

typedef enum kind { ROUNDS, ANY_SCRIPT, ECHOES, PAIR } kind_t;

typedef struct round {
  size_t asked, answered; /* bytes */
  size_t piece;
  unsigned way;
} round_t;

typedef struct world {
  vow_loop_t *loop;
  vow_check_net_t *net;
  fuzz_input_t in;
  kind_t kind;
  bool strict;
  round_t rounds[ROUNDS_MAX];
  size_t count;
  unsigned ending;
  uint8_t program[STEPS_MAX]; /* the client's, of ANY_SCRIPT */
  size_t program_length;
  uint64_t patience_ms;
  conn_t client, server;
  vow_check_listener_t *listener;
  vow_future_t *client_task, *server_task;
} world_t;

static const size_t sizes[] = {1, 2, 3, 5, 9, 14, 30, 70};

/* ---- scripts --------------------------------------------------------------
 */

typedef struct script {
  vow_check_step_t steps[STEPS_MAX];
  size_t count;
  size_t expected, replied;
} script_t;

static void add_act(script_t *s, vow_check_act_t act, int64_t number) {
  vow_check_step_t step = {act, NULL, 0, number};
  if (s->count < STEPS_MAX) s->steps[s->count++] = step;
}

static void add_expect(script_t *s, size_t n) {
  vow_check_step_t step = {VOW_CHECK_EXPECT, up + s->expected, n, 0};
  if (s->count == STEPS_MAX) return;
  s->steps[s->count++] = step;
  s->expected += n;
}

static void add_reply(script_t *s, size_t n) {
  vow_check_step_t step = {VOW_CHECK_REPLY, down + s->replied, n, 0};
  if (s->count == STEPS_MAX) return;
  s->steps[s->count++] = step;
  s->replied += n;
}

static void play(world_t *w, const script_t *s) {
  if (s->count > 0)
    vow_check_peer_at(VOW_SITE, w->net, ADDRESS, s->steps, s->count);
}

/* The client's rounds, from the other side. */
static void play_rounds(world_t *w) {
  script_t s = {0};
  for (size_t i = 0; i < w->count; i++) {
    add_expect(&s, w->rounds[i].asked);
    if (w->rounds[i].way & 8) add_act(&s, VOW_CHECK_DELAY, 5);
    add_reply(&s, w->rounds[i].answered);
  }
  /* A write whose last byte is answered by a reset may fail. */
  if (w->ending & 1) add_act(&s, VOW_CHECK_DELAY, 1);
  switch (w->ending % 4) {
  case 0:
    add_act(&s, VOW_CHECK_EXPECT_END, 0);
    add_act(&s, VOW_CHECK_END, 0);
    break;
  case 1:
    add_act(&s, VOW_CHECK_CLOSE, 0);
    break;
  case 2:
    add_act(&s, VOW_CHECK_END, 0);
    add_act(&s, VOW_CHECK_EXPECT_END, 0);
    break;
  default:
    add_act(&s, VOW_CHECK_RESET, UV_ECONNABORTED);
    break;
  }
  play(w, &s);
}

/* Whatever the bytes say; a zero ends it. */
static void play_any(world_t *w) {
  script_t s = {0};
  for (size_t i = 0; i < STEPS_MAX - 1; i++) {
    unsigned byte = fuzz_byte(&w->in);
    if (byte == 0) break;
    if (byte % 4 == 1)
      add_expect(&s, sizes[(byte >> 2) % 8]);
    else if (byte % 4 == 2)
      add_reply(&s, sizes[(byte >> 2) % 8]);
    else if (byte % 4 == 3)
      add_act(&s, VOW_CHECK_DELAY, byte >> 4);
    else if (i == 0 || byte >> 2 < 8)
      add_act(&s,
              (vow_check_act_t)(VOW_CHECK_END + (byte >> 2) % 5 +
                                (byte & 128 ? 2 : 0)),
              0);
  }
  for (size_t i = 1; i < s.count; i++) /* the only step, if any */
    if (s.steps[i].act == VOW_CHECK_REFUSE || s.steps[i].act == VOW_CHECK_HANG)
      s.steps[i].act = VOW_CHECK_IGNORE;
  play(w, &s);
}

/* ---- clients --------------------------------------------------------------
 */

static int talk_rounds(world_t *w, conn_t *c) {
  int err = 0;
  for (size_t i = 0; i < w->count && err == 0; i++) {
    const round_t *r = &w->rounds[i];
    err = conn_write(c, r->asked, r->piece);
    if (err == 0) err = conn_read(c, r->way, r->answered);
  }
  if (err != 0) return err;
  if (w->ending % 4 == 0) err = vow_await_status(vow_stream_shutdown(c->s));
  if (err != 0) return err;
  err = conn_read_end(c);
  if (w->strict)
    REQUIRE(err == (w->ending % 4 == 3 ? UV_ECONNABORTED : UV_EOF));
  return 0;
}

static int talk_step(conn_t *c, unsigned byte) {
  size_t n = sizes[(byte >> 3) % 8];
  switch (byte % 8) {
  case 0:
    return vow_await_status(vow_stream_shutdown(c->s));
  case 1:
  case 2:
    return conn_write(c, n, byte >> 6);
  case 3:
  case 4:
    return conn_read(c, byte >> 6, n);
  case 5:
    return vow_await_status(vow_sleep(vow_task_loop(), byte >> 3));
  case 6:
    if (byte >> 6 == 0) vow_drop(vow_stream_reset(c->s, 0));
    if (byte >> 6 == 1) vow_drop(vow_stream_close(c->s));
    return 0;
  default: /* nobody waits for it */
    if (c->written + n > PATTERN_BYTES) return 0;
    vow_drop(vow_stream_write(c->s, c->out + c->written, n));
    c->written += n;
    return 0;
  }
}

static int talk_any(world_t *w, conn_t *c) {
  int err = 0;
  for (size_t i = 0; i < w->program_length && err == 0; i++)
    err = talk_step(c, w->program[i]);
  return err;
}

/* Writes while somebody reads. */
static vow_value_t write_all(void *arg) {
  world_t *w = arg;
  int err = 0;
  for (size_t i = 0; i < w->count && err == 0; i++)
    err = conn_write(&w->client, w->rounds[i].asked, w->rounds[i].piece);
  if (err == 0) err = vow_await_status(vow_stream_shutdown(w->client.s));
  return err == 0 ? vow_nil() : vow_fail_status(err);
}

static size_t total_asked(const world_t *w) {
  size_t total = 0;
  for (size_t i = 0; i < w->count; i++) total += w->rounds[i].asked;
  return total;
}

static int talk_echo(world_t *w, conn_t *c) {
  vow_future_t *writing = vow_go(w->loop, write_all, w);
  int err = 0, end = 0;
  c->in = up;
  for (size_t i = 0; i < w->count && err == 0; i++)
    err = conn_read(c, w->rounds[i].way, w->rounds[i].asked);
  if (err == 0) end = conn_read_end(c);
  if (err != 0) vow_cancel(writing);
  end = vow_await_status(writing) == 0 ? end : UV_EIO;
  if (w->strict) REQUIRE(err == 0 && end == UV_EOF && c->got == total_asked(w));
  return err;
}

static vow_value_t client_body(void *arg) {
  world_t *w = arg;
  conn_t *c = &w->client;
  vow_value_t v;
  int err;
  c->out = up;
  c->in = down;
  c->patience_ms = w->patience_ms;
  if (w->kind != PAIR) {
    v = vow_await(vow_check_connect(w->loop, "peer", "1", w->net));
    if (vow_value_is_failure(v)) return v;
    c->s = vow_stream_ref(vow_value_get(v, &vow_type_stream));
    vow_value_destroy(v);
  }
  if (w->kind == ROUNDS)
    err = talk_rounds(w, c);
  else if (w->kind == ANY_SCRIPT)
    err = talk_any(w, c);
  else
    err = talk_echo(w, c);
  vow_stream_unref(c->s);
  c->s = NULL;
  return err == 0 ? vow_nil() : vow_fail_status(err);
}

/* ---- servers --------------------------------------------------------------
 */

/* What comes goes back; then both directions end. */
static vow_value_t echo(vow_stream_t *s) {
  int err = vow_await_status(vow_stream_copy(s, s, UINT64_MAX));
  if (err == 0) err = vow_await_status(vow_stream_shutdown(s));
  vow_stream_unref(s);
  return err == 0 ? vow_nil() : vow_fail_status(err);
}

static vow_value_t server_body(void *arg) {
  world_t *w = arg;
  vow_stream_t *s = w->server.s;
  vow_value_t v;
  w->server.s = NULL;
  if (w->kind == ECHOES) {
    if (w->listener == NULL) return vow_fail(VOW_ESHUTDOWN);
    v = vow_await(vow_check_accept(w->listener));
    if (vow_value_is_failure(v)) return v;
    s = vow_stream_ref(vow_value_get(v, &vow_type_stream));
    vow_value_destroy(v);
  }
  return echo(s);
}

/* ---- what happens meanwhile -----------------------------------------------
 */

static vow_check_wire_t wire_of(fuzz_input_t *in) {
  static const uint64_t speeds[] = {0, 0, 10, 1000, 100000};
  static const size_t capacities[] = {0, 1, 5, 100, 4096};
  vow_check_wire_t wire = {0};
  unsigned byte = fuzz_byte(in);
  wire.delivery = (vow_check_delivery_t)(byte % 4);
  wire.latency_ms = (byte >> 2) % 4 * 7;
  wire.jitter_ms = (byte >> 4) % 4 * 4;
  byte = fuzz_byte(in);
  wire.bytes_per_s = speeds[byte % 5];
  wire.capacity_bytes = capacities[(byte >> 3) % 5];
  return wire;
}

static void reset_all(world_t *w, unsigned arg) {
  if (w->strict) return;
  vow_check_reset_all(w->net, arg & 1 ? ADDRESS : NULL, UV_EHOSTDOWN);
}

static void happen(world_t *w, unsigned op, unsigned arg) {
  vow_check_wire_t wire;
  switch (op % 8) {
  case 0:
    vow_loop_step(w->loop);
    break;
  case 1:
    manual_drain(w->loop);
    break;
  case 2:
  case 3:
    manual_advance(w->loop, arg % 64);
    break;
  case 4:
    vow_check_partition(w->net, arg & 1 ? ADDRESS : NULL);
    break;
  case 5:
    vow_check_heal(w->net, arg & 1 ? ADDRESS : NULL);
    break;
  case 6:
    wire = wire_of(&w->in);
    vow_check_net_set_wire(w->net, &wire);
    break;
  default:
    if (arg >> 5 == 0) reset_all(w, arg);
    if (arg >> 5 == 1 && !w->strict) vow_cancel(w->client_task);
    if (arg >> 5 == 2 && !w->strict) vow_check_unlisten(w->listener);
    if (arg >> 5 == 2 && !w->strict) w->listener = NULL;
    break;
  }
}

/* ---- the whole conversation -----------------------------------------------
 */

/* The head: the loop's mode and seed, the kind, the end, patience, the wire,
 * the seed of the wire, then the rounds, of two bytes each. */
static void read_head(world_t *w) {
  unsigned mode = fuzz_byte(&w->in), seed = fuzz_byte(&w->in), byte;
  vow_check_wire_t wire;
  w->loop = fuzz_loop(mode & 9, 0, seed);
  byte = fuzz_byte(&w->in);
  w->kind = (kind_t)(byte % 4);
  w->strict = (byte & 4) == 0 && w->kind != ANY_SCRIPT;
  w->ending = byte >> 4;
  w->count = 1 + (byte >> 6);
  w->patience_ms = fuzz_byte(&w->in) % 32;
  kit.complaints = 0;
  kit.random = 1 + (uint64_t)fuzz_byte(&w->in) * 0x9e3779b97f4a7c15u;
  wire = wire_of(&w->in);
  w->net = vow_check_net_new(w->loop, &wire);
  for (size_t i = 0; i < w->count; i++) {
    byte = fuzz_byte(&w->in);
    w->rounds[i].asked = sizes[byte % 8];
    w->rounds[i].answered = sizes[byte / 8 % 8];
    w->rounds[i].piece = byte >> 6 == 0 ? 0 : sizes[byte >> 6];
    w->rounds[i].way = fuzz_byte(&w->in);
  }
}

static void begin(world_t *w) {
  switch (w->kind) {
  case ROUNDS:
    play_rounds(w);
    break;
  case ANY_SCRIPT:
    play_any(w);
    while (w->program_length < STEPS_MAX) {
      uint8_t byte = fuzz_byte(&w->in);
      if (byte == 0) break;
      w->program[w->program_length++] = byte;
    }
    break;
  case ECHOES:
    w->listener = vow_check_listen(w->net, ADDRESS);
    break;
  default:
    vow_check_pair(w->net, &w->client.s, &w->server.s);
    break;
  }
  if (w->kind >= ECHOES) w->server_task = vow_go(w->loop, server_body, w);
  w->client_task = vow_go(w->loop, client_body, w);
}

static void end_task(world_t *w, vow_future_t *f) {
  if (f == NULL) return;
  if (w->strict)
    REQUIRE(vow_is_settled(f) && vow_status(f) == 0);
  else
    vow_cancel(f);
  manual_advance(w->loop, LONG_MS);
  REQUIRE(vow_is_settled(f));
  (void)vow_status(f);
  vow_drop(f);
}

static void end(world_t *w) {
  vow_check_heal(w->net, NULL);
  manual_advance(w->loop, LONG_MS);
  end_task(w, w->client_task);
  end_task(w, w->server_task);
  vow_stream_unref(w->client.s); /* unless their tasks did */
  vow_stream_unref(w->server.s);
  manual_advance(w->loop, LONG_MS);
  vow_check_net_free(w->net);
  REQUIRE(!w->strict || kit.complaints == 0);
  fuzz_close(w->loop);
  fuzz_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  world_t w = {0};
  fuzz_input_t in = {data, size, 0};
  fill_patterns();
  w.in = in;
  read_head(&w);
  begin(&w);
  for (unsigned i = 0; i < EVENTS_MAX && fuzz_left(&w.in) > 1; i++) {
    unsigned op = fuzz_byte(&w.in);
    happen(&w, op, fuzz_byte(&w.in));
  }
  end(&w);
  return 0;
}
