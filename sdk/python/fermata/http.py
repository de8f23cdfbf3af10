"""HTTP calls to the hosts that a person granted.

A 4xx or 5xx is an answer like any other until :meth:`Response.success` is asked for. Redirects are not followed.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from componentize_py_types import Err
from wit_world.imports import http as _wit

from .activity import milliseconds
from .outcome import Failure
from .schema import text_of

_EXCERPT_CHARACTERS_MAX = 300
"""Of an answer's body, as much as a failure quotes."""
_RETRYABLE_STATUSES = (408, 425, 429)
"""Statuses that are worth another attempt, beside 5xx."""
_TIMEOUT_MS_MAX = 2**32 - 1

Cause = Literal["denied", "invalid", "timeout", "unreachable", "too-large", "status", "unreadable"]
"""``status`` comes from :meth:`Response.success`, ``unreadable`` from :meth:`Response.json`."""


class HttpError(Failure):
    """Why there was no answer, or none of use. Uncaught, it is the failure of the run."""

    def __init__(
        self,
        call: str,
        cause: Cause,
        message: str,
        *,
        retryable: bool,
        status: int | None = None,
        after: timedelta | None = None,
    ) -> None:
        super().__init__(f"{call} {message}", retryable=retryable, code=f"http-{cause}", after=after)
        self.cause: Cause = cause
        self.status = status
        """The status code, if that is the cause."""


class Response:
    """An answer, of whatever status."""

    def __init__(self, call: str, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._call = call
        self.status = status
        """The status code. 4xx and 5xx are answers, not errors."""
        self.headers = headers
        """Names (lower-case) and values, in order."""
        self.body = body
        """The whole body."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def success(self) -> Response:
        """This answer if its status is 2xx; else raises an :class:`HttpError`.

        That is retryable for 408, 425, 429 and 5xx, not before the time in ``retry-after``, and permanent for the rest.
        """
        if self.is_success:
            return self
        retryable = self.status >= 500 or self.status in _RETRYABLE_STATUSES
        excerpt = " ".join(self.text()[:_EXCERPT_CHARACTERS_MAX].split())
        message = f"was answered with status {self.status}{': ' if excerpt else ''}{excerpt}"
        seconds = self.header("retry-after") or ""
        after = timedelta(seconds=int(seconds)) if retryable and seconds.isdecimal() else None
        raise HttpError(self._call, "status", message, retryable=retryable, status=self.status, after=after)

    def header(self, name: str) -> str | None:
        """The first header called ``name``, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body, read as JSON."""
        try:
            return _json.loads(self.body)
        except ValueError as error:
            message = f"was answered with unexpected content: {error}"
            raise HttpError(self._call, "unreadable", message, retryable=False) from None


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    json: Any = None,
    body: bytes | str | None = None,
    timeout: timedelta | None = None,
) -> Response:
    """Sends a request with any method, upper-case, and waits for the whole answer.

    ``json`` is sent with its content type, ``body`` as it is. ``timeout`` is the longest time until the whole answer is
    there; the engine has a limit of its own, which is the default.
    """
    sent = list(headers.items()) if isinstance(headers, Mapping) else list(headers or [])
    if json is not None:
        sent.append(("content-type", "application/json"))
        body = text_of(json)
    content = body.encode() if isinstance(body, str) else body
    timeout_ms = None if timeout is None else min(milliseconds(timeout), _TIMEOUT_MS_MAX)
    # Without the query, which may hold what nobody should read.
    call = f"{method} {url.split('?')[0].split('#')[0]}"
    try:
        answer = _wit.send(_wit.Request(method, url, sent, content, timeout_ms))
    except Err as error:
        raise _not_answered(call, error.value) from None
    return Response(call, answer.status, answer.headers, answer.body)


def _not_answered(call: str, error: _wit.Error) -> HttpError:
    match error:
        case _wit.Error_Denied(why):
            return HttpError(call, "denied", f"is not granted: {why}", retryable=False)
        case _wit.Error_Invalid(why):
            return HttpError(call, "invalid", f"is not a valid request: {why}", retryable=False)
        case _wit.Error_Timeout():
            return HttpError(call, "timeout", "was not answered in time", retryable=True)
        case _wit.Error_Unreachable(why):
            return HttpError(call, "unreachable", f"could not be sent or answered: {why}", retryable=True)
        case _:
            return HttpError(call, "too-large", f"was answered with more than {error.value} bytes", retryable=False)


def get(url: str, **options: Any) -> Response:
    """A ``GET`` request, with the options of :func:`send`."""
    return send("GET", url, **options)


def post(url: str, **options: Any) -> Response:
    """A ``POST`` request, with the options of :func:`send`."""
    return send("POST", url, **options)


def put(url: str, **options: Any) -> Response:
    """A ``PUT`` request, with the options of :func:`send`."""
    return send("PUT", url, **options)


def patch(url: str, **options: Any) -> Response:
    """A ``PATCH`` request, with the options of :func:`send`."""
    return send("PATCH", url, **options)


def delete(url: str, **options: Any) -> Response:
    """A ``DELETE`` request, with the options of :func:`send`."""
    return send("DELETE", url, **options)
