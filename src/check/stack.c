/* SPDX-License-Identifier: MIT */
/* Addresses on the stack as functions and lines, by addr2line when it is
 * installed: of the program, and of shared libraries.
 *
 * How this works. A compiler may let a function end by a jump into another, and
 * then it is not on the stack: vow_token_new is not, for instance. But its
 * caller's return address stands behind the call, which says what was called. So
 * each address makes two questions, the place and the callee. */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "check/stack.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_BYTES ((size_t)16384)

/* ---- the object that has an address ---------------------------------------- */

typedef struct object {
  uintptr_t at; /* looked for */
  uintptr_t base;
  char name[VOW__NAME_BYTES]; /* "": none */
} object_t;

static int look_in(struct dl_phdr_info *info, size_t size, void *arg) {
  object_t *o = arg;
  ssize_t n;
  int i;
  (void)size;
  for (i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *h = &info->dlpi_phdr[i];
    uintptr_t from = info->dlpi_addr + h->p_vaddr;
    if (h->p_type != PT_LOAD || (h->p_flags & PF_R) == 0 || o->at < from ||
        o->at >= from + h->p_memsz)
      continue;
    o->base = info->dlpi_addr;
    snprintf(o->name, sizeof o->name, "%s", info->dlpi_name);
    if (o->name[0] != '\0') return 1;
    n = readlink("/proc/self/exe", o->name, sizeof o->name - 1);
    o->name[n > 0 ? n : 0] = '\0';
    return 1;
  }
  return 0;
}

static bool find_object(object_t *o, uintptr_t at) {
  o->at = at;
  o->name[0] = '\0';
  (void)dl_iterate_phdr(look_in, o);
  return o->name[0] != '\0' && strchr(o->name, '\'') == NULL &&
         access(o->name, R_OK) == 0;
}

/* What is beneath both vow and its user tells nothing. */
static bool is_beneath(const object_t *o) {
  static const char *const names[] = {"libc.",    "libuv.",   "libcheck.",
                                      "libasan.", "libtsan.", "libclang_rt.",
                                      "vgpreload"};
  const char *slash = strrchr(o->name, '/');
  const char *name = slash != NULL ? slash + 1 : o->name;
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
  return false;
}

/* ---- what is called -------------------------------------------------------- */

#ifdef __x86_64__
static uintptr_t relative(const unsigned char *at) {
  int32_t offset;
  memcpy(&offset, at, sizeof offset);
  return (uintptr_t)at + sizeof offset + (uintptr_t)(intptr_t)offset;
}

/* What only looks like a call leads anywhere. */
static bool is_readable(uintptr_t at) {
  object_t o;
  return find_object(&o, at) && find_object(&o, at + 15);
}

static uintptr_t word_at(uintptr_t at) {
  uintptr_t word;
  if (!is_readable(at)) return 0;
  memcpy(&word, (const void *)at, sizeof word);
  return word;
}

/* call f; call *slot(%rip). A stub jumps on by a slot: endbr64, bnd jmp. */
static uintptr_t callee_of(uintptr_t back) {
  const unsigned char *code = (const unsigned char *)back;
  uintptr_t to;
  if (code[-6] == 0xff && code[-5] == 0x15) return word_at(relative(code - 4));
  if (code[-5] != 0xe8) return 0;
  to = relative(code - 4);
  if (!is_readable(to)) return 0;
  code = (const unsigned char *)to;
  if (memcmp(code, "\xf3\x0f\x1e\xfa", 4) == 0) code += 4;
  if (code[0] == 0xf2) code++;
  return code[0] == 0xff && code[1] == 0x25 ? word_at(relative(code + 2)) : to;
}
#else
static uintptr_t callee_of(uintptr_t back) {
  (void)back;
  return 0;
}
#endif

/* ---- asking ---------------------------------------------------------------- */

/* One that has no answer is asked of the same object, so that the answers can be
 * told apart by their number. */
static size_t add_question(char *command, size_t n, object_t *last,
                           uintptr_t at) {
  object_t o;
  if (at == 0 || !find_object(&o, at)) {
    o = *last;
    o.at = o.base;
  }
  if (strcmp(o.name, last->name) != 0)
    n += (size_t)snprintf(command + n, COMMAND_BYTES - n,
                          "%saddr2line -f -e '%s' 2>/dev/null",
                          n > 0 ? "; " : "", o.name);
  n += (size_t)snprintf(command + n, COMMAND_BYTES - n, " 0x%llx",
                        (unsigned long long)(o.at - o.base));
  *last = o;
  return n;
}

/* Of each frame in an object that is known; false: there is none. */
static bool ask(const vow__block_t *b, char *command) {
  object_t o, last = {0, 0, ""};
  size_t n = 0;
  int i;
  for (i = 0; i < b->depth; i++) {
    uintptr_t back = (uintptr_t)b->frames[i];
    if (!find_object(&o, back) || is_beneath(&o)) continue;
    if (n + 2 * sizeof o.name + 128 > COMMAND_BYTES) break;
    n = add_question(command, n, &last, back - 1);
    n = add_question(command, n, &last, callee_of(back));
  }
  return n > 0;
}

static bool read_line(FILE *in, char *line) {
  if (fgets(line, VOW__NAME_BYTES, in) == NULL) return false;
  line[strcspn(line, "\n ")] = '\0';
  if (line[0] == '?') line[0] = '\0';
  return true;
}

void vow__stack_each(const vow__block_t *b,
                     bool (*look)(const vow__place_t *p, void *arg),
                     void *arg) {
  char *command = vow__kit_alloc(COMMAND_BYTES), unused[VOW__NAME_BYTES];
  vow__place_t *p = vow__kit_alloc(sizeof *p);
  bool more = true;
  FILE *in;
  in = ask(b, command) ? popen(command, "r") : NULL;
  while (in != NULL && read_line(in, p->function) && read_line(in, p->site) &&
         read_line(in, p->callee) && read_line(in, unused))
    if (more) more = look(p, arg); /* all are read: no SIGPIPE */
  if (in != NULL) pclose(in);
  free(p);
  free(command);
}
