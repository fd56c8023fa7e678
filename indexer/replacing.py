"""A whole new index built beside the one that serves, which it then takes the place of.

DIR         the index that serves, searches and accepts writes all the time
DIR.next    the new one: a copy of the catalogue whose pictures are all to be embedded again

When it is built, what services wrote meanwhile is carried over in rounds, each smaller than the
one before; the last one, and the exchange of the folders' names, while writers wait.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from indexer.carrying import CARRIED, Carrier
from indexer.catalog import DATABASE, FAILED, PENDING, Catalog
from indexer.copying import sync_tree
from indexer.dry_run import preview
from indexer.errors import NetworkMismatch, UsageError
from indexer.files import sync_file, sync_folder
from indexer.lease import writer_lease
from indexer.model import CARD_FILE, MODEL_FILE, installed_network
from indexer.options import IndexOptions, Report
from indexer.progress import SILENT, Progress
from indexer.ray_cluster import require_ray
from indexer.recipe import Recipe
from indexer.runtimes import (
    OPENVINO_FILE,
    OPENVINO_SUMS,
    OPENVINO_WEIGHTS,
    require_runtime,
    runtime_of,
)
from indexer.sources import Source
from indexer.storing import storing
from indexer.swapping import put_back, swap
from indexer.sync import index_catalogue, publish, ready, sync_with, wanted_recipe
from indexer.thumbnails import THUMBNAILS

ROUNDS = 10
SMALL = 50
"""Listings that may be left to carry over while writers wait."""

MANY = 10_000
"""Listings that are worth another snapshot before the index serves."""

NETWORK = (MODEL_FILE, OPENVINO_FILE, OPENVINO_WEIGHTS, OPENVINO_SUMS, CARD_FILE)

MADE_ANEW = (DATABASE, THUMBNAILS, "staging.db", "features.", "CURRENT", "writer.", "map.npz")
"""How the names begin of what the new index has of its own."""

OF_THE_NETWORK = ("photos.npz", "learned.npz", "learned.lock")
"""What was computed by the network before, and means nothing to another."""

FOLDERS = ("snapshots", "pictures")


def replace_index(
    folder: Path, source: Source, options: IndexOptions, progress: Progress = SILENT
) -> Report:
    """Build the index in `folder` anew beside it, with another network perhaps, and swap the two.

    Until then the one before serves, and accepts writes; none of them is lost. After a crash or a
    Ctrl-C, the same call goes on where it stopped. Where there is no index, this is a sync.

    Raises
    ------
    LookalikeError
        As `indexer.sync.index_catalogue`. The index before is as it was then.
    """
    require_runtime(options.runtime)
    if options.ray is not None:
        require_ray(options.ray, options.runtime)
    folder = folder.resolve()  # it is the folder itself whose name changes, and not a link to it
    put_back(folder)
    if not (folder / DATABASE).is_file():
        return index_catalogue(folder, source, options, progress)
    recipe = wanted_recipe(folder, options)
    if options.dry_run:
        return replace(preview(folder, source, options, progress), replaced=True)
    following = folder.with_name(f"{folder.name}.next")
    with storing(following), writer_lease(folder):
        options = _with_network(folder, options)
        carrier = _begun(folder, following, recipe, options)
        if options.weights is None and options.input_size is None:
            _copy_network(folder, following)
        carrier.link_pictures()
        try:
            report = sync_with(following, source, options, recipe, progress)
        except NetworkMismatch as error:
            raise NetworkMismatch(
                f"What was built so far in {following} has another network. {error.message}",
                hint=f"Ask for that one, or remove {following} to begin anew.",
            ) from error
        with writer_lease(following):
            _take_the_place(carrier, recipe, options, progress)
            progress.say(f"Removing the index before, now in {following}.")
            shutil.rmtree(following)
            sync_folder(folder.parent)
    return replace(report, replaced=True)


def _with_network(folder: Path, options: IndexOptions) -> IndexOptions:
    """Fill in the index's own weights or input size, where only the other one is asked for."""
    if options.runtime == "auto" and runtime_of("auto", folder) == "openvino":
        options = replace(options, runtime="openvino")
    installed = installed_network(folder)
    if installed is None or (options.weights is None and options.input_size is None):
        return options
    if options.weights is not None:
        return replace(options, input_size=options.input_size or installed.input_size)
    if installed.input_size == options.input_size:
        return replace(options, input_size=None)
    for name in ("imagenet", "nsfwjs"):
        if installed.name.startswith(name):
            return replace(options, weights=name)
    raise UsageError(
        f"The index's network {installed.name} was made from a file of your own.",
        hint="Say where it is with --weights PATH.",
    )


