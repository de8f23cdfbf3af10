"""Checks that a page answers as it should."""

from dataclasses import dataclass
from datetime import timedelta

from fermata import Activity, Attempt, Capabilities, Failure, Outcome, Retry, about, activity, done, http, log


@dataclass
class Inputs:
    """What a process writes under ``with:``."""

    url: str = about("The page to ask for.")
    status: int = about("The status that it should answer with.", 200)


@dataclass
class Outputs:
    """What later activities can read."""

    status: int = about("The status that it answered with.")


class CheckPage(Activity[Inputs, Outputs]):
    name = "{{name}}"
    version = "1.0.0"
    summary = "Checks that a page answers as it should."
    retry = Retry(attempts=3, backoff=timedelta(seconds=5))
    capabilities = Capabilities().http("*", "GET")

    def run(self, attempt: Attempt, inputs: Inputs) -> Outcome[Outputs]:
        response = http.get(inputs.url)
        log.info(f"{inputs.url} answers {response.status}")
        if response.status != inputs.status:
            message = f"{inputs.url} answers {response.status}, not {inputs.status}"
            raise Failure.retryable(message, code="unexpected-status")
        return done(Outputs(status=response.status))


Run = activity(CheckPage)
