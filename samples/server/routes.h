/* SPDX-License-Identifier: MIT */
/* The paths that the test server knows, good ones and bad ones. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "connection.h"

/* Answers the request for path, in which a query may follow; settles when
 * everything is sent. path is borrowed until then. */
vow_future_t *routes_answer(connection_t *c, const char *path);

#endif
