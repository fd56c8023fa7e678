"""The plots: that they are written, say what they should, and cover nothing."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from indexer.errors import UsageError
from indexer.plots import COLOURS, plot_variance
from indexer.projection import Projection
from indexer.recipe import Recipe
from search.plots import plot_precision, plot_recall_latency

CURVES = {"default": np.linspace(0.8, 0.5, 20), "seed": np.linspace(0.6, 0.4, 20)}
POINTS = [("nprobe 1", 0.78, 0.04), ("nprobe 64", 0.979, 0.18), ("nprobe 16", 0.958, 0.09)]


def comments(path):
    """Return the texts of an SVG, which matplotlib writes as outlines with the words beside."""
    ElementTree.parse(path)
    return re.findall(r"<!-- (.*?) -->", path.read_text())


def test_precision(tmp_path):
    path = tmp_path / "precision.svg"
    low, high = CURVES["default"] - 0.05, CURVES["default"] + 0.05
    plot_precision(path, CURVES, {"default": (low, high)}, about="on 3,068 photos")
    words = comments(path)
    for expected in ("Precision by rank", "on 3,068 photos", "default  0.50", "seed  0.40"):
        assert expected in words
    text = path.read_text()
    assert COLOURS[0] in text
    assert COLOURS[1] in text


def test_precision_of_one_rank_and_of_equal_curves(tmp_path):
    plot_precision(tmp_path / "one.png", {"a": [0.5]})
    plot_precision(tmp_path / "none.png", {"a": [0.0, 0.0], "b": [0.0, 0.0]})
    plot_precision(tmp_path / "full.png", {f"r{n}": [1.0] * 50 for n in range(8)})
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            assert picture.size == (1200, 720)


def test_names_that_look_like_formulas(tmp_path):
    path = tmp_path / "names.svg"
    plot_precision(path, {"$5_shop^$": [0.5, 0.4]}, about="$x$")
    assert "$5_shop^$  0.40" in comments(path)


def test_precision_that_makes_no_sense(tmp_path):
    with pytest.raises(UsageError, match="no precision"):
        plot_precision(tmp_path / "a.png", {})
    with pytest.raises(UsageError, match="no precision"):
        plot_precision(tmp_path / "a.png", {"a": []})
    with pytest.raises(UsageError, match="does not fit"):
        plot_precision(tmp_path / "a.png", {"a": [1, 1]}, {"a": ([1], [1])})
    with pytest.raises(UsageError, match="cannot write"):
        plot_precision(tmp_path / "a.xyz", CURVES)


def test_recall_and_latency(tmp_path):
    path = tmp_path / "recall.svg"
    plot_recall_latency(path, POINTS, chosen="nprobe 64", exact_ms=3.2)
    words = comments(path)
    for expected in ("nprobe 1", "nprobe 64 (serves)", "exact: 3.2 ms", "Recall@10", "0.1"):
        assert expected in words
    assert "Median time of a query [ms]" in words


@pytest.mark.parametrize(
    "points", [[("a", 1.0, 1.0)], [("a", 1.0, 1.0), ("b", 1.0, 1.0)], [("a", 0.0, 1e-4)]]
)
def test_recall_of_few_points(tmp_path, points):
    plot_recall_latency(tmp_path / "few.png", points, k=5)
    assert (tmp_path / "few.png").stat().st_size > 1000


def test_nothing_to_plot(tmp_path):
    with pytest.raises(UsageError, match="no setting"):
        plot_recall_latency(tmp_path / "a.png", [])


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_variance(tmp_path, count):
    features = np.random.default_rng(0).random((count, 4 * 768)).astype(np.float32)
    path = tmp_path / "variance.svg"
    plot_variance(Projection.fit(Recipe(name="default", dims=8), features), path)
    words = comments(path)
    assert any("of the variance" in word for word in words)
    assert any(word.startswith("kept: ") for word in words)
    assert "Principal components" in words
