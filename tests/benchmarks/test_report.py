"""What `make bench` writes, from figures that are given."""

from PIL import Image

from benchmarks import report
from benchmarks.start import BOUNDS

STAGES = {stage: 1.0 for stages in report.GROUPS.values() for stage in stages} | {"network": 90.0}
COSINES = {"mixed7_avg": {"mean": 0.9998, "least": 0.9981}}
SAID = {
    "command": "python -m benchmarks.all --quick",
    "at": "2026-01-02 03:04 UTC",
    "machine": {
        "processor": "A processor",
        "cores": 2,
        "flags": ["avx2"],
        "memory_gb": 16.0,
        "system": "Linux",
        "load": [0.5, 0.4, 0.3],
    },
    "versions": {"python": "3.12.1", "numpy": "2.4.0"},
    "weights": "imagenet",
    "data": {"folder": "clothing", "pictures": 3068, "photos": 341},
    "main_job": {
        "pictures_per_s": {"seed recipe": 10.0, "litert": 18.0},
        "times_the_seed_recipe": {"litert": 1.8},
        "photo_ms": {"seed recipe": 130.0, "litert": 55.0},
        "photo_share_of_the_seed_recipe": {"litert": 0.42},
    },
    "network": {
        "pictures_per_s": {"keras": 12.0, "litert": 20.0},
        "photo_ms": {"keras": 140.0, "litert": 50.0},
    },
    "agreement": {
        "pictures": 100,
        "photos": 30,
        "keras": {"p_at_10": 0.5},
        "litert": {
            "cosine": COSINES,
            "top_10_overlap": 0.96,
            "p_at_10": 0.499,
            "p_at_10_difference": -0.001,
        },
    },
    "profile": {"litert": STAGES},
    "photo_stages": {"litert": {"network": 50.0, "search": 1.5}},
    "decoding_ms": {
        "0.2": {
            "bare, whole": 2.0,
            "bare, reduced": 2.0,
            "ours": 2.1,
            "ours, to the network's input": 4.0,
        }
    },
    "start": {
        "help_s": {"median": 0.07, "least": 0.06},
        "search_s": {"median": 0.48, "least": 0.47},
        "serve, litert": {name: {"median": 1.0, "least": 0.9} for name in ("ready_s", "rss_mb")},
    },
}


def test_the_report_says_where_its_figures_are_from():
    said = report.markdown(SAID)

    for told in ("python -m benchmarks.all --quick", "A processor, 2 cores (avx2)", "numpy 2.4.0"):
        assert told in said


def test_the_report_has_every_measurement():
    said = report.markdown(SAID)

    assert "| Lookalike, `litert` | 18.0 | 1.8 x | 55.0 ms | 0.42 |" in said
    assert "| litert | 0.9998 (0.9981) | 0.960 | 0.499 | -0.001 |" in said
    assert "| network | 90.00 | 90.9% |" in said
    assert "| 0.2 | 2.00 ms | 2.00 ms | 2.10 ms | 4.00 ms | 1.05 |" in said
    assert "| `lookalike --help` | 0.07 s | 0.06 s |" in said


def test_the_chart_is_a_picture(tmp_path):
    report.chart(SAID, tmp_path / "bench.png")

    with Image.open(tmp_path / "bench.png") as drawn:
        assert drawn.size > (1000, 600)


def test_the_bounds_of_starting_are_those_that_were_asked_for():
    assert BOUNDS == {"help_s": 0.4, "search_s": 0.7, "ready_s": 1.5, "rss_mb": 300, "own_mb": 300}
