/* SPDX-License-Identifier: MIT */
/* The test beside which each step runs: starts a file server, is good, bad and
 * slow clients to it, and prints what they and its log saw.
 * `client ROOT TIMEOUT_MS SERVER...`: TIMEOUT_MS is what the server grants to
 * slow clients; no others depend on it.
 * main() waits for one future after the other, so this reads from top to
 * bottom; what goes on at a time is in the futures. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vow.h>

enum { FILES = 4, MANY = 60, ANSWER_MAX = 1 << 26 };

static const char *const targets[FILES] = {"/hello.txt", "/empty.txt",
                                           "/medium.txt", "/big.txt"};

typedef struct test {
  vow_loop_t *loop;
  const char *root;
  char **command; /* of the server, with room for its arguments */
  int command_length;
  vow_bytes_t *files[FILES];
  vow_future_t *server; /* the running one */
  vow_stream_t *log;
  char port[8];
} test_t;

static test_t test;

/* ---- waiting in main() ---------------------------------------------------- */

static void give_up(vow_value_t failure) {
  char text[1024];
  printf("FAILED: %s\n", vow_error_format(failure, text, sizeof text));
  vow_process_kill(test.server, SIGKILL);
  exit(1);
}

/* What f succeeds with. */
static vow_value_t await(vow_future_t *f) {
  vow_value_t value;
  int rc = vow_await_blocking(f, &value);
  if (rc != 0) give_up(value.type != NULL ? value : vow_fail(rc));
  return value;
}

static void await_nothing(vow_future_t *f) {
  vow_value_destroy(await(f));
}

static vow_stream_t *await_stream(vow_future_t *f) {
  return vow_value_get(await(f), &vow_type_stream);
}

/* The next line of the server's log, to be freed. */
static char *await_log(void) {
  vow_value_t value = await(vow_stream_read_line(test.log, 1000));
  const vow_bytes_t *bytes = vow_value_get(value, &vow_type_bytes);
  size_t length = vow_bytes_length(bytes);
  char *line = calloc(1, length + 1);
  if (line == NULL) give_up(vow_fail(UV_ENOMEM));
  memcpy(line, vow_bytes_data(bytes), length);
  vow_value_destroy(value);
  return line;
}

static void show_log(void) {
  char *line = await_log();
  printf("  log: %s\n", line);
  free(line);
}

/* ---- answers -------------------------------------------------------------- */

static const vow_bytes_t *file_of(const char *request) {
  for (size_t i = 0; i < FILES; i++) {
    size_t length = strlen(targets[i]);
    if (strncmp(request, "GET ", 4) == 0 &&
        strncmp(request + 4, targets[i], length) == 0)
      return test.files[i];
  }
  return NULL;
}

/* Whether answer, to request, is all of the file and nothing but the file. */
static bool is_whole(const char *request, const vow_bytes_t *answer) {
  const vow_bytes_t *file = file_of(request);
  size_t length = vow_bytes_length(file);
  char head[200];
  int n = snprintf(head, sizeof head,
                   "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n",
                   length);
  if (file == NULL || vow_bytes_length(answer) != (size_t)n + length)
    return false;
  return memcmp(vow_bytes_data(answer), head, (size_t)n) == 0 &&
         memcmp(vow_bytes_data(answer) + n, vow_bytes_data(file), length) == 0;
}

static void show_request(const char *request) {
  printf("-- ");
  for (; *request != '\0' && *request != '\r'; request++)
    putchar(*request < ' ' ? '?' : *request);
  putchar('\n');
}

/* Errors are shown as they came, on one line. */
static void show_answer(const char *request, const vow_bytes_t *answer) {
  const char *data = vow_bytes_data(answer);
  size_t length = vow_bytes_length(answer);
  show_request(request);
  if (is_whole(request, answer)) {
    printf("  the file, %zu bytes\n", vow_bytes_length(file_of(request)));
    return;
  }
  fputs("  ", stdout);
  for (size_t i = 0; i < length && i < 500; i++) {
    if (data[i] == '\n') {
      fputs(i + 1 < length ? " | " : "", stdout);
    } else if (data[i] != '\r') {
      putchar(data[i]);
    }
  }
  puts(length < 500 ? "" : "...");
}

