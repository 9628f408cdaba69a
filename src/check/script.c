/* SPDX-License-Identifier: MIT */
/* Peers that play a script. They need no memory of vow's, and no task. */
#include <string.h>

#include "check/net.h"

#include <stdlib.h>

static void play(vow__script_t *s);

/* ---- telling -------------------------------------------------------------- */

static void add_step(vow__text_t *t, const vow__script_t *s) {
  static const char *const names[] = {
      "VOW_EXPECT", "VOW_REPLY", "VOW_DELAY",  "VOW_END",  "VOW_EXPECT_END",
      "VOW_CLOSE",  "VOW_RESET", "VOW_REFUSE", "VOW_HANG", "VOW_IGNORE"};
  const vow_check_step_t *step = &s->steps[s->at];
  vow__text_add(t, "step %zu, %s(", s->at + 1, names[step->act]);
  if (step->data != NULL) vow__text_add_bytes(t, step->data, step->length);
  vow__text_add(t, ")");
}

/* Whether a torture has made a mess of the test. */
static bool is_disturbed(void) {
  vow__kit_t *k = vow__kit();
  return k != NULL && (k->disturbed || vow__memory_failures() > 0);
}

/* The script is over, and the other side gets to feel it. */
static void mismatch(vow__script_t *s, const char *what) {
  vow__text_t t = {NULL, 0, 0};
  if (!is_disturbed()) {
    vow__text_add(&t, "the peer at %s: ", s->address);
    if (s->at < s->count)
      add_step(&t, s);
    else
      vow__text_add(&t, "after the last step");
    vow__text_add(&t, ": %s ", what);
    vow__text_add_bytes(&t, vow__text_str(&s->got), s->got.length);
    vow_check_complain(s->site, "%s", vow__text_str(&t));
    vow__text_free(&t);
  }
  s->at = s->count;
  s->ignoring = true;
  vow__lane_send_end(&s->conn->lane[1], UV_ECONNRESET, true);
}

/* ---- steps ---------------------------------------------------------------- */

static void on_timer(vow_timer_t *t) {
  vow__script_t *s =
      (vow__script_t *)(void *)((char *)t - offsetof(vow__script_t, timer));
  s->waiting = false;
  s->at++;
  play(s);
}

/* True when all of it has come; false: not yet, or it was another. */
static bool expect(vow__script_t *s, const vow_check_step_t *step) {
  size_t n = s->got.length < step->length ? s->got.length : step->length;
  if (n > 0 && memcmp(s->got.data, step->data, n) != 0) {
    mismatch(s, "got");
    return false;
  }
  if (n < step->length) {
    if (s->got_end) mismatch(s, "the other side ended after");
    return false;
  }
  s->got.length -= n;
  if (s->got.data != NULL) memmove(s->got.data, s->got.data + n, s->got.length);
  return true;
}

static bool expect_end(vow__script_t *s) {
  if (s->got.length > 0) mismatch(s, "got");
  return s->got_end && s->at < s->count;
}

static void finish(vow__script_t *s, int code) {
  s->ignoring = true;
  s->at++;
  vow__lane_send_end(&s->conn->lane[1], code, true);
}

/* Plays one step; false when it has to wait. */
static bool play_step(vow__script_t *s, const vow_check_step_t *step) {
  vow__lane_t *lane = &s->conn->lane[1];
  uv_buf_t buf;
  switch (step->act) {
  case VOW_CHECK_EXPECT:
    if (!expect(s, step)) return false;
    break;
  case VOW_CHECK_REPLY:
    buf.base = (char *)(uintptr_t)step->data;
    buf.len = step->length;
    s->at++; /* before what this may set off */
    vow__lane_send(lane, &buf, 1, NULL);
    return true;
  case VOW_CHECK_DELAY:
    s->waiting = true;
    vow__net_timer(s->conn->net, &s->timer,
                   vow_deadline_ms(s->conn->net->loop, (uint64_t)step->number),
                   on_timer);
    return false;
  case VOW_CHECK_END:
    s->at++;
    vow__lane_send_end(lane, UV_EOF, false);
    return true;
  case VOW_CHECK_EXPECT_END:
    if (!expect_end(s)) return false;
    break;
  case VOW_CHECK_CLOSE:
    finish(s, UV_EOF);
    return true;
  case VOW_CHECK_RESET:
    finish(s, step->number < 0 ? (int)step->number : UV_ECONNRESET);
    return true;
  case VOW_CHECK_IGNORE:
    s->ignoring = true;
    s->got.length = 0;
    break;
  default: /* they came before the connection did */
    break;
  }
  s->at++;
  return true;
}

static void play(vow__script_t *s) {
  while (s->conn != NULL && s->at < s->count && !s->waiting)
    if (!play_step(s, &s->steps[s->at])) return;
  if (s->conn != NULL && s->at == s->count && s->got.length > 0 && !s->ignoring)
    mismatch(s, "got");
}

/* ---- what arrives --------------------------------------------------------- */

static size_t script_room(void *side) {
  (void)side;
  return SIZE_MAX;
}

static void script_bytes(void *side, const char *data, size_t length) {
  vow__script_t *s = side;
  if (s->ignoring) return;
  vow__text_append(&s->got, data, length);
  play(s);
}

static void script_end(void *side, int code, bool over) {
  vow__script_t *s = side;
  (void)code;
  (void)over;
  s->got_end = true;
  play(s);
}

static const vow__sink_t script_sink = {script_room, script_bytes, script_end};

void vow__script_start(vow__script_t *s, vow__conn_t *c) {
  s->conn = c;
  c->script = s;
  c->lane[0].sink = &script_sink;
  c->lane[0].side = s;
  play(s);
}

void vow__script_stop(vow__script_t *s) {
  if (s->conn == NULL) return;
  vow_timer_stop(s->conn->net->loop, &s->timer);
  s->conn->lane[0].sink = NULL;
  s->conn->script = NULL;
  s->conn = NULL;
  s->at = s->count;
}

void vow__script_finish(vow__script_t *s) {
  vow__text_t t = {NULL, 0, 0};
  if (s->at < s->count && !is_disturbed()) {
    vow__text_add(&t, "the peer at %s: ", s->address);
    add_step(&t, s);
    if (s->taken) {
      vow__text_add(&t, ": has not happened; it has got ");
      vow__text_add_bytes(&t, vow__text_str(&s->got), s->got.length);
    } else {
      vow__text_add(&t, ": nobody has connected");
    }
    vow_check_complain(s->site, "%s", vow__text_str(&t));
    vow__text_free(&t);
  }
  vow__script_stop(s);
  vow__text_free(&s->got);
  free(s->address);
  free(s->steps);
  free(s);
}

/* ---- making --------------------------------------------------------------- */

void vow_check_peer_at(const char *site, vow_check_net_t *net,
                       const char *address, const vow_check_step_t steps[],
                       size_t n) {
  vow__script_t *s, **at;
  if (net == NULL || address == NULL || n == 0)
    vow__kit_fail(site, "vow_check_peer: the net or the address is NULL, or "
                        "there is no step");
  s = vow__kit_alloc(sizeof *s);
  s->site = site;
  s->address = vow__kit_copy(address);
  s->steps = vow__kit_alloc(n * sizeof *steps);
  memcpy(s->steps, steps, n * sizeof *steps);
  s->count = n;
  at = &net->scripts;
  while (*at != NULL) at = &(*at)->next;
  *at = s;
}
