"""One small shop, indexed by the fake network, in a folder and in a real Milvus server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

import indexer.embedder
import indexer.sync
from indexer.milvus.address import Address
from indexer.milvus.push import push
from indexer.model import MODEL_FILE, Network, install_network, installed_network
from indexer.progress import SILENT
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from indexer.weights import sha256_of
from indexer.writing import Writer
from search.engine import Engine
from tests.conftest import SIZE, FakeEmbedder, draw_picture
from tests.milvus.server import Server, shared

for package in ("pymilvus", "milvus"):
    pytest.importorskip(package, reason="Run `make test`: it installs a Milvus server, on Linux.")

LISTINGS = 60

BRANDS = ('Acme "quoted" \\', "Bolt & Co", "ÉTÉ 50%", "")


def write_shop(folder: Path) -> Path:
    """Draw a catalogue of which every field is missing somewhere, and every type is there."""
    lines = []
    for n in range(LISTINGS):
        names = [f"p/{n}.png"] + ([f"p/{n}b.png"] if n % 5 == 0 else [])
        for turn, name in enumerate(names):
            # Every tenth shows the picture of the one before it.
            draw_picture(folder / name, n - (n % 10 == 9) + 1000 * turn)
        said = {
            "id": f"l{n}",
            "image": names,
            "title": f"Product {n}" if n % 7 else "",
            "category": ("bags", "hats", "shoes", "")[n % 4],
            "price": n if n % 6 else None,
            "currency": "EUR",
            "brand": BRANDS[n % 4],
            "sale": n % 3 == 0,
            "size": n * 1.5 - 20,
            "tags": [f"tag {t}" for t in range(n % 4)],
        }
        lines.append(json.dumps({key: value for key, value in said.items() if value != ""}))
    path = folder / "catalog.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return path


@dataclass
class Shop:
    """The catalogue and what was made of it."""

    folder: Path
    index: Path
    embedder: FakeEmbedder
    server: Server

    def photo(self, n: int) -> Path:
        return self.folder / "p" / f"{n}.png"

    @property
    def address(self) -> str:
        return self.server.address("shop")


@pytest.fixture(scope="session")
def server() -> Server:
    return shared()


@pytest.fixture(scope="session")
def shop(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    model = folder / "fake.tflite"
    model.write_bytes(b"no network at all")
    network = Network("fake", "0" * 64, "0_1", SIZE, sha256_of(model))
    embedder = FakeEmbedder()
    real = indexer.sync._network

    def install(index: Path, options: IndexOptions, progress: object) -> object:
        if installed_network(index) is None:
            install_network(network, model, index)
        return real(index, options, progress)

    def loaded(path: Path, threads: int | None = None) -> FakeEmbedder:
        assert path.name == MODEL_FILE
        assert path.read_bytes() == model.read_bytes()
        return embedder

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOOKALIKE_CACHE", str(folder / "cache"))
        patch.setattr(indexer.sync, "_network", install)
        patch.setattr(indexer.embedder.Embedder, "for_bulk", loaded)
        patch.setattr(indexer.embedder.Embedder, "for_photos", loaded)
        source = open_source(str(write_shop(folder)))
        index_catalogue(folder / "index", source, IndexOptions(), SILENT)
        made = Shop(folder, folder / "index", embedder, server)
        push(made.index, Address.parse(made.address))
        yield made


@pytest.fixture(scope="session")
def local(shop: Shop) -> Iterator[Engine]:
    """The engine over the folder: what others are compared with."""
    engine = Engine.open(shop.index)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def remote(shop: Shop) -> Iterator[Engine]:
    """The engine over Milvus; nobody writes to it, so that it need not wait for the newest."""
    with closing(Engine.open(shop.address)) as strong:
        assert len(strong.search(listing_id="l7", k=100).hits) == LISTINGS - 1
    engine = Engine.open(shop.server.address("shop", consistency="eventually"))
    yield engine
    engine.close()


@pytest.fixture(params=["folder", "milvus"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Both in turn, not to be written to."""
    return request.getfixturevalue("local" if request.param == "folder" else "remote")


NUMBERS = count()


@dataclass
class Living:
    """An index of one's own, to be written to."""

    index: str
    engine: Engine
    writer: Writer


@pytest.fixture(scope="session", params=["folder", "milvus"])
def living(
    request: pytest.FixtureRequest, shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Living]:
    folder = tmp_path_factory.mktemp("living") / "index"
    shutil.copytree(shop.index, folder, ignore=shutil.ignore_patterns("milvus-*"))
    if request.param == "folder":
        index, engine = str(folder), Engine.open(folder)
        writer = Writer(folder, lambda: shop.embedder)
    else:
        index = shop.server.address(f"living{next(NUMBERS)}")
        push(folder, Address.parse(index))
        engine = Engine.open(index)
        writer = engine.writer(engine.limits)
    yield Living(index, engine, writer)
    engine.close()