def _begun(folder: Path, following: Path, recipe: Recipe, options: IndexOptions) -> Carrier:
    """Return what carries over to the new index, which is begun where it was not before."""
    begun = _copied(folder, following)
    if begun is None:
        if following.exists():  # of another index, or one whose place was taken already
            shutil.rmtree(following)
        following.mkdir()
        begun = _copy_catalog(folder, following, recipe, options)
    return Carrier(folder, following, *begun)


def _copied(folder: Path, following: Path) -> tuple[int, int] | None:
    """Return the change and the last listing up to which the new index was copied.

    None where there is no new index, or not one of this index: both have one secret.
    """
    if not (following / DATABASE).is_file():
        return None
    with Catalog(folder) as catalog, Catalog(following) as copy:
        noted = copy.meta("replaces")
        if noted is None or copy.meta("secret") != catalog.meta("secret"):
            return None
        change, last = map(int, noted.split())
        # An index that was restored from a backup may be older than its copy.
        return (change, last) if change <= catalog.change() else None


def _copy_catalog(
    folder: Path, following: Path, recipe: Recipe, options: IndexOptions
) -> tuple[int, int]:
    aside = following / "copy"
    aside.mkdir()
    with Catalog(folder) as catalog, closing(sqlite3.connect(aside / DATABASE)) as copy:
        catalog.db.backup(copy)
    with Catalog(aside) as copied:
        kept = options.keep_features is None
        try:
            recipe.require_kept(int(copied.meta("feature_width") or 0))
        except UsageError:
            kept = False
        with copied.writing():
            change = copied.change()
            last = copied.db.execute("SELECT max(number) FROM listings").fetchone()[0] or 0
            copied.db.execute(
                "UPDATE pictures SET state = ?, embedding = NULL WHERE state <> ?",
                (PENDING, FAILED),
            )
            copied.db.execute("DELETE FROM embeddings")
            copied.db.execute("DELETE FROM removed")
            copied.db.execute(CARRIED)
            copied.db.execute("DELETE FROM meta WHERE key IN ('runtimes', 'carried', 'replaced')")
            if not kept:
                copied.db.execute("DELETE FROM meta WHERE key = 'feature_width'")
            copied.set_meta("rows", "0")
            copied.set_meta("pruned", str(change))
            copied.set_meta("replaces", f"{change} {last}")
        copied.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    sync_file(aside / DATABASE)
    (aside / DATABASE).rename(following / DATABASE)
    shutil.rmtree(aside)
    sync_folder(following)
    return change, int(last)


def _copy_network(folder: Path, following: Path) -> None:
    """Give the new index the network of the one before; its card last, which says it is there."""
    if installed_network(following) is None:
        for name in NETWORK:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, following / name)
                sync_file(following / name)


def _take_the_place(
    carrier: Carrier, recipe: Recipe, options: IndexOptions, progress: Progress
) -> None:
    old, new = carrier.old, carrier.new
    # Loaded before writers have to wait.
    embedding = ready(new, options, progress)
    carried = 0
    with Catalog(old) as before:
        with Catalog(new) as catalog:
            for _ in range(ROUNDS):
                count = carrier.carry(catalog)
                carried += count
                embedding.run(catalog, progress)
                if count > MANY:
                    publish(new, catalog, embedding.network, recipe, progress)
                if count <= SMALL:
                    break
        with before.writing():
            with Catalog(new) as catalog:
                carried += carrier.carry(catalog)
                embedding.run(catalog, progress)
                with catalog.writing():
                    catalog.db.execute("DROP TABLE carried")
                    catalog.db.execute("DELETE FROM meta WHERE key IN ('carried', 'replaces')")
            _copy_others(old, new)
            sync_tree(new)
            # Whoever waits to write here reads this next, and opens the new one.
            before.set_meta("replaced", "1")
            if not swap(old, new):
                progress.say("This system cannot exchange two folders; they were renamed in turn.")
    if carried:
        progress.say(f"{carried:,} listings that were written meanwhile were carried over.")


def _copy_others(old: Path, new: Path) -> None:
    """Bring over what else lies in the index's folder: keys, what others may keep there."""
    for path in old.iterdir():
        known = path.name in (*NETWORK, *OF_THE_NETWORK, *FOLDERS)
        if known or path.name.startswith(MADE_ANEW):
            continue
        if path.is_dir():
            shutil.copytree(path, new / path.name, dirs_exist_ok=True)
        elif path.is_file():
            shutil.copy2(path, new / path.name)
            sync_file(new / path.name)
