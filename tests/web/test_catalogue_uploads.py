"""Catalogues that come in pieces, and their runs as processes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import IndexBusy
from web.admin.uploads import Uploads
from web.errors import InvalidRequest, UploadNotFound

TEXT = b"id,image\np0,https://shop.example/a.jpg\np1,https://shop.example/b.jpg\n"


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "index", most=10_000)


def sent(uploads: Uploads, data: bytes = TEXT, name: str = "shop.csv") -> str:
    upload = uploads.begin(name, len(data))
    uploads.receive(upload.id, 0, data[:20])
    said = uploads.receive(upload.id, 20, data[20:])
    assert said["state"] == "received"
    return upload.id


def awaited(uploads: Uploads, id_: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        said = uploads.get(id_).status()
        if said["state"] != "running":
            return said
        time.sleep(0.05)
    raise AssertionError("it goes on and on")


def test_pieces_become_the_file(uploads: Uploads) -> None:
    id_ = sent(uploads)
    assert uploads.get(id_).file.read_bytes() == TEXT
    assert uploads.folder.parent == uploads.index.parent


@pytest.mark.parametrize("name", ["../../evil.csv", "/etc/x.csv", "a\\b.csv", "x.CSV"])
def test_only_the_ending_of_a_name_counts(uploads: Uploads, name: str) -> None:
    upload = uploads.begin(name, 10)
    assert upload.file == upload.folder / "catalogue.csv"


@pytest.mark.parametrize(
    ("name", "size"), [("a.exe", 5), ("csv", 5), ("a.csv", 0), ("a.csv", 10_001)]
)
def test_what_is_no_catalogue_is_refused(uploads: Uploads, name: str, size: int) -> None:
    with pytest.raises(InvalidRequest):
        uploads.begin(name, size)


def test_an_encoding_is_one_of_those_that_are_offered(uploads: Uploads) -> None:
    with pytest.raises(InvalidRequest, match="encoding"):
        uploads.begin("a.csv", 10, "base64")
    assert uploads.latest() is None


def test_a_piece_must_go_on_where_the_last_one_ended(uploads: Uploads) -> None:
    upload = uploads.begin("a.csv", 30)
    uploads.receive(upload.id, 0, b"x" * 10)
    for at, size in ((0, 10), (11, 10), (10, 21)):
        with pytest.raises(InvalidRequest, match="byte 10"):
            uploads.receive(upload.id, at, b"x" * size)
    assert uploads.get(upload.id).status()["received"] == 10


@pytest.mark.parametrize("id_", ["", "..", "../index", "nothere", "a/b"])
def test_only_what_was_uploaded_is_found(uploads: Uploads, id_: str) -> None:
    with pytest.raises(UploadNotFound):
        uploads.get(id_)


def test_only_the_last_is_kept(uploads: Uploads) -> None:
    first, second = sent(uploads), sent(uploads)
    with pytest.raises(UploadNotFound):
        uploads.get(first)
    latest = uploads.latest()
    assert latest is not None
    assert latest["id"] == second


def test_it_is_planned_in_a_process(uploads: Uploads) -> None:
    id_ = sent(uploads)
    assert uploads.start(id_, "plan")["state"] == "running"
    with pytest.raises((InvalidRequest, IndexBusy)):
        uploads.start(id_, "sync")
    with pytest.raises(IndexBusy):
        uploads.begin("another.csv", 10)
    said = awaited(uploads, id_)
    assert said["state"] == "planned"
    assert said["report"]["plan"]["added"] == 2


def test_what_has_not_come_whole_is_not_run(uploads: Uploads) -> None:
    upload = uploads.begin("a.csv", 30)
    with pytest.raises(InvalidRequest):
        uploads.start(upload.id, "plan")


def test_it_ends_with_the_server(uploads: Uploads) -> None:
    id_ = sent(uploads)
    uploads.start(id_, "sync")
    uploads.close()
    # However far it was: it is over, and the next one may begin.
    assert awaited(uploads, id_)["state"] in ("stopped", "failed")
    sent(uploads)


def test_it_stops_when_it_is_asked_to(uploads: Uploads) -> None:
    id_ = sent(uploads)
    uploads.start(id_, "sync")
    uploads.stop(id_)
    assert awaited(uploads, id_)["state"] in ("stopped", "failed")
