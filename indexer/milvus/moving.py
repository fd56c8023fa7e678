"""What the commands say and do about an index in Milvus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from indexer.milvus.address import Address
from indexer.milvus.connection import Milvus
from indexer.milvus.schema import LISTINGS
from indexer.milvus.space import Space, read_space
from indexer.milvus.store import Store
from indexer.milvus.writing import MilvusWriter

BOUNDED = "Bounded"


def facts(store: Store, space: Space) -> dict[str, Any]:
    """Return what an index in Milvus is and holds, fit for JSON."""
    manifest, address = space.snapshot.manifest, store.milvus.address
    vectors = store.count(level=BOUNDED)
    return {
        "index": str(address),
        "listings": store.count(LISTINGS, level=BOUNDED),
        "pictures": vectors,
        "vectors": vectors,
        "dims": space.dims,
        "kind": space.kind,
        "consistency": address.consistency.lower(),
        "recipe": manifest["recipe"],
        "category_model": manifest["categories"],
        "photos": manifest["photos"],
        "learned": manifest.get("learned", 0),
        "network": manifest["network"],
        "snapshot": space.snapshot.name,
        "created": manifest["created"],
        "version": manifest["version"],
        "mismatched": manifest.get("mismatched") or {},
    }


def facts_of(index: Path) -> dict[str, Any]:
    """Return what an index in Milvus is and holds, by its address."""
    milvus = Milvus(Address.parse(index))
    try:
        return facts(Store(milvus), read_space(milvus))
    finally:
        milvus.close()


def rows(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the same as a table's rows."""
    network, recipe = said["network"], said["recipe"]
    created = said["created"].replace("T", " ").replace("+00:00", " UTC")
    return [
        ("Index", said["index"]),
        ("Listings", f"{said['listings']:,}"),
        (
            "Network",
            f"InceptionV3 mixed7, {network['name']} ({network['sha256'][:8]}),"
            f" {network['input_size']} px, pixels {network['scaling']}",
        ),
        ("Recipe", f"{recipe['name']}: {' + '.join(recipe['features'])}"),
        ("Vectors", f"{said['vectors']:,} with {said['dims']} dimensions, {said['kind']}"),
        ("Consistency", said["consistency"]),
        ("Snapshot", f"{said['snapshot']}, made {created}"),
    ]


@contextmanager
def writer_of(index: Path) -> Iterator[MilvusWriter]:
    """Lend what writes to an index in Milvus without embedding anything."""
    milvus = Milvus(Address.parse(index))
    try:
        yield MilvusWriter(milvus, read_space(milvus), _no_embedder)
    finally:
        milvus.close()


def _no_embedder() -> Any:
    raise AssertionError("Nothing is embedded.")
