/* SPDX-License-Identifier: MIT */
/* Who allocated what was left: the addresses on the stack as functions and
 * lines, by addr2line when it is installed. */
#include "check/memory.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOLD_MAX       10
#define NAME_MAX_BYTES 512

/* The program's first byte and the end of its data; the linker's. */
extern const char __executable_start[], end[];

/* What addr2line wants of an address in the program; 0 for any other. */
static uintptr_t offset_of(const void *address) {
  const ElfW(Ehdr) *head = (const void *)__executable_start;
  uintptr_t at = (uintptr_t)address, start = (uintptr_t)__executable_start;
  if (at < start || at >= (uintptr_t)end) return 0;
  return head->e_type == ET_DYN ? at - start - 1 : at - 1;
}

static FILE *ask(const vow__block_t *b) {
  char program[512], command[sizeof program + 64 + VOW__FRAMES * 24];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  int i, n;
  uintptr_t offset;
  if (length <= 0) return NULL;
  program[length] = '\0';
  if (strchr(program, '\'') != NULL) return NULL;
  n = snprintf(command, sizeof command, "addr2line -f -e '%s' 2>/dev/null",
               program);
  for (i = 0; i < b->depth; i++) {
    offset = offset_of(b->frames[i]);
    if (offset != 0)
      n += snprintf(command + n, sizeof command - (size_t)n, " 0x%llx",
                    (unsigned long long)offset);
  }
  return popen(command, "r");
}

static void cut(char *line) {
  line[strcspn(line, "\n ")] = '\0';
}

/* This file's folder is src/check of the tree that vow was built in. */
static bool is_vows(const char *site, const char *root) {
  return root[0] != '\0' && strncmp(site, root, strlen(root)) == 0;
}

/* From the site of the allocator, which is in every list. */
static void find_root(const char *site, char *root) {
  const char *at = strstr(site, "src/check/memory.c");
  if (at == NULL || root[0] != '\0') return;
  sprintf(root, "%.*s", (int)(at - site) + 4, site);
}

typedef struct blame {
  char root[NAME_MAX_BYTES];
  char inner[NAME_MAX_BYTES]; /* the function of vow's that wanted memory */
  char inner_site[NAME_MAX_BYTES];
  char what[NAME_MAX_BYTES]; /* the one that the program called, */
  char who[NAME_MAX_BYTES];  /* and from where */
  char where[NAME_MAX_BYTES];
} blame_t;

static void keep(char *to, const char *name) {
  snprintf(to, NAME_MAX_BYTES, "%s", name);
}

/* One frame, from the innermost on; false when it is known who. */
static bool look_at(blame_t *b, const char *function, const char *site) {
  const char *path = site + strlen(b->root);
  if (is_vows(site, b->root)) {
    keep(b->what, function);
    if (strcmp(function, "vow_check_run") == 0) return false; /* the loop */
    if (b->inner[0] == '\0' && strncmp(path, "base/", 5) != 0 &&
        strncmp(path, "check/", 6) != 0) {
      keep(b->inner, function);
      keep(b->inner_site, site);
    }
  } else if (b->what[0] != '\0') {
    keep(b->who, function);
    keep(b->where, site);
    return false;
  }
  return true;
}

static void find_call(FILE *lines, blame_t *b) {
  char function[NAME_MAX_BYTES], site[NAME_MAX_BYTES];
  bool more = true;
  while (fgets(function, sizeof function, lines) != NULL &&
         fgets(site, sizeof site, lines) != NULL) { /* all: no SIGPIPE */
    cut(function);
    cut(site);
    find_root(site, b->root);
    if (more && site[0] != '?') more = look_at(b, function, site);
  }
}

static void tell(vow__text_t *t, const vow__block_t *block) {
  blame_t *b = vow__kit_alloc(sizeof *b);
  FILE *lines = block->depth > 0 ? ask(block) : NULL;
  if (lines != NULL) {
    find_call(lines, b);
    pclose(lines);
  }
  if (b->who[0] != '\0')
    vow__text_add(t, "\n  what %s allocated for %s at %s", b->what, b->who,
                  b->where);
  else if (b->inner[0] != '\0')
    vow__text_add(t, "\n  a block of %zu bytes, allocated by %s at %s",
                  block->size_bytes, b->inner, b->inner_site);
  else
    vow__text_add(t, "\n  a block of %zu bytes that vow allocated",
                  block->size_bytes);
  free(b);
}

void vow__memory_left(vow__text_t *t) {
  const vow__block_t *blocks[TOLD_MAX];
  size_t i, n = vow__memory_blocks(blocks, TOLD_MAX);
  for (i = 0; i < n && i < TOLD_MAX; i++) tell(t, blocks[i]);
  if (n > TOLD_MAX)
    vow__text_add(t, "\n  %zu more blocks of memory", n - TOLD_MAX);
}
