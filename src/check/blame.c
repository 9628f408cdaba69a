/* SPDX-License-Identifier: MIT */
/* Who allocated what was left, or was to be given what failed: which function of
 * vow's, called by whom. */
#include "check/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOLD_MAX 10

typedef struct blame {
  char root[VOW__NAME_BYTES];  /* vow's sources */
  char inner[VOW__NAME_BYTES]; /* the function of vow's that wanted memory */
  char inner_site[VOW__NAME_BYTES];
  char what[VOW__NAME_BYTES]; /* the one that the program called, */
  char who[VOW__NAME_BYTES];  /* and from where */
  char where[VOW__NAME_BYTES];
} blame_t;

static void keep(char *to, const char *name) {
  snprintf(to, VOW__NAME_BYTES, "%s", name);
}

/* Below the folder where the test runs; as it is told elsewhere. */
static void keep_site(char *to, const char *site) {
  char folder[VOW__NAME_BYTES];
  size_t n = getcwd(folder, sizeof folder) != NULL ? strlen(folder) : 0;
  bool below = n > 1 && strncmp(site, folder, n) == 0 && site[n] == '/';
  keep(to, site + (below ? n + 1 : 0));
}

static bool begins_with(const char *name, const char *start) {
  return strncmp(name, start, strlen(start)) == 0;
}

static bool is_public(const char *function) {
  return begins_with(function, "vow_") && !begins_with(function, "vow__");
}

/* This file's folder is src/check of the tree that vow was built in; the site
 * of the allocator, which is in every list, tells that. */
static void find_root(const char *site, char *root) {
  const char *at = strstr(site, "src/check/memory.c");
  if (at == NULL || root[0] != '\0') return;
  snprintf(root, VOW__NAME_BYTES, "%.*s", (int)(at - site) + 4, site);
}

/* A library without debugging information has names, but no lines. */
static bool is_vows(const blame_t *b, const vow__place_t *p) {
  if (p->site[0] == '\0') return begins_with(p->function, "vow_");
  return b->root[0] != '\0' && begins_with(p->site, b->root);
}

/* False: from here on it is the kit that runs a test. */
static bool look_at_vows(blame_t *b, const vow__place_t *p) {
  const char *path = p->site[0] != '\0' ? p->site + strlen(b->root) : "";
  if (begins_with(path, "check/run.c")) return false;
  if (begins_with(path, "check/memory.c")) return true;
  if (is_public(p->function)) keep(b->what, p->function);
  if (b->inner[0] == '\0' && !begins_with(path, "base/") &&
      !begins_with(path, "check/")) {
    keep(b->inner, p->function);
    keep_site(b->inner_site, p->site);
  }
  return true;
}

/* From the innermost on; false when it is known who. */
static bool look_at(const vow__place_t *p, void *arg) {
  blame_t *b = arg;
  find_root(p->site, b->root);
  if (is_vows(b, p)) return look_at_vows(b, p);
  if (p->site[0] == '\0') return true;
  keep(b->who, p->function);
  keep_site(b->where, p->site);
  if (is_public(p->callee))
    keep(b->what, p->callee);
  else if (b->what[0] == '\0')
    keep(b->what, b->inner);
  return false;
}

/* "what vow_token_new %s for ..." */
static void tell(vow__text_t *t, const vow__block_t *block, const char *verb) {
  blame_t *b = vow__kit_alloc(sizeof *b);
  vow__stack_each(block, look_at, b);
  if (b->who[0] != '\0' && b->what[0] != '\0')
    vow__text_add(t, "what %s %s for %s at %s", b->what, verb, b->who,
                  b->where);
  else if (b->who[0] != '\0')
    vow__text_add(t, "a block of %zu bytes, %s for %s at %s", block->size_bytes,
                  verb, b->who, b->where);
  else if (b->inner[0] != '\0')
    vow__text_add(t, "a block of %zu bytes, %s by %s%s%s", block->size_bytes,
                  verb, b->inner, b->inner_site[0] != '\0' ? " at " : "",
                  b->inner_site);
  else
    vow__text_add(t, "a block of %zu bytes that vow %s", block->size_bytes,
                  verb);
  free(b);
}

void vow__memory_left(vow__text_t *t) {
  const vow__block_t *blocks[TOLD_MAX];
  size_t i, n = vow__memory_blocks(blocks, TOLD_MAX);
  for (i = 0; i < n && i < TOLD_MAX; i++) {
    vow__text_add(t, "\n  ");
    tell(t, blocks[i], "allocated");
  }
  if (n > TOLD_MAX)
    vow__text_add(t, "\n  %zu more blocks of memory", n - TOLD_MAX);
}

void vow__memory_failed(vow__text_t *t) {
  const vow__block_t *block = vow__memory_first_failed();
  if (block == NULL) return;
  vow__text_add(t, "\n  the allocation: ");
  tell(t, block, "wanted");
}
