/* SPDX-License-Identifier: MIT */
/* A network in memory: streams, listeners, and peers that play a script, with
 * latency, bandwidth and partitions in virtual time. Everything behind
 * vow_stream_t, so that what is tested does not notice. */
#ifndef VOW_CHECK_NET_H
#define VOW_CHECK_NET_H

#include <vow/check_test.h>
#include <vow/stream.h>
#include <vow/time.h>

VOW_BEGIN_DECLS

typedef struct vow_check_net vow_check_net_t;
typedef struct vow_check_listener vow_check_listener_t;

/** How bytes arrive. They are sent in the pieces that were written; with
 *  bytes_per_s in packets of at most 1,460, each of which arrives, in whichever
 *  way, not before its last byte has been sent: the first of 1,000 bytes at
 *  1,000 a second comes after a second. */
typedef enum vow_check_delivery {
  /** As they were written; without latency, in the very call of the write. */
  VOW_CHECK_IMMEDIATE,
  /** As they were written, but never in that call. */
  VOW_CHECK_DEFERRED,
  /** One by one, with everything that is ready run in between. */
  VOW_CHECK_BYTEWISE,
  /** In pieces of any size, each up to jitter_ms late, by seed. */
  VOW_CHECK_RANDOM
} vow_check_delivery_t;

/** Settings of a network; zero a field for its default, so that 1 is the least
 *  that capacity_bytes and jitter_ms can be. */
typedef struct vow_check_wire {
  vow_check_delivery_t delivery;
  /** How long a byte is under way; connecting takes twice as long. At most
   *  VOW_MS_MAX; for ever: vow_check_partition. */
  uint64_t latency_ms;
  /** Of each direction of each connection; default: no limit. */
  uint64_t bytes_per_s;
  /** How many bytes may be under way in a direction before writes wait; default
   *  64 KiB. Those that the other stream has read ahead have arrived: what a
   *  reader that is slow holds back begins behind its high-water mark
   *  (vow_stream_set_high_water, 256 KiB). */
  size_t capacity_bytes;
  /** For VOW_CHECK_RANDOM; default 3. At most VOW_MS_MAX. */
  uint64_t jitter_ms;
} vow_check_wire_t;

/** vow_check_net_new(loop, wire)
 *  A network. wire may be NULL.
 *  Ownership: the caller owns it until vow_check_net_free, but in a VOW_TEST it
 *    is freed when the body has ended. *wire is copied.
 *  Errors: fails the test for a NULL loop, and as vow_check_net_set_wire.
 *  Thread: the loop's. */
VOW_EXPORT vow_check_net_t *vow_check_net_new(vow_loop_t *loop,
                                              const vow_check_wire_t *wire);

/** vow_check_net_free(net)
 *  Ends everything on it, and complains (vow_check_complain) of scripts that
 *  were not played to their end, and of streams that are still open. These end
 *  with VOW_ESHUTDOWN. Outside of a VOW_TEST it is to be called before the loop
 *  is closed, and not in one.
 *  Ownership: consumes net. NULL is allowed.
 *  Errors: as said.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT void vow_check_net_free(vow_check_net_t *net);

/** vow_check_net_set_wire(net, wire)
 *  Changes the settings for what is written and connected from now on.
 *  Ownership: net is borrowed, *wire copied; NULL means the defaults.
 *  Errors: fails the test when net is NULL, or a time above VOW_MS_MAX.
 *  Thread: the loop's. */
VOW_EXPORT void vow_check_net_set_wire(vow_check_net_t *net,
                                       const vow_check_wire_t *wire);

/* ---- connecting ----------------------------------------------------------- */

/** vow_check_connect(loop, host, service, net)
 *  Connects to the address "host:service" of net, a vow_check_net_t: succeeds
 *  with a vow_stream_t. The next script for that address is played
 *  (vow_check_peer), or the connection goes to who listens there. To be given
 *  to the component under test as the function that it connects by; the one for
 *  production calls vow_connect(loop, host, service, NULL).
 *  Ownership: the strings are only read during the call. The caller owns the
 *    result.
 *  Errors: UV_ECONNREFUSED when nobody is at that address; what a script says;
 *    UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through the
 *    result.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_check_connect(vow_loop_t *loop,
                                                        const char *host,
                                                        const char *service,
                                                        void *net);

/** vow_check_pair(net, ret_a, ret_b)
 *  Two streams that are connected over net. They have no address: of
 *  partitions and resets, those of NULL are theirs.
 *  Ownership: the caller owns both until vow_stream_unref.
 *  Errors: fails the test for want of memory, or when an argument is NULL.
 *  Thread: the loop's. */
