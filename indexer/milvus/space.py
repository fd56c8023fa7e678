"""The vector space of an index in Milvus: network, projection, categories and scores."""

from __future__ import annotations

import hashlib
import json
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.categories import CategoryModel
from indexer.errors import IndexDamaged, IndexVersionError, NetworkMismatch
from indexer.files import write_durably
from indexer.milvus.connection import Milvus, StoreUnavailable
from indexer.milvus.meta import CARD, CATEGORIES, MADE, MODEL, PROJECTION, Meta
from indexer.milvus.schema import create
from indexer.model import Network
from indexer.paths import cache_folder
from indexer.projection import Projection
from indexer.recipe import Recipe
from indexer.scores import ScoreModel
from indexer.snapshot import Snapshot

FORMAT = 1

TRIES = 3

LEFT_OUT = ("files", "fitted_on", "memory", "format")
"""Of a manifest: what is of the folder only, or long."""


@dataclass(frozen=True, slots=True)
class Space:
    """What readers and writers know of an index beside its listings.

    Attributes
    ----------
    snapshot : Snapshot
        Without vectors: its projection, categories, scores and manifest.
    network : Network
        What made the features.
    secret : str
        What cursors are signed with.
    made : str
        Names this index: another once its collections are made anew.
    kind : str
        The index over its vectors.
    change : int
        Raised with every card.
    feature_width : int
        Of the features that are kept.
    runtimes : str
        What ran the network, as the catalogue says it.
    stamp : str
        Of the card.
    """

    snapshot: Snapshot
    network: Network
    secret: str
    made: str
    kind: str
    change: int
    feature_width: int
    runtimes: str
    stamp: str

    @property
    def dims(self) -> int:
        """Numbers of a vector."""
        return int(self.snapshot.manifest["dims"])


@dataclass(frozen=True, slots=True)
class Made:
    """What was fixed when an index's collections were made."""

    made: str
    secret: str
    space: str
    kind: str


def prepare(milvus: Milvus, snapshot: Snapshot, network: Network, secret: str) -> Made:
    """Make an index's collections, or see to it that those there are of the same space.

    Raises
    ------
    NetworkMismatch
        If another network or projection made what is there.
    IndexVersionError
        If a newer Lookalike made it.
    IndexDamaged
        If nothing there says which network and projection it was.
    """
    create(milvus, snapshot.projection.dims)
    meta = Meta(milvus)
    stamps = meta.stamps([MADE, CARD])
    said = _made(milvus, meta, stamps) or {
        "format": FORMAT,
        "made": secrets.token_hex(8),
        "secret": secret,
        "space": snapshot.space,
        "kind": milvus.address.kind,
        "network": asdict(network),
    }
    Network(**said["network"]).require_same(network)
    if said["space"] != snapshot.space:
        raise NetworkMismatch(
            f"The vectors in {milvus.address} are made by another projection than those here.",
            hint="Write to another collection, and point the servers to it once it is full.",
        )
    meta.write(MADE, json.dumps(said).encode(), stamps.get(MADE))
    return Made(said["made"], said["secret"], said["space"], said["kind"])


