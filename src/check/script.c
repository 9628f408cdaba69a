/* SPDX-License-Identifier: MIT */
/* Peers that play a script. They need no memory of vow's, and no task. */
#include <string.h>

#include "check/net.h"

#include <stdio.h>
#include <stdlib.h>

static void play(vow__script_t *s);

/* ---- telling -------------------------------------------------------------- */

static const char *const names[] = {
    "VOW_EXPECT", "VOW_REPLY", "VOW_DELAY",  "VOW_END",  "VOW_EXPECT_END",
    "VOW_CLOSE",  "VOW_RESET", "VOW_REFUSE", "VOW_HANG", "VOW_IGNORE"};

static bool has_number(const vow_check_step_t *step) {
  return step->act == VOW_CHECK_DELAY || step->act == VOW_CHECK_RESET ||
         step->act == VOW_CHECK_REFUSE;
}

/* Step i as it was written; its bytes from byte from on. */
static void add_step(vow__text_t *t, const vow__script_t *s, size_t i,
                     size_t from) {
  const vow_check_step_t *step = &s->steps[i];
  vow__text_add(t, "step %zu, %s(", i + 1, names[step->act]);
  if (step->data != NULL)
    vow__text_add_bytes_from(t, step->data, step->length, from);
  else if (has_number(step) && step->act != VOW_CHECK_DELAY && step->number < 0)
    vow__text_add(t, "%s", vow_err_name((int)step->number));
  else if (has_number(step))
    vow__text_add(t, "%lld", (long long)step->number);
  vow__text_add(t, ")");
}

/* Where what has come departs from what step s->at expects. */
static size_t departure(const vow__script_t *s) {
  const vow_check_step_t *step = &s->steps[s->at];
  if (s->at == s->count || step->act != VOW_CHECK_EXPECT) return 0;
  return vow__bytes_part(vow__text_str(&s->got), s->got.length, step->data,
                         step->length);
}

/* Whether a torture has made a mess of the test. */
static bool is_disturbed(void) {
  vow__kit_t *k = vow__kit();
  return k != NULL && vow__kit_is_disturbed(k);
}

/* The script stands where it is: what has come, or how the other side ended. */
static void complain(vow__script_t *s, const char *what) {
  vow__text_t t = {NULL, 0, 0};
  size_t at = departure(s), from = vow__shown_from(at);
  vow__text_add(&t, "the peer at %s: ", s->address);
  if (s->at < s->count)
    add_step(&t, s, s->at, from);
  else
    vow__text_add(&t, "after the last step");
  vow__text_add(&t, ": %s ", what);
  vow__text_add_bytes_from(&t, vow__text_str(&s->got), s->got.length, from);
  if (from > 0 && at < s->got.length)
    vow__text_add(&t, "; they differ at byte %zu", at);
  vow_check_complain(s->site, "%s", vow__text_str(&t));
  vow__text_free(&t);
}

static void complain_of_end(vow__script_t *s) {
  char what[64];
  if (s->end_code == UV_EOF)
    snprintf(what, sizeof what, "the other side ended after");
  else
    snprintf(what, sizeof what,
             "the other side reset the connection (%s) after",
             vow_err_name(s->end_code));
  complain(s, what);
}

/* The script is over, and the other side gets to feel it. */
static void give_up(vow__script_t *s) {
  s->at = s->count;
  s->ignoring = true;
  vow__lane_send_end(&s->conn->lane[1], UV_ECONNRESET, true);
}

static void mismatch(vow__script_t *s) {
  if (!is_disturbed()) complain(s, "got");
  give_up(s);
}

static void ended_early(vow__script_t *s) {
  if (!is_disturbed()) complain_of_end(s);
  give_up(s);
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
    mismatch(s);
    return false;
  }
  if (n < step->length) {
    if (s->got_end) ended_early(s);
    return false;
  }
  s->got.length -= n;
  if (s->got.data != NULL) memmove(s->got.data, s->got.data + n, s->got.length);
  return true;
}

static bool expect_end(vow__script_t *s) {
  if (s->got.length > 0)
    mismatch(s);
  else if (s->got_end && s->end_code != UV_EOF)
    ended_early(s);
  return s->got_end && s->at < s->count;
}

static void finish(vow__script_t *s, int code) {
  s->ignoring = true;
  s->at++;
  vow__lane_send_end(&s->conn->lane[1], code, true);
}

