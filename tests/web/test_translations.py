"""What pages say in Japanese: every phrase, and no English among it."""

from __future__ import annotations

import ast
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.conftest import FakeEngine, drawn
from tests.web.keyed import bearer, key_for
from web.answers.wanted import FRAGMENT
from web.app import create_app
from web.pages.languages import LANGUAGES
from web.pages.told_words import TOLD, told
from web.pages.wording import closeness, price
from web.settings import Settings

ROOT = Path(__file__).parents[2]
PO = ROOT / "web/translations/ja/LC_MESSAGES/messages.po"
PLACE = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
JA = {"Accept-Language": "ja"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="ja")


def phrases(message: Message) -> tuple[str, ...]:
    return message.id if isinstance(message.id, tuple) else (message.id,)


def said(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def collected() -> set[tuple[str | None, str]]:
    """Collect what pages say as `make translations` does."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    keywords = re.search(r"-k '([^']+)'", (ROOT / "Makefile").read_text())
    assert keywords is not None
    found = extract_from_dir(
        ROOT / "web", methods, options, DEFAULT_KEYWORDS | parse_keywords(keywords[1].split())
    )
    return {
        (context, text if isinstance(text, str) else text[0])
        for _file, _line, text, _comments, context in found
    }


# The catalogue


def test_every_phrase_is_there_and_none_that_is_not_said(catalog: Catalog) -> None:
    there = {(one.context, phrases(one)[0]) for one in catalog if one.id}
    assert there == collected(), "Run `make translations`, and translate what is new."


def test_every_phrase_is_translated(catalog: Catalog) -> None:
    assert catalog.num_plurals == 1
    for one in catalog:
        if one.id:
            assert all(said(one)), one.id
            assert not one.fuzzy, one.id


def test_the_same_is_put_into_a_phrase_in_either_language(catalog: Catalog) -> None:
    for one in catalog:
        for text in said(one) if one.id else ():
            expected = set(PLACE.findall(phrases(one)[-1]))
            # A sign of percent would be read as the beginning of a place.
            assert "%" not in PLACE.sub("", text), one.id
            # Of HEIC, what the operator could install is left out.
            assert set(PLACE.findall(text)) == expected - {("", "rest")}, one.id


def test_no_singular_has_two_plurals() -> None:
    # gettext knows a pair by its singular.
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    plurals: dict[str, str] = {}
    for _file, _line, text, _comments, _context in extract_from_dir(ROOT / "web", methods, options):
        if isinstance(text, tuple):
            assert plurals.setdefault(text[0], text[1]) == text[1]


def test_what_is_read_is_what_is_written(catalog: Catalog) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    assert PO.with_suffix(".mo").read_bytes() == compiled.getvalue(), "Run `make translations`."


# Errors


def literals() -> Iterator[re.Pattern[str]]:
    """Every text of the program, with anything where it has a value."""
    for package in ("indexer", "search", "web"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name == "told_words.py":
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Constant(value=str() as text) if " " in text or text[-1:] == ".":
                        yield re.compile(
                            ".*".join(map(re.escape, re.split(r"\{\w+\}", text.strip())))
                        )
                    case ast.JoinedStr(values=values):
                        parts = [
                            re.escape(str(one.value)) if isinstance(one, ast.Constant) else ".*"
                            for one in values
                        ]
                        if sum(len(one) for one in parts) > 18:
                            yield re.compile("".join(parts))


def test_errors_that_are_told_can_happen() -> None:
    known = list(literals())
    parts = ("text", "{count} megapixels", "Give the picture as JPEG or PNG, or have {rest}")
    for text in set(TOLD) - set(parts):
        # One hint is made of two.
        for sentence in re.split(r"(?<=\.) (?=Search again)", text):
            example = PLACE.sub("x", sentence)
            assert any(one.fullmatch(example) for one in known), text


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        ("", ""),
        ("Nobody knows this one.", "Nobody knows this one."),
        ("The file is empty.", "ファイルが空です。"),
        ("There is no listing 'p1'.", "商品'p1'はありません。"),
        (
            "The file is a PDF document, not a picture of a supported kind.",
            "このファイルはPDF文書です。対応している画像ではありません。",
        ),
        ("Try again in 3 seconds.", "3秒後に、もう一度お試しください。"),
    ],
)
def test_errors_are_told_in_japanese(app: Flask, english: str, japanese: str) -> None:
    with app.test_request_context(headers=JA):
        assert told(english) == japanese
    with app.test_request_context():
        assert told(english) == english


def test_numbers_in_japanese(app: Flask) -> None:
    with app.test_request_context(headers=JA):
        assert price(1500, "JPY") == "1,500円"
        assert price(1299, "EUR") == "€1,299.00"
        assert closeness(0.6) == "近い"


# Pages


@pytest.fixture(scope="module")
def english(catalog: Catalog) -> set[str]:
    """Whatever of English phrases has more than one word."""
    pieces = {piece for one in catalog if one.id for text in phrases(one) for piece in cut(text)}
    return {piece for piece in pieces if len(re.findall(r"[A-Za-z]{2,}", piece)) > 1}


def cut(text: str) -> list[str]:
    return [piece.strip() for piece in re.split(r"%\(\w+\)[sd]|\{\w+\}", text)]


def read(answer: TestResponse) -> str:
    assert answer.status_code < 500
    return answer.text


def searched(client: FlaskClient, **more: str) -> str:
    data = {"image": (io.BytesIO(drawn((200, 60, 40))), "a.jpg"), **more}
    return read(client.post("/search", data=data, headers=JA))


def pages(client: FlaskClient, engine: FakeEngine) -> Iterator[tuple[str, str]]:
    for address in (
        "/",
        "/listings/p1",
        "/listings/p1?filter=category:shoes&sort=price",
        "/listings/p1?filter=category:shoes&sort=-price",
        "/listings/p1?filter=price:1..2",
        "/listings/p1?filter=((",
        "/listings/p1?min.price=x",
        "/listings/remote",
        "/listings/gone",
        "/listings/none",
        "/listings/p1/why/p2",
        "/like",
        "/like?like=p1&like=none&unlike=p2",
        "/like?unlike=p2",
        "/map",
        "/sign-in",
        "/strip/p1",
        "/nothing/here",
    ):
        yield address, read(client.get(address, headers=JA))
    yield "results", searched(client)
    yield "part marked", searched(client, region="0.1,0.1,0.5,0.5")
    yield "no photo", read(client.post("/search", data={}, headers=JA))
    bad = {"image": (io.BytesIO(b"%PDF-1.4"), "a.jpg")}
    yield "no picture", read(client.post("/search", data=bad, headers=JA))
    engine.close_match = False
    yield "nothing close", searched(client)
    yield "a listing with nothing close", read(client.get("/listings/p1", headers=JA))
    data = {"image": (io.BytesIO(drawn((200, 60, 40))), "a.jpg")}
    made = client.post(
        "/share", data=data, headers={**JA, FRAGMENT: "1", "Sec-Fetch-Site": "same-origin"}
    )
    yield "sharing", read(made)
    address = re.search(r'value="[^"]*(/s/[^"]+)"', read(made))
    assert address is not None
    yield "shared", read(client.get(address[1], headers=JA))


@pytest.mark.usefixtures("ready")
def test_japanese_pages_have_no_english(
    client: FlaskClient, engine: FakeEngine, settings: Settings, english: set[str]
) -> None:
    shown = dict(pages(client, engine))
    admin = bearer(key_for(settings, "admin"))
    shown["admin"] = read(client.get("/admin", headers={**JA, **admin}))
    shown["sign-in with keys"] = read(client.get("/sign-in", headers=JA))
    shown["wrong key"] = read(client.post("/sign-in", data={"key": "x"}, headers=JA))
    for name, text in shown.items():
        if "<html" in text:
            assert '<html lang="ja"' in text, name
        found = [piece for piece in english if piece in html.unescape(text)]
        assert not found, name


def test_the_page_before_there_is_an_index(settings: Settings, english: set[str]) -> None:
    answer = create_app(settings).test_client().get("/", headers=JA)
    assert answer.status_code == 503
    text = answer.text
    assert "lookalike index CATALOG" in text
    assert not [piece for piece in english if piece in html.unescape(text)]


def test_every_language_but_english_has_a_catalogue() -> None:
    there = {path.parent.parent.name for path in PO.parents[2].glob("*/LC_MESSAGES/messages.mo")}
    assert there == set(LANGUAGES) - {"en"}
