"""Typed facts that become part of the release's record."""

from __future__ import annotations

from typing import Any

from componentize_py_types import Err
from wit_world.imports import evidence as _wit

from .outcome import Failure
from .schema import text_of


def record(kind: str, fact: Any) -> None:
    """Records a fact, a dataclass or a dictionary.

    ``kind`` is ``commit``, ``artifact``, ``test-report``, ``ticket``, ``deployment``, ``scan``, ``link``, … Raises a
    :class:`Failure` with the code ``evidence`` if it was not recorded.
    """
    try:
        _wit.record(kind, text_of(fact))
    except Err as error:
        raise _not_recorded(error.value) from None


def attach(name: str, media_type: str, content: bytes | str) -> str:
    """Keeps bytes (or text) with the record and returns their digest, for use in a fact."""
    try:
        return _wit.attach(name, media_type, content.encode() if isinstance(content, str) else content)
    except Err as error:
        raise _not_recorded(error.value) from None


def deployment(
    service: str, environment: str, version: str, *, previous: str | None = None, url: str | None = None
) -> None:
    """The fact that ``version`` of ``service`` now runs in ``environment``."""
    fact = {"service": service, "environment": environment, "version": version, "previous": previous, "url": url}
    record("deployment", {name: value for name, value in fact.items() if value is not None})


def _not_recorded(why: str) -> Failure:
    return Failure.permanent(f"the evidence was not recorded: {why}", code="evidence")
