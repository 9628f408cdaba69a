/* SPDX-License-Identifier: MIT */
/* All of vow, in layer order: core, debug, combinators, libuv. Drivers and
 * operations come with it; adapters and the test kit are included by hand. */
#ifndef VOW_H
#define VOW_H

/* core */
#include <vow/base.h>
#include <vow/value.h>
#include <vow/error.h>
#include <vow/future.h>
#include <vow/promise.h>
#include <vow/loop.h>
#include <vow/time.h>
#include <vow/token.h>
#include <vow/op.h>
#include <vow/driver.h>

/* debug */
#include <vow/debug.h>

/* debug */
#include <vow/debug.h>

/* combine */
#include <vow/list.h>
#include <vow/gather.h>
#include <vow/race.h>
#include <vow/timeout.h>
#include <vow/retry.h>
#include <vow/repeat.h>
#include <vow/map.h>
#include <vow/as_completed.h>

/* uv */
#include <vow/uv.h>
#include <vow/bytes.h>
#include <vow/handle.h>
#include <vow/stream_io.h>
#include <vow/tcp.h>
#include <vow/dns.h>
#include <vow/fs.h>
#include <vow/interval.h>
#include <vow/signal.h>
#include <vow/work.h>

#endif
