"""How far a run is: shown live, never stored."""

from __future__ import annotations

from wit_world.imports import progress as _wit


def report(percent: int | None, message: str) -> None:
    """Says what the run is doing now, and how far it is (0 to 100; ``None`` if it does not know)."""
    _wit.report(None if percent is None else min(100, max(0, round(percent))), message)
