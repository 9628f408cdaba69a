/* SPDX-License-Identifier: MIT */
/* The sources of libuv as iterators. Each source is a struct that begins with
 * its feed, from which its loop is found. */
#include "uv/feed.h"

#include <vow/iter_class.h>
#include <vow/iter_uv.h>

static vow_iter_t *view(const char *site, void *source,
                        const vow_iter_view_t *kind) {
  const vow__feed_t *feed = source;
  return vow_iter_view_at(site, feed != NULL ? feed->loop : NULL, source, kind);
}

/* noun_iter over a vow_noun_t, by its next and free. */
#define VIEW(noun, next_fn)                                                    \
  static vow_future_t *noun##_view_next(const char *site, void *source) {      \
    return next_fn(site, source);                                              \
  }                                                                            \
  static vow_future_t *noun##_view_close(void *source) {                       \
    vow_##noun##_free(source);                                                 \
    return NULL;                                                               \
  }                                                                            \
  static const vow_iter_view_t noun##_view = {#noun "_iter", noun##_view_next, \
                                              noun##_view_close, 0};           \
  vow_iter_t *vow_##noun##_iter_at(const char *site, vow_##noun##_t *x) {      \
    return view(site, x, &noun##_view);                                        \
  }                                                                            \
  _Static_assert(1, "takes the semicolon")

VIEW(reader, vow_reader_next_at);
VIEW(listener, vow_accept_at);
VIEW(receiver, vow_receiver_next_at);
VIEW(signal, vow_signal_next_at);
VIEW(fs_event, vow_fs_event_next_at);
VIEW(fs_poll, vow_fs_poll_next_at);
VIEW(interval, vow_interval_next_at);
VIEW(poll, vow_poll_next_at);
