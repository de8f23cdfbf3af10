/** Write Fermata activities in JavaScript or TypeScript: the thin layer over the contract in wit/activity.wit. */

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON Schema, draft 2020-12. */
export type Schema = { readonly [keyword: string]: unknown };

/** What the engine tells one attempt about itself. `C` is what {@link pending} stored. */
export interface Attempt<C = Json> {
  /** The id of the release. */
  readonly release: string;
  /** The name of the process that the release runs. */
  readonly process: string;
  /** The name of the phase. */
  readonly phase: string;
  /** The name of the activity within its phase. */
  readonly activity: string;
  /** 1 for the first attempt. */
  readonly number: number;
  /**
   * The same for every attempt and every resumption of this activity in this release. Hand it to the systems you call,
   * so that asking twice does a thing once.
   */
  readonly idempotencyKey: string;
  /** When this run began, milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** What the last {@link pending} of this attempt stored; absent on its first run. */
  readonly checkpoint?: C;
  /** The payload of the signal that {@link pendingSignal} waited for. */
  readonly signal?: Json;
}

/** How a run ends, if it does not fail. {@link done} and {@link pending} make one. */
export interface Outcome<O> {
  readonly tag: "succeeded" | "pending";
  /** Only there so that the compiler can tell outcomes apart. */
  readonly outputs?: O;
}

/** Finished, with outputs. */
export function done<O extends object = {}>(outputs?: O): Outcome<O>;

/**
 * Not finished: the instance is dropped, and the activity is run again after this many milliseconds with `checkpoint`,
 * so that waiting for hours costs nothing and survives a crash. `checkpoint` is anything that JSON can say; `status` is
 * shown to people meanwhile.
 */
export function pending(checkpoint: unknown, afterMs: number, status?: string): Outcome<never>;

/**
 * Not finished: the activity is run again when the signal with this name comes, with `checkpoint`, and with the payload as
 * `attempt.signal`. The name is for people: lower-case letters, digits and hyphens. The timeout of the activity covers the wait.
 */
export function pendingSignal(checkpoint: unknown, name: string, status?: string): Outcome<never>;

/**
 * Why a run failed, and whether another attempt may help. Throw it.
 *
 * Any other error that is thrown is a crash of the activity: it ends in the log, and the attempt fails.
 */
export class Failure extends Error {
  protected constructor(message: string, retryable: boolean);
  /** Another attempt may help. `message` is one sentence: what happened, and to what. */
  static retryable(message: string): Failure;
  /** No further attempt with the same inputs will help. `message` is one sentence: what happened, and to what. */
  static permanent(message: string): Failure;
  /** A short stable code that a process can branch on. */
  code(code: string): this;
  /** Anything else that helps to find the cause. */
  details(details: unknown): this;
  /** Not before this many milliseconds have passed, if there is another attempt. */
  after(delayMs: number): this;
  /** Whether another attempt may help. */
  readonly isRetryable: boolean;
  /** The code, if one was given. */
  readonly codeGiven: string | undefined;
}

/** What an activity wants to reach. A person grants it, or not, when the component is uploaded. */
export interface Capabilities {
  /**
   * Calls of a host with methods (empty: all). A host is a name, optionally `*.example.com`, optionally with `:port`;
   * `*` stands for a host that only the inputs name.
   */
  http?: { host: string; methods: string[] }[];
  /** Names of secrets. */
  secrets?: string[];
  /** Kinds of evidence. */
  evidence?: string[];
}

/** One unit of work that a process can use as `NAME@VERSION`. */
export interface Activity<I, O extends object, C = Json> {
  /** The name in the registry: lower-case letters, digits and hyphens. */
  name: string;
  /** The version, `MAJOR.MINOR.PATCH`. The registry never takes other bytes under a version it has. */
  version: string;
  /** One sentence for people who choose an activity. */
  summary: string;
  /** What a process writes under `with:`. Checked when a process is saved and before every run. */
  inputs: Schema;
  /** What later activities can read: the schema of an object. */
  outputs: Schema;
  /** How often and when to try again, unless the process says otherwise. Without it there is one attempt. */
  retry?: { attempts: number; backoffMs: number };
  /** Longest time of one attempt with its suspensions, unless the process says otherwise. */
  timeoutMs?: number;
  /** What the activity wants to reach. Asking grants nothing. */
  capabilities?: Capabilities;
  /** Does the work, or goes on with it if `attempt.checkpoint` has something. */
  run(attempt: Attempt<C>, inputs: I): Outcome<O>;
}

