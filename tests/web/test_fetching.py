"""Fetching by URL, against a server and a DNS that mean harm."""

from __future__ import annotations

import base64
import io
import json
import os
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from indexer.errors import LookalikeError, UsageError
from indexer.operations import Operation
from indexer.writing import Outcome, Writer
from tests.web.conftest import FakeEngine, drawn
from tests.web.hostile import BOMB, Here, HostileServer, endless, hostile, leads, plain
from tests.web.living import app_on
from web.app import create_app
from web.errors import FetchBusy, FetchFailed, FetchRefused
from web.fetching.addresses import Rules, is_public, target_of
from web.fetching.connection import tls_context
from web.fetching.fetching import NOTHING, Fetcher
from web.settings import Settings

MOST = 200_000


@pytest.fixture
def server(photo: bytes) -> Iterator[HostileServer]:
    with hostile() as running:
        running.answers["/a.jpg"] = plain(photo)
        yield running


class Dns:
    """Resolves what it is told to, a different address each time where there are several."""

    def __init__(self) -> None:
        self.names: dict[str, list[list[str]]] = {"shop.example": [["127.0.0.1"]]}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host == "127.0.0.1":
            return [host]
        answers = self.names.get(host)
        if answers is None:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def dns() -> Dns:
    return Dns()


@pytest.fixture
def fetcher(server: HostileServer, dns: Dns) -> Fetcher:
    return Fetcher(MOST, rules=Here((80, 443, server.port)), resolve=dns, seconds=3)


@pytest.fixture
def base(server: HostileServer) -> str:
    return f"http://shop.example:{server.port}"


