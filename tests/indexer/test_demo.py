"""The demo: what is drawn, that it is drawn again alike, and that it can be interrupted."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from indexer.demo import DemoCatalogue, draw_demo
from indexer.demo.catalogue import CATALOGUE_COLUMNS, MARKER, QUERY_COLUMNS
from indexer.demo.kinds import KINDS
from indexer.demo.photo import PHOTO_SIZES
from indexer.demo.products import COLOURS, dealt
from indexer.demo.scenes import STUDIO_SIZES
from indexer.errors import UsageError


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoCatalogue:
    """One listing of every kind, and a second of two."""
    folder = tmp_path_factory.mktemp("demo")
    return draw_demo(folder, listings=len(KINDS) + 2, jobs=1)


@pytest.fixture
def few(tmp_path: Path) -> DemoCatalogue:
    return draw_demo(tmp_path / "few", listings=3, jobs=1)


def test_catalogue_has_its_columns_and_pictures(demo: DemoCatalogue) -> None:
    listings = rows(demo.catalogue)
    assert len(listings) == demo.listings == len(KINDS) + 2
    assert tuple(listings[0]) == CATALOGUE_COLUMNS
    assert len({listing["id"] for listing in listings}) == len(listings)
    for listing in listings:
        assert listing["image"] == f"pictures/{listing['id']}.jpg"
        assert (demo.folder / listing["image"]).is_file()
        if listing["additional_images"]:
            assert (demo.folder / listing["additional_images"]).is_file()
        assert float(listing["price"]) > 0
        assert listing["currency"] == "EUR"
        assert all(listing[column] for column in ("title", "category", "brand", "material"))
        assert listing["colour"] in COLOURS


def test_every_listing_has_a_photo(demo: DemoCatalogue) -> None:
    queries = rows(demo.queries)
    assert tuple(queries[0]) == QUERY_COLUMNS
    assert len(queries) == demo.photos
    category = {listing["id"]: listing["category"] for listing in rows(demo.catalogue)}
    assert {query["listing"] for query in queries} == set(category)
    for query in queries:
        assert (demo.folder / query["image"]).is_file()
        assert query["category"] == category[query["listing"]]


def test_pictures_open_at_the_stated_sizes(demo: DemoCatalogue) -> None:
    for listing in rows(demo.catalogue):
        with Image.open(demo.folder / listing["image"]) as picture:
            picture.load()
            assert (picture.format, picture.mode) == ("JPEG", "RGB")
            assert picture.size in STUDIO_SIZES
    for query in rows(demo.queries):
        with Image.open(demo.folder / query["image"]) as photo:
            seen = ImageOps.exif_transpose(photo)
            assert tuple(sorted(seen.size)) in PHOTO_SIZES


def test_some_photos_are_stored_turned(demo: DemoCatalogue) -> None:
    flags = set()
    for query in rows(demo.queries):
        with Image.open(demo.folder / query["image"]) as photo:
            flags.add(photo.getexif().get(0x0112, 1))
    assert 1 in flags
    assert flags & {3, 6, 8}


def test_all_listings_look_different(demo: DemoCatalogue) -> None:
    drawn = [digest for path, digest in contents(demo.folder).items() if path.endswith(".jpg")]
    assert len(set(drawn)) == len(drawn)


def test_default_size_is_a_real_shop() -> None:
    products = [dealt(KINDS, index, 7) for index in range(300)]
    assert len({product.kind.category for product in products}) >= 12
    assert len({product.id for product in products}) == 300
    # No two of a kind share shape, colour and pattern.
    assert len({product.look for product in products}) == 300
    kinds: dict[str, set[str]] = {}
    for product in products:
        kinds.setdefault(product.kind.name, set()).add(product.colour)
        low, high = product.kind.price
        assert low - 1 <= product.price <= high + 1
    assert all(len(colours) >= 10 for colours in kinds.values())


def test_same_seed_same_bytes_in_this_process_and_in_others(tmp_path: Path) -> None:
    here = draw_demo(tmp_path / "here", listings=12, seed=3, jobs=1)
    there = draw_demo(tmp_path / "there", listings=12, seed=3, jobs=2)
    assert contents(here.folder) == contents(there.folder)


def test_another_seed_draws_other_products(few: DemoCatalogue, tmp_path: Path) -> None:
    other = draw_demo(tmp_path / "other", listings=3, seed=8, jobs=1)
    first, second = contents(few.folder), contents(other.folder)
    assert not {path for path in first if path.endswith(".jpg") and first[path] == second.get(path)}
    assert first["catalog.csv"] != second["catalog.csv"]


def test_second_run_does_nothing(few: DemoCatalogue) -> None:
    before = {path: path.stat().st_mtime_ns for path in few.folder.rglob("*")}
    told: list[int] = []
    again = draw_demo(few.folder, listings=3, jobs=1, progress=lambda done, _: told.append(done))
    assert again == few
    assert not told
    assert {path: path.stat().st_mtime_ns for path in few.folder.rglob("*")} == before


def test_interrupted_run_is_completed(tmp_path: Path, few: DemoCatalogue) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    folder = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        draw_demo(folder, listings=3, jobs=1, progress=interrupt)
    assert not (folder / MARKER).exists()
    assert not list(folder.rglob("*.part"))
    # A machine that lost power may leave half a file under its temporary name.
    (folder / "photos" / ".mug-001.jpg.part").write_bytes(b"half")
    draw_demo(folder, listings=3, jobs=1)
    assert contents(folder) == contents(few.folder)


def test_missing_picture_is_drawn_again(few: DemoCatalogue) -> None:
    before = contents(few.folder)
    (few.folder / rows(few.catalogue)[1]["image"]).unlink()
    draw_demo(few.folder, listings=3, jobs=1)
    assert contents(few.folder) == before


def test_fewer_listings_leave_no_pictures_behind(few: DemoCatalogue) -> None:
    keepsake = few.folder / "pictures" / "mine.jpg"
    keepsake.write_bytes(b"not ours")
    draw_demo(few.folder, listings=1, jobs=1)
    assert keepsake.exists()
    assert {path.stem for path in (few.folder / "photos").iterdir()} == {"sneaker-001"}
    assert json.loads((few.folder / MARKER).read_text("utf-8"))["listings"] == 1


def test_progress_counts_every_listing(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    draw_demo(tmp_path, listings=2, jobs=1, progress=lambda *step: told.append(step))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(("listings", "seed"), [(0, 7), (-1, 7), (3, -1)])
def test_impossible_orders_are_refused(tmp_path: Path, listings: int, seed: int) -> None:
    with pytest.raises(UsageError):
        draw_demo(tmp_path / "out", listings=listings, seed=seed)
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file"):
        draw_demo(taken)
    assert taken.read_text("utf-8") == "mine"
