/* SPDX-License-Identifier: MIT */
/* Random bytes of the operating system, on libuv's thread pool. */
#ifndef VOW_RANDOM_H
#define VOW_RANDOM_H

#include <vow/bytes.h>
#include <vow/uv.h>

VOW_BEGIN_DECLS

/** vow_random(loop, size_bytes)
 *  Succeeds with size_bytes bytes fit for cryptography: vow_bytes_get,
 *  vow_bytes_take.
 *  Cancelled, it settles at once; a request that runs goes on in memory of its
 *  own.
 *  Ownership: the caller owns the result.
 *  Errors: UV_E2BIG (above INT32_MAX), UV_EIO and the like, UV_ENOMEM,
 *    UV_EINVAL (loop is NULL), UV_ENOTSUP (the loop is not on libuv),
 *    VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: uv_random. */
#define vow_random(loop, size_bytes) \
  vow_random_at(VOW_SITE, (loop), (size_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_random_at(const char *site,
                                                    vow_loop_t *loop,
                                                    size_t size_bytes);

/** vow_random_into(loop, ret_data, size_bytes)
 *  The same into the caller's memory; succeeds with the number of bytes, which
 *  is size_bytes.
 *  Cancelled, it settles when libuv has let go of that memory: as cancelled
 *  when the request never began, with its outcome when it did.
 *  Ownership: ret_data is borrowed until the future has settled. Do not drop
 *    the future before: nothing else tells when libuv has let go.
 *  Errors: UV_EINVAL also when ret_data is NULL; as vow_random.
 *  Thread: the loop's. */
#define vow_random_into(loop, ret_data, size_bytes) \
  vow_random_into_at(VOW_SITE, (loop), (ret_data), (size_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_random_into_at(const char *site,
                                                         vow_loop_t *loop,
                                                         void *ret_data,
                                                         size_t size_bytes);

VOW_END_DECLS
#endif
