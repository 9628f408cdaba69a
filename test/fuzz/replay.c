/* SPDX-License-Identifier: MIT */
/* Gives files to a fuzz target, without libFuzzer: each argument is one. An
 * input that fails ends the program, after its name was told. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *running;

/* Whatever ends the program; only what a handler may call. */
static void tell(int signum) {
  static const char before[] = "input ", after[] = ": ends the program\n";
  ssize_t told = write(STDERR_FILENO, before, sizeof before - 1);
  told += write(STDERR_FILENO, running, strlen(running));
  told += write(STDERR_FILENO, after, sizeof after - 1);
  (void)told;
  signal(signum, SIG_DFL);
  raise(signum);
}

/* A failed check of libcheck's leaves by exit. */
static void tell_exit(void) {
  if (running != NULL) fprintf(stderr, "input %s: fails\n", running);
}

static uint8_t *input_read(const char *path, size_t *ret_size) {
  uint8_t *data = malloc(INPUT_MAX);
  FILE *file = fopen(path, "rb");
  if (data == NULL || file == NULL) {
    fprintf(stderr, "input %s: cannot be read\n", path);
    exit(2);
  }
  *ret_size = fread(data, 1, INPUT_MAX, file);
  fclose(file);
  return data;
}

int main(int argc, char **argv) {
  int i;
  signal(SIGABRT, tell);
  signal(SIGALRM, tell);
  atexit(tell_exit);
  for (i = 1; i < argc; i++) {
    size_t size;
    uint8_t *data = input_read(argv[i], &size);
    running = argv[i];
    alarm(120);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
  }
  running = NULL;
  return 0;
}
