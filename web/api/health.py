"""Whether the process is alive, and whether it can answer."""

from __future__ import annotations

from flask import Response, jsonify

from web.api.models import HealthAnswer, ReadyAnswer
from web.api.openapi import blueprint, route
from web.engine import current_engine

health = blueprint("health", "For whatever watches the server.")


@route(health, "get", "/health", answers=HealthAnswer)
def get_health() -> Response:
    """Say that the process is alive."""
    return jsonify(HealthAnswer(status="ok").model_dump())


@route(health, "get", "/ready", answers=ReadyAnswer, errors=(503,))
def get_ready() -> Response:
    """Say whether an index is served."""
    current_engine()
    return jsonify(ReadyAnswer(status="ready").model_dump())
