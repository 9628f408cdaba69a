/* SPDX-License-Identifier: MIT */
/* What the tests of connecting and serving share: counted descriptors, and
 * addresses that refuse, accept or hang. Header only. */
#ifndef VOW_TEST_CONNECT_SUPPORT_H
#define VOW_TEST_CONNECT_SUPPORT_H

#include <vow/connect.h>
#include <vow/timeout.h>

#include <dirent.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "unit/uv/uv_support.h"

/* How many sockets this process has open. libuv keeps other descriptors, which
 * come with the first loop or handle. */
static inline int sockets(void) {
  DIR *dir = opendir("/proc/self/fd");
  const struct dirent *entry;
  char target[8];
  int n = 0;
  ck_assert_ptr_nonnull(dir);
  while ((entry = readdir(dir)) != NULL)
    n += readlinkat(dirfd(dir), entry->d_name, target, 7) == 7 &&
         memcmp(target, "socket:", 7) == 0;
  closedir(dir);
  return n;
}

static inline void pass_ms(long ms) {
  struct timespec t = {0, ms * 1000000};
  nanosleep(&t, NULL);
}

typedef union address {
  struct sockaddr any;
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
} address_t;

static inline address_t address_of(const char *host, int port) {
  address_t a;
  memset(&a, 0, sizeof a);
  if (uv_ip4_addr(host, port, &a.in) != 0)
    ck_assert_int_eq(uv_ip6_addr(host, port, &a.in6), 0);
  return a;
}

static inline socklen_t length_of(const address_t *a) {
  return a->any.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

static inline bool has_ipv6(void) {
  address_t a = address_of("::1", 0);
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  bool has = fd >= 0 && bind(fd, &a.any, sizeof a.in6) == 0;
  if (fd >= 0) close(fd);
  return has;
}

/* A socket of the kernel's alone, listening on host; *ret_a says where. */
static inline int listen_raw(const char *host, int backlog, address_t *ret_a) {
  address_t a = address_of(host, 0);
  socklen_t length = sizeof a;
  int fd = socket(a.any.sa_family, SOCK_STREAM, 0);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(bind(fd, &a.any, length_of(&a)), 0);
  ck_assert_int_eq(listen(fd, backlog), 0);
  ck_assert_int_eq(getsockname(fd, &a.any, &length), 0);
  *ret_a = a;
  return fd;
}

/* An address nobody listens on. */
static inline address_t refusing(const char *host) {
  address_t a;
  close(listen_raw(host, 1, &a));
  return a;
}

/* One that does not answer: its queue is full. */
typedef struct hanging {
  address_t addr;
  int fds[4];
} hanging_t;

static inline hanging_t hang_on(const char *host) {
  hanging_t h;
  int i;
  h.fds[0] = listen_raw(host, 0, &h.addr);
  for (i = 1; i < 4; i++) {
    h.fds[i] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(h.fds[i], 0);
    fcntl(h.fds[i], F_SETFL, O_NONBLOCK);
    (void)!connect(h.fds[i], &h.addr.any, sizeof h.addr.in);
  }
  return h;
}

static inline void hang_end(const hanging_t *h) {
  int i;
  for (i = 0; i < 4; i++) close(h->fds[i]);
}

/* A blocking connection of the kernel's alone. */
static inline int connect_raw(const address_t *a) {
  int fd = socket(a->any.sa_family, SOCK_STREAM, 0);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(connect(fd, &a->any, length_of(a)), 0);
  return fd;
}

/* What reads nothing, not even the end, within a second fails. */
static inline ssize_t read_raw(int fd, char *buf, size_t size) {
  struct timeval second = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  return read(fd, buf, size);
}

#endif
