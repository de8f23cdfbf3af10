/* Checks that a page answers as it should. */
#include <fermata.h>

#define TEXT(about) "{\"type\":\"string\",\"description\":\"" about "\"}"
#define STATUS(about) "{\"type\":\"integer\",\"description\":\"" about "\"}"

const char fermata_descriptor[] =
    "{\"name\":\"{{name}}\",\"version\":\"1.0.0\",\"summary\":\"Checks that a page answers as it should.\","
    /* What a process writes under `with:`. */
    "\"inputs\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"url\"],\"properties\":{"
    "\"url\":" TEXT("The page to ask for.") ",\"status\":" STATUS("The status that it should answer with.") "}},"
    /* What later activities can read. */
    "\"outputs\":{\"type\":\"object\",\"required\":[\"status\"],\"properties\":{"
    "\"status\":" STATUS("The status that it answered with.") "}},"
    "\"retry\":{\"attempts\":3,\"backoff\":\"5s\"},"
    "\"capabilities\":{\"http\":[{\"host\":\"*\",\"methods\":[\"GET\"]}]}}";

fermata_outcome fermata_run(const fermata_attempt *attempt, const char *inputs) {
  (void)attempt;
  int status = (int)fermata_json_number(inputs, "status", 200);
  fermata_request request = {.method = "GET", .url = fermata_json_string(inputs, "url")};
  fermata_response response = fermata_send(&request);
  if (response.cause != FERMATA_ANSWERED) return fermata_http_failure(&request, &response);
  fermata_log(FERMATA_INFO, "%s answers %d", request.url, response.status);
  if (response.status != status) {
    const char *message = fermata_format("%s answers %d, not %d", request.url, response.status, status);
    return fermata_retryable(message, "unexpected-status");
  }
  return fermata_done(fermata_format("{\"status\":%d}", response.status));
}
