/* SPDX-License-Identifier: MIT */
/* The simulation: clients and a server that talk over streams in memory, while
 * by seed memory fails, wires break, and requests are cancelled. What is said
 * here is shared by its files; sim_run is for those who run it.
 *
 * How this works. A seed is a libcheck test of its own, run by vow_check_run:
 * its loop has virtual time and a shuffled ready queue, and the kit finds what
 * is left behind. Everything that happens is noted (sim_note) with its time, and
 * the hash of these notes is the seed's trace. */
#ifndef VOW_TEST_SIM_H
#define VOW_TEST_SIM_H

#include <vow.h>
#include <vow/check.h>

#include <stdio.h>

#define SIM_CLIENTS  3
#define SIM_PERMITS  3 /* of its client's room that a request takes, at most */
#define SIM_REQUESTS 64
#define SIM_HOST     "server"
#define SIM_SERVICE  "1"
#define SIM_ADDRESS  SIM_HOST ":" SIM_SERVICE

/** Fails the test, wherever it stands, unless cond holds. (What libcheck's own
 *  do on success takes a system call.) */
#define MUST(cond) MUST_MSG(cond, "not so: %s", #cond)
#define MUST_MSG(cond, ...) \
  ((cond) ? (void)0 : vow_check_failed(__FILE__, __LINE__, #cond, __VA_ARGS__))

/* ---- requests ------------------------------------------------------------- */

/** What is promised of how often the server does it. */
typedef enum sim_op {
  SIM_ECHO, /* has no effect */
  SIM_ADD,  /* tried again, and known again by the server: at most once, and
             * exactly once when it succeeds */
  SIM_MARK, /* tried again: at least once when it succeeds, never more often
             * than it was sent */
  SIM_ONCE, /* the last: tried once; at most once, exactly once when it
             * succeeds */
  SIM_OPS
} sim_op_t;

typedef struct sim_request {
  uint32_t id; /* its place in sim.requests, and 1 */
  struct sim_client *client;
  sim_op_t op;
  uint32_t number;
  uint32_t work_ms;
  uint32_t padding_bytes;
  uint32_t permits;     /* of its client's room */
  vow_future_t *future; /* NULL: dropped */
  unsigned sent;        /* attempts that got as far as a connection */
  unsigned executed;    /* by the server */
  unsigned outcomes;    /* must become 1 */
  int status;
  bool cancelled; /* somebody asked it to end */
  bool ended;     /* nothing of it is left */
} sim_request_t;

/** The answer that r must get. */
uint32_t sim_answer(const sim_request_t *r);

/* ---- frames: frame.c ------------------------------------------------------- */

typedef enum sim_kind {
  SIM_KIND_REQUEST,
  SIM_KIND_REPLY,
  SIM_KIND_PING,
  SIM_KIND_PONG
} sim_kind_t;

typedef struct sim_frame {
  sim_kind_t kind;
  uint32_t id;
  uint32_t attempt;
  uint32_t number;
  uint32_t padding_bytes;
} sim_frame_t;

/** The frame as bytes; NULL for want of memory. */
vow_bytes_t *sim_frame_write(const sim_frame_t *f);
/** Writes b to s, in one piece or several, which do not come at once. */
vow_future_t *sim_frame_send(vow_stream_t *s, vow_bytes_t *b);
/** Succeeds with the bytes of the next frame that comes from s. */
vow_future_t *sim_frame_read(vow_stream_t *s);
/** In a task: the same, as a value. Looks up every tick_ms until the frame has
 *  begun: reads are cancelled that have some of their bytes already. */
vow_value_t sim_frame_await(vow_stream_t *s, int64_t tick_ms);
/** What they say. Fails the test when they are not what was sent. */
sim_frame_t sim_frame_parse(const vow_bytes_t *b);

/* ---- the server: server.c --------------------------------------------------- */

typedef struct sim_server sim_server_t;

/** Listens. */
sim_server_t *sim_server_open(void);
/** In a task: stops listening, lets the connections finish what they have for
 *  grace_ms, ends them, and frees the server. Fails the test when that takes
 *  longer. */
void sim_server_close(sim_server_t *s, uint64_t grace_ms);

/* ---- clients: link.c, client.c ------------------------------------------------ */

typedef struct sim_client sim_client_t;

sim_client_t *sim_client_new(int number);
/** Starts r, whose first fields are set. */
void sim_client_ask(sim_client_t *c, sim_request_t *r);
/** Cancels all that it has under way. */
void sim_client_cancel(sim_client_t *c, int reason);
/** Fails the test when somebody waits for permits that are there. */
void sim_client_check(const sim_client_t *c);
/** Breaks one of its connections. */
void sim_client_break(sim_client_t *c);
/** In a task: ends it, and frees it. Nothing may be under way. */
void sim_client_free(sim_client_t *c);

/* ---- the weather: weather.c ----------------------------------------------------- */

/** In a task: makes trouble for ms. */
void sim_weather(uint64_t ms);
/** Ends all trouble. */
void sim_weather_clear(void);

/* ---- notes: note.c ----------------------------------------------------------------- */

/* clang-format off */
#define SIM_NOTES(X)                                                          \
  X(LISTEN, "server listens")           X(STOP, "server stops")               \
  X(STOPPED, "server has stopped")      X(ACCEPT, "server accepts")           \
  X(ACCEPT_FAILS, "accept fails")       X(CONN_READ, "server reads")          \
  X(CONN_END, "server ends reading")    X(CONN_GONE, "server has closed")     \
  X(EXECUTE, "server executes")         X(REPLIED, "server has replied")      \
  X(ASK, "request begins")              X(SEND, "request is sent")            \
  X(REPLY, "reply")                     X(LATE, "reply to nobody")            \
  X(OUTCOME, "request ends")            X(DIAL, "client connects")            \
  X(LINK, "client is connected")        X(LINK_END, "connection breaks")      \
  X(PULSE, "heartbeat")                 X(CANCEL, "cancel request")           \
  X(DROP, "drop request")               X(CANCEL_CLIENT, "cancel client")     \
  X(WIRE, "wire becomes")               X(PARTITION, "partition")             \
  X(HEAL, "heal")                       X(RESET, "reset all")                 \
  X(STARVE, "memory will fail")         X(FAMINE, "all memory fails")         \
  X(CLEAR, "clear weather")             X(AUDIT, "audit")                     \
  X(THE_END, "the end")
/* clang-format on */

typedef enum sim_event {
#define SIM_EVENT(name, text) SIM_##name,
  SIM_NOTES(SIM_EVENT)
#undef SIM_EVENT
} sim_event_t;

/** Notes that something happened, now. */
void sim_note(sim_event_t what, int64_t a, int64_t b, int64_t c);
/** Begins a trace; with file it is also written there as text. */
void sim_note_begin(FILE *file);
uint64_t sim_note_hash(void);
size_t sim_note_count(void);

/** Adds a number to a hash (FNV-1a, 64 bits). */
uint64_t sim_hash(uint64_t hash, uint64_t number);
#define SIM_HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* ---- the world that a seed makes: sim.c ----------------------------------------------- */

typedef struct sim {
  vow_loop_t *loop;
  vow_check_net_t *net;
  sim_server_t *server; /* NULL: down */
  sim_client_t *clients[SIM_CLIENTS];
  size_t n_clients;
  sim_request_t requests[SIM_REQUESTS];
  size_t n_requests;
  bool fair; /* nothing goes wrong on purpose */
  bool calm; /* for the time being */
} sim_t;

extern sim_t sim;

/** What came of a seed. */
typedef struct sim_result {
  uint64_t hash;
  uint64_t clock_ms;
  size_t events;
  size_t requests, succeeded, failed, cancelled;
} sim_result_t;

/** Below what bound, by the seed. */
uint32_t sim_below(uint32_t bound);
bool sim_chance(uint32_t percent);
/** In a task: waits, whatever becomes of memory. */
void sim_pause(uint64_t ms);
/** Gives up f, whose failure would be no news. */
void sim_ignore(vow_future_t *f);

/** Runs a seed, in a libcheck test; with file its trace is written there. What
 *  must hold and does not fails the test. */
sim_result_t sim_run(uint64_t seed, FILE *file);

#endif
