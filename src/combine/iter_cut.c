/* SPDX-License-Identifier: MIT */
/* take, skip and chunk: iterators that count. */
#include "combine/iter_adapt.h"
#include "combine/iter_list.h"

#include "base/errno.h"
#include <vow/iter_tools.h>

/* ---- take ---------------------------------------------------------------- */

static bool take_begin(vow__adapt_t *a) {
  if (a->left > 0) return false;
  vow__adapt_end(a);
  return true;
}

static void take_item(vow__adapt_t *a, vow_future_t *f) {
  a->left--;
  vow_iter_give(&a->it, vow_op_consume(vow__adapt_site(a), f));
}

static const vow__adapt_kind_t take_kind = {
    .cls = VOW__ADAPT_CLASS("iter_take", vow__adapt_t, NULL),
    .fn = "vow_iter_take",
    .begin = take_begin,
    .item = take_item,
};

vow_iter_t *vow_iter_take_at(const char *site, vow_iter_t *it, uint64_t n) {
  vow_iter_t *other;
  vow__adapt_t *a =
      vow__adapt_new(site, it, &take_kind, NULL, NULL, NULL, &other);
  if (a == NULL) return other;
  a->left = n;
  return &a->it;
}

/* ---- skip ---------------------------------------------------------------- */

static void skip_item(vow__adapt_t *a, vow_future_t *f) {
  if (a->left == 0) {
    vow_iter_give(&a->it, vow_op_consume(vow__adapt_site(a), f));
    return;
  }
  a->left--;
  vow_drop(f);
  vow__adapt_ask_again(a);
}

static const vow__adapt_kind_t skip_kind = {
    .cls = VOW__ADAPT_CLASS("iter_skip", vow__adapt_t, NULL),
    .fn = "vow_iter_skip",
    .item = skip_item,
};

vow_iter_t *vow_iter_skip_at(const char *site, vow_iter_t *it, uint64_t n) {
  vow_iter_t *other;
  vow__adapt_t *a =
      vow__adapt_new(site, it, &skip_kind, NULL, NULL, NULL, &other);
  if (a == NULL) return other;
  a->left = n;
  return &a->it;
}

/* ---- chunk --------------------------------------------------------------- */

typedef struct chunk {
  vow__adapt_t base;
  vow__growing_t items; /* what was gathered */
  size_t n;
} chunk_t;

static chunk_t *chunk_of(vow__adapt_t *a) {
  return (chunk_t *)(void *)a;
}

static void give_list(chunk_t *c) {
  vow_list_t *l = vow__growing_take(&c->items);
  vow_iter_give(&c->base.it, vow_ptr(l, &vow_type_list));
}

/* There is room for an item before it is asked for. */
static bool chunk_begin(vow__adapt_t *a) {
  chunk_t *c = chunk_of(a);
  if (vow__growing_reserve(&c->items, c->n) == 0) return false;
  vow_iter_give(&a->it, vow_fail(UV_ENOMEM));
  return true;
}

static void chunk_item(vow__adapt_t *a, vow_future_t *f) {
  chunk_t *c = chunk_of(a);
  vow__growing_add(&c->items, vow_op_consume(vow__adapt_site(a), f));
  if (vow__growing_length(&c->items) == c->n)
    give_list(c);
  else if (!chunk_begin(a))
    vow__adapt_ask_again(a);
}

static void chunk_failed(vow__adapt_t *a, vow_future_t *f) {
  chunk_t *c = chunk_of(a);
  if (vow_iter_is_end(f) && vow__growing_length(&c->items) > 0) {
    vow_drop(f);
    give_list(c); /* the source says the end again */
  } else {
    vow_iter_give(&a->it, vow_op_consume(vow__adapt_site(a), f));
  }
}

static void chunk_close(vow_iter_t *it) {
  chunk_t *c = (chunk_t *)(void *)it;
  vow_list_t *l = vow__growing_take(&c->items);
  vow__adapt_close(it);
  vow_list_drop(l);
}

static const vow__adapt_kind_t chunk_kind = {
    .cls = {VOW_ITER_OP("iter_chunk", chunk_t, NULL, vow__adapt_sources),
            vow__adapt_next, vow__adapt_unasked, vow__adapt_ready, chunk_close},
    .fn = "vow_iter_chunk",
    .begin = chunk_begin,
    .item = chunk_item,
    .failed = chunk_failed,
};

vow_iter_t *vow_iter_chunk_at(const char *site, vow_iter_t *it, size_t n) {
  const char *wrong = n == 0 ? "chunks of no items" : NULL;
  vow_iter_t *other;
  chunk_t *c = vow__adapt_new(site, it, &chunk_kind, wrong, NULL, NULL, &other);
  if (c == NULL) return other;
  c->n = n;
  return &c->base.it;
}
