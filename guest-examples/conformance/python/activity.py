"""The conformance activity in Python."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from fermata import (
    Attempt,
    Capabilities,
    Failure,
    Outcome,
    Retry,
    ReversibleActivity,
    about,
    done,
    evidence,
    http,
    log,
    pending,
    pending_signal,
    progress,
    reversible_activity,
    secrets,
)


@dataclass
class Inputs:
    do: str = about("What to do.")
    text: str = ""
    url: str = ""


@dataclass
class Outputs:
    text: str
    status: int = 0


@dataclass
class Checkpoint:
    count: int
    text: str


Done = Outcome[Outputs]


def echo(_: Attempt, inputs: Inputs) -> Done:
    return done(Outputs(inputs.text))


def attempt(attempt: Attempt, _: Inputs) -> Done:
    parts = [attempt.release, attempt.process, attempt.phase, attempt.activity, attempt.number]
    return done(Outputs("|".join(map(str, [*parts, attempt.idempotency_key, attempt.now_ms]))))


def retryable(_: Attempt, inputs: Inputs) -> Done:
    after = timedelta(milliseconds=1500)
    raise Failure.retryable(inputs.text, code="busy", details={"text": inputs.text}, after=after)


def permanent(_: Attempt, inputs: Inputs) -> Done:
    raise Failure.permanent(inputs.text, code="wrong")


def count(attempt: Attempt, inputs: Inputs) -> Done:
    checkpoint = attempt.checkpoint(Checkpoint) or Checkpoint(0, "")
    if checkpoint.count == 2:
        return done(Outputs(f"{checkpoint.count} {checkpoint.text}"))
    following = Checkpoint(checkpoint.count + 1, inputs.text)
    return pending(following, timedelta(seconds=2), f"counting {following.count}")


@dataclass
class Approval:
    by: str


def signal(attempt: Attempt, inputs: Inputs) -> Done:
    approval, checkpoint = attempt.signal(Approval), attempt.checkpoint(Checkpoint)
    if approval and checkpoint:
        return done(Outputs(f"{checkpoint.text} {approval.by}"))
    return pending_signal(Checkpoint(1, inputs.text), "approved", "waits")


def call(_: Attempt, inputs: Inputs) -> Done:
    headers = {"x-text": "a"}
    response = http.post(inputs.url, headers=headers, json={"text": inputs.text}, timeout=timedelta(seconds=5)).success()
    return done(Outputs(response.json()["text"], response.status))


def status(_: Attempt, inputs: Inputs) -> Done:
    response = http.get(inputs.url)
    return done(Outputs(response.header("X-Answer") or "none", response.status))


def secret(_: Attempt, inputs: Inputs) -> Done:
    response = http.get(inputs.url, headers={"authorization": secrets.handle(inputs.text)}).success()
    return done(Outputs(response.text()))


def record(_: Attempt, inputs: Inputs) -> Done:
    evidence.record("link", {"url": inputs.url, "title": inputs.text})
    return done(Outputs("recorded"))


def attach(_: Attempt, inputs: Inputs) -> Done:
    return done(Outputs(evidence.attach("report.txt", "text/plain", inputs.text)))


def write(_: Attempt, inputs: Inputs) -> Done:
    log.debug(f"debug {inputs.text}")
    log.info(f"info {inputs.text}")
    log.warn(f"warn {inputs.text}")
    log.error(f"error {inputs.text}")
    print(f"printed {inputs.text}")
    progress.report(40, inputs.text)
    return done(Outputs("logged"))


def crash(_: Attempt, inputs: Inputs) -> Done:
    raise TypeError(inputs.text)


DEEDS: dict[str, Callable[[Attempt, Inputs], Done]] = {
    "echo": echo,
    "attempt": attempt,
    "retryable": retryable,
    "permanent": permanent,
    "count": count,
    "signal": signal,
    "call": call,
    "status": status,
    "secret": secret,
    "evidence": record,
    "attach": attach,
    "log": write,
    "crash": crash,
}


class Conformance(ReversibleActivity[Inputs, Outputs]):
    name = "sdk-python"
    version = "1.0.0"
    summary = "Does what it is told, for tests."
    retry = Retry(attempts=3, backoff=timedelta(seconds=2))
    timeout = timedelta(seconds=90)
    capabilities = Capabilities().http("*", "GET", "POST").secret("token").evidence("link")

    def run(self, attempt: Attempt, inputs: Inputs) -> Done:
        return DEEDS[inputs.do](attempt, inputs)

    def undo(self, attempt: Attempt, inputs: Inputs, outputs: Outputs | None) -> Outcome[dict[str, str]]:
        log.info(f"undoes {inputs.do}: {outputs.text if outputs else 'nothing'}")
        return done()


Run, Undo = reversible_activity(Conformance)
