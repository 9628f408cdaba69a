/* SPDX-License-Identifier: MIT */
/* The program: two processes, for one has too few descriptors for both sides. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "soak/soak.h"
#include "support/fault.h"
#include "check/shim/shim.h"

#define SPARE 200 /* descriptors beside those of the connections */

static void usage(const char *name) {
  fprintf(stderr, "usage: %s [-t seconds] [-c connections] [-s seed]\n", name);
  exit(2);
}

static soak_t parse(int argc, char **argv) {
  soak_t soak = {180, 1, 10000};
  int c;
  while ((c = getopt(argc, argv, "t:c:s:")) != -1) {
    if (c == 't')
      soak.seconds = strtoull(optarg, NULL, 10);
    else if (c == 'c')
      soak.connections = strtoul(optarg, NULL, 10);
    else if (c == 's')
      soak.seed = strtoull(optarg, NULL, 10);
    else
      usage(argv[0]);
  }
  if (soak.seconds == 0 || soak.connections == 0) usage(argv[0]);
  return soak;
}

/* For as many connections as may be. */
static void make_room(soak_t *soak) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= soak->connections + SPARE) return;
  soak->connections = limit.rlim_max > 2 * SPARE
                          ? (size_t)limit.rlim_max - SPARE
                          : (size_t)limit.rlim_max / 2;
  printf("soak: no more than %zu connections: more descriptors are not "
         "allowed\n",
         soak->connections);
}

static bool run(const soak_t *soak, int port_fd, int child) {
  bool ok;
  soak_seed(soak->seed * 2 + (child > 0));
  fault_install();
  vow__shim_on();
  ok = child > 0 ? soak_serve(soak, port_fd, child) : soak_visit(soak, port_fd);
  ok = soak_gauge_end() && ok;
  fault_remove();
  return ok;
}

int main(int argc, char **argv) {
  soak_t soak = parse(argc, argv);
  int port[2], child;
  bool ok;
  signal(SIGPIPE, SIG_IGN);
  make_room(&soak);
  printf("soak: %zu connections for %llu s, seed %llu\n", soak.connections,
         (unsigned long long)soak.seconds, (unsigned long long)soak.seed);
  if (pipe(port) != 0) return 1;
  fflush(NULL);
  child = fork();
  if (child < 0) return 1;
  close(port[child > 0 ? 0 : 1]);
  soak_gauge_begin(child > 0 ? "server" : "clients", &soak);
  ok = run(&soak, port[child > 0 ? 1 : 0], child);
  return ok ? 0 : 1;
}
