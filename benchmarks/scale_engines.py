"""What `benchmarks.scale` compares: Lookalike's index of vectors and the embedded peers.

Each runs in a process of its own, which does one thing at a time when told to, so that memory is
counted apart and measurements can take turns.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.scale_vectors import SHARES, K, mapped


@dataclass(frozen=True)
class StandIn:
    """As much of a `Snapshot` as `VectorIndex` needs."""

    folder: Path
    manifest: dict[str, Any]
    vectors: np.ndarray
    codes: np.ndarray
    projection: Any

    @property
    def count(self) -> int:
        return len(self.vectors)


def stand_in(folder: Path, dims: int) -> StandIn:
    """Open a folder that `benchmarks.scale` built."""
    vectors = mapped(folder / "vectors.f16", dims)
    said = json.loads((folder / "said.json").read_text())
    nobody = np.broadcast_to(np.int32(-1), len(vectors))
    return StandIn(folder, {"index": said}, vectors, nobody, SimpleNamespace(dims=dims))


class Lookalike:
    """`search.index.VectorIndex`."""

    name = "Lookalike"
    ladder = (0,)

    def open(self, folder: Path, dims: int) -> None:
        from search.index import VectorIndex
        from search.selection import Selection

        self._selection = Selection
        self._index = VectorIndex(stand_in(folder, dims))
        self._within = self._living = None

    def build(self, folder: Path, dims: int) -> None:
        """Built by `benchmarks.scale` from features."""

    def allow(self, mask: np.ndarray | None, name: str | None) -> None:
        self._within = None if mask is None else self._selection.of(mask)

    def delete(self, dead: np.ndarray, count: int) -> None:
        living = np.ones(count, np.bool_)
        living[dead] = False
        self._living = self._selection.of(living)

    def search(self, vector: np.ndarray, effort: int) -> np.ndarray:
        return self._index.nearest(vector[None], K, self._within, living=self._living)[0]


class Hnswlib:
    """hnswlib: a graph of float32 vectors in memory; a filter is a Python function."""

    name = "hnswlib"
    ladder = (40, 80, 120, 160, 240, 320, 480, 640)

    def build(self, folder: Path, dims: int) -> None:
        import hnswlib

        vectors = mapped(folder / "vectors.f16", dims)
        index = hnswlib.Index("ip", dims)
        index.init_index(len(vectors), M=16, ef_construction=200)
        for start in range(0, len(vectors), 100_000):
            block = vectors[start : start + 100_000].astype(np.float32)
            index.add_items(block, np.arange(start, start + len(block)), num_threads=2)
        index.save_index(str(folder / "peer.hnswlib"))

    def open(self, folder: Path, dims: int) -> None:
        import hnswlib

        self._index = hnswlib.Index("ip", dims)
        self._index.load_index(str(folder / "peer.hnswlib"))
        self._index.set_num_threads(1)
        self._filter = None

    def allow(self, mask: np.ndarray | None, name: str | None) -> None:
        self._filter = None if mask is None else mask.tolist().__getitem__

    def delete(self, dead: np.ndarray, count: int) -> None:
        for position in dead.tolist():
            self._index.mark_deleted(position)

    def search(self, vector: np.ndarray, effort: int) -> np.ndarray:
        self._index.set_ef(effort)
        return self._index.knn_query(vector[None], K, filter=self._filter)[0][0]


class Usearch:
    """usearch: a graph of float16 vectors in memory; a filter has to be applied to the answer."""

    name = "usearch"
    ladder = (40, 80, 120, 160, 240, 320, 480, 640)

    def build(self, folder: Path, dims: int) -> None:
        from usearch.index import Index

        vectors = mapped(folder / "vectors.f16", dims)
        index = Index(ndim=dims, metric="ip", dtype="f16", connectivity=16, expansion_add=128)
        for start in range(0, len(vectors), 100_000):
            block = np.ascontiguousarray(vectors[start : start + 100_000])
            index.add(np.arange(start, start + len(block)), block, threads=2)
        index.save(str(folder / "peer.usearch"))

    def open(self, folder: Path, dims: int) -> None:
        from usearch.index import Index

        self._index = Index(ndim=dims, metric="ip", dtype="f16")
        self._index.load(str(folder / "peer.usearch"))
        self._mask = None

    def allow(self, mask: np.ndarray | None, name: str | None) -> None:
        self._mask = mask

    def delete(self, dead: np.ndarray, count: int) -> None:
        self._index.remove(dead.astype(np.uint64))

    def search(self, vector: np.ndarray, effort: int) -> np.ndarray:
        self._index.expansion_search = effort
        if self._mask is None:
            return self._index.search(vector, K, threads=1).keys.astype(np.int64)
        ask = min(4096, int(2 * K / max(self._mask.mean(), 1e-9)))
        keys = self._index.search(vector, ask, threads=1).keys.astype(np.int64)
        return keys[self._mask[keys]][:K]


class LanceDB:
    """LanceDB: inverted lists on disk, compared again with the vectors; filters in SQL."""

    name = "LanceDB"
    ladder = (20, 40, 80, 160, 320)

    def build(self, folder: Path, dims: int) -> None:
        import lancedb
        import pyarrow as pa

        vectors = mapped(folder / "vectors.f16", dims)
        selected = np.load(folder / "random.npz")

        def blocks():
            for start in range(0, len(vectors), 100_000):
                block = vectors[start : start + 100_000].astype(np.float32)
                rows = slice(start, start + len(block))
                columns = {f"s{n}": pa.array(selected[f"s{n}"][rows]) for n in range(len(SHARES))}
                yield pa.record_batch(
                    {
                        "id": pa.array(np.arange(start, start + len(block))),
                        "vector": pa.FixedSizeListArray.from_arrays(pa.array(block.ravel()), dims),
                        **columns,
                    }
                )

        first = next(blocks())
        table = lancedb.connect(str(folder / "peer.lance")).create_table(
            "t", pa.RecordBatchReader.from_batches(first.schema, blocks()), mode="overwrite"
        )
        lists = 2 ** round(np.log2(4 * np.sqrt(len(vectors))))
        table.create_index(
            metric="dot", num_partitions=lists, num_sub_vectors=dims // 2, index_type="IVF_PQ"
        )
        for n in range(len(SHARES)):
            table.create_scalar_index(f"s{n}", index_type="BITMAP")

    def open(self, folder: Path, dims: int) -> None:
        import lancedb

        self._table = lancedb.connect(str(folder / "peer.lance")).open_table("t")
        self._where = None

    def allow(self, mask: np.ndarray | None, name: str | None) -> None:
        self._where = None
        if name is not None:
            self._where = f"s{[f'random {share:g}' for share in SHARES].index(name)} = true"

    def delete(self, dead: np.ndarray, count: int) -> None:
        for start in range(0, len(dead), 20_000):
            numbers = ", ".join(map(str, dead[start : start + 20_000].tolist()))
            self._table.delete(f"id IN ({numbers})")

    def search(self, vector: np.ndarray, effort: int) -> np.ndarray:
        asked = self._table.search(vector).select(["id", "_distance"]).limit(K)
        asked = asked.distance_type("dot").nprobes(effort).refine_factor(10)
        if self._where:
            asked = asked.where(self._where, prefilter=True)
        return asked.to_arrow()["id"].to_numpy()


ENGINES = {engine.name: engine for engine in (Lookalike, Hnswlib, Usearch, LanceDB)}


def resident() -> dict[str, int]:
    """Return this process's anonymous memory and what it has mapped and used, in bytes."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "anonymous": int(lines["RssAnon"].split()[0]) * 1024,
        "mapped": int(lines["RssFile"].split()[0]) * 1024,
    }


