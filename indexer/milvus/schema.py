"""The collections of an index in Milvus.

COLLECTION             a picture each: its vector, and what its listing says, to filter by
COLLECTION_listings    a listing each, as a document
COLLECTION_thumbnails  small pictures by content
COLLECTION_features    what vectors are made of, by content; loaded only to export it
COLLECTION_meta        the recipe and all that readers need beside, in pieces
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from indexer.milvus.connection import LONG, Milvus, pymilvus

LISTINGS, THUMBNAILS, FEATURES, META = "listings", "thumbnails", "features", "meta"
BESIDE = (LISTINGS, THUMBNAILS, FEATURES, META)

TEXT = 65_535
"""Bytes of the longest text that Milvus takes."""

NOTHING = [0.0, 0.0]
"""Every collection must have vectors: those that need none have this one."""

LISTS = 4096
"""Of the IVF indexes."""

BUILD: dict[str, dict[str, Any]] = {
    "FLAT": {},
    "HNSW": {"M": 32, "efConstruction": 200},
    "IVF_FLAT": {"nlist": LISTS},
    "IVF_SQ8": {"nlist": LISTS},
    "IVF_PQ": {"nlist": LISTS, "m": 64, "nbits": 8},
    "DISKANN": {},
}

EF = 256
"""How many HNSW looks at, at least; measured in docs/milvus.md."""

NPROBE = 128
"""Lists that the IVF indexes search, at least."""

MOST_EF, MOST_LIST = 32_768, 65_535
"""What HNSW and DiskANN can look at."""


def search_params(kind: str, count: int, *, whole: bool = False) -> dict[str, Any]:
    """Return how an index of some kind is searched for `count` vectors.

    Parameters
    ----------
    kind : str
        One of `address.KINDS`.
    count : int
        How many vectors are sought.
    whole : bool, optional
        Whether as much is looked at as can be: nothing that could be found may be missed.
    """
    params: dict[str, Any] = {}
    if kind == "HNSW":
        params = {"ef": MOST_EF if whole else min(max(EF, count + count // 2), MOST_EF)}
    elif kind.startswith("IVF"):
        # As many lists more as there are vectors more to be found.
        params = {"nprobe": LISTS if whole else min(max(NPROBE, count), LISTS)}
    elif kind == "DISKANN":
        most = min(10 * count, MOST_LIST) if count > 20 else 200
        params = {"search_list": most if whole else max(100, count + count // 2)}
    return {"metric_type": "IP", "params": params}


def create(milvus: Milvus, dims: int) -> None:
    """Make the collections that are not there yet."""
    address = milvus.address
    there = set(milvus.list_collections())
    for name in there & {address.collection, *map(address.named, BESIDE)}:
        _complete(milvus, name)
    # Each takes seconds, which Milvus spends waiting.
    with ThreadPoolExecutor(len(BESIDE) + 1) as workers:
        made = []
        if address.collection not in there:
            index = _index("vector", address.kind, BUILD[address.kind])
            made.append(workers.submit(_make, milvus, address.collection, _vectors(dims), index))
        for what in BESIDE:
            if address.named(what) not in there:
                schema = _keyed("number" if what == LISTINGS else "key")
                # Nobody reads features while searching, and they are the most of it: what has no
                # index is not loaded.
                plain = None if what == FEATURES else _index("nothing", "FLAT", {})
                made.append(workers.submit(_make, milvus, address.named(what), schema, plain))
        for one in made:
            one.result()


def _complete(milvus: Milvus, name: str) -> None:
    """Finish making a collection, where whoever made it was stopped before its index was."""
    address = milvus.address
    if name == address.named(FEATURES):
        return
    of_vectors = name == address.collection
    if not milvus.list_indexes(name):
        index = _index("nothing", "FLAT", {})
        if of_vectors:
            index = _index("vector", address.kind, BUILD[address.kind])
        milvus.create_index(name, index_params=index, timeout=LONG)
    # One that is loaded stays so: it may be with more replicas than we would ask for.
    if milvus.get_load_state(name)["state"] == pymilvus().client.types.LoadState.NotLoad:
        milvus.load_collection(name, timeout=LONG)


def load_features(milvus: Milvus) -> None:
    """Have the features in the servers' memory, to be read."""
    name = milvus.address.named(FEATURES)
    if not milvus.list_indexes(name):
        milvus.create_index(name, index_params=_index("nothing", "FLAT", {}), timeout=LONG)
    milvus.load_collection(name, timeout=LONG)


def _make(milvus: Milvus, name: str, schema: Any, index: Any) -> None:
    milvus.create_collection(
        name,
        schema=schema,
        index_params=index,
        consistency_level="Strong",
        num_shards=milvus.address.shards,
        timeout=LONG,
    )


def _vectors(dims: int) -> Any:
    kind = pymilvus().DataType
    schema = pymilvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("picture", kind.INT64, is_primary=True)
    schema.add_field("vector", kind.FLOAT_VECTOR, dim=dims)
    for name in ("listing", "since", "label", "title", "name", "url"):
        schema.add_field(name, kind.INT64)
    schema.add_field("place", kind.INT32)
    for name in ("content", "region"):
        schema.add_field(name, kind.VARCHAR, max_length=512)
    for name in ("category", "currency"):
        schema.add_field(name, kind.VARCHAR, max_length=1024)
    schema.add_field("price", kind.DOUBLE)
    schema.add_field("said", kind.JSON)
    schema.add_field("document", kind.VARCHAR, max_length=TEXT)
    return schema


def _keyed(key: str) -> Any:
    kind = pymilvus().DataType
    schema = pymilvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    if key == "number":
        schema.add_field(key, kind.INT64, is_primary=True)
    else:
        schema.add_field(key, kind.VARCHAR, is_primary=True, max_length=512)
    schema.add_field("value", kind.VARCHAR, max_length=TEXT)
    schema.add_field("nothing", kind.FLOAT_VECTOR, dim=2)
    return schema


def _index(field: str, kind: str, params: dict[str, Any]) -> Any:
    index = pymilvus().MilvusClient.prepare_index_params()
    index.add_index(field, index_type=kind, metric_type="IP", params=params)
    return index
