/* SPDX-License-Identifier: MIT */
/* The libuv functions that the shim stands before: included several times, with
 * the macros defined by uvfault.c, and read line by line by the Makefile. Those
 * that cannot fail, or that nobody asks for the outcome, are left out.
 *
 *   UVFAULT_CALL  returns an int, and that is all
 *   UVFAULT_FS    a file system request: what stands between req and cb
 *   UVFAULT_OWN   written by hand in uvfault.c or uvfault_streams.c
 *
 * No include guard: it is a list. */

/* clang-format off */
UVFAULT_CALL(uv_loop_init, (uv_loop_t *loop), (loop))
UVFAULT_CALL(uv_async_init,
             (uv_loop_t *loop, uv_async_t *async, uv_async_cb cb),
             (loop, async, cb))
UVFAULT_CALL(uv_mutex_init, (uv_mutex_t *mutex), (mutex))
UVFAULT_CALL(uv_cond_init, (uv_cond_t *cond), (cond))
UVFAULT_CALL(uv_cancel, (uv_req_t *req), (req))
UVFAULT_CALL(uv_fileno,
             (const uv_handle_t *handle, uv_os_fd_t *fd),
             (handle, fd))
UVFAULT_CALL(uv_tcp_init, (uv_loop_t *loop, uv_tcp_t *tcp), (loop, tcp))
UVFAULT_CALL(uv_tcp_bind,
             (uv_tcp_t *tcp, const struct sockaddr *addr, unsigned flags),
             (tcp, addr, flags))
UVFAULT_CALL(uv_tcp_nodelay, (uv_tcp_t *tcp, int on), (tcp, on))
UVFAULT_CALL(uv_tcp_keepalive,
             (uv_tcp_t *tcp, int on, unsigned delay),
             (tcp, on, delay))
UVFAULT_CALL(uv_tcp_getsockname,
             (const uv_tcp_t *tcp, struct sockaddr *name, int *length),
             (tcp, name, length))
UVFAULT_CALL(uv_pipe_init,
             (uv_loop_t *loop, uv_pipe_t *pipe, int ipc),
             (loop, pipe, ipc))
UVFAULT_CALL(uv_pipe_bind, (uv_pipe_t *pipe, const char *name), (pipe, name))
UVFAULT_CALL(uv_pipe_open, (uv_pipe_t *pipe, uv_file fd), (pipe, fd))
UVFAULT_CALL(uv_pipe, (uv_file fds[2], int read_flags, int write_flags),
             (fds, read_flags, write_flags))
UVFAULT_CALL(uv_socketpair,
             (int type, int protocol, uv_os_sock_t fds[2], int first_flags,
              int second_flags),
             (type, protocol, fds, first_flags, second_flags))
UVFAULT_CALL(uv_kill, (int pid, int signum), (pid, signum))
UVFAULT_CALL(uv_udp_init_ex,
             (uv_loop_t *loop, uv_udp_t *udp, unsigned flags),
             (loop, udp, flags))
UVFAULT_CALL(uv_udp_connect,
             (uv_udp_t *udp, const struct sockaddr *addr),
             (udp, addr))
UVFAULT_CALL(uv_udp_try_send,
             (uv_udp_t *udp, const uv_buf_t bufs[], unsigned n,
              const struct sockaddr *addr),
             (udp, bufs, n, addr))
UVFAULT_CALL(uv_poll_init,
             (uv_loop_t *loop, uv_poll_t *poll, int fd),
             (loop, poll, fd))
UVFAULT_CALL(uv_signal_init,
             (uv_loop_t *loop, uv_signal_t *signal),
             (loop, signal))
UVFAULT_CALL(uv_signal_start,
             (uv_signal_t *signal, uv_signal_cb cb, int signum),
             (signal, cb, signum))
UVFAULT_CALL(uv_signal_start_oneshot,
             (uv_signal_t *signal, uv_signal_cb cb, int signum),
             (signal, cb, signum))
UVFAULT_CALL(uv_tty_init,
             (uv_loop_t *loop, uv_tty_t *tty, uv_file fd, int unused),
             (loop, tty, fd, unused))
UVFAULT_CALL(uv_process_kill,
             (uv_process_t *process, int signum),
             (process, signum))