# Addresses

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.0.1
168.63.129.16 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192
192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1
239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2
2001:2::1 2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254
fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1 2600::5efe:10.0.0.1 2600::200:5efe:7f00:1
2606:4700::1%1 localhost 1 0x7f000001
"""

PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
168.63.129.15 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 198.17.255.255 223.255.255.255
2001:200::1 2606:4700:4700::1111 2a00:1450:4001::2003 2400:cb00::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_what_is_not_the_open_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_what_is(address: str) -> None:
    assert is_public(address)


def test_this_machine_by_its_public_name_is_none() -> None:
    assert Rules().allows_connection("1.1.1.1", "8.8.8.8")
    assert not Rules().allows_connection("8.8.8.8", "8.8.8.8")
    assert not Rules().allows_connection("1.1.1.1", "10.0.0.1")


# URLs

REFUSED = [
    "",
    "a.jpg",
    "//shop.example/a.jpg",
    "file:///etc/passwd",
    "gopher://shop.example/_x",
    "ftp://shop.example/a.jpg",
    "data:image/png;base64,aaaa",
    "javascript:alert(1)",
    "jar:http://shop.example/a!/b",
    "http://",
    "http:///a.jpg",
    "http:shop.example/a.jpg",
    "http://user@shop.example/a.jpg",
    "http://user:secret@shop.example/a.jpg",
    "http://@shop.example/a.jpg",
    "http://shop.example@127.0.0.1/",
    "http://shop.example:22/a.jpg",
    "http://shop.example:0/a.jpg",
    "http://shop.example:/a.jpg",
    "http://shop.example:99999/a.jpg",
    "http://shop.example:80a/a.jpg",
    "http://127.0.0.1/",
    "http://10.0.0.8/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://127.0.0.1.:80/",
    "http://0/",
    "http://8.8.8.08/",
    "http://1.2.3.4.5/",
    "http://256.256.256.256/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[2606:4700::1%251]/",
    "http://[v1.abc]/",
    "http://[127.0.0.1]/",
    "http://[::1",
    "http://[::1]x/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://ⓛocalhost/",
    "http://localhost./",
    "http://a.localhost/",
    "http://printer/",
    "http://printer.local/",
    "http://metadata.google.internal/",
    "http://shop.example\\@127.0.0.1/",
    "http://127.0.0.1\\.shop.example/",
    "http://shop.example/a b.jpg",
    "http://shop.example/a\r\nX: y",
    "http://shop.example/\ta.jpg",
    "http://shop.example\r\nHost: x/",
    " http://shop.example/a.jpg",
    "http://shop.example/a\x00b",
    "http://shop%2eexample/",
    "http://%6c%6f%63alhost/",
    "http://sh op.example/",
    "http://-shop.example/",
    "http://shop..example/",
    "http://.example/",
    "http://shop.example,127.0.0.1/",
    "http://ex\u00ad.\u200d/",
    f"http://{'a' * 64}.example/",
    f"http://shop.example/{'a' * 4096}",
    "http://\ud800.example/",
    "http://shop.example/\ud800",
]


@pytest.mark.parametrize("url", REFUSED)
def test_refused_for_its_text(url: str) -> None:
    with pytest.raises(FetchRefused):
        target_of(url, Rules())


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://shop.example", "shop.example", 80, "/"),
        ("HTTPS://Shop.Example:443/A?b=c&d#e", "shop.example", 443, "/A?b=c&d"),
        ("http://größe.example/ü?ö", "xn--gre-6ka8i.example", 80, "/%C3%BC?%C3%B6"),
        ("http://日本.example/%E6%97%A5", "xn--wgv71a.example", 80, "/%E6%97%A5"),
        ("http://shop.example./a", "shop.example", 80, "/a"),
        ("http://8.8.8.8/a", "8.8.8.8", 80, "/a"),
        ("http://[2606:4700:4700::1111]/a", "2606:4700:4700::1111", 80, "/a"),
        ("http://a_b.shop.example/a", "a_b.shop.example", 80, "/a"),
        ("http://shop.example/a;b=c/(1)'\"<>", "shop.example", 80, "/a;b=c/(1)'%22%3C%3E"),
        ("http://shop.example?x=http://10.0.0.1/", "shop.example", 80, "/?x=http://10.0.0.1/"),
    ],
)
def test_taken_apart(url: str, host: str, port: int, path: str) -> None:
    target = target_of(url, Rules())
    assert (target.host, target.port, target.path) == (host, port, path)
    assert target_of(target.url, Rules()) == target


# Fetching


def test_a_picture(server: HostileServer, fetcher: Fetcher, base: str, photo: bytes) -> None:
    assert fetcher.fetch(f"{base}/a.jpg") == photo
    head = server.asked[0].lower()
    assert head.startswith("get /a.jpg http/1.1\r\n")
    assert f"host: shop.example:{server.port}\r\n" in head
    assert "user-agent: lookalike (" in head
    assert "accept-encoding: identity\r\n" in head
    for name in ("cookie", "authorization", "referer", "proxy"):
        assert f"{name}" not in head


@pytest.mark.parametrize(
    "answer",
    [
        lambda photo: plain(photo, "application/octet-stream"),
        lambda photo: plain(photo, "IMAGE/JPEG; charset=x"),
        lambda photo: plain(photo, sized=False),
        lambda photo: plain(photo, headers="Content-Encoding: identity\r\n"),
        lambda photo: b"HTTP/1.1 100 Continue\r\n\r\n" + plain(photo),
        lambda photo: plain(
            b"%x;e=1\r\n%s\r\n0\r\nX: y\r\n\r\n" % (len(photo), photo),
            headers="Transfer-Encoding: chunked\r\n",
            sized=False,
        ),
        lambda photo: plain(photo) + b"and more that nobody asked for",
    ],
)
def test_pictures_however_they_come(
    server: HostileServer, fetcher: Fetcher, base: str, photo: bytes, answer: object
) -> None:
    server.answers["/b"] = answer(photo)  # type: ignore[operator]
    assert fetcher.fetch(f"{base}/b") == photo


def told_of(fetcher: Fetcher, url: str) -> LookalikeError:
    with pytest.raises((FetchFailed, FetchRefused)) as caught:
        fetcher.fetch(url)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (plain(b"<html>", "text/html"), "text/html"),
        (plain(b"x", "text/<b>"), "sent no picture."),
        (plain(b"x", "image"), "sent no picture"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 1\r\n\r\nx", "sent no picture."),
        (plain(b"x", status=404), "404"),
        (plain(b"x", status=500), "500"),
        (plain(b"x", status=206), "206"),
        (plain(b"", status=304), "304"),
        (plain(BOMB, headers="Content-Encoding: gzip\r\n"), "packed"),
        (plain(BOMB, headers="Content-Encoding: identity, br\r\n"), "packed"),
        (plain(b"x" * 100, headers="Content-Length: 900\r\n", sized=False), "whole picture"),
        (plain(b"x", headers="Content-Length: 999999999\r\n", sized=False), "larger"),
        (plain(b"x" * (MOST + 1)), "larger"),
        (plain(b"x" * (MOST + 1), sized=False), "larger"),
        (plain(b"zz\r\n", headers="Transfer-Encoding: chunked\r\n", sized=False), "whole picture"),
        (plain(b"9\r\nab", headers="Transfer-Encoding: chunked\r\n", sized=False), "whole picture"),
        (b"", NOTHING),
        (b"SSH-2.0-OpenSSH_9.9\r\n", NOTHING),
        (b"HTTP/1.1 two hundred\r\n\r\n", NOTHING),
        (b"HTTP/1.1 200 X\r\n" + b"X: y\r\n" * 200 + b"\r\n", NOTHING),
        (b"HTTP/1.1 200 X\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", NOTHING),
        (b"HTTP/1.1 200 X\r\n" + b"X: %s\r\n" % (b"y" * 9000) * 40 + b"\r\n", NOTHING),
    ],
)
def test_answers_that_are_no_picture(
    server: HostileServer, fetcher: Fetcher, base: str, answer: bytes, word: str
) -> None:
    server.answers["/b"] = answer
    error = told_of(fetcher, f"{base}/b")
    assert error.code == "fetch_failed"
    assert word in error.message
    assert "<" not in error.message


def test_what_never_ends(server: HostileServer, dns: Dns, base: str) -> None:
    fetcher = Fetcher(MOST, rules=Here((server.port,)), resolve=dns, seconds=0.3)
    head = b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\n"
    stop = server.stop
    server.answers |= {
        "/silent": endless(b"", b"", stop, 0.1),
        "/slow-line": endless(b"HTTP/1.1 200", b" ", stop, 0.05),
        "/slow-head": endless(head, b"X: y\r\n", stop, 0.05),
        "/fast-head": endless(head, b"X: y\r\n" * 1000, stop),
        "/continues": endless(b"", b"HTTP/1.1 100 X\r\n\r\n" * 100, stop),
        "/slow-body": endless(head + b"\r\n", b"x", stop, 0.05),
        "/slow-sized": endless(head + b"Content-Length: 900\r\n\r\n", b"x", stop, 0.05),
        "/fast-body": endless(head + b"\r\n", b"x" * 65536, stop),
        "/chunks": endless(head + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", stop, 0.05),
        "/trailer": endless(
            head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 1000, stop
        ),
    }
    for path in list(server.answers)[1:]:
        assert told_of(fetcher, base + path).code == "fetch_failed", path


def test_a_name_that_is_resolved_for_ever(server: HostileServer, base: str) -> None:
    given_up = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        given_up.wait(10)
        return ["127.0.0.1"]

    fetcher = Fetcher(MOST, rules=Here((server.port,)), resolve=slow, seconds=0.2)
    assert told_of(fetcher, f"{base}/a.jpg").message == NOTHING
    given_up.set()
    assert server.asked == []


def test_no_more_than_some_at_once(
    server: HostileServer, dns: Dns, base: str, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.fetching.fetching.PATIENCE", 0.01)
    fetcher = Fetcher(MOST, rules=Here((server.port,)), resolve=dns, at_once=1, seconds=20)
    begun, go_on = threading.Event(), threading.Event()

    def waits(connection: object) -> None:
        begun.set()
        go_on.wait(10)
        connection.sendall(plain(photo))  # type: ignore[attr-defined]

    server.answers["/waits"] = waits
    found: list[bytes] = []
    first = threading.Thread(target=lambda: found.append(fetcher.fetch(f"{base}/waits")))
    first.start()
    assert begun.wait(10)
    with pytest.raises(FetchBusy):
        fetcher.fetch(f"{base}/a.jpg")
    go_on.set()
    first.join(10)
    assert found == [photo]
    assert fetcher.fetch(f"{base}/a.jpg") == photo


# Redirects and names


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "http://2130706433/",
        "http://0x7f.1/",
        "//10.0.0.1/",
        "http://user:secret@shop.example/a.jpg",
        "http://shop.example:22/",
        "http://[::1",
        "http://a b/",
        "\\\\10.0.0.1\\x",
    ],
)
def test_redirects_that_are_refused(
    server: HostileServer, fetcher: Fetcher, base: str, to: str
) -> None:
    server.answers["/b"] = leads(to)
    assert told_of(fetcher, f"{base}/b").code == "fetch_refused"
    assert len(server.asked) == 1


def test_redirects_that_are_followed(
    server: HostileServer, fetcher: Fetcher, base: str, photo: bytes
) -> None:
    server.answers |= {
        "/1": leads("/2", 301),
        "/2": leads(f"//shop.example:{server.port}/3", 307),
        "/3": leads("a.jpg", 308),
        "/loop": leads("/loop"),
        "/0": leads("/1"),
        "/nowhere": plain(photo, status=302),
        "/ü": b"",
        "/to-utf8": "HTTP/1.1 302 X\r\nLocation: /ü\r\n\r\n".encode(),
        "/%C3%BC": plain(photo),
    }
    assert fetcher.fetch(f"{base}/1") == photo
    assert fetcher.fetch(f"{base}/to-utf8") == photo
    for path in ("/loop", "/0"):
        server.asked.clear()
        assert "3 times" in told_of(fetcher, base + path).message
        assert len(server.asked) == 4
    assert "302" in told_of(fetcher, f"{base}/nowhere").message


def test_each_redirect_is_resolved_and_checked_anew(
    server: HostileServer, fetcher: Fetcher, dns: Dns, base: str
) -> None:
    dns.names["inside.example"] = [["10.0.0.7"]]
    server.answers["/b"] = leads(f"http://inside.example:{server.port}/a.jpg")
    assert told_of(fetcher, f"{base}/b").message == NOTHING
    assert dns.asked == ["shop.example", "inside.example"]


def test_rebinding(server: HostileServer, dns: Dns, base: str, photo: bytes) -> None:
    """Resolved once, what was checked is what is connected; a later answer changes nothing."""
    dns.names["shop.example"] = [["127.0.0.1"], ["10.0.0.1"]]
    fetcher = Fetcher(MOST, rules=Here((server.port,)), resolve=dns)
    assert fetcher.fetch(f"{base}/a.jpg") == photo
    assert dns.asked == ["shop.example"]
    assert told_of(fetcher, f"{base}/a.jpg").message == NOTHING
    # Within one fetch, from one redirect to the next.
    dns.names["shop.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    server.answers["/b"] = leads("/a.jpg")
    assert told_of(fetcher, f"{base}/b").message == NOTHING


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["127.0.0.1", "10.0.0.1"],
        ["127.0.0.1", "::1"],
        ["::ffff:10.0.0.1"],
        ["fe80::1%2"],
        ["64:ff9b::a00:1"],
        ["169.254.169.254"],
        [],
    ],
)
def test_all_addresses_of_a_name_must_be_public(
    server: HostileServer, fetcher: Fetcher, dns: Dns, base: str, addresses: list[str]
) -> None:
    dns.names["shop.example"] = [addresses]
    assert told_of(fetcher, f"{base}/a.jpg").message == NOTHING
    assert server.asked == []


def test_the_connected_address_is_checked_too(server: HostileServer, dns: Dns, base: str) -> None:
    class Surprised(Here):
        def allows_connection(self, here: str, there: str) -> bool:
            return super(Here, self).allows_connection(here, there)

    fetcher = Fetcher(MOST, rules=Surprised((server.port,)), resolve=dns)
    assert told_of(fetcher, f"{base}/a.jpg").message == NOTHING
    assert server.asked == []


def test_the_real_rules_reach_nothing_here(server: HostileServer, dns: Dns, base: str) -> None:
    fetcher = Fetcher(MOST, rules=Rules((server.port,)), resolve=dns)
    assert told_of(fetcher, f"{base}/a.jpg").message == NOTHING
    assert server.asked == []


def test_nobody_learns_what_is_inside(server: HostileServer, dns: Dns) -> None:
    """A private address, a closed port, no such name, no HTTP and no TLS: all the same words."""
    fetcher = Fetcher(MOST, rules=Here((80, server.port)), resolve=dns, seconds=0.5)
    dns.names |= {"private.example": [["10.0.0.1"]], "dead.example": [["127.0.0.1"]]}
    server.answers["/ssh"] = b"SSH-2.0-OpenSSH_9.9\r\n"
    said = [
        told_of(fetcher, url)
        for url in (
            f"http://private.example:{server.port}/",
            "http://dead.example/",  # nobody listens on port 80
            "http://unknown.example/",
            f"http://shop.example:{server.port}/ssh",
            f"https://shop.example:{server.port}/a.jpg",
        )
    ]
    assert len({(error.code, str(error), error.status) for error in said}) == 1


def test_proxies_of_the_environment_take_no_part(
    fetcher: Fetcher, base: str, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:9/")
    assert fetcher.fetch(f"{base}/a.jpg") == photo


# TLS


def test_tls_is_verified_for_the_name(tmp_path: Path, dns: Dns, photo: bytes) -> None:
    authority, other = trustme.CA(), trustme.CA()
    mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(mine)
    authority.cert_pem.write_to_path(str(tmp_path / "mine.pem"))
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    dns.names["wrong.example"] = [["127.0.0.1"]]
    with hostile(mine) as server:
        server.answers["/a.jpg"] = plain(photo)
        head = b"HTTP/1.1 200 X\r\nContent-Type: image/png\r\n\r\n"
        server.answers["/slow"] = endless(head, b"x", server.stop, 0.05)
        rules = Here((server.port,))
        trusting = Fetcher(
            MOST, rules=rules, resolve=dns, tls=tls_context(str(tmp_path / "mine.pem"))
        )
        assert trusting.fetch(f"https://shop.example:{server.port}/a.jpg") == photo
        slow = Fetcher(
            MOST, rules=rules, resolve=dns, tls=tls_context(str(tmp_path / "mine.pem")), seconds=0.5
        )
        assert "in time" in told_of(slow, f"https://shop.example:{server.port}/slow").message
        strange = Fetcher(
            MOST, rules=rules, resolve=dns, tls=tls_context(str(tmp_path / "other.pem"))
        )
        asked = len(server.asked)
        for fetcher, url in (
            (trusting, f"https://wrong.example:{server.port}/a.jpg"),
            (trusting, f"https://127.0.0.1:{server.port}/a.jpg"),
            (trusting, f"http://shop.example:{server.port}/a.jpg"),
            (strange, f"https://shop.example:{server.port}/a.jpg"),
            (Fetcher(MOST, rules=rules, resolve=dns), f"https://shop.example:{server.port}/a.jpg"),
        ):
            assert told_of(fetcher, url).message == NOTHING
        assert len(server.asked) == asked


# Over the API and the page


def code(response: object) -> tuple[int, str]:
    body = response.json  # type: ignore[attr-defined]
    return response.status_code, body["error"]["code"]  # type: ignore[attr-defined]


@pytest.fixture
def fetching(app: Flask, fetcher: Fetcher) -> Iterator[None]:
    app.extensions["lookalike.fetcher"] = fetcher
    yield


@pytest.mark.usefixtures("fetching")
def test_searching(client: FlaskClient, engine: FakeEngine, base: str, photo: bytes) -> None:
    url = f"{base}/a.jpg"
    assert client.post("/api/v1/search", json={"image_url": url, "k": 3}).status_code == 200
    assert engine.asked is not None
    assert engine.asked.photo == photo
    like = {"positives": [{"image_url": url}], "negatives": [{"image_url": url, "weight": 2}]}
    assert client.post("/api/v1/search", json=like).status_code == 200
    assert engine.asked.positives[0].photo == engine.asked.negatives[0].photo == photo
    both = {"image_url": url, "image_base64": base64.b64encode(photo).decode()}
    assert code(client.post("/api/v1/search", json=both)) == (422, "invalid_request")
    assert code(client.post("/api/v1/search", json={"positives": [both]})) == (
        422,
        "invalid_request",
    )
    gone = client.post("/api/v1/search", json={"image_url": f"{base}/gone"})
    assert code(gone) == (422, "fetch_failed")


@pytest.mark.usefixtures("fetching")
def test_all_pictures_of_a_request_are_no_more_than_one_upload(
    server: HostileServer, client: FlaskClient, base: str
) -> None:
    server.answers["/large"] = plain(b"x" * (MOST * 2 // 3))
    like = {"positives": [{"image_url": f"{base}/large"}] * 2}
    answer = client.post("/api/v1/search", json=like)
    assert code(answer) == (422, "fetch_failed")
    assert "larger" in answer.json["error"]["message"]


@pytest.mark.usefixtures("fetching")
def test_all_pictures_of_a_request_share_its_time(
    server: HostileServer, client: FlaskClient, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.fetching.fetching.REQUEST_SECONDS", 0.0)
    answer = client.post("/api/v1/search", json={"image_url": f"{base}/a.jpg"})
    assert "used up" in answer.json["error"]["message"]
    assert server.asked == []


@pytest.mark.usefixtures("fetching")
def test_busy(
    client: FlaskClient, fetcher: Fetcher, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> bytes:
        raise FetchBusy("Too many.")

    monkeypatch.setattr(fetcher, "fetch", busy)
    answer = client.post("/api/v1/search", json={"image_url": f"{base}/a.jpg"})
    assert code(answer) == (503, "fetch_busy")
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["error"]["hint"]


@pytest.mark.usefixtures("fetching")
def test_the_page(client: FlaskClient, engine: FakeEngine, base: str, photo: bytes) -> None:
    empty = (io.BytesIO(b""), "")
    form = {"image_url": f" {base}/a.jpg ", "image": empty}
    assert client.post("/search", data=form, content_type="multipart/form-data").status_code == 200
    assert engine.asked is not None
    assert engine.asked.photo == photo
    both = {"image_url": f"{base}/a.jpg", "image": (io.BytesIO(photo), "a.jpg")}
    assert client.post("/search", data=both).status_code == 422
    refused = client.post(
        "/search", data={"image_url": "http://10.0.0.1/"}, content_type="multipart/form-data"
    )
    assert refused.status_code == 422
    assert "open internet" in refused.text


def test_the_api_takes_no_url_in_a_form(client: FlaskClient, photo: bytes) -> None:
    form = {"image_url": "http://shop.example/a.jpg", "image": (io.BytesIO(photo), "a.jpg")}
    assert code(client.post("/api/v1/search", data=form)) == (422, "invalid_request")


def test_listings_are_put_with_pictures_from_urls(
    indexed: Path, server: HostileServer, fetcher: Fetcher, base: str, photo: bytes
) -> None:
    app, _ = app_on(indexed)
    app.extensions["lookalike.fetcher"] = fetcher
    client = app.test_client()
    server.answers["/b.jpg"] = plain(drawn((9, 9, 200)))
    urls = [f"{base}/a.jpg", f"{base}/b.jpg"]
    new = {"image_url": urls, "title": "New"}
    assert client.put("/api/v1/listings/new", json=new).status_code == 201
    listing = client.get("/api/v1/listings/new").json
    # Kept here, as a picture that was sent is: the URL is not asked again.
    assert [one["image_url"] for one in listing["pictures"]] == [
        f"/listings/new/pictures/{n}" for n in (0, 1)
    ]
    sent = {"image_base64": base64.b64encode(photo).decode()}
    again = client.put("/api/v1/listings/new", json=new)
    assert again.json["outcome"] == "unchanged"
    hits = client.post("/api/v1/search", json=sent).json["hits"]
    assert hits[0]["listing"]["id"] == "new"
    for wrong, kind in (
        ({"image_url": urls[0], **sent}, "invalid_request"),
        ({"image_url": []}, "invalid_request"),
        ({"image_url": [urls[0]] * 21}, "invalid_request"),
        ({"image_url": [urls[0], f"{base}/gone"]}, "fetch_failed"),
        ({"image_url": "http://169.254.169.254/"}, "fetch_refused"),
    ):
        assert code(client.put("/api/v1/listings/x", json=wrong)) == (422, kind)
    assert client.get("/api/v1/listings/x").status_code == 404


def test_batches_with_pictures_from_urls(
    indexed: Path,
    server: HostileServer,
    fetcher: Fetcher,
    base: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    groups: list[int] = []

    def write(self: Writer, operations: list[Operation]) -> list[Outcome]:
        groups.append(len(operations))
        return real(self, operations)

    real = Writer.write
    monkeypatch.setattr(Writer, "write", write)
    app, _ = app_on(indexed, max_upload_bytes=60_000)
    app.extensions["lookalike.fetcher"] = fetcher
    big = io.BytesIO()
    Image.effect_noise((150, 150), 90).convert("RGB").save(big, "JPEG", quality=95)
    assert 10_000 < len(big.getvalue()) < 60_000
    server.answers["/big.jpg"] = plain(big.getvalue())
    # Together they are more than a request may bring: they are written a few at a time.
    lines = [{"op": "put", "id": f"u{n}", "image_url": f"{base}/big.jpg"} for n in range(30)]
    lines.insert(3, {"op": "put", "id": "refused", "image_url": "http://10.0.0.1/"})
    lines.insert(9, {"op": "put", "id": "gone", "image_url": f"{base}/gone"})
    lines.insert(20, {"op": "delete", "id": "u0"})
    answer = app.test_client().post(
        "/api/v1/listings:batch",
        data="\n".join(map(json.dumps, lines)),
        content_type="application/x-ndjson",
    )
    said = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["line"] for one in said] == list(range(1, 34))
    errors = {one["line"]: one["error"]["code"] for one in said if "error" in one}
    assert errors == {4: "fetch_refused", 10: "fetch_failed"}
    assert said[20]["outcome"] == "removed"
    assert len(groups) > 3
    assert sum(groups) == 31


@pytest.mark.parametrize(
    ("given", "on"),
    [
        ({}, True),
        ({"public": True}, False),
        ({"fetch_urls": "off"}, False),
        ({"fetch_urls": "on", "public": True}, True),
    ],
)
def test_where_it_is_on(
    tmp_path: Path, engine: FakeEngine, given: dict[str, object], on: bool
) -> None:
    app = create_app(Settings(index=tmp_path, **given), engine=engine)  # type: ignore[arg-type]
    assert (app.extensions["lookalike.fetcher"] is not None) == on
    answer = app.test_client().post("/api/v1/search", json={"image_url": "http://10.0.0.1/"})
    assert code(answer) == (422, "fetch_refused" if on else "url_search_disabled")
    if not on:
        assert "image_base64" in answer.json["error"]["hint"]


def test_ports_are_a_setting(tmp_path: Path, engine: FakeEngine) -> None:
    app = create_app(Settings(index=tmp_path, fetch_ports="443, 8443"), engine=engine)
    assert app.extensions["lookalike.fetcher"].rules.ports == {443, 8443}
    for wrong in ("https", "0", "70000", "80,,443"):
        with pytest.raises(UsageError, match="fetch_ports"):
            create_app(Settings(index=tmp_path, fetch_ports=wrong), engine=engine)
