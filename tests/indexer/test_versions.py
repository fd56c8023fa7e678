"""Pictures at URLs: what is asked, what is downloaded, what is embedded."""

import http.server
import threading
from collections import Counter

import pytest

from indexer.catalog import DONE, FAILED, PENDING, Catalog
from indexer.listing import Picture
from indexer.progress import SILENT
from indexer.snapshot import open_current
from indexer.sources.fetching import fetch_picture, same_version, url_version
from indexer.versions import UNTOLD, Checked, check_urls, picture_version


class Host:
    """A web server whose files are in memory, that counts what it is asked."""

    def __init__(self):
        self.files = {}
        self.etags = {}
        self.times = {}
        self.status = {}  # (method, name) or name -> what it answers
        self.asked = Counter()
        self.lock = threading.Lock()

    def put(self, name, data, etag=None, time=None):
        self.files[name] = data
        for known, value in ((self.etags, etag), (self.times, time)):
            known.pop(name, None)
            if value is not None:
                known[name] = value

    def take_asked(self):
        """Return how often each method was used since the last look."""
        with self.lock:
            asked, self.asked = self.asked, Counter()
        return dict(asked)


@pytest.fixture
def host():
    host = Host()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            name = self.path.strip("/")
            with host.lock:
                host.asked[self.command] += 1
            status = host.status.get((self.command, name), host.status.get(name))
            data = host.files.get(name)
            if status is None:
                status = 404 if data is None else 200
            body = data if status == 200 else b"no"
            part = self.headers.get("Range") == "bytes=0-0" and status == 200
            self.send_response(206 if part else status)
            if part:
                self.send_header("Content-Range", f"bytes 0-0/{len(body)}")
                body = body[:1]
            self.send_header("Content-Length", str(len(body)))
            if name in host.etags:
                self.send_header("ETag", host.etags[name])
            if name in host.times:
                self.send_header("Last-Modified", host.times[name])
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_GET = do_HEAD = answer  # noqa: N815

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        host.url = f"http://127.0.0.1:{running.server_port}"
        yield host
        running.shutdown()
        thread.join()


@pytest.fixture
def bytes_of(draw, tmp_path):
    return lambda seed: draw(tmp_path / "drawn" / f"{seed}.png", seed).read_bytes()


@pytest.fixture
def catalogue(host, bytes_of, tmp_path, write_csv):
    """Four listings, each with a picture on the web that has an ETag."""
    names = [f"{n}.png" for n in range(4)]
    for n, name in enumerate(names):
        host.put(name, bytes_of(n), etag=f'"{n}"')
    return write_csv(tmp_path / "c.csv", [(name, f"{host.url}/{name}") for name in names])


def pictures(folder, columns="version"):
    with Catalog(folder) as catalog:
        rows = catalog.db.execute(f"SELECT {columns} FROM pictures ORDER BY number")
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]


def test_a_download_brings_its_version(sync, catalogue, host, index_folder):
    report = sync(catalogue)
    assert report.work.embedded == 4
    assert report.urls == Checked()  # all of them are new
    assert host.take_asked() == {"GET": 4}
    assert pictures(index_folder) == [f'etag:"{n}"' for n in range(4)]


def test_unchanged_urls_are_asked_and_not_downloaded(sync, catalogue, host, fake_network):
    first = sync(catalogue)
    host.take_asked()
    report = sync(catalogue)
    assert report.urls == Checked(4, 0, 0)
    assert host.take_asked() == {"HEAD": 4}
    assert fake_network.calls == 4
    assert report.snapshot == first.snapshot


def test_another_etag_of_the_same_bytes(sync, catalogue, host, fake_network, index_folder):
    sync(catalogue)
    host.take_asked()
    host.etags["2.png"] = '"new"'
    report = sync(catalogue)
    assert report.urls == Checked(4, 1, 0)
    assert host.take_asked() == {"HEAD": 4, "GET": 1}
    assert (report.work.embedded, report.work.reused) == (0, 1)
    assert fake_network.calls == 4
    assert pictures(index_folder)[2] == 'etag:"new"'
    sync(catalogue)
    assert host.take_asked() == {"HEAD": 4}


