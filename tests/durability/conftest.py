"""A small index, made once, and copies of it to break."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.durability import shop
from tests.durability.shop import Model, Shop, listing_of


@pytest.fixture(scope="package", autouse=True)
def _fake_network() -> object:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("for_bulk", "for_photos"):
            patch.setattr(f"indexer.embedder.Embedder.{name}", lambda _m, _t=None: shop.EMBEDDER)
        yield


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """An index of twelve listings that must not be changed: copy it."""
    return Shop.made(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="package")
def model() -> Model:
    """Listings that are written one by one."""
    return kept_model()


def kept_model() -> Model:
    """Listings that are written one by one."""
    fields = {"category": "hats", "price": 2.5}
    return {
        f"p-{n}": {
            "title": f"Kept {n}",
            **fields,
            "attributes": {"version": n},
            "pictures": [[600 + n, 0], [600, 1]],
        }
        for n in range(4)
    }


@pytest.fixture(scope="package")
def written(made: Shop, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """An index with listings written one by one, and holes where others were removed."""
    shop_ = made.copied(tmp_path_factory.mktemp("written"))
    prepare(shop_, model)
    return shop_


def prepare(to: Shop, model: Model) -> None:
    """Write some listings, remove others, and change the catalogue."""
    writing = shop.writer(to.index)
    for n in range(3):
        state = {**model["p-0"], "pictures": [[700 + n, 0]]}
        writing.put(listing_of(f"gone-{n}", state))
    for id_, state in model.items():
        writing.put(listing_of(id_, state))
    for n in range(3):
        writing.remove(f"gone-{n}")
    to.write_catalogue(1)


@pytest.fixture
def copy(written: Shop, tmp_path: Path) -> Shop:
    """A copy of `written`."""
    return written.copied(tmp_path)
