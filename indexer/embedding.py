"""An index's network, loaded, and what embeds the pending pictures with it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from indexer.catalog import Catalog
from indexer.embedder import Embedder, KerasEmbedder, embedder_class
from indexer.features import feature_file
from indexer.model import MODEL_FILE, Network
from indexer.options import IndexOptions
from indexer.pipeline import Embedded, Pipeline
from indexer.progress import Progress
from indexer.runtimes import runtime_of
from indexer.steps import Steps
from indexer.thumbnails import Thumbnails
from indexer.weights import Weights


@dataclass(frozen=True, slots=True)
class Embedding:
    """What embeds the pending pictures of an index.

    Attributes
    ----------
    folder : Path
        The index's.
    network : Network
        Its network.
    embedder : Embedder
        The same, loaded.
    options : IndexOptions
        What a picture may weigh, and what runs the network.
    """

    folder: Path
    network: Network
    embedder: Embedder
    options: IndexOptions

    @classmethod
    def of(
        cls, folder: Path, network: Network, weights: Weights | None, options: IndexOptions
    ) -> Embedding:
        """Load the network of an index; `weights` are its own where Keras is to run them."""
        embedder = (
            KerasEmbedder(weights, network.input_size)
            if options.runtime == "keras"
            else embedder_class(options.runtime, folder).for_bulk(folder / MODEL_FILE)
        )
        return cls(folder, network, embedder, options)

    def run(self, catalog: Catalog, progress: Progress) -> Embedded:
        """Embed what is pending in the index's catalogue."""
        record_runtime(catalog, runtime_of(self.options.runtime, self.folder))
        with closing(Thumbnails(self.folder)) as thumbnails:
            features = feature_file(self.folder, catalog)
            steps = Steps(
                self.folder,
                self.embedder,
                self.network.input_size,
                features.width,
                self.options.limits,
            )
            return Pipeline(catalog, features, thumbnails, steps).run(progress)


def record_runtime(catalog: Catalog, runtime: str) -> None:
    """Keep which runtimes made the features: they agree closely, but not to the last bit."""
    used = (catalog.meta("runtimes") or "").split()
    if runtime not in used:
        with catalog.writing():
            catalog.set_meta("runtimes", " ".join([*used, runtime]))
