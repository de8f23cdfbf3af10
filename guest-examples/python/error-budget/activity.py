"""Asks Prometheus how much of a service's error budget is left, and fails if that is too little to release."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from fermata import (
    Activity,
    Attempt,
    Capabilities,
    Failure,
    Outcome,
    Retry,
    about,
    activity,
    done,
    evidence,
    http,
    log,
)


@dataclass
class Inputs:
    url: str = about("Where Prometheus is.")
    service: str = about("The service, as the label `service` names it.")
    objective: float = about("The share of requests that have to succeed, such as 0.999.")
    window: str = about("How far back to look, as Prometheus writes it.", "30d")
    minimum: float = about("The share of the budget that has to be left.", 0.1)


@dataclass
class Outputs:
    error_ratio: float = about("The share of requests that failed.")
    remaining: float = about("The share of the budget that is left; negative if it is overspent.")


class ErrorBudget(Activity[Inputs, Outputs]):
    name = "error-budget"
    version = "1.0.0"
    summary = "Fails if too little of a service's error budget is left."
    retry = Retry(attempts=3, backoff=timedelta(seconds=5))
    capabilities = Capabilities().http("*", "GET").evidence("error-budget")

    def run(self, attempt: Attempt, inputs: Inputs) -> Outcome[Outputs]:
        if not 0 < inputs.objective < 1:
            raise Failure.permanent("`objective` must be between 0 and 1", code="invalid-inputs")
        ratio = error_ratio(inputs)
        remaining = 1 - ratio / (1 - inputs.objective)
        fact = {"service": inputs.service, "window": inputs.window, "error_ratio": ratio, "remaining": remaining}
        evidence.record("error-budget", fact)
        log.info(f"{inputs.service} has {remaining:.1%} of its error budget left")
        if remaining < inputs.minimum:
            raise Failure.permanent(
                f"{inputs.service} has {remaining:.1%} of its error budget left, {inputs.minimum:.1%} are needed",
                code="budget-exhausted",
                details=fact,
            )
        return done(Outputs(error_ratio=ratio, remaining=remaining))


def error_ratio(inputs: Inputs) -> float:
    """The share of requests that failed within the window."""
    total = f'sum(increase(http_requests_total{{service="{inputs.service}"}}[{inputs.window}]))'
    failed = f'sum(increase(http_requests_total{{service="{inputs.service}",code=~"5.."}}[{inputs.window}]))'
    query = quote(f"{failed} / {total}")
    answer = http.get(f"{inputs.url}/api/v1/query?query={query}", timeout=timedelta(seconds=30)).success().json()
    samples = answer["data"]["result"]
    if not samples:
        raise Failure.retryable(f"Prometheus knows no requests of {inputs.service}", code="no-data")
    return float(samples[0]["value"][1])


Run = activity(ErrorBudget)
