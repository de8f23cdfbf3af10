/* The canonical ABI of the contract, by hand: what the component model makes of wit/activity.wit for a module with 32-bit
 * memory. The layouts are those of the specification; the engine checks the signatures at upload. */
#include "fermata_abi.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of an answer's body, as much as a failure quotes. */
#define EXCERPT_BYTES_MAX 300

_Static_assert(sizeof(void *) == 4, "the layouts below are those of 32-bit memory");

/* The host asks for memory here: for the parameters of an export, and for the results of an import. One byte more is
 * allocated and zeroed, so that every text that arrives ends with a NUL. */
__attribute__((export_name("cabi_realloc"))) void *fermata_abi_realloc(void *old, size_t old_size, size_t align,
                                                                       size_t new_size) {
  (void)old_size;
  (void)align; /* malloc aligns to 16, the contract needs 8 */
  char *memory = realloc(old, new_size + 1);
  if (memory == NULL) __builtin_trap();
  memory[new_size] = '\0';
  return memory;
}

static void *allocated(size_t size) {
  void *memory = calloc(1, size);
  if (memory == NULL) __builtin_trap();
  return memory;
}

abi_text abi_of(const char *text) {
  abi_text given = {text, text == NULL ? 0 : strlen(text)};
  return given;
}

static abi_option abi_maybe(const char *text) {
  abi_option option = {text != NULL, abi_of(text)};
  return option;
}

/* ---- Exports. */

__attribute__((export_name("fermata:activity/run@0.1.0#describe"))) abi_text *fermata_abi_describe(void) {
  abi_text *result = allocated(sizeof *result);
  *result = abi_of(fermata_descriptor);
  return result;
}

fermata_attempt abi_attempt_read(const abi_attempt *given) {
  fermata_attempt attempt = {
      .release = given->release.at,
      .process = given->process.at,
      .phase = given->phase.at,
      .activity = given->activity.at,
      .number = given->number,
      .idempotency_key = given->idempotency_key.at,
      .now_ms = given->now_ms,
      .checkpoint = given->checkpoint.is_some ? given->checkpoint.value.at : NULL,
      .checkpoint_len = given->checkpoint.is_some ? given->checkpoint.value.len : 0,
      .signal = given->signal.is_some ? given->signal.value.at : NULL,
  };
  return attempt;
}

abi_result *abi_outcome_write(fermata_outcome outcome) {
  abi_result *result = allocated(sizeof *result);
  result->is_err = outcome.kind == FERMATA_RETRYABLE || outcome.kind == FERMATA_PERMANENT;
  result->text = abi_of(outcome.text);
  if (outcome.kind == FERMATA_PENDING) {
    result->which = 1;
    if (outcome.signal == NULL) {
      result->pending.after_ms = outcome.after_ms;
    } else {
      result->pending.which = 1;
      result->pending.signal = abi_of(outcome.signal);
    }
    result->pending.status = abi_maybe(outcome.status);
  } else if (result->is_err) {
    result->which = outcome.kind == FERMATA_PERMANENT;
    result->failure.code = abi_maybe(outcome.code);
    result->failure.details = abi_maybe(outcome.details);
    result->failure.has_delay = outcome.kind == FERMATA_RETRYABLE && outcome.after_ms != 0;
    result->failure.delay_ms = outcome.after_ms;
  }
  return result;
}

__attribute__((export_name("fermata:activity/run@0.1.0#run"))) abi_result *fermata_abi_run(const abi_call *call) {
  fermata_attempt attempt = abi_attempt_read(&call->attempt);
  fermata_outcome outcome = fermata_run(&attempt, call->inputs.at);
  fflush(NULL); /* a line that was begun is a line, too */
  return abi_outcome_write(outcome);
}

/* ---- Outcomes. */

fermata_outcome fermata_done(const char *outputs) {
  fermata_outcome outcome = {.kind = FERMATA_DONE, .text = outputs};
  return outcome;
}

fermata_outcome fermata_pending(const char *checkpoint, uint64_t after_ms, const char *status) {
  fermata_outcome outcome = {.kind = FERMATA_PENDING, .text = checkpoint, .after_ms = after_ms, .status = status};
  return outcome;
}

