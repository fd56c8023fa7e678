"""The InceptionV3 inside the npm package `nsfwjs`, read without TensorFlow.js."""

from __future__ import annotations

import base64
import json
import re
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import WeightsUnavailable

NSFWJS_PACKAGE = "nsfwjs@4.4.0"
NSFWJS_FOLDER = "package/dist/models/inception_v3/"


def read_nsfwjs(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the InceptionV3 out of nsfwjs' npm archive.

    The model is a TensorFlow.js layers model whose weights are stored as bytes: value = byte *
    scale + min, with scale and min per tensor.

    Parameters
    ----------
    path : Path
        The archive that ``npm pack`` wrote.

    Returns
    -------
    dict of str to ndarray of float32
        Keras' tensor names (``conv2d_1/kernel``) to values.

    Raises
    ------
    WeightsUnavailable
        If the archive does not hold such a model.
    """
    try:
        with tarfile.open(path) as archive:
            manifest = _weights_manifest(_member(archive, "model.min.js"))
            shards = [_base64_of(_member(archive, f"{name}.min.js")) for name in manifest["paths"]]
            return _dequantised(manifest["weights"], b"".join(shards))
    except (tarfile.TarError, KeyError, ValueError, OSError, EOFError, zlib.error) as error:
        raise WeightsUnavailable(
            f"{path} does not hold nsfwjs' InceptionV3 ({error}).",
            hint=f"Delete it and run again, or fetch it with: npm pack {NSFWJS_PACKAGE}",
        ) from error


def _dequantised(entries: list[dict[str, Any]], blob: bytes) -> dict[str, NDArray[np.float32]]:
    """Turn the stored bytes of each tensor into its values."""
    tensors: dict[str, NDArray[np.float32]] = {}
    start = 0
    for entry in entries:
        shape, quantization = entry["shape"], entry["quantization"]
        count = int(np.prod(shape))
        stored = np.frombuffer(blob, np.dtype(quantization["dtype"]), count, start)
        start += stored.nbytes
        values = stored.astype(np.float32) * quantization["scale"] + quantization["min"]
        tensors[entry["name"]] = values.reshape(shape).astype(np.float32)
    return tensors


def _member(archive: tarfile.TarFile, name: str) -> str:
    file = archive.extractfile(NSFWJS_FOLDER + name)
    if file is None:
        raise KeyError(name)
    return file.read().decode("utf-8")


def _base64_of(script: str) -> bytes:
    found = re.search(r'exports\s*=\s*"([A-Za-z0-9+/=]+)"', script)
    if found is None:
        raise ValueError("a shard holds no data")
    return base64.b64decode(found.group(1))


def _weights_manifest(script: str) -> Any:
    """Cut the manifest out of the minified script and make JSON of it."""
    start = script.index("weightsManifest:[") + len("weightsManifest:[")
    end = script.index("}]}]", start) + len("}]}")
    text = script[start:end]
    text = re.sub(r"([{,])([A-Za-z_]\w*):", r'\1"\2":', text)  # bare keys
    text = re.sub(r"([:\[,]-?)(\.\d)", r"\g<1>0\2", text)  # .5 -> 0.5
    return json.loads(text)
