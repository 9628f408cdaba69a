/* SPDX-License-Identifier: MIT */
/* IPv4 and IPv6 socket addresses: reading digits, naming, the order in which
 * to try them. No sockets in here. */
#ifndef VOW_NET_ADDRESS_H
#define VOW_NET_ADDRESS_H

#include <uv.h>

#include <stdbool.h>

#define VOW__ADDRESS_NAME 80

typedef union vow__address {
  struct sockaddr any;
  struct sockaddr_in in;
  struct sockaddr_in6 in6;
} vow__address_t;

/** Whether addr is IPv4 or IPv6; false for NULL. */
bool vow__address_fits(const struct sockaddr *addr);
/** Copies one that fits. */
void vow__address_set(vow__address_t *ret_to, const struct sockaddr *addr);
/** Reads an address in digits; false when host is none. */
bool vow__address_parse(const char *host, int port, vow__address_t *ret_to);
/** Reads a port in digits, 0 to 65535. */
int vow__port_parse(const char *service);
/** What it gives for a number above, which the resolver would take modulo
 *  65536, and for what are no digits. */
#define VOW__PORT_NONE  (-1)
#define VOW__PORT_NAMED (-2)
/** "127.0.0.1:80" or "[::1]:80". */
void vow__address_name(const struct sockaddr *addr,
                       char ret_name[VOW__ADDRESS_NAME]);
/** RFC 8305, section 4: a family after the other, beginning with that of the
 *  first; order[k] is the index in addrs of the one to try as number k. */
void vow__address_interleave(size_t n, const struct sockaddr *const addrs[],
                             size_t order[]);

#endif
