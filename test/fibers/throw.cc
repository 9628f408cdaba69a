// SPDX-License-Identifier: MIT
// C++ in tasks: exceptions thrown and caught on a task's stack, with awaits
// between, destructors on the way, vector registers in use. A stack that is
// laid out 8 bytes off passes every test in C and dies here. That this file
// compiles says that the headers are clean C++. Ends with status 0.
#include <sys/wait.h>
#include <unistd.h>
#include <vow.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" {
#include "support/manual.h"
}

#define REQUIRE(cond)                                                         \
  do {                                                                        \
    if (!(cond)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
      std::exit(1);                                                           \
    }                                                                         \
  } while (0)

namespace {

int alive = 0; // guards that have not been destroyed

struct Guard {
  Guard() {
    alive++;
  }
  ~Guard() {
    alive--;
  }
  Guard(const Guard &) = delete;
  Guard &operator=(const Guard &) = delete;
};

struct Job {
  int rounds;
  int caught;
};

void nap() {
  vow_value_t v = vow_await(vow_sleep(vow_task_loop(), 0));
  REQUIRE(!vow_value_is_failure(v));
}

// Throws from so many frames down, each with something to destroy, after an
// await in each.
int dig(int depth, int round) {
  Guard guard;
  std::string text = "round " + std::to_string(round);
  nap();
  if (depth == 0) throw std::runtime_error(text);
  return dig(depth - 1, round) + 1;
}

bool caught_one(int round) {
  std::string what;
  try {
    dig(round % 20, round);
  } catch (const std::runtime_error &e) {
    what = e.what(); // no await in here
  }
  nap();
  return what == "round " + std::to_string(round);
}

vow_value_t throw_often(void *arg) {
  Job *job = static_cast<Job *>(arg);
  for (int i = 0; i < job->rounds; i++) {
    Guard guard;
    if (caught_one(i)) job->caught++;
  }
  return vow_int(job->caught);
}

// Formats floating numbers by streams: wide stores to the stack.
vow_value_t format(void *) {
  std::vector<double> numbers;
  for (int i = 0; i < 100; i++) {
    numbers.push_back(i * 0.5);
    nap();
  }
  std::ostringstream out;
  for (double x : numbers) out << x << ' ';
  REQUIRE(out.str().size() > 100);
  return vow_nil();
}

vow_value_t rethrow(void *) {
  Guard guard;
  int seen = 0;
  try {
    try {
      dig(3, 1);
    } catch (...) {
      seen++;
      throw;
    }
  } catch (const std::exception &) {
    seen++;
  }
  return vow_int(seen);
}

vow_value_t throw_out(void *) {
  nap();
  throw std::runtime_error("nobody catches this");
}

// An exception that leaves the body ends the program, at the throw.
void check_uncaught() {
  int status = 0;
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    vow_loop_t *loop = manual_loop();
    std::set_terminate([] { _exit(42); });
    vow_detach(vow_go(loop, throw_out, nullptr));
    vow_loop_run(loop);
    _exit(2);
  }
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

} // namespace

int main() {
  vow_loop_t *loop = manual_loop();
  Job jobs[3] = {{50, 0}, {50, 0}, {50, 0}};
  std::vector<vow_future_t *> tasks;
  vow_task_options_t options = {};
  options.name = "c++";
  options.stack_bytes = 256 << 10;
  for (Job &job : jobs)
    tasks.push_back(vow_go_with(loop, &options, throw_often, &job));
  tasks.push_back(vow_go(loop, format, nullptr));
  for (vow_future_t *f : tasks) REQUIRE(vow_await_blocking(f, nullptr) == 0);
  for (const Job &job : jobs) REQUIRE(job.caught == job.rounds);
  vow_value_t v = vow_nil();
  REQUIRE(vow_await_blocking(vow_go(loop, rethrow, nullptr), &v) == 0);
  REQUIRE(v.as.i == 2);
  REQUIRE(alive == 0);
  REQUIRE(vow_loop_close(loop, 1000) == 0);
  check_uncaught();
  std::printf("C++ in tasks, %s: ok\n", vow_task_switch_name());
  return 0;
}
