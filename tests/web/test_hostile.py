"""Hostile listings, pictures, names and addresses: shown as words, or not at all."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageCms, PngImagePlugin
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from indexer.listing import Listing, Picture
from tests.web.conftest import Client, FakeEngine, drawn
from tests.web.living import app_on
from web.answers.wanted import FRAGMENT
from web.app import create_app
from web.settings import Settings

PAYLOADS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "</title></textarea></style><svg/onload=alert(1)>",
    "<!--<script>",
    "]]><iframe src=javascript:alert(1)>",
    "javascript:alert(1)",
    "{{7*191}}{% raw %}${7*191}",
    "\u2028\u202e<b>",
)

URLS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "\tjavascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil.example/",
    "file:///etc/passwd",
    'https://shop.example/"><script>alert(1)</script>',
    "https://user:secret@shop.example/",
    "https://shop.example/' onclick='alert(1)",
    "http://[::1",
)

MARKER = b"PLANTED-MARKER"


class Page(HTMLParser):
    """Collects what of a page could run, and what it leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.dangers: list[str] = []
        self.leads: list[str] = []
        self._data: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.dangers += [name for name in given if name == "style" or name.startswith("on")]
        self.leads += [
            given[one] or "" for one in ("href", "src", "action", "formaction") if one in given
        ]
        is_data = given.get("type") in ("application/json", "application/ld+json")
        if tag == "script" and is_data:
            self._data = ""
        elif tag == "script" and not given.get("src"):
            self.dangers.append(tag)
        if (
            tag in ("style", "iframe", "object", "embed", "base", "svg:script")
            or given.get("src") == "x"
        ):
            self.dangers.append(tag)

    def handle_data(self, data: str) -> None:
        if self._data is not None:
            self._data += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._data is not None:
            json.loads(self._data)
            self._data = None


@pytest.fixture
def hostile_engine() -> FakeEngine:
    listings = {}
    for n, payload in enumerate(PAYLOADS):
        attributes: dict[str, Any] = {
            "colour": payload,
            payload: payload,
            "tags": [payload, "a"],
            "n": n,
        }
        name = f"h{n}" if "/" in payload else f"h{n}{payload}"
        listings[name] = (
            Listing(
                name,
                (Picture(f"/srv/secret/{payload}.jpg"),),
                payload,
                payload if n % 2 else f"shoes > {payload}",
                9.5 + n,
                payload[:20],
                URLS[n],
                attributes,
            ),
            (drawn((20 * n, 90, 200)),),
        )
    return FakeEngine(listings)


@pytest.fixture
def hostile_client(hostile_engine: FakeEngine, settings: Settings) -> FlaskClient:
    app = create_app(settings, engine=hostile_engine)
    app.test_client_class = Client
    return app.test_client()


def addresses(client: FlaskClient, listing_ids: list[str]) -> Iterator[tuple[Rule, str]]:
    """Yield an address for every rule that answers GET, and every listing in it."""
    app: Flask = client.application
    samples: dict[str, Any] = {
        "key": "0" * 64,
        "position": 0,
        "version": "x",
        "number": 0,
        "token": "x",
        "upload_id": "x",
        "filename": "app.css",
        "name": "swagger-ui.css",
        "language": "en",
    }
    with app.test_request_context():
        adapter = app.create_url_adapter(None) or app.url_map.bind("localhost")
        for rule in app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()):
                continue
            for name in listing_ids if "listing_id" in rule.arguments else listing_ids[:1]:
                values = {**samples, "listing_id": name, "other": listing_ids[-1], "work": "plan"}
                given = {one: values.get(one, "x") for one in rule.arguments}
                yield rule, adapter.build(rule.endpoint, given)


def answers(
    client: FlaskClient, ids: list[str], photo: bytes
) -> Iterator[tuple[str, TestResponse]]:
    """Yield what every address answers, and some that are no GET."""
    for rule, url in addresses(client, ids):
        for headers in ({}, {FRAGMENT: "1", "Accept-Language": "ja"}):
            yield rule.endpoint, client.get(url, headers=headers)
    for payload in PAYLOADS:
        query = {
            "filter": f'colour:"{payload}"',
            "min.n": payload,
            "lang": payload,
            "like": payload,
        }
        for url in ("/", f"/listings/{ids[0]}", "/search", "/like", "/nothing"):
            yield "query", client.get(url, query_string=query)
        yield "nothing", client.get("/" + payload.replace("/", "%2f"))
        form = {"image": (io.BytesIO(photo), payload), "region": payload}
        yield "search", client.post("/search", data=form, query_string=query)
    for headers in ({}, {FRAGMENT: "1"}):
        for url in ("/search", "/share"):
            form = {"image": (io.BytesIO(photo), PAYLOADS[2])}
            yield url, client.post(url, data=form, headers=headers)
    yield "method", client.delete("/")
    yield "large", client.post("/search", data=b"x" * 10**6, content_type="multipart/form-data")


