// Checks that a page answers as it should.

import { Failure, activity, done, http, log } from "./fermata/fermata.js";

/** What a process writes under `with:`. */
interface Inputs {
  url: string;
  status?: number;
}

/** What later activities can read. */
interface Outputs {
  status: number;
}

export const { run } = activity<Inputs, Outputs>({
  name: "{{name}}",
  version: "1.0.0",
  summary: "Checks that a page answers as it should.",
  inputs: {
    type: "object",
    properties: {
      url: { type: "string", description: "The page to ask for." },
      status: { type: "integer", description: "The status that it should answer with." },
    },
    required: ["url"],
    additionalProperties: false,
  },
  outputs: {
    type: "object",
    properties: { status: { type: "integer", description: "The status that it answered with." } },
    required: ["status"],
  },
  retry: { attempts: 3, backoffMs: 5_000 },
  capabilities: { http: [{ host: "*", methods: ["GET"] }] },

  run(attempt, { url, status = 200 }) {
    const response = http.get(url);
    log.info(`${url} answers ${response.status}`);
    if (response.status !== status) {
      throw Failure.retryable(`${url} answers ${response.status}, not ${status}`).code("unexpected-status");
    }
    return done({ status: response.status });
  },
});
