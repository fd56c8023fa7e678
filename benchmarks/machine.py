"""What every measurement says of itself: the machine, the versions, the command; and its pictures.

Pictures are real ones where there are any: the folder named by --data or BENCH_DATA, else
../shared/data/clothing, else the drawn demo catalogue, made where it is missing.
"""

from __future__ import annotations

import csv
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLOTHES = ROOT.parent / "shared" / "data" / "clothing"
DEMO = ROOT / "data" / "demo"
FLAGS = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm")
"""The processor's instructions that decide how fast the network runs."""

PACKAGES = (
    "lookalike",
    "ai-edge-litert",
    "openvino",
    "tensorflow-cpu",
    "tensorflow",
    "keras",
    "faiss-cpu",
    "numpy",
    "pillow",
    "scikit-learn",
    "flask",
)

Pictures = list[tuple[Path, str]]
"""Paths with their categories."""


def machine() -> dict[str, object]:
    """Return the processor, its cores, memory and instructions, and how busy it is now."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "flags": [flag for flag in FLAGS if re.search(rf"\b{flag}\b", _cpuinfo())],
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "system": platform.platform(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def versions() -> dict[str, str]:
    """Return the versions of what takes part, where it is installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def command(module: str) -> str:
    """Return the line that runs this measurement again."""
    return " ".join(["python", "-m", module, *sys.argv[1:]])


def has(package: str) -> bool:
    """Tell whether a package is installed."""
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def data_folder(named: str | None = None) -> Path:
    """Return the folder of catalog.csv and queries.csv, and make the demo's if there is no other.

    Raises
    ------
    SystemExit
        If a folder was named that holds no catalog.csv.
    """
    if named := named or os.environ.get("BENCH_DATA"):
        if not (Path(named) / "catalog.csv").is_file():
            raise SystemExit(f"{named} holds no catalog.csv (columns image and category).")
        return Path(named)
    if (CLOTHES / "catalog.csv").is_file():
        return CLOTHES
    if not (DEMO / "catalog.csv").is_file():
        made = [sys.executable, "-m", "lookalike", "demo", "--out", str(DEMO)]
        subprocess.run(made, check=True, cwd=ROOT)
    return DEMO


def pictures_of(folder: Path) -> tuple[Pictures, Pictures]:
    """Return the catalogue's pictures and the photos to ask with, spread over the categories."""
    return _rows(folder / "catalog.csv"), _rows(folder / "queries.csv")


def spread(pictures: Pictures, count: int) -> Pictures:
    """Return `count` pictures at even distances: catalogues are often sorted by category."""
    count = min(count, len(pictures))
    return [pictures[at * len(pictures) // count] for at in range(count)]


def _rows(table: Path) -> Pictures:
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    labels = {}
    if rows and not rows[0].get("category"):  # the demo's photos name the right listing instead
        with (table.parent / "catalog.csv").open(newline="") as file:
            labels = {row["id"]: row["category"] for row in csv.DictReader(file)}
    return [
        (table.parent / row["image"], row.get("category") or labels[row["listing"]]) for row in rows
    ]


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", _cpuinfo())
    return found[1] if found else platform.processor() or platform.machine()
