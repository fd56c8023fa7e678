"""What an uploaded catalogue may name, and how its run is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.errors import SourceError
from indexer.sources import open_source
from tests.web.conftest import drawn
from web.admin.job import Confined, Told, run
from web.admin.uploads import ENCODINGS, STATUS


def catalogue(folder: Path, *images: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "catalogue.csv"
    rows = "".join(f"p{n},{image}\n" for n, image in enumerate(images))
    path.write_text(f"id,image\n{rows}")
    return path


def uris(path: Path, pictures: Path | None) -> list[str]:
    source = Confined(open_source(path), path.parent, pictures)
    return [listing.pictures[0].uri for listing in source.listings()]


def test_pictures_on_the_web_are_taken(tmp_path: Path) -> None:
    url = "https://shop.example/a.jpg"
    assert uris(catalogue(tmp_path / "up", url), None) == [url]


@pytest.mark.parametrize(
    "image", ["a.jpg", "/etc/hostname", "file:///etc/hostname", "s3://b/a.jpg"]
)
def test_no_file_is_taken_without_a_folder_for_them(tmp_path: Path, image: str) -> None:
    with pytest.raises(SourceError, match="http"):
        uris(catalogue(tmp_path / "up", image), None)


def test_relative_names_are_looked_for_in_the_folder_for_pictures(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    found = uris(catalogue(tmp_path / "up", "shoes/a.jpg"), pictures)
    assert found == [str(pictures / "shoes" / "a.jpg")]


@pytest.mark.parametrize(
    "image",
    [
        "../secret.jpg",
        "shoes/../../secret.jpg",
        "/etc/hostname",
        "file:///etc/hostname",
        "s3://bucket/a.jpg",
        "memory://a.jpg",
        "out/secret.jpg",
    ],
)
def test_nothing_outside_of_that_folder_is_taken(tmp_path: Path, image: str) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "out").symlink_to(tmp_path)
    (tmp_path / "secret.jpg").write_bytes(drawn((1, 2, 3)))
    with pytest.raises(SourceError, match="outside"):
        uris(catalogue(tmp_path / "up", image), pictures)


def test_progress_is_told(tmp_path: Path) -> None:
    told = Told(tmp_path / STATUS, state="running")
    with told.track("Embedding", 10, "pictures") as advance:
        advance(4)
        advance(6)
    told.say("almost")
    said = json.loads((tmp_path / STATUS).read_text())
    assert said["state"] == "running"
    assert (said["what"], said["done"], said["total"], said["line"]) == (
        "Embedding",
        10,
        10,
        "almost",
    )


def test_a_plan_changes_nothing(tmp_path: Path) -> None:
    folder, index = tmp_path / "up", tmp_path / "index"
    catalogue(folder, "https://shop.example/a.jpg", "https://shop.example/b.jpg")
    run(folder, index, "plan", None)
    said = json.loads((folder / STATUS).read_text())
    assert said["state"] == "planned"
    assert said["report"]["plan"]["added"] == 2
    assert not index.exists()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_catalogue_is_read_in_the_encoding_that_was_chosen(tmp_path: Path, encoding: str) -> None:
    folder = tmp_path / "up"
    title = "棚" if encoding == "cp932" else "Café"
    text = f"id,title,image\na,{title},https://shop.example/a.jpg\n"
    folder.mkdir()
    (folder / "catalogue.csv").write_bytes(text.encode(encoding))
    (folder / "encoding").write_text(encoding)
    run(folder, tmp_path / "index", "plan", None)
    assert json.loads((folder / STATUS).read_text())["state"] == "planned"


def test_who_chose_the_wrong_encoding_is_told_of_the_choice(tmp_path: Path) -> None:
    folder = tmp_path / "up"
    folder.mkdir()
    (folder / "catalogue.csv").write_bytes("id,image\nCafé,a.jpg\n".encode("latin-1"))
    (folder / "encoding").write_text("utf-8")
    run(folder, tmp_path / "index", "plan", None)
    error = json.loads((folder / STATUS).read_text())["error"]
    assert "is not UTF-8 text" in error["message"]
    assert error["hint"] == "Choose the encoding that it is in, and then the file once more."


def test_what_is_wrong_with_a_catalogue_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "up"
    catalogue(folder, "a.jpg")
    run(folder, tmp_path / "index", "plan", None)
    said = json.loads((folder / STATUS).read_text())
    assert said["state"] == "failed"
    assert "http" in said["error"]["message"]
