/* SPDX-License-Identifier: MIT */
/* Faults at a low rate: every so often an allocation or a call of libuv fails,
 * a callback is told an error, or transfers are cut short for a while. */
#include "soak/soak.h"
#include "support/fault.h"
#include "check/shim/shim.h"

#define PAUSE_MS    40  /* between two faults, at most */
#define ALLOCATIONS 400 /* until one fails, at most */
#define CALLS       50  /* likewise */

typedef struct trouble {
  const char *name;
  int code;
  bool reported; /* its callback is told */
} trouble_t;

static const trouble_t troubles[] = {
    {"uv_tcp_init", UV_ENOMEM, false},
    {"uv_tcp_bind", UV_EADDRINUSE, false},
    {"uv_tcp_connect", UV_ENETUNREACH, false},
    {"uv_tcp_connect", UV_ETIMEDOUT, true},
    {"uv_accept", UV_ECONNABORTED, false},
    {"uv_listen", UV_EMFILE, true},
    {"uv_read_start", UV_ENOTCONN, false},
    {"uv_read_start", UV_ECONNRESET, true},
    {"uv_try_write", UV_EPIPE, false},
    {"uv_try_write", UV_EAGAIN, false},
    {"uv_write", UV_ENOMEM, false},
    {"uv_write", UV_ECONNRESET, true},
    {"uv_shutdown", UV_ENOTCONN, false},
    {"uv_tcp_close_reset", UV_EINVAL, false},
    {"uv_tcp_nodelay", UV_EINVAL, false},
};

static void fail_call(void) {
  const trouble_t *t =
      &troubles[soak_below(sizeof troubles / sizeof troubles[0])];
  size_t nth = 1 + soak_below(CALLS);
  if (t->reported)
    vow__shim_report(t->name, nth, t->code);
  else
    vow__shim_fail(t->name, nth, t->code);
}

static void cut_short(void) {
  vow__shim_short_reads(soak_below(2) == 0 ? 1 + soak_below(100) : 0);
  vow__shim_short_writes(soak_below(2) == 0 ? 1 + soak_below(100) : 0);
}

vow_value_t soak_storm(void *loop) {
  while (vow_task_reason() == 0) {
    soak_pause(loop, 1 + soak_below(PAUSE_MS));
    switch (soak_below(10)) {
    case 0:
      cut_short();
      break;
    case 1:
    case 2:
    case 3:
    case 4:
      soak_counts.starved += fault_failed(); /* by the last plan */
      fault_fail_at(1 + soak_below(ALLOCATIONS));
      break;
    default:
      fail_call();
    }
  }
  soak_storm_end();
  return vow_nil();
}

void soak_storm_end(void) {
  fault_off();
  vow__shim_off();
}
