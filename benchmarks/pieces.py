"""Small pieces of work to count instructions of: `python -m benchmarks.pieces NAME TIMES FOLDER`.

`benchmarks.guard` runs each under valgrind, few times and more times: the difference is what one
more costs, without imports and start. Little is imported here, since all of it is counted.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path


def load(folder: Path) -> Callable[[int], object]:
    """Load a picture as for indexing: decode, resize, thumbnail, hash."""
    from indexer.pictures import prepare

    data = photo()
    return lambda _: prepare(data, thumbnail=True)


def search(folder: Path) -> Callable[[int], object]:
    """Search by a listing: vectors, category prior, fields and addresses of ten hits."""
    from search.engine import Engine

    engine = Engine.open(folder)
    return lambda turn: engine.search(listing_id=f"p{turn}", k=10)


def read(folder: Path) -> Callable[[int], object]:
    """Read a hundred rows of a catalogue."""
    from indexer.sources import open_source

    table = folder.parent / "hundred.csv"
    return lambda _: sum(1 for _ in open_source(table).listings())


PIECES = {"load": load, "search": search, "read": read}


def photo(size: tuple[int, int] = (400, 533)) -> bytes:
    """Draw a JPEG with the detail of a photo, always the same."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[: size[1] // 2, : size[0] // 2]
    waves = Image.fromarray(((x * y // 7 + 3 * x) % 256).astype(np.uint8))
    image = Image.merge("RGB", [waves.rotate(turn) for turn in (0, 90, 180)])
    out = io.BytesIO()
    image.resize(size, Image.Resampling.BICUBIC).save(out, "JPEG", quality=85)
    return out.getvalue()


def main() -> None:
    name, times, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    work = PIECES[name](folder)
    for turn in range(times):
        work(turn)


if __name__ == "__main__":
    main()
