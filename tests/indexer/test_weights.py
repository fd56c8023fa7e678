"""Where weights come from, without a network."""

import base64
import io
import json
import re
import socket
import tarfile
import threading
import time

import numpy as np
import pytest

import indexer.weights
from indexer.errors import WeightsUnavailable
from indexer.nsfwjs import NSFWJS_FOLDER, read_nsfwjs
from indexer.weights import IMAGENET_FILE, NSFWJS_FILE, find_weights


@pytest.fixture(autouse=True)
def empty_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def deaf_host(monkeypatch):
    """A host that accepts and never answers, in place of Keras'."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(indexer.weights, "IMAGENET_URL", f"http://127.0.0.1:{port}/w.h5")
        yield


@pytest.fixture
def no_host(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setattr(indexer.weights, "IMAGENET_URL", f"http://127.0.0.1:{port}/w.h5")


@pytest.fixture
def no_npm(monkeypatch):
    monkeypatch.setattr(indexer.weights, "find_npm", lambda: None)


def tensors(*entries):
    """Return the minified manifest and the bytes of (name, shape, dtype, values, scale, min)."""
    blob, listed = b"", []
    for name, shape, dtype, values, scale, low in entries:
        blob += np.array(values, dtype).tobytes()
        listed.append(
            {
                "name": name,
                "shape": shape,
                "dtype": "float32",
                "quantization": {
                    "dtype": dtype,
                    "min": low,
                    "scale": scale,
                    "original_dtype": "float32",
                },
            }
        )
    return listed, blob


def pack(path, listed, shards, left_out=()):
    """Write an archive of the shape of nsfwjs'."""
    paths = [f"group1-shard{n + 1}of{len(shards)}" for n in range(len(shards))]
    manifest = json.dumps([{"paths": paths, "weights": listed}], separators=(",", ":"))
    manifest = re.sub(r'"(\w+)":', r"\1:", manifest)  # as a minifier writes it
    manifest = re.sub(r"([:,\[]-?)0\.", r"\1.", manifest)
    files = {"model.min.js": f"var e={{modelTopology:{{a:1}},weightsManifest:{manifest}}};"}
    for name, shard in zip(paths, shards, strict=True):
        text = base64.b64encode(shard).decode()
        files[f"{name}.min.js"] = f'"use strict";module.exports="{text}";'
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            if name not in left_out:
                member = tarfile.TarInfo(NSFWJS_FOLDER + name)
                data = text.encode()
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


ENTRIES = (
    ("conv2d_1/kernel", [2, 1, 3], "uint8", [0, 1, 2, 3, 254, 255], 0.5, -0.25),
    ("bn/beta", [2], "uint16", [0, 65535], 0.001, -3.5),
)


def test_the_archive_is_read(tmp_path):
    listed, blob = tensors(*ENTRIES)
    read = read_nsfwjs(pack(tmp_path / "n.tgz", listed, [blob[:4], blob[4:]]))
    assert list(read) == ["conv2d_1/kernel", "bn/beta"]
    assert read["conv2d_1/kernel"].shape == (2, 1, 3)
    assert read["conv2d_1/kernel"].dtype == np.float32
    assert read["conv2d_1/kernel"].ravel() == pytest.approx(
        [-0.25, 0.25, 0.75, 1.25, 126.75, 127.25]
    )
    assert read["bn/beta"] == pytest.approx([-3.5, 62.035], rel=1e-5)


def test_what_is_no_such_archive(tmp_path):
    listed, blob = tensors(*ENTRIES)
    path = tmp_path / "n.tgz"
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsUnavailable, match="does not hold"):
        read_nsfwjs(path)
    for missing in ("model.min.js", "group1-shard1of1.min.js"):
        with pytest.raises(WeightsUnavailable, match="does not hold"):
            read_nsfwjs(pack(path, listed, [blob], left_out=(missing,)))
    with pytest.raises(WeightsUnavailable, match="does not hold"):
        read_nsfwjs(tmp_path / "gone.tgz")


def test_an_archive_with_too_few_bytes(tmp_path):
    listed, blob = tensors(*ENTRIES)
    with pytest.raises(WeightsUnavailable, match="does not hold"):
        read_nsfwjs(pack(tmp_path / "n.tgz", listed, [blob[:5]]))


