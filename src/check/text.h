/* SPDX-License-Identifier: MIT */
/* Showing what differs of two texts that may be long. */
#ifndef VOW_CHECK_INSIDE_TEXT_H
#define VOW_CHECK_INSIDE_TEXT_H

#include "check/kit.h"

/** The first byte at which the two differ; the shorter one's length when it is
 *  how the other begins. */
size_t vow__bytes_part(const void *a, size_t a_length, const void *b,
                       size_t b_length);
/** From which byte on to show them so that byte at is seen, and some before. */
size_t vow__shown_from(size_t at);
/** Bytes as in a C string, in quotes, from byte from on, which is told unless it
 *  is 0; what is long is cut. */
void vow__text_add_bytes_from(vow__text_t *t, const void *data, size_t length,
                              size_t from);
/** A number with as many digits as tell it from its neighbours. */
void vow__text_add_double(vow__text_t *t, double d);

#endif
