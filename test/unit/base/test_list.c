/* SPDX-License-Identifier: MIT */
/* Tests of the linked list of src/base. */
#include "support/test.h"

#include "base/check.h"
#include "base/list.h"

typedef struct item {
  char name;
  vow__link_t link;
} item_t;

static vow__link_t head;
static item_t items[4];

static void fill(size_t n) {
  vow__list_init(&head);
  for (size_t i = 0; i < n; i++) {
    items[i].name = (char)('a' + (int)i);
    vow__list_append(&head, &items[i].link);
  }
}

static const char *text_of(const vow__link_t *list) {
  static char text[8];
  size_t n = 0;
  VOW__LIST_EACH (it, (vow__link_t *)(uintptr_t)list) {
    text[n++] = vow__container_of(it, item_t, link)->name;
  }
  text[n] = '\0';
  return text;
}

TEST(test_list_fresh_is_empty) {
  vow__list_init(&head);
  ck_assert(vow__list_empty(&head));
  ck_assert_str_eq(text_of(&head), "");
}

TEST(test_list_append_keeps_order) {
  fill(4);
  ck_assert(!vow__list_empty(&head));
  ck_assert_str_eq(text_of(&head), "abcd");
  ck_assert_ptr_eq(head.prev, &items[3].link);
}

TEST(test_list_remove_takes_out_first_middle_last) {
  fill(4);
  vow__list_remove(&items[1].link);
  ck_assert_str_eq(text_of(&head), "acd");
  vow__list_remove(&items[0].link);
  ck_assert_str_eq(text_of(&head), "cd");
  vow__list_remove(&items[3].link);
  ck_assert_str_eq(text_of(&head), "c");
  vow__list_remove(&items[2].link);
  ck_assert(vow__list_empty(&head));
}

TEST(test_list_remove_twice_changes_nothing) {
  fill(3);
  vow__list_remove(&items[1].link);
  vow__list_remove(&items[1].link);
  ck_assert_str_eq(text_of(&head), "ac");
}

TEST(test_list_append_before_a_link_inserts_there) {
  fill(3);
  vow__list_remove(&items[2].link);
  vow__list_append(&items[1].link, &items[2].link);
  ck_assert_str_eq(text_of(&head), "acb");
}

TEST(test_list_splice_moves_all_to_the_end) {
  vow__link_t other;
  fill(4);
  vow__list_init(&other);
  vow__list_remove(&items[2].link);
  vow__list_remove(&items[3].link);
  vow__list_append(&other, &items[3].link);
  vow__list_append(&other, &items[2].link);
  vow__list_splice(&head, &other);
  ck_assert_str_eq(text_of(&head), "abdc");
  ck_assert(vow__list_empty(&other));
}

TEST(test_list_splice_of_empty_changes_nothing) {
  vow__link_t other;
  fill(2);
  vow__list_init(&other);
  vow__list_splice(&head, &other);
  ck_assert_str_eq(text_of(&head), "ab");
  vow__list_splice(&other, &head);
  ck_assert_str_eq(text_of(&other), "ab");
  ck_assert(vow__list_empty(&head));
}

SUITE(base_list) {
  ADD(test_list_fresh_is_empty);
  ADD(test_list_append_keeps_order);
  ADD(test_list_remove_takes_out_first_middle_last);
  ADD(test_list_remove_twice_changes_nothing);
  ADD(test_list_append_before_a_link_inserts_there);
  ADD(test_list_splice_moves_all_to_the_end);
  ADD(test_list_splice_of_empty_changes_nothing);
}
