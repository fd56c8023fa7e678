"""Customers' photos without labels: where they lie among features, and how they vary.

Photos from a phone are not catalogue pictures: their features have another mean, and vary in
other directions. The features of photos that the shop gave to `lookalike calibrate --photos` are
kept beside the index, so that any recipe can be fitted on them; the photos themselves are not.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged, NetworkMismatch
from indexer.files import write_durably
from indexer.model import Network

FILE = "photos.npz"

MOST = 5000
"""Photos that are kept at most: their mean and main directions do not change visibly beyond."""

SHRINKAGE = 5
"""How many photos the catalogue's own mean counts for, so that a few cannot mislead."""

FEWEST_TO_FIT = 20
"""Photos that it takes to learn directions from them, not only their mean."""


def store_photos(index: Path, features: NDArray[np.floating], network: Network) -> None:
    """Keep photos' features beside the index, in place of earlier ones.

    Parameters
    ----------
    index : Path
        The index's folder.
    features : ndarray of float, shape (P, F)
        Kept as float16. No row forgets them.
    network : Network
        What made them.
    """
    out = io.BytesIO()
    np.savez(out, features=features.astype(np.float16), network=np.array(network.sha256))
    write_durably(index / FILE, out.getvalue())


def forget_photos(index: Path) -> None:
    """Remove what `store_photos` kept."""
    (index / FILE).unlink(missing_ok=True)


def stored_photos(index: Path, network: Network) -> NDArray[np.float16] | None:
    """Return the features that `store_photos` kept, shape (P, F); None if there are none.

    Raises
    ------
    IndexDamaged
        If the file cannot be read.
    NetworkMismatch
        If another network made them.
    """
    path = index / FILE
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            features, made_by = arrays["features"], str(arrays["network"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise IndexDamaged(
            f"{path} cannot be read ({error}).",
            hint="Remove it, and run `lookalike calibrate --photos FOLDER` again.",
        ) from error
    if made_by != network.sha256:
        raise NetworkMismatch(
            f"The photos in {path} went through another network.",
            hint="Remove it, and run `lookalike calibrate --photos FOLDER` again.",
        )
    return features if len(features) else None


def photo_mean(
    catalogue: NDArray[np.float32], total: NDArray[np.floating], count: int
) -> NDArray[np.float32]:
    """Return the mean of prepared photos, shrunk towards the catalogue's.

    Parameters
    ----------
    catalogue : ndarray of float32, shape (width,)
        The mean of its prepared features.
    total : ndarray of float, shape (width,)
        The sum of the photos'.
    count : int
        How many they are.
    """
    exact = catalogue.astype(np.float64)  # so that no photo leaves it as it is
    return ((total + SHRINKAGE * exact) / (count + SHRINKAGE)).astype(np.float32)


def pooled(catalogue: NDArray[np.float32], photos: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stack centred pictures and photos so that their covariance is that of both.

    Each kind is centred by its own mean, since the step between the two is no variation. Photos
    weigh P / (P + min(N, P)): half where there are fewer of them than of pictures, more where the
    catalogue is so small that most of what is known of variation comes from them.

    Parameters
    ----------
    catalogue : ndarray of float32, shape (N, width)
        Prepared features, centred.
    photos : ndarray of float32, shape (P, width)
        Likewise, by their own mean.

    Returns
    -------
    ndarray of float32, shape (N + P, width)
        Of mean zero.
    """
    count, extra = len(catalogue), len(photos)
    share = extra / (extra + min(count, extra))
    total = count + extra
    return np.concatenate(
        [
            catalogue * np.float32(np.sqrt((1 - share) * total / count)),
            photos * np.float32(np.sqrt(share * total / extra)),
        ]
    )
