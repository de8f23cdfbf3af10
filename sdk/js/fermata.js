// Write Fermata activities in JavaScript or TypeScript: the thin layer over the contract in wit/activity.wit.
// The types, and what everything means, are in fermata.d.ts.

import logImport from "fermata:activity/log@0.1.0";
import progressImport from "fermata:activity/progress@0.1.0";
import httpImport from "fermata:activity/http@0.1.0";
import secretsImport from "fermata:activity/secrets@0.1.0";
import evidenceImport from "fermata:activity/evidence@0.1.0";

/** Of an answer's body, as much as a failure quotes. */
const EXCERPT_CHARACTERS_MAX = 300;
/** Statuses that are worth another attempt, beside 5xx. */
const RETRYABLE_STATUSES = [408, 425, 429];

// ---- Text. The engine inside has no TextEncoder.

/** Characters that are put together at once: `String.fromCharCode` takes its arguments from the stack. */
const CHUNK_CHARACTERS = 4096;
const REPLACEMENT = 0xfffd;

export const utf8 = {
  encode(text) {
    const bytes = new Uint8Array(text.length * 3);
    let at = 0;
    for (let index = 0; index < text.length; index += 1) {
      let code = text.charCodeAt(index);
      if (code < 0x80) {
        bytes[at++] = code;
        continue;
      }
      if (code >= 0xd800 && code < 0xe000) {
        code = text.codePointAt(index);
        if (code >= 0x10000) index += 1;
        else code = REPLACEMENT;
      }
      if (code < 0x800) {
        bytes[at++] = 0xc0 | (code >> 6);
      } else {
        if (code < 0x10000) {
          bytes[at++] = 0xe0 | (code >> 12);
        } else {
          bytes[at++] = 0xf0 | (code >> 18);
          bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
        }
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      }
      bytes[at++] = 0x80 | (code & 0x3f);
    }
    return bytes.slice(0, at);
  },

  decode(bytes) {
    const parts = [];
    let units = [];
    let at = 0;
    while (at < bytes.length) {
      const first = bytes[at];
      let code = first;
      let length = 1;
      if (first >= 0x80) {
        [code, length] = sequence(bytes, at);
      }
      at += length;
      if (code >= 0x10000) {
        units.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
      } else {
        units.push(code);
      }
      if (units.length >= CHUNK_CHARACTERS) {
        parts.push(String.fromCharCode.apply(null, units));
        units = [];
      }
    }
    parts.push(String.fromCharCode.apply(null, units));
    return parts.join("");
  },
};

/** The code point of the sequence that begins at `at`, and its length; what is no UTF-8 is replaced. */
function sequence(bytes, at) {
  const first = bytes[at];
  const length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
  if (length === 0) return [REPLACEMENT, 1];
  let code = first & (0x7f >> length);
  for (let index = 1; index < length; index += 1) {
    const next = bytes[at + index];
    if ((next & 0xc0) !== 0x80) return [REPLACEMENT, index];
    code = (code << 6) | (next & 0x3f);
  }
  const least = [0, 0, 0x80, 0x800, 0x10000][length];
  const surrogate = code >= 0xd800 && code < 0xe000;
  return code < least || code > 0x10ffff || surrogate ? [REPLACEMENT, length] : [code, length];
}

function asBytes(list) {
  return list instanceof Uint8Array ? list : Uint8Array.from(list);
}

// ---- How a run ends.

export function done(outputs = {}) {
  return { tag: "succeeded", outputs };
}

export function pending(checkpoint, afterMs, status) {
  return { tag: "pending", checkpoint, resume: { tag: "after-ms", val: milliseconds(afterMs) }, status };
}

export function pendingSignal(checkpoint, name, status) {
  return { tag: "pending", checkpoint, resume: { tag: "signal", val: name }, status };
}

export class Failure extends Error {
  #code;
  #details;
  #retryable;
  #afterMs;

  constructor(message, retryable) {
    super(message);
    this.name = "Failure";
    this.#retryable = retryable;
  }

  static retryable(message) {
    return new Failure(message, true);
  }

  static permanent(message) {
    return new Failure(message, false);
  }

  code(code) {
    this.#code = code;
    return this;
  }

  details(details) {
    this.#details = details;
    return this;
  }

  after(delayMs) {
    this.#afterMs = delayMs;
    return this;
  }

  get isRetryable() {
    return this.#retryable;
  }

  get codeGiven() {
    return this.#code;
  }

