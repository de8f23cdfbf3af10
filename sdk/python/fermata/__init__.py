"""Write Fermata activities in Python: the thin layer over the contract in wit/activity.wit.

An activity is a class::

    @dataclass
    class Inputs:
        service: str = about("The service to restart.")

    @dataclass
    class Outputs:
        pods: int

    class Restart(Activity[Inputs, Outputs]):
        name = "restart"
        version = "1.0.0"
        summary = "Restarts every pod of a service."
        capabilities = Capabilities().http("platform.example.com", "POST")

        def run(self, attempt: Attempt, inputs: Inputs) -> Outcome[Outputs]:
            answer = http.post(
                f"https://platform.example.com/restart/{inputs.service}",
                headers={"idempotency-key": attempt.idempotency_key},
            ).success().json()
            log.info(f"{inputs.service} restarts")
            return done(Outputs(pods=answer["pods"]))

    Run = activity(Restart)
"""

from . import evidence, http, log, progress, secrets
from .activity import Activity, Attempt, Capabilities, ReversibleActivity, Retry
from .exports import activity, reversible_activity
from .outcome import Failure, Outcome, done, pending, pending_signal
from .schema import about

__all__ = [
    "Activity",
    "Attempt",
    "Capabilities",
    "Failure",
    "Outcome",
    "Retry",
    "ReversibleActivity",
    "about",
    "activity",
    "done",
    "evidence",
    "http",
    "log",
    "pending",
    "pending_signal",
    "progress",
    "reversible_activity",
    "secrets",
]
