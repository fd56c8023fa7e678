"""Thumbnails and previews of catalogue pictures."""

from __future__ import annotations

import hashlib
import logging

from flask import Blueprint, abort, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from indexer.errors import PictureError
from indexer.pictures import THUMBNAIL_SIDE, PictureLimits, open_picture, to_jpeg
from web.answers.headers import FOREVER
from web.engine import SearchEngine, current_engine
from web.pages.urls import thumbnail_url
from web.settings import current_settings

log = logging.getLogger(__name__)

PREVIEW_QUALITY = 85

A_DAY = "public, max-age=86400"
"""For previews: their URL stays when the picture behind it changes."""

pictures = Blueprint("pictures", __name__)


@pictures.get("/thumbnails/<key>.jpg")
def thumbnail(key: str) -> AnyResponse:
    """Answer a thumbnail."""
    if not key or key.strip("0123456789abcdef"):
        abort(404)
    data = current_engine().thumbnail(key)
    if data is None:
        abort(404)
    return _jpeg(data, etag=key, cache=FOREVER)


@pictures.get("/listings/<listing_id>/pictures/<int:position>")
def preview(listing_id: str, position: int) -> AnyResponse:
    """Answer a large JPEG of a listing's picture, its thumbnail where the picture is gone."""
    engine = current_engine()
    listing, keys = engine.listing(listing_id)
    if position >= len(listing.pictures):
        abort(404)
    try:
        data = _make_preview(engine, listing_id, position)
    except PictureError as error:
        # Its words may name a file of this machine: they are for the log.
        log.warning("No preview of picture %d of listing %r: %s", position, listing_id, error)
        key = keys[position] if position < len(keys) else ""
        if not key:
            abort(404)
        return redirect(thumbnail_url(key))
    return _jpeg(data, etag=hashlib.sha256(data).hexdigest()[:32], cache=A_DAY)


def _make_preview(engine: SearchEngine, listing_id: str, position: int) -> bytes:
    settings = current_settings()
    limits = PictureLimits(max_pixels=settings.max_pixels)
    image = open_picture(
        engine.picture(listing_id, position), at_least=settings.preview_side, limits=limits
    )
    # What is no larger than a thumbnail is there at once anyway.
    large = max(image.size) > THUMBNAIL_SIDE
    return to_jpeg(image, settings.preview_side, PREVIEW_QUALITY, progressive=large)


def _jpeg(data: bytes, *, etag: str, cache: str) -> AnyResponse:
    response = make_response(data)
    response.mimetype = "image/jpeg"
    response.headers["Cache-Control"] = cache
    # A catalogue's pictures are shown by whatever page asks the API for them.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(etag)
    return response.make_conditional(request)
