"""InceptionV3 up to mixed7: built by Keras, converted for LiteRT. The only file with TensorFlow.

The network is fully convolutional up to mixed7, so any input of 75 pixels or more a side serves;
299 gives mixed7 as 17 x 17 x 768.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Before TensorFlow is imported: no start-up chatter, and Keras on the backend that can convert.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from indexer.diagram import drawing
from indexer.errors import LookalikeError, UsageError, WeightsUnavailable
from indexer.files import write_durably
from indexer.model import FEATURES, INPUT_SIZE, LAYERS, MIN_INPUT_SIZE
from indexer.nsfwjs import read_nsfwjs
from indexer.regions import regions
from indexer.weights import SCALINGS, Weights


def build_base(weights: Weights, input_size: int = INPUT_SIZE) -> keras.Model:
    """Build the whole InceptionV3 without its top and load `weights`.

    Parameters
    ----------
    weights : Weights
        From `indexer.weights.find_weights`.
    input_size : int
        Pixels a side, at least 75.

    Returns
    -------
    keras.Model
        (N, size, size, 3) float32, already scaled -> mixed10.

    Raises
    ------
    WeightsUnavailable
        If the file is not one of this network.
    """
    if input_size < MIN_INPUT_SIZE:
        raise UsageError(
            f"An input size of {input_size} is too small for InceptionV3.",
            hint=f"Use {MIN_INPUT_SIZE} pixels or more; 299 is what it was trained on.",
        )
    keras.backend.clear_session()  # layer names count from the start of a session
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(input_size, input_size, 3)
    )
    if weights.path.suffix == ".tgz":
        _assign_nsfwjs(base, weights.path)
        return base
    try:
        base.load_weights(weights.path)
    except (ValueError, OSError, KeyError) as error:
        raise WeightsUnavailable(
            f"{weights.path} does not fit Keras' InceptionV3 without top.",
            hint="Save it with model.save_weights('NAME.weights.h5') from"
            " keras.applications.InceptionV3(include_top=False).",
        ) from error
    return base


def _assign_nsfwjs(base: keras.Model, path: Path) -> None:
    """Set each convolution and normalisation, the n-th here from the n-th there."""
    tensors = read_nsfwjs(path)
    for layer in base.layers:
        kind = re.fullmatch(r"(conv2d|batch_normalization)(?:_(\d+))?", layer.name)
        if kind is None:
            continue
        theirs = f"{kind[1]}_{int(kind[2] or 0) + 1}"
        layer.set_weights([tensors[f"{theirs}/{variable.name}"] for variable in layer.weights])


def build(weights: Weights, input_size: int = INPUT_SIZE) -> keras.Model:
    """Build the network that embeds: bytes in, pooled features and maps out.

    Returns
    -------
    keras.Model
        Input (N, size, size, 3) uint8. Outputs, by name, float32: ``mixed7_avg``,
        ``mixed7_max``, ``mixed5_avg``, ``mixed6_avg``, ``mixed7_rmac``, each (N, 768); and the
        maps ``mixed5``, ``mixed6``, ``mixed7``, each (N, 17, 17, 768) at 299 pixels.
    """
    base = build_base(weights, input_size)
    maps = keras.Model(
        base.input, [base.get_layer(name).output for name in LAYERS], name="inception_v3"
    )
    factor, offset = SCALINGS[weights.scaling]
    pixels = keras.Input((input_size, input_size, 3), dtype="uint8", name="pixels")
    mixed5, mixed6, mixed7 = maps(keras.layers.Rescaling(factor, offset, name="scale")(pixels))
    average, maximum = keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D
    outputs = {
        "mixed7_avg": average(name="mixed7_avg")(mixed7),
        "mixed7_max": maximum(name="mixed7_max")(mixed7),
        "mixed5_avg": average(name="mixed5_avg")(mixed5),
        "mixed6_avg": average(name="mixed6_avg")(mixed6),
        "mixed7_rmac": _regional(mixed7),
        "mixed5": mixed5,
        "mixed6": mixed6,
        "mixed7": mixed7,
    }
    return keras.Model(pixels, outputs, name="lookalike")


def _regional(maps: Any) -> Any:
    """Return the sum of the regions' maxima, each scaled to unit length (`indexer.regions`)."""
    _, rows, columns, _ = maps.shape
    parts = []
    for down, across in regions(rows, columns):
        region = maps[:, down, across]
        # As a pooling, not as a maximum over axes, which the runtimes are slow at.
        highest = keras.layers.MaxPooling2D(tuple(region.shape[1:3]))(region)
        parts.append(keras.layers.UnitNormalization()(keras.layers.Flatten()(highest)))
    return keras.layers.Add(name="mixed7_rmac")(parts)


