"""The real network, small: made-up weights in Keras' own file formats, 75 pixels a side."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from indexer.embedder import Embedder, KerasEmbedder
from indexer.errors import UsageError, WeightsUnavailable
from indexer.model import CHANNELS, FEATURES, LAYERS, Network, convert_cached
from indexer.weights import IMAGENET_FILE, Weights, find_weights

SIZE = 75

REGIONS = [
    *[(0, 3, 0, 3)],
    *[(row, row + 2, column, column + 2) for row in (0, 1) for column in (0, 1)],
    *[(row, row + 1, column, column + 1) for row in range(3) for column in range(3)],
]
"""Rows and columns of the parts of mixed7, which is 3 x 3 at this size."""

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # TensorFlow's own warnings


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as Keras' download has it (HDF5 by layer), with weights that nobody trained."""
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    keras.utils.set_random_seed(5)
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3)
    )
    path = tmp_path_factory.mktemp("models") / IMAGENET_FILE
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, base)
    return path


@pytest.fixture(scope="module")
def converted(
    imagenet: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Weights, Network, Path]:
    home, cache = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("cache")
    (home / "models").mkdir()
    shutil.copy(imagenet, home / "models" / IMAGENET_FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(home))
        patch.setenv("LOOKALIKE_CACHE", str(cache))
        weights = find_weights("auto", say=lambda _: None)
        network, model = convert_cached(weights, SIZE)
        assert convert_cached(weights, SIZE)[1] == model
    return weights, network, model


def test_keras_cache_is_taken_first(converted: tuple[Weights, Network, Path]) -> None:
    weights, network, _ = converted
    assert (weights.name, weights.scaling) == ("imagenet", "minus1_1")
    assert (network.name, network.input_size, network.sha256) == ("imagenet", SIZE, weights.sha256)


def test_the_pixels_are_scaled_as_imagenet_wants(converted: tuple[Weights, Network, Path]) -> None:
    import keras

    from indexer.network import build_base

    weights, _, model = converted
    pixels = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    base = build_base(weights, SIZE)
    mixed7 = keras.Model(base.input, base.get_layer("mixed7").output)
    scaled = keras.applications.inception_v3.preprocess_input(pixels[None].astype(np.float32))
    want = np.asarray(mixed7(scaled, training=False))[0]
    exact = KerasEmbedder(weights, SIZE)
    np.testing.assert_allclose(
        exact.embed(pixels)[:CHANNELS], want.mean((0, 1)), rtol=1e-3, atol=1e-5
    )
    np.testing.assert_allclose(exact.maps(pixels)["mixed7"], want, rtol=1e-3, atol=1e-4)
    regional = np.zeros(CHANNELS)
    for top, bottom, left, right in REGIONS:
        highest = want[top:bottom, left:right].max((0, 1))
        regional += highest / np.linalg.norm(highest)
    place = FEATURES.index("mixed7_rmac") * CHANNELS
    np.testing.assert_allclose(
        exact.embed(pixels)[place : place + CHANNELS], regional, rtol=1e-3, atol=1e-4
    )
    litert = Embedder.for_photos(model)
    features = litert.embed(pixels)
    assert features.shape == (len(FEATURES) * CHANNELS,)
    cosine = features @ exact.embed(pixels)
    cosine /= np.linalg.norm(features) * np.linalg.norm(exact.embed(pixels))
    assert cosine > 0.99  # untrained weights are harder on 8 bits than trained ones
    maps = litert.maps(pixels)
    assert set(maps) == set(LAYERS)
    assert maps["mixed7"].shape == want.shape


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["nothing"] = [1.0]
    from indexer.network import build_base

    with pytest.raises(WeightsUnavailable, match="does not fit"):
        build_base(find_weights(str(path)), SIZE)


def test_the_summary_ends_at_mixed7(converted: tuple[Weights, Network, Path]) -> None:
    from indexer import network

    summary = network.summary(converted[0], SIZE)
    assert "mixed7" in summary
    assert "mixed8" not in summary
    assert "Connected to" in summary
    assert max(map(len, summary.splitlines())) <= 100


def test_the_layers_are_drawn_by_graphviz(
    converted: tuple[Weights, Network, Path], tmp_path: Path
) -> None:
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed: run `make test` as root, or install it yourself.")
    from indexer import network

    network.plot(converted[0], SIZE, tmp_path / "layers.png")
    with Image.open(tmp_path / "layers.png") as drawn:
        assert max(drawn.size) < 4000  # one can look at it, unlike 12,000 pixels
    network.plot(converted[0], SIZE, tmp_path / "layers.svg")
    drawing = (tmp_path / "layers.svg").read_text()
    assert drawing.count('class="node"') == 89
    assert "mixed7" in drawing
    assert "mixed8" not in drawing
    with pytest.raises(UsageError):
        network.plot(converted[0], SIZE, tmp_path / "layers.xyz")
    with pytest.raises(FileNotFoundError):
        network.plot(converted[0], SIZE, tmp_path / "nowhere" / "layers.png")
