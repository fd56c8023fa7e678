"""A folder of pictures."""

import pytest

from indexer.errors import SourceError
from indexer.sources import open_source


@pytest.fixture
def folder(tmp_path):
    for name in (
        "b-red_dress.JPG",
        "a.png",
        "shoes/x.webp",
        "shoes/high/heels/y.heic",
        "notes.txt",
        ".hidden.jpg",
        ".cache/z.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def test_folder(folder):
    source = open_source(folder)
    listings = list(source.listings())
    assert source.format == "folder"
    assert source.count() == 4
    assert [item.id for item in listings] == [
        "a.png",
        "b-red_dress.JPG",
        "shoes:high:heels:y.heic",
        "shoes:x.webp",
    ]
    assert [item.title for item in listings] == ["a", "b red dress", "y", "x"]
    assert [item.category for item in listings] == ["", "", "shoes", "shoes"]
    assert listings[2].attributes == {"folder": "shoes/high/heels"}
    assert listings[3].attributes == {}
    assert listings[3].origin == "shoes/x.webp"
    assert listings[3].pictures[0].uri == str(folder / "shoes/x.webp")


@pytest.mark.parametrize("end", ["", "/"])
def test_folder_at_a_url(end):
    import fsspec

    memory = fsspec.filesystem("memory")
    for name in ("b.jpg", "a/c.png", "a/.hidden.png", ".cache/z.jpg", "notes.txt"):
        memory.pipe(f"/pictures/{name}", b"x")
    source = open_source(f"memory://pictures{end}")
    assert [item.id for item in source.listings()] == ["b.jpg", "a:c.png"]
    assert [item.pictures[0].uri for item in source.listings()] == [
        "memory://pictures/b.jpg",
        "memory://pictures/a/c.png",
    ]
    assert source.count() is None


def test_links_do_not_loop(folder):
    (folder / "shoes" / "again").symlink_to(folder)
    (folder / "twin").symlink_to(folder / "shoes")
    (folder / "dangling.jpg").symlink_to(folder / "nothing")
    assert open_source(folder).count() == 4


def test_no_picture(tmp_path):
    (tmp_path / "readme.txt").write_text("x")
    with pytest.raises(SourceError, match="There is no picture in the folder"):
        open_source(tmp_path)


def test_path_too_long_for_an_id(tmp_path):
    deep = tmp_path / ("a" * 120) / ("b" * 120)
    deep.mkdir(parents=True)
    (deep / "c.jpg").write_bytes(b"x")
    with pytest.raises(SourceError, match="at most 200"):
        list(open_source(tmp_path).listings())
