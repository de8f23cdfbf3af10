/* The conformance activity in C. */
#include <fermata.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char fermata_descriptor[] =
    "{\"name\":\"sdk-c\",\"version\":\"1.0.0\",\"summary\":\"Does what it is told, for tests.\","
    "\"inputs\":{\"type\":\"object\",\"required\":[\"do\"],\"properties\":{"
    "\"do\":{\"type\":\"string\"},\"text\":{\"type\":\"string\"},\"url\":{\"type\":\"string\"}}},"
    "\"outputs\":{\"type\":\"object\",\"required\":[\"text\"],\"properties\":{"
    "\"text\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"}}},"
    "\"retry\":{\"attempts\":3,\"backoff\":\"2000ms\"},\"timeout\":\"90000ms\","
    "\"capabilities\":{\"http\":[{\"host\":\"*\",\"methods\":[\"GET\",\"POST\"]}],"
    "\"secrets\":[\"token\"],\"evidence\":[\"link\"]}}";

typedef struct {
  const char *what, *text, *url;
} inputs;

static inputs read_inputs(const char *json) {
  inputs read = {fermata_json_string(json, "do"), fermata_json_string(json, "text"), fermata_json_string(json, "url")};
  if (read.text == NULL) read.text = "";
  if (read.url == NULL) read.url = "";
  return read;
}

static fermata_outcome done(const char *text, int status) {
  return fermata_done(fermata_format("{\"text\":%s,\"status\":%d}", fermata_quoted(text), status));
}

static fermata_outcome count(const fermata_attempt *attempt, const char *text) {
  int count = (int)fermata_json_number(attempt->checkpoint, "count", 0);
  if (count == 2) return done(fermata_format("%d %s", count, fermata_json_string(attempt->checkpoint, "text")), 0);
  const char *checkpoint = fermata_format("{\"count\":%d,\"text\":%s}", count + 1, fermata_quoted(text));
  return fermata_pending(checkpoint, 2000, fermata_format("counting %d", count + 1));
}

static fermata_outcome await_signal(const fermata_attempt *attempt, const char *text) {
  if (attempt->signal == NULL) {
    return fermata_pending_signal(fermata_format("{\"count\":1,\"text\":%s}", fermata_quoted(text)), "approved", "waits");
  }
  const char *by = fermata_json_string(attempt->signal, "by");
  return done(fermata_format("%s %s", fermata_json_string(attempt->checkpoint, "text"), by == NULL ? "nobody" : by), 0);
}

static fermata_outcome call(const inputs *in) {
  fermata_header headers[] = {{"x-text", "a"}, {"content-type", "application/json"}};
  fermata_request request = {
      .method = "POST",
      .url = in->url,
      .headers = headers,
      .headers_len = 2,
      .body = fermata_format("{\"text\":%s}", fermata_quoted(in->text)),
      .timeout_ms = 5000,
  };
  fermata_response response = fermata_send(&request);
  if (!fermata_is_success(&response)) return fermata_http_failure(&request, &response);
  return done(fermata_json_string(response.body, "text"), response.status);
}

static fermata_outcome status(const inputs *in) {
  fermata_request request = {.method = "GET", .url = in->url};
  fermata_response response = fermata_send(&request);
  if (response.cause != FERMATA_ANSWERED) return fermata_http_failure(&request, &response);
  const char *answer = fermata_header_value(&response, "X-Answer");
  return done(answer == NULL ? "none" : answer, response.status);
}

static fermata_outcome secret(const inputs *in) {
  fermata_outcome failure;
  fermata_header header = {"authorization", fermata_secret(in->text, &failure)};
  if (header.value == NULL) return failure;
  fermata_request request = {.method = "GET", .url = in->url, .headers = &header, .headers_len = 1};
  fermata_response response = fermata_send(&request);
  if (!fermata_is_success(&response)) return fermata_http_failure(&request, &response);
  return done(response.body, 0);
}

static fermata_outcome record(const inputs *in) {
  fermata_outcome failure;
  const char *fact = fermata_format("{\"url\":%s,\"title\":%s}", fermata_quoted(in->url), fermata_quoted(in->text));
  return fermata_record("link", fact, &failure) ? done("recorded", 0) : failure;
}

static fermata_outcome attach(const inputs *in) {
  fermata_outcome failure;
  const char *digest = fermata_attach("report.txt", "text/plain", in->text, strlen(in->text), &failure);
  return digest == NULL ? failure : done(digest, 0);
}

static fermata_outcome write_lines(const inputs *in) {
  fermata_log(FERMATA_DEBUG, "debug %s", in->text);
  fermata_log(FERMATA_INFO, "info %s", in->text);
  fermata_log(FERMATA_WARN, "warn %s", in->text);
  fermata_log(FERMATA_ERROR, "error %s", in->text);
  printf("printed %s\n", in->text);
  fermata_progress(40, in->text);
  return done("logged", 0);
}

fermata_outcome fermata_run(const fermata_attempt *attempt, const char *json) {
  inputs in = read_inputs(json);
  if (strcmp(in.what, "echo") == 0) return done(in.text, 0);
  if (strcmp(in.what, "attempt") == 0) {
    return done(fermata_format("%s|%s|%s|%s|%u|%s|%llu", attempt->release, attempt->process, attempt->phase,
                               attempt->activity, attempt->number, attempt->idempotency_key, attempt->now_ms),
                0);
  }
  if (strcmp(in.what, "retryable") == 0) {
    fermata_outcome failure = fermata_retryable(in.text, "busy");
    failure.details = fermata_format("{\"text\":%s}", fermata_quoted(in.text));
    failure.after_ms = 1500;
    return failure;
  }
  if (strcmp(in.what, "permanent") == 0) return fermata_permanent(in.text, "wrong");
  if (strcmp(in.what, "count") == 0) return count(attempt, in.text);
  if (strcmp(in.what, "signal") == 0) return await_signal(attempt, in.text);
  if (strcmp(in.what, "call") == 0) return call(&in);
  if (strcmp(in.what, "status") == 0) return status(&in);
  if (strcmp(in.what, "secret") == 0) return secret(&in);
  if (strcmp(in.what, "evidence") == 0) return record(&in);
  if (strcmp(in.what, "attach") == 0) return attach(&in);
  if (strcmp(in.what, "log") == 0) return write_lines(&in);
  FERMATA_PANIC("%s", in.text);
}

fermata_outcome fermata_undo(const fermata_attempt *attempt, const char *json, const char *outputs) {
  (void)attempt;
  const char *was = fermata_json_string(outputs, "text");
  fermata_log(FERMATA_INFO, "undoes %s: %s", read_inputs(json).what, was == NULL ? "nothing" : was);
  return fermata_done("{}");
}