/* ---- asking --------------------------------------------------------------- */

typedef struct visit {
  const char *request;
  size_t length;
  vow_stream_t *stream;
} visit_t;

static void visit_free(void *arg) {
  visit_t *visit = arg;
  vow_stream_unref(visit->stream);
  free(visit);
}

static vow_value_t ask(vow_future_t *in, void *arg) {
  visit_t *visit = arg;
  int size_bytes = 65536;
  visit->stream = vow_stream_take(in);
  /* Little room: the server cannot send a large file to nobody. */
  int rc = uv_recv_buffer_size((uv_handle_t *)vow_stream_uv(visit->stream),
                               &size_bytes);
  if (rc != 0) return vow_fail(rc);
  return vow_follow(
      vow_stream_write(visit->stream, visit->request, visit->length));
}

static vow_value_t read_all(vow_future_t *in, void *arg) {
  visit_t *visit = arg;
  (void)in;
  return vow_follow(vow_stream_read_to_end(visit->stream, ANSWER_MAX));
}

static vow_value_t hand_over(vow_future_t *in, void *arg) {
  visit_t *visit = arg;
  (void)in;
  return vow_stream_value(vow_stream_ref(visit->stream));
}

/* Sends a request; succeeds as next says. */
static vow_future_t *visit_start(const char *request, vow_then_cb next) {
  visit_t *visit = calloc(1, sizeof *visit);
  if (visit == NULL) return vow_ready(test.loop, vow_fail(UV_ENOMEM));
  visit->request = request;
  visit->length = strlen(request);
  vow_future_t *f = vow_connect(test.loop, "127.0.0.1", test.port, NULL);
  f = vow_then(f, ask, visit);
  f = vow_then(f, next, visit);
  return vow_keep(f, visit, visit_free);
}

static vow_future_t *get(const char *request) {
  return visit_start(request, read_all);
}

static vow_stream_t *await_asked(const char *request) {
  return await_stream(visit_start(request, hand_over));
}

/* A client to whom the beginning of a file has come; all of it stays unread. */
static vow_stream_t *await_stalled(const char *request) {
  vow_stream_t *s = await_asked(request);
  await_nothing(vow_stream_peek(s, strlen("HTTP/1.0 200 OK")));
  return s;
}

static void await_close(vow_stream_t *s) {
  await_nothing(vow_stream_close(s));
  vow_stream_unref(s);
}

/* ---- the server ----------------------------------------------------------- */

static vow_future_t *spawn(uv_pipe_t *out) {
  uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE},
                                   {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                                    .data.stream = (uv_stream_t *)out},
                                   {.flags = UV_INHERIT_FD, .data.fd = 2}};
  uv_process_options_t options = {.file = test.command[0],
                                  .args = test.command,
                                  .stdio = stdio,
                                  .stdio_count = 3};
  return vow_spawn(test.loop, &options);
}

static void server_start(const char *timeout_ms, const char *grace_ms) {
  const char *arguments[] = {test.root, "0", timeout_ms, grace_ms, NULL};
  uv_pipe_t *out;
  int rc = vow_pipe_new(test.loop, false, &out);
  memcpy(test.command + test.command_length, arguments, sizeof arguments);
  if (rc != 0) give_up(vow_fail(rc));
  test.server = spawn(out);
  rc = vow_stream_from_uv((uv_stream_t *)out, VOW_STREAM_OWNED, &test.log);
  if (rc != 0) give_up(vow_fail(rc));
  char *port = await_log();
  snprintf(test.port, sizeof test.port, "%s", port);
  free(port);
}

static void server_signal(int signum) {
  int rc = vow_process_kill(test.server, signum);
  if (rc != 0) give_up(vow_fail(rc));
}

static void server_end(void) {
  vow_value_t value = await(test.server);
  const vow_exit_t *how = vow_value_get(value, &vow_type_exit);
  printf("-- exit status %d, signal %d\n", (int)how->status, how->term_signal);
  vow_value_destroy(value);
  value = await(vow_stream_read_to_end(test.log, ANSWER_MAX));
  if (vow_bytes_length(vow_value_get(value, &vow_type_bytes)) > 0)
    puts("the log goes on");
  vow_value_destroy(value);
  await_nothing(vow_stream_close(test.log));
  vow_stream_unref(test.log);
  test.server = NULL;
}

