"""schemathesis against the real server: all that the OpenAPI document says is held to.

By hand, with more cases or others: `LOOKALIKE_SCHEMATHESIS_CASES=100 LOOKALIKE_SCHEMATHESIS_SEED=2
pytest tests/e2e/test_schemathesis.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.e2e.conftest import Demo
from tests.e2e.serving import serving

HERE = Path(__file__).parent

UNLIMITED = {f"LOOKALIKE_RATE_{what}": "off" for what in ("SEARCH", "WRITE", "READ")}

CASES = os.environ.get("LOOKALIKE_SCHEMATHESIS_CASES", "6")
SEED = os.environ.get("LOOKALIKE_SCHEMATHESIS_SEED", "1")


def test_it_finds_nothing(demo: Demo, tmp_path: Path) -> None:
    # Of few bytes, so that what fails can be read.
    with Image.open(demo.folder / "photos" / "sneaker-001.jpg") as image:
        image.thumbnail((48, 48))
        image.save(tmp_path / "photo.jpg", quality=40)
    with serving(demo.index, tmp_path, **UNLIMITED) as url:
        found = subprocess.run(
            [
                Path(sys.executable).parent / "schemathesis",
                *("run", f"{url}/api/v1/openapi.json"),
                *("--checks", "all", "--seed", SEED, "--max-examples", CASES, "--no-color"),
                *("--phases", "examples,coverage,fuzzing,stateful"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=1800,
            env={
                **os.environ,
                "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py"),
                "SCHEMATHESIS_SERVER": url,
                "SCHEMATHESIS_PHOTO": str(tmp_path / "photo.jpg"),
            },
        )
        log = (tmp_path / "server.log").read_text()
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr
    assert "Traceback" not in log, log[-8000:]
