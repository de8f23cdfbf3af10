/* Marks a release on the dashboards of Grafana, and takes the mark away on undo. */
#include <fermata.h>

/* The secret that Grafana wants to see. */
#define SECRET "grafana-token"
/* Longest time for a call. */
#define CALL_MS_MAX 30000
/* No status beside 2xx is a success. */
#define NO_OTHER (-1)

#define TEXT(about) "{\"type\":\"string\",\"description\":\"" about "\"}"

const char fermata_descriptor[] =
    "{\"name\":\"annotate\",\"version\":\"1.0.0\","
    "\"summary\":\"Marks a release on the dashboards of Grafana; undo takes the mark away.\","
    "\"inputs\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"url\",\"text\"],\"properties\":{"
    "\"url\":" TEXT("Where Grafana is.") ",\"text\":" TEXT("What the mark says.") ",\"tag\":" TEXT("What to find it by.")
    "}},"
    "\"outputs\":{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{"
    "\"id\":{\"type\":\"integer\",\"description\":\"The annotation.\"}}},"
    "\"retry\":{\"attempts\":3,\"backoff\":\"2s\"},"
    "\"capabilities\":{\"http\":[{\"host\":\"*\",\"methods\":[\"POST\",\"DELETE\"]}],"
    "\"secrets\":[\"" SECRET "\"],\"evidence\":[\"link\"]}}";

/* Calls Grafana with the token. False, with the failure, unless the answer is 2xx or has the status `also`. */
static bool call(const char *method, const char *url, const char *body, int also, fermata_response *response,
                 fermata_outcome *failure) {
  const char *token = fermata_secret(SECRET, failure);
  if (token == NULL) return false;
  fermata_header headers[] = {
      {"authorization", fermata_format("Bearer %s", token)},
      {"content-type", "application/json"},
  };
  fermata_request request = {
      .method = method,
      .url = url,
      .headers = headers,
      .headers_len = body == NULL ? 1 : 2,
      .body = body,
      .timeout_ms = CALL_MS_MAX,
  };
  *response = fermata_send(&request);
  if (fermata_is_success(response) || response->status == also) return true;
  *failure = fermata_http_failure(&request, response);
  return false;
}

fermata_outcome fermata_run(const fermata_attempt *attempt, const char *inputs) {
  const char *url = fermata_json_string(inputs, "url");
  const char *text = fermata_json_string(inputs, "text");
  const char *tag = fermata_json_string(inputs, "tag");
  const char *body = fermata_format("{\"time\":%llu,\"tags\":[\"release\",%s],\"text\":%s}", attempt->now_ms,
                                    fermata_quoted(tag == NULL ? attempt->process : tag), fermata_quoted(text));
  fermata_response response;
  fermata_outcome failure;
  if (!call("POST", fermata_format("%s/api/annotations", url), body, NO_OTHER, &response, &failure)) return failure;
  long long id = (long long)fermata_json_number(response.body, "id", -1);
  if (id < 0) return fermata_permanent("Grafana did not say which annotation it made", "unexpected-answer");
  const char *link = fermata_quoted(fermata_format("%s/api/annotations/%lld", url, id));
  const char *fact = fermata_format("{\"url\":%s,\"title\":%s}", link, fermata_quoted(text));
  if (!fermata_record("link", fact, &failure)) return failure;
  fermata_log(FERMATA_INFO, "annotation %lld says: %s", id, text);
  return fermata_done(fermata_format("{\"id\":%lld}", id));
}

fermata_outcome fermata_undo(const fermata_attempt *attempt, const char *inputs, const char *outputs) {
  if (outputs == NULL) {
    fermata_log(FERMATA_WARN, "no annotation is known: look for one that release %s made", attempt->release);
    return fermata_done("{}");
  }
  long long id = (long long)fermata_json_number(outputs, "id", -1);
  const char *url = fermata_format("%s/api/annotations/%lld", fermata_json_string(inputs, "url"), id);
  fermata_response response;
  fermata_outcome failure;
  /* 404: somebody was faster. */
  if (!call("DELETE", url, NULL, 404, &response, &failure)) return failure;
  fermata_log(FERMATA_INFO, "took annotation %lld away", id);
  return fermata_done("{}");
}
