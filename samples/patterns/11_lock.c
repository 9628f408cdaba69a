/* SPDX-License-Identifier: MIT */
/* A counter under a lock. Between two awaits a task is alone, so plain code
 * needs no lock; what must stay together over an await does. */
#include "pattern.h"

#include <vow/task_sync.h>

enum { TASKS = 5 };

typedef struct account {
  int64_t balance;
  vow_mutex_t *lock;
} account_t;

/* Reads, waits (for a database, say), writes: others may have written since. */
static vow_value_t deposit_ten(account_t *account) {
  int64_t balance = account->balance;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 100));
  account->balance = balance + 10;
  return vow_nil();
}

static vow_value_t without_lock(void *arg) {
  return deposit_ten(arg);
}

/* Whatever the deposit comes to, the lock is released: there is one way out. A
 * task with several uses vow_mutex_acquire and vow_defer_value, as 10 does. */
static vow_value_t with_lock(void *arg) {
  account_t *account = arg;
  int rc = vow_await_lock(account->lock);
  if (rc != 0) return vow_fail(rc);
  vow_value_t v = deposit_ten(account);
  vow_mutex_release(account->lock);
  return v;
}

static vow_value_t five_deposits(vow_task_cb deposit, account_t *account) {
  vow_future_t *deposits[TASKS];
  account->balance = 0;
  for (size_t i = 0; i < TASKS; i++)
    deposits[i] = vow_go(vow_task_loop(), deposit, account);
  VOW_TRY_NIL(vow_gather(vow_task_loop(), TASKS, deposits));
  say("balance: %" PRId64, account->balance);
  return vow_nil();
}

static vow_value_t run(void *arg) {
  account_t account = {0, vow_mutex_new(vow_task_loop())};
  (void)arg;
  if (account.lock == NULL) return vow_fail_last();
  say("five deposits of ten without a lock");
  vow_value_t v = five_deposits(without_lock, &account);
  if (!vow_value_is_failure(v)) {
    say("five deposits of ten under a lock");
    v = five_deposits(with_lock, &account);
  }
  vow_mutex_free(account.lock);
  return v;
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}
