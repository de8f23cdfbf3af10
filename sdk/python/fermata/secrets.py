"""Secrets that an activity may use but never see."""

from componentize_py_types import Err
from wit_world.imports import secrets as _wit

from .outcome import Failure


def handle(name: str) -> str:
    """An opaque stand-in, to be put into header values or bodies.

    The host replaces it in requests to the hosts that the grant names, and nowhere else. Raises a :class:`Failure` with
    the code ``secret-denied`` or ``secret-unknown``.
    """
    try:
        return _wit.handle(name)
    except Err as error:
        cause = error.value
    if isinstance(cause, _wit.Error_Denied):
        raise Failure.permanent(f"a secret is not granted: {cause.value}", code="secret-denied")
    raise Failure.permanent(f"there is no secret `{cause.value}`", code="secret-unknown")
