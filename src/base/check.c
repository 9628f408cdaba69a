/* SPDX-License-Identifier: MIT */
/* The end of the line for broken invariants. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void vow__panic(const char *where, const char *what, const char *site) {
  fprintf(stderr, "vow: %s: %s%s%s\n", where, what,
          site != NULL ? "; future made at " : "", site != NULL ? site : "");
  abort();
}
