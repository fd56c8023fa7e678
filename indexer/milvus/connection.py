"""A connection to Milvus whose errors are ours: the only place that imports pymilvus."""

from __future__ import annotations

import importlib
import logging
import os
import threading
import time
from typing import Any

from indexer.errors import (
    IndexNotReady,
    IndexUnusable,
    LookalikeError,
    MissingExtra,
    QueryError,
)
from indexer.milvus.address import Address

TIMEOUT = 5.0
"""Seconds that a call may take, retries and all."""

PATIENT = 60.0
"""The same for a command, which would rather wait than begin again."""

LONG = 120.0
"""Seconds that making or loading a collection may take."""

TOKEN = "MILVUS_TOKEN"  # noqa: S105 - the name of a variable

_GONE = ("can't find collection", "collection not found")
_REFUSED = ("auth check failure", "unauthenticated", "permission deny", "privilege")
_EXPRESSION = ("cannot parse expression", "invalid expression")


class StoreUnavailable(IndexUnusable):
    """Milvus does not answer, or answers that it cannot."""

    code = "store_unavailable"


class StoreRefuses(IndexUnusable):
    """Milvus does not let us in."""

    code = "store_refuses"


class Milvus:
    """A server's client, connected at the first call. Safe to use from several threads.

    Parameters
    ----------
    address : Address
        Where it is.
    timeout : float, optional
        Seconds that a call may take.
    """

    def __init__(self, address: Address, *, timeout: float = TIMEOUT) -> None:
        self.address = address
        self.timeout = timeout
        self._lock = threading.Lock()
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        """Return a method of `pymilvus.MilvusClient` that raises our errors."""
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*arguments: Any, **options: Any) -> Any:
            options.setdefault("timeout", self.timeout)
            return self._called(name, arguments, options)

        return call

    def close(self) -> None:
        """Disconnect."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _called(self, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        known = (pymilvus().MilvusException, importlib.import_module("grpc").RpcError)
        ends = time.monotonic() + options["timeout"]
        pause = 0.05
        while True:
            try:
                return getattr(self._connected(), name)(*arguments, **options)
            except known as error:
                problem = self._in_words(error)
                left = ends - time.monotonic() - pause
                # One that moves its collections about, or has just started, can do it a little
                # later; whatever is asked for here may be asked for twice.
                if not isinstance(problem, StoreUnavailable) or left <= 0:
                    raise problem from error
                options["timeout"] = left
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _in_words(self, error: Any) -> LookalikeError:
        details = getattr(error, "details", None)
        said = str(details() if callable(details) else getattr(error, "message", "") or error)
        where, low = f"{self.address.host}:{self.address.port}", said.lower()
        if any(words in low for words in _GONE):
            return IndexNotReady(
                f"There is no index in {self.address}.",
                hint=f"Make one with: lookalike index CATALOG --index {self.address}",
            )
        if any(words in low for words in _REFUSED):
            return StoreRefuses(
                f"Milvus at {where} refuses the name or the password: {said[:200]}",
                hint=f"Set {TOKEN}=USER:PASSWORD in the environment.",
            )
        if any(words in low for words in _EXPRESSION):
            return QueryError(
                f"Milvus cannot evaluate the filter: {said[:200]}", hint="Ask for less at once."
            )
        return StoreUnavailable(
            f"Milvus at {where} cannot do it now: {said[:200]}",
            hint="Try again in a few seconds.",
        )

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = pymilvus().MilvusClient(
                    self.address.uri, token=os.environ.get(TOKEN, ""), timeout=self.timeout
                )
            return self._client


def require_reachable(address: Address) -> None:
    """Raise unless Milvus answers.

    Raises
    ------
    MissingExtra
        If pymilvus is not installed.
    StoreUnavailable, StoreRefuses
        If it does not answer, or does not let us in.
    """
    milvus = Milvus(address)
    try:
        milvus.list_collections()
    finally:
        milvus.close()


def pymilvus() -> Any:
    """Return the package pymilvus.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        package = importlib.import_module("pymilvus")
    except ImportError as problem:
        raise MissingExtra("An index in Milvus", "milvus") from problem
    # It tells what it raises once more on stderr, with a traceback.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    return package
