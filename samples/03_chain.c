/* SPDX-License-Identifier: MIT */
/* A chain of steps, each fed with what the one before gave: a plain value, a
 * future to follow, or a struct of your own that the chain owns. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <vow.h>

/* A type of our own. Whatever becomes of the chain, the destructor runs exactly
 * once for each receipt that was made. */
typedef struct receipt {
  int64_t cents;
  int64_t tax_cents;
} receipt_t;

static void receipt_free(receipt_t *receipt) {
  puts("receipt freed");
  free(receipt);
}

VOW_DEFINE_TYPE(receipt, receipt_t, receipt_free);

static vow_value_t give_price(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_int(250);
}

/* Pretends to ask a server. An asynchronous function is simply one that
 * returns a future. */
static vow_future_t *fetch_price(vow_loop_t *loop, const char *article) {
  printf("asking for the price of a %s\n", article);
  return vow_then(vow_sleep(loop, 10), give_price, NULL);
}

/* To wait for something, follow it: the next step runs when it has settled. */
static vow_value_t ask_price(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_follow(fetch_price(vow_loop_of(in), vow_get_string(in)));
}

/* To go on at once, return a value; here one that the chain shall own. */
static vow_value_t make_receipt(vow_future_t *in, void *arg) {
  (void)arg;
  receipt_t *receipt = calloc(1, sizeof *receipt);
  if (receipt == NULL) return vow_fail(UV_ENOMEM);
  receipt->cents = vow_get_int(in);
  receipt->tax_cents = receipt->cents / 5;
  return receipt_value(receipt);
}

/* `in` owns its value and goes after this call; receipt_take would move the
 * receipt out. Reading with the wrong type is an error, never a wild cast. */
static vow_value_t print_receipt(vow_future_t *in, void *arg) {
  (void)arg;
  const receipt_t *receipt = receipt_get(in);
  if (receipt == NULL) return vow_fail_last();
  return vow_stringf("%" PRId64 " cents and %" PRId64 " of tax", receipt->cents,
                     receipt->tax_cents);
}

int main(void) {
  vow_loop_t *loop;
  vow_value_t text;
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  vow_future_t *f = vow_ready(loop, vow_cstr("teapot"));
  f = vow_then(f, ask_price, NULL);
  f = vow_then(f, make_receipt, NULL);
  f = vow_then(f, print_receipt, NULL);

  rc = vow_await_blocking(f, &text);
  if (rc != 0) {
    fprintf(stderr, "no receipt: %s\n", vow_strerror(rc));
  } else {
    printf("%s\n", (const char *)text.as.cp);
  }
  vow_value_destroy(text);

  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}
