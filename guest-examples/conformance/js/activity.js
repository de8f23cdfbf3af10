// The conformance activity in JavaScript.

import { Failure, done, evidence, http, log, pending, pendingSignal, progress, reversibleActivity, secrets } from "./fermata/fermata.js";

const text = { type: "string" };

const deeds = {
  echo: (_, inputs) => done({ text: inputs.text }),
  attempt({ release, process, phase, activity, number, idempotencyKey, nowMs }) {
    return done({ text: [release, process, phase, activity, number, idempotencyKey, nowMs].join("|") });
  },
  retryable(_, inputs) {
    throw Failure.retryable(inputs.text).code("busy").details({ text: inputs.text }).after(1500);
  },
  permanent(_, inputs) {
    throw Failure.permanent(inputs.text).code("wrong");
  },
  count({ checkpoint = { count: 0, text: "" } }, inputs) {
    if (checkpoint.count === 2) return done({ text: `${checkpoint.count} ${checkpoint.text}` });
    return pending({ count: checkpoint.count + 1, text: inputs.text }, 2000, `counting ${checkpoint.count + 1}`);
  },
  signal({ checkpoint, signal }, inputs) {
    if (signal !== undefined) return done({ text: `${checkpoint.text} ${signal.by}` });
    return pendingSignal({ count: 1, text: inputs.text }, "approved", "waits");
  },
  call(_, inputs) {
    const response = http.post(inputs.url, { headers: { "x-text": "a" }, json: { text: inputs.text }, timeoutMs: 5000 }).success();
    return done({ text: response.json().text, status: response.status });
  },
  status(_, inputs) {
    const response = http.get(inputs.url);
    return done({ text: response.header("X-Answer") ?? "none", status: response.status });
  },
  secret(_, inputs) {
    const response = http.get(inputs.url, { headers: { authorization: secrets.handle(inputs.text) } }).success();
    return done({ text: response.text() });
  },
  evidence(_, inputs) {
    evidence.record("link", { url: inputs.url, title: inputs.text });
    return done({ text: "recorded" });
  },
  attach(_, inputs) {
    return done({ text: evidence.attach("report.txt", "text/plain", inputs.text) });
  },
  log(_, inputs) {
    log.debug(`debug ${inputs.text}`);
    log.info(`info ${inputs.text}`);
    log.warn(`warn ${inputs.text}`);
    log.error(`error ${inputs.text}`);
    console.log(`printed ${inputs.text}`);
    progress.report(40, inputs.text);
    return done({ text: "logged" });
  },
  crash(_, inputs) {
    throw new TypeError(inputs.text);
  },
};

export const { run, undo } = reversibleActivity({
  name: "sdk-js",
  version: "1.0.0",
  summary: "Does what it is told, for tests.",
  inputs: { type: "object", properties: { do: text, text, url: text }, required: ["do"] },
  outputs: { type: "object", properties: { text, status: { type: "integer" } }, required: ["text"] },
  retry: { attempts: 3, backoffMs: 2000 },
  timeoutMs: 90_000,
  capabilities: {
    http: [{ host: "*", methods: ["GET", "POST"] }],
    secrets: ["token"],
    evidence: ["link"],
  },
  run: (attempt, inputs) => deeds[inputs.do](attempt, inputs),
  undo(_, inputs, outputs) {
    log.info(`undoes ${inputs.do}: ${outputs?.text ?? "nothing"}`);
    return done();
  },
});
