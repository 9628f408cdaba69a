/* SPDX-License-Identifier: MIT */
/* What libuv delivers repeatedly, as iterators. Each gives what the object's
 * own next succeeds with, and fails as that does; failures are items, so one
 * accept that failed is not the end. Of these only a stream that is read has
 * an end of its own.
 *
 * What holds for all of them: the object is consumed, and freed when the
 * iterator is closed; on an error of the making likewise. Pending nexts keep
 * the loop alive as the object's own do.
 *  Ownership: consumes the object; the caller owns the result.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN, through the
 *    nexts.
 *  Thread: the loop's. */
#ifndef VOW_ITER_UV_H
#define VOW_ITER_UV_H

#include <vow/fs_event.h>
#include <vow/fs_poll.h>
#include <vow/interval.h>
#include <vow/iter.h>
#include <vow/poll.h>
#include <vow/signal.h>
#include <vow/stream_io.h>
#include <vow/tcp.h>
#include <vow/udp.h>

VOW_BEGIN_DECLS

/** vow_reader_iter(reader)
 *  The pieces that are read (vow_bytes_take), up to the end of the stream.
 *  Ownership, Errors, Thread: as above; nexts as vow_reader_next. */
#define vow_reader_iter(reader) vow_reader_iter_at(VOW_SITE, (reader))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_reader_iter_at(const char *site,
                                                       vow_reader_t *reader);

/** vow_listener_iter(listener)
 *  The connections (vow_tcp_take, vow_pipe_take).
 *  Ownership, Errors, Thread: as above; nexts as vow_accept. */
#define vow_listener_iter(listener) vow_listener_iter_at(VOW_SITE, (listener))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_listener_iter_at(
    const char *site, vow_listener_t *listener);

/** vow_receiver_iter(receiver)
 *  The datagrams (vow_datagram_take).
 *  Ownership, Errors, Thread: as above; nexts as vow_receiver_next. */
#define vow_receiver_iter(receiver) vow_receiver_iter_at(VOW_SITE, (receiver))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_receiver_iter_at(
    const char *site, vow_receiver_t *receiver);

/** vow_signal_iter(signal)
 *  The signal's number each time it comes.
 *  Ownership, Errors, Thread: as above; nexts as vow_signal_next. */
#define vow_signal_iter(signal) vow_signal_iter_at(VOW_SITE, (signal))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_signal_iter_at(const char *site,
                                                       vow_signal_t *signal);

/** vow_fs_event_iter(event)
 *  The changes (vow_fs_change_get).
 *  Ownership, Errors, Thread: as above; nexts as vow_fs_event_next. */
#define vow_fs_event_iter(event) vow_fs_event_iter_at(VOW_SITE, (event))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_fs_event_iter_at(const char *site,
                                                         vow_fs_event_t *event);

/** vow_fs_poll_iter(poll)
 *  The changes (vow_fs_diff_get).
 *  Ownership, Errors, Thread: as above; nexts as vow_fs_poll_next. */
#define vow_fs_poll_iter(poll) vow_fs_poll_iter_at(VOW_SITE, (poll))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_fs_poll_iter_at(const char *site,
                                                        vow_fs_poll_t *poll);

/** vow_interval_iter(interval)
 *  The ticks: how many since the item before.
 *  Ownership, Errors, Thread: as above; nexts as vow_interval_next. */
#define vow_interval_iter(interval) vow_interval_iter_at(VOW_SITE, (interval))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_interval_iter_at(
    const char *site, vow_interval_t *interval);

/** vow_poll_iter(poll)
 *  The events that the descriptor is ready for.
 *  Ownership, Errors, Thread: as above; nexts as vow_poll_next. */
#define vow_poll_iter(poll) vow_poll_iter_at(VOW_SITE, (poll))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_poll_iter_at(const char *site,
                                                     vow_poll_t *poll);

VOW_END_DECLS
#endif
