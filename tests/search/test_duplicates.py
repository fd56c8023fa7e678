"""Groups of listings with copies of one picture, and how they are told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image, ImageOps

from indexer.catalog import Catalog
from indexer.compaction import compact
from indexer.listing import Listing, Picture
from indexer.writing import Writer
from search.duplicates import Group, find_duplicates, find_pairs
from search.duplicates_command import duplicates
from search.engine import Engine
from search.gallery import safe_link, write_gallery
from search.small_pictures import KEPT, SmallPictures

HOSTILE = '</title><script>alert(1)</script> "A" & <img src=x onerror=alert(2)>'


@pytest.fixture
def catalogue(tmp_path, draw):
    """Write a catalogue in which a and b show one picture, c and d another, twice."""
    folder = tmp_path / "shop"
    for seed in range(8):
        draw(folder / f"{seed}.png", seed, (300, 240))
    with Image.open(folder / "0.png") as image:
        ImageOps.mirror(image).save(folder / "0-mirrored.jpg", quality=80)
        image.crop((0, 0, 280, 225)).save(folder / "0-cropped.png")
        hues, saturation, value = image.convert("HSV").split()
        turned = hues.point([(level + 90) % 256 for level in range(256)])
        recoloured = Image.merge("HSV", (turned, saturation, value)).convert("RGB")
        recoloured.save(folder / "0-recoloured.png")
    rows = [
        ("a", "0.png|0-cropped.png", HOSTILE, "https://shop.example/a?x=1&y=2"),
        ("b", "0-mirrored.jpg", "=1+1", "javascript:alert(1)"),
        ("c", "1.png|2.png", "Tab\tand\x1b[31m", ""),
        ("d", "2.png|1.png", "", ""),
        ("recoloured", "0-recoloured.png", "Another colour", ""),
        *((f"other{n}", f"{n}.png", f"Other {n}", "") for n in range(3, 8)),
        ("twice", "3.png|3.png", "Carries its picture twice", ""),
    ]
    path = folder / "catalog.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "image", "title", "url"))
        writer.writerows(rows)
    return path


@pytest.fixture
def engine(sync, catalogue, index_folder):
    sync(catalogue)
    engine = Engine.open(index_folder)
    yield engine
    engine.close()


def ids(groups: list[Group]) -> list[list[str]]:
    return sorted([member.listing.id for member in group.members] for group in groups)


def test_groups(engine):
    # The fake network knows nothing of mirrors, so any cosine is let through.
    groups = find_duplicates(engine, gate=-1)
    assert ids(groups) == [["a", "b"], ["c", "d"], ["other3", "twice"]]
    of = {group.members[0].listing.id: group for group in groups}
    assert [member.picture for member in of["c"].members] == [0, 1]
    assert of["c"].similarity == 1
    assert of["a"].similarity < 1


def test_the_gate(engine):
    assert ids(find_duplicates(engine, gate=0.9999)) == [["c", "d"], ["other3", "twice"]]


def test_one_file_is_found_however_often_it_is_there(tmp_path, sync, draw, write_csv, index_folder):
    for seed in range(3):
        draw(tmp_path / f"{seed}.png", seed)
    sync(write_csv(tmp_path / "c.csv", [(f"l{n}", f"{n // 20}.png") for n in range(60)]))
    engine = Engine.open(index_folder)
    groups = find_duplicates(engine, neighbours=1)
    assert [len(group.members) for group in groups] == [20, 20, 20]
    assert [group.members[0].listing.id for group in groups] == ["l0", "l20", "l40"]
    engine.close()


def test_pairs_are_told_once_and_never_within_a_listing(engine):
    snapshot = engine.snapshot
    pairs = find_pairs(engine.view(), gate=-1)
    assert len({frozenset(pair) for pair in pairs.places.tolist()}) == len(pairs.places)
    assert (snapshot.listings[pairs.places[:, 0]] != snapshot.listings[pairs.places[:, 1]]).all()
    count = snapshot.count
    within = 3  # a, c and d have two pictures
    assert len(pairs.places) == count * (count - 1) / 2 - within


def test_a_listing_that_is_gone(engine, index_folder):
    with Catalog(index_folder) as catalog, catalog.writing():
        catalog.db.execute("DELETE FROM listings WHERE id = 'd'")
    assert ids(find_duplicates(engine, gate=-1)) == [["a", "b"], ["other3", "twice"]]


def test_what_came_since_the_snapshot_takes_part(engine, fake_network, catalogue, index_folder):
    writer = Writer(index_folder, lambda: fake_network)

    def put(name, *files):
        pictures = tuple(Picture("", (catalogue.parent / file).read_bytes()) for file in files)
        writer.put(Listing(name, pictures))

    put("new", "4.png")  # a copy of other4's
    put("b", "5.png")  # and no longer of a's
    put("newer", "0-mirrored.jpg")  # which is, but b's picture
    put("d", "1.png")
    for name in ("twice", "other6"):
        writer.remove(name)
    groups = find_duplicates(engine, gate=-1)
    assert ids(groups) == [["a", "newer"], ["c", "d"], ["other4", "new"], ["other5", "b"]]
    view = engine.view()
    assert (view.snapshot.name, view.snapshot.count) == ("000001", 14)
    pairs = find_pairs(view, gate=-1)
    assert len({frozenset(pair) for pair in pairs.places.tolist()}) == len(pairs.places)
    count = view.count
    assert len(pairs.places) == count * (count - 1) / 2 - 2  # a and c have two pictures
    compact(index_folder)
    engine.refresh()
    assert engine.view().changed == 0
    assert ids(find_duplicates(engine, gate=-1)) == ids(groups)


def test_an_index_that_was_emptied(engine, index_folder, fake_network):
    writer = Writer(index_folder, lambda: fake_network)
    with Catalog(index_folder) as catalog:
        names = [row[0] for row in catalog.db.execute("SELECT id FROM listings")]
    for name in names:
        writer.remove(name)
    assert find_duplicates(engine, gate=-1) == []
    compact(index_folder)
    engine.refresh()
    assert find_duplicates(engine, gate=-1) == []


def test_a_thumbnail_that_is_gone_is_no_copy(engine, monkeypatch):
    monkeypatch.setattr(engine, "thumbnail", lambda _: None)
    assert ids(find_duplicates(engine, gate=-1)) == [["c", "d"], ["other3", "twice"]]


def test_few_pictures_are_kept(engine, monkeypatch):
    monkeypatch.setattr("search.small_pictures.KEPT", 2)
    smalls = SmallPictures(engine)
    assert sorted(smalls.load([1, 2, 3, 4])) == [1, 2, 3, 4]
    assert sorted(smalls.load([2, 1])) == [1, 2]
    assert len(smalls._kept) == 2 < KEPT


def test_gallery(engine, tmp_path):
    page = tmp_path / "gallery.html"
    write_gallery(engine, find_duplicates(engine, gate=-1), page)
    text = page.read_text()
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "javascript:" not in text
    assert text.count("data:image/jpeg;base64,") == 6
    assert 'href="https://shop.example/a?x=1&amp;y=2"' in text
    write_gallery(engine, [], page)
    assert "No two listings" in page.read_text()


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "//x", "data:,x", "http:", "http://[x"])
def test_links_that_are_not_followed(url: str) -> None:
    assert safe_link(url) == ""


def test_command(engine, index_folder, tmp_path):
    def run(*arguments: object) -> str:
        given = ["--index", index_folder, "--min-similarity", 0, "--quiet", *arguments]
        result = CliRunner().invoke(duplicates, [str(argument) for argument in given])
        assert result.exit_code == 0, result.output
        return result.stdout

    table, page = tmp_path / "d.csv", tmp_path / "d.html"
    said = [json.loads(line) for line in run("--json", "--csv", table, "--html", page).splitlines()]
    assert [group["size"] for group in said] == [2] * len(said)
    assert ["c", "d"] in [[listing["id"] for listing in group["listings"]] for group in said]
    assert Path(said[0]["listings"][0]["image"]).is_file()
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(said)
    assert not any(row["title"].startswith("=") for row in rows)
    shown = run()
    assert "share a picture" in shown
    assert "\x1b" not in shown
    assert page.stat().st_size > 1000


def test_command_without_duplicates(indexed, index_folder):
    given = ["--index", str(index_folder), "--quiet"]
    result = CliRunner().invoke(duplicates, given)
    assert result.exit_code == 0
    assert "No two listings" in result.stdout
    assert CliRunner().invoke(duplicates, [*given, "--json"]).stdout == ""
