"""Photos that are shared for a while: what is kept, for how long, and who may see and delete it."""

from __future__ import annotations

import html
import io
import re
import sqlite3
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

import web.pages.sharing
from indexer.backup import SHARED
from indexer.errors import StorageError
from tests.web.conftest import Client, FakeEngine
from web.answers.wanted import FRAGMENT
from web.app import create_app
from web.errors import NotAllowed, ShareGone
from web.pages.sharing import Shares
from web.serving.caretaker import Caretaker
from web.settings import Settings

REGION = (0.25, 0.0, 0.5, 1.0)


@pytest.fixture(autouse=True)
def _index_folder(settings: Settings) -> None:
    settings.index.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def shares(tmp_path: Path) -> Shares:
    return Shares(tmp_path, 24)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Hours that have gone by, to be set."""
    hours = [0.0]
    now = web.pages.sharing.time.time
    monkeypatch.setattr(web.pages.sharing.time, "time", lambda: now() + 3600 * hours[0])
    return hours


def other_browser(app: Flask) -> FlaskClient:
    app.test_client_class = Client
    return app.test_client()


def share(client: FlaskClient, photo: bytes, query: str = "", **fields: str) -> TestResponse:
    data = {"image": (io.BytesIO(photo), "x.jpg"), **fields}
    return client.post(f"/share{query}", data=data, headers={FRAGMENT: "1"})


def address_in(answer: TestResponse) -> str:
    assert answer.status_code == 200, answer.text
    found = re.search(r'id="share-address" value="([^"]+)"', answer.text)
    assert found is not None
    return html.unescape(found[1]).removeprefix("http://localhost")


# What keeps them


def test_a_photo_is_kept_until_its_time_is_over(shares: Shares, later: list[float]) -> None:
    shared, _ = shares.add(b"jpeg", REGION)
    assert len(shared.token) >= 22  # 128 bits and more
    assert shares.get(shared.token) == shared
    assert shares.add(b"jpeg", None)[0].token != shared.token
    later[0] = 23.9
    assert shares.get(shared.token).photo == b"jpeg"
    later[0] = 24.1
    with pytest.raises(ShareGone):
        shares.get(shared.token)


def test_nothing_of_what_is_deleted_stays_in_the_file(
    shares: Shares, tmp_path: Path, later: list[float]
) -> None:
    photo = b"a photo that is to be forgotten " * 4000
    shared, _ = shares.add(photo, None)
    path = tmp_path / SHARED
    assert photo[:32] in path.read_bytes()
    assert shared.token.encode() not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shares.forget(shared.token)
    assert photo[:32] not in path.read_bytes()
    assert path.stat().st_size < len(photo)
    shares.add(photo, None)
    later[0] = 25
    shares.forget_expired()
    assert photo[:32] not in path.read_bytes()
    assert [one.name for one in tmp_path.glob("shared*")] == [SHARED]


def test_only_its_owner_knows_the_key(shares: Shares) -> None:
    shared, key = shares.add(b"jpeg", None)
    assert shares.is_owner(shared.token, key)
    assert not shares.is_owner(shared.token, "")
    assert not shares.is_owner(shared.token, shares.add(b"jpeg", None)[1])
    assert not shares.is_owner("none", key)


def test_the_oldest_go_first(tmp_path: Path) -> None:
    shares = Shares(tmp_path, 24, most_bytes=250)
    first, second, third = (shares.add(bytes(100), None)[0].token for _ in range(3))
    with pytest.raises(ShareGone):
        shares.get(first)
    assert shares.get(second) and shares.get(third)


def test_sharing_can_be_off(tmp_path: Path) -> None:
    shared, _ = Shares(tmp_path, 24).add(b"jpeg", None)
    off = Shares(tmp_path, 0)
    with pytest.raises(NotAllowed):
        off.add(b"jpeg", None)
    off.forget_expired()
    with pytest.raises(ShareGone):
        off.get(shared.token)


def test_a_damaged_file_is_begun_anew(shares: Shares, tmp_path: Path) -> None:
    (tmp_path / SHARED).write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError):
        shares.get("any")
    shared, _ = shares.add(b"jpeg", None)
    assert shares.get(shared.token).photo == b"jpeg"


def test_the_server_deletes_them_by_itself(
    app: Flask, settings: Settings, later: list[float]
) -> None:
    shares: Shares = app.extensions["lookalike.shares"]
    shares.add(b"jpeg", None)
    later[0] = 25
    caretaker = Caretaker(
        app.extensions["lookalike.engine"],
        app.extensions["lookalike.metrics"],
        compacting=False,
        shares=shares,
    )
    caretaker.look()
    with sqlite3.connect(settings.index / SHARED) as db:
        assert db.execute("SELECT count(*) FROM shared").fetchone() == (0,)
    db.close()


# The pages


def test_a_shared_search_has_a_page(
    client: FlaskClient, app: Flask, engine: FakeEngine, photo: bytes
) -> None:
    answer = share(client, photo, "?filter=category:bags", region="0.25,0,0.5,1")
    address = address_in(answer)
    page = other_browser(app).get(address)
    assert page.status_code == 200
    assert page.text.count('class="card"') == 6
    assert engine.asked is not None and engine.asked.region == REGION
    assert "Somebody shared this photo" in page.text
    assert 'data-region="0.25,0.0,0.5,1.0"' in page.text
    for one in (page, answer, other_browser(app).get(f"{urlsplit(address).path}/photo")):
        assert one.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert one.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in one.headers["Cache-Control"]


def test_the_photo_is_made_anew(client: FlaskClient, app: Flask) -> None:
    image = Image.new("RGB", (3000, 1500), (200, 60, 40))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret Camera"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"a secret comment")
    address = address_in(share(client, out.getvalue()))
    kept = other_browser(app).get(f"{address}/photo").data
    shown = Image.open(io.BytesIO(kept))
    assert (shown.format, shown.size) == ("JPEG", (512, 1024))
    assert not shown.getexif()
    assert b"ecret" not in kept


def test_every_worker_has_it(
    client: FlaskClient, settings: Settings, engine: FakeEngine, photo: bytes
) -> None:
    address = address_in(share(client, photo))
    other = create_app(settings, engine=engine).test_client()
    assert other.get(address).status_code == 200


def test_its_owner_deletes_it_and_nobody_else(
    client: FlaskClient, app: Flask, photo: bytes
) -> None:
    address = address_in(share(client, photo))
    others = other_browser(app)
    refused = others.post(f"{address}/forget")
    assert refused.status_code == 403
    assert "Delete it now" not in others.get(address).text
    assert "Delete it now" in client.get(address).text
    done = client.post(f"{address}/forget")
    assert done.status_code == 200
    assert "The photo is deleted" in done.text
    for gone in (client.get(address), client.get(f"{address}/photo")):
        assert gone.status_code == 410
        assert "This link has ended." in gone.text
        assert gone.headers["Cache-Control"] == "no-store"
    assert client.post(f"{address}/forget").status_code == 410


def test_the_cookie_is_for_that_address_alone(client: FlaskClient, photo: bytes) -> None:
    answer = share(client, photo)
    cookie = answer.headers["Set-Cookie"]
    assert f"Path={address_in(answer)};" in f"{cookie};"
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=86400" in cookie


def test_other_sites_cannot_share(client: FlaskClient, photo: bytes) -> None:
    answer = client.post("/share", data={"image": (io.BytesIO(photo), "x.jpg")})
    assert answer.status_code == 403


def test_what_is_no_picture_is_not_kept(client: FlaskClient, settings: Settings) -> None:
    assert share(client, b"no picture").status_code == 415
    assert share(client, b"").status_code == 415
    assert not (settings.index / SHARED).exists()


def test_more_of_a_shared_search(client: FlaskClient, settings: Settings, photo: bytes) -> None:
    app = create_app(
        Settings(index=settings.index, page_hits=8),
        engine=client.application.extensions["lookalike.engine"].get(),
    )
    other = other_browser(app)
    address = address_in(share(other, photo, "?sort=price"))
    page = other.get(address)
    more = re.search(r'<a [^>]*href="([^"]+)"[^>]*data-more', page.text)
    assert more is not None
    second = other.get(html.unescape(more[1]))
    assert second.text.count('class="card"') == 8
    assert "Listings 9 to 16" in second.text


def test_a_server_that_shares_nothing(settings: Settings, engine: FakeEngine, photo: bytes) -> None:
    app = create_app(Settings(index=settings.index, share_hours=0), engine=engine)
    client = other_browser(app)
    assert share(client, photo).status_code == 403
    assert 'id="share"' not in client.get("/").text
