"""The plain public recipe, re-made as the baseline: what a person writes after reading the answers.

InceptionV3 -> mixed7 -> global maximum pooling, one Keras `predict` a mini-batch over pictures
that Pillow loaded, scikit-learn's PCA to 100, exact nearest neighbours by cosine.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.decomposition import PCA

from indexer.network import build_base
from indexer.weights import SCALINGS, Weights

BATCH = 32


class Seed:
    """The baseline on given weights."""

    def __init__(self, weights: Weights) -> None:
        base = build_base(weights)
        pooled = keras.layers.GlobalMaxPooling2D()(base.get_layer("mixed7").output)
        self._model = keras.Model(base.input, pooled)
        self._factor, self._offset = SCALINGS[weights.scaling]

    def embed(self, paths: list[Path]) -> NDArray[np.float32]:
        """Load and embed pictures; (N, 768) float32."""
        return np.concatenate(
            [
                self.predict(np.stack([self._load(p) for p in paths[i : i + BATCH]]))
                for i in range(0, len(paths), BATCH)
            ]
        )

    def predict(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network on a batch, (N, 299, 299, 3), scaled; (N, 768) float32."""
        pooled: NDArray[np.float32] = self._model.predict(pixels, verbose=0)
        return pooled

    def fit(self, features: NDArray[np.float32]) -> None:
        """Reduce the catalogue's features and keep them as the index."""
        self._pca = PCA(min(100, len(features) - 1)).fit(features)
        self._index = self._unit(features)

    def query(self, path: Path) -> NDArray[np.int64]:
        """Return the ten nearest of the catalogue to one photo."""
        vector = self._unit(self.embed([path]))[0]
        return np.argsort(-(self._index @ vector))[:10]

    def _load(self, path: Path) -> NDArray[np.float32]:
        pixels = np.asarray(Image.open(path).convert("RGB").resize((299, 299)), np.float32)
        return pixels * np.float32(self._factor) + np.float32(self._offset)

    def _unit(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        reduced = self._pca.transform(features)
        unit: NDArray[np.float32] = reduced / np.linalg.norm(reduced, axis=1, keepdims=True)
        return unit