def test_other_bytes_are_embedded(sync, catalogue, host, fake_network, bytes_of, index_folder):
    sync(catalogue)
    before = pictures(index_folder, "embedding")
    host.put("2.png", bytes_of(100), etag='W/"new"')
    report = sync(catalogue)
    assert (report.work.embedded, report.work.reused) == (1, 0)
    assert fake_network.calls == 5
    after = pictures(index_folder, "embedding")
    assert [one == other for one, other in zip(before, after, strict=True)] == [1, 1, 0, 1]
    assert open_current(index_folder).count == 4


def test_a_weak_etag_is_as_good(sync, catalogue, host):
    sync(catalogue)
    host.take_asked()
    for n in range(4):
        host.etags[f"{n}.png"] = f'W/"{n}"'
    assert sync(catalogue).urls == Checked(4, 0, 0)
    assert host.take_asked() == {"HEAD": 4}


def test_time_and_size_where_there_is_no_etag(sync, catalogue, host, bytes_of):
    for n in range(4):
        host.put(f"{n}.png", bytes_of(n), time="Mon, 01 Jan 2024 00:00:00 GMT")
    sync(catalogue)
    assert sync(catalogue).urls == Checked(4, 0, 0)
    host.put("1.png", bytes_of(1), time="Tue, 02 Jan 2024 00:00:00 GMT")
    host.put("2.png", bytes_of(50) + b"longer", time="Mon, 01 Jan 2024 00:00:00 GMT")
    report = sync(catalogue)
    assert report.urls == Checked(4, 2, 0)
    assert (report.work.embedded, report.work.reused) == (1, 1)


def test_a_host_that_tells_nothing(sync, catalogue, host, bytes_of, fake_network):
    for n in range(4):
        host.put(f"{n}.png", bytes_of(n))
    sync(catalogue)
    host.take_asked()
    host.put("3.png", bytes_of(100))
    assert sync(catalogue).urls == Checked(4, 0, 0)
    assert host.take_asked() == {"HEAD": 4}
    report = sync(catalogue, recheck_urls=True)
    assert report.urls == Checked(4, 4, 0)
    assert host.take_asked() == {"GET": 4}
    assert (report.work.embedded, report.work.reused) == (1, 3)
    assert fake_network.calls == 5


def test_checking_can_be_left_out(sync, catalogue, host):
    sync(catalogue)
    host.take_asked()
    assert sync(catalogue, check_urls=False).urls is None
    assert host.take_asked() == {}


def test_a_silent_host_leaves_pictures_as_they_are(sync, catalogue, host, index_folder):
    sync(catalogue)
    before = pictures(index_folder, "*")
    host.status = {"0.png": 503, "1.png": 403}
    report = sync(catalogue)
    assert report.urls == Checked(4, 0, 2)
    assert report.failures == 0
    assert pictures(index_folder, "*") == before


def test_a_host_that_only_knows_get(sync, catalogue, host):
    host.status = {("HEAD", f"{n}.png"): 405 for n in range(4)}
    sync(catalogue)
    assert sync(catalogue).urls == Checked(4, 0, 0)
    host.etags["0.png"] = '"new"'
    assert sync(catalogue).urls == Checked(4, 1, 0)


def test_a_picture_that_is_gone(sync, catalogue, host, index_folder, bytes_of):
    sync(catalogue)
    del host.files["0.png"]
    report = sync(catalogue)
    assert (report.urls.silent, report.failures) == (0, 1)
    assert open_current(index_folder).count == 3
    # It is known to be gone, and asked for with one HEAD and one byte.
    host.take_asked()
    report = sync(catalogue)
    assert (report.work.rejected, report.failures, report.urls.silent) == (0, 1, 0)
    host.put("0.png", bytes_of(0))
    report = sync(catalogue)
    assert (report.work.reused, report.failures) == (1, 0)
    assert open_current(index_folder).count == 4


def test_a_change_that_cannot_be_downloaded_is_tried_again(sync, catalogue, host, index_folder):
    sync(catalogue)
    host.etags["0.png"] = '"new"'
    host.status = {("GET", "0.png"): 503}
    report = sync(catalogue)
    assert (report.urls.changed, report.work.unreached, report.failures) == (1, 1, 0)
    assert open_current(index_folder).count == 4
    assert pictures(index_folder, "state, version")[0] == (DONE, 'etag:"0"')
    host.status = {}
    assert sync(catalogue).work.reused == 1
    assert pictures(index_folder)[0] == 'etag:"new"'


