"""Open what `benchmarks.scale` built and answer one question: `python -m benchmarks.scale_start`.

Prints JSON: seconds since this process began, at the first answer; bytes of memory then.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def since_start() -> float:
    """Return the seconds since this process began, of which Python's own start is a part."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(") ", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    import numpy as np

    from benchmarks.scale_engines import Lookalike, resident

    folder, dims = Path(sys.argv[1]), int(sys.argv[2])
    engine = Lookalike()
    engine.open(folder, dims)
    opened = since_start()
    found = engine.search(np.load(folder / "questions.npy")[0], 0)
    answer = {"opened": opened, "answered": since_start(), "hits": len(found), **resident()}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
