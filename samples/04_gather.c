/* SPDX-License-Identifier: MIT */
/* Several things at once, one list of results, in the order asked for and not
 * the order of finishing. */
#include <inttypes.h>
#include <stdio.h>
#include <vow.h>

typedef struct city {
  const char *name;
  uint64_t delay_ms;
  int64_t degrees;
} city_t;

static const city_t cities[] = {
    {"Oslo", 60, 4}, {"Lima", 20, 19}, {"Hanoi", 40, 31}};

enum { CITIES = sizeof cities / sizeof cities[0] };

static vow_value_t report(vow_future_t *in, void *arg) {
  const city_t *city = arg;
  (void)in;
  printf("%s has answered\n", city->name);
  return vow_int(city->degrees);
}

/* Pretends to ask a thermometer far away. */
static vow_future_t *measure(vow_loop_t *loop, const city_t *city) {
  return vow_then(vow_sleep(loop, city->delay_ms), report, (void *)city);
}

static vow_value_t print_all(vow_future_t *in, void *arg) {
  (void)arg;
  const vow_list_t *list = vow_get_list(in);
  if (list == NULL) return vow_fail_last();
  for (size_t i = 0; i < vow_list_length(list); i++) {
    printf("%s: %" PRId64 "\n", cities[i].name, vow_list_at(list, i).as.i);
  }
  return vow_nil();
}

int main(void) {
  vow_loop_t *loop;
  vow_value_t nothing;
  vow_future_t *measurements[CITIES];
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  for (size_t i = 0; i < CITIES; i++) {
    measurements[i] = measure(loop, &cities[i]);
  }
  /* Consumes all three. If one fails, the others are cancelled and awaited and
   * the gather fails; vow_gather_settled collects failures instead. */
  vow_future_t *f = vow_gather(loop, CITIES, measurements);
  f = vow_then(f, print_all, NULL);

  rc = vow_await_blocking(f, &nothing);
  if (rc != 0) fprintf(stderr, "no weather: %s\n", vow_strerror(rc));
  vow_value_destroy(nothing);

  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}
