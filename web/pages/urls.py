"""Where everything is: the one place that builds URLs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlencode, urlsplit

from flask import url_for
from werkzeug.datastructures import MultiDict

from indexer.listing import Listing
from web.pages.bundles import BUNDLES, STATIC, bundle


def listing_url(listing_id: str) -> str:
    """Return the page of a listing and of what is similar to it."""
    return url_for("pages.listing_page", listing_id=listing_id)


def similar_url(listing_id: str, filter_: str, *, cursor: str | None = None) -> str:
    """Return the place on a listing's page where what is similar to it and meets a filter is."""
    return url_for(
        "pages.listing_page",
        listing_id=listing_id,
        filter=filter_ or None,
        cursor=cursor,
        _anchor="similar",
    )


def why_url(listing_id: str, other: str) -> str:
    """Return the page that shows why one listing is found by another."""
    return url_for("why.why_listing", listing_id=listing_id, other=other)


def thumbnail_url(key: str) -> str:
    """Return a thumbnail by its key: its bytes never change."""
    return url_for("pictures.thumbnail", key=key)


def map_sheet_url(version: str, number: int) -> str:
    """Return a sheet of the map's small tiles: its bytes never change."""
    return url_for("map.sheet", version=version, number=number)


def preview_url(listing_id: str, position: int) -> str:
    """Return a large JPEG of a listing's picture, made here."""
    return url_for("pictures.preview", listing_id=listing_id, position=position)


def image_url(listing: Listing, position: int) -> str:
    """Return a listing's picture for other programs: where the shop has it, if that is public."""
    uri = listing.pictures[position].uri
    return uri if is_public(uri) else preview_url(listing.id, position)


def is_public(url: str) -> bool:
    """Whether a URL is one that anybody may be sent to: http(s), and without a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def data_url(jpeg: bytes) -> str:
    """Return a JPEG as a URL that holds it: for what is stored nowhere."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def static_url(name: str) -> str:
    """Return a file or a bundle of `static/` under a URL that changes with its content."""
    return url_for("static", filename=name, v=static_version(name))


FILES = frozenset(
    path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()
)


def static_version(name: str) -> str:
    """Return what identifies the content of a file of `static/`; empty if there is none."""
    # Names come from strangers, and what is kept of them would be without end.
    return _version(name) if name in BUNDLES or name in FILES else ""


@cache
def _version(name: str) -> str:
    data = bundle(name).encode() if name in BUNDLES else (STATIC / name).read_bytes()
    return hashlib.sha256(data).hexdigest()[:12]


def kept_arguments(args: MultiDict[str, str], *names: str) -> list[tuple[str, str]]:
    """Return what an address says under some names, to be said by another one too."""
    return [(name, value) for name in names for value in args.getlist(name) if value]


def with_arguments(url: str, arguments: Iterable[tuple[str, str]]) -> str:
    """Return an address that says more."""
    more = urlencode(list(arguments))
    if not more:
        return url
    parts = urlsplit(url)
    query = f"{parts.query}&{more}" if parts.query else more
    return parts._replace(query=query).geturl()
