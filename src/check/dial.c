/* SPDX-License-Identifier: MIT */
/* Connecting: after a round trip, when no partition is in the way. */
#include <stdlib.h>
#include <string.h>

#include "check/net.h"

struct vow__dial {
  vow_op_t op;
  vow__dial_t *next;
  vow_check_net_t *net; /* NULL: off its list */
  char *address;
  bool due;
  vow_timer_t timer;
};

static void leave(vow__dial_t *d) {
  vow__dial_t **at;
  if (d->net == NULL) return;
  at = &d->net->dials;
  while (*at != d) at = &(*at)->next;
  *at = d->next;
  vow_timer_stop(vow_op_loop(d), &d->timer);
  d->net = NULL;
}

static void cancel(void *p) {
  leave(p);
  vow_op_settle(p, vow_cancelled(UV_ECANCELED));
}

static void destroy(void *p) {
  leave(p);
  free(((vow__dial_t *)p)->address);
}

static const vow_op_class_t dial_class = {
    "check_connect", sizeof(vow__dial_t), cancel, destroy, NULL, NULL};

/* ---- who is there --------------------------------------------------------- */

static vow__script_t *next_script(vow_check_net_t *net, const char *address) {
  vow__script_t *s = net->scripts;
  while (s != NULL && (s->taken || strcmp(s->address, address) != 0))
    s = s->next;
  return s;
}

static vow_value_t meet_script(vow__dial_t *d, vow__script_t *s) {
  vow__conn_t *c =
      vow__conn_new(vow_site(vow_op_future(d)), d->net, d->address);
  vow_value_t v = vow_stream_value(vow__conn_stream(c, 0));
  s->taken = true;
  vow__script_start(s, c);
  return v;
}

/* False: the script hangs. */
static bool answer(vow__dial_t *d, vow_value_t *ret_v) {
  vow__script_t *s = next_script(d->net, d->address);
  const char *site = vow_site(vow_op_future(d));
  vow_check_act_t first = s != NULL ? s->steps[0].act : VOW_CHECK_IGNORE;
  int code = UV_ECONNREFUSED;
  vow_stream_t *stream;
  if (s == NULL) {
    stream = vow__listeners_connect(d->net, d->address, site);
    if (stream != NULL) {
      *ret_v = vow_stream_value(stream);
      return true;
    }
  } else if (first == VOW_CHECK_HANG || first == VOW_CHECK_REFUSE) {
    s->taken = true;
    s->at = s->count;
    if (first == VOW_CHECK_HANG) return false;
    if (s->steps[0].number < 0) code = (int)s->steps[0].number;
  } else {
    *ret_v = meet_script(d, s);
    return true;
  }
  *ret_v = vow_failf_at(site, code, "check_connect: %s: %s", d->address,
                        vow_strerror(code));
  return true;
}

static void connect_now(vow__dial_t *d) {
  vow_value_t v;
  vow__memory_pause();
  d->due = false; /* once */
  if (answer(d, &v)) {
    leave(d);
    vow_op_settle(d, v);
  }
  vow__memory_resume();
}

static void on_timer(vow_timer_t *t) {
  vow__dial_t *d =
      (vow__dial_t *)(void *)((char *)t - offsetof(vow__dial_t, timer));
  d->due = true;
  if (!vow__net_is_cut(d->net, d->address)) connect_now(d);
}

void vow__dials_look(vow_check_net_t *net) {
  vow__dial_t *d = net->dials, *next;
  for (; d != NULL; d = next) {
    next = d->next;
    if (d->due && !vow__net_is_cut(net, d->address)) connect_now(d);
  }
}

void vow__dials_end(vow_check_net_t *net) {
  while (net->dials != NULL) leave(net->dials); /* they hang */
}

/* ---- for users ------------------------------------------------------------ */

static char *join(const char *host, const char *service) {
  vow__text_t t = {NULL, 0, 0};
  vow__text_add(&t, "%s:%s", host, service);
  return t.data;
}

vow_future_t *vow_check_connect(vow_loop_t *loop, const char *host,
                                const char *service, void *arg) {
  vow_check_net_t *net = arg;
  vow__dial_t *d, **at;
  const char *site = VOW_SITE;
  if (net == NULL || loop != net->loop || host == NULL || service == NULL)
    return vow_misuse_at(VOW_SITE, loop, UV_EINVAL,
                         "vow_check_connect: the net, its loop, the host or "
                         "the service is wrong");
  /* Being called through a pointer it has no site, but the task has. */
  if (vow_task_current() != NULL) site = vow_site(vow_task_current());
  d = vow_op_new_at(site, loop, &dial_class);
  if (d == NULL) return vow_op_failed(site, loop, dial_class.name);
  d->address = join(host, service);
  d->net = net;
  at = &net->dials;
  while (*at != NULL) at = &(*at)->next;
  *at = d;
  vow__net_timer(net, &d->timer,
                 vow_deadline_ms(loop, 2 * net->wire.latency_ms), on_timer);
  return vow_op_future(d);
}

void vow_check_pair_at(const char *site, vow_check_net_t *net,
                       vow_stream_t **ret_a, vow_stream_t **ret_b) {
  vow__conn_t *c;
  if (net == NULL || ret_a == NULL || ret_b == NULL)
    vow__kit_fail(site, "vow_check_pair: the net, ret_a or ret_b is NULL");
  c = vow__conn_new(site, net, "(pair)");
  *ret_a = vow__conn_stream(c, 0);
  *ret_b = vow__conn_stream(c, 1);
}
