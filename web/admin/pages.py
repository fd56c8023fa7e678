"""The administration page: what is served, how well, what was rejected; catalogues to upload."""

from __future__ import annotations

from itertools import islice
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from indexer.catalog import Catalog
from indexer.catalog_rows import Failure
from indexer.errors import IndexNotReady, LookalikeError
from web.access.scopes import caller, may
from web.admin.figures import figures
from web.admin.uploads import ENCODINGS, ENDINGS, PIECE, WORKS, Uploads
from web.api.privacy import without_paths
from web.engine import EngineHolder
from web.errors import InvalidRequest, UnsupportedMediaType
from web.monitoring.metrics import current_metrics
from web.pages.urls import preview_url
from web.settings import Settings, current_settings

FAILURES = 24
"""Rejected pictures on a page."""

BYTES = "application/octet-stream"

admin = Blueprint("admin", __name__, url_prefix="/admin")


@admin.app_context_processor
def _offer_to_templates() -> dict[str, Any]:
    return {"is_admin": _is_admin}


def uploads_of(settings: Settings) -> Uploads:
    """Return the uploaded catalogues of a server with these settings."""
    return Uploads(settings.index, settings.max_catalogue_bytes, settings.catalogue_pictures)


@admin.get("")
def show() -> ResponseReturnValue:
    """Show the state of the index and of the server."""
    found = _figures()
    page = request.args.get("failures", 0, int)
    return render_template(
        "admin.html",
        figures=found,
        status=found["index"],
        not_ready=None if found["index"] else _why_not(),
        failures=_failures(max(0, page)),
        failures_page=max(0, page),
        failures_shown=FAILURES,
        upload=_uploads().latest(),
        endings=",".join(ENDINGS),
        encodings=ENCODINGS,
        piece=PIECE,
        words=_words(),
    )


@admin.get("/figures.json")
def get_figures() -> Response:
    """Answer the figures that the page goes on asking for."""
    return jsonify(_figures())


@admin.post("/catalogue")
def begin_upload() -> tuple[Response, int]:
    """Begin to upload a catalogue."""
    said = request.get_json(silent=True) or {}
    name, size = said.get("name"), said.get("size")
    if not isinstance(name, str) or not isinstance(size, int) or isinstance(size, bool):
        raise InvalidRequest("A catalogue has a name and a size.", hint='Send {"name", "size"}.')
    encoding = str(said.get("encoding", "utf-8"))
    return jsonify(_uploads().begin(name, size, encoding).status()), 201


@admin.put("/catalogue/<upload_id>")
def receive_piece(upload_id: str) -> Response:
    """Take a piece of a catalogue, which goes on at the byte ``at``."""
    if request.mimetype != BYTES:
        raise UnsupportedMediaType("A piece of a catalogue is bytes.", hint=f"Send {BYTES}.")
    at = request.args.get("at", -1, int)
    data = request.get_data(cache=False)
    if not 0 < len(data) <= PIECE:
        raise InvalidRequest("A piece is too large, or empty.", hint=f"Send at most {PIECE} bytes.")
    return jsonify(_uploads().receive(upload_id, at, data))


@admin.get("/catalogue/<upload_id>")
def get_upload(upload_id: str) -> Response:
    """Answer where a catalogue is."""
    return jsonify(without_paths(_uploads().get(upload_id).status()))


@admin.post("/catalogue/<upload_id>/<any('plan', 'sync', 'sync-with-removals', 'stop'):work>")
def work_on_upload(upload_id: str, work: str) -> tuple[Response, int]:
    """Plan what a catalogue would change, do it, or stop."""
    said = _uploads().start(upload_id, work) if work in WORKS else _uploads().stop(upload_id)
    return jsonify(without_paths(said)), 202


def _is_admin() -> bool:
    """Tell whether somebody asks who has signed in with a key that this page takes."""
    return caller().by_cookie and may("admin")


def _uploads() -> Uploads:
    uploads: Uploads = current_app.extensions["lookalike.uploads"]
    return uploads


def _figures() -> dict[str, Any]:
    holder: EngineHolder = current_app.extensions["lookalike.engine"]
    found = figures(current_metrics(), holder)
    found["index"] = without_paths(found["index"])
    return found


def _why_not() -> str:
    holder: EngineHolder = current_app.extensions["lookalike.engine"]
    try:
        holder.get()
    except LookalikeError as error:
        return error.message
    return ""


def _failures(page: int) -> list[dict[str, Any]]:
    """Return one page of what was rejected, and one more where there is a next page."""
    try:
        with Catalog(current_settings().index) as catalog:
            start = page * FAILURES
            rows = list(islice(catalog.failures(), start, start + FAILURES + 1))
    except IndexNotReady:
        return []
    return [_shown(row) for row in rows]


def _shown(row: Failure) -> dict[str, Any]:
    name = str(without_paths(row.uri))
    return {
        "listing": row.listing,
        "picture": name,
        "reason": row.reason,
        "origin": without_paths(row.origin),
        "src": _preview(row),
    }


def _preview(row: Failure) -> str | None:
    """Return where the picture would be shown, if it can be drawn all the same."""
    holder: EngineHolder = current_app.extensions["lookalike.engine"]
    try:
        listing, _keys = holder.get().listing(row.listing)
    except LookalikeError:
        return None
    uris = [picture.uri for picture in listing.pictures]
    return preview_url(row.listing, uris.index(row.uri)) if row.uri in uris else None


def _words() -> dict[str, str | list[str]]:
    """Return what the page's script says."""
    return {
        "admin.receiving": _("Sending the catalogue…"),
        "admin.received": _("Looking at what it would change…"),
        "admin.running": _("Under way…"),
        "admin.planned": _("Nothing has been changed yet."),
        "admin.done": _("Done."),
        "admin.stopped": _("Stopped. What was embedded is kept; start again to go on."),
        "admin.failed": _("It failed, and nothing is lost."),
        "admin.plan": _(
            "{added} added, {changed} changed, {removed} removed, {unchanged} unchanged."
        ),
        "admin.rejected": [_("One picture is rejected."), _("{count} pictures are rejected.")],
        "admin.of": _("{done} of {total}"),
        "admin.so-far": _("{done} so far"),
        "admin.rate": _("{rate} a second"),
        "admin.left": _("{seconds} s left"),
        "admin.minutes-left": _("{minutes} min left"),
        "admin.refused": _("The server did not take it."),
        "admin.chart": _("{name}: median {median} ms, 95 of 100 within {high} ms"),
        "admin.quiet": _("{name}: nothing was asked just now"),
    }
