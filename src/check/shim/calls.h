/* SPDX-License-Identifier: MIT */
/* The libuv functions that the shim stands before: included several times, with
 * the macros defined by shim.c, and read line by line by the Makefile. Those
 * that cannot fail, or that nobody asks for the outcome, are left out.
 *
 *   SHIM_CALL  returns an int, and that is all
 *   SHIM_FS    a file system request: what stands between req and cb
 *   SHIM_OWN   written by hand in shim.c or sources.c
 *
 * No include guard: it is a list. */

/* clang-format off */
SHIM_CALL(uv_loop_init, (uv_loop_t *loop), (loop))
SHIM_CALL(uv_async_init,
             (uv_loop_t *loop, uv_async_t *async, uv_async_cb cb),
             (loop, async, cb))
SHIM_CALL(uv_mutex_init, (uv_mutex_t *mutex), (mutex))
SHIM_CALL(uv_cond_init, (uv_cond_t *cond), (cond))
SHIM_CALL(uv_cancel, (uv_req_t *req), (req))
SHIM_CALL(uv_fileno,
             (const uv_handle_t *handle, uv_os_fd_t *fd),
             (handle, fd))
SHIM_CALL(uv_tcp_init, (uv_loop_t *loop, uv_tcp_t *tcp), (loop, tcp))
SHIM_CALL(uv_tcp_bind,
             (uv_tcp_t *tcp, const struct sockaddr *addr, unsigned flags),
             (tcp, addr, flags))
SHIM_CALL(uv_tcp_nodelay, (uv_tcp_t *tcp, int on), (tcp, on))
SHIM_CALL(uv_tcp_keepalive,
             (uv_tcp_t *tcp, int on, unsigned delay),
             (tcp, on, delay))
SHIM_CALL(uv_tcp_getsockname,
             (const uv_tcp_t *tcp, struct sockaddr *name, int *length),
             (tcp, name, length))
SHIM_CALL(uv_pipe_init,
             (uv_loop_t *loop, uv_pipe_t *pipe, int ipc),
             (loop, pipe, ipc))
SHIM_CALL(uv_pipe_bind, (uv_pipe_t *pipe, const char *name), (pipe, name))
SHIM_CALL(uv_pipe_open, (uv_pipe_t *pipe, uv_file fd), (pipe, fd))
SHIM_CALL(uv_pipe, (uv_file fds[2], int read_flags, int write_flags),
             (fds, read_flags, write_flags))
SHIM_CALL(uv_socketpair,
             (int type, int protocol, uv_os_sock_t fds[2], int first_flags,
              int second_flags),
             (type, protocol, fds, first_flags, second_flags))
SHIM_CALL(uv_kill, (int pid, int signum), (pid, signum))
SHIM_CALL(uv_udp_init_ex,
             (uv_loop_t *loop, uv_udp_t *udp, unsigned flags),
             (loop, udp, flags))
SHIM_CALL(uv_udp_connect,
             (uv_udp_t *udp, const struct sockaddr *addr),
             (udp, addr))
SHIM_CALL(uv_udp_try_send,
             (uv_udp_t *udp, const uv_buf_t bufs[], unsigned n,
              const struct sockaddr *addr),
             (udp, bufs, n, addr))
SHIM_CALL(uv_poll_init,
             (uv_loop_t *loop, uv_poll_t *poll, int fd),
             (loop, poll, fd))
SHIM_CALL(uv_signal_init,
             (uv_loop_t *loop, uv_signal_t *signal),
             (loop, signal))
SHIM_CALL(uv_signal_start,
             (uv_signal_t *signal, uv_signal_cb cb, int signum),
             (signal, cb, signum))
SHIM_CALL(uv_signal_start_oneshot,
             (uv_signal_t *signal, uv_signal_cb cb, int signum),
             (signal, cb, signum))
SHIM_CALL(uv_tty_init,
             (uv_loop_t *loop, uv_tty_t *tty, uv_file fd, int unused),
             (loop, tty, fd, unused))
SHIM_CALL(uv_process_kill,
             (uv_process_t *process, int signum),
             (process, signum))

