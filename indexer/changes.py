"""What a snapshot does not tell yet, and whether that is enough for a new one."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.catalog import Catalog
from indexer.errors import IndexUnusable
from indexer.manifest import SNAPSHOTS, current_name, read_manifest

MANY = 1_000
"""Changes above which a new snapshot is worth it, however small the last one is."""

SHARE = 0.05
"""The same as a share of the last one's vectors: above it, searching beside it is felt."""

FEW = 100
"""Changes above which it is worth it once the last one is old."""

SOON_SECONDS = 60.0
"""How old one is at least that is replaced once more has changed than it holds, an empty one by the
first listings, say: only then they are on the map, and have categories."""

OLD_SECONDS = 600.0
"""When that is; longer for a large one, which takes minutes to build."""

OLD_PER_VECTOR = OLD_SECONDS / 100_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What a snapshot does not tell yet.

    Attributes
    ----------
    change : int
        The number of the catalogue's latest change.
    changed : int
        Listings or pictures that came or changed since, and pictures that went.
    tombstones : int
        Notes of pictures that went, kept for as long as a reader may ask for them.
    vectors : int
        Of the snapshot.
    age : float
        Of the snapshot, in seconds.
    emptied : bool
        Whether nothing is left of what it has vectors of, nor anything else.
    """

    change: int
    changed: int
    tombstones: int
    vectors: int
    age: float
    emptied: bool = False

    @property
    def due(self) -> bool:
        """Whether it is time for a new snapshot."""
        if self.emptied:  # it costs nothing to build, and what was removed still lies there
            return True
        if self.changed > self.vectors and self.age > SOON_SECONDS:
            return True
        if self.changed > max(MANY, SHARE * self.vectors):
            return True
        old = max(OLD_SECONDS, OLD_PER_VECTOR * self.vectors)
        return self.changed > FEW and self.age > old

    def as_dict(self) -> dict[str, int]:
        """Return what a status tells of it, fit for JSON."""
        return {
            "change": self.change,
            "changed": self.changed,
            "tombstones": self.tombstones,
            "snapshot_age_seconds": round(self.age),
        }


def changes_since(catalog: Catalog, manifest: Mapping[str, Any] | None) -> Changes:
    """Return what a snapshot does not tell yet; all there is where there is no manifest.

    Costs milliseconds, whatever the size of the catalogue.
    """
    since = -1 if manifest is None else int(manifest["change"])

    def count(table: str, where: str = "change > ?") -> int:
        return catalog.count(table, where, *[since] * where.count("?"))

    with catalog.reading():
        change = catalog.change()
        came = max(count("listings"), count("pictures"))
        changed = came + count("removed")
        tombstones = count("removed", "1")
        found = catalog.db.execute("SELECT 1 FROM pictures WHERE embedding >= 0 LIMIT 1")
        anything = found.fetchone() is not None
    vectors = 0 if manifest is None else int(manifest["vectors"])
    emptied = vectors > 0 and not anything
    return Changes(change, changed, tombstones, vectors, age_of(manifest), emptied)


def age_of(manifest: Mapping[str, Any] | None) -> float:
    """Return how old a snapshot is, in seconds; 0 where there is none."""
    if manifest is None:
        return 0.0
    created = datetime.datetime.fromisoformat(manifest["created"])
    return (datetime.datetime.now(datetime.UTC) - created).total_seconds()


def current_manifest(folder: Path) -> Mapping[str, Any] | None:
    """Return the manifest of the snapshot that serves; None where it cannot be used."""
    try:
        return read_manifest(folder / SNAPSHOTS / current_name(folder))
    except IndexUnusable:
        return None
