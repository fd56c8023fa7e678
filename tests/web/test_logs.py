"""What the server writes on stderr."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from indexer.errors import UsageError
from tests.web.conftest import Client, FakeEngine
from tests.web.keyed import bearer, key_for
from web.app import create_app
from web.monitoring import logs
from web.settings import Settings

log = logging.getLogger("web.tests")

SetUp = Callable[[str], io.StringIO]

TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ [a-z.]+: .+")


@pytest.fixture
def set_up(tmp_path: Path) -> Iterator[SetUp]:
    root = logging.getLogger()
    before, level = list(root.handlers), logs.SERVER.level

    def begin(log_format: str) -> io.StringIO:
        stream = io.StringIO()
        logs.set_up(Settings(index=tmp_path / "index", log_format=log_format), stream)
        return stream

    yield begin
    root.handlers[:] = before
    logs.SERVER.setLevel(level)
    logging.captureWarnings(False)


def said(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_lines_are_for_people(set_up: SetUp) -> None:
    stream = set_up("text")
    log.warning("The disk is %s.", "full")
    (line,) = said(stream)
    assert TEXT.fullmatch(line)
    assert line.endswith(" WARNING web.tests: The disk is full.")


def test_lines_are_for_programs(set_up: SetUp) -> None:
    stream = set_up("json")
    log.error("The disk is full: größe.")
    told = json.loads(said(stream)[0])
    assert datetime.fromisoformat(told.pop("time")).utcoffset() is not None
    assert told == {"level": "ERROR", "logger": "web.tests", "message": "The disk is full: größe."}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nobody_writes_lines_of_their_own(set_up: SetUp, log_format: str) -> None:
    stream = set_up(log_format)
    log.warning("No %s.", "a\nb\r2026-01-01 ERROR c\x1b[31m\u2028d")
    assert len(stream.getvalue().split("\n")) == 2
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u2028]", stream.getvalue())


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_line_has_a_key(set_up: SetUp, settings: Settings, log_format: str) -> None:
    stream = set_up(log_format)
    key = key_for(settings, "read")
    try:
        int(key)
    except ValueError:
        log.exception("What is %s?", key)
    assert key[12:] not in stream.getvalue()
    assert stream.getvalue().count(f"{key[:11]}_...") >= 2


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_tracebacks_are_there(set_up: SetUp, log_format: str) -> None:
    stream = set_up(log_format)
    try:
        int("broken")
    except ValueError:
        log.exception("It failed.")
    if log_format == "json":
        (line,) = said(stream)
        assert "ValueError: invalid" in json.loads(line)["traceback"]
    else:
        assert said(stream)[-1].startswith("ValueError: invalid")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_warnings_of_libraries_are_told_in_the_same_way(set_up: SetUp, log_format: str) -> None:
    stream = set_up(log_format)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("It is old.", stacklevel=1)
        logging.captureWarnings(False)
    line = stream.getvalue()
    assert "It is old." in line
    assert line.count("\n") == 1
    assert "py.warnings" in line


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_where_the_server_is(
    set_up: SetUp, settings: Settings, capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    stream = set_up(log_format)
    object.__setattr__(settings, "log_format", log_format)
    logs.say("It is here.\nWarning: it is open.", settings)
    if log_format == "json":
        assert json.loads(said(stream)[0])["message"] == "It is here.\nWarning: it is open."
    else:  # what people read, and scripts look for, stays a sentence
        assert stream.getvalue() == ""
        assert capsys.readouterr().err == "It is here.\nWarning: it is open.\n"


def test_set_up_again_takes_the_place_of_before(set_up: SetUp) -> None:
    before, after = set_up("json"), set_up("text")
    log.warning("Once.")
    assert before.getvalue() == ""
    assert len(said(after)) == 1


def test_it_is_stderr(
    set_up: SetUp, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up("text")
    logs.set_up(settings)
    log.warning("Look.")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("Look.\n")


@pytest.fixture
def noting(app: Flask) -> Flask:
    @app.get("/note")
    def note() -> str:
        log.warning("Noted.")
        return "noted"

    return app


def test_the_request_is_named(noting: Flask, set_up: SetUp) -> None:
    client = noting.test_client()
    stream = set_up("json")
    name = client.get("/note").headers["X-Request-ID"]
    client.get("/note", headers={"X-Request-ID": "order-7"})
    log.warning("Between requests.")
    told = [json.loads(line) for line in said(stream)]
    assert [one.get("request_id") for one in told] == [name, "order-7", None]
    stream = set_up("text")
    client.get("/note", headers={"X-Request-ID": "order-7"})
    assert said(stream)[0].endswith("Noted. [order-7]")


def test_what_failed_is_told_without_what_was_sent(
    tmp_path: Path, engine: FakeEngine, photo: bytes, set_up: SetUp
) -> None:
    settings = Settings(index=tmp_path / "index")
    key = key_for(settings, "admin")
    app = create_app(settings, engine=engine)
    app.test_client_class = Client
    stream = set_up("json")
    engine.failure = RuntimeError("broken")
    answer = app.test_client().post(
        "/api/v1/search?secret=word",
        data={"image": (io.BytesIO(photo), "holiday.jpg")},
        headers=bearer(key),
    )
    assert answer.status_code == 500
    (line,) = said(stream)
    told = json.loads(line)
    assert told["level"] == "ERROR"
    assert told["request_id"] == answer.headers["X-Request-ID"]
    for private in ("secret", "holiday", key[12:], "JFIF"):
        assert private not in line


def test_the_format_is_one_of_two() -> None:
    with pytest.raises(UsageError, match="log_format"):
        Settings(log_format="xml")
