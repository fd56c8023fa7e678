"""Everything that is said of Lookalike's speed, measured in one run.

    make bench                      # or: python -m benchmarks.all [--quick] [--data FOLDER]

The plain recipe (`benchmarks.seed`) and each runtime that is installed take turns on the same
pictures: clothes, where they are beside this project (see `benchmarks.machine`), else the drawn
demo catalogue. Measured are indexing from files to a published index, one photo over HTTP, the
network alone, what each runtime changes in the answers, where the time goes, and starting. Writes
benchmarks/results/bench.json, bench.md and bench.png, each with the machine, the versions and the
command. --quick takes about three minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import report
from benchmarks.machine import ROOT, command, data_folder, has, machine, pictures_of, versions

RESULTS = ROOT / "benchmarks" / "results"

FULL = {
    "rounds": 3,
    "pictures": 512,
    "photos": 40,
    "compared": 600,
    "compared_photos": 200,
    "profiled": 64,
    "starts": 5,
}
QUICK = {
    "rounds": 2,
    "pictures": 32,
    "photos": 10,
    "compared": 120,
    "compared_photos": 40,
    "profiled": 24,
    "starts": 2,
}


def measure(data: Path, runtimes: list[str], sizes: dict[str, int]) -> dict:
    """Measure everything; see the module."""
    from benchmarks import contest, stages, start
    from benchmarks.seed import Seed
    from indexer.weights import find_weights

    catalogue, photos = pictures_of(data)
    chosen = contest.parts(catalogue, photos, sizes)
    weights = find_weights("auto", say=say)
    said: dict = {
        "command": command("benchmarks.all"),
        "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + " UTC",
        "machine": machine(),
        "versions": versions(),
        "weights": weights.name,
        # The folder's name and no more: results are shown to others.
        "data": {"folder": data.name, "pictures": len(catalogue), "photos": len(photos)},
        "sizes": sizes,
        "runtimes": runtimes,
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder, seed = Path(scratch), Seed(weights)
        say("Indexing, and asking with a photo, in turns ...")
        said["main_job"] = contest.main_job(
            folder, seed, runtimes, chosen["indexed"], chosen["asked"], sizes["rounds"]
        )
        say("The network alone ...")
        said["network"] = contest.network(folder, seed, runtimes, sizes["rounds"])
        say("What each runtime changes in the answers ...")
        said["agreement"] = contest.agreement(
            folder, weights, runtimes, chosen["compared"], chosen["compared_photos"]
        )
        say("Where the time goes ...")
        said["profile"], said["photo_stages"] = {}, {}
        for name in runtimes:
            (folder / f"{name}-profile").mkdir()
            times = stages.indexing(chosen["profiled"], name, folder / f"{name}-profile")
            said["profile"][name] = stages.means(times)
            times = stages.photo_stages(folder / name / "0", chosen["asked"], name)
            said["photo_stages"][name] = stages.medians(times)
        first = catalogue[0][0].read_bytes()
        said["decoding_ms"] = stages.decoding(first, 4 * sizes["starts"])
        say("Starting ...")
        said["start"] = start.measure(
            folder / runtimes[0] / "0", sizes["starts"], runtimes[:1], chosen["asked"][0][0]
        )
    return said


def say(words: str) -> None:
    """Say how far it is, where people look."""
    print(words, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="Less of everything.")
    parser.add_argument("--data", help="A folder of catalog.csv and queries.csv.")
    parser.add_argument("--runtime", nargs="+", help="litert openvino; those installed by default")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    runtimes = asked.runtime or ["litert", *(["openvino"] if has("openvino") else [])]
    said = measure(data_folder(asked.data), runtimes, QUICK if asked.quick else FULL)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "bench.json").write_text(json.dumps(said, indent=2) + "\n")
    (asked.out / "bench.md").write_text(report.markdown(said))
    report.chart(said, asked.out / "bench.png")
    print((asked.out / "bench.md").read_text())
    say(f"Written to {asked.out}: bench.json, bench.md, bench.png.")


if __name__ == "__main__":
    main()
