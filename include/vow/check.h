/* SPDX-License-Identifier: MIT */
/* The test kit for asynchronous components, on libcheck: link with libvow-check
 * (pkg-config vow-check). Not part of vow.h. docs/TESTING.md shows its use.
 *
 *   VOW_TEST(test_client_greets) {
 *     vow_check_peer(net, "db:7", VOW_EXPECT("HELLO\n"), VOW_REPLY("OK\n"));
 *     vow_assert_string(client_greet(loop, vow_check_connect, net), "OK");
 *   } */
#ifndef VOW_CHECK_H
#define VOW_CHECK_H

#include <vow/check_test.h>
#include <vow/check_assert.h>
#include <vow/check_fault.h>
#include <vow/check_net.h>

#endif
