"""Who may do what: keys, scopes, settings, and what is never told."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.conftest import Client, FakeEngine
from tests.web.keyed import bearer, key_for
from web.access import scopes as access
from web.access.admission import admission
from web.access.key_making import revoke_key
from web.access.keys import SCOPES, keys_file
from web.access.scopes import NEEDED, client, needed
from web.app import create_app
from web.settings import Settings

FAR = {"REMOTE_ADDR": "192.0.2.1"}

Make = Callable[..., tuple[Settings, FlaskClient]]


@pytest.fixture
def make(tmp_path: Path, engine: FakeEngine) -> Make:
    """Make a server with some settings; its client is on another machine."""

    def made(**given: object) -> tuple[Settings, FlaskClient]:
        settings = Settings(index=tmp_path / "index", **given)  # type: ignore[arg-type]
        app = create_app(settings, engine=engine)
        app.test_client_class = Client
        client = app.test_client()
        client.environ_base.update(FAR)
        return settings, client

    return made


def write(client: FlaskClient, key: str = "", **more: object) -> TestResponse:
    headers = bearer(key) if key else {}
    return client.delete("/api/v1/listings/none", headers=headers, **more)  # type: ignore[arg-type]


def test_every_route_says_what_it_needs(app: Flask) -> None:
    there = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert there == set(NEEDED), "web.access.scopes.NEEDED says it"


def test_what_changes_something_is_not_open(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(("writing.", "admin.")):
            assert NEEDED[rule.endpoint] == rule.endpoint.partition(".")[0].replace(
                "writing", "write"
            )
        elif rule.methods is not None and rule.methods & {"PUT", "PATCH", "DELETE"}:
            raise AssertionError(f"{rule.endpoint} changes something")


def test_a_route_that_was_forgotten_is_closed(make: Make) -> None:
    settings, client = make(reads="keys")
    application = client.application
    application.add_url_rule("/forgotten", "forgotten", lambda: "x", methods=["GET", "POST"])
    reader, admin = (bearer(key_for(settings, scope)) for scope in ("read", "admin"))
    assert client.get("/forgotten").status_code == 401
    assert client.get("/forgotten", headers=reader).status_code == 200
    assert client.post("/forgotten", headers=reader).status_code == 403
    assert client.post("/forgotten", headers=admin).status_code == 200


@pytest.mark.parametrize(
    ("path", "least"),
    [("/api/v1/listings/p1", "read"), ("/listings/p1", "read"), ("/admin", "admin")],
)
def test_a_scope_is_enough_or_not(make: Make, path: str, least: str) -> None:
    settings, client = make(reads="keys")
    for scope in SCOPES:
        answer = client.get(path, headers=bearer(key_for(settings, scope)))
        enough = SCOPES.index(scope) >= SCOPES.index(least)  # type: ignore[arg-type]
        assert (answer.status_code < 400) == enough
        if not enough:
            assert answer.status_code == 403


OPEN = ("/health", "/ready", "/static/app.css", "/sign-in", "/api/v1/openapi.json", "/api/v1/docs")


def test_what_is_always_open(make: Make) -> None:
    settings, client = make(reads="keys", writes="off", metrics="off", public=True)
    key_for(settings, "admin")
    for path in OPEN:
        assert client.get(path).status_code == 200
        assert client.get(path, headers=bearer("lk_nonsense")).status_code == 200


def test_reading_with_keys(make: Make) -> None:
    settings, client = make(reads="keys")
    for hint in ("lookalike keys add NAME --scope read", "Authorization: Bearer KEY"):
        answer = client.get("/api/v1/listings/p1")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json["error"]["code"] == "unauthorized"
        assert hint in answer.json["error"]["hint"]
        key = key_for(settings, "read", hint)
    photo = {"image": (io.BytesIO(b"x"), "a.jpg")}
    assert client.post("/api/v1/search", data=photo).status_code == 401
    assert client.get("/api/v1/listings/p1", headers=bearer(key)).status_code == 200
    assert client.options("/api/v1/listings/p1").status_code == 200  # browsers ask without a key


def test_only_people_are_sent_to_sign_in(make: Make) -> None:
    _, client = make(reads="keys")
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = client.get("/map?a=b", headers=browser)
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/map?a%3Db")
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.post("/search", headers=browser).location == "/sign-in?next=/"
    picture = {"Accept": "image/avif,image/webp,*/*;q=0.8"}
    assert client.get("/listings/p1/pictures/0", headers=picture).status_code == 401
    assert client.get("/map", headers={**browser, "X-Lookalike-Fragment": "1"}).status_code == 401
    assert client.get("/strip/p1", headers=browser).status_code == 401
    assert client.get("/api/v1/status", headers=browser).status_code == 401
    assert client.get("/nowhere", headers=browser).status_code == 404


def test_what_takes_a_key_stays_out_of_shared_caches(make: Make) -> None:
    settings, client = make(reads="keys")
    headers = bearer(key_for(settings, "read"))
    shown = client.get("/api/v1/listings/p1", headers=headers).json["thumbnail_url"]
    cache = client.get(shown, headers=headers).cache_control
    assert cache.private and not cache.public
    _, everyone = make()
    assert everyone.get(shown).cache_control.public
    assert client.get("/static/app.css", headers=headers).status_code == 200


def test_writing_without_any_key_is_for_this_machine(make: Make) -> None:
    _, client = make()
    assert write(client).status_code == 403
    assert write(client, environ_overrides={"REMOTE_ADDR": "127.0.0.1"}).status_code != 403
    # A client that has a key for another server is no worse off than without.
    assert write(client, "lk_nonsense").status_code == 403


def test_writing_with_keys(make: Make) -> None:
    settings, client = make()
    reader = key_for(settings, "read")
    here = {"REMOTE_ADDR": "127.0.0.1"}
    assert write(client, environ_overrides=here).status_code == 401  # nearness is no key
    assert write(client, reader, environ_overrides=here).status_code == 403
    for scope in ("write", "admin"):
        assert write(client, key_for(settings, scope)).status_code not in (401, 403)  # type: ignore[arg-type]


def test_other_settings_of_writing(make: Make) -> None:
    settings, near = make(writes="loopback")
    admin = key_for(settings, "admin")
    assert write(near, admin).status_code == 403
    assert write(near, environ_overrides={"REMOTE_ADDR": "::1"}).status_code not in (401, 403)
    _, off = make(writes="off")
    for where in FAR, {"REMOTE_ADDR": "127.0.0.1"}:
        answer = write(off, admin, environ_overrides=where)
        assert answer.status_code == 403
        assert "LOOKALIKE_WRITES=off" in answer.json["error"]["hint"]


def test_a_key_that_is_none_is_refused_even_where_all_may_read(make: Make) -> None:
    settings, client = make()
    good = key_for(settings, "read", "good")
    over = key_for(settings, "read", "over", expires=datetime.now(UTC) - timedelta(days=1))
    assert client.get("/api/v1/listings/p1").status_code == 200
    assert client.get("/api/v1/listings/p1", headers=bearer(good)).status_code == 200
    for wrong in (over, good[:-1], good + "x", "", "x y", "\xff"):
        answer = client.get("/api/v1/listings/p1", headers=bearer(wrong))
        assert answer.status_code == 401
    # What a proxy asks of people is not for us.
    basic = {"Authorization": "Basic dXNlcjpwYXNz"}
    assert client.get("/api/v1/listings/p1", headers=basic).status_code == 200


def test_a_revoked_key_fails_at_the_next_request(make: Make) -> None:
    settings, client = make(reads="keys")
    key_for(settings, "admin")
    headers = bearer(key_for(settings, "read", "shop"))
    assert client.get("/api/v1/listings/p1", headers=headers).status_code == 200
    revoke_key(keys_file(settings.index, None), "shop")
    assert client.get("/api/v1/listings/p1", headers=headers).status_code == 401


def test_damaged_keys_let_nobody_in(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    settings, client = make()
    headers = bearer(key_for(settings, "admin"))
    keys_file(settings.index, None).write_text("{")
    here = {"REMOTE_ADDR": "127.0.0.1"}
    for answer in (
        write(client, environ_overrides=here),
        client.get("/admin", environ_overrides=here),
        client.get("/admin", headers=headers),
        client.get("/api/v1/listings/p1", headers=headers),
    ):
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        assert str(settings.index.parent) not in answer.text
    assert client.get("/api/v1/listings/p1").status_code == 200  # open to all, key or not
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    _, closed = make(reads="keys")
    assert closed.get("/api/v1/listings/p1", environ_overrides=here).status_code == 503


def test_metrics_with_a_key(make: Make) -> None:
    settings, client = make()
    reader, admin = (bearer(key_for(settings, scope)) for scope in ("read", "admin"))
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers=reader).status_code == 403
    assert client.get("/metrics", headers=admin).status_code == 200
    _, off = make(metrics="off")
    assert off.get("/metrics", headers=admin).status_code == 403


def test_who_asks_has_a_name(make: Make) -> None:
    settings, asking = make()
    key = key_for(settings, "read")
    for headers, address, name in (
        (bearer(key), "192.0.2.1", f"key:{key[3:11]}"),
        (bearer(key + "x"), "192.0.2.1", "address:192.0.2.1"),
        ({}, "::ffff:192.0.2.1", "address:192.0.2.1"),
        ({}, "2001:db8:1:2:3::4", "address:2001:db8:1:2::/64"),
    ):
        with asking.application.test_request_context(
            headers=headers, environ_base={"REMOTE_ADDR": address}
        ):
            assert client() == name


def test_no_key_is_ever_told(
    make: Make,
    engine: FakeEngine,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    settings, client = make(reads="keys", rate_search="2 per minute")
    key = key_for(settings, "read")
    secret = key[12:]
    other = key[:-1] + ("A" if key[-1] != "A" else "B")
    answers = [client.get("/nowhere/" + key, headers=bearer(key))]
    for sent in (key, other, key[:40]):
        good = bearer(key)
        form = {"image": (io.BytesIO(b"no picture"), f"{sent}.jpg"), "k": sent}
        answers += [
            client.get("/api/v1/status", headers=bearer(sent)),
            client.get("/api/v1/status", headers={"Authorization": sent}),
            client.get("/api/v1/status", headers={"Authorization": f"Basic {sent}"}),
            client.get("/api/v1/status", headers={"X-Api-Key": sent}),
            client.get(f"/api/v1/status?key={sent}", headers={"Accept": "text/html"}),
            client.get(f"/map?key={sent}", headers={"Accept": "text/html"}),
            client.get(f"/listings/{sent}", headers={"Accept": "text/html"}),
            client.get(f"/api/v1/listings/{sent}", headers=good),
            client.get(f"/api/v1/listings/p1/similar?filter={sent}", headers=good),
            client.get(f"/listings/{sent}", headers=good),
            client.post("/api/v1/search", data=form, headers=good),
            client.post("/api/v1/search", json={"listing_id": sent}, headers=good),
            client.post("/api/v1/search", json={sent: 1}, headers=good),
            client.post("/sign-in", data={"key": sent[:-3], "next": f"/{sent}"}),
            client.get("/sign-in", query_string={"next": f"/{sent}"}),
            client.delete(f"/api/v1/listings/{sent}"),
        ]
    engine.failure = RuntimeError("a fault")
    answers.append(client.get(f"/api/v1/listings/{key}/similar", headers=bearer(key)))
    assert answers[-1].status_code == 500
    assert "lk_" in caplog.text
    captured = capfd.readouterr()
    said = [caplog.text, captured.out, captured.err]
    for answer in answers:  # around what a page says, it links to itself in other languages
        inside = answer.text.partition("<main")[2].partition("</main>")[0]
        said.append(str(answer.headers) + (inside or answer.text))
    for text in said:
        assert secret[:20] not in text
    assert {401, 404, 422} <= {answer.status_code for answer in answers}


@pytest.mark.parametrize(
    ("given", "host", "words"),
    [
        ({}, "127.0.0.1", "Reading: whoever reaches this address."),
        ({}, "127.0.0.1", "Writing: programs on this machine. Keys: none."),
        ({"reads": "keys"}, "0.0.0.0", "Reading: whoever has a key."),
        ({"writes": "off"}, "::1", "Writing: nobody."),
        ({"rate_write": "off"}, "::1", "Limits: 300 searches per minute, 6000 other"),
        (dict.fromkeys(("rate_search", "rate_write", "rate_read"), "off"), "::1", "no rate limits"),
    ],
)
def test_the_start_up_line(make: Make, given: dict[str, object], host: str, words: str) -> None:
    settings, _ = make(**given)
    assert words in admission(settings, host)
    assert "Warning" not in admission(settings, host)


def test_the_start_up_line_knows_the_keys(make: Make) -> None:
    settings, _ = make()
    key_for(settings, "admin")
    key_for(settings, "read", "over", expires=datetime.now(UTC) - timedelta(days=1))
    said = admission(settings, "localhost")
    assert "Writing: whoever has a key with the scope write. Keys: 1 admin, 1 out of date." in said
    keys_file(settings.index, None).write_text("{")
    assert "cannot be read" in admission(settings, "localhost")


def test_reading_open_to_all_is_warned_of(make: Make) -> None:
    settings, _ = make()
    for host in ("0.0.0.0", "::", "192.0.2.1", "shop.example"):
        assert "Warning" in admission(settings, host)
    assert "Warning" not in admission(make(public=True)[0], "0.0.0.0")
    assert "Warning" not in admission(make(reads="keys")[0], "0.0.0.0")


def test_a_setting_that_is_misspelt_is_warned_of(make: Make) -> None:
    settings, _ = make()
    environ = {
        "LOOKALIKE_PUBILC": "on",
        "LOOKALIKE_KEY": "x",
        "LOOKALIKE_READS": "open",
        "LOOKALIKE_CACHE": "/x",
        "LOOKALIKE_REQUIRE_BROWSER": "1",
        "PUBLIC": "on",
    }
    said = admission(settings, "localhost", environ)
    assert said.count("Warning") == 2
    assert "Warning: LOOKALIKE_PUBILC is no setting. Is LOOKALIKE_PUBLIC meant?" in said
    assert "Is LOOKALIKE_KEYS meant?" in said
    assert "Warning" not in admission(settings, "localhost", {})


def test_the_default_of_a_route(app: Flask) -> None:
    assert needed("no.such", "GET") == "read"
    assert needed("no.such", "POST") == "admin"
    assert access.NEEDED["static"] == "open"
