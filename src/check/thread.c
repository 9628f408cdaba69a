/* SPDX-License-Identifier: MIT */
/* Assertions on other threads than the test's: of libuv's pool, a pool of
 * vow's, or any. The failure is posted to the test's loop, and the thread ends:
 * libcheck's own way out of a test leads to another stack. */
#include "check/kit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct word {
  vow__kit_t *kit;
  int line;
  vow__text_t file, text;
} word_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for what follows */
static vow__kit_t *current;
static bool begun;
static pthread_t tests_thread;

void vow__thread_begin(vow__kit_t *k) {
  pthread_mutex_lock(&lock);
  current = k;
  begun = true;
  tests_thread = pthread_self();
  pthread_mutex_unlock(&lock);
}

void vow__thread_end(void) {
  pthread_mutex_lock(&lock);
  current = NULL;
  pthread_mutex_unlock(&lock);
}

static void drop_word(void *arg) {
  word_t *w = arg;
  vow__text_free(&w->file);
  vow__text_free(&w->text);
  free(w);
}

/* What the thread was to do is never done: the loop is given up. */
static void hear(vow_loop_t *loop, void *arg) {
  word_t *w = arg;
  (void)loop;
  if (w->kit != vow__kit()) return;
  vow__kit_note_at(w->kit, vow__text_str(&w->file), w->line,
                   vow__text_str(&w->text));
  w->kit->parked = true;
  vow__kit_over(w->kit);
}

/* With the lock, so that the loop is not closed meanwhile. */
static bool tell(const char *file, int line, const char *text) {
  word_t *w;
  if (current == NULL || current->loop == NULL) return false;
  w = vow__kit_alloc(sizeof *w);
  w->kit = current;
  w->line = line;
  vow__text_add(&w->file, "%s", file);
  vow__text_add(&w->text, "on another thread: %s", text);
  return vow_post(current->loop, hear, w, drop_word) == 0;
}

void vow__thread_failed(const char *file, int line, const char *text) {
  bool told;
  pthread_mutex_lock(&lock);
  if (!begun || pthread_equal(tests_thread, pthread_self())) {
    pthread_mutex_unlock(&lock);
    return;
  }
  vow__memory_pause();
  told = tell(file, line, text);
  vow__memory_resume();
  pthread_mutex_unlock(&lock);
  if (!told)
    fprintf(stderr, "%s:%d: on another thread, of no test: %s\n", file, line,
            text);
  pthread_exit(NULL);
}
