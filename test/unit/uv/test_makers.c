/* SPDX-License-Identifier: MIT */
/* What wrappers do that begin nothing, but make something or set it: loops,
 * handles, sources. Whatever libuv call fails in there, and whichever
 * allocation, that is the answer, and nothing is left behind. */
#include "unit/uv/coverage.h"
#include "unit/uv/sources.h"

#include <vow/fs_event.h>
#include <vow/fs_poll.h>
#include <vow/interval.h>
#include <vow/pipe.h>
#include <vow/poll.h>
#include <vow/signal.h>
#include <vow/sink.h>
#include <vow/tty.h>
#include <vow/udp.h>

#include <signal.h>

/* Gives what a function of vow's said. What it made goes to *ret_made, or, if
 * there is nothing to be freed, nowhere. */
typedef int (*make_fn)(place_t *at, void **ret_made);

typedef struct maker {
  const char *name; /* without vow_ */
  make_fn make;
  void (*free)(void *made);
  bool files;
  bool calls; /* libuv, which may fail */
  bool allocates;
} maker_t;

/* ---- handles ------------------------------------------------------------- */

static int make_tcp(place_t *at, void **ret_made) {
  return vow_tcp_new(at->loop, (uv_tcp_t **)ret_made);
}
static void free_tcp(void *made) {
  vow_tcp_free(made);
}

static int make_pipe(place_t *at, void **ret_made) {
  return vow_pipe_new(at->loop, false, (uv_pipe_t **)ret_made);
}
static void free_pipe(void *made) {
  vow_pipe_free(made);
}

static int make_udp(place_t *at, void **ret_made) {
  return vow_udp_new(at->loop, AF_INET, (uv_udp_t **)ret_made);
}
static void free_udp(void *made) {
  vow_udp_free(made);
}

/* Where there is no terminal, nothing is tested. */
static int make_tty(place_t *at, void **ret_made) {
  int err = 0, ends[2];
  if (terminal_open(ends))
    err = vow_tty_new(at->loop, ends[1], (uv_tty_t **)ret_made);
  if (ends[0] >= 0) close(ends[0]);
  if (ends[1] >= 0) close(ends[1]);
  return err;
}
static void free_tty(void *made) {
  vow_tty_free(made);
}

/* ---- on handles ---------------------------------------------------------- */

static int make_udp_connect(place_t *at, void **ret_made) {
  struct sockaddr_in addr = local_addr(9);
  vow_future_t *f = vow_udp_connect(at->udp, (const struct sockaddr *)&addr);
  int err = vow_status(f);
  (void)ret_made;
  ck_assert(vow_is_settled(f));
  vow_drop(f);
  if (err == 0) uv_udp_connect(at->udp, NULL);
  return err;
}

static int make_listen(place_t *at, void **ret_made) {
  vow_listener_free(at->pair.listener);
  at->pair.listener = NULL;
  return vow_listen(at->pair.listening, 8, (vow_listener_t **)ret_made);
}
static int make_pipe_listen(place_t *at, void **ret_made) {
  vow_listener_free(at->pipe_listener);
  at->pipe_listener = NULL;
  return vow_pipe_listen(at->listening_pipe, 8, false,
                         (vow_listener_t **)ret_made);
}
static void free_listener(void *made) {
  vow_listener_free(made);
}

static int make_reader(place_t *at, void **ret_made) {
  return vow_reader_new(stream_of(at->pair.a), 0, (vow_reader_t **)ret_made);
}
static int make_ipc_reader(place_t *at, void **ret_made) {
  return vow_reader_new((uv_stream_t *)at->ipc[0], 0,
                        (vow_reader_t **)ret_made);
}
static void free_reader(void *made) {
  vow_reader_free(made);
}

static int make_receiver(place_t *at, void **ret_made) {
  return vow_receiver_new(at->udp, 0, (vow_receiver_t **)ret_made);
}
static void free_receiver(void *made) {
  vow_receiver_free(made);
}

static bool sink_room(vow_sink_t *k) {
  (void)k;
  return true;
}
static void sink_data(vow_sink_t *k, vow_bytes_t *b) {
  (void)k;
  vow_bytes_unref(b);
}
static void sink_starved(vow_sink_t *k) {
  (void)k;
}
static void sink_end(vow_sink_t *k, int code) {
  (void)k;
  (void)code;
}
static const vow_sink_class_t sink_class = {sink_room, sink_data, sink_starved,
                                            sink_end};
static vow_sink_t the_sink;

