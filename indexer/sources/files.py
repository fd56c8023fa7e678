"""Where catalogues and pictures lie: local paths and URLs, opened alike."""

from __future__ import annotations

import importlib
import logging
import posixpath
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

from indexer.errors import LookalikeError, MissingExtra, SourceError

log = logging.getLogger(__name__)

# fmt: off
PICTURE_ENDINGS = frozenset({
    ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic",
    ".heif",
})
# fmt: on

# Two letters at least before the colon, so that C:\ is a path.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+(?:://|::)")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "http": "http", "https": "http"}
# Errors of the network libraries that are no OSError. Only a library that is loaded can raise.
_NETWORK_ERRORS = (
    ("aiohttp", "ClientError"),
    ("aiohttp", "InvalidURL"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
)


def is_url(location: str) -> bool:
    """Tell a URL, or a chain of them as fsspec writes it, from a path."""
    return _URL.match(location) is not None


def local_path(location: str) -> Path | None:
    """Return the path of a local file, of a ``file://`` URL too; None for any other URL."""
    if location.startswith("file://"):
        return Path(url2pathname(urlsplit(location).path))
    return None if is_url(location) else Path(location)


def shown(location: str) -> str:
    """Return the location without what a URL may keep secret: a password, a signed query."""
    if not is_url(location):
        return location
    return re.sub(r"//[^/@]*@", "//", location.partition("?")[0])


def as_text(name: str) -> str:
    """Write the bytes of a file's name that are no UTF-8 as ``\\xe9``: so it can be stored."""
    return re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:x}", name)


def _named_otherwise(path: Path) -> bool:
    """Tell whether `as_text` wrote this path, and there is such a file."""
    name = re.sub(r"\\x([89a-f][0-9a-f])", lambda byte: chr(0xDC00 + int(byte[1], 16)), str(path))
    return name != str(path) and Path(name).exists()


def base_name(location: str) -> str:
    """Return the last part of a path or a URL."""
    return shown(location).partition("::")[0].rstrip("/").replace("\\", "/").rpartition("/")[2]


def ending(location: str) -> str:
    """Return the ending of the name in lower case: ``".csv"``."""
    return posixpath.splitext(base_name(location))[1].lower()


def _is_here(url: str) -> bool:
    """Tell whether a URL, or what a chain of them ends in, is a file of this machine."""
    protocol, mark, _ = url.rsplit("::", maxsplit=1)[-1].partition("://")
    return not mark or protocol.lower() in ("file", "local")


def join(catalogue: str, reference: str) -> str:
    """Find what a catalogue refers to.

    Parameters
    ----------
    catalogue : str
        The catalogue's own path or URL.
    reference : str
        A URL, which stays as it is, or a path: an absolute one, or one relative to the catalogue's
        folder. In a catalogue that was read from a URL, an absolute path starts at the web server
        or the bucket.

    Returns
    -------
    str
        An absolute path or a URL; a path for a ``file://`` URL in a local catalogue.

    Raises
    ------
    SourceError
        If a catalogue that was read from a URL refers to a file of this machine.
    """
    path = local_path(catalogue)
    if path is not None and reference.startswith("file://"):
        # A path can be asked whether its file changed since, a URL cannot.
        return str(local_path(reference))
    if is_url(reference):
        if path is None and _is_here(reference):
            raise SourceError(
                f"The catalogue at {shown(catalogue)} names {reference!r}, a file of this machine.",
                hint="A catalogue from elsewhere may only name pictures elsewhere. Download it"
                " first if this is meant.",
            )
        return reference
    if path is not None:
        # Not resolved: a symbolic link in the catalogue's folder may change what it points to.
        return str(Path(posixpath.normpath(path.absolute().parent / reference)))
    if catalogue.startswith(("http://", "https://")):
        return urljoin(catalogue, reference)
    links = catalogue.split("::")
    at = next((i for i, link in enumerate(links) if "://" in link), 0)
    protocol, _, inside = links[at].partition("://")
    parent = inside.rpartition("/")[0]
    if reference.startswith("/"):
        parent = inside.partition("/")[0] if len(links) == 1 else ""
    links[at] = f"{protocol}://{posixpath.normpath(posixpath.join(parent, reference.lstrip('/')))}"
    return "::".join(links)


@contextmanager
def opened(
    location: str, error: type[LookalikeError] = SourceError, subject: str = ""
) -> Iterator[BinaryIO]:
    """Open a file for reading, and report in words whatever goes wrong until it is closed.

    Parameters
    ----------
    location : str
        A path or a URL.
    error : type, optional
        What to raise.
    subject : str, optional
        How the message calls the file; the location where it is left out.

    Raises
    ------
    LookalikeError
        Of type `error`: the file cannot be opened or read.
    MissingExtra
        The packages for this kind of URL are not installed.
    """
    with explained(location, error, subject), _open(location, error, subject) as file:
        yield file


