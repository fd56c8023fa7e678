"""The styles and scripts of the pages, as browsers get them: few files, and small ones.

A page that asks for twenty files waits for them in turns on a phone's network. The files of
`static/` are small, to be read and changed one by one; here those that go together are joined, and
what only people read is taken out of them. This happens once, when the server starts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from flask import Flask, Response, request
from rcssmin import cssmin
from rjsmin import jsmin
from werkzeug.wrappers import Response as AnyResponse

STATIC: Final = Path(__file__).parent.parent / "static"

BUNDLES: Final = {
    "joined/pages.css": ("app.css", "filters.css", "results.css", "photo.css", "sign_in.css"),
    "joined/pages.js": (
        # Each may use what those before it declare.
        *("words.js", "app.js", "why.js", "results.js", "filters.js", "endless.js", "likes.js"),
        *("gallery.js", "shrink.js", "kept.js", "showing.js", "search.js", "photo.js"),
        *("suggest.js", "region.js", "share.js"),
    ),
    "joined/map.css": ("map.css",),
    "joined/map.js": ("map_tiles.js", "map_pointers.js", "map.js"),
    "joined/admin.css": ("admin.css",),
    "joined/admin.js": ("admin.js", "admin_upload.js"),
}
"""By the name under `static/` that each is served as, the files of `static/` that it is made of.

All pages share the first two, which a browser has after the first page, whichever it was.
"""


@cache
def bundle(name: str) -> str:
    """Return the text of a bundle: its files one after another, without comments and blanks.

    Raises
    ------
    KeyError
        If there is no bundle of this name.
    """
    text = "\n".join((STATIC / file).read_text(encoding="utf-8") for file in BUNDLES[name])
    smaller: str = cssmin(text) if name.endswith(".css") else jsmin(text)
    return smaller


def register(app: Flask) -> None:
    """Serve the bundles of an application beside its static files."""
    for name in BUNDLES:
        bundle(name)
    files: Callable[..., AnyResponse] = app.view_functions["static"]  # type: ignore[assignment]

    def static(filename: str) -> AnyResponse:
        return _answer(filename) if filename in BUNDLES else files(filename=filename)

    app.view_functions["static"] = static


def _answer(name: str) -> AnyResponse:
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    response = Response(bundle(name), mimetype=kind)
    # As other files of `static/`: under its address with its version it may be kept.
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)
