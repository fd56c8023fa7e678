"""A connection to Milvus whose errors are ours: the only place that imports pymilvus."""

from __future__ import annotations

import importlib
import logging
import os
import re
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

# What does not fit what is there, and never will: by Milvus' own codes (pymilvus names few),
_UNFIT = (
    105,  # illegal collection schema
    *(701, 702),  # index type not supported, index duplicates
    *(1100, 1101, 1102),  # invalid, missing, too large parameter
    *(1700, 1701),  # field not found, field name invalid
)
# by what pymilvus does not even send,
_UNSENT = (
    "AmbiguousIndexName",
    "AutoIDException",
    "DataNotMatchException",
    "DataTypeNotMatchException",
    "DataTypeNotSupportException",
    "FieldTypeException",
    "FieldsTypeException",
    "InvalidConsistencyLevel",
    "ParamError",
    "PrimaryKeyException",
    "SchemaNotReadyException",
    "ServerVersionIncompatibleException",
)
# by gRPC's,
_UNFIT_CALL = ("INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED")
# and by its words where it says no more than that it did not expect this: 2.3.5 mostly does.
_UNEXPECTED = 65_535
_UNFIT_WORDS = re.compile(
    r"field \S+ not exist|non-exist field|failed to get field schema|invalid parameter\["
    r"|should divide the dim|dimension mismatch|invalid dimension|dimension must be able"
    r"|not a number or infinity|failed to create expr plan|max query result window"
    r"|top k should be in range|invalid index type|out of range: \[|one distinct index"
    r"|create duplicate collection|shards's number should be"
)
_TOO_LARGE = "message larger than max"


class StoreUnavailable(IndexUnusable):
    """Milvus does not answer, or answers that it cannot."""

    code = "store_unavailable"


class StoreRefuses(IndexUnusable):
    """Milvus does not let us in."""

    code = "store_refuses"


class StoreMismatch(IndexUnusable):
    """Milvus cannot do it, now or later: what is asked does not fit the collection."""

    code = "store_mismatch"
    status = 500  # of 503 clients are told to try again


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
                problem = self._in_words(name, error)
                left = ends - time.monotonic() - pause
                # One that moves its collections about, or has just started, can do it a little
                # later; whatever is asked for here may be asked for twice.
                if not isinstance(problem, StoreUnavailable) or left <= 0:
                    raise problem from error
                options["timeout"] = left
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _in_words(self, name: str, error: Any) -> LookalikeError:
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
        if any(words in low for words in _EXPRESSION) and not _UNFIT_WORDS.search(said):
            return QueryError(
                f"Milvus cannot evaluate the filter: {said[:200]}", hint="Ask for less at once."
            )
        if _is_unfit(error, said):
            hint = (
                f"{self.address.collection} or what is called after it is not Lookalike's, or"
                " another version of it or of Milvus made it: name another collection."
            )
            if name.startswith("create"):
                hint = "Change the address: its index or shards, or the collection's name."
            elif _TOO_LARGE in said:
                hint = "Let Milvus take messages of 64 MB, as it does where nothing else is set."
            return StoreMismatch(f"Milvus at {where} cannot do it: {said[:400]}", hint=hint)
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


def _is_unfit(error: Any, said: str) -> bool:
    """Tell whether a call that failed fails however often it is made."""
    if type(error).__name__ in _UNSENT:
        return True
    code = getattr(error, "code", None)
    code = code() if callable(code) else code
    if getattr(code, "name", "") in _UNFIT_CALL or _TOO_LARGE in said:
        return True
    return code in _UNFIT or (code == _UNEXPECTED and bool(_UNFIT_WORDS.search(said)))


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
