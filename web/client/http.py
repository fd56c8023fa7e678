"""How the Python client asks: keys, errors, and what is sent again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import requests

TRY_LATER = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""Nothing was done, whatever was asked: it may be asked again when the server says so."""

OF_THE_WAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What a proxy answers for a server that does not; a GET may be sent again."""

PAUSE = 0.25
"""Seconds before a GET is sent again; twice as long each time."""


class ApiError(Exception):
    """A server's error.

    Attributes
    ----------
    status : int
        The HTTP status.
    code : str
        For programs: ``listing_not_found``, say.
    message, hint : str
        What is wrong, and what to do about it.
    retry_after : float or None
        Seconds after which to try again, where the server says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "error",
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{message} {hint}".strip())
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.retry_after = retry_after


class Unreachable(ApiError):
    """The server did not answer, or not in time. Its ``status`` is 0."""


class Bearer(requests.auth.AuthBase):
    """Sends a key; unlike a plain header, no entry of a .netrc file takes its place."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Http:
    """Requests under one address.

    Parameters
    ----------
    base : str
        What all paths are under.
    key : str or None
        The key to send.
    timeout : float
        Seconds to wait for an answer, and the longest Retry-After that is waited for.
    retries : int
        How often one request is sent again at most.
    session : requests.Session, optional
        What sends them.
    wait : callable, optional
        What waits for some seconds.
    """

    def __init__(
        self,
        base: str,
        key: str | None,
        timeout: float,
        retries: int,
        *,
        session: requests.Session | None = None,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base = base
        self._timeout = timeout
        self._retries = retries
        self._session = session or requests.Session()
        self._session.headers["Accept"] = "application/json"
        self._auth = None if key is None else Bearer(key)
        self._wait = wait

    def close(self) -> None:
        """Close what is open."""
        self._session.close()

    def json(self, method: str, path: str, **body: Any) -> Any:
        """Return the JSON that a request is answered with."""
        response = self._answered(method, path, **body)
        try:
            return response.json()
        except requests.JSONDecodeError as error:
            raise ApiError(
                "The answer is not JSON.",
                status=response.status_code,
                code="no_json",
                hint=f"Is there a Lookalike server at {self._base}?",
            ) from error

    def lines(self, path: str, body: bytes) -> Iterator[Any]:
        """Send NDJSON, and yield the lines of the answer as they come."""
        headers = {"Content-Type": "application/x-ndjson"}
        with self._answered("POST", path, data=body, headers=headers, stream=True) as response:
            try:
                for line in response.iter_lines():
                    yield json.loads(line)
            except requests.RequestException as error:
                raise _unreachable(error) from None

    def _answered(self, method: str, path: str, **options: Any) -> requests.Response:
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                response = self._session.request(
                    method,
                    f"{self._base}/{path}",
                    timeout=self._timeout,
                    auth=self._auth,
                    **options,
                )
            except requests.RequestException as error:
                # What an error of requests' own carries has the key in its headers.
                if last or method != "GET" or not isinstance(error, requests.ConnectionError):
                    raise _unreachable(error) from None
                self._wait(PAUSE * 2**attempt)
                continue
            if response.ok:
                return response
            problem = _problem(response)
            pause = self._pause(method, problem, attempt)
            if last or pause is None:
                raise problem
            response.close()
            self._wait(pause)
        raise AssertionError("unreachable")

    def _pause(self, method: str, problem: ApiError, attempt: int) -> float | None:
        """Return how long to wait before a request is sent again; None not to send it."""
        if problem.status in TRY_LATER and problem.retry_after is not None:
            return problem.retry_after if problem.retry_after <= self._timeout else None
        if method == "GET" and problem.status in OF_THE_WAY:
            return PAUSE * float(2**attempt)
        return None


def _unreachable(error: requests.RequestException) -> Unreachable:
    late = isinstance(error, requests.Timeout)
    return Unreachable(
        "The server did not answer in time." if late else f"The server cannot be reached: {error}.",
        code="timeout" if late else "unreachable",
        hint="Is it running, and is this its address?",
    )


def _problem(response: requests.Response) -> ApiError:
    try:
        said = response.json()["error"]
        code, message, hint = said["code"], said["message"], said["hint"]
    except (requests.JSONDecodeError, KeyError, TypeError):
        # A proxy's own page, say.
        code, message, hint = "error", f"The server answered {response.status_code}.", ""
    return ApiError(
        message,
        status=response.status_code,
        code=code,
        hint=hint,
        retry_after=_seconds(response.headers.get("Retry-After")),
    )


def _seconds(text: str | None) -> float | None:
    """Read a Retry-After: seconds, or a date."""
    if text is None:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