  /** As the contract has it. */
  toWit() {
    const details = this.#details === undefined ? undefined : JSON.stringify(this.#details);
    const reason = { message: this.message, code: this.#code ?? null, details: details ?? null };
    if (!this.#retryable) return { tag: "permanent", val: reason };
    return { tag: "retryable", val: [reason, this.#afterMs === undefined ? null : milliseconds(this.#afterMs)] };
  }
}

/** A whole number: 64-bit numbers of the contract are Numbers here, and no BigInt. */
function milliseconds(time) {
  return Math.max(0, Math.round(time));
}

// ---- What an activity can do.

export const log = {
  debug: (...parts) => logImport.write("debug", line(parts)),
  info: (...parts) => logImport.write("info", line(parts)),
  warn: (...parts) => logImport.write("warn", line(parts)),
  error: (...parts) => logImport.write("error", line(parts)),
};

function line(parts) {
  return parts.map(shown).join(" ");
}

function shown(part) {
  if (typeof part === "string") return part;
  if (part instanceof Error) return part.stack ? `${part}\n${part.stack}`.trimEnd() : String(part);
  try {
    return JSON.stringify(part) ?? String(part);
  } catch {
    return String(part);
  }
}

// What libraries print is a line of the log like any other.
globalThis.console = { ...globalThis.console, ...log, log: log.info, trace: log.debug };

export const progress = {
  report(percent, message) {
    const unknown = percent === null || percent === undefined;
    progressImport.report(unknown ? null : Math.min(100, Math.max(0, Math.round(percent))), message);
  },
};

/** Calls an import; what it throws as `payload` becomes what `failure` makes of it. */
function called(call, failure) {
  try {
    return call();
  } catch (thrown) {
    if (thrown === null || typeof thrown !== "object" || !("payload" in thrown)) throw thrown;
    throw failure(thrown.payload);
  }
}

export const secrets = {
  handle(name) {
    return called(
      () => secretsImport.handle(name),
      ({ tag, val }) =>
        tag === "denied"
          ? Failure.permanent(`a secret is not granted: ${val}`).code("secret-denied")
          : Failure.permanent(`there is no secret \`${val}\``).code("secret-unknown"),
    );
  },
};

function notRecorded(why) {
  return Failure.permanent(`the evidence was not recorded: ${why}`).code("evidence");
}

export const evidence = {
  record(kind, fact) {
    called(() => evidenceImport.record(kind, JSON.stringify(fact)), notRecorded);
  },

  attach(name, mediaType, bytes) {
    const content = typeof bytes === "string" ? utf8.encode(bytes) : bytes;
    return called(() => evidenceImport.attach(name, mediaType, content), notRecorded);
  },

  deployment(service, environment, version, { previous, url } = {}) {
    this.record("deployment", { service, environment, version, previous, url });
  },
};

// ---- HTTP.

export class HttpError extends Failure {
  constructor(call, cause, message, retryable, code) {
    super(`${call} ${message}`, retryable);
    this.name = "HttpError";
    this.cause = cause;
    this.code(`http-${code ?? cause}`);
  }
}

/** What was called, for messages: without the query, which may hold what nobody should read. */
function callOf(method, url) {
  return `${method} ${url.split(/[?#]/, 1)[0]}`;
}

function notAnswered(call, { tag, val }) {
  switch (tag) {
    case "denied":
      return new HttpError(call, tag, `is not granted: ${val}`, false);
    case "invalid":
      return new HttpError(call, tag, `is not a valid request: ${val}`, false);
    case "timeout":
      return new HttpError(call, tag, "was not answered in time", true);
    case "unreachable":
      return new HttpError(call, tag, `could not be sent or answered: ${val}`, true);
    default:
      return new HttpError(call, tag, `was answered with more than ${val} bytes`, false);
  }
}

class Response {
  #call;

  constructor(call, { status, headers, body }) {
    this.#call = call;
    this.status = status;
    this.headers = headers;
    this.body = asBytes(body);
  }

  get isSuccess() {
    return this.status >= 200 && this.status < 300;
  }

  success() {
    if (this.isSuccess) return this;
    const retryable = this.status >= 500 || RETRYABLE_STATUSES.includes(this.status);
    const excerpt = this.text().slice(0, EXCERPT_CHARACTERS_MAX).split(/\s+/).join(" ").trim();
    const body = excerpt === "" ? "" : `: ${excerpt}`;
    const error = new HttpError(this.#call, "status", `was answered with status ${this.status}${body}`, retryable);
    error.status = this.status;
    const seconds = this.header("retry-after");
    if (retryable && seconds !== undefined && /^\d+$/.test(seconds)) error.after(Number(seconds) * 1000);
    throw error;
  }

  header(name) {
    const wanted = name.toLowerCase();
    return this.headers.find(([key]) => key.toLowerCase() === wanted)?.[1];
  }

  text() {
    return utf8.decode(this.body);
  }

  json() {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      throw new HttpError(this.#call, "unreadable", `was answered with unexpected content: ${error.message}`, false);
    }
  }
}

function send(method, url, { headers = {}, json, body, timeoutMs } = {}) {
  const sent = Array.isArray(headers) ? [...headers] : Object.entries(headers);
  let content = body === undefined ? null : body;
  if (json !== undefined) {
    sent.push(["content-type", "application/json"]);
    content = JSON.stringify(json);
  }
  if (typeof content === "string") content = utf8.encode(content);
  const request = {
    method,
    url,
    headers: sent.map(([name, value]) => [name, String(value)]),
    body: content,
    timeoutMs: timeoutMs === undefined ? null : milliseconds(timeoutMs),
  };
  const call = callOf(method, url);
  return new Response(call, called(() => httpImport.send(request), (error) => notAnswered(call, error)));
}

export const http = {
  send,
  get: (url, options) => send("GET", url, options),
  post: (url, options) => send("POST", url, options),
  put: (url, options) => send("PUT", url, options),
  patch: (url, options) => send("PATCH", url, options),
  delete: (url, options) => send("DELETE", url, options),
};

// ---- Exports.

/** The attempt, with its checkpoint read. */
function attemptOf(wit) {
  const { release, process, phase, activity, number, idempotencyKey, nowMs } = wit;
  const stored = wit.checkpoint ?? undefined;
  const checkpoint = stored === undefined ? undefined : parsed("checkpoint", utf8.decode(asBytes(stored)));
  const payload = wit.signal ?? undefined;
  const signal = payload === undefined ? undefined : parsed("signal", payload);
  return { release, process, phase, activity, number, idempotencyKey, nowMs, checkpoint, signal };
}

function parsed(what, text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw Failure.permanent(`the ${what} cannot be read: ${error.message}`).code(`invalid-${what}`);
  }
}

function told(outcome) {
  if (outcome?.tag === "succeeded") return { tag: "succeeded", val: JSON.stringify(outcome.outputs) };
  if (outcome?.tag !== "pending") {
    throw Failure.permanent("the activity returned neither done(…) nor pending(…)").code("invalid-outcome");
  }
  const { checkpoint, resume, status } = outcome;
  const stored = utf8.encode(JSON.stringify(checkpoint ?? null));
  return { tag: "pending", val: { checkpoint: stored, resume, status: status ?? null } };
}

/** Runs `work`, and throws a failure as the contract has it. Any other error ends the run as a crash. */
function exported(work) {
  try {
    return told(work());
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown.toWit();
    logImport.write("error", panicked(thrown));
    throw thrown;
  }
}

/** The line by which the engine knows why a run crashed. */
function panicked(thrown) {
  const frame = /at (.+)/.exec(thrown?.stack ?? "");
  return `panicked at ${frame === null ? "an unknown place" : frame[1]}: ${thrown}`;
}

function described({ name, version, summary, inputs, outputs, retry, timeoutMs, capabilities = {} }) {
  const { http: hosts = [], secrets: names = [], evidence: kinds = [] } = capabilities;
  const descriptor = { name, version, summary, inputs, outputs, capabilities: { http: hosts, secrets: names, evidence: kinds } };
  if (retry !== undefined) {
    descriptor.retry = { attempts: retry.attempts, backoff: `${milliseconds(retry.backoffMs)}ms` };
  }
  if (timeoutMs !== undefined) descriptor.timeout = `${milliseconds(timeoutMs)}ms`;
  return JSON.stringify(descriptor);
}

export function activity(definition) {
  return {
    run: {
      describe: () => described(definition),
      run: (attempt, inputs) => exported(() => definition.run(attemptOf(attempt), parsed("inputs", inputs))),
    },
  };
}

export function reversibleActivity(definition) {
  return {
    ...activity(definition),
    undo: {
      undo(attempt, inputs, outputs) {
        const returned = outputs === null || outputs === undefined ? undefined : outputs;
        return exported(() =>
          definition.undo(
            attemptOf(attempt),
            parsed("inputs", inputs),
            returned === undefined ? undefined : parsed("outputs", returned),
          ),
        );
      },
    },
  };
}
