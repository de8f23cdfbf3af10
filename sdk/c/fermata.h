/* Write Fermata activities in C: the thin layer over the contract in wit/activity.wit.
 *
 * An activity defines `fermata_descriptor` and `fermata_run`, and `fermata_undo` if it can take its effect back (then
 * `fermata_undo.c` is compiled in, too). Texts are UTF-8 and end with a NUL; those that the SDK hands out live until the
 * run ends, as does whatever is allocated: the engine starts a fresh instance for every run and drops it afterwards, so
 * nothing has to be freed. */
#ifndef FERMATA_H
#define FERMATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the engine tells one attempt about itself. */
typedef struct {
  const char *release;  /* the id of the release */
  const char *process;  /* the name of the process that the release runs */
  const char *phase;    /* the name of the phase */
  const char *activity; /* the name of the activity within its phase */
  uint32_t number;      /* 1 for the first attempt */
  /* The same for every attempt and every resumption of this activity in this release. Hand it to the systems you call,
   * so that asking twice does a thing once. */
  const char *idempotency_key;
  uint64_t now_ms;        /* when this run began, milliseconds since the Unix epoch: the clock of libc stands still */
  const char *checkpoint; /* what the last `fermata_pending` of this attempt stored; NULL on its first run */
  size_t checkpoint_len;
  const char *signal; /* the payload of the signal that `fermata_pending_signal` waited for, as JSON; NULL without one */
} fermata_attempt;

/* How a run ends. The functions below make one. */
typedef struct {
  enum { FERMATA_DONE, FERMATA_PENDING, FERMATA_RETRYABLE, FERMATA_PERMANENT } kind;
  const char *text;    /* outputs as JSON; checkpoint; or message */
  const char *code;    /* of a failure, or NULL */
  const char *details; /* of a failure, as JSON, or NULL */
  const char *status;  /* of a suspension, or NULL */
  uint64_t after_ms;   /* of a suspension or a retryable failure */
  const char *signal;  /* that a suspension waits for, or NULL */
} fermata_outcome;

/* Finished, with outputs: a JSON object. */
fermata_outcome fermata_done(const char *outputs);
/* Not finished: the instance is dropped, and the activity is run again after this time with the checkpoint, so that
 * waiting for hours costs nothing and survives a crash. `status` is shown to people and may be NULL. */
fermata_outcome fermata_pending(const char *checkpoint, uint64_t after_ms, const char *status);
/* Not finished: the activity is run again when the signal `name` comes, with the checkpoint and the payload. The name is
 * for people: lower-case letters, digits and hyphens. The timeout of the activity says how long to wait at most. */
fermata_outcome fermata_pending_signal(const char *checkpoint, const char *name, const char *status);
/* A failure after which another attempt may help. The message is one sentence: what happened, and to what. The code is
 * short and stable, so that a process can branch on it, and may be NULL. More can be set in the outcome's fields. */
fermata_outcome fermata_retryable(const char *message, const char *code);
/* A failure after which no further attempt with the same inputs will help. */
fermata_outcome fermata_permanent(const char *message, const char *code);

/* ---- What an activity defines. */

/* The JSON descriptor: name, version, summary, inputs, outputs (JSON Schemas), and perhaps retry, timeout, capabilities. */
extern const char fermata_descriptor[];
/* Does the work, or goes on with it if the attempt has a checkpoint. `inputs` is a JSON object that fits its schema. */
fermata_outcome fermata_run(const fermata_attempt *attempt, const char *inputs);
/* Takes the effect of `run` back. `outputs` is NULL if no run ever finished; it may or may not have had an effect then,
 * so look before you act. Like a run, this may be suspended and must be repeatable. */
fermata_outcome fermata_undo(const fermata_attempt *attempt, const char *inputs, const char *outputs);

/* ---- What an activity can do. */

typedef enum {
  FERMATA_DEBUG, /* for the author of the activity */
  FERMATA_INFO,  /* for whoever follows the release */
  FERMATA_WARN,  /* something to look at */
  FERMATA_ERROR  /* something failed */
} fermata_level;

/* Writes one line, as printf does. What is printed to stdout or stderr becomes a line of the log, too. */
void fermata_log(fermata_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the run as a crash of the activity, with a line in the log that says where and, as printf does, why. */
#define FERMATA_PANIC(...) fermata_panic(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void fermata_panic(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says what the run is doing now, and how far it is: 0 to 100, or negative if it does not know. */
void fermata_progress(int percent, const char *message);

typedef struct {
  const char *name;
  const char *value;
} fermata_header;

/* A request. What is 0 or NULL is left out. */
typedef struct {
  const char *method; /* upper-case */
  const char *url;
  const fermata_header *headers;
  size_t headers_len;
  const char *body;
  size_t body_len;     /* 0: the body ends with a NUL */
  uint32_t timeout_ms; /* the engine has a limit of its own, which is the default */
} fermata_request;

/* An answer, or why there is none. */
typedef struct {
  enum {
    FERMATA_ANSWERED,
    FERMATA_DENIED,      /* not granted; the text says which grant is missing */
    FERMATA_INVALID,     /* the request itself is wrong */
    FERMATA_TIMEOUT,     /* no whole answer in time; the other side may have acted all the same */
    FERMATA_UNREACHABLE, /* no connection, or one that broke; the other side may have acted all the same */
    FERMATA_TOO_LARGE    /* the answer is too large */
  } cause;
  int status;               /* 4xx and 5xx are answers, not errors; redirects are not followed */
  const fermata_header *headers; /* names are lower-case */
  size_t headers_len;
  const char *body; /* ends with a NUL, which is not counted */
  size_t body_len;
  const char *error; /* why there is no answer */
} fermata_response;

/* Sends a request and waits for the whole answer. */
fermata_response fermata_send(const fermata_request *request);
/* Whether there was an answer with status 2xx. */
bool fermata_is_success(const fermata_response *response);
/* The failure that an answer other than 2xx, or none, is: retryable for 408, 425, 429, 5xx, timeouts and broken
 * connections, not before the time in `retry-after`; else permanent. */
fermata_outcome fermata_http_failure(const fermata_request *request, const fermata_response *response);
/* The first header called `name`, in any case; or NULL. */
const char *fermata_header_value(const fermata_response *response, const char *name);

/* An opaque stand-in for a secret, to be put into header values or bodies; NULL if there is none, with the failure. */
const char *fermata_secret(const char *name, fermata_outcome *failure);

/* Records a fact, a JSON object. `kind` is commit, artifact, test-report, ticket, deployment, scan, link, … Otherwise
 * false, with the failure. */
bool fermata_record(const char *kind, const char *fact, fermata_outcome *failure);
/* Keeps bytes with the record and returns their digest; NULL if it cannot, with the failure. */
const char *fermata_attach(const char *name, const char *media_type, const void *bytes, size_t len,
                           fermata_outcome *failure);

/* ---- Text and JSON. */

/* A text that is put together, as printf does. `%s` puts texts in as they are: JSON wants `fermata_quoted`. */
char *fermata_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A text as a JSON string, with its quotes. */
char *fermata_quoted(const char *text);
/* The JSON text of the value at a path of object keys, such as "ticket.id"; NULL if there is none. */
const char *fermata_json(const char *json, const char *path);
/* The string there, unescaped; NULL if there is none, or it is no string. */
char *fermata_json_string(const char *json, const char *path);
/* The number there; the default if there is none. */
double fermata_json_number(const char *json, const char *path, double otherwise);
/* Whether `true` is there. */
bool fermata_json_true(const char *json, const char *path);

#endif
