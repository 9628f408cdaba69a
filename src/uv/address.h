/* SPDX-License-Identifier: MIT */
/* Socket addresses, IPv4 and IPv6: copying them, and naming them in
 * messages. */
#ifndef VOW_UV_ADDRESS_H
#define VOW_UV_ADDRESS_H

#include <uv.h>

#include <stdbool.h>

#define VOW__ADDRESS_TEXT 80

/** Whether addr is an IPv4 or IPv6 address; false for NULL. */
bool vow__address_is_known(const struct sockaddr *addr);
/** Copies a known address. */
void vow__address_copy(struct sockaddr_storage *ret_to,
                       const struct sockaddr *addr);
/** "127.0.0.1:80" or "[::1]:80" of a known address. */
void vow__address_text(const struct sockaddr_storage *addr,
                       char ret_text[VOW__ADDRESS_TEXT]);

#endif
