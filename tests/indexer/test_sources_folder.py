"""A folder of pictures."""

import os

import pytest

from indexer.errors import PictureError, SourceError
from indexer.listing import Picture
from indexer.sources import open_source, read_picture


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


def test_a_name_that_is_not_utf8_is_told(folder):
    (folder / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    (folder / "shoes" / os.fsdecode(b"\xfcber")).mkdir()
    (folder / "shoes" / os.fsdecode(b"\xfcber") / "z.jpg").write_bytes(b"x")
    found = {item.id: item.pictures[0] for item in open_source(folder).listings()}
    assert len(found) == 6
    for name in (r"caf\xe9.jpg", r"shoes:\xfcber:z.jpg"):
        assert found[name].uri.encode()  # it can be stored
        with pytest.raises(PictureError, match="has a name that is not UTF-8: rename its file"):
            read_picture(found[name], max_bytes=10)
    with pytest.raises(PictureError, match="does not exist"):
        read_picture(Picture(str(folder / r"caf\xe8.jpg")), max_bytes=10)


def test_a_file_that_is_really_called_so_is_read(folder):
    (folder / r"caf\xe9.jpg").write_bytes(b"x")
    (picture,) = (i.pictures[0] for i in open_source(folder).listings() if i.id.startswith("caf"))
    assert read_picture(picture, max_bytes=10) == b"x"


def test_a_folder_whose_path_is_not_utf8(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    (odd / "a.jpg").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"caf\\xe9 is not UTF-8. Rename that folder"):
        open_source(odd)