def test_every_answer_has_the_headers_and_no_page_runs_what_a_listing_says(
    hostile_client: FlaskClient, hostile_engine: FakeEngine, photo: bytes
) -> None:
    seen, pages = set(), 0
    for endpoint, answer in answers(hostile_client, list(hostile_engine.listings), photo):
        seen.add(endpoint)
        where = f"{endpoint}: {answer.request.url}"
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy, where
        assert "default-src 'none'" in policy, where
        assert "base-uri 'none'" in policy, where
        assert not re.search(r"script-src[^;]*(\*|data:|https?:)", policy), where
        assert answer.headers["X-Content-Type-Options"] == "nosniff", where
        if not endpoint.startswith("strip."):
            assert "frame-ancestors 'none'" in policy, where
            assert answer.headers["X-Frame-Options"] == "DENY", where
        assert answer.mimetype != "text/html" or answer.content_type.endswith("charset=utf-8")
        if answer.mimetype == "text/html":
            page = Page(answer.text)
            pages += 1
            assert not page.dangers, f"{where}: {page.dangers}"
            for lead in page.leads:
                assert re.match(
                    r"(/(?!/)|\?|#|$|https://shop\.example/|http://localhost/|data:image/)", lead
                ), f"{where}: {lead}"
            assert "1337" not in page.text.replace("h1337", ""), where
    assert pages > 100
    assert {"pages.home", "pages.listing_page", "map.show_map", "docs.docs"} <= seen


def test_json_is_never_taken_for_a_page(
    hostile_client: FlaskClient, hostile_engine: FakeEngine
) -> None:
    for name in hostile_engine.listings:
        answer = hostile_client.get(f"/api/v1/listings/{name.replace('%', '%25')}")
        assert answer.mimetype == "application/json"
        assert answer.json["id"] == name


# Addresses and names

ELSEWHERE = (
    "../web/app.py",
    "..%2fweb%2fapp.py",
    "%2e%2e/web/app.py",
    "%2e%2e%2fapp.py",
    "..\\app.py",
    "..%5capp.py",
    "....//app.py",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "app.css%00.jpg",
    "app.css/../../app.py",
    "..;/app.py",
    "%c0%ae%c0%ae/app.py",
    "file:///etc/passwd",
    "C:%5cwindows%5cwin.ini",
    "",
)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_address_leads_out(client: FlaskClient, name: str) -> None:
    for form in (
        "/static/{}",
        "/api/v1/docs/assets/{}",
        "/thumbnails/{}",
        "/thumbnails/{}.jpg",
        "/listings/{}",
        "/listings/{}/pictures/0",
        "/listings/p1/pictures/{}",
        "/api/v1/listings/{}",
        "/map/sheets/{}/0.jpg",
        "/s/{}",
        "/s/{}/photo",
        "/admin/catalogue/{}",
        "/{}",
    ):
        answer = client.get(form.format(name))
        assert answer.status_code != 500, form
        assert b"root:" not in answer.data
        assert b"from __future__" not in answer.data
        if answer.status_code == 200:
            assert answer.mimetype in ("text/html", "text/css"), form


@pytest.mark.parametrize(
    "name",
    ["..%5c..%5cevil", "..evil", "evil%252f..%252f", "C:evil.exe", "evil.jpg", "%2e%2e:evil"],
)
def test_nothing_is_written_under_a_name_that_a_client_chose(
    indexed: Path, tmp_path: Path, photo: bytes, name: str
) -> None:
    before = set(tmp_path.rglob("*"))
    client = app_on(indexed)[0].test_client()
    for n, file in enumerate(
        ("../../evil.jpg", "..\\evil.jpg", "/tmp/evil.jpg", "evil\0.jpg", "evil.html")
    ):
        picture = drawn((30 * n, 200, 10))
        answer = client.put(
            f"/api/v1/listings/{name}", data={"image": (io.BytesIO(picture), file), "title": "evil"}
        )
        assert answer.status_code in (200, 201), answer.text
        found = client.post("/search", data={"image": (io.BytesIO(photo), file)})
        assert found.status_code == 200
        shared = client.post(
            "/share", data={"image": (io.BytesIO(photo), file)}, headers={FRAGMENT: "1"}
        )
        assert shared.status_code < 500
    after = set(tmp_path.rglob("*")) - before
    assert after
    for path in after:
        assert path.is_relative_to(indexed) or path.parent == indexed.parent
        assert "evil" not in path.name
    assert not Path("/tmp/evil.jpg").exists()