/* One below 0 was complained of. */
static uint64_t delay_of(const vow_check_step_t *step) {
  return step->number > 0 ? (uint64_t)step->number : 0;
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
                   vow_deadline_ms(s->conn->net->loop, delay_of(step)),
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
    mismatch(s);
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
  (void)over;
  s->got_end = true;
  s->end_code = code;
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

/* In a test that has failed it tells where it stands, if it has begun. */
static void complain_of_rest(vow__script_t *s) {
  vow__text_t t = {NULL, 0, 0};
  vow_check_act_t act = s->steps[s->at].act;
  if (s->taken && (s->got.length > 0 || act == VOW_CHECK_EXPECT)) {
    complain(s, "has not happened; it has got");
    return;
  }
  if (!s->taken && vow__kit() != NULL && vow__kit()->failed) return;
  vow__text_add(&t, "the peer at %s: ", s->address);
  add_step(&t, s, s->at, 0);
  vow_check_complain(s->site, "%s: %s", vow__text_str(&t),
                     s->taken ? "has not happened" : "nobody has connected");
  vow__text_free(&t);
}

void vow__script_finish(vow__script_t *s) {
  if (s->at < s->count && !is_disturbed()) complain_of_rest(s);
  vow__script_stop(s);
  vow__text_free(&s->got);
  free(s->address);
  free(s->steps);
  free(s);
}

/* ---- what can be played ---------------------------------------------------- */

/* Why step i could never be played; NULL: it can be. */
static const char *fault_of_number(const vow_check_step_t *step) {
  if (step->act == VOW_CHECK_DELAY)
    return step->number < 0 ? "a delay is 0 or more" : NULL;
  if (has_number(step) && step->number > 0)
    return "a code is negative, or 0 for the usual one";
  return NULL;
}

static bool was(const vow_check_step_t steps[], size_t before,
                vow_check_act_t act) {
  size_t i = 0;
  while (i < before && steps[i].act != act) i++;
  return i < before;
}

static const char *fault_of(const vow_check_step_t steps[], size_t i) {
  vow_check_act_t act = steps[i].act;
  if (was(steps, i, VOW_CHECK_REFUSE) || was(steps, i, VOW_CHECK_HANG))
    return "the step before is to be the only one";
  if (i > 0 && (act == VOW_CHECK_REFUSE || act == VOW_CHECK_HANG))
    return "it is to be the only step";
  if (was(steps, i, VOW_CHECK_CLOSE) || was(steps, i, VOW_CHECK_RESET))
    return "the step before is to be the last one";
  if ((act == VOW_CHECK_REPLY || act == VOW_CHECK_END) &&
      was(steps, i, VOW_CHECK_END))
    return "VOW_END stands before it";
  if (act == VOW_CHECK_EXPECT && steps[i].length > 0 &&
      was(steps, i, VOW_CHECK_EXPECT_END))
    return "VOW_EXPECT_END stands before it";
  if (act == VOW_CHECK_EXPECT && steps[i].length > 0 &&
      was(steps, i, VOW_CHECK_IGNORE))
    return "VOW_IGNORE stands before it";
  return fault_of_number(&steps[i]);
}

/* The first of them; it is played as well as it can be. */
static void complain_of_faults(const vow__script_t *s) {
  vow__text_t t = {NULL, 0, 0};
  size_t i = 0;
  while (i < s->count && fault_of(s->steps, i) == NULL) i++;
  if (i == s->count) return;
  vow__text_add(&t, "the peer at %s: ", s->address);
  add_step(&t, s, i, 0);
  vow_check_complain(s->site, "%s cannot be played: %s", vow__text_str(&t),
                     fault_of(s->steps, i));
  vow__text_free(&t);
}

/* What no macro makes. */
static void check_steps(const char *site, const vow_check_step_t steps[],
                        size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    if ((unsigned)steps[i].act > VOW_CHECK_IGNORE)
      vow__kit_fail(site, "vow_check_peer: step %zu is none", i + 1);
    if (steps[i].data == NULL && steps[i].length > 0)
      vow__kit_fail(site, "vow_check_peer: the bytes of step %zu are NULL",
                    i + 1);
  }
}

/* ---- making --------------------------------------------------------------- */

void vow_check_peer_at(const char *site, vow_check_net_t *net,
                       const char *address, const vow_check_step_t steps[],
                       size_t n) {
  vow__script_t *s, **at;
  if (net == NULL || address == NULL || n == 0)
    vow__kit_fail(site, "vow_check_peer: the net or the address is NULL, or "
                        "there is no step");
  check_steps(site, steps, n);
  s = vow__kit_alloc(sizeof *s);
  s->site = site;
  s->address = vow__kit_copy(address);
  s->steps = vow__kit_alloc(n * sizeof *steps);
  memcpy(s->steps, steps, n * sizeof *steps);
  s->count = n;
  at = &net->scripts;
  while (*at != NULL) at = &(*at)->next;
  *at = s;
  complain_of_faults(s);
}
