/* SPDX-License-Identifier: MIT */
/* Children with pipes, and the streams over them. */
#include "net/child.h"

#include <vow/op.h>
#include <vow/pipe.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- commands ------------------------------------------------------------ */

static bool is_stdio(vow_stdio_t kind) {
  return kind == VOW_STDIO_PIPE || kind == VOW_STDIO_NULL ||
         kind == VOW_STDIO_INHERIT;
}

const char *vow__command_complaint(const vow_command_t *command) {
  const unsigned known =
      UV_PROCESS_SETUID | UV_PROCESS_SETGID | UV_PROCESS_DETACHED;
  if (command == NULL) return "the command is NULL";
  if (command->args == NULL || command->args[0] == NULL)
    return "there are no args";
  if ((command->flags & ~known) != 0) return "the flags are unknown";
  if (!is_stdio(command->in) || !is_stdio(command->out) ||
      (!is_stdio(command->err) && command->err != VOW_STDIO_MERGE))
    return "a stdio is none";
  return NULL;
}

const char *vow__command_name(const vow_command_t *command) {
  return command->file != NULL ? command->file : command->args[0];
}

/* ---- pipes --------------------------------------------------------------- */

static void fd_close(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

void vow__stdio_close(vow__stdio_t *io) {
  int i;
  fd_close(&io->input);
  for (i = 0; i < 3; i++) {
    fd_close(&io->theirs[i]);
    vow_stream_unref(io->streams[i]);
    io->streams[i] = NULL;
  }
}

/* A stream over fd, which is consumed, also on an error. */
static int stream_over(const char *site, vow_loop_t *loop, int fd,
                       vow_stream_t **ret_stream) {
  uv_pipe_t *pipe = NULL;
  int err = vow_pipe_new_at(site, loop, false, &pipe);
  if (err == 0) err = uv_pipe_open(pipe, fd);
  if (err != 0) { /* the handle does not have it */
    vow_pipe_free(pipe);
    close(fd);
    return err;
  }
  err = vow_stream_from_uv_at(site, (uv_stream_t *)pipe, VOW_STREAM_OWNED,
                              ret_stream);
  if (err != 0) vow_pipe_free(pipe);
  return err;
}

/* fds[0] is the child's. */
static int make_pair(int i, vow__stdin_t how, int fds[2]) {
  int swap, err;
  if (i == 0 && how == VOW__STDIN_STREAM)
    return uv_socketpair(SOCK_STREAM, 0, fds, 0, 0);
  if (i == 0) return uv_pipe(fds, 0, UV_NONBLOCK_PIPE);
  err = uv_pipe(fds, UV_NONBLOCK_PIPE, 0);
  if (err != 0) return err;
  swap = fds[0];
  fds[0] = fds[1];
  fds[1] = swap;
  return 0;
}

static int make_pipe(const char *site, vow_loop_t *loop, vow__stdio_t *io,
                     int i, vow__stdin_t how) {
  int fds[2];
  int err = make_pair(i, how, fds);
  if (err != 0) return err;
  io->theirs[i] = fds[0];
  io->containers[i].flags = UV_INHERIT_FD;
  io->containers[i].data.fd = fds[0];
  if (i == 0 && how == VOW__STDIN_FD) {
    io->input = fds[1];
    return 0;
  }
  return stream_over(site, loop, fds[1], &io->streams[i]);
}

int vow__stdio_open(const char *site, vow_loop_t *loop,
                    const vow_command_t *command, vow__stdin_t how,
                    vow__stdio_t *ret_io) {
  const vow_stdio_t kinds[3] = {command->in, command->out, command->err};
  int i, err = 0;
  memset(ret_io, 0, sizeof *ret_io);
  ret_io->input = -1;
  for (i = 0; i < 3; i++) {
    ret_io->theirs[i] = -1;
    ret_io->containers[i].flags = UV_IGNORE;
  }
  for (i = 0; i < 3 && err == 0; i++) {
    if (kinds[i] == VOW_STDIO_PIPE) {
      err = make_pipe(site, loop, ret_io, i, how);
    } else if (kinds[i] == VOW_STDIO_INHERIT) {
      ret_io->containers[i].flags = UV_INHERIT_FD;
      ret_io->containers[i].data.fd = i;
    } else if (kinds[i] == VOW_STDIO_MERGE) {
      ret_io->containers[i] = ret_io->containers[1];
    }
  }
  if (err != 0) vow__stdio_close(ret_io);
  return err;
}

/* ---- starting ------------------------------------------------------------ */

/* libuv's code does not tell the program from its directory. */
static bool is_directory_at_fault(const vow_command_t *command) {
  struct stat st;
  if (command->cwd == NULL) return false;
  return stat(command->cwd, &st) != 0 || !S_ISDIR(st.st_mode) ||
         access(command->cwd, X_OK) != 0;
}

static vow_future_t *explain(const char *site, vow_loop_t *loop,
                             const vow_command_t *command, vow_future_t *f) {
  int err = vow_status(f);
  if (!is_directory_at_fault(command)) return f;
  vow_drop(f);
  return vow_ready_at(site, loop,
                      vow_failf_at(site, err, "spawn %s: cannot enter %s: %s",
                                   vow__command_name(command), command->cwd,
                                   vow_strerror(err)));
}

/* libuv's strings are not const, though they are only read. */
static char **strings(const char *const *list) {
  return (char **)(uintptr_t)list;
}

vow_future_t *vow__child_spawn(const char *site, vow_loop_t *loop,
                               const vow_command_t *command, vow__stdio_t *io) {
  uv_process_options_t o;
  vow_future_t *f;
  int i;
  memset(&o, 0, sizeof o);
  o.file = vow__command_name(command);
  o.args = strings(command->args);
  o.env = strings(command->env);
  o.cwd = command->cwd;
  o.flags = command->flags;
  o.uid = command->uid;
  o.gid = command->gid;
  o.stdio_count = 3;
  o.stdio = io->containers;
  f = vow_spawn_at(site, loop, &o);
  for (i = 0; i < 3; i++) fd_close(&io->theirs[i]);
  if (!vow_is_settled(f)) return f;
  vow__stdio_close(io);
  return explain(site, loop, command, f);
}

/* ---- with streams -------------------------------------------------------- */

vow_future_t *vow_spawn_streams_at(const char *site, vow_loop_t *loop,
                                   const vow_command_t *command,
                                   vow_child_streams_t *ret_streams) {
  const char *bad = ret_streams == NULL ? "ret_streams is NULL"
                                        : vow__command_complaint(command);
  vow__stdio_t io;
  vow_future_t *f;
  int err;
  if (ret_streams != NULL) memset(ret_streams, 0, sizeof *ret_streams);
  if (bad != NULL)
    return vow_misuse_at(site, loop, UV_EINVAL, "spawn_streams: %s", bad);
  err = vow__stdio_open(site, loop, command, VOW__STDIN_STREAM, &io);
  if (err != 0)
    return vow_misuse_at(site, loop, err, "spawn_streams %s: %s",
                         vow__command_name(command), vow_strerror(err));
  f = vow__child_spawn(site, loop, command, &io);
  ret_streams->in = io.streams[0];
  ret_streams->out = io.streams[1];
  ret_streams->err = io.streams[2];
  return f;
}