#define vow_check_pair(net, ret_a, ret_b) \
  vow_check_pair_at(VOW_SITE, (net), (ret_a), (ret_b))
VOW_EXPORT void vow_check_pair_at(const char *site, vow_check_net_t *net,
                                  vow_stream_t **ret_a, vow_stream_t **ret_b);

/** vow_check_listen(net, address)
 *  Listens at "host:service" of net; connections wait until they are accepted,
 *  however many. (For a backlog that is full: peers that VOW_REFUSE or
 *  VOW_HANG, which come before who listens.)
 *  Ownership: borrowed from net, whose end it is there until.
 *  Errors: fails the test when somebody listens there already, or an argument
 *    is NULL.
 *  Thread: the loop's. */
#define vow_check_listen(net, address) \
  vow_check_listen_at(VOW_SITE, (net), (address))
VOW_EXPORT vow_check_listener_t *vow_check_listen_at(const char *site,
                                                     vow_check_net_t *net,
                                                     const char *address);

/** vow_check_accept(listener)
 *  Succeeds with the next connection, a vow_stream_t. One that is cancelled has
 *  taken none.
 *  Ownership: listener is borrowed. The caller owns the result.
 *  Errors: VOW_ESHUTDOWN when it does not listen any more; UV_ENOMEM; through
 *    the result. Fails the test when listener is NULL.
 *  Thread: the loop's. */
#define vow_check_accept(listener) vow_check_accept_at(VOW_SITE, (listener))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_check_accept_at(
    const char *site, vow_check_listener_t *listener);

/** vow_check_unlisten(listener)
 *  Ends listening: further connections are refused, those that wait to be
 *  accepted are reset (UV_ECONNRESET). The address is free again.
 *  Ownership: listener must not be used any more.
 *  Errors: none; NULL is allowed.
 *  Thread: the loop's. */
VOW_EXPORT void vow_check_unlisten(vow_check_listener_t *listener);

/* ---- what goes wrong ------------------------------------------------------ */

/** vow_check_partition(net, address), vow_check_heal(net, address)
 *  Cuts all connections to an address off, or with NULL all there are: nothing
 *  arrives, and connecting takes for ever. Healed, what was under way arrives,
 *  in order, and who was connecting is connected. To heal an address undoes all
 *  partitions of that address, and no other: it stays cut off while all are,
 *  which only NULL heals; that heals every address, too. An address at which
 *  nobody is, or which was not cut off, is no error.
 *  Ownership: borrowed; address is copied.
 *  Errors: fails the test when net is NULL.
 *  Thread: the loop's. */
VOW_EXPORT void vow_check_partition(vow_check_net_t *net, const char *address);
VOW_EXPORT void vow_check_heal(vow_check_net_t *net, const char *address);

/** vow_check_reset_all(net, address, code)
 *  Ends all connections to an address, or with NULL all there are, now and for
 *  both sides, with code (0 or above: UV_ECONNRESET), as when a host goes down.
 *  Scripts that were being played there count as played.
 *  Ownership: borrowed.
 *  Errors: fails the test when net is NULL.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT void vow_check_reset_all(vow_check_net_t *net, const char *address,
                                    int code);

/* ---- peers by script ------------------------------------------------------ */

typedef enum vow_check_act {
  VOW_CHECK_EXPECT,
  VOW_CHECK_REPLY,
  VOW_CHECK_DELAY,
  VOW_CHECK_END,
  VOW_CHECK_EXPECT_END,
  VOW_CHECK_CLOSE,
  VOW_CHECK_RESET,
  VOW_CHECK_REFUSE,
  VOW_CHECK_HANG,
  VOW_CHECK_IGNORE
} vow_check_act_t;

/** A step of a script; made by the macros below. */
typedef struct vow_check_step {
  vow_check_act_t act;
  const void *data; /* a literal, or what lives as long as the test */
  size_t length;
  int64_t number;
} vow_check_step_t;