/* ---- one at a time -------------------------------------------------------- */

static void show_get(const char *request) {
  vow_value_t answer = await(get(request));
  show_answer(request, vow_value_get(answer, &vow_type_bytes));
  vow_value_destroy(answer);
  show_log();
}

/* Beyond what the server takes for a request, and also beyond what it reads
 * ahead: it must read on, or the answer would be lost in a reset. */
static void show_too_long(void) {
  static const char begin[] = "GET /hello.txt HTTP/1.0\r\nX: ";
  static char request[600000];
  memset(request, 'x', sizeof request - 1);
  memcpy(request, begin, strlen(begin));
  puts("-- too long:");
  show_get(request);
}

static void show_gets(void) {
  static const char *const requests[] = {
      "GET /hello.txt HTTP/1.0\r\n\r\n",
      "GET /hello.txt?x=/../ HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET /empty.txt HTTP/1.0\r\n\r\n",
      "GET /big.txt HTTP/1.0\r\n\r\n",
      "GET /missing HTTP/1.0\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET /folder HTTP/1.0\r\n\r\n",
      "GET /fifo HTTP/1.0\r\n\r\n",
      "GET /hello.txt/x HTTP/1.0\r\n\r\n",
      "GET /../secret.txt HTTP/1.0\r\n\r\n",
      "GET /folder/../../secret.txt HTTP/1.0\r\n\r\n",
      "GET /folder/.. HTTP/1.0\r\n\r\n",
      "GET /%2e%2e/secret.txt HTTP/1.0\r\n\r\n",
      "GET ../secret.txt HTTP/1.0\r\n\r\n",
      "GET /hello.txt\r\n\r\n",
      "GET /hello.txt HTTP/9\r\n\r\n",
      "GET /hello\001.txt HTTP/1.0\r\n\r\n",
      "\r\n\r\n",
      "POST /hello.txt HTTP/1.0\r\n\r\nThis shall not be lost."};
  for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
    show_get(requests[i]);
}

static void show_bytewise(void) {
  static const char request[] = "GET /hello.txt HTTP/1.0\r\n\r\n";
  vow_stream_t *s = await_asked("");
  uv_tcp_nodelay((uv_tcp_t *)vow_stream_uv(s), 1);
  for (const char *p = request; *p != '\0'; p++)
    await_nothing(vow_stream_write(s, p, 1));
  vow_value_t answer = await(vow_stream_read_to_end(s, ANSWER_MAX));
  puts("-- byte by byte:");
  show_answer(request, vow_value_get(answer, &vow_type_bytes));
  vow_value_destroy(answer);
  await_close(s);
  show_log();
}

static void show_hang_ups(void) {
  await_close(await_asked("GET /hel"));
  puts("-- hung up in the request");
  show_log();
  await_close(await_stalled("GET /big.txt HTTP/1.0\r\n\r\n"));
  puts("-- hung up in the answer");
  show_log();
}

/* ---- many at once --------------------------------------------------------- */

static vow_value_t count_whole(vow_future_t *in, void *arg) {
  return vow_int(is_whole(arg, vow_bytes_get(in)));
}

static vow_future_t *visit_one(vow_loop_t *loop, size_t i, void *arg) {
  static char requests[FILES][100];
  size_t which = i == 0 ? FILES - 1 : i % (FILES - 1); /* one large file */
  char *request = requests[which];
  (void)loop;
  (void)arg;
  snprintf(request, sizeof requests[0], "GET %s HTTP/1.0\r\n\r\n",
           targets[which]);
  return vow_then(get(request), count_whole, request);
}

static void show_many(void) {
  vow_value_t value = await(vow_map(test.loop, MANY, MANY, visit_one, NULL));
  const vow_list_t *list = vow_value_get(value, &vow_type_list);
  int whole = 0, done = 0;
  for (size_t i = 0; i < MANY; i++) whole += (int)vow_list_at(list, i).as.i;
  vow_value_destroy(value);
  for (int i = 0; i < MANY; i++) {
    char *line = await_log();
    if (strncmp(line, "200 /", 5) == 0 && strstr(line, " done") != NULL) done++;
    free(line);
  }
  printf("-- %d clients at once: %d got their file, %d done in the log\n", MANY,
         whole, done);
}