/** An activity that can take its effect back, which makes a release that uses it able to roll back. */
export interface ReversibleActivity<I, O extends object, C = Json> extends Activity<I, O, C> {
  /**
   * Takes the effect of `run` back. `outputs` is absent if no run ever finished; it may or may not have had an effect
   * then, so look before you act. Like a run, this may be suspended and must be repeatable.
   */
  undo(attempt: Attempt<C>, inputs: I, outputs: O | undefined): Outcome<{}>;
}

/** Opaque: what the engine calls. */
export interface Exports {
  readonly [name: string]: unknown;
}

/** What to export for the world `activity`: `export const { run } = activity({ … })`. */
export function activity<I, O extends object, C = Json>(definition: Activity<I, O, C>): { run: Exports };

/** What to export for the world `reversible-activity`: `export const { run, undo } = reversibleActivity({ … })`. */
export function reversibleActivity<I, O extends object, C = Json>(
  definition: ReversibleActivity<I, O, C>,
): { run: Exports; undo: Exports };

/** Lines for people who follow the release or look for the cause of a failure. `console` writes here, too. */
export const log: {
  /** For the author of the activity. */
  debug(...parts: unknown[]): void;
  /** For whoever follows the release. */
  info(...parts: unknown[]): void;
  /** Something to look at. */
  warn(...parts: unknown[]): void;
  /** Something failed. */
  error(...parts: unknown[]): void;
};

/** How far a run is: shown live, never stored. */
export const progress: {
  /** Says what the run is doing now, and how far it is (0 to 100; `undefined` if it does not know). */
  report(percent: number | undefined, message: string): void;
};

/** Secrets that an activity may use but never see. */
export const secrets: {
  /**
   * An opaque stand-in, to be put into header values or bodies. The host replaces it in requests to the hosts that the
   * grant names, and nowhere else. Throws a {@link Failure} with the code `secret-denied` or `secret-unknown`.
   */
  handle(name: string): string;
};

/** Typed facts that become part of the release's record. Throws a {@link Failure} with the code `evidence`. */
export const evidence: {
  /** Records a fact. `kind` is `commit`, `artifact`, `test-report`, `ticket`, `deployment`, `scan`, `link`, … */
  record(kind: string, fact: object): void;
  /** Keeps bytes (or text) with the record and returns their digest, for use in a fact. */
  attach(name: string, mediaType: string, bytes: Uint8Array | string): string;
  /** The fact that `version` of `service` now runs in `environment`. */
  deployment(service: string, environment: string, version: string, more?: { previous?: string; url?: string }): void;
};

/** What a request has beside its method and URL. */
export interface RequestOptions {
  /** Names and values; `host` and `content-length` are set by the host. */
  headers?: Record<string, string | number> | [string, string][];
  /** Sent as JSON, with its content type. */
  json?: unknown;
  /** Sent as it is; text as UTF-8. */
  body?: Uint8Array | string;
  /** Longest time until the whole answer is there. The engine has a limit of its own, which is the default. */
  timeoutMs?: number;
}

/** An answer, of whatever status. */
export interface Response {
  /** The status code. 4xx and 5xx are answers, not errors. Redirects are not followed. */
  readonly status: number;
  /** Names (lower-case) and values, in order. */
  readonly headers: [string, string][];
  /** The whole body. */
  readonly body: Uint8Array;
  /** Whether the status is 2xx. */
  readonly isSuccess: boolean;
  /**
   * This answer if its status is 2xx; else throws an {@link HttpError}, which is retryable for 408, 425, 429 and 5xx, not
   * before the time in `retry-after`, and permanent for the rest.
   */
  success(): Response;
  /** The first header called `name`, in any case. */
  header(name: string): string | undefined;
  /** The body as text; what is not UTF-8 is replaced. */
  text(): string;
  /** The body, read as JSON. */
  json(): any;
}

/** Why there was no answer, or none of use. Uncaught, it is the failure of the run. */
export class HttpError extends Failure {
  /** `status` comes from {@link Response.success}, `unreadable` from {@link Response.json}. */
  readonly cause: "denied" | "invalid" | "timeout" | "unreachable" | "too-large" | "status" | "unreadable";
  /** The status code, if that is the cause. */
  readonly status?: number;
}

/** HTTP calls to the hosts that a person granted. They wait for the whole answer and throw {@link HttpError}. */
export const http: {
  /** A request with any method, upper-case. */
  send(method: string, url: string, options?: RequestOptions): Response;
  get(url: string, options?: RequestOptions): Response;
  post(url: string, options?: RequestOptions): Response;
  put(url: string, options?: RequestOptions): Response;
  patch(url: string, options?: RequestOptions): Response;
  delete(url: string, options?: RequestOptions): Response;
};

/** Text as bytes and back: the engine inside has no TextEncoder. */
export const utf8: {
  encode(text: string): Uint8Array;
  /** What is not UTF-8 is replaced by U+FFFD. */
  decode(bytes: Uint8Array): string;
};
