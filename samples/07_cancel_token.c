/* SPDX-License-Identifier: MIT */
/* Cancelling by token: a tree that says "stop" from above. A server has a
 * token, each of its clients a child of it; either level can be ended. */
#include <stdio.h>
#include <vow.h>

typedef struct client {
  const char *name;
  vow_token_t *token;
} client_t;

static vow_value_t say_ended(vow_future_t *in, void *arg) {
  const client_t *client = arg;
  printf("%s has ended: %s\n", client->name, vow_strerror(vow_status(in)));
  return vow_nil();
}

/* Starts work for the client that would last for an hour. Binding it to the
 * token is all that it takes to be cancelled with it. */
static void client_start(client_t *client, vow_loop_t *loop, const char *name,
                         vow_token_t *server) {
  client->name = name;
  client->token = vow_token_child(server);
  vow_future_t *f = vow_sleep(loop, 3600 * 1000);
  f = vow_with_token(f, client->token);
  vow_detach(vow_handle(f, say_ended, client));
}

/* Runs the loop until f has settled, for its side effects. */
static int await(vow_future_t *f) {
  vow_value_t nothing;
  int rc = vow_await_blocking(f, &nothing);
  vow_value_destroy(nothing);
  return rc;
}

int main(void) {
  vow_loop_t *loop;
  client_t ann, bob, cid;
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  vow_token_t *server = vow_token_new(loop);
  client_start(&ann, loop, "ann", server);
  client_start(&bob, loop, "bob", server);
  client_start(&cid, loop, "cid", server);

  /* One client goes; the reason tells why. The others do not notice. No
   * callback runs inside the call: the loop needs a turn for that. */
  puts("-- bob hangs up");
  vow_token_cancel(bob.token, UV_ECONNRESET);
  rc = await(vow_sleep(loop, 0));

  /* The server ends, and everybody with it. The future settles when all that
   * was bound to the token, or below, has unwound: from then on the memory
   * that those operations used, here the clients, may go. */
  puts("-- the server shuts down");
  if (await(vow_token_close(server)) != 0) rc = 1;
  puts("-- nobody uses the clients any more");

  vow_token_free(ann.token);
  vow_token_free(bob.token);
  vow_token_free(cid.token);
  vow_token_free(server);
  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}
