"""How a run ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

O = TypeVar("O")


@dataclass(frozen=True)
class Outcome(Generic[O]):
    """How a run ends, if it does not fail. :func:`done`, :func:`pending` and :func:`pending_signal` make one."""


@dataclass(frozen=True)
class Done(Outcome[O]):
    """Finished, with outputs."""

    outputs: O


@dataclass(frozen=True)
class Pending(Outcome[Any]):
    """Not finished: to be run again later, in the same attempt."""

    checkpoint: Any
    resume: timedelta | str
    """So much time, or the name of a signal."""
    status: str | None


def done(outputs: O | None = None) -> Outcome[O]:
    """Finished, with outputs: a dataclass, or a dictionary."""
    return Done({} if outputs is None else outputs)  # type: ignore[arg-type]


def pending(checkpoint: Any, after: timedelta, status: str | None = None) -> Outcome[Any]:
    """Not finished: the instance is dropped, and the activity is run again after this time with ``checkpoint``.

    So waiting for hours costs nothing and survives a crash. ``checkpoint`` is a dataclass or anything that JSON can say;
    ``status`` is shown to people meanwhile.
    """
    return Pending(checkpoint, after, status)


def pending_signal(checkpoint: Any, name: str, status: str | None = None) -> Outcome[Any]:
    """Not finished: the activity is run again when the signal ``name`` comes, with ``checkpoint`` and the payload, which
    ``attempt.signal()`` reads.

    The name is for people: lower-case letters, digits and hyphens. The timeout of the activity says how long to wait at
    most.
    """
    return Pending(checkpoint, name, status)


class Failure(Exception):
    """Why a run failed, and whether another attempt may help. Raise it.

    Any other exception is a crash of the activity: its traceback ends in the log, and the attempt fails.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool,
        code: str | None = None,
        details: Any = None,
        after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.is_retryable = retryable
        self.code = code
        self.details = details
        self.after = after

    @classmethod
    def retryable(
        cls, message: str, *, code: str | None = None, details: Any = None, after: timedelta | None = None
    ) -> Failure:
        """Another attempt may help, not before ``after`` if that is given.

        ``message`` is one sentence: what happened, and to what. ``code`` is short and stable: a process can branch on
        it. ``details`` is anything else that helps to find the cause.
        """
        return Failure(message, retryable=True, code=code, details=details, after=after)

    @classmethod
    def permanent(cls, message: str, *, code: str | None = None, details: Any = None) -> Failure:
        """No further attempt with the same inputs will help."""
        return Failure(message, retryable=False, code=code, details=details)
