// Opens a change ticket, waits until it is approved, and withdraws it on undo.

import { Failure, done, evidence, http, log, pending, reversibleActivity, secrets } from "./fermata/fermata.js";

/** The secret that the ticket system wants to see. */
const SECRET = "ticket-token";
/** Wait between two looks at a ticket: people do not decide by the second. */
const NEXT_LOOK_MS = 60_000;

const text = (description) => ({ type: "string", description });

/** What every call of the ticket system has. */
function headers(attempt) {
  return { authorization: `Bearer ${secrets.handle(SECRET)}`, "idempotency-key": attempt.idempotencyKey };
}

function open(attempt, inputs) {
  const ticket = http
    .post(`${inputs.url}/tickets`, {
      headers: headers(attempt),
      json: { title: inputs.title, description: inputs.description ?? "", release: attempt.release },
    })
    .success()
    .json();
  log.info(`opened ${ticket.id}`);
  return pending({ id: ticket.id, looks: 0 }, NEXT_LOOK_MS, `${ticket.id} waits for approval`);
}

function look(attempt, inputs) {
  const { id, looks } = attempt.checkpoint;
  const ticket = http.get(`${inputs.url}/tickets/${encodeURIComponent(id)}`, { headers: headers(attempt) }).success().json();
  switch (ticket.state) {
    case "approved": {
      const url = ticket.url ?? `${inputs.url}/tickets/${id}`;
      evidence.record("ticket", { key: id, url, state: ticket.state, approver: ticket.approver });
      log.info(`${ticket.approver} approved ${id}`);
      return done({ id, url, approver: ticket.approver });
    }
    case "rejected":
      throw Failure.permanent(`${ticket.approver} rejected ${id}: ${ticket.comment}`)
        .code("rejected")
        .details({ id, comment: ticket.comment });
    default:
      return pending({ id, looks: looks + 1 }, NEXT_LOOK_MS, `${id} waits for approval`);
  }
}

export const { run, undo } = reversibleActivity({
  name: "change-ticket",
  version: "1.0.0",
  summary: "Opens a change ticket and waits until it is approved; undo withdraws it.",
  inputs: {
    type: "object",
    properties: {
      url: text("Where the ticket system's API is."),
      title: text("One line: what changes."),
      description: text("What whoever approves has to know."),
    },
    required: ["url", "title"],
    additionalProperties: false,
  },
  outputs: {
    type: "object",
    properties: { id: text("The ticket."), url: text("Where to read it."), approver: text("Who approved it.") },
    required: ["id", "url", "approver"],
  },
  retry: { attempts: 5, backoffMs: 2_000 },
  timeoutMs: 7 * 24 * 3_600_000,
  capabilities: {
    http: [{ host: "*", methods: ["GET", "POST"] }],
    secrets: [SECRET],
    evidence: ["ticket"],
  },

  run: (attempt, inputs) => (attempt.checkpoint === undefined ? open(attempt, inputs) : look(attempt, inputs)),

  undo(attempt, inputs, outputs) {
    if (outputs === undefined) {
      log.warn("no ticket is known: look for one that was opened and never approved");
      return done();
    }
    const response = http.post(`${inputs.url}/tickets/${encodeURIComponent(outputs.id)}/withdraw`, {
      headers: headers(attempt),
      json: { reason: `release ${attempt.release} is rolled back` },
    });
    // Somebody was faster.
    if (response.status !== 409) response.success();
    log.info(`withdrew ${outputs.id}`);
    return done();
  },
});