def test_another_url_is_another_picture(sync, catalogue, host, tmp_path, write_csv, index_folder):
    sync(catalogue)
    host.status = {"new.png": 503}
    names = ["0.png", "1.png", "2.png", "3.png"]
    rows = [(name, f"{host.url}/{'new.png' if name == '0.png' else name}") for name in names]
    write_csv(catalogue, rows)
    report = sync(catalogue)
    # What it has is of the URL before, and shows something else.
    assert (report.work.rejected, report.failures) == (1, 1)
    assert pictures(index_folder, "state, embedding, version")[0] == (FAILED, None, "missing")


def test_an_index_that_noted_no_versions_adopts_them(sync, catalogue, host, index_folder):
    sync(catalogue)
    with Catalog(index_folder) as catalog, catalog.writing():
        catalog.db.execute("UPDATE pictures SET version = ''")
    host.take_asked()
    assert sync(catalogue).urls == Checked(4, 0, 0)
    assert host.take_asked() == {"HEAD": 4}
    assert pictures(index_folder)[0] == 'etag:"0"'


def test_what_the_api_gave_is_not_asked_for(sync, catalogue, host, index_folder):
    sync(catalogue)
    with Catalog(index_folder) as catalog, catalog.writing():
        catalog.db.execute("UPDATE pictures SET version = ? WHERE number = 1", ("a" * 64,))
        catalog.db.execute("UPDATE listings SET digest = x'' WHERE id = '1.png'")
    with Catalog(index_folder) as catalog:
        host.take_asked()
        assert check_urls(catalog, SILENT) == Checked(2, 0, 0)
    assert host.take_asked() == {"HEAD": 2}


def test_a_picture_that_was_replaced_while_its_host_was_asked(
    sync, catalogue, host, index_folder, monkeypatch
):
    sync(catalogue)
    for n in range(4):
        host.etags[f"{n}.png"] = '"new"'

    def ask(url):
        if url.endswith("/0.png"):
            with Catalog(index_folder) as other, other.writing():
                other.next_change()
                other.db.execute("UPDATE pictures SET uri = 'stored:x' WHERE number = 1")
        return url_version(url)

    monkeypatch.setattr("indexer.versions.url_version", ask)
    with Catalog(index_folder) as catalog:
        assert check_urls(catalog, SILENT) == Checked(4, 3, 0)
    states = pictures(index_folder, "uri, state")
    assert states[0] == ("stored:x", DONE)
    assert [state for _, state in states[1:]] == [PENDING] * 3


def test_addresses_that_are_none(sync, tmp_path, write_csv, draw):
    good = draw(tmp_path / "good.png", 1)
    bad = ["http://[bad/a.png", "http://a b/c.png", "http://host.invalid:99999/a.png"]
    rows = [("good", str(good)), *((str(n), uri) for n, uri in enumerate(bad))]
    report = sync(write_csv(tmp_path / "c.csv", rows))
    assert (report.work.embedded, report.failures) == (1, 3)
    assert sync(tmp_path / "c.csv").urls == Checked(3, 0, 0)


def test_versions_compare():
    assert same_version('etag:"a"', 'etag:"a"')
    assert not same_version('etag:"a"', 'etag:"b"')
    assert same_version("modified:Mon, 1 5", "modified:Mon, 1 ")
    assert not same_version("modified:Mon, 1 5", "modified:Mon, 1 6")
    assert not same_version("modified:Mon, 1 5", "modified:Tue, 1 ")
    assert not same_version('etag:"a"', UNTOLD)


def test_other_stores_are_asked_through_fsspec():
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/shop/a.png", b"12345")
    try:
        first = url_version("memory://shop/a.png")
        fetched = fetch_picture(Picture("memory://shop/a.png"), max_bytes=5)
        assert (fetched.data, fetched.version) == (b"12345", first)
        assert first.startswith("modified:")
        assert first.endswith(" 5")
        memory.pipe_file("/shop/a.png", b"123456")
        assert not same_version(first, url_version("memory://shop/a.png"))
    finally:
        memory.rm("/shop", recursive=True)


def test_versions_of_files(tmp_path):
    path = tmp_path / "a.png"
    assert picture_version(Picture(str(path))) == "missing"
    path.write_bytes(b"123")
    assert picture_version(Picture(str(path))) == f"3:{path.stat().st_mtime_ns}"
    assert picture_version(Picture("https://shop.example/a.png")) == ""
    assert len(picture_version(Picture("x", b"123"))) == 64
