"""Whether an index says exactly what was acknowledged, and nothing by halves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from indexer.catalog import DONE, Catalog, region_text
from indexer.features import feature_file
from indexer.listing import Picture
from indexer.pictures import content_hash
from indexer.stored import stored_path, stored_uri
from indexer.thumbnails import Thumbnails
from indexer.verify import problems
from search.engine import Engine
from tests.durability.ledger import Told
from tests.durability.shop import REGIONS, Model, State, drawn, features

FOUND = 0.999
"""Cosine of a picture's own vector, which is kept in float16."""


def said(folder: Path) -> dict[str, Any]:
    """Return what an index says of each listing, in the words of `wanted`."""
    with Catalog(folder) as catalog, catalog.reading():
        listings = {
            row["number"]: (row["id"], _fields(row, json.loads(row["attributes"])))
            for row in catalog.db.execute("SELECT * FROM listings")
        }
        pictures: dict[int, list[tuple[object, ...]]] = {number: [] for number in listings}
        for row in catalog.db.execute(
            "SELECT p.*, e.content FROM pictures p LEFT JOIN embeddings e"
            " ON e.number = p.embedding ORDER BY p.listing, p.position"
        ):
            picture = (row["uri"], row["region"], row["state"], row["content"])
            pictures[row["listing"]].append(picture)
    return {id_: (fields, pictures[number]) for number, (id_, fields) in listings.items()}


def wanted(state: State | None) -> Any:
    """Return what an index must say of a listing in a state; None of one that is gone."""
    if state is None:
        return None
    pictures = []
    for seed, region in state["pictures"]:
        content = content_hash(drawn(seed))
        uri = state.get("path") or stored_uri(content)
        text = region_text(Picture("", region=REGIONS[region]))
        pictures.append((uri, text, DONE, content))
    return _fields(state, state["attributes"]), pictures


def _fields(row: Any, attributes: Any) -> tuple[object, ...]:
    return row["title"], row["category"], row["price"], attributes


def settled(folder: Path, told: Told, model: Model) -> tuple[Model, list[str]]:
    """Return what the index must say after a crash, and what is wrong already.

    What was begun and not acknowledged may be there or not, each operation as a whole.
    """
    model, wrong = told.apply(model), list(told.wrong)
    actual = said(folder)
    # The states that a listing may be in: after each prefix of what was not acknowledged of it.
    may: dict[str, list[State | None]] = {}
    for id_, state in told.open:
        may.setdefault(id_, [model.get(id_)]).append(state)
    for id_, states in may.items():
        fits = [state for state in states if wanted(state) == actual.get(id_)]
        if not fits:
            wrong.append(f"{id_} is half there: {actual.get(id_)}, may be {states}")
        elif fits[0] is None:
            model.pop(id_, None)
        else:
            model[id_] = fits[0]
    return model, wrong


def mistakes(folder: Path, model: Model, base: Model | None = None) -> Iterator[str]:
    """Yield everything in which an index differs from what was acknowledged.

    Parameters
    ----------
    folder : Path
        The index's.
    model : dict of str to State
        Listings that were written one by one.
    base : dict of str to State, optional
        Those of the catalogue, where a sync has been through since.
    """
    yield from problems(folder)
    actual = said(folder)
    for id_, state in [*model.items(), *(base or {}).items()]:
        if wanted(state) != actual.get(id_):
            yield f"{id_} says {actual.get(id_)} instead of {wanted(state)}"
    others = {id_ for id_ in actual if id_ not in model and not id_.startswith("base-")}
    if base is not None:
        others = set(actual) - set(model) - set(base)
    for id_ in sorted(others):
        yield f"{id_} is there and should not be: {actual[id_]}"
    if not others:
        yield from _kept(folder, {**model, **(base or {})})
        yield from _found(folder, model)


def _kept(folder: Path, model: Model) -> Iterator[str]:
    """Compare pictures' features and bytes with what they were made of."""
    thumbnails = Thumbnails(folder)
    with Catalog(folder) as catalog:
        file = feature_file(folder, catalog)
        rows = {
            (row["content"], row["region"]): row["number"]
            for row in catalog.db.execute("SELECT * FROM embeddings")
        }
    for id_, state in model.items():
        for (seed, region), (uri, text, _, content) in zip(
            state["pictures"], wanted(state)[1], strict=True
        ):
            kept = file.read(np.array([rows[content, text]]))[0]
            if not np.array_equal(kept, features(seed, region)[: file.width]):
                yield f"{id_}: the features of {seed} are others"
            if not thumbnails.has(content):
                yield f"{id_}: {seed} has no thumbnail"
            if "path" not in state and (
                not stored_path(folder, uri).is_file()
                or stored_path(folder, uri).read_bytes() != drawn(seed)
            ):
                yield f"{id_}: the picture {seed} is not kept"
    thumbnails.close()


def _found(folder: Path, model: Model) -> Iterator[str]:
    """Search for every listing, by its vectors in the view and some by their photo."""
    engine = Engine.open(folder)
    try:
        view = engine.view()
        with Catalog(folder) as catalog:
            total = catalog.count("pictures", "embedding IS NOT NULL")
            numbers = {id_: catalog.number_of(id_) for id_ in model}
            held = {id_: catalog.pictures_of(number) for id_, number in numbers.items()}
        if view.count != total:
            yield f"{view.count} vectors can be found of {total}"
        for id_, state in model.items():
            if len(view.positions(held[id_])) != len(state["pictures"]):
                yield f"{id_} cannot be found whole"
            for seed, region in state["pictures"]:
                asked = features(seed, region)[None]
                vector = view.snapshot.projection.transform(asked)
                positions, cosines = view.nearest(vector.astype(np.float32), view.count)
                near = view.listings(positions[cosines > FOUND])
                if numbers[id_] not in near:
                    yield f"{id_} is not found by its picture {seed}"
        for id_, state in list(model.items())[:3]:
            seed, region = state["pictures"][0]
            hits = engine.search(photo=drawn(seed), region=REGIONS[region], k=100, prior=False).hits
            if not any(h.listing.id == id_ and h.similarity > FOUND for h in hits):
                yield f"{id_} is not found by its photo"
    finally:
        engine.close()
