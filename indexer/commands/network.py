"""`lookalike network`: the network by itself."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.console import progress


@click.command("network", short_help="Show, draw, fetch or export the network.")
@click.option("--weights", default="auto", show_default=True, help="As for `lookalike index`.")
@click.option("--scaling", type=click.Choice(["minus1_1", "0_1"]), help="As for `lookalike index`.")
@click.option("--input-size", type=int, default=299, show_default=True)
@click.option("--fetch", is_flag=True, help="Only fetch and convert it, for later use.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the layers into a .png, .svg, .pdf or .dot file, by Graphviz.",
)
@click.option(
    "--save-weights",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the weights as a Keras file (NAME.weights.h5), for other programs.",
)
def network(
    weights: str,
    scaling: str | None,
    input_size: int,
    fetch: bool,
    plot: Path | None,
    save_weights: Path | None,
) -> None:
    """Show, draw, fetch or export the network.

    Without an option, Keras' own summary of InceptionV3 up to mixed7.
    """
    from indexer.model import convert_cached  # noqa: PLC0415
    from indexer.weights import find_weights  # noqa: PLC0415

    shown = progress()
    found = find_weights(weights, scaling=scaling, say=shown.say)
    if fetch:
        with shown.track("Preparing the network", None, "steps"):
            card, path = convert_cached(found, input_size)
        shown.say(f"{card}: {path}")
        return
    with shown.track("Loading TensorFlow", None, "steps"):
        from indexer import network as networks  # noqa: PLC0415 - seconds
    if plot is not None:
        networks.plot(found, input_size, plot)
        shown.say(f"The layers are drawn in {plot}.")
    if save_weights is not None:
        networks.save_weights(found, input_size, save_weights)
        shown.say(f"The weights are in {save_weights}; they expect pixels scaled {found.scaling}.")
    if plot is None and save_weights is None:
        click.echo(networks.summary(found, input_size))
