"""One catalogue into one index: stage, compare, embed what is new, publish a snapshot."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from indexer.apply import apply_staged, retry_failed
from indexer.build import FLAT_UP_TO, build_snapshot
from indexer.catalog import DATABASE, FAILED, PENDING, Catalog
from indexer.catalog_rows import PICTURELESS
from indexer.changes import changes_since
from indexer.dry_run import preview
from indexer.embedding import Embedding
from indexer.errors import IndexUnusable, NetworkMismatch, UsageError
from indexer.lease import writer_lease
from indexer.model import (
    CHANNELS,
    INPUT_SIZE,
    KEEP,
    Network,
    convert_cached,
    install_network,
    install_openvino,
    installed_network,
    quantise_cached,
)
from indexer.options import IndexOptions, Report, check_removals
from indexer.pipeline import Embedded
from indexer.progress import SILENT, Progress
from indexer.ray_cluster import require_ray
from indexer.ray_embedding import RayEmbedding
from indexer.recipe import DEFAULT, RECIPES, Recipe
from indexer.runtimes import OPENVINO_FILE, require_runtime
from indexer.snapshot import open_current
from indexer.sources import Source
from indexer.staging import discard, stage
from indexer.storing import storing
from indexer.thumbnails import Thumbnails
from indexer.versions import Checked, check_urls
from indexer.weights import Weights, find_weights

__all__ = [
    "IndexOptions",
    "Report",
    "index_catalogue",
    "keep_memory",
    "keep_width",
    "publish",
    "ready",
    "sync_with",
    "wanted_recipe",
]

OTHER = (
    "Leave --weights and --input-size out to use the index's own network, or add --replace to"
    " build the index anew with the other one, beside the one that serves."
)


def index_catalogue(
    folder: Path, source: Source, options: IndexOptions, progress: Progress = SILENT
) -> Report:
    """Make the index in `folder` say what `source` says, but for what was written to it since.

    Everything is checkpointed: after a crash or a Ctrl-C, the same call goes on where it stopped.

    Raises
    ------
    LookalikeError
        A kind of it that says what is wrong with the catalogue, the options or the index.
    """
    require_runtime(options.runtime)
    if options.ray is not None:
        require_ray(options.ray, options.runtime)
    recipe = wanted_recipe(folder, options)
    if options.dry_run:
        return preview(folder, source, options, progress)
    return sync_with(folder, source, options, recipe, progress)


def sync_with(
    folder: Path, source: Source, options: IndexOptions, recipe: Recipe, progress: Progress
) -> Report:
    """Do the same with a recipe that may have no name of its own."""
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with writer_lease(folder), Catalog(folder, create=True) as catalog:
        try:
            staged = stage(catalog, folder, source, progress)
            plan = staged.plan
            check_removals(plan, staged.removable, options)
            network, weights = _network(folder, options, progress)
            keep_width(catalog, recipe, options)
            keep_memory(catalog, options.memory)
            apply_staged(catalog, staged, progress)
        finally:
            discard(catalog, folder)
        if options.retry_failed:
            retry_failed(catalog)
        urls = _check_urls(catalog, options, progress)
        work = _embed(folder, catalog, network, weights, recipe, options, progress)
        snapshot = publish(folder, catalog, network, recipe, progress)
        if plan.removed or plan.changed or (urls is not None and urls.changed):
            _drop_thumbnails(folder)
        failures = catalog.count("pictures", "state = ?", FAILED)
        bare = catalog.count("listings", PICTURELESS)
        return Report(plan, work, failures, snapshot, urls, without_pictures=bare)


def _check_urls(catalog: Catalog, options: IndexOptions, progress: Progress) -> Checked | None:
    if not (options.check_urls or options.recheck_urls):
        return None
    return check_urls(catalog, progress, reread=options.recheck_urls)


def wanted_recipe(folder: Path, options: IndexOptions) -> Recipe:
    """Return the recipe that the options ask for, else the one in use, else the default."""
    if options.recipe is not None and options.recipe not in RECIPES:
        raise UsageError(
            f"There is no recipe {options.recipe!r}.", hint=f"There are: {', '.join(RECIPES)}."
        )
    if options.recipe is not None:
        recipe = RECIPES[options.recipe]
    else:
        recipe = _recipe_in_use(folder) or DEFAULT
    return recipe.sized(options.dims, options.variance)


def _recipe_in_use(folder: Path) -> Recipe | None:
    try:
        return open_current(folder).projection.recipe
    except IndexUnusable:  # there is none, or a new one is about to replace it
        return None


def _network(
    folder: Path, options: IndexOptions, progress: Progress
) -> tuple[Network, Weights | None]:
    """Return the index's network, installing it on the first run.

    Raises
    ------
    NetworkMismatch
        If the index has another one than the options ask for.
    """
    installed = installed_network(folder)
    lacks = options.runtime == "openvino" and not (folder / OPENVINO_FILE).is_file()
    kept = options.runtime != "keras" and not lacks
    if installed is not None and options.weights is None and kept:
        if options.input_size not in (None, installed.input_size):
            raise NetworkMismatch(
                f"The index was made with {installed.input_size} pixels a side, not with"
                f" {options.input_size}.",
                hint=OTHER,
            )
        return installed, None
    choice = options.weights or "auto"
    weights = find_weights(choice, scaling=options.scaling, say=progress.say)
    size = options.input_size or (installed.input_size if installed else INPUT_SIZE)
    with progress.track("Preparing the network", None, "steps"):
        network, model = convert_cached(weights, size)
        if installed is not None:
            _require_same(installed, network)
        if lacks:
            install_openvino(quantise_cached(weights, size), folder)
    if installed is None:
        install_network(network, model, folder)
    return installed or network, weights


def _require_same(installed: Network, network: Network) -> None:
    try:
        installed.require_same(network)
    except NetworkMismatch as error:
        raise NetworkMismatch(error.message, hint=OTHER) from error


def keep_memory(catalog: Catalog, memory: int | None) -> None:
    """Note how much memory a process that searches may take, where that is said."""
    if memory is not None and memory != catalog.memory():
        with catalog.writing():
            catalog.set_meta("memory", str(memory))


def keep_width(catalog: Catalog, recipe: Recipe, options: IndexOptions) -> None:
    """Fix the width of the feature file on the first run; refuse to change it afterwards."""
    kept = catalog.meta("feature_width")
    wanted = KEEP[options.keep_features or recipe.keep] * CHANNELS
    if kept is None:
        with catalog.writing():
            catalog.set_meta("feature_width", str(wanted))
    elif options.keep_features is not None and int(kept) != wanted:
        raise UsageError(
            "The index keeps other features than --keep-features asks for.",
            hint="Leave it out, or add --replace to build the index anew, beside the one that"
            " serves.",
        )
    recipe.require_kept(int(kept or wanted))


def _embed(
    folder: Path,
    catalog: Catalog,
    network: Network,
    weights: Weights | None,
    recipe: Recipe,
    options: IndexOptions,
    progress: Progress,
) -> Embedded:
    if not catalog.count("pictures", "state = ?", PENDING):
        return Embedded(0, 0, 0, 0.0)
    try:
        if options.ray is not None:
            return RayEmbedding(folder, network, options).run(catalog, progress)
        return Embedding.of(folder, network, weights, options).run(catalog, progress)
    except KeyboardInterrupt:
        _publish_first(folder, catalog, network, recipe, progress)
        raise


def ready(folder: Path, options: IndexOptions, progress: Progress) -> Embedding:
    """Return an index's network, loaded."""
    return Embedding.of(folder, *_network(folder, options, progress), options)


def _drop_thumbnails(folder: Path) -> None:
    with closing(Thumbnails(folder)) as thumbnails:
        thumbnails.keep_only(folder / DATABASE)


def _publish_first(
    folder: Path, catalog: Catalog, network: Network, recipe: Recipe, progress: Progress
) -> None:
    """Let a first run that is stopped early be searched already, where that takes no time."""
    done = catalog.count("pictures", "embedding IS NOT NULL")
    if _recipe_in_use(folder) is None and 0 < done <= FLAT_UP_TO:
        build_snapshot(folder, catalog, network, recipe, progress)


def publish(
    folder: Path, catalog: Catalog, network: Network, recipe: Recipe, progress: Progress
) -> str:
    """Publish a snapshot unless the one that serves is of this catalogue and recipe already."""
    try:
        current = open_current(folder)
    except IndexUnusable:
        current = None
    if (
        current is not None
        and not changes_since(catalog, current.manifest).changed
        and current.projection.recipe == recipe
        and current.manifest.get("memory") == catalog.memory()
    ):
        return current.name
    return build_snapshot(folder, catalog, network, recipe, progress)
