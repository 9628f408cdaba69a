/* SPDX-License-Identifier: MIT */
/* Listeners: a queue of connections each. */
#include <vow/queue.h>

#include <stdlib.h>
#include <string.h>

#include "check/net.h"

struct vow_check_listener {
  vow_check_listener_t *next;
  vow_check_net_t *net;
  char *address;
  vow_queue_t *waiting;
};

static vow_check_listener_t *find(vow_check_net_t *net, const char *address) {
  vow_check_listener_t *l = net->listeners;
  while (l != NULL && strcmp(l->address, address) != 0) l = l->next;
  return l;
}

vow_check_listener_t *vow_check_listen_at(const char *site,
                                          vow_check_net_t *net,
                                          const char *address) {
  vow_check_listener_t *l;
  if (net == NULL || address == NULL)
    vow__kit_fail(site, "vow_check_listen: the net or the address is NULL");
  if (find(net, address) != NULL)
    vow__kit_fail(site, "somebody listens at %s already", address);
  l = vow__kit_alloc(sizeof *l);
  l->net = net;
  l->address = vow__kit_copy(address);
  vow__memory_pause();
  l->waiting = vow_queue_new_at(site, net->loop, VOW_FIFO, VOW_UNBOUNDED);
  vow__memory_resume();
  if (l->waiting == NULL) vow__kit_fail(site, "no memory for a listener");
  l->next = net->listeners;
  net->listeners = l;
  return l;
}

vow_future_t *vow_check_accept_at(const char *site,
                                  vow_check_listener_t *listener) {
  if (listener == NULL)
    vow__kit_fail(site, "vow_check_accept: the listener is NULL");
  return vow_queue_get_at(site, listener->waiting);
}

/* Nobody will accept them. */
static void reset_waiting(vow_queue_t *waiting) {
  vow_value_t v;
  vow__memory_pause();
  while (vow_queue_try_get(waiting, &v) == 0) {
    vow_future_t *reset = vow_stream_reset(v.as.p, 0);
    (void)vow_status(reset);
    vow_drop(reset);
    vow_value_destroy(v);
  }
  vow__memory_resume();
}

void vow_check_unlisten(vow_check_listener_t *listener) {
  vow_check_listener_t **at;
  if (listener == NULL) return;
  at = &listener->net->listeners;
  while (*at != listener) at = &(*at)->next;
  *at = listener->next;
  reset_waiting(listener->waiting);
  vow_queue_free(listener->waiting);
  free(listener->address);
  free(listener);
}

vow_stream_t *vow__listeners_connect(vow_check_net_t *net, const char *address,
                                     const char *site) {
  vow_check_listener_t *l = find(net, address);
  vow__conn_t *c;
  vow_value_t far_end;
  if (l == NULL) return NULL;
  c = vow__conn_new(site, net, address);
  far_end = vow_stream_value(vow__conn_stream(c, 1));
  if (vow_queue_try_put(l->waiting, far_end) != 0) {
    vow_value_destroy(far_end);
    vow__conn_unref(c);
    return NULL;
  }
  return vow__conn_stream(c, 0);
}
