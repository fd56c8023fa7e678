"""QUERIES.csv: what is read, what is refused and where, and what cannot be embedded."""

import numpy as np
import pytest

from indexer.errors import SourceError
from indexer.pictures import content_hash
from indexer.progress import SILENT
from search.queries import embed_photos, read_queries
from tests.search.shop import write_rows


def test_reads_paths_from_its_own_folder_on(tmp_path):
    path = write_rows(
        tmp_path / "queries.csv",
        ("image", "listing", "category", "note"),
        [
            ("a.jpg", "x-1", "bags", "1"),
            ("sub/b.jpg", "", "hats", ""),
            ("https://example.com/c.jpg", "folder/d.jpg", "", ""),
        ],
    )
    first, second, third = read_queries(path)
    assert first.picture.uri == str(tmp_path / "a.jpg")
    assert (first.listing, first.category, first.origin) == ("x-1", "bags", "queries.csv, line 2")
    assert second.picture.uri == str(tmp_path / "sub" / "b.jpg")
    assert (second.listing, second.category) == ("", "hats")
    assert third.picture.uri == "https://example.com/c.jpg"
    assert third.listing == "folder:d.jpg"  # as the index writes such an id


def test_semicolons_and_capitals(tmp_path):
    path = tmp_path / "queries.csv"
    path.write_text("\ufeffImage;Category\na,1.jpg;Röcke\n", encoding="utf-8")
    (photo,) = read_queries(path)
    assert photo.picture.uri == str(tmp_path / "a,1.jpg")
    assert photo.category == "Röcke"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("photo,category\na.jpg,bags\n", "line 1 has no column 'image'; it has: photo, category."),
        ("\n\nimage,label\na.jpg,bags\n", "line 3 has no column 'listing' or 'category'"),
        ("image,category\n", "has no photos"),
        ("image,category\na.jpg,bags\n,hats\n", "line 3 names no image"),
        ("image,listing,category\na.jpg,,\n", "line 2 names neither a listing nor a category"),
        ("image,category\na.jpg,bags,x\n", "line 2 has 3 cells"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_and_where(tmp_path, text, said):
    path = tmp_path / "queries.csv"
    path.write_text(text)
    with pytest.raises(SourceError) as caught:
        read_queries(path)
    assert said in caught.value.message
    assert caught.value.message.startswith("queries.csv")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SourceError, match="does not exist"):
        read_queries(tmp_path / "none.csv")


def test_what_cannot_be_read_stops_nothing(tmp_path, draw, fake_network):
    draw(tmp_path / "a.png", 1)
    draw(tmp_path / "c.png", 2)
    (tmp_path / "b.png").write_text("no picture")
    rows = [(name, "bags") for name in ("a.png", "none.png", "b.png", "c.png")]
    photos = read_queries(write_rows(tmp_path / "queries.csv", ("image", "category"), rows))
    found = embed_photos(photos, fake_network, 75, progress=SILENT)
    assert [photo.origin for photo in found.photos] == [
        "queries.csv, line 2",
        "queries.csv, line 5",
    ]
    assert found.features.shape[0] == 2
    assert found.features.dtype == np.float32
    assert found.contents[0] == content_hash((tmp_path / "a.png").read_bytes())
    missing, broken = found.unreadable
    assert missing.origin == "queries.csv, line 3"
    assert "does not exist" in missing.reason
    assert broken.image == str(tmp_path / "b.png")
    nothing = embed_photos(photos[1:3], fake_network, 75)
    assert len(nothing.features) == 0
    assert len(nothing.unreadable) == 2
