/* SPDX-License-Identifier: MIT */
/* That no function of the layer above libuv is left out of the tables that
 * disturb it. */
#include "unit/uv/coverage.h"

/* The files that have the tables; a row names its function in quotes. */
static const char *const tables[] = {"test/unit/net/test_file_faults.c",
                                     "test/unit/net/test_stream_faults.c",
                                     "test/unit/net/test_connect_faults.c",
                                     "test/unit/net/test_run_faults.c", NULL};

/* Not of the tables: these make something in memory alone, or are tested for
 * themselves in test_serve_faults.c. */
static const char *const exempt[] = {
    "serve",       "server_shutdown", "stream_from_uv",
    "stream_pair", "file_lines",      "dir_walk",
    NULL};

static char *texts[8];
static int functions;

static bool is_exempt(const char *name) {
  int i;
  for (i = 0; exempt[i] != NULL; i++)
    if (strcmp(exempt[i], name) == 0) return true;
  return false;
}

static void expect_in_a_table(const char *name) {
  char quoted[80];
  int i;
  if (is_exempt(name)) return;
  functions++;
  snprintf(quoted, sizeof quoted, "\"%s\"", name);
  for (i = 0; tables[i] != NULL; i++)
    if (texts[i] != NULL && strstr(texts[i], quoted) != NULL) return;
  ck_abort_msg(
      "vow_%s is in no table: add it to one of test/unit/net/*faults.c", name);
}

TEST(test_tables_have_every_function_of_net) {
  /* Views of what is in the tables. */
  static const char *const skip[] = {"vow/iter_", NULL};
  int i;
  for (i = 0; tables[i] != NULL; i++) texts[i] = file_text(tables[i]);
  functions = 0;
  each_wrapper("net", skip, expect_in_a_table);
  ck_assert_int_ge(functions, 25);
  for (i = 0; tables[i] != NULL; i++) free(texts[i]);
}

SUITE(net_tables) {
  ADD(test_tables_have_every_function_of_net);
}