def test_an_archive_that_is_cut_short(tmp_path):
    listed, blob = tensors(
        ("k", [40000], "uint8", np.random.default_rng(0).integers(0, 256, 40000), 1.0, 0.0)
    )
    path = pack(tmp_path / "n.tgz", listed, [blob])
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(WeightsUnavailable, match="does not hold"):
        read_nsfwjs(path)


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "own.h5"
    path.write_bytes(b"x")
    found = find_weights(str(path))
    assert (found.name, found.scaling, found.path) == ("own.h5", "minus1_1", path)
    assert find_weights(str(path), scaling="0_1").scaling == "0_1"
    carried = path.rename(tmp_path / "own.tgz")
    assert find_weights(str(carried)).scaling == "0_1"
    with pytest.raises(WeightsUnavailable, match="no weights file"):
        find_weights(str(path))


def test_what_is_cached_is_taken(tmp_path, no_host, no_npm):
    said = []
    nsfwjs = tmp_path / "cache" / NSFWJS_FILE
    nsfwjs.parent.mkdir()
    nsfwjs.write_bytes(b"x")
    assert find_weights("auto", say=said.append).name == "nsfwjs-4.4.0"
    assert "cannot be" in said[0]
    imagenet = tmp_path / "keras" / "models" / IMAGENET_FILE
    imagenet.parent.mkdir(parents=True)
    imagenet.write_bytes(b"y")
    found = find_weights("auto", say=said.append)
    assert (found.name, found.path, found.scaling) == ("imagenet", imagenet, "minus1_1")
    assert len(said) == 2


def test_a_host_that_never_answers(deaf_host, monkeypatch):
    monkeypatch.setattr(indexer.weights, "PATIENCE", 1.5)
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match=r"cannot be reached|did not answer"):
        find_weights("imagenet")
    assert time.monotonic() - started < 4


def test_a_name_that_is_never_found(monkeypatch):
    """A look-up of a host's name has no time limit of its own."""
    import requests

    released = threading.Event()

    def head(*_, **__):
        released.wait(10)
        raise requests.ConnectionError

    monkeypatch.setattr(indexer.weights, "PATIENCE", 0.3)
    monkeypatch.setattr(requests, "head", head)
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match="did not answer"):
        find_weights("imagenet")
    assert time.monotonic() - started < 5
    released.set()


def test_no_way_at_all_is_one_error_with_three_ways_out(no_host, no_npm):
    with pytest.raises(WeightsUnavailable) as caught:
        find_weights("auto", say=pytest.fail)
    assert "ImageNet" in caught.value.message
    assert "npm is not installed" in caught.value.message
    for way in ("--weights imagenet", "--weights nsfwjs", "--weights PATH"):
        assert way in caught.value.hint


def fake_npm(tmp_path, monkeypatch, script):
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setattr(indexer.weights, "find_npm", lambda: str(npm))


def test_another_package_than_the_known_one(tmp_path, monkeypatch):
    fake_npm(tmp_path, monkeypatch, f"echo other > {NSFWJS_FILE}")
    with pytest.raises(WeightsUnavailable, match="SHA-256 differs"):
        find_weights("nsfwjs")
    assert list((tmp_path / "cache").iterdir()) == []


def test_npm_fetches(tmp_path, monkeypatch):
    import hashlib

    known = hashlib.sha256(b"packed\n").hexdigest()
    monkeypatch.setattr(indexer.weights, "NSFWJS_SHA256", known)
    fake_npm(tmp_path, monkeypatch, f'[ "$1" = pack ] && echo packed > {NSFWJS_FILE}; exit 0')
    found = find_weights("nsfwjs")
    assert (found.sha256, found.scaling) == (known, "0_1")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [NSFWJS_FILE]


def test_npm_says_no(tmp_path, monkeypatch):
    fake_npm(tmp_path, monkeypatch, "echo npm error code E404 >&2; exit 1")
    with pytest.raises(WeightsUnavailable, match="E404"):
        find_weights("nsfwjs")


def test_npm_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr(indexer.weights, "PATIENCE", 0.3)
    fake_npm(tmp_path, monkeypatch, "exec sleep 20")
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match="did not answer"):
        find_weights("nsfwjs")
    assert time.monotonic() - started < 5
