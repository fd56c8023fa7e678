"""A connection to a Ray cluster, or a cluster of this machine's own for as long as it is needed."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

from indexer.embedder import cores
from indexer.errors import ClusterError, MissingExtra, UsageError
from indexer.held_stderr import without_lines

LOCAL = "local"

STORE = 512 << 20
"""Bytes of shared memory that a cluster of this machine's own may take."""

LONGEST = 30
"""Characters of a folder's name under which Ray's sockets still find room in theirs."""

ENVIRONMENT = {
    # A catalogue's owner was not asked whether to report its use.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # What happens to nodes and actors would be printed on stdout, where `--json` has the word.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    # Its C++ part calls it an error that Ray Data keeps what actors begin with in its object store.
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
"""Set before Ray is imported, where it is not set yet."""

_ADDRESS = re.compile(r"(auto|local|[\w.-]+:\d+|\[[0-9a-fA-F:]+\]:\d+)")


def require_ray(address: str, runtime: str = "auto") -> None:
    """Raise unless Ray is installed and `address` is one that a driver can connect to.

    Raises
    ------
    UsageError
        It is no address, or that of Ray's client server, over which Ray Data does not work; or the
        runtime is one that workers do not have.
    MissingExtra
        Ray is not installed.
    """
    if not _ADDRESS.fullmatch(address):
        raise UsageError(
            f"{address!r} is not the address of a Ray cluster.",
            hint="Give --ray local, --ray auto on a node of the cluster, or the HOST:PORT of its"
            " head, as in --ray 10.0.0.1:6379.",
        )
    if runtime == "keras":
        raise UsageError(
            "--ray and --runtime keras exclude one another.", hint="Use litert or openvino."
        )
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise MissingExtra("Embedding on a Ray cluster", "ray")


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a cluster for the length of a block; yields the module `ray`.

    Parameters
    ----------
    address : str
        ``local`` starts a cluster on this machine and stops it again; ``auto`` is the one that this
        machine is a node of; else host and port of the head node. A connection that the process
        has already is used, and left open.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached.
    """
    require_ray(address)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import ray  # noqa: PLC0415 - an extra, and 1 s

    if ray.is_initialized():
        yield ray
        return
    with ExitStack() as stack:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if address == LOCAL:
            options |= {
                "num_cpus": cores(),
                "include_dashboard": False,
                "object_store_memory": STORE,
            }
            if len(tempfile.gettempdir()) <= LONGEST:
                folder = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
                options["_temp_dir"] = stack.enter_context(folder)
        try:
            with without_lines(b"RAY_BACKEND_LOG_LEVEL"):
                ray.init(address, **options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise ClusterError(
                f"The Ray cluster at {address} cannot be reached: {said[0]}",
                hint="See with `ray status` on one of its nodes whether it runs, and whether this"
                " machine has the same versions of Ray and Python.",
            ) from error
        stack.callback(ray.shutdown)
        yield ray
