/* SPDX-License-Identifier: MIT */
/* What a run gives: its count, and reading it. */
#include "net/run.h"

#include <vow/op.h>

#include <stdio.h>
#include <string.h>

vow_run_t *vow__run_new(void) {
  vow_run_t *r = vow_alloc(sizeof *r);
  if (r == NULL) return NULL;
  memset(r, 0, sizeof *r);
  r->refs = 1;
  return r;
}

vow_run_t *vow_run_ref(vow_run_t *r) {
  if (r != NULL) r->refs++;
  return r;
}

void vow_run_unref(vow_run_t *r) {
  if (r == NULL || --r->refs > 0) return;
  vow_bytes_unref(r->output[0]);
  vow_bytes_unref(r->output[1]);
  vow_release(r);
}

static void run_destroy(void *p) {
  vow_run_unref(p);
}

static void *run_share(void *p) {
  return vow_run_ref(p);
}

static void run_describe(const void *p, char *buf, size_t size_bytes) {
  const vow_run_t *r = p;
  if (r->exit.term_signal != 0)
    snprintf(buf, size_bytes, "run, ended by signal %d", r->exit.term_signal);
  else
    snprintf(buf, size_bytes, "run, ended with status %lld",
             (long long)r->exit.status);
}

const vow_type_t vow_type_run = {"run", run_destroy, run_share, run_describe};

vow_run_t *vow_run_get(vow_future_t *f) {
  return vow_get(f, &vow_type_run);
}

vow_run_t *vow_run_take(vow_future_t *f) {
  return vow_take(f, &vow_type_run);
}

bool vow_run_succeeded(const vow_run_t *r) {
  return r != NULL && r->exit.status == 0 && r->exit.term_signal == 0;
}

int64_t vow_run_status(const vow_run_t *r) {
  return r != NULL ? r->exit.status : UV_EINVAL;
}

int vow_run_signal(const vow_run_t *r) {
  return r != NULL ? r->exit.term_signal : UV_EINVAL;
}

vow_bytes_t *vow_run_out(const vow_run_t *r) {
  return r != NULL ? r->output[0] : NULL;
}

vow_bytes_t *vow_run_err(const vow_run_t *r) {
  return r != NULL ? r->output[1] : NULL;
}

size_t vow_run_fed_bytes(const vow_run_t *r) {
  return r != NULL ? r->fed_bytes : 0;
}

bool vow_run_is_cut(const vow_run_t *r) {
  return r != NULL && r->cut;
}
