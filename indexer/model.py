"""The converted network: what it is called, where it lies, and what is known without loading it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import (
    IndexDamaged,
    LookalikeError,
    MissingExtra,
    NetworkError,
    NetworkMismatch,
    UsageError,
)
from indexer.files import write_durably
from indexer.paths import cache_folder
from indexer.runtimes import OPENVINO_FILE, OPENVINO_SUMS, OPENVINO_WEIGHTS
from indexer.storing import storing
from indexer.weights import Weights, sha256_of

LAYERS = ("mixed5", "mixed6", "mixed7")
"""The layers whose maps are given, shallow to deep."""

FEATURES = ("mixed7_avg", "mixed7_max", "mixed5_avg", "mixed6_avg", "mixed7_rmac")
"""The pooled outputs, in the order in which the feature file keeps them.

The last came later: a network that was converted before gives, and its index keeps, those before.
"""

KEEP = {"average": 1, "mixed7": 2, "all": 4, "regions": 5}
"""`--keep-features` to how many of `FEATURES` the feature file holds."""

CHANNELS = 768
"""Channels of each of `LAYERS`, so the width of each of `FEATURES`."""

INPUT_SIZE = 299
"""Pixels a side that InceptionV3 was trained on; mixed7 is then 17 x 17."""

MIN_INPUT_SIZE = 75
"""Pixels a side below which InceptionV3 has nothing left to pool."""

DRAWN_LISTINGS = 12
"""Products drawn to measure activations on, some 25 pictures; more change nothing."""

QUANTISATION = 2
"""Raised when `quantise_cached` makes something else for the same weights."""

CONVERSION = 2
"""Raised when `indexer.network.convert` writes something else for the same weights."""


@dataclass(frozen=True, slots=True)
class Network:
    """Which network made the features of an index.

    Attributes
    ----------
    name : str
        The weights' name: ``imagenet``, ``nsfwjs-4.4.0`` or a file's name.
    sha256 : str
        Of the weights file.
    scaling : str
        The pixel values the weights expect, a key of `indexer.weights.SCALINGS`.
    input_size : int
        Pixels a side.
    model_sha256 : str
        Of the converted model.
    """

    name: str
    sha256: str
    scaling: str
    input_size: int
    model_sha256: str

    def require_same(self, other: Network) -> None:
        """Raise NetworkMismatch unless features of the two can be compared."""
        if (self.sha256, self.scaling, self.input_size) != (
            other.sha256,
            other.scaling,
            other.input_size,
        ):
            raise NetworkMismatch(
                f"The index was made with the network {self}, not with {other}.",
                hint="Leave --weights and --input-size out to use the index's own network, or"
                " index into another folder with --index DIR.",
            )

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:8]}, {self.scaling}, {self.input_size} px)"


def convert_cached(weights: Weights, input_size: int = INPUT_SIZE) -> tuple[Network, Path]:
    """Return the converted network of `weights`, converting it where that was never done.

    The conversion runs in a process of its own, so that TensorFlow never enters this one.

    Raises
    ------
    UsageError
        If `input_size` is too small.
    WeightsUnavailable
        If the file holds no InceptionV3.
    NetworkError
        If the conversion failed.
    """
    if input_size < MIN_INPUT_SIZE:
        raise UsageError(
            f"An input size of {input_size} is too small for InceptionV3.",
            hint=f"Use {MIN_INPUT_SIZE} pixels or more; {INPUT_SIZE} is what it was trained on.",
        )
    name = f"{weights.sha256[:16]}-{weights.scaling}-{input_size}-v{CONVERSION}.tflite"
    path = cache_folder() / "networks" / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _convert_apart(weights, input_size, path)
    return Network(weights.name, weights.sha256, weights.scaling, input_size, sha256_of(path)), path


def quantise_cached(weights: Weights, input_size: int = INPUT_SIZE) -> Path:
    """Return OpenVINO's int8 form of the network, making it where that was never done.

    It depends on the weights alone: the ranges of its activations are measured on pictures that
    are drawn here, so the same weights give every index the same network.

    Returns
    -------
    Path
        The .xml, with a .bin of its name beside it.

    Raises
    ------
    MissingExtra
        If OpenVINO is not installed.
    NetworkError
        If the conversion failed.
    """
    try:
        from indexer.quantise import quantise  # noqa: PLC0415 - imports OpenVINO
    except ImportError as error:
        raise MissingExtra("The openvino runtime", "openvino") from error
    name = f"{weights.sha256[:16]}-{weights.scaling}-{input_size}-q{QUANTISATION}.xml"
    path = cache_folder() / "networks" / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            _convert_apart(weights, input_size, folder / MODEL_FILE, float32=True)
            quantise(folder / MODEL_FILE, _drawn(folder, input_size), folder / OPENVINO_FILE)
            _put(folder / OPENVINO_FILE, path)
    return path


def _drawn(folder: Path, input_size: int) -> list[NDArray[np.uint8]]:
    """Draw pictures of products and photos of them, as the network sees them."""
    # Imported here: they cost most commands time that they need not pay.
    from indexer.demo import draw_demo  # noqa: PLC0415
    from indexer.pictures import prepare  # noqa: PLC0415

    draw_demo(folder / "demo", listings=DRAWN_LISTINGS, jobs=1)
    pictures = sorted((folder / "demo").rglob("*.jpg"))
    return [prepare(picture.read_bytes(), input_size).pixels for picture in pictures]


def _put(source: Path, target: Path) -> None:
    """Copy OpenVINO's two files; the .xml last, since who sees it takes both for there."""
    for suffix in (".bin", ".xml"):
        write_durably(target.with_suffix(suffix), source.with_suffix(suffix).read_bytes())