static int make_sink(place_t *at, void **ret_made) {
  int err = vow_sink_open(&the_sink, stream_of(at->pair.a), &sink_class);
  if (err == 0) *ret_made = &the_sink;
  return err;
}
static int make_sink_start(place_t *at, void **ret_made) {
  int err = make_sink(at, ret_made);
  if (err == 0) err = vow_sink_start(&the_sink);
  if (err != 0 && *ret_made != NULL) vow_sink_close(&the_sink);
  if (err != 0) *ret_made = NULL;
  return err;
}
static void free_sink(void *made) {
  vow_sink_close(made);
}

/* ---- sources ------------------------------------------------------------- */

static int make_signal(place_t *at, void **ret_made) {
  return vow_signal_new(at->loop, SIGUSR1, (vow_signal_t **)ret_made);
}
static void free_signal(void *made) {
  vow_signal_free(made);
}

static int make_poll(place_t *at, void **ret_made) {
  uv_os_fd_t fd;
  while (uv_fileno(handle_of(at->pair.a), &fd) != 0) { /* the test's own */
  }
  return vow_poll_new(at->loop, fd, UV_READABLE, (vow_poll_t **)ret_made);
}
static void free_poll(void *made) {
  vow_poll_free(made);
}

static int make_interval(place_t *at, void **ret_made) {
  return vow_interval_new(at->loop, 5, (vow_interval_t **)ret_made);
}
static void free_interval(void *made) {
  vow_interval_free(made);
}

static int make_fs_event(place_t *at, void **ret_made) {
  return vow_fs_event_new(at->loop, at->folder->path, 0,
                          (vow_fs_event_t **)ret_made);
}
static void free_fs_event(void *made) {
  vow_fs_event_free(made);
}

static int make_fs_poll(place_t *at, void **ret_made) {
  return vow_fs_poll_new(at->loop, at->file, 1000, (vow_fs_poll_t **)ret_made);
}
static void free_fs_poll(void *made) {
  vow_fs_poll_free(made);
}

/* ---- loops --------------------------------------------------------------- */

static int make_loop(place_t *at, void **ret_made) {
  vow_loop_options_t o = quiet_options(true);
  (void)at;
  return vow_loop_new(&o, (vow_loop_t **)ret_made);
}
static void free_loop(void *made) {
  ck_assert_int_eq(vow_loop_close(made, 100), 0);
}

typedef struct attached {
  uv_loop_t uv;
  vow_loop_t *loop;
} attached_t;

static int make_attached(place_t *at, void **ret_made) {
  vow_loop_options_t o = quiet_options(true);
  attached_t *a = calloc(1, sizeof *a);
  int err;
  (void)at;
  while (uv_loop_init(&a->uv) != 0) { /* the program's own, not ours */
  }
  err = vow_loop_attach(&a->uv, &o, &a->loop);
  if (err == 0) {
    *ret_made = a;
    return 0;
  }
  uv_run(&a->uv, UV_RUN_NOWAIT);
  ck_assert_int_eq(uv_loop_close(&a->uv), 0);
  free(a);
  return err;
}
static void free_attached(void *made) {
  attached_t *a = made;
  free_loop(a->loop);
  ck_assert_int_eq(uv_loop_close(&a->uv), 0);
  free(a);
}

/* ---- the table ----------------------------------------------------------- */

#define ROW(function, which) \
  .name = (function), .make = make_##which, .free = free_##which

static const maker_t makers[] = {
    {ROW("loop_new", loop), .calls = true, .allocates = true},
    {ROW("loop_attach", attached), .calls = true, .allocates = true},
    {ROW("tcp_new", tcp), .calls = true, .allocates = true},
    {ROW("pipe_new", pipe), .calls = true, .allocates = true},
    {ROW("udp_new", udp), .calls = true, .allocates = true},
    {ROW("tty_new", tty), .allocates = true},
    {.name = "udp_connect",
     .make = make_udp_connect,
     .calls = true,
     .allocates = true},
    {.name = "listen",
     .make = make_listen,
     .free = free_listener,
     .calls = true,
     .allocates = true},
    {.name = "pipe_listen",
     .make = make_pipe_listen,
     .free = free_listener,
     .calls = true,
     .allocates = true},
    {ROW("reader_new", reader), .allocates = true},
    {.name = "reader_new",
     .make = make_ipc_reader,
     .free = free_reader,
     .allocates = true},
    {ROW("receiver_new", receiver), .allocates = true},
    {ROW("sink_open", sink)},
    {.name = "sink_start",
     .make = make_sink_start,
     .free = free_sink,
     .calls = true},
    {ROW("signal_new", signal), .calls = true, .allocates = true},
    {ROW("poll_new", poll), .calls = true, .allocates = true},
    {ROW("interval_new", interval), .allocates = true},
    {ROW("fs_event_new", fs_event), .files = true, .calls = true,
     .allocates = true},
    {ROW("fs_poll_new", fs_poll), .files = true, .calls = true,
     .allocates = true},
};

