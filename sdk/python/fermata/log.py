"""Lines for people who follow the release or look for the cause of a failure.

What is printed to standard output or standard error becomes such a line, too.
"""

from wit_world.imports import log as _wit


def debug(message: object) -> None:
    """For the author of the activity."""
    _wit.write(_wit.Level.DEBUG, str(message))


def info(message: object) -> None:
    """For whoever follows the release."""
    _wit.write(_wit.Level.INFO, str(message))


def warn(message: object) -> None:
    """Something to look at."""
    _wit.write(_wit.Level.WARN, str(message))


def error(message: object) -> None:
    """Something failed."""
    _wit.write(_wit.Level.ERROR, str(message))
