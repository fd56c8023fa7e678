"""Fetching a picture from a URL that a stranger gives.

Not to be confused with `indexer.sources.fetching`, which reads a catalogue that the operator chose
and may reach what the operator may. Here nothing but the open internet may be asked, and little may
be told: a server that refuses, one that is not there, a name that resolves to a private address and
one that does not exist are one and the same to who asks, so that nobody learns what is behind this
machine by having it ask.
"""

from __future__ import annotations

import contextlib
import logging
import re
import ssl
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse

from flask import Flask, current_app, request

from indexer.errors import UsageError
from web.errors import FetchBusy, FetchFailed, UrlSearchDisabled
from web.fetching.addresses import Rules, Target, redirected, target_of
from web.fetching.connection import (
    HEAD_BYTES,
    Allowance,
    PinnedConnection,
    Resolver,
    look_up,
    tls_context,
)
from web.pages.wording import mebibytes
from web.settings import Settings

log = logging.getLogger(__name__)

SECONDS = 10.0
"""For one picture: resolving, connecting, redirects and all."""

REQUEST_SECONDS = 20.0
"""For all pictures of one request."""

BATCH_SECONDS = 300.0
"""The same for a batch."""

AT_ONCE = 2
"""Pictures being fetched at once: fewer than a server has threads, so that it stays responsive."""

PATIENCE = 2.0
"""Seconds for which a request waits for its turn."""

REDIRECTS = 3
_LEADING = (301, 302, 303, 307, 308)
_CHUNK = 2**16
_TYPE = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
_UNTYPED = ("application/octet-stream", "binary/octet-stream")

LEFT = "lookalike.fetching_left"
"""In the WSGI environment: seconds that a request may still spend on fetching."""

FETCHED = "lookalike.fetched"
"""In the WSGI environment: bytes that a request has fetched and holds."""

NOTHING = "No picture could be fetched from this address."
CHECK = "Check that it opens in a browser anywhere on the internet, or send the picture itself."
ITSELF = "Send the picture itself, as a multipart file or in image_base64."


