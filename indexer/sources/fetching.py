"""Pictures with what shows that they changed: a host's ETag, or a time and a size.

A web server is asked with HEAD, and one answer brings a picture's bytes and its version, so that
what is noted is what was read. Other stores are asked through fsspec, before they are read: what
changes in between is read once more the next time, and never missed.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.errors import LookalikeError, PictureError
from indexer.listing import Picture
from indexer.sources.files import explained, file_system, is_url, patient_file_system
from indexer.sources.reading import read_picture

_ETAGS = ("ETag", "etag")
_TIMES = ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created")
_RECORD = re.compile(r"#\d+(\.\d+)?@\d+(:.*)?$")
_CHUNK = 1 << 18
_SUBJECT = "The picture"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The encoded bytes of a picture.

    Attributes
    ----------
    data : bytes
        At least one.
    version : str or None
        What its host tells of it, as `url_version` returns it; None where it lies at no URL.
    """

    data: bytes
    version: str | None


def fetch_picture(picture: Picture, *, max_bytes: int) -> Fetched:
    """Read a picture as `read_picture` does, and its version with it.

    Raises
    ------
    PictureTooLarge, PictureError, MissingExtra
        As `read_picture`.
    """
    uri = picture.uri
    if picture.data is not None or not has_url_version(uri):
        return Fetched(read_picture(picture, max_bytes=max_bytes), None)
    if not _is_web(uri):
        version = url_version(uri)
        return Fetched(read_picture(picture, max_bytes=max_bytes), version)
    with explained(uri, PictureError, _SUBJECT):
        data, version = _on_the_web(_get, uri, max_bytes + 1)
    # Judged by the one that judges all others.
    return Fetched(read_picture(Picture(uri, data), max_bytes=max_bytes), version)


def has_url_version(uri: str) -> bool:
    """Tell whether a picture lies at a URL of its own, and not in a file or a TFRecord file."""
    return is_url(uri) and _RECORD.search(uri) is None


def url_version(url: str) -> str:
    """Ask a host what shows whether a file changed, without downloading it.

    Parameters
    ----------
    url : str
        Of any kind that fsspec can read.

    Returns
    -------
    str
        Its ETag, else the time when it was last changed and its size; empty where the host says
        neither. Compare two with `same_version`.

    Raises
    ------
    PictureError
        If there is no such file, or the host does not answer.
    MissingExtra
        The packages for this kind of URL are not installed.
    """
    with explained(url, PictureError, _SUBJECT):
        if _is_web(url):
            return str(_on_the_web(_head, url))
        system, path = file_system(url)
        return _of_info(system.info(path))


def same_version(one: str, other: str) -> bool:
    """Tell whether two versions are of the same bytes; a size that was not told is any size."""
    if one == other:
        return True
    at_one, at_other = one.rpartition(" "), other.rpartition(" ")
    timed = one.startswith("modified:") and at_one[0] == at_other[0]
    return timed and "" in (at_one[2], at_other[2])


def is_gone(error: LookalikeError) -> bool:
    """Tell whether an error of this module says that there is no such picture any more.

    All else may pass: a host that is down, or refuses for now.
    """
    cause = error.__cause__
    while cause is not None:
        if isinstance(cause, FileNotFoundError) or getattr(cause, "status", None) in (404, 410):
            return True
        cause = cause.__cause__
    return False


def is_of_the_network(error: LookalikeError) -> bool:
    """Tell whether an error of this module is of the way to the picture, and not of its bytes."""
    return error.__cause__ is not None


def _of_info(info: Mapping[str, Any]) -> str:
    for key in _ETAGS:
        if info.get(key):
            return _etag(str(info[key]))
    for key in _TIMES:
        if info.get(key):
            return _modified(str(info[key]), info.get("size"))
    return ""


def _etag(text: str) -> str:
    # A proxy may make a strong one weak on its way.
    return f"etag:{text.removeprefix('W/')}"


def _modified(time: str, size: object) -> str:
    return f"modified:{time} {'' if size is None else size}"


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://")) and "::" not in url


def _on_the_web(work: Any, url: str, *arguments: Any) -> Any:
    from fsspec.asyn import sync  # noqa: PLC0415 - only who reads from the web needs it

    system = _web(os.getpid())
    try:
        return sync(system.loop, work, system, url, *arguments)
    except ValueError as problem:  # no address that can be asked
        raise PictureError(f"{_SUBJECT} could not be read: its address is not valid.") from problem


@functools.cache
def _web(_process: int) -> Any:
    """Return the one client that all threads share, with its open connections."""
    return patient_file_system("https://")


async def _head(system: Any, url: str) -> str:
    session = await system.set_session()
    asked = {"headers": {"Accept-Encoding": "identity"}, "allow_redirects": True}
    async with session.head(system.encode_url(url), **asked) as answer:
        if answer.status < 400:
            return _of_headers(answer.headers)
    # Some hosts only know GET, and a signed URL may be signed for nothing else.
    asked["headers"] = {"Accept-Encoding": "identity", "Range": "bytes=0-0"}
    async with session.get(system.encode_url(url), **asked) as answer:
        answer.raise_for_status()
        return _of_headers(answer.headers)


async def _get(system: Any, url: str, limit: int) -> tuple[bytes, str]:
    session = await system.set_session()
    asked = {"headers": {"Accept-Encoding": "identity"}}
    async with session.get(system.encode_url(url), **asked) as answer:
        answer.raise_for_status()
        data = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK):
            data += chunk
            if len(data) >= limit:
                break
        return bytes(data[:limit]), _of_headers(answer.headers)


def _of_headers(headers: Mapping[str, str]) -> str:
    if etag := headers.get("ETag"):
        return _etag(etag)
    if modified := headers.get("Last-Modified"):
        total = headers.get("Content-Range", "").rpartition("/")[2]
        return _modified(modified, total or headers.get("Content-Length"))
    return ""
