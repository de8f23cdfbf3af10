"""What the engine calls."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any

import wit_world.exports
from componentize_py_types import Err
from wit_world.imports import types as _wit

from . import log
from .activity import Activity, Attempt, ReversibleActivity, decoded, describe, milliseconds, types_of
from .outcome import Done, Failure, Outcome, Pending
from .schema import text_of


def activity(kind: type[Activity[Any, Any]]) -> type:
    """What to export for the world ``activity``: ``Run = activity(MyActivity)``."""
    inputs_type, _ = types_of(kind)

    class Run(wit_world.exports.Run):
        def describe(self) -> str:
            return describe(kind)

        def run(self, attempt: _wit.Attempt, inputs: str) -> _wit.Outcome:
            return _exported(lambda: kind().run(_attempt(attempt), decoded("inputs", inputs, inputs_type)))

    return Run


def reversible_activity(kind: type[ReversibleActivity[Any, Any]]) -> tuple[type, type]:
    """What to export for the world ``reversible-activity``: ``Run, Undo = reversible_activity(MyActivity)``."""
    inputs_type, outputs_type = types_of(kind)

    class Undo(wit_world.exports.Undo):
        def undo(self, attempt: _wit.Attempt, inputs: str, outputs: str | None) -> _wit.Outcome:
            def work() -> Outcome[Any]:
                returned = None if outputs is None else decoded("outputs", outputs, outputs_type)
                return kind().undo(_attempt(attempt), decoded("inputs", inputs, inputs_type), returned)

            return _exported(work)

    return activity(kind), Undo


def _attempt(wit: _wit.Attempt) -> Attempt:
    return Attempt(
        release=wit.release,
        process=wit.process,
        phase=wit.phase,
        activity=wit.activity,
        number=wit.number,
        idempotency_key=wit.idempotency_key,
        now_ms=wit.now_ms,
        stored=wit.checkpoint,
        payload=wit.signal,
    )


def _exported(work: Callable[[], Outcome[Any]]) -> _wit.Outcome:
    """Runs ``work``, and raises a failure as the contract has it. Any other exception ends the run as a crash."""
    try:
        return _told(work())
    except Failure as failure:
        raise Err(_failure(failure)) from None
    except BaseException as error:
        log.error(_panicked(error))
        raise
    finally:
        # Nothing else writes out what was printed: the instance is dropped, the process never ends.
        sys.stdout.flush()


def _panicked(error: BaseException) -> str:
    """The line by which the engine knows why a run crashed; the traceback is printed anyhow."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"panicked at {frame.filename}:{frame.lineno}: {type(error).__name__}: {error}"


def _told(outcome: Outcome[Any]) -> _wit.Outcome:
    match outcome:
        case Done(outputs):
            return _wit.Outcome_Succeeded(text_of(outputs))
        case Pending(checkpoint, until, status):
            resume = _wit.Resume_Signal(until) if isinstance(until, str) else _wit.Resume_AfterMs(milliseconds(until))
            return _wit.Outcome_Pending(_wit.Pending(text_of(checkpoint).encode(), resume, status))
        case _:
            raise Failure.permanent(
                "the activity returned neither done(…) nor pending(…)", code="invalid-outcome"
            )


def _failure(failure: Failure) -> _wit.Failure:
    details = None if failure.details is None else text_of(failure.details)
    reason = _wit.Reason(failure.message, failure.code, details)
    if failure.is_retryable:
        return _wit.Failure_Retryable((reason, None if failure.after is None else milliseconds(failure.after)))
    return _wit.Failure_Permanent(reason)