def _made(milvus: Milvus, meta: Meta, stamps: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what was fixed, as the card says it where it was lost; None where nothing was yet."""
    for name in (MADE, CARD):
        if name not in stamps:
            continue
        try:
            said = _checked(milvus, json.loads(meta.read(name, stamps[name])))
        except IndexDamaged:
            continue
        network = said["network"] if name == MADE else said["manifest"]["network"]
        fixed = {key: said[key] for key in ("format", "made", "secret", "space", "kind")}
        return {**fixed, "network": network}
    if CARD in stamps:
        raise IndexDamaged(
            f"What {milvus.address} was made with is not whole.",
            hint="Write to another collection, and point the servers to it once it is full.",
        )
    return None


def write_space(
    milvus: Milvus,
    made: Made,
    snapshot: Snapshot,
    network: Network,
    model: Path,
    catalogue: Mapping[str, Any],
) -> None:
    """Tell readers what a snapshot says beside its vectors; the last step of filling an index.

    Parameters
    ----------
    milvus : Milvus
        Where.
    made : Made
        What `prepare` returned.
    snapshot : Snapshot
        Of the work folder.
    network : Network
        What made its features.
    model : Path
        The converted network: servers get it from here.
    catalogue : mapping
        ``feature_width`` and ``runtimes``.
    """
    meta = Meta(milvus)
    files = {
        MODEL: model,
        PROJECTION: snapshot.folder / "projection.npz",
        CATEGORIES: snapshot.folder / "categories.npz",
    }
    known = meta.stamps([*files, CARD])
    parts = {
        name: meta.write(name, path.read_bytes(), known.get(name)) for name, path in files.items()
    }
    manifest = {key: one for key, one in snapshot.manifest.items() if key not in LEFT_OUT}
    said = {
        "format": FORMAT,
        **asdict(made),
        "name": snapshot.name,
        "manifest": {**manifest, "network": asdict(network)},
        "parts": parts,
        **catalogue,
    }
    card = meta.write(CARD, json.dumps(said).encode(), known.get(CARD))
    # Whoever read the card before has its parts by now, or reads the new one.
    for name, stamp in {**parts, CARD: card}.items():
        meta.tidy(name, stamp)


def read_space(milvus: Milvus) -> Space:
    """Return what an index says beside its listings.

    Raises
    ------
    IndexNotReady
        If there is none, or it was never filled to the end.
    IndexVersionError
        If a newer Lookalike wrote it.
    IndexDamaged
        If a part is missing.
    """
    meta = Meta(milvus)
    for _ in range(TRIES):
        stamp = meta.stamp(CARD)
        try:
            return _space(milvus, meta, stamp or "")
        except IndexDamaged:
            # What the card names was tidied away, if there is a newer one by now.
            if meta.stamp(CARD) == stamp:
                raise
    raise StoreUnavailable(f"The index in {milvus.address} is being written.", hint="Try again.")


def _space(milvus: Milvus, meta: Meta, stamp: str) -> Space:
    said = _checked(milvus, json.loads(meta.read(CARD, stamp)))
    manifest, parts = said["manifest"], said["parts"]
    recipe = Recipe.from_dict(manifest["recipe"])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "projection.npz").write_bytes(meta.read(PROJECTION, parts[PROJECTION]))
        (folder / "categories.npz").write_bytes(meta.read(CATEGORIES, parts[CATEGORIES]))
        projection = Projection.load(folder / "projection.npz", recipe)
        categories = CategoryModel.load(folder / "categories.npz")
    none = np.zeros(0, np.int64)
    snapshot = Snapshot(
        Path(milvus.address.collection) / said["name"],
        {**manifest, "files": {}},
        np.zeros((0, projection.dims), np.float16),
        none,
        none,
        projection,
        none.astype(np.int32),
        categories,
        ScoreModel.from_dict(manifest["scores"]["plain"]),
        ScoreModel.from_dict(manifest["scores"]["keyed"]),
        said["space"],
    )
    return Space(
        snapshot,
        Network(**manifest["network"]),
        said["secret"],
        said["made"],
        said["kind"],
        int(manifest["change"]),
        int(said["feature_width"]),
        said["runtimes"],
        stamp,
    )


def network_folder(milvus: Milvus, network: Network, name: str) -> Path:
    """Return a folder that holds an index's converted network under `name`, fetched if need be.

    Raises
    ------
    IndexDamaged
        If Milvus holds another one than it says.
    """
    folder = cache_folder() / "networks" / f"milvus-{network.model_sha256[:16]}"
    path = folder / name
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == network.model_sha256:
        return folder
    data = Meta(milvus).read(MODEL)
    if hashlib.sha256(data).hexdigest() != network.model_sha256:
        raise IndexDamaged(
            f"The network in {milvus.address} is not the one that made its vectors.",
            hint="Write it again with `lookalike index`.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(path, data)
    return folder


def _checked(milvus: Milvus, said: dict[str, Any]) -> dict[str, Any]:
    if int(said["format"]) > FORMAT:
        raise IndexVersionError(
            f"The index in {milvus.address} was written by a newer Lookalike.",
            hint="Upgrade with: pip install --upgrade lookalike",
        )
    return said
