"""The network's card, and how a conversion that fails is told. No TensorFlow."""

import resource
import subprocess
from dataclasses import replace

import pytest

import indexer.model
from indexer.errors import (
    IndexDamaged,
    NetworkError,
    NetworkMismatch,
    StorageError,
    UsageError,
)
from indexer.model import (
    CARD_FILE,
    MODEL_FILE,
    convert_cached,
    install_network,
    installed_network,
)
from indexer.weights import Weights


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "w.h5"
    path.write_bytes(b"weights")
    return Weights("w.h5", path, "a" * 64, "0_1")


def test_install_and_read(tmp_path, network):
    folder = tmp_path / "index"
    folder.mkdir()
    assert installed_network(folder) is None
    install_network(network, tmp_path / "fake.tflite", folder)
    assert installed_network(folder) == network
    assert (folder / MODEL_FILE).read_bytes() == (tmp_path / "fake.tflite").read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == [CARD_FILE, MODEL_FILE]


def test_a_full_disk_is_told_of_the_index(tmp_path, network):
    """Not of the cache, which is only read."""
    folder = tmp_path / "index"
    folder.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, before[1]))
    try:
        with pytest.raises(StorageError, match=f"{folder}: File too large") as caught:
            install_network(network, tmp_path / "fake.tflite", folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "fake.tflite" not in str(caught.value)
    assert "free space" in caught.value.hint
    assert installed_network(folder) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"name": "x"}'])
def test_a_damaged_card(tmp_path, text):
    (tmp_path / CARD_FILE).write_text(text)
    with pytest.raises(IndexDamaged):
        installed_network(tmp_path)


def test_require_same(network):
    network.require_same(replace(network, name="renamed", model_sha256="1" * 64))
    for other in (
        replace(network, sha256="1" * 64),
        replace(network, scaling="minus1_1"),
        replace(network, input_size=299),
    ):
        with pytest.raises(NetworkMismatch) as caught:
            network.require_same(other)
        assert "--index" in caught.value.hint


def test_too_small(weights):
    with pytest.raises(UsageError, match="too small"):
        convert_cached(weights, 74)


def test_converted_once(weights, monkeypatch):
    made = []

    def convert(_weights, size, path):
        made.append(size)
        path.write_bytes(b"model %d" % size)

    monkeypatch.setattr(indexer.model, "_convert_apart", convert)
    first, path = convert_cached(weights, 75)
    again, _ = convert_cached(weights, 75)
    other, elsewhere = convert_cached(weights, 96)
    assert made == [75, 96]
    assert first == again
    assert path != elsewhere
    assert (first.input_size, other.input_size) == (75, 96)
    assert first.model_sha256 != other.model_sha256


@pytest.mark.parametrize(
    ("stdout", "stderr", "said"),
    [
        ('noise\n{"message": "No such layer.", "hint": "Do this."}\n', "", "No such layer."),
        ("", "Traceback\nValueError: bad file\n", "ValueError: bad file"),
        ("", "", "it said nothing"),
        ("not json", "x", "x"),
    ],
)
def test_a_conversion_that_fails_is_told(weights, monkeypatch, stdout, stderr, said):
    done = subprocess.CompletedProcess([], 1, stdout, stderr)
    monkeypatch.setattr(indexer.model.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(NetworkError, match=said) as caught:
        convert_cached(weights, 75)
    assert caught.value.hint