SHIM_OWN(uv_close)
SHIM_OWN(uv_tcp_close_reset)
SHIM_OWN(uv_accept)
SHIM_OWN(uv_spawn)
SHIM_OWN(uv_getaddrinfo)
SHIM_OWN(uv_freeaddrinfo)
SHIM_OWN(uv_getnameinfo)
SHIM_OWN(uv_random)
SHIM_OWN(uv_queue_work)
SHIM_OWN(uv_tcp_connect)
SHIM_OWN(uv_pipe_connect)
SHIM_OWN(uv_shutdown)
SHIM_OWN(uv_write)
SHIM_OWN(uv_write2)
SHIM_OWN(uv_try_write)
SHIM_OWN(uv_try_write2)
SHIM_OWN(uv_udp_send)
SHIM_OWN(uv_read_start)
SHIM_OWN(uv_listen)
SHIM_OWN(uv_udp_recv_start)
SHIM_OWN(uv_poll_start)
SHIM_OWN(uv_fs_event_start)
SHIM_OWN(uv_fs_poll_start)
SHIM_OWN(uv_fs_close)
SHIM_OWN(uv_fs_read)
SHIM_OWN(uv_fs_write)
SHIM_OWN(uv_fs_sendfile)

SHIM_FS(uv_fs_open,
           (const char *path, int flags, int mode),
           (path, flags, mode))
SHIM_FS(uv_fs_unlink, (const char *path), (path))
SHIM_FS(uv_fs_copyfile,
           (const char *path, const char *to, int flags),
           (path, to, flags))
SHIM_FS(uv_fs_mkdir, (const char *path, int mode), (path, mode))
SHIM_FS(uv_fs_mkdtemp, (const char *tpl), (tpl))
SHIM_FS(uv_fs_mkstemp, (const char *tpl), (tpl))
SHIM_FS(uv_fs_rmdir, (const char *path), (path))
SHIM_FS(uv_fs_scandir, (const char *path, int flags), (path, flags))
SHIM_FS(uv_fs_opendir, (const char *path), (path))
SHIM_FS(uv_fs_readdir, (uv_dir_t *dir), (dir))
SHIM_FS(uv_fs_closedir, (uv_dir_t *dir), (dir))
SHIM_FS(uv_fs_stat, (const char *path), (path))
SHIM_FS(uv_fs_fstat, (uv_file file), (file))
SHIM_FS(uv_fs_lstat, (const char *path), (path))
SHIM_FS(uv_fs_statfs, (const char *path), (path))
SHIM_FS(uv_fs_rename, (const char *path, const char *to), (path, to))
SHIM_FS(uv_fs_fsync, (uv_file file), (file))
SHIM_FS(uv_fs_fdatasync, (uv_file file), (file))
SHIM_FS(uv_fs_ftruncate, (uv_file file, int64_t size), (file, size))
SHIM_FS(uv_fs_access, (const char *path, int mode), (path, mode))
SHIM_FS(uv_fs_chmod, (const char *path, int mode), (path, mode))
SHIM_FS(uv_fs_fchmod, (uv_file file, int mode), (file, mode))
SHIM_FS(uv_fs_utime,
           (const char *path, double atime, double mtime),
           (path, atime, mtime))
SHIM_FS(uv_fs_futime,
           (uv_file file, double atime, double mtime),
           (file, atime, mtime))
SHIM_FS(uv_fs_lutime,
           (const char *path, double atime, double mtime),
           (path, atime, mtime))
SHIM_FS(uv_fs_link, (const char *path, const char *to), (path, to))
SHIM_FS(uv_fs_symlink,
           (const char *path, const char *to, int flags),
           (path, to, flags))
SHIM_FS(uv_fs_readlink, (const char *path), (path))
SHIM_FS(uv_fs_realpath, (const char *path), (path))
SHIM_FS(uv_fs_chown,
           (const char *path, uv_uid_t uid, uv_gid_t gid),
           (path, uid, gid))
SHIM_FS(uv_fs_fchown,
           (uv_file file, uv_uid_t uid, uv_gid_t gid),
           (file, uid, gid))
SHIM_FS(uv_fs_lchown,
           (const char *path, uv_uid_t uid, uv_gid_t gid),
           (path, uid, gid))
/* clang-format on */