def _serve(connection, name: str, folder: Path, dims: int) -> None:
    import faiss

    engine = ENGINES[name]()
    while True:
        what, *arguments = connection.recv()
        if what == "end":
            return
        try:
            if what == "build":
                faiss.omp_set_num_threads(2)
                connection.send(_timed(engine.build, folder, dims))
            elif what == "open":
                faiss.omp_set_num_threads(1)  # one question at a time
                connection.send(_timed(engine.open, folder, dims))
            elif what == "resident":
                connection.send(resident())
            elif what == "search":
                connection.send(_search(engine, *arguments))
            else:
                connection.send(_timed(getattr(engine, what), *arguments))
        except Exception as error:  # noqa: BLE001 - of whatever kind the peer raises
            connection.send(f"{type(error).__name__}: {str(error)[:120]}")


def _timed(function, *arguments) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def _search(engine, asked: np.ndarray, effort: int) -> tuple[list[np.ndarray], np.ndarray]:
    found, times = [], []
    for vector in asked:
        start = time.perf_counter()
        answer = engine.search(vector, effort)
        times.append(time.perf_counter() - start)
        found.append(np.asarray(answer, np.int64))
    return found, np.array(times)


class Process:
    """An engine in a process of its own."""

    def __init__(self, name: str, folder: Path, dims: int) -> None:
        context = get_context("spawn")
        self.name = name
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, name, folder, dims))
        self._process.start()

    def tell(self, what: str, *arguments) -> Any:
        """Have something done and return the answer; a text where it failed."""
        self._connection.send((what, *arguments))
        return self._connection.recv()

    def end(self) -> None:
        self._connection.send(("end",))
        self._process.join()
