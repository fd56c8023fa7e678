"""Loading the network that an index was made with."""

from __future__ import annotations

from pathlib import Path

from indexer.embedder import Embedder, KerasEmbedder, embedder_class
from indexer.errors import NetworkMismatch
from indexer.model import MODEL_FILE, Network, convert_cached
from indexer.weights import find_weights


def load_network(path: Path, network: Network, runtime: str, threads: int | None) -> Embedder:
    """Load an index's network for one photo at a time.

    Parameters
    ----------
    path : Path
        The index's folder.
    network : Network
        What it was made with.
    runtime : str
        A name of `indexer.runtimes.RUNTIMES`.
    threads : int or None
        Threads of the network; None for as many as there are cores.

    Raises
    ------
    NetworkMismatch
        If Keras is asked for and the weights are not to be had, or are others.
    """
    if runtime != "keras":
        return embedder_class(runtime, path).for_photos(path / MODEL_FILE, threads)
    name = network.name.partition("-")[0]
    if name not in ("imagenet", "nsfwjs"):
        raise NetworkMismatch(
            f"The weights file {network.name} is not kept in the index.",
            hint="Use --runtime litert, which needs only the converted network.",
        )
    weights = find_weights(name)
    network.require_same(convert_cached(weights, network.input_size)[0])
    return KerasEmbedder(weights, network.input_size)
