/* SPDX-License-Identifier: MIT */
/* The process full of clients: one thread and an epoll. Clients come from
 * several addresses of the loopback, for one has too few ports. */
#include "unit/net/crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

#define PER_ADDRESS 2000
#define WORD_BYTES  8

typedef struct order {
  int port; /* 0: leave */
  size_t n;
  size_t at_a_time;
  crowd_manner_t manner;
  bool orderly;
} order_t;

/* ---- the clients' side --------------------------------------------------- */

typedef struct client {
  int fd; /* -1: not there */
  size_t got;
  bool sent;
  bool served;
} client_t;

typedef struct hall {
  int epoll;
  order_t order;
  client_t *clients;
  size_t next;    /* to come */
  size_t present; /* on their way: not served yet */
  crowd_report_t report;
} hall_t;

static void word_of(const hall_t *h, const client_t *c, char word[WORD_BYTES]) {
  size_t i = (size_t)(c - h->clients), k;
  for (k = 0; k < WORD_BYTES; k++) word[k] = (char)('a' + (i >> (4 * k)) % 16);
}

static void watch(const hall_t *h, client_t *c, int operation,
                  uint32_t events) {
  struct epoll_event e = {.events = events, .data.ptr = c};
  epoll_ctl(h->epoll, operation, c->fd, &e);
}

static void come(hall_t *h, client_t *c) {
  size_t i = (size_t)(c - h->clients);
  struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  from.sin_addr.s_addr =
      htonl(INADDR_LOOPBACK + 1 + (uint32_t)(i / PER_ADDRESS));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons((uint16_t)h->order.port);
  c->fd = fd;
  c->got = 0;
  c->sent = false;
  if (fd < 0 || bind(fd, (const struct sockaddr *)&from, sizeof from) != 0 ||
      (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 &&
       errno != EINPROGRESS)) {
    h->report.error = errno;
    return;
  }
  h->present++;
  watch(h, c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void go(client_t *c, bool orderly) {
  struct linger now = {1, 0};
  if (!orderly) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(c->fd);
  c->fd = -1;
}

/* It was not served: it comes again, or that was it. */
static void turned_away(hall_t *h, client_t *c, int error) {
  h->present--;
  h->report.turned_away++;
  go(c, true);
  if (h->order.manner == CROWD_PASSES)
    come(h, c);
  else
    h->report.error = error != 0 ? error : ECONNRESET;
}

static void served(hall_t *h, client_t *c) {
  h->present--;
  h->report.served++;
  c->served = true;
  if (h->order.manner == CROWD_PASSES)
    go(c, true);
  else
    watch(h, c, EPOLL_CTL_MOD, 0);
}

static void listen_to(hall_t *h, client_t *c) {
  char word[WORD_BYTES], got[WORD_BYTES];
  ssize_t n = recv(c->fd, got, WORD_BYTES - c->got, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    turned_away(h, c, n < 0 ? errno : 0);
    return;
  }
  word_of(h, c, word);
  if (memcmp(got, word + c->got, (size_t)n) != 0) h->report.error = EPROTO;
  c->got += (size_t)n;
  if (c->got == WORD_BYTES) served(h, c);
}

static void speak(hall_t *h, client_t *c) {
  char word[WORD_BYTES];
  word_of(h, c, word);
  if (send(c->fd, word, WORD_BYTES, MSG_NOSIGNAL) != WORD_BYTES) {
    turned_away(h, c, errno);
    return;
  }
  c->sent = true;
  watch(h, c, EPOLL_CTL_MOD, EPOLLIN);
}

static void visit(hall_t *h) {
  struct epoll_event events[256];
  size_t n = h->order.n;
  while (h->report.served < n && h->report.error == 0) {
    int i, count;
    while (h->next < n && h->present < h->order.at_a_time &&
           h->report.error == 0)
      come(h, &h->clients[h->next++]);
    count = epoll_wait(h->epoll, events, 256, -1);
    for (i = 0; i < count; i++) {
      client_t *c = events[i].data.ptr;
      if (c->fd < 0 || c->served) continue;
      if (c->sent || (events[i].events & (EPOLLERR | EPOLLHUP)) != 0)
        listen_to(h, c);
      else
        speak(h, c);
    }
  }
}

static void leave(hall_t *h, bool orderly) {
  size_t i;
  for (i = 0; i < h->next; i++) {
    if (h->clients[i].fd >= 0) go(&h->clients[i], orderly || i % 2 == 0);
  }
  free(h->clients);
  h->clients = NULL;
  h->next = 0;
}

static void obey(int fd) {
  hall_t h = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
  order_t order;
  while (read(fd, &order, sizeof order) == (ssize_t)sizeof order) {
    if (order.port == 0) {
      leave(&h, order.orderly);
    } else {
      leave(&h, true);
      h.order = order;
      memset(&h.report, 0, sizeof h.report);
      h.present = 0;
      h.clients = calloc(order.n, sizeof *h.clients);
      if (h.clients == NULL)
        h.report.error = ENOMEM;
      else
        visit(&h);
    }
    if (write(fd, &h.report, sizeof h.report) < 0) break;
  }
  test_leave(0);
}

/* ---- the tests' side ----------------------------------------------------- */

crowd_t crowd_start(void) {
  crowd_t c;
  int fds[2];
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  fflush(NULL);
  c.pid = fork();
  ck_assert_int_ge(c.pid, 0);
  if (c.pid == 0) {
    close(fds[0]);
    obey(fds[1]);
  }
  close(fds[1]);
  c.fd = fds[0];
  return c;
}

static void tell(const crowd_t *c, const order_t *order) {
  ck_assert_int_eq(write(c->fd, order, sizeof *order), (ssize_t)sizeof *order);
}

void crowd_send(const crowd_t *c, int port, size_t n, size_t at_a_time,
                crowd_manner_t manner) {
  order_t order;
  memset(&order, 0, sizeof order); /* what is between the fields, too */
  order.port = port;
  order.n = n;
  order.at_a_time = at_a_time;
  order.manner = manner;
  tell(c, &order);
}

void crowd_leave(const crowd_t *c, bool orderly) {
  order_t order;
  memset(&order, 0, sizeof order);
  order.orderly = orderly;
  tell(c, &order);
}

crowd_report_t crowd_hear(const crowd_t *c) {
  crowd_report_t r;
  ck_assert_int_eq(read(c->fd, &r, sizeof r), (ssize_t)sizeof r);
  return r;
}

void crowd_end(crowd_t *c) {
  int status;
  close(c->fd);
  ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
  ck_assert_int_eq(status, 0);
}
