/* SPDX-License-Identifier: MIT */
/* Closing a loop on libuv, and loops on a uv_loop_t of the program's own. */
#include <vow/uv.h>

#include "unit/uv/uv_support.h"

/* ---- closing ------------------------------------------------------------- */

typedef struct stuck {
  int count;
  char what[64];
  char site[256];
} stuck_t;

static void note_stuck(const char *what, const char *site, void *arg) {
  stuck_t *s = arg;
  s->count++;
  snprintf(s->what, sizeof s->what, "%s", what);
  snprintf(s->site, sizeof s->site, "%s", site);
}

static vow_loop_t *loop_noting(stuck_t *s) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  o.on_stuck = note_stuck;
  o.on_stuck_arg = s;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  return loop;
}

TEST(test_rule_22_close_with_open_raw_handle_names_it_and_stays_usable) {
  stuck_t s = {0, "", ""};
  vow_loop_t *loop = loop_noting(&s);
  uv_timer_t t;
  uv_timer_init(vow_loop_uv(loop), &t);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  ck_assert_int_eq(s.count, 1);
  ck_assert_str_eq(s.what, "uv handle timer");
  ck_assert_int_eq(settle_drop(loop, vow_sleep(loop, 1)), 0);
  uv_close((uv_handle_t *)&t, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(s.count, 1);
}

TEST(test_rule_22_close_names_the_site_of_a_vow_handle) {
  stuck_t s = {0, "", ""};
  vow_loop_t *loop = loop_noting(&s);
  uv_tcp_t *tcp = NULL;
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  ck_assert_str_eq(s.what, "uv handle tcp");
  ck_assert_ptr_nonnull(strstr(s.site, "test_driver_close.c:"));
  vow_tcp_free(tcp);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
}

static void raw_work(uv_work_t *w) {
  (void)w;
  uv_sleep(20);
}

static void raw_after(uv_work_t *w, int status) {
  *(int *)w->data = status == 0 ? 1 : -1;
}

TEST(test_rule_22_close_with_raw_request_in_flight_gives_ebusy) {
  stuck_t s = {0, "", ""};
  vow_loop_t *loop = loop_noting(&s);
  uv_work_t w;
  int done = 0;
  w.data = &done;
  ck_assert_int_eq(uv_queue_work(vow_loop_uv(loop), &w, raw_work, raw_after),
                   0);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  ck_assert_str_eq(s.what, "uv request");
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(done, 1);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
}

static void on_gone(uv_handle_t *h) {
  *(bool *)h->data = true;
}

TEST(test_close_waits_for_handles_that_are_closing) {
  vow_loop_t *loop = loop_open();
  uv_timer_t t;
  bool gone = false;
  uv_timer_init(vow_loop_uv(loop), &t);
  t.data = &gone;
  uv_close((uv_handle_t *)&t, on_gone);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert(gone);
}

/* ---- attaching ----------------------------------------------------------- */

TEST(test_attach_twice_gives_eexist) {
  uv_loop_t uv;
  vow_loop_t *a = NULL, *b = NULL;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &a), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &b), UV_EEXIST);
  ck_assert_ptr_null(b);
  ck_assert_int_eq(vow_loop_close(a, 0), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &b), 0);
  ck_assert_int_eq(vow_loop_close(b, 0), 0);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

static void count_tick(uv_timer_t *t) {
  ++*(int *)t->data;
}

TEST(test_attach_program_mixes_raw_timers_and_futures) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  uv_timer_t t;
  int ticks = 0, calls = 0;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  ck_assert_ptr_eq(vow_loop_uv(loop), &uv);
  uv_timer_init(&uv, &t);
  t.data = &ticks;
  uv_timer_start(&t, count_tick, 1, 0);
  vow_detach(vow_then(vow_sleep(loop, 4), count_call, &calls));
  vow_detach(vow_then(vow_ready(loop, vow_nil()), count_call, &calls));
  /* The program's own run: ends when vow's work has ended as well. */
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(ticks, 1);
  ck_assert_int_eq(calls, 2);
  uv_close((uv_handle_t *)&t, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

TEST(test_attach_idle_vow_loop_does_not_keep_uv_alive) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  ck_assert_int_eq(uv_run(&uv, UV_RUN_DEFAULT), 0);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

TEST(test_attach_close_leaves_the_programs_handles_and_loop_usable) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  uv_timer_t t;
  vow_future_t *f;
  int ticks = 0;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  uv_timer_init(&uv, &t);
  t.data = &ticks;
  uv_timer_start(&t, count_tick, 2, 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  f = vow_sleep(loop, 100000);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ck_assert(!uv_is_closing((uv_handle_t *)&t));
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(ticks, 1);
  uv_close((uv_handle_t *)&t, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

TEST(test_attach_close_stops_readers_and_listeners_on_raw_handles) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  uv_tcp_t listening, client;
  vow_listener_t *listener = NULL;
  vow_reader_t *reader = NULL;
  struct sockaddr_in addr = local_addr(0);
  vow_future_t *f;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  uv_tcp_init(&uv, &listening);
  uv_tcp_init(&uv, &client);
  uv_tcp_bind(&listening, (const struct sockaddr *)&addr, 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  ck_assert_int_eq(vow_listen(&listening, 8, &listener), 0);
  ck_assert_int_eq(settle_drop(loop, connect_to(&client, port_of(&listening))),
                   0);
  ck_assert_int_eq(vow_reader_new(stream_of(&client), 0, &reader), 0);
  vow_drop(vow_reader_next(reader)); /* reading goes on */
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  /* Both now say so, and can be freed; the handles are the program's. */
  f = vow_reader_next(reader);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  f = vow_accept(listener);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  vow_reader_free(reader);
  vow_listener_free(listener);
  ck_assert(!uv_is_active((uv_handle_t *)&client));
  uv_run(&uv, UV_RUN_NOWAIT); /* a connection comes to nobody: no crash */
  uv_close((uv_handle_t *)&client, NULL);
  uv_close((uv_handle_t *)&listening, NULL);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

SUITE(uv_driver_close) {
  ADD(test_rule_22_close_with_open_raw_handle_names_it_and_stays_usable);
  ADD(test_rule_22_close_names_the_site_of_a_vow_handle);
  ADD(test_rule_22_close_with_raw_request_in_flight_gives_ebusy);
  ADD(test_close_waits_for_handles_that_are_closing);
  ADD(test_attach_twice_gives_eexist);
  ADD(test_attach_program_mixes_raw_timers_and_futures);
  ADD(test_attach_idle_vow_loop_does_not_keep_uv_alive);
  ADD(test_attach_close_leaves_the_programs_handles_and_loop_usable);
  ADD(test_attach_close_stops_readers_and_listeners_on_raw_handles);
}
