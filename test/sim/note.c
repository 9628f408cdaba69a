/* SPDX-License-Identifier: MIT */
/* The trace: what happened, and when, as a hash and as text. */
#include "sim/sim.h"

static const char *const texts[] = {
#define SIM_TEXT(name, text) text,
    SIM_NOTES(SIM_TEXT)
#undef SIM_TEXT
};

#define NOTES_MAX 20000 /* hundreds are usual */

static uint64_t hash;
static size_t count;
static FILE *out; /* NULL: no text */

uint64_t sim_hash(uint64_t h, uint64_t number) {
  int i;
  for (i = 0; i < 8; i++) {
    h ^= number & 0xff;
    h *= UINT64_C(0x100000001b3);
    number >>= 8;
  }
  return h;
}

void sim_note_begin(FILE *file) {
  hash = SIM_HASH_BEGIN;
  count = 0;
  out = file;
}

uint64_t sim_note_hash(void) {
  return hash;
}

size_t sim_note_count(void) {
  return count;
}

void sim_note(sim_event_t what, int64_t a, int64_t b, int64_t c) {
  uint64_t now_ms = vow_check_now_ms();
  MUST_MSG(count++ < NOTES_MAX, "it goes on and on");
  hash = sim_hash(hash, now_ms);
  hash = sim_hash(hash, (uint64_t)what);
  hash = sim_hash(hash, (uint64_t)a);
  hash = sim_hash(hash, (uint64_t)b);
  hash = sim_hash(hash, (uint64_t)c);
  if (out != NULL)
    fprintf(out, "%6llu  %-20s %lld %lld %lld\n", (unsigned long long)now_ms,
            texts[what], (long long)a, (long long)b, (long long)c);
}
