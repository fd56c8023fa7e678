"""A connection to Milvus whose errors are ours: the only place that imports pymilvus."""

from __future__ import annotations

import importlib
import logging
import os
import threading
from typing import Any

from indexer.errors import IndexNotReady, IndexUnusable, MissingExtra
from indexer.milvus.address import Address

TIMEOUT = 5.0
"""Seconds that a call may take, retries and all."""

LONG = 120.0
"""Seconds that making or loading a collection may take."""

TOKEN = "MILVUS_TOKEN"  # noqa: S105 - the name of a variable

_GONE = ("can't find collection", "collection not found")


class StoreUnavailable(IndexUnusable):
    """Milvus does not answer, or answers that it cannot."""

    code = "store_unavailable"


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
        try:
            return getattr(self._connected(), name)(*arguments, **options)
        except known as error:
            said = str(getattr(error, "message", "") or error)
            if any(words in said.lower() for words in _GONE):
                raise IndexNotReady(
                    f"There is no index in {self.address}.",
                    hint=f"Make one with: lookalike index CATALOG --index {self.address}",
                ) from error
            raise StoreUnavailable(
                f"Milvus at {self.address.host}:{self.address.port} cannot do it now: {said[:200]}",
                hint="Try again in a few seconds.",
            ) from error

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = pymilvus().MilvusClient(
                    self.address.uri, token=os.environ.get(TOKEN, ""), timeout=self.timeout
                )
            return self._client


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
