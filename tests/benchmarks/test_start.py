"""What a search by listing does without, since it is a tenth of its start."""

import subprocess
import sys

UNUSED = (
    "fsspec",
    "tensorflow",
    "keras",
    "sklearn",
    "scipy",
    "ai_edge_litert",
    "flask",
    "requests",
)


def test_a_search_by_listing_loads_nothing_that_it_does_not_use():
    told = "import sys, search.commands, search.engine; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert not set(UNUSED) & set(done.stdout.split())