fermata_outcome fermata_pending_signal(const char *checkpoint, const char *name, const char *status) {
  fermata_outcome outcome = {.kind = FERMATA_PENDING, .text = checkpoint, .signal = name, .status = status};
  return outcome;
}

fermata_outcome fermata_retryable(const char *message, const char *code) {
  fermata_outcome outcome = {.kind = FERMATA_RETRYABLE, .text = message, .code = code};
  return outcome;
}

fermata_outcome fermata_permanent(const char *message, const char *code) {
  fermata_outcome outcome = {.kind = FERMATA_PERMANENT, .text = message, .code = code};
  return outcome;
}

/* ---- Log and progress. */

IMPORT("log", "write") void log_write(int32_t level, const char *message, size_t len);
IMPORT("progress", "report") void progress_report(int32_t known, int32_t percent, const char *message, size_t len);

static char *formatted(const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  char *text = allocated((size_t)(length < 0 ? 0 : length) + 1);
  if (length > 0) vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  return text;
}

void fermata_log(fermata_level level, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *message = formatted(format, arguments);
  va_end(arguments);
  log_write((int32_t)level, message, strlen(message));
}

void fermata_panic(const char *file, int line, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fermata_log(FERMATA_ERROR, "panicked at %s:%d: %s", file, line, formatted(format, arguments));
  va_end(arguments);
  __builtin_trap();
}

void fermata_progress(int percent, const char *message) {
  progress_report(percent >= 0, percent < 0 ? 0 : percent > 100 ? 100 : percent, message, strlen(message));
}

/* ---- HTTP. */

IMPORT("http", "send")
void http_send(const char *method, size_t method_len, const char *url, size_t url_len, const abi_pair *headers,
               size_t headers_len, int32_t has_body, const char *body, size_t body_len, int32_t has_timeout,
               uint32_t timeout_ms, abi_response *result);

fermata_response fermata_send(const fermata_request *request) {
  abi_pair *headers = allocated((request->headers_len + 1) * sizeof *headers);
  for (size_t index = 0; index < request->headers_len; index++) {
    headers[index].name = abi_of(request->headers[index].name);
    headers[index].value = abi_of(request->headers[index].value);
  }
  bool has_body = request->body != NULL;
  size_t body_len = has_body && request->body_len == 0 ? strlen(request->body) : request->body_len;
  abi_response *answer = allocated(sizeof *answer);
  http_send(request->method, strlen(request->method), request->url, strlen(request->url), headers,
            request->headers_len, has_body, request->body, body_len, request->timeout_ms != 0, request->timeout_ms,
            answer);
  fermata_response response = {0};
  if (answer->is_err) {
    response.cause = FERMATA_DENIED + answer->err.which;
    switch (response.cause) {
      case FERMATA_TIMEOUT: response.error = "was not answered in time"; break;
      case FERMATA_TOO_LARGE:
        response.error = fermata_format("was answered with more than %llu bytes", answer->err.bytes);
        break;
      case FERMATA_DENIED: response.error = fermata_format("is not granted: %s", answer->err.why.at); break;
      case FERMATA_INVALID: response.error = fermata_format("is not a valid request: %s", answer->err.why.at); break;
      default: response.error = fermata_format("could not be sent or answered: %s", answer->err.why.at);
    }
    return response;
  }
  fermata_header *received = allocated((answer->ok.headers_len + 1) * sizeof *received);
  for (size_t index = 0; index < answer->ok.headers_len; index++) {
    received[index].name = answer->ok.headers[index].name.at;
    received[index].value = answer->ok.headers[index].value.at;
  }
  response.status = answer->ok.status;
  response.headers = received;
  response.headers_len = answer->ok.headers_len;
  response.body = answer->ok.body.len == 0 ? "" : answer->ok.body.at;
  response.body_len = answer->ok.body.len;
  return response;
}

bool fermata_is_success(const fermata_response *response) {
  return response->cause == FERMATA_ANSWERED && response->status >= 200 && response->status < 300;
}

const char *fermata_header_value(const fermata_response *response, const char *name) {
  for (size_t index = 0; index < response->headers_len; index++) {
    if (strcasecmp(response->headers[index].name, name) == 0) return response->headers[index].value;
  }
  return NULL;
}

