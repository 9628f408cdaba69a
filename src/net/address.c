/* SPDX-License-Identifier: MIT */
/* IPv4 and IPv6 socket addresses. */
#include "net/address.h"

#include <stdio.h>
#include <string.h>

#define PORT_MAX 65535

bool vow__address_fits(const struct sockaddr *addr) {
  return addr != NULL &&
         (addr->sa_family == AF_INET || addr->sa_family == AF_INET6);
}

void vow__address_set(vow__address_t *ret_to, const struct sockaddr *addr) {
  memset(ret_to, 0, sizeof *ret_to);
  memcpy(ret_to, addr,
         addr->sa_family == AF_INET ? sizeof ret_to->in : sizeof ret_to->in6);
}

bool vow__address_parse(const char *host, int port, vow__address_t *ret_to) {
  return uv_ip4_addr(host, port, &ret_to->in) == 0 ||
         uv_ip6_addr(host, port, &ret_to->in6) == 0;
}

int vow__port_parse(const char *service) {
  int port = 0;
  size_t i;
  for (i = 0; service[i] >= '0' && service[i] <= '9'; i++)
    if (port <= PORT_MAX) port = port * 10 + (service[i] - '0');
  if (i == 0 || service[i] != '\0') return VOW__PORT_NAMED;
  return port <= PORT_MAX ? port : VOW__PORT_NONE;
}

void vow__address_name(const struct sockaddr *addr,
                       char ret_name[VOW__ADDRESS_NAME]) {
  vow__address_t a;
  char digits[64] = "";
  vow__address_set(&a, addr);
  if (addr->sa_family == AF_INET) {
    uv_ip4_name(&a.in, digits, sizeof digits);
    snprintf(ret_name, VOW__ADDRESS_NAME, "%s:%d", digits,
             ntohs(a.in.sin_port));
  } else {
    uv_ip6_name(&a.in6, digits, sizeof digits);
    snprintf(ret_name, VOW__ADDRESS_NAME, "[%s]:%d", digits,
             ntohs(a.in6.sin6_port));
  }
}

/* The next one from i on that is, or is not, of the first's family. */
static size_t next_of(size_t n, const struct sockaddr *const addrs[], size_t i,
                      bool first) {
  while (i < n && (addrs[i]->sa_family == addrs[0]->sa_family) != first) i++;
  return i;
}

void vow__address_interleave(size_t n, const struct sockaddr *const addrs[],
                             size_t order[]) {
  bool first = true;
  size_t same = next_of(n, addrs, 0, true);
  size_t other = next_of(n, addrs, 0, false);
  size_t k;
  for (k = 0; k < n; k++) {
    if ((first && same < n) || other == n) {
      order[k] = same;
      same = next_of(n, addrs, same + 1, true);
    } else {
      order[k] = other;
      other = next_of(n, addrs, other + 1, false);
    }
    first = !first;
  }
}
