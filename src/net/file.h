/* SPDX-License-Identifier: MIT */
/* What the operations on files share: closing and removing when they end. */
#ifndef VOW_NET_FILE_H
#define VOW_NET_FILE_H

#include <vow/fs.h>

#include "net/steps.h"

/** No single read or write is larger. */
#define VOW__FILE_STEP ((size_t)1 << 30)

/** Submits the close of *file, which becomes -1; the future, or NULL when it
 *  could only be done in this call: what that gave is in *ret_err. */
vow_future_t *vow__file_close(vow__steps_t *s, uv_file *file, int *ret_err);
/** In unwind: closes *file unless it is -1. True: unwind comes again. */
bool vow__file_close_unwinding(vow__steps_t *s, uv_file *file);
/** In unwind: unlinks and releases *temp unless it is NULL. True: unwind comes
 *  again. */
bool vow__file_unlink_unwinding(vow__steps_t *s, vow_temp_t **temp);
/** Closes file now, unless it is -1; what libuv said. */
int vow__file_close_now(uv_file file);

#endif
