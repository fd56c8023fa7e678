"""A driver that is there to be killed: python -m tests.ray.driver ADDRESS CATALOGUE INDEX."""

from __future__ import annotations

import sys
from pathlib import Path

import indexer.pipeline
import indexer.ray_embedding
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from tests.ray.workers import load

if __name__ == "__main__":
    address, catalogue, folder = sys.argv[1:]
    indexer.ray_embedding.LOADERS["litert"] = load
    indexer.pipeline.CHECKPOINT_PICTURES = 8
    index_catalogue(Path(folder), open_source(catalogue), IndexOptions(ray=address))
