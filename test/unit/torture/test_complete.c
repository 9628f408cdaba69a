/* SPDX-License-Identifier: MIT */
/* That no scene is missing: whatever makes something or begins it is called by
 * one. Read from the headers, for which tests run in the project's folder. */
#include <ctype.h>
#include <dirent.h>

#include "support/test.h"

#define FOLDER "test/unit/torture"

/* Not for scenes, as they run in a task on a loop that the kit has made: */
static const char *const exempt[] = {
    "loop_new", "loop_attach", "loop_new_driver", "loop_new_virtual",
    /* parts of operations, which the scenes' own objects are made of, */
    "op_new", "op_failed", "op_refusal", "op_consume", "misuse", "waiter_try",
    "iter_new", "iter_failed",
    /* and what sizes memory only. */
    "alloc", NULL};

static char *scenes; /* the text of all files here */
static size_t scenes_length;
static int makers, missing;

static char *file_text(const char *path, size_t *ret_length) {
  FILE *file = fopen(path, "r");
  char *text = calloc(1, 1 << 18);
  ck_assert_msg(file != NULL, "%s: not here; run in the project's folder",
                path);
  ck_assert_ptr_nonnull(text);
  *ret_length = fread(text, 1, (1 << 18) - 1, file);
  ck_assert_uint_lt(*ret_length, (1 << 18) - 1);
  fclose(file);
  return text;
}

static void read_scenes(void) {
  DIR *dir = opendir(FOLDER);
  const struct dirent *e;
  ck_assert_msg(dir != NULL, FOLDER ": not here");
  scenes_length = 0;
  scenes = calloc(1, 1);
  while ((e = readdir(dir)) != NULL) {
    char path[300], *text;
    size_t length;
    if (e->d_name[0] == '.' || strcmp(e->d_name, "test_complete.c") == 0)
      continue;
    snprintf(path, sizeof path, FOLDER "/%s", e->d_name);
    text = file_text(path, &length);
    scenes = realloc(scenes, scenes_length + length + 1);
    ck_assert_ptr_nonnull(scenes);
    memcpy(scenes + scenes_length, text, length + 1);
    scenes_length += length;
    free(text);
  }
  closedir(dir);
}

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

/* Calls the function or the macro, or what the macro's short form is: gather_of,
 * VOW_TRY, VOW_FOR. */
static bool is_called(const char *name) {
  static const struct {
    const char *name, *by;
  } forms[] = {{"vow_await", "VOW_TRY"},
               {"vow_step_next", "VOW_FOR"},
               {"vow_post_drop", "vow_post("}};
  char call[96], call_of[96];
  size_t i;
  snprintf(call, sizeof call, "%s(", name);
  snprintf(call_of, sizeof call_of, "%s_of(", name);
  if (strstr(scenes, call) != NULL || strstr(scenes, call_of) != NULL)
    return true;
  for (i = 0; i < sizeof forms / sizeof *forms; i++)
    if (strcmp(forms[i].name, name) == 0 && strstr(scenes, forms[i].by) != NULL)
      return true;
  return false;
}

static void expect_scene(char *name, const char *header) {
  int i;
  size_t length = strlen(name);
  if (length > 3 && strcmp(name + length - 3, "_at") == 0 &&
      strcmp(name, "vow_dirents_at") != 0 && strcmp(name, "vow_list_at") != 0)
    name[length - 3] = '\0';
  for (i = 0; exempt[i] != NULL; i++)
    if (strcmp(exempt[i], name + 4) == 0) return;
  makers++;
  if (is_called(name)) return;
  missing++;
  fprintf(stderr, "%s of %s is in no scene of " FOLDER "\n", name, header);
}

/* Of a declaration: it makes something, as it takes the site of its call, is
 * called new, or gives what must be used. */
static void look_at(const char *decl, const char *header) {
  char name[80];
  const char *end = strchr(decl, '('), *at;
  size_t length;
  if (end == NULL) return;
  for (at = end; at > decl && is_word(at[-1]); at--) {
  }
  length = (size_t)(end - at);
  ck_assert_uint_lt(length, sizeof name);
  memcpy(name, at, length);
  name[length] = '\0';
  if (strncmp(name, "vow_", 4) != 0) return;
  if ((length > 3 && strcmp(name + length - 3, "_at") == 0) ||
      (length > 4 && strcmp(name + length - 4, "_new") == 0) ||
      strstr(decl, "VOW_MUST_USE") != NULL)
    expect_scene(name, header);
}

static void look_at_header(const char *header) {
  size_t length;
  char path[300], *text, *at, *end;
  snprintf(path, sizeof path, "include/vow/%s", header);
  text = file_text(path, &length);
  for (at = text; (at = strstr(at, "\nVOW_EXPORT ")) != NULL; at = end) {
    end = strchr(at, ';');
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    if (strstr(at, " extern ") == NULL) look_at(at, header);
    end++;
  }
  free(text);
}

TEST(test_torture_has_a_scene_for_every_maker) {
  DIR *dir = opendir("include/vow");
  const struct dirent *e;
  ck_assert_msg(dir != NULL, "include/vow: run in the project's folder");
  read_scenes();
  makers = missing = 0;
  while ((e = readdir(dir)) != NULL)
    if (e->d_name[0] != '.' && strncmp(e->d_name, "check", 5) != 0)
      look_at_header(e->d_name);
  closedir(dir);
  free(scenes);
  ck_assert_int_ge(makers, 250);
  ck_assert_msg(missing == 0, "%d of %d makers are in no scene", missing,
                makers);
}

SUITE(torture_complete) {
  ADD(test_torture_has_a_scene_for_every_maker);
}
