/* SPDX-License-Identifier: MIT */
/* The table of results: one line a URL, sorted as the URLs were given. */
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "request.h"

/* Longer URLs are printed in full and push their line to the right. */
enum { WIDEST_COLUMN = 60 };

typedef struct total {
  size_t ok;
  size_t cancelled;
  uint64_t bytes;
} total_t;

/* URLs come from the user's file: nothing but visible ASCII is printed. */
static void print_url(const char *text, int width) {
  int printed = 0;
  for (; *text != '\0'; text++, printed++) {
    unsigned char c = (unsigned char)*text;
    putchar(c < ' ' || c >= 127 ? '?' : c);
  }
  printf("%*s", printed < width ? width - printed : 0, "");
}

/* Where the failure first arose: below the retry that gave up is the failure
 * of its last attempt, and below that, say, the connect. */
static const char *origin(vow_value_t failure) {
  const vow_error_t *error = vow_value_error(failure);
  const char *site = NULL;
  while (error != NULL) {
    vow_value_t cause;
    site = vow_error_site(error);
    if (vow_error_count(error) > 0) {
      error = vow_value_error(vow_error_nth(error, 0));
    } else if (vow_error_cause(error, &cause)) {
      error = vow_value_error(cause);
    } else {
      break;
    }
  }
  return site;
}

static void print_failure(const row_t *row, vow_value_t failure) {
  const vow_error_t *error = vow_value_error(failure);
  int code = vow_value_code(failure);
  const char *site = origin(failure);
  printf(" %-12s %5" PRIu32 " %10s %6" PRIu64 "  ",
         code == UV_ECANCELED ? "cancelled" : vow_err_name(code), row->attempts,
         "-", row->took_ms);
  printf("%s", error != NULL ? vow_error_message(error) : vow_strerror(code));
  if (site != NULL) printf(" [%s]", site);
  putchar('\n');
}

static void print_row(const row_t *row, vow_value_t outcome, int width,
                      total_t *total) {
  const answer_t *answer = outcome.as.cp;
  print_url(row->text, width);
  if (vow_value_is_failure(outcome)) {
    if (vow_value_code(outcome) == UV_ECANCELED) total->cancelled++;
    print_failure(row, outcome);
    return;
  }
  total->bytes += answer->body_bytes;
  if (fetch_is_success(outcome)) total->ok++;
  printf(" %-12d %5" PRIu32 " %10" PRIu64 " %6" PRIu64 "\n", answer->status,
         row->attempts, answer->body_bytes, row->took_ms);
}

static int url_width(const fetch_t *fetch) {
  size_t width = strlen("URL");
  for (size_t i = 0; i < fetch->options->urls.count; i++) {
    size_t length = strlen(fetch->rows[i].text);
    if (length > width && length <= WIDEST_COLUMN) width = length;
  }
  return (int)width;
}

void table_print(const fetch_t *fetch, const vow_list_t *outcomes,
                 uint64_t took_ms) {
  size_t count = vow_list_length(outcomes);
  int width = url_width(fetch);
  total_t total = {0, 0, 0};
  printf("%-*s %-12s %5s %10s %6s  %s\n", width, "URL", "RESULT", "TRIES",
         "BYTES", "MS", "ERROR");
  for (size_t i = 0; i < count; i++) {
    print_row(&fetch->rows[i], vow_list_at(outcomes, i), width, &total);
  }
  printf("%zu URL%s: %zu ok, %zu failed, %zu cancelled; %" PRIu64
         " bytes in %" PRIu64 " ms\n",
         count, count == 1 ? "" : "s", total.ok,
         count - total.ok - total.cancelled, total.cancelled, total.bytes,
         took_ms);
}
