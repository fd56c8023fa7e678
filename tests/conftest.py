"""A small catalogue of drawn pictures, and a network that costs nothing for the real one."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

# Matrices are small here: threads that wait for one another would cost seconds a test.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from PIL import Image, ImageDraw

import indexer.embedder
import indexer.sync
from indexer.model import (
    CARD_FILE,
    CHANNELS,
    FEATURES,
    MODEL_FILE,
    Network,
    install_network,
    installed_network,
)
from indexer.progress import SILENT
from indexer.sources import open_source
from indexer.sync import IndexOptions, Report, index_catalogue
from search.engine import Engine

SIZE = 75
"""Pixels a side of the fake network's input."""

CATEGORIES = ("bags", "hats", "shoes")


def draw_picture(path: Path, seed: int, size: tuple[int, int] = (96, 80)) -> Path:
    """Draw a picture that no other seed's looks like: nine blocks of colour and a disc."""
    generator = np.random.default_rng(seed)
    image = Image.new("RGB", size)
    pen = ImageDraw.Draw(image)
    colours = [tuple(int(c) for c in row) for row in generator.integers(0, 256, (10, 3))]
    width, height = size[0] // 3, size[1] // 3
    for n in range(9):
        x, y = n % 3 * width, n // 3 * height
        pen.rectangle((x, y, x + width, y + height), fill=colours[n])
    pen.ellipse((width // 2, height // 2, 2 * width, 2 * height), fill=colours[9])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def write_catalogue(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Write a catalogue of (id, pictures separated by '|')."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "image", "title"))
        writer.writerows((id_, images, f"Product {id_}") for id_, images in rows)
    return path


class FakeEmbedder:
    """Has the shape of `indexer.embedder.Embedder`; its features are small pictures' colours."""

    workers = 2

    def __init__(self) -> None:
        self.calls = 0
        self.raise_after: int | None = None
        self._lock = threading.Lock()
        # Colours are spread over the channels, so that every one of them says something.
        spread = [
            np.random.default_rng(seed).random((6 * 6 * 3, count * CHANNELS))
            for seed, count in enumerate((4, len(FEATURES) - 4))
        ]
        self._spread = np.concatenate(spread, axis=1)

    def embed(self, pixels: np.ndarray) -> np.ndarray:
        assert pixels.dtype == np.uint8
        assert pixels.shape == (SIZE, SIZE, 3)
        with self._lock:
            if self.raise_after is not None and self.calls >= self.raise_after:
                raise KeyboardInterrupt
            self.calls += 1
        small = np.asarray(Image.fromarray(pixels).resize((6, 6), Image.Resampling.BOX)) / 255.0
        mixed = (small.ravel() - 0.5) @ (self._spread - 0.5)
        return np.maximum(mixed, 0).astype(np.float32)

    def maps(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        return {
            name: np.zeros((3, 3, CHANNELS), np.float32) for name in ("mixed5", "mixed6", "mixed7")
        }


@pytest.fixture
def draw() -> Callable[..., Path]:
    return draw_picture


@pytest.fixture
def write_csv() -> Callable[..., Path]:
    return write_catalogue


@pytest.fixture
def pictures_folder(tmp_path: Path) -> Path:
    """Twelve pictures in three folders, JPEG and PNG."""
    folder = tmp_path / "pictures"
    for n in range(12):
        ending = "jpg" if n % 2 else "png"
        draw_picture(folder / CATEGORIES[n % 3] / f"{n:02d}.{ending}", n)
    return folder


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """The card of the fake network."""
    model = tmp_path / "fake.tflite"
    model.write_bytes(b"no network at all")
    return Network("fake", "0" * 64, "0_1", SIZE, hashlib.sha256(model.read_bytes()).hexdigest())


@pytest.fixture
def fake_network(tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch) -> FakeEmbedder:
    """Put the fake network in place of the real one, for indexing and for searching."""
    embedder = FakeEmbedder()
    real = indexer.sync._network

    def install(folder: Path, options: IndexOptions, progress: object) -> object:
        if installed_network(folder) is None:
            install_network(network, tmp_path / "fake.tflite", folder)
        return real(folder, options, progress)

    def loaded(model: Path, threads: int | None = None) -> FakeEmbedder:
        assert model.name == MODEL_FILE
        return embedder

    monkeypatch.setattr(indexer.sync, "_network", install)
    monkeypatch.setattr(indexer.embedder.Embedder, "for_bulk", loaded)
    monkeypatch.setattr(indexer.embedder.Embedder, "for_photos", loaded)
    return embedder


@pytest.fixture
def index_folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def sync(index_folder: Path, fake_network: FakeEmbedder) -> Callable[..., Report]:
    """Index a catalogue into `index_folder` with the fake network."""

    def run(catalogue: Path, **options: object) -> Report:
        source = open_source(catalogue)
        return index_catalogue(index_folder, source, IndexOptions(**options), SILENT)

    return run


@pytest.fixture
def indexed(sync: Callable[..., Report], pictures_folder: Path, index_folder: Path) -> Path:
    """The folder of an index of `pictures_folder`."""
    sync(pictures_folder)
    return index_folder


@pytest.fixture
def other_index(indexed: Path) -> Callable[[], None]:
    """Put another index, made with another network, in the place of `indexed`."""

    def swap() -> None:
        other = indexed.with_name("other")
        shutil.copytree(indexed, other)
        card = json.loads((other / CARD_FILE).read_bytes())
        (other / CARD_FILE).write_text(json.dumps({**card, "sha256": "1" * 64}))
        (manifest,) = other.glob("snapshots/*/manifest.json")
        said = json.loads(manifest.read_bytes())
        said["network"]["sha256"] = "1" * 64
        manifest.write_text(json.dumps(said))
        indexed.rename(indexed.with_name("before"))
        other.rename(indexed)

    return swap


@pytest.fixture
def opened(indexed: Path) -> Iterator[Engine]:
    """An engine on `indexed`."""
    engine = Engine.open(indexed)
    yield engine
    engine.close()
