"""A small index to break: drawn pictures, a network that costs nothing, known states."""

from __future__ import annotations

import csv
import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import indexer.embedder
from indexer.listing import Listing, Picture, Region
from indexer.model import Network, install_network
from indexer.options import IndexOptions, Report
from indexer.pictures import prepare
from indexer.progress import SILENT
from indexer.sources import open_source
from indexer.sync import index_catalogue
from indexer.writing import Writer
from tests.conftest import SIZE, FakeEmbedder, draw_picture

CATEGORIES = ("bags", "hats", "shoes")
REGIONS: tuple[Region | None, ...] = (None, (0.1, 0.2, 0.5, 0.5))

State = dict[str, Any]
"""What a listing says, fit for JSON: its fields, and its pictures by (seed, number of region)."""

Model = dict[str, State]
"""What an index must say of listings that were written one by one, by id."""

EMBEDDER = FakeEmbedder()


def fake() -> None:
    """Put the fake network in place of the real one, in this process for good."""
    for name in ("for_bulk", "for_photos"):
        setattr(indexer.embedder.Embedder, name, lambda _model, _threads=None: EMBEDDER)


@lru_cache(maxsize=10_000)
def drawn(seed: int) -> bytes:
    """Return a picture's bytes, by its seed."""
    with tempfile.TemporaryDirectory() as scratch:
        return draw_picture(Path(scratch) / "picture.png", seed).read_bytes()


@lru_cache(maxsize=10_000)
def features(seed: int, region: int) -> NDArray[np.float16]:
    """Return what the network gives for a picture, as the feature file keeps it."""
    pixels = prepare(drawn(seed), SIZE, region=REGIONS[region]).pixels
    return EMBEDDER.embed(pixels).astype(np.float16)


def listing_of(listing_id: str, state: State) -> Listing:
    """Return the listing that a state stands for."""
    pictures = tuple(
        Picture("", drawn(seed), region=REGIONS[region]) for seed, region in state["pictures"]
    )
    said = {name: state[name] for name in ("title", "category", "price", "attributes")}
    return Listing(listing_id, pictures, **said)


def writer(folder: Path) -> Writer:
    """Return a writer with the fake network."""
    return Writer(folder, lambda: EMBEDDER)


@dataclass
class Shop:
    """An index and the catalogue that it is synced with.

    Attributes
    ----------
    root : Path
        Holds both.
    version : int
        Of the catalogue that was last written.
    base : dict of str to State
        What that catalogue says.
    """

    root: Path
    version: int = 0
    base: Model = field(default_factory=dict)

    @property
    def index(self) -> Path:
        """The index's folder."""
        return self.root / "index"

    @property
    def catalogue(self) -> Path:
        """The catalogue's file."""
        return self.root / "catalogue.csv"

    @classmethod
    def made(cls, root: Path) -> Shop:
        """Make an index of the catalogue's first version."""
        shop = cls(root)
        shop.index.mkdir(parents=True)
        model = root / "fake.tflite"
        model.write_bytes(b"no network at all")
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
        install_network(Network("fake", "0" * 64, "0_1", SIZE, digest), model, shop.index)
        shop.write_catalogue(0)
        shop.sync()
        return shop

    def copied(self, root: Path) -> Shop:
        """Copy the index, not the catalogue's pictures."""
        shutil.copytree(self.index, root / "index")
        shutil.copy(self.catalogue, root / "catalogue.csv")
        return Shop(root, self.version, dict(self.base))

    def write_catalogue(self, version: int, pictures: Path | None = None) -> None:
        """Write the catalogue: each version adds, changes and removes some lines."""
        folder = pictures or self.root / "pictures"
        self.version, self.base = version, {}
        for n in range(version, version + 12):
            seed = 10_000 + n + (100 * version if n % 4 == 1 else 0)
            path = folder / f"{seed}.png"
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(drawn(seed))
            self.base[f"base-{n}"] = {
                "title": f"Product {n}" + (f" of {version}" if n % 3 == 0 else ""),
                "category": CATEGORIES[n % 3],
                "price": float(n),
                "attributes": {},
                "pictures": [[seed, 0]],
                "path": str(path),
            }
        with self.catalogue.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("id", "image", "title", "category", "price"))
            for id_, said in self.base.items():
                rows.writerow((id_, said["path"], said["title"], said["category"], said["price"]))

    def sync(self) -> Report:
        """Make the index say what the catalogue says."""
        return sync(self.index, self.catalogue)


def sync(index: Path, catalogue: Path) -> Report:
    """Make an index say what a catalogue says."""
    options = IndexOptions(allow_removals=True)
    return index_catalogue(index, open_source(catalogue), options, SILENT)
