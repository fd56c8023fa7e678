"""A client of the JSON API: ``from lookalike import Client``.

It needs requests and pydantic, and loads nothing of the search engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypedDict, Unpack
from urllib.parse import quote, urljoin

from web.client.bodies import Like, Photo, Region, bytes_of, example_of, portions_of
from web.client.http import ApiError, Http, Unreachable
from web.client.models import Attribute, HitPage, Line, ServerStatus, WholeListing, Written

__all__ = ["ApiError", "Client", "Unreachable"]


class Asked(TypedDict, total=False):
    """What goes with every search; see `Client.search`."""

    k: int
    filter: str
    min_score: float
    category_prior: bool
    fold_duplicates: bool
    facets: bool
    explain: bool


class Fields(TypedDict, total=False):
    """What a listing says; None empties a field."""

    title: str | None
    category: str | None
    price: float | None
    currency: str | None
    url: str | None


class Client:
    """Asks a Lookalike server.

    Parameters
    ----------
    url : str
        Where the server is: ``http://127.0.0.1:8000``, with its prefix if it has one.
    key : str, optional
        What `lookalike keys` made. It is sent as ``Authorization: Bearer`` and shown nowhere.
    timeout : float, optional
        Seconds to wait for the connection, and for each part of an answer.
    retries : int, optional
        How often a request is sent again at most: where a GET found no connection or was answered
        502, 503 or 504, and where any was answered 429 or 503 with a Retry-After of at most
        `timeout` seconds. Nothing else is ever sent twice.

    Raises
    ------
    ApiError
        By every method, if the server answers an error.
    Unreachable
        By every method, if it does not answer.
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout: float = 30.0, retries: int = 3
    ) -> None:
        self.url = url.rstrip("/")
        self._http = Http(f"{self.url}/api/v1", key, timeout, retries)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def close(self) -> None:
        """Let go of the connections that are kept open."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Searching

    def search(
        self,
        photo: Photo | None = None,
        *,
        listing_id: str | None = None,
        positives: Sequence[Like] = (),
        negatives: Sequence[Like] = (),
        region: Region | None = None,
        cursor: str | None = None,
        **asked: Unpack[Asked],
    ) -> HitPage:
        """Find the listings that look like a photo, a listing, or several of either.

        Parameters
        ----------
        photo : bytes, Path or str, optional
            The photo, its file, or its URL for the server to fetch.
        listing_id : str, optional
            A listing instead of a photo.
        positives, negatives : sequence of lookalike.Example, optional
            What to be like, and unlike.
        region : tuple of float, optional
            x, y, width and height of the part of the photo that matters, as shares of it.
        cursor : str, optional
            A page's ``next_cursor``, alone: the page after it.
        k : int, optional
            Hits a page; 10.
        filter : str, optional
            What listings must meet: ``"category:shoes price:10..50"``.
        min_score : float, optional
            Hits that score lower are left out.
        category_prior : bool, optional
            False to rank by similarity alone.
        fold_duplicates : bool, optional
            True to make listings that show the same picture one hit.
        facets : bool, optional
            True to be told what the filter leaves to choose from.
        explain : bool, optional
            True to be told of the first three hits where they agree with the photo.
        """
        if isinstance(photo, str) and _is_url(photo):
            body: dict[str, Any] = {"image_url": photo}
        elif photo is not None:
            form = {name: _text(value) for name, value in asked.items()}
            if region is not None:
                form["region"] = ",".join(map(str, region))
            files = [("image", ("photo", bytes_of(photo)))]
            return HitPage.model_validate(self._http.json("POST", "search", data=form, files=files))
        else:
            body = {"listing_id": listing_id, "cursor": cursor}
            body["positives"] = [example_of(one) for one in positives]
            body["negatives"] = [example_of(one) for one in negatives]
        body = {name: value for name, value in body.items() if value} | asked
        if region is not None:
            body["region"] = region
        return HitPage.model_validate(self._http.json("POST", "search", json=body))

    def pages(self, photo: Photo | None = None, **question: Any) -> Iterator[HitPage]:
        """Yield one page of hits after another; takes what `search` takes."""
        page = self.search(photo, **question)
        yield page
        while page.next_cursor is not None:
            page = self.search(cursor=page.next_cursor)
            yield page

    def similar(self, listing_id: str, **asked: Unpack[Asked]) -> HitPage:
        """Find the listings that look like a listing."""
        query = {name: _text(value) for name, value in asked.items()}
        path = f"{_path(listing_id)}/similar"
        return HitPage.model_validate(self._http.json("GET", path, params=query))

    def listing(self, listing_id: str) -> WholeListing:
        """Return a listing and its pictures."""
        return WholeListing.model_validate(self._http.json("GET", _path(listing_id)))

    def status(self) -> ServerStatus:
        """Return what the server serves."""
        return ServerStatus.model_validate(self._http.json("GET", "status"))

    def absolute(self, url: str) -> str:
        """Return the whole URL of a picture or a thumbnail, as answers name them."""
        return urljoin(self.url + "/", url)

    # Writing

    def put(
        self,
        listing_id: str,
        *photos: Photo,
        attributes: Mapping[str, Attribute] | None = None,
        **fields: Unpack[Fields],
    ) -> Written:
        """Make a listing what is said here: add it, or replace the one of its id.

        Parameters
        ----------
        listing_id : str
            Its id; no slash in it.
        *photos : bytes, Path or str
            Its pictures, the one that is shown first; files or bytes, or URLs, not both.
        attributes : mapping, optional
            Anything else: texts, numbers, booleans and lists of texts.
        title, category, price, currency, url : optional
            What the listing says. What is left out is empty afterwards.
        """
        said = {name: value for name, value in fields.items() if value is not None}
        urls = [photo for photo in photos if isinstance(photo, str) and _is_url(photo)]
        if urls and len(urls) < len(photos):
            raise ValueError("Give the pictures as files or as URLs, not as both.")
        if urls:
            body = said | {"image_url": urls, "attributes": dict(attributes or {})}
            answer = self._http.json("PUT", _path(listing_id), json=body)
        else:
            form = {name: _text(value) for name, value in said.items()}
            if attributes:
                form["attributes"] = json.dumps(dict(attributes))
            files = [("image", (f"{n}", bytes_of(photo))) for n, photo in enumerate(photos)]
            answer = self._http.json("PUT", _path(listing_id), data=form, files=files)
        return Written.model_validate(answer)

    def patch(
        self,
        listing_id: str,
        *,
        attributes: Mapping[str, Attribute | None] | None = None,
        **fields: Unpack[Fields],
    ) -> Written:
        """Change fields of a listing: those that are given. None empties one.

        Attributes are added to those that it has; None takes one away.
        """
        body: dict[str, Any] = dict(fields)
        if attributes:
            body["attributes"] = dict(attributes)
        return Written.model_validate(self._http.json("PATCH", _path(listing_id), json=body))

    def remove(self, listing_id: str) -> Written:
        """Take a listing out of the catalogue."""
        return Written.model_validate(self._http.json("DELETE", _path(listing_id)))

    def batch(self, lines: Iterable[Mapping[str, Any]]) -> Iterator[Line]:
        """Do many writes, and yield what became of each, in their order.

        Nothing is sent before the first answer is asked for. An error of one line stops no other.

        Parameters
        ----------
        lines : iterable of mapping
            As the API takes them: ``op`` (put, patch or delete), ``id``, and what `put` and
            `patch` take; pictures as ``photos``, a list of bytes and paths. They are sent some at
            a time, so that there may be any number.
        """
        sent = 0
        for some in portions_of(lines):
            for said in self._http.lines("listings:batch", some):
                line = Line.model_validate(said)
                yield line.model_copy(update={"line": line.line + sent})
            sent += some.count(b"\n")


def _path(listing_id: str) -> str:
    return f"listings/{quote(listing_id, safe='')}"


def _is_url(photo: str) -> bool:
    return photo.startswith(("http://", "https://"))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
