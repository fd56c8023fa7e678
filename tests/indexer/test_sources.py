"""Opening catalogues and reading pictures, wherever they are."""

import builtins
import functools
import http.server
import os
import socket
import ssl
import sys
import threading

import pytest

from indexer.errors import MissingExtra, PictureError, PictureTooLarge, SourceError, UsageError
from indexer.listing import Picture
from indexer.sources import SourceOptions, open_source, read_picture


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("catalogue", b'{"id": 1, "image": "a.jpg"}\n', "jsonl"),
        ("catalogue", b"<rss><item><id>1</id><image_link>a</image_link></item></rss>", "merchant"),
        ("c.xml", b"\xef\xbb\xbf<rss><item><id>1</id><image_link>a</image_link></item></rss>",
         "merchant"),
        ("c.json", b'{"id": 1, "image": "a.jpg"}\n', "jsonl"),
        ("c.CSV", b"id,image\n1,a.jpg\n", "csv"),
    ],
)  # fmt: skip
def test_format_is_told(tmp_path, name, content, format):
    (tmp_path / name).write_bytes(content)
    source = open_source(str(tmp_path / name))
    assert source.format == format
    assert source.location == str(tmp_path / name)
    assert [item.id for item in source.listings()] == ["1"]
    # A source is read from the start as often as wanted.
    assert [item.id for item in source.listings()] == ["1"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.csv", "does not exist"),
        ("nothing", "does not exist"),
        ("photo.jpg", "is a picture, not a catalogue. Name the folder"),
        ("song.mp3", "cannot be told what kind of catalogue"),
    ],
)
def test_no_catalogue(tmp_path, name, message):
    if not name.startswith("nothing"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")
    with pytest.raises(SourceError) as caught:
        open_source(tmp_path / name)
    assert message in str(caught.value)


def test_wrong_options(tmp_path):
    with pytest.raises(UsageError, match="no catalogue format 'xls'"):
        open_source(tmp_path, SourceOptions(format="xls"))
    with pytest.raises(UsageError, match="no field 'colour'"):
        open_source(tmp_path, SourceOptions(columns={"colour": "c"}))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(SourceError, match="is a folder"):
        open_source(tmp_path, SourceOptions(format="csv"))


@pytest.mark.parametrize(
    ("protocol", "package", "extra"), [("s3", "s3fs", "s3"), ("gs", "gcsfs", "gs")]
)
def test_missing_network_packages(monkeypatch, protocol, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"lookalike\[{extra}\]"):
        open_source(f"{protocol}://bucket/c.csv")


def test_other_protocols_name_their_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "adlfs", None)
    with pytest.raises(SourceError, match=r"abfs:// addresses need another package.*adlfs"):
        open_source("abfs://container/c.csv")
    with pytest.raises(SourceError, match="Protocol not known: nosuch"):
        open_source("nosuch://x/c.csv")


def test_read_picture_from_a_file(tmp_path):
    (tmp_path / "a#1.jpg").write_bytes(b"12345")
    picture = Picture(str(tmp_path / "a#1.jpg"))
    assert read_picture(picture, max_bytes=5) == b"12345"
    with pytest.raises(PictureTooLarge, match="more than 4 bytes"):
        read_picture(picture, max_bytes=4)


def test_read_picture_that_is_at_hand():
    assert read_picture(Picture("x#1", b"abc"), max_bytes=3) == b"abc"
    with pytest.raises(PictureTooLarge):
        read_picture(Picture("x#1", b"abc"), max_bytes=2)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing.jpg", "The picture does not exist."),
        ("empty.jpg", "The picture is empty."),
        ("folder.jpg", "The picture is a folder."),
        ("pipe.jpg", "The picture is not a regular file."),
        ("nul\0.jpg", "The picture could not be read: its address is not valid."),
        ("x" * 300, "The picture could not be read: File name too long."),
    ],
)
def test_unreadable_pictures(tmp_path, name, reason):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PictureError) as caught:
        read_picture(Picture(str(tmp_path / name)), max_bytes=10)
    assert caught.value.message.startswith(reason)


def test_no_more_is_read_than_needed(monkeypatch):
    asked = []

    class Slow:
        """A network file: it gives two bytes at a time."""

        def read(self, size):
            asked.append(size)
            return b"xy"[:size]

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    class Opener:
        def open(self):
            return Slow()

    monkeypatch.setattr("fsspec.open", lambda *_: Opener())
    with pytest.raises(PictureTooLarge):
        read_picture(Picture("memory://endless.jpg"), max_bytes=5)
    assert asked == [6, 4, 2]


@pytest.fixture
def server(tmp_path):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/broken"):
                self.send_error(503)
            else:
                super().do_GET()

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_catalogue_and_pictures_on_the_web(tmp_path, server):
    (tmp_path / "c.csv").write_text("id,image\n1,a.jpg\n2,missing.jpg\n3,broken.jpg\n")
    (tmp_path / "a.jpg").write_bytes(b"12345")
    first, missing, broken = open_source(f"{server}/c.csv").listings()
    assert first.pictures[0].uri == f"{server}/a.jpg"
    assert read_picture(first.pictures[0], max_bytes=5) == b"12345"
    with pytest.raises(PictureTooLarge):
        read_picture(first.pictures[0], max_bytes=4)
    with pytest.raises(PictureError, match="The picture does not exist"):
        read_picture(missing.pictures[0], max_bytes=5)
    with pytest.raises(PictureError, match="status 503"):
        read_picture(broken.pictures[0], max_bytes=5)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/a.jpg", "its host does not take connections"),
        ("http://[a/b.jpg", "its address is not valid"),
        ("http:///a.jpg", "its address is not valid"),
        ("nothing://a.jpg", "Protocol not known: nothing"),
    ],
)
def test_why_a_url_cannot_be_read_is_said_in_plain_words(url, reason, caplog):
    with caplog.at_level("DEBUG"), pytest.raises(PictureError) as caught:
        read_picture(Picture(url), max_bytes=5)
    assert caught.value.message == f"The picture could not be read: {reason}."


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gaierror", "there is no host of this name"),
        ("SSLCertVerificationError", "its host cannot be connected to safely"),
        ("ConnectionResetError", "its host broke off"),
        ("TimeoutError", "did not answer in time"),
    ],
)
def test_what_goes_wrong_on_the_way(monkeypatch, name, reason):
    kind = getattr(socket, name, None) or getattr(ssl, name, None) or getattr(builtins, name)

    def fails(*_):
        raise kind("<library words 0x7f>")

    monkeypatch.setattr("fsspec.open", fails)
    with pytest.raises(PictureError, match=reason) as caught:
        read_picture(Picture("memory://a.jpg"), max_bytes=5)
    assert "0x7f" not in caught.value.message
