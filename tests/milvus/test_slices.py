"""An export's slices: what is begun is gone on with, and replaces nothing before it adds up."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.errors import IndexDamaged
from indexer.milvus.slices import begin, join, require_all

ASKED = {"made": "made", "features": True, "thumbnails": True}


def test_what_was_begun_is_gone_on_with(tmp_path: Path) -> None:
    parts = tmp_path / "shop.parquet.parts"
    begun = begin(parts, ASKED, 3, 3000)
    assert (begun.slices, begun.counted) == (3, 3000)
    (parts / "00000000.parquet").touch()
    # More has been written meanwhile. What it holds of the features is taken over.
    assert begin(parts, ASKED, 5, 5000) == begun
    assert (parts / "00000000.parquet").exists()
    for other in ({"made": "another"}, {"features": False}, {"thumbnails": False}):
        anew = begin(parts, {**ASKED, **other}, 5, 5000)
        assert (anew.slices, anew.counted) == (5, 5000)
        assert anew.hold != begun.hold
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
        join(parts, target, 2, lambda read: require_all(read, 9, 9))
    assert target.read_bytes() == b"a good one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "shop.parquet"]
    # Seven were removed while it was read.
    assert join(parts, target, 2, lambda read: require_all(read, 9, 2)) == (2, 4)
    assert pq.read_table(target).num_rows == 2