/* ---- slow clients, and the end -------------------------------------------- */

/* Reads on; what comes is the whole file, or not. */
static void show_rest(const char *request, vow_stream_t *s) {
  vow_value_t answer = await(vow_stream_read_to_end(s, ANSWER_MAX));
  show_request(request);
  puts(is_whole(request, vow_value_get(answer, &vow_type_bytes))
           ? "  the whole file"
           : "  cut off");
  vow_value_destroy(answer);
  await_close(s);
}

/* Two clients that stop, one asking and one reading. */
static void show_slow(void) {
  static const char request[] = "GET /big.txt HTTP/1.0\r\n\r\n";
  vow_stream_t *reading = await_stalled(request);
  vow_stream_t *asking = await_asked("GET /hel");
  vow_value_t answer = await(vow_stream_read_to_end(asking, ANSWER_MAX));
  show_answer("GET /hel", vow_value_get(answer, &vow_type_bytes));
  vow_value_destroy(answer);
  await_close(asking);
  char *lines[2] = {await_log(), await_log()};
  int last = strcmp(lines[0], lines[1]) > 0 ? 0 : 1;
  printf("  log: %s\n  log: %s\n", lines[1 - last], lines[last]);
  free(lines[0]);
  free(lines[1]);
  show_rest(request, reading);
}

static void show_refused(void) {
  vow_value_t value;
  int rc = vow_await_blocking(get("GET / HTTP/1.0\r\n\r\n"), &value);
  printf("  a new client: %s\n", vow_err_name(rc));
  vow_value_destroy(value);
}

/* One finishes after the first signal; one would not, but for the second. */
static void show_graceful_end(void) {
  static const char request[] = "GET /big.txt HTTP/1.0\r\n\r\n";
  vow_stream_t *one = await_stalled(request);
  vow_stream_t *other = await_stalled(request);
  puts("-- SIGTERM");
  server_signal(SIGTERM);
  show_log();
  show_refused();
  show_rest(request, one);
  show_log();
  puts("-- SIGTERM again");
  server_signal(SIGTERM);
  show_log();
  show_rest(request, other);
}

static void show_end_of_grace(void) {
  static const char request[] = "GET /big.txt HTTP/1.0\r\n\r\n";
  vow_stream_t *s = await_stalled(request);
  puts("-- SIGTERM, and little grace");
  server_signal(SIGTERM);
  show_log();
  show_log();
  show_rest(request, s);
}

/* ---- all of it ------------------------------------------------------------ */

static void run(char *timeout_ms) {
  server_start("600000", "600000");
  show_gets();
  show_too_long();
  show_bytewise();
  show_hang_ups();
  show_many();
  show_graceful_end();
  server_end();

  server_start(timeout_ms, "600000");
  show_slow();
  puts("-- SIGINT");
  server_signal(SIGINT);
  show_log();
  server_end();

  server_start("600000", "100");
  show_end_of_grace();
  server_end();
}

static void read_files(void) {
  char path[4096];
  for (size_t i = 0; i < FILES; i++) {
    snprintf(path, sizeof path, "%s%s", test.root, targets[i]);
    vow_future_t *f = vow_file_read_all(test.loop, path, ANSWER_MAX);
    test.files[i] = vow_value_get(await(f), &vow_type_bytes);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: client ROOT TIMEOUT_MS SERVER...\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  test.root = argv[1];
  test.command_length = argc - 3;
  test.command = calloc((size_t)argc + 5, sizeof *test.command);
  if (test.command == NULL || vow_loop_new(NULL, &test.loop) != 0) return 1;
  memcpy(test.command, argv + 3, (size_t)(argc - 3) * sizeof *argv);
  read_files();
  run(argv[2]);
  for (size_t i = 0; i < FILES; i++) vow_bytes_unref(test.files[i]);
  free(test.command);
  return vow_loop_close(test.loop, 10000) == 0 ? 0 : 1;
}