@contextmanager
def explained(
    location: str, error: type[LookalikeError] = SourceError, subject: str = ""
) -> Iterator[None]:
    """Turn what the file system and the network raise into one error in words."""
    try:
        yield
    except _network_errors() as problem:
        raise error(f"{subject or shown(location)} {_reason(problem)}.") from problem


def _open(location: str, error: type[LookalikeError], subject: str) -> BinaryIO:
    path = local_path(location)
    try:
        if path is None:
            import fsspec  # noqa: PLC0415 - a tenth of the start of a search

            return cast(BinaryIO, fsspec.open(location, "rb", **_patience(location)).open())
        if path.exists() and not path.is_file():
            # A pipe would block for ever, a device never end.
            kind = "is a folder" if path.is_dir() else "is not a regular file"
            raise error(f"{subject or location} {kind}.")
        if not path.exists() and _named_otherwise(path):
            raise error(f"{subject or location} has a name that is not UTF-8: rename its file.")
        return path.open("rb")
    except ImportError as problem:
        raise _missing_package(location, error, problem) from problem
    except ValueError as problem:  # an unknown protocol, a NUL in a path
        raise error(f"{subject or shown(location)} {_reason(problem)}.") from problem


def file_system(location: str) -> tuple[Any, str]:
    """Return fsspec's file system of a URL, and the path inside it."""
    import fsspec  # noqa: PLC0415 - as in `_open`

    try:
        system, path = fsspec.core.url_to_fs(location)
    except ImportError as problem:
        raise _missing_package(location, SourceError, problem) from problem
    except ValueError as problem:
        raise SourceError(f"{shown(location)} {_reason(problem)}.") from problem
    return system, str(path)


def patient_file_system(location: str) -> Any:
    """Return fsspec's file system of a URL, one that gives up on a host that does not answer."""
    import fsspec  # noqa: PLC0415 - as in `_open`

    try:
        return fsspec.core.url_to_fs(location, **_patience(location))[0]
    except ImportError as problem:
        raise _missing_package(location, SourceError, problem) from problem


_KNOWN = (
    ({"ClientConnectorDNSError", "gaierror"}, "there is no host of this name"),
    (
        {"ClientSSLError", "ClientConnectorCertificateError", "SSLError"},
        "its host cannot be connected to safely (its certificate, say, has run out)",
    ),
    ({"ClientConnectorError", "ConnectionRefusedError"}, "its host does not take connections"),
    ({"ClientConnectionError", "ClientPayloadError", "ConnectionError"}, "its host broke off"),
)
"""What errors of the network, of aiohttp mostly, mean, by the names of their classes and bases:
the first that fits. By name, since whoever reads no web page loads none of them."""


def _network_errors() -> tuple[type[Exception], ...]:
    """Return OSError and its like."""
    loaded = ((sys.modules.get(module), name) for module, name in _NETWORK_ERRORS)
    return OSError, *(getattr(module, name) for module, name in loaded if hasattr(module, name))


def _patience(location: str) -> dict[str, Any]:
    """Return fsspec's options that give up on a web server which does not answer."""
    if not location.startswith(("http://", "https://")):
        return {}
    timeout = importlib.import_module("aiohttp").ClientTimeout(
        total=300, sock_connect=10, sock_read=30
    )
    return {"client_kwargs": {"timeout": timeout}}


def _missing_package(
    location: str, error: type[LookalikeError], problem: ImportError
) -> LookalikeError:
    protocol = location.partition("://")[0].rpartition("::")[2]
    if protocol in _EXTRAS:
        return MissingExtra(f"{protocol}:// addresses", _EXTRAS[protocol])
    return error(f"{protocol}:// addresses need another package.", hint=f"{problem}.")


def _reason(problem: Exception) -> str:
    cause = problem.__cause__
    if isinstance(problem, FileNotFoundError) and isinstance(cause, Exception):
        # So fsspec reports whatever keeps it from a web page.
        return _reason(cause)
    status = getattr(problem, "status", None)
    if isinstance(problem, FileNotFoundError) or status in (404, 410):
        return "does not exist"
    if isinstance(problem, PermissionError):
        return "may not be read by this user"
    if isinstance(problem, TimeoutError):
        return "did not answer in time"
    if isinstance(status, int):
        return f"could not be fetched: the server answered with status {status}"
    log.debug("Not read: %r", problem)
    return f"could not be read: {_in_words(problem)}"


def _in_words(problem: Exception) -> str:
    """Say what a person can do something about; the library's own words where nothing is known."""
    kinds = {kind.__name__ for kind in type(problem).__mro__}
    for known, words in _KNOWN:
        if kinds & known:
            return words
    words = (str(problem).strip() or type(problem).__name__).splitlines()[0]
    if isinstance(problem, ValueError) and not words.startswith("Protocol not known"):
        return "its address is not valid"
    if isinstance(problem, OSError) and problem.strerror:
        words = problem.strerror
    return words[:200].rstrip(".")
