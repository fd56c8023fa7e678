"""The file of keys: what is kept, what counts as a key, and what happens to it."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.errors import UsageError
from web.access.key_making import add_key, revoke_key
from web.access.key_shape import hidden
from web.access.key_use import EVERY, KeyUse, forget_use, last_used
from web.access.keys import SCOPES, KeyFile, keys_file, read_keys
from web.errors import KeyNotFound, KeysUnreadable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.keys.json"


def test_a_key_is_known_and_nothing_like_it(path: Path) -> None:
    key, text = add_key(path, "shop", "read")
    _, other = add_key(path, "sync", "write")
    keys = read_keys(path)
    assert keys.known(text) == key
    mixed = text[:12] + other[12:]
    for wrong in ("", "lk_", text[:-1], f"{text}x", text.upper(), mixed, "ключ", "lk_" + "\udcff"):
        assert keys.known(wrong) is None
    assert text.startswith(f"lk_{key.id}_")
    assert len(text) == 12 + 43  # 256 bits in base64


def test_only_a_hash_is_kept_and_nobody_else_reads_it(path: Path) -> None:
    _, text = add_key(path, "shop", "read")
    assert text[12:] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [name.name for name in path.parent.iterdir() if name.suffix == ".part"] == []


def test_nothing_is_readable_while_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    fsync = os.fsync

    def look(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr("web.access.key_making.os.fsync", look)
    old = os.umask(0)
    try:
        add_key(path, "shop", "read")
    finally:
        os.umask(old)
    assert seen[0] == 0o600


def test_a_key_ends_when_it_was_said_to(path: Path) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    over, text = add_key(path, "over", "read", past)
    _, good = add_key(path, "good", "read", datetime.now(UTC) + timedelta(hours=1))
    keys = read_keys(path)
    assert over.expired
    assert keys.known(text) is None
    assert keys.by_id(over.id) is None
    assert keys.known(good) is not None


def test_a_scope_includes_those_before_it(path: Path) -> None:
    for n, scope in enumerate(SCOPES):
        key, _ = add_key(path, scope, scope)
        assert [key.may(other) for other in SCOPES] == [m <= n for m in range(len(SCOPES))]


def test_a_key_is_revoked_by_its_id_its_name_or_itself(path: Path) -> None:
    one, _ = add_key(path, "one", "read")
    add_key(path, "two", "read")
    _, three = add_key(path, "three", "read")
    assert revoke_key(path, one.id)[1] == 2
    assert revoke_key(path, "two")[1] == 1
    assert revoke_key(path, three)[1] == 0
    assert read_keys(path).keys == ()
    with pytest.raises(KeyNotFound):
        revoke_key(path, "two")


def test_the_secret_of_cookies_stays(path: Path) -> None:
    add_key(path, "one", "read")
    secret = read_keys(path).secret
    assert len(secret) == 43
    add_key(path, "two", "read")
    revoke_key(path, "one")
    assert read_keys(path).secret == secret


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_a_name_that_is_none(path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        add_key(path, name, "read")
    assert not path.exists()


def test_no_name_twice(path: Path) -> None:
    add_key(path, "shop", "read")
    with pytest.raises(UsageError, match="shop"):
        add_key(path, "shop", "admin")


def test_commands_at_the_same_time_lose_nothing(path: Path) -> None:
    threads = [
        threading.Thread(target=add_key, args=(path, f"k{n}", "read"), daemon=True)
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.name for key in read_keys(path).keys) == sorted(f"k{n}" for n in range(12))


def test_what_cannot_be_written_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_key(path, "one", "read")
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("web.access.key_making.os.fsync", fail)
        with pytest.raises(OSError, match="No space"):
            add_key(path, "two", "read")
    assert path.read_bytes() == before
    add_key(path, "three", "read")  # and what was left over is in nobody's way
    assert len(read_keys(path).keys) == 2


def test_a_group_that_may_read_it_still_may(path: Path) -> None:
    add_key(path, "one", "read")
    path.chmod(0o644)
    add_key(path, "two", "read")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_server_follows(path: Path) -> None:
    file = KeyFile(path)
    assert file.keys().keys == ()
    key, text = add_key(path, "shop", "read")
    assert file.keys().known(text) == key
    assert file.keys() is file.keys()  # not read again while it is the same
    add_key(path, "other", "read")
    revoke_key(path, "shop")
    assert file.keys().known(text) is None
    path.unlink()
    assert file.keys().keys == ()


DAMAGED = [
    b"",
    b"{}",
    b"null",
    b'{"version": 1, "keys": []}',
    b'{"version": 2, "secret": "' + b"x" * 43 + b'", "keys": []}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_never_no_keys(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file = KeyFile(path)
    _, text = add_key(path, "shop", "read")
    good = path.read_bytes()
    path.write_bytes(content)
    for _ in range(3):
        with pytest.raises(KeysUnreadable):
            file.keys()
    assert [record.levelno for record in caplog.records] == [logging.ERROR]  # said once
    with pytest.raises(KeysUnreadable):
        add_key(path, "other", "read")
    with pytest.raises(KeysUnreadable):
        revoke_key(path, "shop")
    assert path.read_bytes() == content
    path.write_bytes(good)
    assert file.keys().known(text) is not None


def test_half_a_file_and_a_changed_one(path: Path) -> None:
    add_key(path, "shop", "read")
    content = path.read_bytes()
    said = json.loads(content)
    said["keys"][0]["scope"] = "owner"
    for damaged in (content[: len(content) // 2], json.dumps(said).encode()):
        path.write_bytes(damaged)
        with pytest.raises(KeysUnreadable) as caught:
            read_keys(path)
        assert said["secret"] not in str(caught.value)


def test_what_may_not_be_read_is_not_none(path: Path) -> None:
    path.mkdir()
    with pytest.raises(KeysUnreadable):
        KeyFile(path).keys()


def test_where_it_is(tmp_path: Path) -> None:
    assert keys_file(tmp_path / "a" / "index", None) == tmp_path / "a" / "index.keys.json"
    assert keys_file(Path("data/index/"), None).name == "index.keys.json"
    assert keys_file(Path(), None) == Path.cwd().with_name(f"{Path.cwd().name}.keys.json")
    assert keys_file(tmp_path, Path("k")) == Path("k")


def test_keys_are_hidden_in_texts(path: Path) -> None:
    key, text = add_key(path, "shop", "read")
    for cut in (text, text[:-1], text[:30]):
        assert hidden(f"GET /{cut}?x={cut}") == f"GET /lk_{key.id}_...?x=lk_{key.id}_..."
    assert hidden("lk_ and nothing") == "lk_ and nothing"


def test_use_is_noted_now_and_then(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = add_key(path, "shop", "read")
    use = KeyUse(path)
    assert last_used(path, key.id) is None
    use.note(key.id)
    noted = last_used(path, key.id)
    assert noted is not None
    assert abs(datetime.now(UTC) - noted) < timedelta(minutes=5)
    file = path.with_name(f"{path.name}.used") / key.id
    os.utime(file, (0, 0))
    use.note(key.id)
    assert file.stat().st_mtime == 0
    monkeypatch.setattr("web.access.key_use.time.monotonic", lambda: 1e9 + EVERY)
    use.note(key.id)
    assert file.stat().st_mtime > 0
    forget_use(path, key.id)
    forget_use(path, key.id)
    assert last_used(path, key.id) is None


def test_use_that_cannot_be_noted_stops_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.with_name(f"{path.name}.used").write_text("in the way")
    use = KeyUse(path)
    use.note("0" * 8)
    use.note("1" * 8)
    assert len(caplog.records) == 1
