/* SPDX-License-Identifier: MIT */
/* Reading 100 MB line by line, from a file and from a stream: CPU for a byte.
 * 2 ns are 500 MB/s. */
#include "bench/lines.h"

#include <string.h>

#define LINE_BYTES  80
#define SHORT_BYTES 20

void lines_check(const lines_seen_t *seen, size_t line_bytes) {
  size_t count = LINES_TOTAL_BYTES / line_bytes;
  BENCH_REQUIRE(seen->count == count);
  BENCH_REQUIRE(seen->bytes == count * (line_bytes - 1));
  BENCH_REQUIRE(seen->first_letters == (unsigned)(count * 'l'));
}

size_t lines_fill(char *text, size_t size_bytes, size_t line_bytes) {
  size_t filled = 0;
  for (; filled + line_bytes <= size_bytes; filled += line_bytes) {
    memset(text + filled, 'l', line_bytes - 1);
    text[filled + line_bytes - 1] = '\n';
  }
  return filled;
}

size_t lines_find(lines_seen_t *seen, const char *data, size_t length) {
  const char *line = data;
  const char *end = data + length;
  const char *newline;
  while (line < end &&
         (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
    lines_see(seen, line, (size_t)(newline - line));
    line = newline + 1;
  }
  return (size_t)(line - data);
}

#define ROUND(side)                   \
  static double side(void) {          \
    return lines_##side(LINE_BYTES);  \
  }                                   \
  static double side##_short(void) {  \
    return lines_##side(SHORT_BYTES); \
  }
ROUND(file_vow)
ROUND(file_hand)
ROUND(stream_vow)
ROUND(stream_hand)

const bench_figure_t bench_lines_figures[] = {
    {.name = "lines-file",
     .unit = "ns/byte",
     .at_most = 2.0,
     .vow = file_vow,
     .floor = file_hand,
     .what = "lines of 80 bytes from a file of 100 MB"},
    {.name = "lines-stream",
     .unit = "ns/byte",
     .at_most = 2.0,
     .vow = stream_vow,
     .floor = stream_hand,
     .what = "the same from a local socket, the reader's CPU"},
    {.name = "lines-short",
     .unit = "ns/byte",
     .vow = file_vow_short,
     .floor = file_hand_short,
     .what = "lines of 20 bytes from a file of 100 MB"},
    {.name = "lines-short-st.",
     .unit = "ns/byte",
     .vow = stream_vow_short,
     .floor = stream_hand_short,
     .what = "the same from a local socket"},
    {.name = NULL}};
