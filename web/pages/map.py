"""The map page: the catalogue laid out, look-alikes side by side."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from indexer.errors import IndexNotReady
from indexer.pictures import to_jpeg
from search.catalogue_map import MAP_FILE, CatalogueMap, Place, map_of, places, total_of
from search.map_picture import (
    COLOURS,
    SHEET_SIDE,
    SHEET_TILE,
    colours_of,
    draw_map,
    draw_sheet,
)
from web.access.strangers import asked_by_stranger
from web.answers.headers import FOREVER
from web.answers.problems import problem_of
from web.engine import SearchEngine, current_engine
from web.pages.urls import listing_url, map_sheet_url, thumbnail_url

STILL_WIDTH, STILL_QUALITY = 1600, 80
"""Of the picture that a page without its script shows."""

MAPS_KEPT = 2
"""Whose sheets are kept: a page that was opened before a change may still ask for its own."""

SHEET_TILES = SHEET_SIDE**2

pages = Blueprint("map", __name__)


@dataclass
class MapHolder:
    """Keeps the map of the snapshot that is served, made when it is first asked for."""

    _stamp: tuple[object, ...] = ()
    _map: CatalogueMap | None = None
    _keys: OrderedDict[str, list[str]] = field(default_factory=OrderedDict)
    _sheets: dict[tuple[str, int], bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, engine: SearchEngine) -> CatalogueMap:
        """Return the map; whoever comes while it is being made waits that second."""
        snapshot = engine.snapshot
        kept = snapshot.folder / MAP_FILE
        written = kept.stat().st_mtime_ns if kept.is_file() else 0
        stamp = (snapshot.folder, snapshot.manifest["created"], written)
        with self._lock:
            if self._map is None or self._stamp != stamp:
                self._map, self._stamp = map_of(snapshot), stamp
            return self._map

    def note(self, drawn: CatalogueMap, shown: list[Place]) -> str:
        """Remember the pictures of a map and their order; return what identifies them."""
        keys = [""] * len(drawn.listings)
        for place in shown:
            keys[place.tile] = place.key
        version = hashlib.sha256(" ".join(keys).encode()).hexdigest()[:16]
        with self._lock:
            self._keys[version] = keys
            self._keys.move_to_end(version)
            while len(self._keys) > MAPS_KEPT:
                old, _ = self._keys.popitem(last=False)
                self._sheets = {name: data for name, data in self._sheets.items() if name[0] != old}
        return version

    def sheet(self, engine: SearchEngine, version: str, number: int) -> bytes | None:
        """Return a sheet of small tiles, drawn when first asked for; None where there is none."""
        tiles = self._keys.get(version, [])[number * SHEET_TILES : (number + 1) * SHEET_TILES]
        if not tiles:
            return None
        found = self._sheets.get((version, number))
        if found is None:
            found = draw_sheet(engine, tiles)
            with self._lock:
                self._sheets[version, number] = found
        return found


@pages.get("/map")
def show_map() -> ResponseReturnValue:
    """Show the page; its script asks for what is on the map."""
    try:
        engine = current_engine()
    except IndexNotReady as error:
        if asked_by_stranger():
            raise
        page = render_template("setup.html", problem=problem_of(error))
        return page, HTTPStatus.SERVICE_UNAVAILABLE
    listings = engine.status()["listings"]
    if not listings:  # a map of nothing is a grey field; that page says why there is none
        return redirect(url_for("pages.home"))
    return render_template("map.html", listings=listings, hues=len(COLOURS))


@pages.get("/map/points.json")
def points() -> Response:
    """Answer where each listing lies.

    At most `search.catalogue_map.LISTINGS`, at even steps through the catalogue. ``x`` and ``y``
    are shares of the map's width and height, whose cells are squares; ``level`` is the largest k
    at which a listing is the one to show of its square of 2^k by 2^k cells, and ``sheet`` and
    ``slot`` say where its small tile is.
    """
    engine = current_engine()
    drawn = _holder().get(engine)
    shown = places(engine, drawn)
    version = _holder().note(drawn, shown)
    body = {
        "method": drawn.method,
        "columns": drawn.columns,
        "rows": drawn.rows,
        "total": total_of(drawn, shown),
        "categories": _categories(shown),
        "sheets": [
            map_sheet_url(version, n) for n in range(-(-len(drawn.listings) // SHEET_TILES))
        ],
        "sheet_side": SHEET_SIDE,
        "sheet_tile": SHEET_TILE,
        "points": [_point(place) for place in shown],
    }
    response = jsonify(body)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)


@pages.get("/map/sheets/<version>/<int:number>.jpg")
def sheet(version: str, number: int) -> Response:
    """Answer a sheet of small tiles; what it shows never changes under its URL."""
    engine = current_engine()
    data = _holder().sheet(engine, version, number)
    if data is None:  # asked of another process than the one that named it, perhaps
        drawn = _holder().get(engine)
        _holder().note(drawn, places(engine, drawn))
        data = _holder().sheet(engine, version, number)
    if data is None:
        abort(404)
    return _jpeg(data, FOREVER)


@pages.get("/map/still.jpg")
def still() -> Response:
    """Answer the map as one picture, for those who have no script."""
    engine = current_engine()
    drawn = _holder().get(engine)
    picture = draw_map(engine, drawn, places(engine, drawn), STILL_WIDTH)
    return _jpeg(to_jpeg(picture, max(picture.size), STILL_QUALITY), "no-cache")


def _holder() -> MapHolder:
    holder: MapHolder = current_app.extensions["lookalike.map"]
    return holder


def _categories(shown: list[Place]) -> list[dict[str, Any]]:
    """Return the categories, largest first; `hue` numbers a colour of the page's own, from 0."""
    return [
        {"name": name, "count": count, "hue": COLOURS.index(colour) if colour else None}
        for name, (count, colour) in colours_of(place.category for place in shown).items()
    ]


def _point(place: Place) -> dict[str, Any]:
    sheet_number, slot = divmod(place.tile, SHEET_TILES)
    return {
        "id": place.id,
        "title": place.title,
        "category": place.category,
        "x": round(place.x, 5),
        "y": round(place.y, 5),
        "level": place.level,
        "sheet": sheet_number,
        "slot": slot,
        "url": listing_url(place.id),
        "thumbnail_url": thumbnail_url(place.key) if place.key else None,
    }


def _jpeg(data: bytes, cache: str) -> Response:
    response = make_response(data)
    response.mimetype = "image/jpeg"
    response.headers["Cache-Control"] = cache
    response.add_etag()
    return response.make_conditional(request)
