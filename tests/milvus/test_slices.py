"""An export's slices: what is begun is gone on with, and replaces nothing before it adds up."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.errors import IndexDamaged
from indexer.milvus.pull import SLICE, _begun, _joined, _require_all


def test_what_was_begun_keeps_its_count(tmp_path: Path) -> None:
    parts = tmp_path / "shop.parquet.parts"
    assert _begun(parts, "made", 3 * SLICE, True, True) == (3, 3 * SLICE)
    (parts / "00000000.parquet").touch()
    # More has been written meanwhile.
    assert _begun(parts, "made", 5 * SLICE, True, True) == (3, 3 * SLICE)
    assert (parts / "00000000.parquet").exists()
    for other in (("another", True, True), ("made", False, True), ("made", True, False)):
        made, features, thumbnails = other
        assert _begun(parts, made, 5 * SLICE, features, thumbnails) == (5, 5 * SLICE)
        assert not (parts / "00000000.parquet").exists()


def write_slices(parts: Path) -> None:
    parts.mkdir()
    kinds = {"category": pa.string(), "currency": pa.string(), "pictures": pa.list_(pa.int64())}
    for place in range(2):
        row = {"category": ["a"], "currency": ["EUR"], "pictures": [[1, 2]]}
        pq.write_table(pa.table(row, schema=pa.schema(kinds)), parts / f"{place:08d}.parquet")


def test_slices_that_do_not_add_up_replace_nothing(tmp_path: Path) -> None:
    parts, target = tmp_path / "parts", tmp_path / "shop.parquet"
    write_slices(parts)
    target.write_bytes(b"a good one")
    with pytest.raises(IndexDamaged, match="2 of 9 listings"):
        _joined(parts, target, 2, lambda read: _require_all(read, 9, 9))
    assert target.read_bytes() == b"a good one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "shop.parquet"]
    # Seven were removed while it was read.
    assert _joined(parts, target, 2, lambda read: _require_all(read, 9, 2)) == (2, 4)
    assert pq.read_table(target).num_rows == 2