/** The steps. Bytes must come exactly as VOW_EXPECT says; behind the last step
 *  and before VOW_EXPECT_END none may come, but after VOW_IGNORE. Unless a step
 *  says otherwise the connection stays open after the last.
 *   VOW_EXPECT(text)           wait for these bytes, a literal
 *   VOW_EXPECT_BYTES(p, n)     for those
 *   VOW_REPLY(text)            send these, a literal
 *   VOW_REPLY_BYTES(p, n)      those
 *   VOW_DELAY(ms)              wait
 *   VOW_END()                  end this direction, and go on
 *   VOW_EXPECT_END()           wait until the other side has ended its own; by a
 *                              reset it has not
 *   VOW_CLOSE()                close both directions; the last step
 *   VOW_RESET(code)            so that the other side fails with code (0:
 *                              UV_ECONNRESET); the last step
 *   VOW_IGNORE()               from here on what comes is ignored
 *   VOW_REFUSE(code)           the only step: connecting fails with code (0:
 *                              UV_ECONNREFUSED)
 *   VOW_HANG()                 the only step: connecting takes for ever */
#define VOW_EXPECT(text) \
  { VOW_CHECK_EXPECT, "" text, sizeof("" text) - 1, 0 }
#define VOW_EXPECT_BYTES(p, n) \
  { VOW_CHECK_EXPECT, (p), (n), 0 }
#define VOW_REPLY(text) \
  { VOW_CHECK_REPLY, "" text, sizeof("" text) - 1, 0 }
#define VOW_REPLY_BYTES(p, n) \
  { VOW_CHECK_REPLY, (p), (n), 0 }
#define VOW_DELAY(ms) \
  { VOW_CHECK_DELAY, NULL, 0, (ms) }
#define VOW_END() \
  { VOW_CHECK_END, NULL, 0, 0 }
#define VOW_EXPECT_END() \
  { VOW_CHECK_EXPECT_END, NULL, 0, 0 }
#define VOW_CLOSE() \
  { VOW_CHECK_CLOSE, NULL, 0, 0 }
#define VOW_RESET(code) \
  { VOW_CHECK_RESET, NULL, 0, (code) }
#define VOW_REFUSE(code) \
  { VOW_CHECK_REFUSE, NULL, 0, (code) }
#define VOW_HANG() \
  { VOW_CHECK_HANG, NULL, 0, 0 }
#define VOW_IGNORE() \
  { VOW_CHECK_IGNORE, NULL, 0, 0 }

/** vow_check_peer(net, address, steps...)
 *  A peer at "host:service" of net that plays these steps for the next
 *  connection that has none yet; several are used in the order of the calls.
 *  When other bytes come than expected the test fails, at this line, and the
 *  connection is reset. A script that was not played to its end when the net is
 *  freed fails the test, too; the report of a test that fails otherwise says
 *  where each script that has begun stands. A step that can never be played
 *  fails the test as well: behind one that is to be the last or the only one,
 *  in a direction that has ended, with a delay below 0 or a code above.
 *  Ownership: the steps are copied, what they point to is borrowed until the
 *    net is freed.
 *  Errors: as said; fails the test when net, address or the bytes of a step are
 *    NULL.
 *  Thread: the loop's. */
#ifdef __cplusplus /* which has no compound literals */
#define vow_check_peer(net, address, ...)                      \
  do {                                                         \
    const vow_check_step_t vow__steps[] = {__VA_ARGS__};       \
    vow_check_peer_at(VOW_SITE, (net), (address), vow__steps,  \
                      sizeof vow__steps / sizeof *vow__steps); \
  } while (0)
#else
#define vow_check_peer(net, address, ...)                             \
  vow_check_peer_at(VOW_SITE, (net), (address),                       \
                    (const vow_check_step_t[]){__VA_ARGS__},          \
                    sizeof((const vow_check_step_t[]){__VA_ARGS__}) / \
                        sizeof(vow_check_step_t))
#endif
VOW_EXPORT void vow_check_peer_at(const char *site, vow_check_net_t *net,
                                  const char *address,
                                  const vow_check_step_t steps[], size_t n);

VOW_END_DECLS
#endif