class Fetcher:
    """Fetches pictures from the open internet.

    Parameters
    ----------
    max_bytes : int
        The largest picture.
    rules : Rules, optional
        What may be fetched.
    resolve : Resolver, optional
        Finds the addresses of a name.
    tls : ssl.SSLContext, optional
        Verifies; made by `tls_context`.
    seconds : float, optional
        The time that one picture may take.
    at_once : int, optional
        How many may be fetched at once.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        rules: Rules | None = None,
        resolve: Resolver = look_up,
        tls: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        at_once: int = AT_ONCE,
    ) -> None:
        self.max_bytes = max_bytes
        self.rules = rules or Rules()
        self.seconds = seconds
        self._resolve = resolve
        self._tls = tls
        self._turns = threading.BoundedSemaphore(at_once)

    def fetch(
        self, url: str, *, seconds: float | None = None, max_bytes: int | None = None
    ) -> bytes:
        """Return the encoded picture at a URL.

        Parameters
        ----------
        url : str
            Of the kinds http and https.
        seconds : float, optional
            A shorter time than usual.
        max_bytes : int, optional
            Fewer bytes than usual.

        Raises
        ------
        FetchRefused
            If the URL, or one that it leads to, may not be fetched, by its text.
        FetchFailed
            If nothing came of it that could be a picture.
        FetchBusy
            If too many are being fetched.
        """
        target = target_of(url, self.rules)
        most = self.max_bytes if max_bytes is None else min(max_bytes, self.max_bytes)
        if not self._turns.acquire(timeout=PATIENCE):
            raise FetchBusy("Too many pictures are being fetched at once.")
        try:
            allowance = Allowance(
                min(self.seconds, self.seconds if seconds is None else seconds),
                HEAD_BYTES * (REDIRECTS + 1),
            )
            for _ in range(REDIRECTS + 1):
                found = self._ask(target, allowance, most)
                if isinstance(found, bytes):
                    return found
                target = found
        finally:
            self._turns.release()
        raise FetchFailed(f"The address leads on more than {REDIRECTS} times.", hint=CHECK)

    def _ask(self, target: Target, allowance: Allowance, most: int) -> bytes | Target:
        """Return the picture, or where it is instead."""
        connection = PinnedConnection(
            target,
            rules=self.rules,
            allowance=allowance,
            resolve=self._resolve,
            tls=self._tls or tls_context(),
        )
        with contextlib.ExitStack() as closing:
            closing.callback(connection.close)
            with _telling(target, NOTHING):
                connection.request("GET", target.path, headers=_headers())
                response = closing.enter_context(connection.getresponse())
            location = response.getheader("Location")
            if response.status in _LEADING and location is not None:
                return redirected(target, location, self.rules)
            _check_head(response)
            if (response.length or 0) > most:
                raise _too_large(most)
            allowance.size += most
            with _telling(target, "The other server did not send the whole picture in time."):
                return _body(response, most)


def _body(response: HTTPResponse, most: int) -> bytes:
    data = bytearray()
    while chunk := response.read(_CHUNK):
        data += chunk
        if len(data) > most:
            raise _too_large(most)
    if response.length:
        raise OSError("the answer was cut short")
    return bytes(data)


def _too_large(most: int) -> FetchFailed:
    return FetchFailed(
        f"The picture is larger than the {mebibytes(most)} that are left to this request.",
        hint="Give the address of a smaller one: 1000 pixels a side are plenty.",
    )


def _headers() -> dict[str, str]:
    return {
        "Accept": "image/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
        # No version: whoever names a picture of theirs reads this.
        "User-Agent": "Lookalike (fetches a picture that somebody named)",
    }


def _check_head(response: HTTPResponse) -> None:
    if response.status != 200:
        raise FetchFailed(f"The other server answered {response.status}.", hint=CHECK)
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind not in _UNTYPED:
        named = f", but {kind}" if _TYPE.fullmatch(kind) else ""
        raise FetchFailed(
            f"The other server sent no picture{named}.",
            hint="Give the address of the picture itself, not of the page that shows it.",
        )
    # It was asked for none, and a few bytes could unpack to gigabytes.
    if (response.getheader("Content-Encoding") or "identity").strip().lower() != "identity":
        raise FetchFailed("The other server sent the picture packed.", hint=ITSELF)


@contextlib.contextmanager
def _telling(target: Target, message: str) -> Iterator[None]:
    """Tell who asked no more than a message; the log may know why."""
    try:
        yield
    except (OSError, HTTPException, ValueError) as error:
        log.info("No picture from %s: %s (%s).", target.host, error, type(error).__name__)
        raise FetchFailed(message, hint=CHECK) from error


# For requests


def register(app: Flask, settings: Settings) -> None:
    """Give an application its fetcher, or none where fetching is off.

    Raises
    ------
    UsageError
        If the setting of the ports is none.
    """
    on = settings.fetch_urls == "on" or (settings.fetch_urls == "auto" and not settings.public)
    rules = Rules(_ports(settings.fetch_ports))
    app.extensions["lookalike.fetcher"] = (
        Fetcher(settings.max_upload_bytes, rules=rules) if on else None
    )


def is_fetching() -> bool:
    """Tell whether this server fetches pictures."""
    return current_app.extensions["lookalike.fetcher"] is not None


def fetch_picture(url: str) -> bytes:
    """Fetch a picture for the request that is under way, within the time that it has for that.

    Raises
    ------
    UrlSearchDisabled
        If this server fetches none.
    FetchRefused, FetchFailed, FetchBusy
        As `Fetcher.fetch`.
    """
    fetcher: Fetcher | None = current_app.extensions["lookalike.fetcher"]
    if fetcher is None:
        raise UrlSearchDisabled("This server does not fetch pictures from a URL.", hint=ITSELF)
    left = request.environ.get(LEFT, REQUEST_SECONDS)
    if left <= 0:
        raise FetchFailed(
            "The time that a request has for fetching pictures is used up.",
            hint="Send fewer at a time.",
        )
    began, held = time.monotonic(), request.environ.get(FETCHED, 0)
    try:
        data = fetcher.fetch(url.strip(), seconds=left, max_bytes=fetcher.max_bytes - held)
        request.environ[FETCHED] = held + len(data)
        return data
    finally:
        request.environ[LEFT] = left - (time.monotonic() - began)


def allow_seconds(seconds: float) -> None:
    """Say how long the request that is under way may fetch."""
    request.environ[LEFT] = seconds


def take_fetched() -> int:
    """Return how many bytes the request that is under way has fetched since this was asked."""
    return int(request.environ.pop(FETCHED, 0))


def _ports(text: str) -> tuple[int, ...]:
    try:
        ports = tuple(int(port) for port in text.split(","))
    except ValueError:
        ports = ()
    if not ports or not all(0 < port < 2**16 for port in ports):
        raise UsageError(
            f"The setting fetch_ports is {text!r}.", hint="It is port numbers, as 80,443."
        )
    return ports
