"""A drawing of the network that fits a page: one box for a convolution and what belongs to it.

Keras' own `plot_model` gives every normalisation and activation a box, which makes a picture of
InceptionV3 of 12,000 pixels' height; this one has 89 boxes with a line of text in each.
"""

from __future__ import annotations

from typing import Any, cast

COLOURS = {
    "InputLayer": "#eeeeee",
    "Conv2D": "#ffffff",
    "MaxPooling2D": "#d6e6f5",
    "AveragePooling2D": "#d6e6f5",
    "Concatenate": "#fbe3c0",
}
PART_OF_CONVOLUTION = ("BatchNormalization", "Activation")


def drawing(model: Any, format: str) -> bytes:
    """Draw a Keras model of InceptionV3's kinds of layers.

    Parameters
    ----------
    model : keras.Model
    format : str
        ``"png"``, ``"svg"``, ``"pdf"`` or ``"dot"``.

    Raises
    ------
    ImportError
        If pydot is not installed.
    FileNotFoundError
        If Graphviz is not.
    """
    import pydot  # noqa: PLC0415 - an optional package

    graph = pydot.Dot(graph_type="digraph", dpi="110", nodesep="0.15", ranksep="0.22", pad="0.2")
    graph.set_node_defaults(
        shape="box", style="filled,rounded", fontname="Helvetica", fontsize="11",
        height="0.3", margin="0.1,0.04", color="#777777",
    )  # fmt: skip
    graph.set_edge_defaults(color="#777777", arrowsize="0.6")
    boxes: dict[str, str] = {}
    for layer in model.layers:
        parents = [boxes[name] for name in _parents(layer)]
        if type(layer).__name__ in PART_OF_CONVOLUTION:
            boxes[layer.name] = parents[0]
            continue
        boxes[layer.name] = layer.name
        colour = COLOURS.get(type(layer).__name__, "#ffffff")
        graph.add_node(
            # SVG shows the tooltip where the pointer rests: the layer's name in Keras.
            pydot.Node(layer.name, label=_label(layer), fillcolor=colour, tooltip=layer.name)
        )
        for parent in parents:
            graph.add_edge(pydot.Edge(parent, layer.name))
    if format == "dot":
        return graph.to_string().encode()
    return cast(bytes, graph.create(format=format))


def _parents(layer: Any) -> list[str]:
    if type(layer).__name__ == "InputLayer":
        return []
    tensors = layer.input if isinstance(layer.input, list) else [layer.input]
    return [tensor._keras_history.operation.name for tensor in tensors]


def _label(layer: Any) -> str:
    """Say what a layer does, and the height, width and channels that come out of it."""
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    steps = getattr(layer, "strides", (1,))
    what = {
        "InputLayer": "pixels",
        "Conv2D": "convolution",
        "MaxPooling2D": "max pooling",
        "AveragePooling2D": "average pooling",
    }.get(type(layer).__name__, layer.name)
    if window is not None:
        what += f" {window[0]}×{window[1]}"
    if steps[0] > 1:
        what += f", stride {steps[0]}"
    shape = " × ".join(str(size) for size in layer.output.shape[1:])
    return f"{what}   {shape}"
