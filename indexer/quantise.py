"""The float32 network to OpenVINO's int8 form. The only file beside `embedder` with OpenVINO.

Post-training quantisation, made here so that it needs nothing beyond OpenVINO: activations to
unsigned 8 bits by tensor, weights to signed 8 bits by output channel, and each bias moved by what
the rounding of the weights costs on average (Nagel et al., "Data-Free Quantization through Weight
Equalization and Bias Correction", 2019).

Processors without VNNI add two products of 8 bits into 16 bits that saturate. With weights of full
range that happens all the time (cosine to float32 .989 instead of .9996), so weights are scaled
such that no two neighbours can overflow. Measured: docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as ops
from numpy.typing import NDArray

from indexer.errors import NetworkError
from indexer.model import FEATURES

HEADROOM = 1.3
"""What an activation may reach, in times of the mean over pictures of their largest."""

PASSED_THROUGH = ("Concat", "MaxPool", "AvgPool", "Transpose")
"""Operations whose results keep the range of what they are given."""

PAIR = 127
"""The most that two neighbouring weights may add up to: 255 x 128 fits 16 bits, one is rounding."""


def quantise(source: Path, pictures: Sequence[NDArray[np.uint8]], target: Path) -> None:
    """Write the int8 network.

    Parameters
    ----------
    source : Path
        The float32 network as a LiteRT model, whose outputs are `FEATURES` in alphabetical order.
    pictures : sequence of ndarray of uint8, each (size, size, 3)
        What the ranges of the activations are measured on; a few dozen are enough.
    target : Path
        The .xml to write; the weights go into a .bin beside it.

    Raises
    ------
    NetworkError
        If the network is not built as expected: convolutions with a bias, of rectified inputs.
    """
    model = openvino.Core().read_model(source)
    convolutions = _of_type(model, "Convolution")
    groups = _Groups()
    fed_by = [_rectified(convolution.input_value(0)) for convolution in convolutions]
    if not convolutions or not all(fed_by[1:]):
        raise NetworkError("The network is not built as its quantisation expects.")
    for tensors in fed_by:
        groups.join([tensor.get_node().friendly_name for tensor in tensors])
    peaks, means, ends = _observe(model, [c.friendly_name for c in convolutions], groups, pictures)
    highest = groups.spread({name: HEADROOM * peak for name, peak in peaks.items()})

    for node in _of_type(model, "Relu"):
        if node.friendly_name in highest:
            _round(node.output(0), 0, highest[node.friendly_name])
    _round(convolutions[0].input_value(0), *ends)
    for convolution, tensors, mean in zip(convolutions, fed_by, means, strict=True):
        given = convolution.input_value(0)
        if given.get_node().get_type_name() == "AvgPool":  # a mean lies between the steps
            _round(given, 0, highest[tensors[0].get_node().friendly_name])
        _quantise_weights(convolution, mean)
    for output in model.outputs:
        place = int(output.get_any_name().rpartition(":")[2])
        output.get_tensor().set_names({sorted(FEATURES)[place]})
    model.validate_nodes_and_infer_types()
    # The scales stay float32: there are few of them, and they are what exactness hangs on.
    openvino.save_model(model, target, compress_to_fp16=False)


class _Groups:
    """Tensors that meet in one concatenation, which then share a range: joining costs nothing."""

    def __init__(self) -> None:
        self._leader: dict[str, str] = {}

    def join(self, names: list[str]) -> None:
        for name in names:
            self._leader.setdefault(name, name)
            self._leader[self._find(name)] = self._find(names[0])

    def names(self) -> list[str]:
        return list(self._leader)

    def spread(self, values: dict[str, float]) -> dict[str, float]:
        """Give every tensor the largest value of its group."""
        largest: dict[str, float] = {}
        for name, value in values.items():
            leader = self._find(name)
            largest[leader] = max(largest.get(leader, 0.0), value)
        return {name: largest[self._find(name)] for name in values}

    def _find(self, name: str) -> str:
        while self._leader[name] != name:
            name = self._leader[name]
        return name


def _of_type(model: Any, kind: str) -> list[Any]:
    return [node for node in model.get_ordered_ops() if node.get_type_name() == kind]


def _rectified(tensor: Any) -> list[Any]:
    """Return the outputs of rectifiers that a tensor is put together from."""
    node = tensor.get_node()
    if node.get_type_name() == "Relu":
        return [tensor]
    if node.get_type_name() not in PASSED_THROUGH:
        return []
    return [root for value in node.input_values() for root in _rectified(value)]


def _observe(
    model: Any, convolutions: list[str], groups: _Groups, pictures: Sequence[NDArray[np.uint8]]
) -> tuple[dict[str, float], list[NDArray[np.float32]], tuple[float, float]]:
    """Run the float32 network over pictures.

    Returns
    -------
    peaks : dict
        By rectifier, the mean over the pictures of its largest value.
    means : list of ndarray
        By convolution, the mean of each channel of its input.
    ends : tuple of float
        What the first convolution is given for black and for white.
    """
    observed = model.clone()
    nodes = {node.friendly_name: node for node in observed.get_ops()}
    names = groups.names()
    whole, within = np.array([0, 1, 2, 3]), np.array([0, 2, 3])
    inputs = [ops.convert(nodes[name].input_value(0), "f32") for name in convolutions]
    results = [ops.reduce_max(nodes[name].output(0), whole) for name in names]
    results += [ops.reduce_mean(value, within) for value in inputs]
    probe = openvino.Model([ops.result(r) for r in results], observed.get_parameters(), "probe")
    compiled = openvino.Core().compile_model(probe, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return [value.copy() for value in compiled([pixels[np.newaxis]]).values()]

    seen = [run(pixels) for pixels in pictures]
    columns = [np.mean([one[place] for one in seen], axis=0) for place in range(len(results))]
    peaks = {name: float(value) for name, value in zip(names, columns, strict=False)}
    black, white = (
        float(run(np.full_like(pictures[0], byte))[len(names)].mean()) for byte in (0, 255)
    )
    return peaks, columns[len(names) :], (black, white)


def _round(tensor: Any, low: float, high: float) -> None:
    """Let everything that reads a tensor read it in 256 steps from `low` to `high`."""
    readers = list(tensor.get_target_inputs())
    ends = np.float32(low), np.float32(high)
    rounded = ops.fake_quantize(tensor, *ends, *ends, 256)
    for reader in readers:
        reader.replace_source_output(rounded.output(0))


def _quantise_weights(convolution: Any, mean: NDArray[np.float32]) -> None:
    """Replace a convolution's weights by 8 bits, and move the bias after it."""
    weights = convolution.input_value(1).get_node().data.astype(np.float32)
    steps = weight_steps(weights)
    rounded = np.round(weights / steps).astype(np.int8)
    spread = ops.multiply(ops.convert(ops.constant(rounded), "f32"), ops.constant(steps))
    convolution.input(1).replace_source_output(spread.output(0))

    (reader,) = convolution.output(0).get_target_inputs()
    add = reader.get_node()
    constant = [add.input_value(n).get_node().get_type_name() == "Constant" for n in (0, 1)]
    if add.get_type_name() != "Add" or not any(constant):
        raise NetworkError("A convolution of the network has no bias.")
    place = constant.index(True)
    bias = add.input_value(place).get_node().data
    lost = (weights - rounded * steps).sum((2, 3)) @ mean
    moved = ops.constant((bias + lost.reshape(bias.shape)).astype(np.float32))
    add.input(place).replace_source_output(moved.output(0))


def weight_steps(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the step of each output channel.

    Parameters
    ----------
    weights : ndarray of float32, shape (outputs, inputs, height, width)

    Returns
    -------
    ndarray of float32, shape (outputs, 1, 1, 1)
        Such that `weights` divided by it lie within -127 to 127, and that of inputs 2n and 2n + 1,
        which the processor adds in 16 bits, those of one sign add up to no more than `PAIR`.
    """
    odd = weights.shape[1] % 2
    even = np.concatenate([weights, np.zeros_like(weights[:, :odd])], axis=1)
    sums: list[Callable[[Any], Any]] = [lambda w: np.maximum(w, 0), lambda w: np.maximum(-w, 0)]
    pairs = [(one(even[:, 0::2]) + one(even[:, 1::2])).max((1, 2, 3)) for one in sums]
    steps = np.maximum(pairs[0], pairs[1]) / PAIR  # never less than the largest alone needs
    steps[steps == 0] = 1  # a channel that is always zero
    return np.asarray(steps[:, None, None, None], np.float32)
