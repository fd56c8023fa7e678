"""What the map and an explanation ask of an engine: the fake one's network sees 5 x 5 colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from indexer.listing import Listing, Region
from indexer.model import CHANNELS, FEATURES, LAYERS
from indexer.pictures import LIMITS, Prepared, prepare
from indexer.projection import Projection
from indexer.recipe import DEFAULT
from search.explain_cells import pooled

SIZE = 75


class Compared:
    """Has the network, the snapshot and the catalogue of `search.engine.Engine`."""

    listings: dict[str, tuple[Listing, tuple[bytes, ...]]]
    facets: Any
    types: Any
    keys: dict[str, tuple[str, ...]]
    network = SimpleNamespace(input_size=SIZE)
    limits = LIMITS

    @cached_property
    def _pictures(self) -> list[tuple[str, int]]:
        """What was embedded: of what could not be read, there is no vector."""
        return [
            (id_, n)
            for id_, (_, data) in self.listings.items()
            for n, one in enumerate(data)
            if one
        ]

    @cached_property
    def snapshot(self) -> Any:
        """Return vectors of colours, with listings numbered from 1."""
        features = np.zeros((len(self._pictures), len(FEATURES) * CHANNELS), np.float32)
        for row, (id_, place) in zip(features, self._pictures, strict=True):
            row[:] = pooled(self.maps(self.prepared(self.listings[id_][1][place]).pixels))
        projection = Projection.fit(DEFAULT, features) if len(features) else None
        return SimpleNamespace(
            folder=Path("/srv/secret"),
            manifest={"created": "2026-01-01T00:00:00+00:00"},
            projection=projection,
            vectors=projection.transform(features) if projection else np.zeros((0, 3)),
            listings=np.array([self.number_of(id_) for id_, _ in self._pictures], np.int64),
            pictures=np.arange(len(features)),
        )

    def view(self) -> Any:
        snapshot = self.snapshot
        return SimpleNamespace(
            snapshot=snapshot,
            positions=lambda numbers: np.array(list(numbers), np.int64),
            pictures=lambda positions: snapshot.pictures[positions],
            vectors=lambda positions: snapshot.vectors[positions],
            facets=self.facets,
            told=SimpleNamespace(filters=SimpleNamespace(types=self.types)),
        )

    @contextmanager
    def catalog(self) -> Iterator[Any]:
        numbered = dict(enumerate(self.listings, 1))
        yield SimpleNamespace(
            listings=lambda numbers: {
                int(n): (self.listings[numbered[n]][0], self.keys[numbered[n]]) for n in numbers
            },
            positions=lambda pictures: {n: self._pictures[n][1] for n in pictures},
            number_of=self.number_of,
            meta={"secret": "of the fake engine"}.get,
            pictures_of=lambda number: np.flatnonzero(self.snapshot.listings == number).tolist(),
        )

    def number_of(self, listing_id: str) -> int:
        return 1 + list(self.listings).index(listing_id)

    def embedder(self) -> Any:
        return self

    def maps(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        small = np.asarray(Image.fromarray(pixels).resize((5, 5), Image.Resampling.BOX)) / 255
        spread = np.random.default_rng(0).standard_normal((3, CHANNELS))
        seen = np.maximum((small - 0.5) @ spread, 0).astype(np.float32)
        return dict.fromkeys(LAYERS, seen)

    def prepared(self, photo: bytes, region: Region | None = None) -> Prepared:
        return prepare(photo, SIZE, region=region)
