"""The Python client, against the real application and against servers in trouble."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from lookalike import ApiError, Client, Example
from tests.web.conftest import ODD_IDS, FakeEngine, drawn
from tests.web.living import app_on, served
from web.api.models import FullListing, PageAnswer, StatusAnswer
from web.client.client import Unreachable
from web.client.http import Http
from web.client.models import Answer, HitPage, ServerStatus, WholeListing

KEY = "k-very-secret"


@pytest.fixture
def asking(address: tuple[str, int]) -> Iterator[Client]:
    with Client(f"http://{address[0]}:{address[1]}/", key=KEY) as client:
        yield client


def test_search_by_a_photo(asking: Client, photo: bytes, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)
    page = asking.search(photo, k=3)
    assert [hit.rank for hit in page.hits] == [1, 2, 3]
    assert page.hits == asking.search(path, k=3).hits == asking.search(str(path), k=3).hits
    assert page.hits[0].listing.id
    assert page.took_ms["total"] > 0


def test_all_that_can_be_asked_arrives(asking: Client, photo: bytes, engine: FakeEngine) -> None:
    region = (0.25, 0.5, 0.5, 0.25)
    asking.search(
        photo,
        k=3,
        region=region,
        min_score=0.5,
        filter="category:shoes",
        category_prior=False,
        fold_duplicates=True,
        facets=True,
    )
    query = engine.asked
    assert query is not None
    assert (query.k, query.region, query.min_score) == (3, region, 0.5)
    assert (query.prior, query.fold) == (False, True)
    assert query.condition
    asking.search(listing_id="p3", k=2, facets=True)
    assert engine.asked is not None
    assert engine.asked.listing_id == "p3"


def test_search_by_several(asking: Client, photo: bytes, engine: FakeEngine) -> None:
    like = (Example(photo, weight=2.0), Example(listing_id="p3"))
    page = asking.search(positives=like, negatives=(Example(listing_id="p9"),), k=4)
    assert len(page.hits) == 4
    assert engine.asked is not None
    assert [one.weight for one in engine.asked.positives] == [2.0, 1.0]
    assert engine.asked.negatives[0].listing_id == "p9"


def test_pages_follow_one_another(asking: Client, photo: bytes) -> None:
    pages = list(asking.pages(photo, k=10))
    ranks = [hit.rank for page in pages for hit in page.hits]
    assert len(pages) == 3
    assert ranks == list(range(1, 25))


def test_listings_of_any_id(asking: Client) -> None:
    for id_ in ODD_IDS:
        assert asking.listing(id_).id == id_
    assert asking.similar("p3", k=2, facets=True).facets is not None
    whole = asking.listing("p3")
    assert whole.attributes == {"size": 3, "new": True, "tags": ["a", "b"]}
    assert requests.get(asking.absolute(whole.pictures[0].image_url), timeout=10).ok


def test_status(asking: Client) -> None:
    status = asking.status()
    assert status.listings == 24
    assert status.dims == 128


def test_an_error_says_what_the_server_said(asking: Client) -> None:
    with pytest.raises(ApiError) as caught:
        asking.listing("nothing")
    error = caught.value
    assert (error.status, error.code, error.retry_after) == (404, "listing_not_found", None)
    assert str(error) == f"{error.message} {error.hint}".strip()
    with pytest.raises(ApiError, match="k") as caught:
        asking.search(b"x", k=0)
    assert caught.value.code == "invalid_request"


def test_what_it_answers_is_what_the_api_answers() -> None:
    for ours, theirs in (
        (HitPage, PageAnswer),
        (WholeListing, FullListing),
        (ServerStatus, StatusAnswer),
    ):
        assert_same(ours, theirs)


def assert_same(ours: type[Answer], theirs: Any) -> None:
    mine = ours.model_json_schema()
    documented = theirs.model_json_schema()
    assert shape(mine, mine) == shape(documented, documented)


def shape(schema: Any, root: Any) -> Any:
    """Return names and types of a schema, whatever its models are called."""
    if "$ref" in schema:
        return shape(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    found: dict[str, Any] = {}
    for name in ("type", "enum", "const"):
        if name in schema:
            found[name] = schema[name]
    if "properties" in schema:
        found["properties"] = {name: shape(one, root) for name, one in schema["properties"].items()}
    if "anyOf" in schema:
        found["anyOf"] = sorted((shape(one, root) for one in schema["anyOf"]), key=str)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            found[name] = shape(schema[name], root)
    return found


# Writing


@pytest.fixture
def writing(indexed: Path) -> Iterator[Client]:
    with served(*app_on(indexed)) as url, Client(url) as client:
        yield client


def test_a_listing_comes_changes_and_goes(writing: Client, tmp_path: Path) -> None:
    photo = tmp_path / "new.jpg"
    photo.write_bytes(drawn((3, 200, 100)))
    attributes = {"brand": "Acme", "size": 42, "sale": True, "tags": ["a", "b"]}
    more = drawn((9, 9, 200))
    said = writing.put("N:1", photo, more, title="New", price=49.9, attributes=attributes)
    assert (said.id, said.outcome) == ("N:1", "created")
    listing = writing.listing("N:1")
    assert (listing.title, listing.price, listing.attributes) == ("New", 49.9, attributes)
    assert len(listing.pictures) == 2
    assert writing.search(photo, k=1).hits[0].listing.id == "N:1"
    assert writing.put("N:1", photo, title="Other").outcome == "replaced"

    changes = {"brand": "Acme", "sale": False}
    assert writing.patch("N:1", price=39.9, title=None, attributes=changes).outcome == "patched"
    listing = writing.listing("N:1")
    assert (listing.title, listing.price, listing.attributes) == ("", 39.9, changes)

    assert writing.remove("N:1").outcome == "removed"
    with pytest.raises(ApiError, match="no listing"):
        writing.remove("N:1")


def test_a_batch_of_any_length(writing: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.client.bodies.MOST_LINES", 3)
    lines: list[dict[str, Any]] = [
        {"op": "put", "id": f"B{n}", "photos": [drawn((n, 30, 90))], "title": f"B {n}"}
        for n in range(4)
    ]
    lines += [{"op": "patch", "id": "nothing", "price": 1.0}, {"op": "delete", "id": "B0"}]
    done = list(writing.batch(lines))
    assert [line.line for line in done] == [1, 2, 3, 4, 5, 6]
    assert [line.outcome for line in done] == [*["created"] * 4, None, "removed"]
    assert done[4].error is not None
    assert done[4].error.code == "listing_not_found"
    assert list(writing.batch([])) == []


# Servers in trouble


class Script(requests.adapters.BaseAdapter):
    """A server that answers what it is told to, one thing after another."""

    def __init__(self, *answers: tuple[int, dict[str, str]] | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.asked.append(request)
        said = self.answers.pop(0)
        if isinstance(said, Exception):
            raise said
        response = requests.Response()
        response.status_code, headers = said
        response.headers.update(headers)
        response._content = b'{"error": {"code": "busy", "message": "Not now.", "hint": ""}}'
        response.url, response.request = str(request.url), request
        return response

    def close(self) -> None:
        pass


def told(*answers: tuple[int, dict[str, str]] | Exception) -> tuple[Http, Script, list[float]]:
    script, waited = Script(*answers), list[float]()
    session = requests.Session()
    session.mount("http://", script)
    http = Http("http://shop.example/api/v1", KEY, 30, 3, session=session, wait=waited.append)
    return http, script, waited


OK = (200, {})
LOST = requests.ConnectionError("lost")


def test_waits_for_as_long_as_it_is_told() -> None:
    http, script, waited = told((429, {"Retry-After": "7"}), (503, {"Retry-After": "2"}), OK)
    http.json("PUT", "listings/a")
    assert waited == [7, 2]
    assert len(script.asked) == 3


def test_waits_until_a_date() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    http, _, waited = told((503, {"Retry-After": until}), OK)
    http.json("GET", "status")
    assert 15 < waited[0] <= 20


def test_asks_again_for_what_changes_nothing() -> None:
    http, _, waited = told(LOST, (502, {}), (504, {}), OK)
    http.json("GET", "status")
    assert waited == [0.25, 0.5, 1]


@pytest.mark.parametrize(
    ("method", "answer", "status"),
    [
        ("PUT", LOST, 0),
        ("POST", LOST, 0),
        ("PUT", (502, {}), 502),
        ("PUT", (503, {}), 503),
        ("GET", (500, {}), 500),
        ("GET", (409, {"Retry-After": "1"}), 409),
        ("GET", (429, {"Retry-After": "3600"}), 429),
    ],
)
def test_sends_nothing_else_again(method: str, answer: Any, status: int) -> None:
    http, script, waited = told(answer)
    with pytest.raises(ApiError) as caught:
        http.json(method, "status")
    assert caught.value.status == status
    assert len(script.asked) == 1
    assert waited == []


def test_gives_up_in_the_end() -> None:
    http, script, waited = told(*[(503, {"Retry-After": "1"})] * 4)
    with pytest.raises(ApiError) as caught:
        http.json("GET", "status")
    assert caught.value.retry_after == 1
    assert len(script.asked) == 4
    assert waited == [1, 1, 1]


def test_a_server_that_is_not_there() -> None:
    client = Client("http://127.0.0.1:1", KEY, retries=0)
    with pytest.raises(Unreachable, match="reached"):
        client.status()


def test_a_server_that_is_another() -> None:
    http, script, _ = told(OK)
    script.send = lambda request, **options: no_json(request)  # type: ignore[method-assign]
    with pytest.raises(ApiError, match="not JSON"):
        http.json("GET", "status")


def no_json(request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = 200, str(request.url)
    response._content = b"<html>"
    return response


# Keys


def test_the_key_is_sent_and_never_shown(capsys: pytest.CaptureFixture[str]) -> None:
    http, script, _ = told(OK, LOST, (401, {}))
    http.json("GET", "status")
    assert script.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    for _ in range(2):
        try:
            http.json("POST", "search")
        except ApiError as error:
            shown = "".join(traceback.format_exception(error, chain=True)) + repr(vars(error))
            assert KEY not in shown
            assert error.__suppress_context__ or error.__context__ is None
    client = Client("http://shop.example", KEY)
    assert KEY not in repr(client) + str(client) + repr(vars(client))


# Lightness


def test_it_loads_nothing_of_the_engine() -> None:
    script = (
        "import sys; from lookalike import Client; Client('http://x');"
        "print(sorted({'flask', 'faiss', 'numpy', 'sklearn', 'PIL', 'tensorflow'}"
        " & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_photos_and_urls_are_not_mixed(asking: Client) -> None:
    with pytest.raises(ValueError, match="URLs"):
        asking.put("x", drawn((1, 2, 3)), "https://shop.example/x.jpg")
