"""What an index is and holds, in a few facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from indexer.catalog import FAILED

if TYPE_CHECKING:
    from search.engine import Engine


def described(engine: Engine) -> dict[str, object]:
    """Return what an index is and holds, fit for JSON."""
    snapshot = engine.snapshot
    manifest = snapshot.manifest
    with engine.catalog() as catalog:
        counts = {
            "listings": catalog.count("listings"),
            "pictures": catalog.count("pictures"),
            "failures": catalog.count("pictures", "state = ?", FAILED),
        }
        categories = catalog.categories()
    return {
        **counts,
        "vectors": snapshot.count,
        "dims": snapshot.projection.dims,
        "index": manifest["index"]["factory"],
        "recall_at_10": manifest["index"]["recall_at_10"],
        "recipe": manifest["recipe"],
        "category_model": manifest["categories"],
        "photos": manifest["photos"],
        "learned": manifest.get("learned", 0),
        "network": asdict(engine.network),
        "snapshot": snapshot.name,
        "created": manifest["created"],
        "version": manifest["version"],
        "categories": categories,
    }