def convert(weights: Weights, input_size: int, path: Path, *, float32: bool = False) -> None:
    """Write the network to `path` as a LiteRT model with dynamic-range int8 weights.

    Its signature ``features`` gives the pooled features, ``maps`` the maps of the layers. With
    `float32`, the weights stay as they are, and ``features`` is all there is: that form is made
    only for `indexer.quantise`. The file appears whole or not at all.
    """
    model = build(weights, input_size)
    signatures = {"features": FEATURES} if float32 else {"features": FEATURES, "maps": LAYERS}
    with tempfile.TemporaryDirectory() as folder:
        _save_frozen(model, folder, signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        if not float32:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converted = converter.convert()
    write_durably(path, converted)


def _save_frozen(
    model: keras.Model, folder: str, signatures: Mapping[str, tuple[str, ...]]
) -> None:
    """Save the model with its weights as constants, one signature per set of outputs.

    The converter folds normalisations into convolutions and stores a weight once for all
    signatures only where the weights are constants; variables would stay variables in the file.
    """
    _, height, width, channels = model.input_shape
    spec = tf.TensorSpec((1, height, width, channels), tf.uint8, name="pixels")

    def freeze(names: tuple[str, ...]) -> Any:
        @tf.function(input_signature=[spec], autograph=False)  # type: ignore[untyped-decorator]
        def outputs(pixels: Any) -> Any:
            given = model(pixels, training=False)
            return {name: given[name] for name in names}

        constant = convert_variables_to_constants_v2(outputs.get_concrete_function())

        @tf.function(input_signature=[spec], autograph=False)  # type: ignore[untyped-decorator]
        def named(pixels: Any) -> Any:
            return dict(zip(sorted(names), constant(pixels), strict=True))

        return named

    frozen = {key: freeze(names) for key, names in signatures.items()}
    tf.saved_model.save(tf.Module(), folder, signatures=frozen)


def keras_runtime(
    weights: Weights, input_size: int
) -> Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]:
    """Return the float32 network as a function: (N, size, size, 3) uint8 -> outputs by name."""
    model = build(weights, input_size)

    def run(pixels: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        return {name: np.asarray(value) for name, value in model(pixels, training=False).items()}

    return run


def cut(weights: Weights, input_size: int = INPUT_SIZE) -> keras.Model:
    """Return InceptionV3 from its input to mixed7, nothing added: what is drawn and summarised."""
    base = build_base(weights, input_size)
    return keras.Model(base.input, base.get_layer(LAYERS[-1]).output, name="inception_v3_mixed7")


def summary(weights: Weights, input_size: int = INPUT_SIZE) -> str:
    """Return Keras' summary of the network up to mixed7."""
    lines: list[str] = []
    # Keras cuts off what is wider than the terminal.
    width = min(100, shutil.get_terminal_size().columns)
    model = cut(weights, input_size)
    model.summary(print_fn=lambda line, **_: lines.append(line), line_length=width)
    return "\n".join(lines)


def plot(weights: Weights, input_size: int, path: Path) -> None:
    """Draw the layers up to mixed7.

    Raises
    ------
    UsageError
        If Graphviz or its Python binding is not there, or the file's ending is unknown.
    """
    if path.suffix not in (".png", ".svg", ".pdf", ".dot"):
        raise UsageError(
            f"The layers cannot be drawn into a {path.suffix or 'nameless'} file.",
            hint="Use .png, .svg, .pdf or .dot.",
        )
    try:
        drawn = drawing(cut(weights, input_size), path.suffix[1:])
    except (ImportError, FileNotFoundError) as error:
        raise UsageError(
            "Drawing the layers needs Graphviz and its Python binding.",
            hint="Install them (apt install graphviz; pip install 'lookalike[plot]'), or see the"
            " summary with: lookalike network",
        ) from error
    path.write_bytes(drawn)


def save_weights(weights: Weights, input_size: int, path: Path) -> None:
    """Write the weights of the whole InceptionV3 without top as Keras does.

    Raises
    ------
    UsageError
        If the name does not end as Keras wants it.
    """
    if not path.name.endswith(".weights.h5"):
        raise UsageError(f"{path} is no name for Keras weights.", hint="End it in .weights.h5.")
    build_base(weights, input_size).save_weights(path)


def main() -> None:
    """Convert what the order on standard input names; the process that `indexer.model` starts."""
    order = json.loads(sys.stdin.read())
    weights = Weights(**{**order["weights"], "path": Path(order["weights"]["path"])})
    try:
        convert(weights, order["input_size"], Path(order["path"]), float32=order["float32"])
    except LookalikeError as error:
        print(json.dumps({"message": error.message, "hint": error.hint}))
        sys.exit(error.exit_code)