/* Whether it is UTF-8, as RFC 3629 has it. */
static bool is_utf8(const unsigned char *text, size_t len) {
  for (size_t at = 0; at < len;) {
    unsigned char first = text[at];
    size_t more = first < 0x80                    ? 0
                  : first >= 0xc2 && first < 0xe0 ? 1
                  : first >= 0xe0 && first < 0xf0 ? 2
                  : first >= 0xf0 && first < 0xf5 ? 3
                                                  : len;
    if (more >= len - at) return false;
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i <= more; i++, low = 0x80, high = 0xbf)
      if (text[at + i] < low || text[at + i] > high) return false;
    at += more + 1;
  }
  return true;
}

/* Cuts at a whole character: what is sent has to be UTF-8, so other bodies are left out. */
static size_t excerpt_len(const char *text, size_t len) {
  if (len > EXCERPT_BYTES_MAX) {
    len = EXCERPT_BYTES_MAX;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) len--;
  }
  return is_utf8((const unsigned char *)text, len) ? len : 0;
}

fermata_outcome fermata_http_failure(const fermata_request *request, const fermata_response *response) {
  static const char *const codes[] = {"http-status",  "http-denied",      "http-invalid",
                                      "http-timeout", "http-unreachable", "http-too-large"};
  /* Without the query, which may hold what nobody should read. */
  int url_len = (int)strcspn(request->url, "?#");
  const char *code = codes[response->cause];
  if (response->cause != FERMATA_ANSWERED) {
    char *message = fermata_format("%s %.*s %s", request->method, url_len, request->url, response->error);
    bool again = response->cause == FERMATA_TIMEOUT || response->cause == FERMATA_UNREACHABLE;
    return again ? fermata_retryable(message, code) : fermata_permanent(message, code);
  }
  int status = response->status;
  size_t len = excerpt_len(response->body, response->body_len);
  char *message = fermata_format("%s %.*s was answered with status %d%s%.*s", request->method, url_len, request->url,
                                 status, len == 0 ? "" : ": ", (int)len, response->body);
  if (status != 408 && status != 425 && status != 429 && status < 500) return fermata_permanent(message, code);
  fermata_outcome failure = fermata_retryable(message, code);
  const char *seconds = fermata_header_value(response, "retry-after");
  if (seconds != NULL) failure.after_ms = strtoull(seconds, NULL, 10) * 1000;
  return failure;
}

/* ---- Secrets and evidence. */

IMPORT("secrets", "handle") void secrets_handle(const char *name, size_t len, abi_secret *result);
IMPORT("evidence", "record")
void evidence_record(const char *kind, size_t kind_len, const char *fact, size_t fact_len, abi_said *result);
IMPORT("evidence", "attach")
void evidence_attach(const char *name, size_t name_len, const char *media_type, size_t media_type_len,
                     const void *bytes, size_t len, abi_said *result);

const char *fermata_secret(const char *name, fermata_outcome *failure) {
  abi_secret *answer = allocated(sizeof *answer);
  secrets_handle(name, strlen(name), answer);
  if (!answer->is_err) return answer->ok.at;
  *failure = answer->err.is_unknown
                 ? fermata_permanent(fermata_format("there is no secret `%s`", answer->err.why.at), "secret-unknown")
                 : fermata_permanent(fermata_format("a secret is not granted: %s", answer->err.why.at), "secret-denied");
  return NULL;
}

static fermata_outcome not_recorded(const abi_said *answer) {
  return fermata_permanent(fermata_format("the evidence was not recorded: %s", answer->text.at), "evidence");
}

bool fermata_record(const char *kind, const char *fact, fermata_outcome *failure) {
  abi_said *answer = allocated(sizeof *answer);
  evidence_record(kind, strlen(kind), fact, strlen(fact), answer);
  if (answer->is_err) *failure = not_recorded(answer);
  return !answer->is_err;
}

const char *fermata_attach(const char *name, const char *media_type, const void *bytes, size_t len,
                           fermata_outcome *failure) {
  abi_said *answer = allocated(sizeof *answer);
  evidence_attach(name, strlen(name), media_type, strlen(media_type), bytes, len, answer);
  if (!answer->is_err) return answer->text.at;
  *failure = not_recorded(answer);
  return NULL;
}

char *fermata_format(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = formatted(format, arguments);
  va_end(arguments);
  return text;
}