# Pictures


def _profile() -> bytes:
    """Return a colour profile with the marker in its text."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = "No copyright, use freely".encode("utf-16-be")
    assert text in profile
    marked = MARKER.decode().ljust(len(text) // 2).encode("utf-16-be")
    return profile.replace(text, marked) + MARKER


def _exif() -> Image.Exif:
    exif = Image.Exif()
    for tag in (0x010E, 0x0131, 0x8298, 0x010F):  # description, software, copyright, maker
        exif[tag] = MARKER.decode()
    exif.get_ifd(0x8825).update(
        {1: "N", 2: (35.0, 41.0, 22.0), 3: "E", 4: (139.0, 41.0, 30.0), 29: MARKER.decode()}
    )
    return exif


def planted() -> Iterator[tuple[str, bytes]]:
    """Yield pictures that carry the marker in every place that is no pixel."""
    image = Image.open(io.BytesIO(drawn((200, 60, 40))))
    image.info.clear()
    page = b"<!doctype html><script>/*" + MARKER + b"*/alert(1)</script>"
    xmp = b"<x:xmpmeta>" + MARKER + b"</x:xmpmeta>"
    for kind, more in (
        ("JPEG", {"comment": page, "xmp": xmp}),
        ("PNG", {}),
        ("WEBP", {"xmp": xmp}),
        ("TIFF", {}),
        ("AVIF", {"xmp": xmp}),
    ):
        options: dict[str, Any] = {**more, "exif": _exif(), "icc_profile": _profile()}
        if kind == "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_text("Comment", page.decode())
            text.add_itxt("XML:com.adobe.xmp", xmp.decode())
            options["pnginfo"] = text
        out = io.BytesIO()
        image.save(out, kind, **options)
        assert MARKER in out.getvalue()
        yield kind, out.getvalue() + page
    out = io.BytesIO()
    image.quantize(16).save(out, "GIF", comment=page)
    yield "GIF", out.getvalue() + page
    out = io.BytesIO()
    image.save(out, "BMP")
    yield "BMP", out.getvalue() + page
    # A JPEG whose first marker is a page, for whoever guesses types.
    jpeg = drawn((9, 9, 200))
    yield "polyglot", jpeg[:2] + b"\xff\xfe" + (len(page) + 2).to_bytes(2, "big") + page + jpeg[2:]


def test_pictures_are_made_anew_before_others_see_them(indexed: Path) -> None:
    app, _ = app_on(indexed)
    app.test_client_class = Client
    client = app.test_client()
    shown = 0
    for kind, data in planted():
        name = f"planted-{kind}"
        put = client.put(f"/api/v1/listings/{name}", data={"image": (io.BytesIO(data), "x.html")})
        assert put.status_code == 201, put.text
        listing = client.get(f"/api/v1/listings/{name}").json
        search = client.post("/search", data={"image": (io.BytesIO(data), "x.html")})
        share = client.post(
            "/share", data={"image": (io.BytesIO(data), "x.html")}, headers={FRAGMENT: "1"}
        )
        urls = [listing["image_url"], listing["thumbnail_url"]]
        urls += re.findall(r"/s/[\w-]+", share.text)[:1]
        if len(urls) > 2:
            urls.append(f"{urls[2]}/photo")
        for answer in (search, share, *map(client.get, urls)):
            assert answer.status_code == 200, answer.text
            assert MARKER not in answer.data, (kind, answer.request.path)
            if answer.mimetype.startswith("image/"):
                assert answer.mimetype == "image/jpeg"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                for mark in (b"Exif", b"ICC_PROFILE", b"xmp", b"<script", b"\xff\xfe"):
                    assert mark not in answer.data[: answer.data.index(b"\xff\xda")]
                assert answer.data.endswith(b"\xff\xd9")
                assert "exif" not in Image.open(io.BytesIO(answer.data)).info
                shown += 1
        for encoded in re.findall(r"data:image/jpeg;base64,([\w+/=]+)", search.text):
            assert MARKER not in base64.b64decode(encoded)
            shown += 1
    assert shown >= 8 * 3
