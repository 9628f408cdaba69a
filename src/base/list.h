/* SPDX-License-Identifier: MIT */
/* A circular doubly linked list with a sentinel. */
#ifndef VOW_BASE_LIST_H
#define VOW_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct vow__link vow__link_t;
struct vow__link {
  vow__link_t *next, *prev;
};

static inline void vow__list_init(vow__link_t *head) {
  head->next = head->prev = head;
}

static inline bool vow__list_empty(const vow__link_t *head) {
  return head->next == head;
}

static inline void vow__list_append(vow__link_t *head, vow__link_t *link) {
  link->next = head;
  link->prev = head->prev;
  head->prev->next = link;
  head->prev = link;
}

static inline void vow__list_prepend(vow__link_t *head, vow__link_t *link) {
  vow__list_append(head->next, link);
}

/** Takes link out; it is left pointing at itself, so that doing it twice is
 *  harmless. */
static inline void vow__list_remove(vow__link_t *link) {
  link->prev->next = link->next;
  link->next->prev = link->prev;
  link->next = link->prev = link;
}

/** Moves all of from to the end of to. */
static inline void vow__list_splice(vow__link_t *to, vow__link_t *from) {
  if (vow__list_empty(from)) return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  vow__list_init(from);
}

#define VOW__LIST_EACH(it, head) \
  for (vow__link_t *it = (head)->next; it != (head); it = it->next)

#endif