def _convert_apart(weights: Weights, input_size: int, path: Path, *, float32: bool = False) -> None:
    order = {
        "weights": {**asdict(weights), "path": str(weights.path.resolve())},
        "input_size": input_size,
        "path": str(path),
        "float32": float32,
    }
    # -P: the folder one happens to stand in may hold a package named `indexer` too.
    packages = str(Path(__file__).resolve().parent.parent)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")])),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", "from indexer.network import main; main()"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode == 0 and path.is_file():
        return
    raise _told_by(done.stdout, done.stderr)


def _told_by(stdout: str, stderr: str) -> LookalikeError:
    try:
        told = json.loads(stdout.splitlines()[-1])
        return NetworkError(told["message"], hint=told["hint"])
    except (IndexError, ValueError, KeyError):
        last = stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return NetworkError(
            f"TensorFlow could not convert the network: {last[0]}",
            hint="Try `lookalike network` to see it fail by itself.",
        )


MODEL_FILE = "network.tflite"
CARD_FILE = "network.json"


def install_network(network: Network, model: Path, folder: Path) -> None:
    """Copy the converted network and its card into an index's folder.

    Raises
    ------
    StorageError
        If the disk is full, or may not be written to.
    """
    data = model.read_bytes()
    with storing(folder):
        write_durably(folder / MODEL_FILE, data)
        write_durably(folder / CARD_FILE, json.dumps(asdict(network), indent=2).encode())


def install_openvino(model: Path, folder: Path) -> None:
    """Copy OpenVINO's form of the network into an index's folder."""
    _put(model, folder / OPENVINO_FILE)
    sums = {name: sha256_of(folder / name) for name in (OPENVINO_FILE, OPENVINO_WEIGHTS)}
    write_durably(folder / OPENVINO_SUMS, json.dumps(sums).encode())


def installed_network(folder: Path) -> Network | None:
    """Return the card of an index's network; None where it has none yet.

    Raises
    ------
    IndexDamaged
        If the card cannot be read.
    """
    try:
        card: Any = json.loads((folder / CARD_FILE).read_bytes())
        return Network(**card)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise IndexDamaged(
            f"{folder / CARD_FILE} is damaged: it does not hold what was written.",
            hint=installed_again(folder),
        ) from error


def missing_network(folder: Path, name: str) -> IndexDamaged:
    """Return what to raise where one of the two files of an index's network is not there."""
    return IndexDamaged(f"{folder / name} is missing.", hint=installed_again(folder))


def installed_again(folder: Path) -> str:
    """Say how an index gets its network again."""
    card = folder / CARD_FILE
    # While its card is there, indexing takes the network for installed.
    first = f"remove {card} and " if card.exists() else ""
    return (
        f"Restore it from a backup, or {first}install it again, with --weights and"
        f" --input-size if they were given before: lookalike index CATALOG --index {folder}"
    )
