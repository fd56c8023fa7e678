"""Signing in: a key for a cookie, and who may use it how."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from tests.web.conftest import ODD_IDS, Client, FakeEngine
from tests.web.keyed import bearer, key_for
from web.access.key_making import revoke_key
from web.access.keys import NO_KEYS, keys_file
from web.access.signing_in import COOKIE, SECONDS
from web.app import create_app
from web.pages.urls import listing_url
from web.settings import Settings

HTML = {"Accept": "text/html"}

Make = Callable[..., tuple[Settings, FlaskClient]]


@pytest.fixture
def make(tmp_path: Path, engine: FakeEngine) -> Make:
    def made(**given: object) -> tuple[Settings, FlaskClient]:
        settings = Settings(index=tmp_path / "index", **{"reads": "keys", **given})  # type: ignore[arg-type]
        app = create_app(settings, engine=engine)
        app.test_client_class = Client
        return settings, app.test_client()

    return made


def test_in_and_out(make: Make) -> None:
    settings, client = make()
    key = key_for(settings, "read", "Shop & Co")
    asked = client.get("/listings/p1?filter=price%3A1..2", headers=HTML)
    form = client.get(asked.location, headers=HTML)
    following = re.search(r'name="next" value="([^"]*)"', form.text)
    assert following is not None
    assert following[1] == "/listings/p1?filter=price%3A1..2"
    assert "Sign out" not in form.text
    answer = client.post("/sign-in", data={"key": f" {key}\n", "next": following[1]})
    assert (answer.status_code, answer.location) == (303, following[1])
    cookie = answer.headers["Set-Cookie"]
    for word in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={SECONDS}"):
        assert word in cookie
    assert "Secure" not in cookie
    assert key[12:] not in cookie
    page = client.get(following[1], headers=HTML)
    assert page.status_code == 200
    assert "Sign out" in page.text
    assert "Shop &amp; Co" in page.text
    assert client.get("/api/v1/listings/p1").status_code == 200
    assert client.get("/sign-in?next=/map").location == "/map"
    assert client.post("/sign-out").location == "/"
    assert client.get("/", headers=HTML).location == "/sign-in?next=/"


def test_the_cookie_is_for_https_where_there_is_https(make: Make) -> None:
    settings, client = make()
    key = key_for(settings, "read")
    answer = client.post("/sign-in", data={"key": key}, base_url="https://shop.example")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_the_way_back_is_as_it_was(make: Make) -> None:
    settings, client = make()
    client.post("/sign-in", data={"key": key_for(settings, "read")})
    for id_ in ODD_IDS:
        with client.application.test_request_context():
            wanted = listing_url(id_)
        answer = client.application.test_client().get(wanted, headers=HTML)
        back = client.get(client.get(answer.location).location)
        assert (back.status_code, back.request.path) == (200, f"/listings/{id_}")


def test_below_a_prefix(make: Make) -> None:
    settings, client = make()
    key = key_for(settings, "read")
    below = {"SCRIPT_NAME": "/looks"}
    asked = client.get("/map", headers=HTML, environ_overrides=below)
    assert asked.location.startswith("/looks/sign-in?next=/looks/")
    answer = client.post(
        "/sign-in", data={"key": key, "next": "/looks/map"}, environ_overrides=below
    )
    assert answer.location == "/looks/map"
    assert "Path=/looks" in answer.headers["Set-Cookie"]
    outside = client.post("/sign-in", data={"key": key, "next": "/map"}, environ_overrides=below)
    assert outside.location == "/looks/"


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "http:/evil",
        "//[",
        "",
    ],
)
def test_nobody_is_sent_elsewhere(make: Make, place: str) -> None:
    settings, client = make()
    key = key_for(settings, "read")
    assert client.post("/sign-in", data={"key": key, "next": place}).location == "/"
    assert client.get("/sign-in", query_string={"next": place}).location == "/"


def test_a_wrong_key(make: Make) -> None:
    settings, client = make()
    key = key_for(settings, "read")
    for wrong in ("", "x" * 10_000, key[:-1], "<script>"):
        answer = client.post("/sign-in", data={"key": wrong, "next": "/map"})
        assert answer.status_code == 401
        assert "Set-Cookie" not in answer.headers
        assert 'role="alert"' in answer.text
        assert 'value="/map"' in answer.text
        assert "<script>alert" not in answer.text


def test_five_failures_a_minute(make: Make) -> None:
    settings, client = make()
    key = key_for(settings, "read")
    for _ in range(8):  # of an office, say
        assert client.post("/sign-in", data={"key": key}).status_code == 303
    statuses = [client.post("/sign-in", data={"key": "x"}).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    answer = client.post("/sign-in", data={"key": key})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    far = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.post("/sign-in", data={"key": key}, environ_overrides=far).status_code == 303


def test_a_revoked_key_signs_everybody_out(make: Make) -> None:
    settings, client = make()
    key_for(settings, "admin")
    client.post("/sign-in", data={"key": key_for(settings, "read", "shop")})
    assert client.get("/map", headers=HTML).status_code == 200
    revoke_key(keys_file(settings.index, None), "shop")
    assert client.get("/map", headers=HTML).status_code == 303


def test_a_cookie_ends(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, client = make()
    client.post("/sign-in", data={"key": key_for(settings, "read")})
    assert client.get("/map", headers=HTML).status_code == 200
    monkeypatch.setattr("web.access.signing_in.SECONDS", -1)
    assert client.get("/map", headers=HTML).status_code == 303


def test_a_cookie_that_somebody_made_up(make: Make) -> None:
    settings, client = make()
    id_ = key_for(settings, "admin", "boss")[3:11]
    signer = URLSafeTimedSerializer(NO_KEYS.secret, salt="lookalike.sign-in")
    for cookie in (id_, signer.dumps(id_), signer.dumps([1]), "x.y.z", "\xff", "a" * 4000):
        client.set_cookie(COOKIE, cookie)
        assert client.get("/api/v1/status").status_code == 401
    revoke_key(keys_file(settings.index, None), "boss")
    client.set_cookie(COOKIE, signer.dumps(id_))
    assert client.get("/api/v1/status").status_code == 401


def test_other_sites_cannot_use_the_cookie(make: Make) -> None:
    """`SameSite` holds it back already; this holds where a browser does not."""
    settings, client = make()
    client.post("/sign-in", data={"key": key_for(settings, "admin")})
    for foreign in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ):
        for ask in (
            lambda headers: client.delete("/api/v1/listings/none", headers=headers),
            lambda headers: client.post("/search", headers=headers),
            lambda headers: client.post("/admin/catalogue", json={}, headers=headers),
            lambda headers: client.post("/sign-out", headers=headers),
            lambda headers: client.post("/sign-in", data={"key": "x"}, headers=headers),
        ):
            assert ask(foreign).status_code == 403
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.delete("/api/v1/listings/none", headers=own).status_code not in (401, 403)
    # Behind a proxy that does not say that it speaks https, the browser still knows.
    own["Origin"] = "https://localhost"
    assert client.delete("/api/v1/listings/none", headers=own).status_code not in (401, 403)
    # What a program shows by itself is no cookie.
    other = {**bearer(key_for(settings, "admin", "b")), "Origin": "https://evil.example"}
    assert client.delete("/api/v1/listings/none", headers=other).status_code not in (401, 403)


def test_a_link_from_another_site_finds_the_cookie(make: Make) -> None:
    """The first request comes without it; the page then asks by itself, and with it."""
    settings, client = make()
    key_for(settings, "read")
    refresh = '<meta http-equiv="refresh" content="0">'
    cross = {**HTML, "Sec-Fetch-Site": "cross-site"}
    assert refresh in client.get("/sign-in?next=/map", headers=cross).text
    same = {**HTML, "Sec-Fetch-Site": "same-origin"}
    assert refresh not in client.get("/sign-in?next=/map", headers=same).text


def test_a_key_that_is_not_enough(make: Make) -> None:
    settings, client = make(reads="open")
    client.post("/sign-in", data={"key": key_for(settings, "read")})
    answer = client.get("/admin", headers=HTML)
    assert answer.status_code == 403
    assert "Sign out" in answer.text


def test_without_any_key_it_says_how_to_make_one(make: Make) -> None:
    _, client = make(reads="open")
    asked = client.get("/admin", headers=HTML)
    assert asked.location == "/sign-in?next=/admin"
    page = client.get(asked.location)
    assert "lookalike keys add NAME --scope admin" in page.text
    assert 'type="password"' not in page.text
    assert client.get("/admin").status_code == 401


def test_damaged_keys(make: Make) -> None:
    settings, client = make(reads="open")
    client.post("/sign-in", data={"key": key_for(settings, "admin")})
    keys_file(settings.index, None).write_text("{")
    assert client.get("/admin", headers=HTML).status_code == 503
    assert client.get("/sign-in").status_code == 503
    assert client.post("/sign-in", data={"key": "x"}).status_code == 503
