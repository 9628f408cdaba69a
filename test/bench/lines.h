/* SPDX-License-Identifier: MIT */
/* Lines, from a file and from a stream: the text that is read, and the one who
 * wants its lines. */
#ifndef VOW_TEST_BENCH_LINES_H
#define VOW_TEST_BENCH_LINES_H

#include "bench/bench.h"

#define LINES_TOTAL_BYTES ((size_t)100 * 1000 * 1000)

/** What was seen of the lines; zero it first. */
typedef struct lines_seen {
  size_t count;
  size_t bytes; /* newlines not counted */
  unsigned first_letters;
} lines_seen_t;

/** Looks at a line, without its newline. */
static inline void lines_see(lines_seen_t *seen, const char *data,
                             size_t length) {
  seen->count++;
  seen->bytes += length;
  seen->first_letters += (unsigned char)data[0];
}

/** Ends the program unless these were all lines of line_bytes, the newline
 *  being one of them. */
void lines_check(const lines_seen_t *seen, size_t line_bytes);

/** Fills text with lines of line_bytes, as many as fit. Returns how much that
 *  is. */
size_t lines_fill(char *text, size_t size_bytes, size_t line_bytes);

/** Where the lines by hand are found: gives all that are whole in the length
 *  bytes at data to seen, and returns how much they took up. */
size_t lines_find(lines_seen_t *seen, const char *data, size_t length);

/** One round: nanoseconds for a byte. */
double lines_file_vow(size_t line_bytes);
double lines_file_hand(size_t line_bytes);
double lines_stream_vow(size_t line_bytes);
double lines_stream_hand(size_t line_bytes);

#endif
