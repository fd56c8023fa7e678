"""OpenVINO's int8 form of the network: made, installed, run. Made-up weights, 75 pixels a side."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from indexer.embedder import Embedder, KerasEmbedder, OpenVINOEmbedder, embedder_class
from indexer.errors import IndexDamaged, IndexNotReady, MissingExtra
from indexer.model import (
    CHANNELS,
    FEATURES,
    MODEL_FILE,
    convert_cached,
    install_network,
    install_openvino,
    quantise_cached,
)
from indexer.quantise import PAIR, weight_steps
from indexer.runtimes import OPENVINO_FILE, OPENVINO_WEIGHTS, runtime_of
from indexer.weights import Weights, find_weights

SIZE = 75

ignore_tensorflow = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Weights, Path]:
    """Weights, and the folder of an index that holds their network in both forms."""
    import keras

    keras.utils.set_random_seed(5)
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    folder = tmp_path_factory.mktemp("openvino")
    base.save_weights(folder / "made.weights.h5")
    index = folder / "index"
    index.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOOKALIKE_CACHE", str(folder / "cache"))
        patch.setattr("indexer.model.DRAWN_LISTINGS", 2)
        weights = find_weights(str(folder / "made.weights.h5"))
        install_network(*convert_cached(weights, SIZE), index)
        install_openvino(quantise_cached(weights, SIZE), index)
        patch.setattr("indexer.model._convert_apart", None)  # the second time, from the cache
        assert quantise_cached(weights, SIZE).is_file()
    return weights, index


def pictures(count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(3)
    small = generator.integers(0, 256, (count, 5, 5, 3), np.uint8)
    return [picture.repeat(15, 0).repeat(15, 1) for picture in small]


@pytest.mark.slow
@ignore_tensorflow
def test_it_agrees_with_keras(made: tuple[Weights, Path]) -> None:
    weights, index = made
    exact = KerasEmbedder(weights, SIZE)
    fast = OpenVINOEmbedder.for_photos(index / MODEL_FILE)
    for pixels in pictures(3):
        ours, theirs = fast.embed(pixels), exact.embed(pixels)
        assert ours.shape == (len(FEATURES) * CHANNELS,)
        for place, name in enumerate(FEATURES):
            a, b = ours[place * CHANNELS :][:CHANNELS], theirs[place * CHANNELS :][:CHANNELS]
            cosine = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
            assert cosine > 0.99, name  # untrained weights are harder on 8 bits than trained ones
    assert fast.maps(pixels)["mixed7"].shape[-1] == CHANNELS


@pytest.mark.slow
@ignore_tensorflow
def test_a_picture_does_not_depend_on_what_else_is_in_flight(made: tuple[Weights, Path]) -> None:
    model = made[1] / MODEL_FILE
    asked = pictures(24)
    alone = [OpenVINOEmbedder.for_photos(model, threads=1).embed(one) for one in asked]
    many = OpenVINOEmbedder(model, interpreters=3, threads=3)
    with ThreadPoolExecutor(3) as executor:
        together = list(executor.map(many.embed, asked))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.slow
@ignore_tensorflow
def test_a_damaged_form_is_told(made: tuple[Weights, Path], tmp_path: Path) -> None:
    for name in (MODEL_FILE, OPENVINO_WEIGHTS):
        (tmp_path / name).write_bytes((made[1] / name).read_bytes())
    (tmp_path / OPENVINO_FILE).write_bytes(b"<net/>")
    with pytest.raises(IndexDamaged, match="OpenVINO"):
        OpenVINOEmbedder(tmp_path / MODEL_FILE)


def test_an_index_without_it_says_how_to_add_it(tmp_path: Path) -> None:
    with pytest.raises(IndexNotReady) as caught:
        OpenVINOEmbedder(tmp_path / MODEL_FILE)
    assert "--runtime openvino" in caught.value.hint


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "indexer.quantise", raising=False)
    weights = Weights("made", tmp_path / "none", "0" * 64, "0_1")
    for needs_it in (
        lambda: OpenVINOEmbedder(tmp_path / MODEL_FILE),
        lambda: quantise_cached(weights, SIZE),
    ):
        with pytest.raises(MissingExtra) as caught:
            needs_it()
        assert "lookalike[openvino]" in caught.value.hint


def test_auto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usable = True
    monkeypatch.setattr("indexer.runtimes.openvino_usable", lambda: usable)
    assert runtime_of("auto", tmp_path) == "litert"
    assert runtime_of("openvino", tmp_path) == "openvino"
    (tmp_path / OPENVINO_FILE).touch()
    assert runtime_of("auto", tmp_path) == "openvino"
    assert embedder_class("auto", tmp_path) is OpenVINOEmbedder
    assert embedder_class("litert", tmp_path) is Embedder
    usable = False
    assert runtime_of("auto", tmp_path) == "litert"


@pytest.mark.parametrize("inputs", [1, 3, 32])
def test_neighbouring_weights_cannot_overflow(inputs: int) -> None:
    weights = np.random.default_rng(1).standard_normal((8, inputs, 3, 3)).astype(np.float32)
    weights[2] = 0
    weights[3, 0] = np.abs(weights[3]).max() * 4
    steps = weight_steps(weights)
    assert steps.shape == (8, 1, 1, 1)
    rounded = np.round(weights / steps)
    assert np.abs(rounded).max() <= 127
    assert np.abs(rounded * steps - weights).max() <= steps.max() / 2 + 1e-6
    for sign in (1, -1):
        one = np.maximum(sign * rounded, 0)
        first, second = one[:, 0::2], one[:, 1::2]
        assert (first[:, : second.shape[1]] + second <= PAIR + 1).all()
