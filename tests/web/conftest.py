"""A small engine of coloured squares in place of the real one, and an application around it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageDraw
from werkzeug.test import TestResponse

from indexer.errors import ListingNotFound, PictureError
from indexer.listing import Listing, Picture, Region
from indexer.pictures import open_picture, to_jpeg
from search.query import Hit, Page, Query
from tests.web.browsing import browser, context, halves, page, ready  # noqa: F401 - fixtures
from tests.web.compared import Compared
from tests.web.living import served
from tests.web.searched import Searched
from web.app import create_app
from web.settings import Settings

ODD_IDS = ("a:b", "50% off?", "a b+c&d=e", "größe#x", "%41", "日本;語", "..x", "'\"<", "a\\b")

SECRET = "/srv/secret"


def drawn(colour: tuple[int, int, int], size: tuple[int, int] = (120, 150)) -> bytes:
    """Draw a JPEG: a disc of a colour on a lighter ground."""
    image = Image.new("RGB", size, tuple(255 - (255 - c) // 4 for c in colour))
    ImageDraw.Draw(image).ellipse((15, 20, size[0] - 15, size[1] - 20), fill=colour)
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def mean_colour(data: bytes, region: Region | None = None) -> tuple[int, int, int]:
    """Return a picture's mean colour, or a part's: all that the fake engine sees."""
    image = open_picture(data)
    x, y, w, h = region or (0, 0, 1, 1)
    box = x * image.width, y * image.height, (x + w) * image.width, (y + h) * image.height
    pixel = image.resize((1, 1), box=box).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return int(pixel[0]), int(pixel[1]), int(pixel[2])


class FakeEngine(Compared, Searched):
    """Has the shape of `search.engine.Engine`, and finds what is of a like colour."""

    def __init__(self, listings: dict[str, tuple[Listing, tuple[bytes, ...]]]) -> None:
        Searched.__init__(self, listings)
        self.listings = listings
        self.thumbnails: dict[str, bytes] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        self.colours = {}
        self.failure: Exception | None = None
        self.close_match = True
        self.asked: Query | None = None
        self.refreshed = 0
        self.closed = False
        for id_, (_, data) in listings.items():
            self.keys[id_] = tuple(hashlib.sha256(one).hexdigest() if one else "" for one in data)
            self.thumbnails.update(
                (key, to_jpeg(open_picture(one), 400, 82))
                for key, one in zip(self.keys[id_], data, strict=True)
                if one
            )
            self.colours[id_] = mean_colour(data[0]) if data[0] else (0, 0, 0)

    def search(self, query: Query) -> Page:
        if self.failure is not None:
            raise self.failure
        self.asked = query
        query, shown = self.continued(query)
        if query.positives:
            asked = self._mean_colour(query)
        elif query.photo is None:
            assert query.listing_id is not None
            self.listing(query.listing_id)
            asked = self.colours[query.listing_id]
        else:
            assert isinstance(query.photo, bytes)
            asked = mean_colour(query.photo, query.region)
        meant = self.narrowed(query.condition)
        with_it = {one.listing_id for one in (*query.positives, *query.negatives)}
        meant -= {query.listing_id, *with_it}
        scored = [
            (1 - sum(abs(a - b) for a, b in zip(asked, colour, strict=True)) / 765, id_)
            for id_, colour in self.colours.items()
            if id_ in meant
        ]
        kept = {
            id_: score
            for score, id_ in sorted(scored, reverse=True)
            if score >= (query.min_score or 0)
        }
        groups = list(self.folded(list(kept), query.fold).items())
        hits = [
            Hit(
                n,
                kept[id_],
                kept[id_],
                kept[id_] > 0.99,
                self.listings[id_][0],
                0,
                self.keys[id_],
                offers,
            )
            for n, (id_, offers) in enumerate(groups[shown : shown + query.k], shown + 1)
        ]
        more = len(groups) > shown + query.k
        return Page(
            hits,
            "s-1",
            {"decode": 1.26, "embed": 10.0, "search": 0.3, "total": 11.56},
            next_cursor=self.cursor(query, shown + query.k) if more else None,
            category=[("shoes", 0.81234)],
            close_match=self.close_match,
        )

    def _hit(self, rank: int, id_: str, score: float, offers: tuple[str, ...]) -> Hit:
        listing, keys = self.listing(id_)
        return Hit(rank, score, score, score > 0.99, listing, 0, keys, offers)

    def _mean_colour(self, query: Query) -> tuple[int, int, int]:
        for one in query.positives:
            if one.listing_id is not None:
                self.listing(one.listing_id)
        colours = [
            mean_colour(one.photo) if isinstance(one.photo, bytes) else self.colours[one.listing_id]
            for one in query.positives
        ]
        first, *rest = (sum(channel) // len(colours) for channel in zip(*colours, strict=True))
        return first, rest[0], rest[1]

    def listing(self, listing_id: str) -> tuple[Listing, tuple[str, ...]]:
        if listing_id not in self.listings:
            raise ListingNotFound(f"There is no listing {listing_id!r}.")
        return self.listings[listing_id][0], self.keys[listing_id]

    def thumbnail(self, key: str) -> bytes | None:
        return self.thumbnails.get(key)

    def picture(self, listing_id: str, position: int) -> bytes:
        self.listing(listing_id)
        data = self.listings[listing_id][1][position]
        if not data:
            raise PictureError(f"{SECRET}/gone.jpg cannot be read.")
        return data

    def sample(self, count: int) -> list[tuple[Listing, tuple[str, ...]]]:
        return [self.listing(id_) for id_ in list(self.listings)[:count]]

    def status(self) -> dict[str, object]:
        return {
            "listings": len(self.listings),
            "pictures": len(self.thumbnails),
            "failures": 0,
            "vectors": len(self.thumbnails),
            "dims": 128,
            "index": "Flat",
            "recipe": {"layers": ["mixed7"]},
            "network": {"name": f"{SECRET}/weights.h5", "sha256": "0" * 64, "input_size": 299},
            "snapshot": "s-1",
            "created": "2026-01-01T00:00:00+00:00",
            "version": "0.1.0",
            "categories": {"shoes": 3},
        }

    def refresh(self) -> bool:
        self.refreshed += 1
        return False

    def outdated(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def new_engine() -> FakeEngine:
    """Return an engine with a few plain listings, and some that are meant to be trouble."""
    listings = {}
    for n in range(12):
        data = drawn((20 * n, 255 - 20 * n, (60 * n) % 255))
        listing = Listing(
            f"p{n}",
            (Picture(f"{SECRET}/p{n}.jpg"),),
            title=f"Product {n}",
            category="shoes" if n % 2 else "bags",
            price=1234.5 + n,
            currency="EUR",
            attributes={"size": n, "new": True, "tags": ["a", "b"]},
        )
        listings[listing.id] = (listing, (data,))
    script = Listing(
        "script",
        (Picture(f"{SECRET}/x.jpg"),),
        title="<script>alert(1)</script>",
        category="<b>",
        url="javascript:alert(1)",
        attributes={"<i>": '"><img src=x>'},
    )
    listings["script"] = (script, (drawn((5, 5, 5)),))
    remote = Listing(
        "remote",
        (Picture("https://shop.example/r.jpg"), Picture(f"{SECRET}/r2.jpg")),
        url="https://shop.example/r",
    )
    listings["remote"] = (remote, (drawn((250, 1, 1)), drawn((250, 2, 1))))
    gone = Listing("gone", (Picture(f"{SECRET}/gone.jpg"),), title="Gone")
    listings["gone"] = (gone, (b"",))
    for n, id_ in enumerate(ODD_IDS):
        odd = Listing(id_, (Picture(f"{SECRET}/odd{n}.jpg"),))
        listings[id_] = (odd, (drawn((n, 90, 200)),))
    return FakeEngine(listings)


@pytest.fixture(scope="session")
def _drawn_engine() -> FakeEngine:
    return new_engine()


@pytest.fixture
def engine(_drawn_engine: FakeEngine) -> Iterator[FakeEngine]:
    yield _drawn_engine
    _drawn_engine.failure = None
    _drawn_engine.close_match = True
    _drawn_engine.copies.clear()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(index=tmp_path / "index", max_upload_bytes=200_000)


@pytest.fixture
def app(settings: Settings, engine: FakeEngine) -> Flask:
    return create_app(settings, engine=engine)


class Client(FlaskClient):
    """Reads each answer to its end, so that the files behind some are closed."""

    def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> TestResponse:
        return super().open(*args, buffered=buffered, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.test_client_class = Client
    return app.test_client()


@pytest.fixture
def photo() -> bytes:
    return drawn((200, 60, 40))


@pytest.fixture
def address(app: Flask, settings: Settings) -> Iterator[tuple[str, int]]:
    """Serve the application from a thread."""
    with served(app, settings, threads=2) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        yield host, int(port)
