/* SPDX-License-Identifier: MIT */
/* Socket addresses, IPv4 and IPv6. */
#include "uv/address.h"

#include <stdio.h>
#include <string.h>

bool vow__address_is_known(const struct sockaddr *addr) {
  return addr != NULL &&
         (addr->sa_family == AF_INET || addr->sa_family == AF_INET6);
}

void vow__address_copy(struct sockaddr_storage *ret_to,
                       const struct sockaddr *addr) {
  memset(ret_to, 0, sizeof *ret_to);
  memcpy(ret_to, addr,
         addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                    : sizeof(struct sockaddr_in6));
}

void vow__address_text(const struct sockaddr_storage *addr,
                       char ret_text[VOW__ADDRESS_TEXT]) {
  char name[64];
  if (addr->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)addr;
    uv_ip4_name(in, name, sizeof name);
    snprintf(ret_text, VOW__ADDRESS_TEXT, "%s:%d", name, ntohs(in->sin_port));
  } else {
    const struct sockaddr_in6 *in = (const void *)addr;
    uv_ip6_name(in, name, sizeof name);
    snprintf(ret_text, VOW__ADDRESS_TEXT, "[%s]:%d", name,
             ntohs(in->sin6_port));
  }
}
