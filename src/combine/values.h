/* SPDX-License-Identifier: MIT */
/* The inside of a list, for the combinators that fill one, and what they do
 * with a list that holds failures. */
#ifndef VOW_COMBINE_VALUES_H
#define VOW_COMBINE_VALUES_H

#include <vow/list.h>

struct vow_list {
  size_t refs;
  vow_list_t *next_dead; /* while it is destroyed */
  size_t length;         /* items behind it have never been written */
  vow_value_t items[];
};

/** A list with room for n items, of length 0; NULL for want of memory. */
vow_list_t *vow__values_new(size_t n);

/** Sets the length to n; the new items are nil. */
void vow__values_grow(vow_list_t *l, size_t n);

/** The failures in l as one: the only one as it is, several as an aggregate
 *  decided by item first. Consumes l; its other values are destroyed. */
vow_value_t vow__values_failure(const char *site, vow_list_t *l, size_t first);

/** What a combinator that was cancelled settles with: why, or, when something
 *  failed while it unwound, a cancellation with that failure as its cause.
 *  Consumes both; nil is no failure. */
vow_value_t vow__cancelled_because(const char *site, vow_value_t why,
                                   vow_value_t failure);

#endif
