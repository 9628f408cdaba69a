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
#include <vow/iter.h>
#include <vow/iter_class.h>
#include <vow/driver.h>

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
#include <vow/using.h>
#include <vow/iter_sources.h>
#include <vow/iter_tools.h>

/* sync */
#include <vow/mutex.h>
#include <vow/rwlock.h>
#include <vow/semaphore.h>
#include <vow/event.h>
#include <vow/condition.h>
#include <vow/barrier.h>
#include <vow/once.h>
#include <vow/limiter.h>
#include <vow/rate_limiter.h>
#include <vow/queue.h>
#include <vow/broadcast.h>
#include <vow/latest.h>
#include <vow/select.h>
#include <vow/iter_sync.h>

/* task */
#include <vow/task.h>
#include <vow/group.h>
#include <vow/task_sync.h>
#include <vow/task_iter.h>

/* uv */
#include <vow/uv.h>
#include <vow/virtual.h>
#include <vow/bytes.h>
#include <vow/handle.h>
#include <vow/stream_io.h>
#include <vow/sink.h>
#include <vow/tcp.h>
#include <vow/dns.h>
#include <vow/fs_attr.h>
#include <vow/fs_dir.h>
#include <vow/fs_file.h>
#include <vow/fs_path.h>
#include <vow/fs_stat.h>
#include <vow/fs_temp.h>
#include <vow/fs.h>
#include <vow/interval.h>
#include <vow/signal.h>
#include <vow/work.h>
#include <vow/thread_pool.h>
#include <vow/random.h>
#include <vow/pipe.h>
#include <vow/udp.h>
#include <vow/tty.h>
#include <vow/process.h>
#include <vow/poll.h>
#include <vow/fs_event.h>
#include <vow/fs_poll.h>
#include <vow/phase.h>
#include <vow/iter_uv.h>

/* net */
#include <vow/file.h>
#include <vow/stream.h>
#include <vow/stream_class.h>
#include <vow/iter_net.h>
#include <vow/connect.h>
#include <vow/serve.h>
#include <vow/run.h>

#endif
