"""One shape of error, on every route that there is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.web.conftest import FakeEngine
from web.answers.headers import HEADERS
from web.answers.wanted import FRAGMENT
from web.api.models import ErrorAnswer

JSON_ROUTES = ("/api/", "/health", "/ready", "/metrics", "/admin/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def url_of(rule: Rule) -> str:
    """Fill a rule's places with what is nowhere."""
    known = {"position": 7, "number": 7, "work": "plan"}
    values = {name: known.get(name, "nowhere") for name in rule.arguments}
    built = rule.build(values, append_unknown=False)
    assert built is not None
    return str(built[1])


def every_request(app: Flask) -> Iterator[tuple[str, str]]:
    for rule, method in itertools.product(app.url_map.iter_rules(), METHODS):
        yield method, url_of(rule)
    for path in ("/nowhere", "/api/nowhere", "/api/v1/", "/listings/", "/static/nowhere.css"):
        yield "GET", path


FRAMING = ("Content-Security-Policy", "X-Frame-Options")


def test_every_route_has_one_shape_of_error(app: Flask, client: FlaskClient) -> None:
    failed = 0
    for method, url in every_request(app):
        response = client.open(url, method=method)
        for name, value in HEADERS.items():
            # The strip may be framed where a setting says so, and has a policy of its own.
            if not url.startswith("/strip/") or name not in FRAMING:
                assert response.headers[name] == value, (method, url)
        if response.status_code < 400:
            continue
        failed += 1
        assert "Traceback" not in response.text
        if url.startswith(JSON_ROUTES):
            assert response.mimetype == "application/json", (method, url)
            body = ErrorAnswer.model_validate(response.json, extra="forbid")
            assert body.error.message
        else:
            assert response.mimetype == "text/html", (method, url)
            # In somebody else's page an error is not worth showing; signing in says its own.
            said = f"Error {response.status_code}" in response.text
            assert said or url.startswith(("/strip/", "/sign-in")), (method, url)
    assert failed > 40


def test_every_route_has_one_shape_of_fault(
    app: Flask, client: FlaskClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret word")

    for name in ("search", "listing", "sample", "status", "thumbnail", "picture"):
        monkeypatch.setattr(engine, name, fail)
    for url in ("/", "/listings/a", "/thumbnails/ab.jpg", "/api/v1/status", "/api/v1/listings/a"):
        response = client.get(url)
        assert response.status_code == 500
        assert "Something went wrong here." in response.text
        assert "secret" not in response.text


def test_a_page_and_the_api_say_the_same(client: FlaskClient) -> None:
    told = client.get("/api/v1/listings/none").json["error"]["message"]
    assert told.replace("'", "&#39;") in client.get("/listings/none").text


def test_the_script_gets_an_error_it_can_show_in_place(client: FlaskClient) -> None:
    response = client.post("/search", headers={FRAGMENT: "1"}, data={"k": "1"})
    assert response.status_code == 415
    assert 'role="alert"' in response.text
    assert "<html" not in response.text
