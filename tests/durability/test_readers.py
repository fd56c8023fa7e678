"""A reader that had the index open before another took its place sees what is written after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import indexer.replacing
from indexer.operations import Patch
from search.engine import Engine
from tests.durability import worker
from tests.durability.shop import Model, Shop, drawn, listing_of, writer


def test_a_write_to_the_index_that_took_the_place_is_seen(
    copy: Shop, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine.open(copy.index)
    take = indexer.replacing._take_the_place

    def after_many_writes(*arguments: Any) -> None:
        """Let the index before count further than the new one does, and the reader follow."""
        for n in range(30):
            writer(copy.index).patch(Patch("p-1", {"title": f"Often {n}"}))
        engine.view()
        take(*arguments)

    monkeypatch.setattr(indexer.replacing, "_take_the_place", after_many_writes)
    worker.replace(copy.index, copy.catalogue)
    state = {**model["p-1"], "pictures": [[920, 0]]}
    writer(copy.index).put(listing_of("p-late", state))
    hits = engine.search(photo=drawn(920), k=100).hits
    assert hits[0].listing.id == "p-late"
    assert hits[0].similarity > 0.99
    writer(copy.index).remove("p-late")
    found = {hit.listing.id for hit in engine.search(photo=drawn(920), k=100).hits}
    assert "p-late" not in found
    assert engine.listing("p-1")[0].title == "Often 29"
    engine.close()
    assert not Path(f"{copy.index}.next").exists()