#define MAKERS ((int)(sizeof makers / sizeof makers[0]))

/* ---- the situations ------------------------------------------------------ */

static int fds;

static place_t *open_place(const maker_t *m) {
  loop_done(loop_open()); /* libuv keeps some descriptors of its first loop */
  fds = count_fds();
  fault_install();
  return place_open(m->files, true);
}

static void close_place(place_t *at) {
  place_close(at);
  ck_assert_int_eq(count_fds(), fds);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void free_made(const maker_t *m, place_t *at, void *made) {
  if (made != NULL && m->free != NULL) m->free(made);
  turns(at->loop, 2);
}

TEST(test_maker_undisturbed_succeeds_again_and_again) {
  const maker_t *m = &makers[_i];
  place_t *at = open_place(m);
  int i;
  for (i = 0; i < 3; i++) {
    void *made = NULL;
    ck_assert_msg(m->make(at, &made) == 0, "%s", m->name);
    free_made(m, at, made);
  }
  close_place(at);
}

/* The nth libuv call of all, in there, fails with code; false when there are
 * not so many. */
static bool refuse(const maker_t *m, size_t n, int code) {
  place_t *at = open_place(m);
  void *made = NULL;
  bool hit;
  int err;
  vow__shim_on();
  vow__shim_fail(NULL, n, code);
  err = m->make(at, &made);
  hit = vow__shim_hits() > 0;
  vow__shim_off();
  if (err != 0) {
    ck_assert_msg(err == code, "%s: call %zu gave %d", m->name, n, err);
    ck_assert_ptr_null(made);
    turns(at->loop, 2);
    ck_assert_int_eq(m->make(at, &made), 0); /* as if nothing had been */
  }
  free_made(m, at, made);
  close_place(at);
  return hit;
}

TEST(test_maker_told_a_code_returns_it_and_leaves_nothing) {
  static const int codes[] = {UV_EMFILE, UV_EINVAL, UV_EACCES, 0};
  const maker_t *m = &makers[_i];
  const int *code;
  size_t n;
  for (code = codes; *code != 0; code++) {
    for (n = 1; refuse(m, n, *code); n++) ck_assert_uint_lt(n, 20);
    if (m->calls) ck_assert_uint_ge(n, 2);
  }
}

static bool starve(const maker_t *m, size_t n, bool from) {
  place_t *at = open_place(m);
  void *made = NULL;
  bool failed;
  int err;
  if (from)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  err = m->make(at, &made);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert_msg(err == 0 || err == UV_ENOMEM, "%s: %d", m->name, err);
  if (err != 0) ck_assert_ptr_null(made);
  if (!failed) ck_assert_int_eq(err, 0);
  free_made(m, at, made);
  close_place(at);
  return failed;
}

TEST(test_maker_out_of_memory_gives_enomem_and_leaves_nothing) {
  const maker_t *m = &makers[_i];
  size_t n;
  for (n = 1; starve(m, n, false); n++) {
    ck_assert_uint_lt(n, 50);
    starve(m, n, true);
  }
  if (m->allocates) ck_assert_uint_ge(n, 2);
}

/* ---- the tables ---------------------------------------------------------- */

static bool is_in_a_table(const char *name) {
  int i;
  for (i = 0; i < request_count(); i++)
    if (strcmp(request_at(i)->name, name) == 0) return true;
  for (i = 0; i < source_count; i++)
    if (strcmp(sources[i].name, name) == 0) return true;
  for (i = 0; i < MAKERS; i++)
    if (strcmp(makers[i].name, name) == 0) return true;
  return false;
}

static int wrappers;

static void expect_in_a_table(const char *name) {
  if (strcmp(name, "dirents") == 0) return; /* reads what it is given */
  wrappers++;
  ck_assert_msg(is_in_a_table(name),
                "vow_%s is in no table: add it to rows_*.c or test_makers.c",
                name);
}

TEST(test_tables_have_every_wrapper_of_libuv) {
  /* Views of what is in the tables, and threads without libuv. */
  static const char *const skip[] = {"vow/iter_", "vow/thread_pool", NULL};
  wrappers = 0;
  each_wrapper("uv", skip, expect_in_a_table);
  ck_assert_int_ge(wrappers, 80);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, MAKERS)

SUITE(uv_makers) {
  EACH(test_maker_undisturbed_succeeds_again_and_again);
  EACH(test_maker_told_a_code_returns_it_and_leaves_nothing);
  EACH(test_maker_out_of_memory_gives_enomem_and_leaves_nothing);
  ADD(test_tables_have_every_wrapper_of_libuv);
}
