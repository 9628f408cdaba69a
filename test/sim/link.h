/* SPDX-License-Identifier: MIT */
/* A client's connection: requests go out in a pipeline, replies come in any
 * order. */
#ifndef VOW_TEST_SIM_LINK_H
#define VOW_TEST_SIM_LINK_H

#include "sim/sim.h"

#define SIM_POOL 2 /* connections of a client */

typedef struct sim_link sim_link_t;

struct sim_client {
  int number;
  vow_token_t *token;    /* what is under way */
  vow_semaphore_t *room; /* requests at a time */
  vow_mutex_t *dialling; /* one at a time */
  vow_group_t *tasks;    /* of connections */
  sim_link_t *links[SIM_POOL];
  int links_made;
};

VOW_DECLARE_TYPE(sim_link, sim_link_t);

/** In a task: a connection of c's that works, as an owned value; or a failure.
 */
vow_value_t sim_link_find(sim_client_t *c);
/** Sends r, and succeeds with the number that comes back. */
vow_future_t *sim_link_exchange(sim_link_t *l, sim_request_t *r);
/** l works no more; who waits for a reply fails with code. */
void sim_link_fail(sim_link_t *l, int code);

#endif
