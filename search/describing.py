"""What an index is and holds, in a few facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from indexer.catalog import FAILED
from indexer.changes import age_of, changes_since

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
        changes = changes_since(catalog, manifest)
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
        **changes.as_dict(),
        "mismatched": manifest.get("mismatched") or {},
        "categories": categories,
    }


def figures(engine: Engine) -> dict[str, float]:
    """Return the few numbers that are looked at all the time; takes milliseconds."""
    view = engine.view()
    with engine.catalog() as catalog:
        listings = catalog.count("listings")
        # Both, so that it is counted from the small index of what is not done.
        failures = catalog.count("pictures", "state <> 1 AND state = ?", FAILED)
    return {
        "listings": listings,
        "failures": failures,
        "vectors": view.count,
        "changed": view.changed,
        "change": view.change,
        "snapshot_age_seconds": age_of(view.snapshot.manifest),
    }
