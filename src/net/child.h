/* SPDX-License-Identifier: MIT */
/* Starting a child with pipes to this process. What is done with them is the
 * owner's affair.
 *
 * How this works. The pipes are made here and given to libuv as descriptors to
 * be inherited, not as UV_CREATE_PIPE: so everything that can fail for want of
 * memory does so before there is a child; a failed uv_spawn leaves no stream
 * half open; both 1 and 2 can be the same pipe; and they are pipes, which a
 * child can open again as /dev/stdout, where libuv makes sockets. */
#ifndef VOW_NET_CHILD_H
#define VOW_NET_CHILD_H

#include <vow/run.h>

typedef struct vow__stdio {
  uv_stdio_container_t containers[3];
  int theirs[3];            /* the child's ends; -1: none */
  int input;                /* our end of a pipe to 0, non-blocking; or -1 */
  vow_stream_t *streams[3]; /* our ends that are streams */
} vow__stdio_t;

/** How 0 is made when it is to be a pipe. */
typedef enum vow__stdin { VOW__STDIN_STREAM, VOW__STDIN_FD } vow__stdin_t;

/** What is wrong with command; NULL: nothing. */
const char *vow__command_complaint(const vow_command_t *command);
/** The program, for messages. */
const char *vow__command_name(const vow_command_t *command);

/** Makes the pipes. On an error nothing is open. */
int vow__stdio_open(const char *site, vow_loop_t *loop,
                    const vow_command_t *command, vow__stdin_t how,
                    vow__stdio_t *ret_io);
/** Closes what is open. */
void vow__stdio_close(vow__stdio_t *io);

/** vow_spawn; the child's ends are closed then, and on a failure ours too. */
vow_future_t *vow__child_spawn(const char *site, vow_loop_t *loop,
                               const vow_command_t *command, vow__stdio_t *io);

#endif
