"""Requests that no browser would send: answered, and never with a fault of the server's."""

from __future__ import annotations

import base64
import functools
from typing import Any
from urllib.parse import quote

from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from indexer.operations import Operation, Written
from tests.fuzz.mutations import broken
from tests.fuzz.running import fuzzed, scratch, watched
from tests.fuzz.texts import ANY, FILTERS, JSON, NUMBERS, ODD, REGIONS, objects, written
from tests.web.conftest import FakeEngine, drawn, new_engine
from web.api.batches import written_lines
from web.app import create_app
from web.settings import Settings

PHOTO = drawn((200, 60, 40), (40, 50))
IN_BASE64 = base64.b64encode(PHOTO).decode()

IDS = st.one_of(st.sampled_from(["p1", "a:b", "script", "gone", "..", "%2e%2e", "a/b", *ODD]), ANY)
NUMBER = st.one_of(st.sampled_from(NUMBERS), st.integers().map(str))
PAGES = (
    "/",
    "/search",
    "/listings/p1",
    "/listings/script",
    "/listings/p1/why",
    "/map",
    "/map/points.json",
)
ARGUMENTS = (
    "filter",
    "min.price",
    "max.price",
    "cursor",
    "lang",
    "k",
    "other",
    "sort",
    "region",
    "x",
)

EXAMPLES = objects(
    {
        "image_base64": st.just(IN_BASE64),
        "image_url": st.sampled_from(
            ["http://10.0.0.1/", "file:///etc/passwd", "http://[::1", *ODD]
        ),
        "listing_id": IDS,
        "region": st.lists(st.floats(), min_size=4, max_size=4),
        "weight": st.floats(),
    }
)
SEARCHES = objects(
    {
        "image_base64": st.just(IN_BASE64),
        "listing_id": IDS,
        "positives": st.lists(EXAMPLES, max_size=3),
        "negatives": st.lists(EXAMPLES, max_size=3),
        "k": st.integers(-1, 2000),
        "filter": FILTERS,
        "region": st.lists(st.floats(0, 1), min_size=4, max_size=4),
        "min_score": st.floats(),
        "facets": st.booleans(),
        "fold_duplicates": st.booleans(),
        "cursor": ANY,
    }
)
LINES = objects(
    {
        "op": st.sampled_from(["put", "patch", "delete", ""]),
        "id": IDS,
        "title": ANY,
        "price": st.floats(),
        "attributes": st.dictionaries(ANY, JSON, max_size=4),
        "image_base64": st.just(IN_BASE64),
        "image_url": st.sampled_from(["http://10.0.0.1/", ["http://[::1]/"], [], ""]),
    }
)


@functools.cache
def app() -> Flask:
    """Return an application on the small engine of coloured squares."""
    engine: FakeEngine = new_engine()
    settings = Settings(index=scratch(), max_upload_bytes=200_000)
    return create_app(settings, engine=engine)


def ask(method: str, url: str, **more: Any) -> TestResponse:
    """Send a request; whatever it is, the answer is no fault of the server's."""
    with watched():
        answer = app().test_client().open(url, method=method, buffered=True, **more)
    assert answer.status_code < 500 or answer.status_code == 503, answer.data
    assert b"Traceback" not in answer.data
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return answer


def escaped(text: str) -> str:
    """Percent-encode a text, lone surrogates as they come."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@fuzzed(150)
@given(
    st.sampled_from(PAGES),
    st.lists(st.tuples(st.sampled_from(ARGUMENTS), st.one_of(FILTERS, NUMBER)), max_size=5),
    st.booleans(),
)
@example("/listings/p1", [("min.price", "1e309"), ("max.price", "nan")], False)
def test_addresses_of_pages(page: str, arguments: list[tuple[str, str]], part: bool) -> None:
    query = "&".join(f"{name}={escaped(value)}" for name, value in arguments)
    headers = {"X-Lookalike-Fragment": "1"} if part else {}
    ask("GET", f"{page}?{query}", headers=headers)


@fuzzed(150)
@given(
    st.sampled_from(
        [
            "/listings/{}",
            "/thumbnails/{}.jpg",
            "/listings/{}/pictures/0",
            "/static/{}",
            "/s/{}",
            "/{}",
        ]
    ),
    st.one_of(IDS, st.text(alphabet="./\\%2eE\0", max_size=12)),
    st.booleans(),
)
@example("/static/{}", "../app.py", False)
@example("/static/{}", "..\\app.py", True)
def test_paths(form: str, name: str, raw: bool) -> None:
    text = quote(name.encode("utf-8", "surrogatepass"), safe="/.\\%") if raw else escaped(name)
    # Two slashes begin a host, for the client of these tests.
    answer = ask("GET", "/" + form.format(text).lstrip("/"))
    assert b"from __future__" not in answer.data


@fuzzed(150)
@given(st.one_of(SEARCHES, JSON))
def test_searches(body: Any) -> None:
    ask("POST", "/api/v1/search", data=written(body), content_type="application/json")


@fuzzed(100)
@given(
    st.binary(max_size=300),
    st.sampled_from(["/api/v1/search", "/search", "/why", "/api/v1/explain"]),
)
def test_bodies_that_are_noise(body: bytes, url: str) -> None:
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        ask("POST", url, data=body, content_type=kind)


FORM = (
    b'--x\r\nContent-Disposition: form-data; name="image"; filename="../../a.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n" + PHOTO + b"\r\n"
    b'--x\r\nContent-Disposition: form-data; name="region"\r\n\r\n0,0,1,1\r\n--x--\r\n'
)


@fuzzed(150)
@given(st.integers(0, 2**48), st.sampled_from(["/search", "/api/v1/search", "/api/v1/listings/p1"]))
def test_broken_forms(number: int, url: str) -> None:
    method = "PUT" if "listings" in url else "POST"
    body = FORM if number == 0 else broken(FORM, number)
    with app().app_context():
        ask(method, url, data=body, content_type="multipart/form-data; boundary=x")


@fuzzed(50)
@given(REGIONS)
def test_regions_of_forms(region: str) -> None:
    text = region.encode("utf-8", "surrogatepass")
    body = FORM.replace(b"0,0,1,1", text.replace(b"\r\n--x", b""))
    ask("POST", "/search", data=body, content_type="multipart/form-data; boundary=x")


class Accepting:
    """Writes nothing, and says that it did."""

    def write(self, operations: list[Operation]) -> list[Written]:
        """Say that all was done."""
        return [Written(one.id, "created") for one in operations]


@fuzzed(200)
@given(
    st.lists(
        st.one_of(LINES.map(written), JSON.map(written), ANY, st.just("")).map(
            lambda text: text.encode("utf-8", "surrogatepass")
        ),
        max_size=5,
    ),
    st.integers(0, 2**48),
)
def test_batches(lines: list[bytes], number: int) -> None:
    body = b"\n".join(lines)
    for sent in (body, broken(body, number)):
        asked = sent.split(b"\n")
        with app().test_request_context(method="POST", path="/api/v1/listings:batch"), watched():
            answers = list(written_lines(Accepting(), asked))  # type: ignore[arg-type]
        assert len(answers) == len(asked)
        assert all("internal_error" not in answer for answer in answers)
        for answer in answers:
            answer.encode()


FUZZ = (
    test_addresses_of_pages,
    test_paths,
    test_searches,
    test_bodies_that_are_noise,
    test_broken_forms,
    test_regions_of_forms,
    test_batches,
)