UVFAULT_OWN(uv_close)
UVFAULT_OWN(uv_tcp_close_reset)
UVFAULT_OWN(uv_accept)
UVFAULT_OWN(uv_spawn)
UVFAULT_OWN(uv_getaddrinfo)
UVFAULT_OWN(uv_freeaddrinfo)
UVFAULT_OWN(uv_getnameinfo)
UVFAULT_OWN(uv_random)
UVFAULT_OWN(uv_queue_work)
UVFAULT_OWN(uv_tcp_connect)
UVFAULT_OWN(uv_pipe_connect)
UVFAULT_OWN(uv_shutdown)
UVFAULT_OWN(uv_write)
UVFAULT_OWN(uv_write2)
UVFAULT_OWN(uv_try_write)
UVFAULT_OWN(uv_try_write2)
UVFAULT_OWN(uv_udp_send)
UVFAULT_OWN(uv_read_start)
UVFAULT_OWN(uv_listen)
UVFAULT_OWN(uv_udp_recv_start)
UVFAULT_OWN(uv_poll_start)
UVFAULT_OWN(uv_fs_event_start)
UVFAULT_OWN(uv_fs_poll_start)
UVFAULT_OWN(uv_fs_close)
UVFAULT_OWN(uv_fs_read)
UVFAULT_OWN(uv_fs_write)
UVFAULT_OWN(uv_fs_sendfile)

UVFAULT_FS(uv_fs_open,
           (const char *path, int flags, int mode),
           (path, flags, mode))
UVFAULT_FS(uv_fs_unlink, (const char *path), (path))
UVFAULT_FS(uv_fs_copyfile,
           (const char *path, const char *to, int flags),
           (path, to, flags))
UVFAULT_FS(uv_fs_mkdir, (const char *path, int mode), (path, mode))
UVFAULT_FS(uv_fs_mkdtemp, (const char *tpl), (tpl))
UVFAULT_FS(uv_fs_mkstemp, (const char *tpl), (tpl))
UVFAULT_FS(uv_fs_rmdir, (const char *path), (path))
UVFAULT_FS(uv_fs_scandir, (const char *path, int flags), (path, flags))
UVFAULT_FS(uv_fs_opendir, (const char *path), (path))
UVFAULT_FS(uv_fs_readdir, (uv_dir_t *dir), (dir))
UVFAULT_FS(uv_fs_closedir, (uv_dir_t *dir), (dir))
UVFAULT_FS(uv_fs_stat, (const char *path), (path))
UVFAULT_FS(uv_fs_fstat, (uv_file file), (file))
UVFAULT_FS(uv_fs_lstat, (const char *path), (path))
UVFAULT_FS(uv_fs_statfs, (const char *path), (path))
UVFAULT_FS(uv_fs_rename, (const char *path, const char *to), (path, to))
UVFAULT_FS(uv_fs_fsync, (uv_file file), (file))
UVFAULT_FS(uv_fs_fdatasync, (uv_file file), (file))
UVFAULT_FS(uv_fs_ftruncate, (uv_file file, int64_t size), (file, size))
UVFAULT_FS(uv_fs_access, (const char *path, int mode), (path, mode))
UVFAULT_FS(uv_fs_chmod, (const char *path, int mode), (path, mode))
UVFAULT_FS(uv_fs_fchmod, (uv_file file, int mode), (file, mode))
UVFAULT_FS(uv_fs_utime,
           (const char *path, double atime, double mtime),
           (path, atime, mtime))
UVFAULT_FS(uv_fs_futime,
           (uv_file file, double atime, double mtime),
           (file, atime, mtime))
UVFAULT_FS(uv_fs_lutime,
           (const char *path, double atime, double mtime),
           (path, atime, mtime))
UVFAULT_FS(uv_fs_link, (const char *path, const char *to), (path, to))
UVFAULT_FS(uv_fs_symlink,
           (const char *path, const char *to, int flags),
           (path, to, flags))
UVFAULT_FS(uv_fs_readlink, (const char *path), (path))
UVFAULT_FS(uv_fs_realpath, (const char *path), (path))
UVFAULT_FS(uv_fs_chown,
           (const char *path, uv_uid_t uid, uv_gid_t gid),
           (path, uid, gid))
UVFAULT_FS(uv_fs_fchown,
           (uv_file file, uv_uid_t uid, uv_gid_t gid),
           (file, uid, gid))
UVFAULT_FS(uv_fs_lchown,
           (const char *path, uv_uid_t uid, uv_gid_t gid),
           (path, uid, gid))
/* clang-format on */
