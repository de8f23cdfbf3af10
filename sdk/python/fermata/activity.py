"""What an activity is, and what it says about itself."""

from __future__ import annotations

import json
import typing
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from .outcome import Failure, Outcome
from .schema import read, schema_of, text_of

I = TypeVar("I")
O = TypeVar("O")
C = TypeVar("C")


@dataclass(frozen=True)
class Attempt:
    """What the engine tells one attempt about itself."""

    release: str
    """The id of the release."""
    process: str
    """The name of the process that the release runs."""
    phase: str
    """The name of the phase."""
    activity: str
    """The name of the activity within its phase."""
    number: int
    """1 for the first attempt."""
    idempotency_key: str
    """The same for every attempt and every resumption of this activity in this release.

    Hand it to the systems you call, so that asking twice does a thing once."""
    now_ms: int
    """When this run began, milliseconds since the Unix epoch."""
    stored: bytes | None
    """What :func:`pending` stored, as bytes. :meth:`checkpoint` reads it."""
    payload: str | None = None
    """The payload of the signal that ended the suspension, as JSON text. :meth:`signal` reads it."""

    @typing.overload
    def checkpoint(self) -> Any: ...

    @typing.overload
    def checkpoint(self, kind: type[C]) -> C | None: ...

    def checkpoint(self, kind: Any = None) -> Any:
        """What the last :func:`pending` of this attempt stored; ``None`` on its first run.

        Give the dataclass that was stored to get one back.
        """
        if self.stored is None:
            return None
        return decoded("checkpoint", self.stored.decode(errors="replace"), kind)

    @typing.overload
    def signal(self) -> Any: ...

    @typing.overload
    def signal(self, kind: type[C]) -> C | None: ...

    def signal(self, kind: Any = None) -> Any:
        """The payload of the signal that :func:`pending_signal` waited for; ``None`` if this run waited for none.

        Give a dataclass to get one.
        """
        if self.payload is None:
            return None
        return decoded("signal", self.payload, kind)


@dataclass(frozen=True)
class Retry:
    """When a failed attempt is tried again."""

    attempts: int
    """Attempts in all."""
    backoff: timedelta
    """Wait before the second attempt; it grows for later ones."""


@dataclass(frozen=True)
class Capabilities:
    """What an activity wants to reach. Asking grants nothing; a person does, when the component is uploaded."""

    _http: list[dict[str, Any]] = field(default_factory=list)
    _secrets: list[str] = field(default_factory=list)
    _evidence: list[str] = field(default_factory=list)

    def http(self, host: str, *methods: str) -> Capabilities:
        """Calls of ``host`` with ``methods`` (none: all).

        A host is a name, optionally ``*.example.com``, optionally with ``:port``; ``*`` stands for a host that only the
        inputs name.
        """
        self._http.append({"host": host, "methods": list(methods)})
        return self

    def secret(self, name: str) -> Capabilities:
        """Use of the secret ``name``."""
        self._secrets.append(name)
        return self

    def evidence(self, kind: str) -> Capabilities:
        """Recording of evidence of ``kind``."""
        self._evidence.append(kind)
        return self


class Activity(ABC, Generic[I, O]):
    """One unit of work that a process can use as ``NAME@VERSION``.

    ``I`` is what a process writes under ``with:``, ``O`` is what later activities can read: dataclasses, from which
    the schemas are made.
    """

    name: ClassVar[str]
    """The name in the registry: lower-case letters, digits and hyphens."""
    version: ClassVar[str]
    """``MAJOR.MINOR.PATCH``. The registry never takes other bytes under a version it has."""
    summary: ClassVar[str]
    """One sentence for people who choose an activity."""
    retry: ClassVar[Retry | None] = None
    """How often and when to try again, unless the process says otherwise. Without it there is one attempt."""
    timeout: ClassVar[timedelta | None] = None
    """Longest time of one attempt with its suspensions, unless the process says otherwise."""
    capabilities: ClassVar[Capabilities] = Capabilities()
    """What the activity wants to reach."""

    @abstractmethod
    def run(self, attempt: Attempt, inputs: I) -> Outcome[O]:
        """Does the work, or goes on with it if ``attempt.checkpoint()`` has something."""


class ReversibleActivity(Activity[I, O]):
    """An activity that can take its effect back, which makes a release that uses it able to roll back."""

    @abstractmethod
    def undo(self, attempt: Attempt, inputs: I, outputs: O | None) -> Outcome[Any]:
        """Takes the effect of :meth:`run` back.

        ``outputs`` is ``None`` if no run ever finished; it may or may not have had an effect then, so look before you
        act. Like a run, this may be suspended and must be repeatable.
        """


def types_of(kind: type[Activity[Any, Any]]) -> tuple[Any, Any]:
    """The types of inputs and outputs, as the class names them in ``Activity[I, O]``."""
    for base in getattr(kind, "__orig_bases__", ()):
        if typing.get_origin(base) in (Activity, ReversibleActivity):
            inputs, outputs = typing.get_args(base)
            return inputs, outputs
    raise TypeError(f"{kind.__name__} must name its types: class {kind.__name__}(Activity[Inputs, Outputs])")


def describe(kind: type[Activity[Any, Any]]) -> str:
    """The JSON descriptor of an activity."""
    inputs, outputs = types_of(kind)
    wanted = kind.capabilities
    descriptor: dict[str, Any] = {
        "name": kind.name,
        "version": kind.version,
        "summary": kind.summary,
        "inputs": schema_of(inputs),
        "outputs": schema_of(outputs),
        "capabilities": {"http": wanted._http, "secrets": wanted._secrets, "evidence": wanted._evidence},
    }
    if kind.retry is not None:
        descriptor["retry"] = {"attempts": kind.retry.attempts, "backoff": f"{milliseconds(kind.retry.backoff)}ms"}
    if kind.timeout is not None:
        descriptor["timeout"] = f"{milliseconds(kind.timeout)}ms"
    return text_of(descriptor)


def milliseconds(time: timedelta) -> int:
    """Whole milliseconds."""
    return max(0, round(time / timedelta(milliseconds=1)))


def decoded(what: str, text: str, kind: Any) -> Any:
    """JSON text as the type that it stands for."""
    try:
        return read(kind, json.loads(text))
    except (TypeError, ValueError) as error:
        raise Failure.permanent(f"the {what} cannot be read: {error}", code=f"invalid-{what}") from error
