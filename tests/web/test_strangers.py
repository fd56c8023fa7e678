"""What a public server tells strangers of what went wrong, and what those who run it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from indexer.errors import (
    IndexBusy,
    IndexDamaged,
    IndexNotReady,
    IndexReplaced,
    IndexVersionError,
    LookalikeError,
    MissingExtra,
    NetworkMismatch,
    PictureError,
    PictureTypeError,
    StorageError,
)
from tests.web.conftest import FakeEngine
from tests.web.keyed import bearer, key_for
from web.access.strangers import MORE, OPERATORS, fit_for_strangers
from web.app import create_app
from web.settings import Settings

STRANGER = {"REMOTE_ADDR": "203.0.113.9"}
THROUGH_A_PROXY = {"HTTP_X_FORWARDED_FOR": "203.0.113.9"}

SECRETS = ("/srv", "lookalike ", "LOOKALIKE_", "pip", "1.2.3", "--index", "log", "disk")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(index=tmp_path / "index", public=True)


def told(client: FlaskClient, **more: object) -> dict[str, str]:
    answer = client.get("/api/v1/listings/a", **more)  # type: ignore[arg-type]
    error: dict[str, str] = answer.json["error"]
    return {**error, "status": str(answer.status_code)}


FAULTS = (
    IndexDamaged("/srv/index/catalog.db cannot be used (sqlite 1.2.3).", hint="lookalike verify."),
    IndexVersionError("It is of format 9.", hint="Upgrade with: pip install --upgrade lookalike"),
    StorageError.of(OSError(28, "No space left on device"), Path("/srv/index")),
    MissingExtra("HEIC pictures", "heic"),
    NetworkMismatch("The index in /srv/index is of 1.2.3.", hint="Index with --index DIR."),
    PictureError("/srv/x cannot be read.", hint="See why with: lookalike status --failures"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_strangers_hear_that_something_is_wrong_and_not_what(
    client: FlaskClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, fault: LookalikeError
) -> None:
    def fail(_: str) -> None:
        raise fault

    monkeypatch.setattr(engine, "listing", fail)
    for who in (STRANGER, THROUGH_A_PROXY):
        said = told(client, environ_overrides=who)
        assert said["status"] == str(fault.status)
        if fault.status >= 500:
            assert said["code"] == "unavailable"
        assert said["message"]
        assert said["hint"]
        text = " ".join((said["message"], said["hint"]))
        assert not [secret for secret in SECRETS if secret in text], text
        page = client.get("/listings/a", environ_overrides=who).text
        assert not [secret for secret in SECRETS[:3] if secret in page]
        assert said["message"].replace("'", "&#39;") in page


def test_faults_that_pass_are_told_apart(client: FlaskClient, engine: FakeEngine) -> None:
    for fault, hint in (
        (IndexNotReady("There is no index in /srv.", hint="lookalike index"), "Try again later."),
        (IndexReplaced("Another is in /srv."), "Try again in a few seconds."),
        (IndexBusy("The index is being tidied up.", hint="Try again."), "Try again."),
    ):
        engine.failure = fault
        body = {"listing_id": "red-0"}
        answer = client.post("/api/v1/search", json=body, environ_overrides=STRANGER)
        assert answer.json["error"]["code"] == fault.code
        assert answer.json["error"]["hint"] == hint
        assert answer.headers["Retry-After"]


def test_those_who_run_it_hear_more(
    client: FlaskClient, engine: FakeEngine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise IndexVersionError("It is of format 9.")

    monkeypatch.setattr(engine, "listing", fail)
    here = told(client)
    assert here["code"] == "index_too_new"
    assert here["hint"] == "Update this server."
    for scope, code in (("admin", "index_too_new"), ("write", "unavailable")):
        headers = bearer(key_for(settings, scope))  # type: ignore[arg-type]
        said = told(client, headers=headers, environ_overrides=STRANGER)
        assert said["code"] == code, scope


def test_where_it_is_not_public_everyone_is_told_alike(
    settings: Settings, engine: FakeEngine
) -> None:
    client = create_app(replace(settings, public=False), engine=engine).test_client()
    refused = client.delete("/api/v1/listings/a", environ_overrides=STRANGER)
    assert "lookalike keys add" in refused.json["error"]["hint"]
    for who in (STRANGER, {}):
        status = client.get("/api/v1/status", environ_overrides=who)
        assert status.json["version"]


def test_what_is_wrong_with_a_request_is_told_in_full(client: FlaskClient) -> None:
    for body, said in (
        ({"listing_id": "red-0", "filter": "(/srv/x/y"}, "/srv/x/y"),
        ({"listing_id": "red-0", "/srv/x/": 1}, "/srv/x/"),
        ({"listing_id": "/srv/x/ --index"}, "/srv/x/ --index"),
    ):
        told = [
            client.post("/api/v1/search", json=body, environ_overrides=who).json["error"]
            for who in (STRANGER, {})
        ]
        assert said in told[0]["message"]
        assert told[0]["message"] == told[1]["message"]


def test_how_to_make_a_key_is_told_to_who_can(client: FlaskClient) -> None:
    hint = client.delete("/api/v1/listings/a", environ_overrides=STRANGER).json["error"]["hint"]
    assert hint
    assert not OPERATORS.search(hint)
    assert "lookalike keys add" in client.get("/sign-in").text
    assert "lookalike keys add" not in client.get("/sign-in", environ_overrides=STRANGER).text


def test_the_version_is_told_to_who_runs_it(client: FlaskClient) -> None:
    assert client.get("/api/v1/status").json["version"]
    assert client.get("/api/v1/status", environ_overrides=STRANGER).json["version"] == ""


@pytest.mark.parametrize("url", ["/", "/map"])
def test_strangers_wait_for_the_first_index(settings: Settings, url: str) -> None:
    client = create_app(settings).test_client()
    here = client.get(url)
    assert here.status_code == 503
    assert "lookalike index" in here.text
    answer = client.get(url, environ_overrides=STRANGER)
    assert answer.status_code == 503
    assert "Nothing is indexed yet." in answer.text
    assert "lookalike index" not in answer.text


def test_a_fault_of_the_program_has_an_id_to_report(
    client: FlaskClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("/srv/secret, libfoo 1.2.3")

    monkeypatch.setattr(engine, "listing", fail)
    answer = client.get("/api/v1/listings/a", environ_overrides=STRANGER)
    assert answer.headers["X-Request-Id"] in answer.json["error"]["hint"]
    assert "1.2.3" not in answer.text


@pytest.mark.parametrize(
    ("hint", "left"),
    [
        ("", ""),
        ("Check the address.", "Check the address."),
        ("Index a catalogue with: lookalike index CATALOG", MORE),
        ("Try again. See LOOKALIKE_QUEUE.", "Try again."),
        (
            "Give it as JPEG or PNG, or have it: pip install 'lookalike[heic]'",
            "Give it as JPEG or PNG.",
        ),
        (
            "Ask POST /api/v1/search, or http://127.0.0.1:8000/a/b.",
            "Ask POST /api/v1/search, or http://127.0.0.1:8000/a/b.",
        ),
        ("Send image/jpeg as multipart/form-data.", "Send image/jpeg as multipart/form-data."),
        ("Look into /var/log/x.", MORE),
        ("Look into C:\\logs.", MORE),
    ],
)
def test_hints_for_strangers(hint: str, left: str) -> None:
    assert fit_for_strangers(hint) == left


def test_a_hint_for_a_photo_keeps_what_the_shopper_can_do(
    client: FlaskClient, engine: FakeEngine
) -> None:
    engine.failure = PictureTypeError(
        "HEIC pictures cannot be read by this installation.",
        hint="Give the picture as JPEG or PNG, or have what reads it installed with:"
        " pip install 'lookalike[heic]'",
    )
    answer = client.post("/api/v1/search", json={"listing_id": "red-0"}, environ_overrides=STRANGER)
    assert answer.json["error"]["hint"] == "Give the picture as JPEG or PNG."
