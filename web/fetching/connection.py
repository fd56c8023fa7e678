"""A connection to an address that was checked, within a time and a number of bytes.

A name is resolved once, all that it resolves to is checked, and one of those very addresses is
connected: a name that resolves to something else a moment later (DNS rebinding) changes nothing.
TLS is verified for the name. Neither proxies of the environment nor cookies take part.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import cache
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, cast

import certifi

from web.fetching.addresses import PORTS, Rules, Target

Resolver = Callable[[str, int], list[str]]
"""Told a host and a port, says its IP addresses; raises OSError where there are none."""

HEAD_BYTES = 64 * 2**10
"""What a server may say before the first byte of the body."""

TRIED = 3
"""Addresses of a name that are tried in turn."""

CONNECT_SECONDS = 4.0


class NotAllowedHere(OSError):
    """An address that may not be connected; nobody but the log is told."""


class Allowance:
    """What is left of the time and the bytes that an answer may take.

    Parameters
    ----------
    seconds : float
        From now.
    size : int
        Bytes of all answers together, heads included.
    """

    def __init__(self, seconds: float, size: int) -> None:
        self.until = time.monotonic() + seconds
        self.size = size

    def seconds(self) -> float:
        """Return what is left of the time.

        Raises
        ------
        TimeoutError
            If nothing is.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is up")
        return left

    def take(self, size: int) -> None:
        """Note bytes that came.

        Raises
        ------
        OSError
            If they are too many.
        """
        self.size -= size
        if self.size < 0:
            raise OSError("more was sent than is read")


if TYPE_CHECKING:
    _Socket = socket.socket
else:
    _Socket = object


class _Bounded(_Socket):
    """Bounds what a socket receives; a timeout alone would begin anew with every byte."""

    allowance: Allowance | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Receive within the allowance."""
        if self.allowance is None:
            return super().recv_into(*args, **kwargs)
        self.settimeout(self.allowance.seconds())
        size = super().recv_into(*args, **kwargs)
        self.allowance.take(size)
        return size


class _PlainSocket(_Bounded, socket.socket):
    """A TCP socket that keeps to an allowance."""


class _TlsSocket(_Bounded, ssl.SSLSocket):
    """A TLS socket that keeps to an allowance."""


@cache
def tls_context(authority: str | None = None) -> ssl.SSLContext:
    """Return what TLS is verified by: the machine's authorities, and those of a file.

    Parameters
    ----------
    authority : str, optional
        A file of authorities; Mozilla's where not given.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(authority or certifi.where())
    context.sslsocket_class = _TlsSocket
    return context


def look_up(host: str, port: int) -> list[str]:
    """Ask the system for a host's addresses, each once, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PinnedConnection(HTTPConnection):
    """One connection to one of a host's addresses, all of which were checked.

    Parameters
    ----------
    target : Target
        What will be asked for.
    rules : Rules
        What may be connected.
    allowance : Allowance
        What it may take.
    resolve : Resolver
        Asked once.
    tls : ssl.SSLContext
        Verifies; made by `tls_context`.
    """

    def __init__(
        self,
        target: Target,
        *,
        rules: Rules,
        allowance: Allowance,
        resolve: Resolver,
        tls: ssl.SSLContext,
    ) -> None:
        super().__init__(target.host, target.port)
        self.default_port = PORTS[target.scheme]  # so that "Host" names any other
        self._target = target
        self._rules = rules
        self._allowance = allowance
        self._resolve = resolve
        self._tls = tls

    def connect(self) -> None:
        """Connect.

        Raises
        ------
        OSError
            If it cannot be connected, or may not be.
        """
        addresses = _in_time(self._resolve, self._target, self._allowance)
        for address in addresses:
            if not self._rules.allows_address(address):
                raise NotAllowedHere(f"{address} is not of the open internet")
        self.sock = self._secured(self._connected(addresses))

    def _connected(self, addresses: list[str]) -> _PlainSocket:
        problem = OSError("the name has no address")
        for address in addresses[:TRIED]:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                with contextlib.ExitStack() as undo:
                    opened = undo.enter_context(_PlainSocket(family, socket.SOCK_STREAM))
                    opened.settimeout(min(self._allowance.seconds(), CONNECT_SECONDS))
                    opened.connect((address, self._target.port))
                    here, there = opened.getsockname()[0], opened.getpeername()[0]
                    if there != address or not self._rules.allows_connection(here, there):
                        raise NotAllowedHere(f"{there} may not be asked from {here}")
                    undo.pop_all()
                    return opened
            except OSError as error:
                problem = error
        raise problem

    def _secured(self, opened: _PlainSocket) -> _Bounded:
        secured: _Bounded = opened
        with contextlib.ExitStack() as undo:
            undo.callback(opened.close)
            opened.settimeout(self._allowance.seconds())
            if self._target.scheme == "https":
                wrapped = self._tls.wrap_socket(opened, server_hostname=self._target.host)
                secured = cast(_TlsSocket, wrapped)
            secured.allowance = self._allowance
            undo.pop_all()
        return secured


def _in_time(resolve: Resolver, target: Target, allowance: Allowance) -> list[str]:
    """Resolve a name within an allowance: the system's own waiting cannot be bounded."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(target.host, target.port))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolving", daemon=True).start()
    try:
        answer = answers.get(timeout=allowance.seconds())
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise OSError(f"the name was not resolved: {answer}") from answer
    return answer
