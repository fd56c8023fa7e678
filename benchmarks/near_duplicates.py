"""How many copies of pictures are flagged as near-duplicates, and how many other pictures.

    python -m benchmarks.near_duplicates CATALOG.csv [--index DIR] [--pictures 300]

Copies and recolourings are made of pictures of the catalogue; each is searched with as a photo is,
and compared with the picture it was made of. A recolouring counts only where it can be seen: where
at least `COLOURED` of the picture's pixels have a saturation above a quarter and a value above a
fifth. Nearest pairs are each picture of the index with the picture of another listing that is
nearest to it; those that are flagged are named, to be looked at. Prints a table in Markdown.
Without --index, the catalogue is indexed into a temporary folder first.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from indexer.pictures import prepare
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from search.duplicates import find_pairs
from search.engine import Engine
from search.near_duplicates import GATE, LIMITS, compare, small_picture, small_thumbnail
from search.small_pictures import SmallPictures

COLOURED = 0.15

Change = Callable[[Image.Image], bytes]


def save(image: Image.Image, kind: str = "JPEG", quality: int = 92) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, quality=quality)
    return out.getvalue()


def size(image: Image.Image, factor: float) -> Image.Image:
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def crop(image: Image.Image, *shares: float) -> Image.Image:
    """Cut shares of the sides off: left, top, right, bottom."""
    (width, height), (left, top, right, bottom) = image.size, shares
    start = round(left * width), round(top * height)
    end = round(width - right * width), round(height - bottom * height)
    return image.crop((*start, *end))


def hue(image: Image.Image, degrees: int) -> Image.Image:
    hues, saturation, value = image.convert("HSV").split()
    turned = hues.point([(x + round(degrees * 256 / 360)) % 256 for x in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


COPIES: dict[str, Change] = {
    "half the size": lambda i: save(size(i, 0.5)),
    "a quarter of the size": lambda i: save(size(i, 0.25)),
    "JPEG, quality 90": lambda i: save(i, quality=90),
    "JPEG, quality 60": lambda i: save(i, quality=60),
    "JPEG, quality 30": lambda i: save(i, quality=30),
    "WebP, quality 50": lambda i: save(i, "WEBP", 50),
    "PNG, 7/10 of the size": lambda i: save(size(i, 0.7), "PNG"),
    "cropped by 3 %, all around": lambda i: save(crop(i, 0.015, 0.015, 0.015, 0.015)),
    "cropped by 5 %, all around": lambda i: save(crop(i, 0.025, 0.025, 0.025, 0.025)),
    "cropped by 10 %, all around": lambda i: save(crop(i, 0.05, 0.05, 0.05, 0.05)),
    "cropped by 10 %, at a corner": lambda i: save(crop(i, 0.1, 0.1, 0, 0)),
    "cropped by 10 %, at the left": lambda i: save(crop(i, 0.1, 0, 0, 0)),
    "cropped by 10 %, at the bottom": lambda i: save(crop(i, 0, 0, 0, 0.1)),
    "mirrored": lambda i: save(ImageOps.mirror(i)),
    "mirrored, cropped by 10 %, quality 60": lambda i: save(
        ImageOps.mirror(crop(i, 0.03, 0.1, 0.07, 0)), quality=60
    ),
    "half, cropped by 10 %, quality 30": lambda i: save(
        size(crop(i, 0, 0.1, 0.1, 0), 0.5), quality=30
    ),
    "a quarter, mirrored, cropped by 5 %, quality 50": lambda i: save(
        size(ImageOps.mirror(crop(i, 0.05, 0, 0, 0.05)), 0.25), quality=50
    ),
}

RECOLOURINGS: dict[str, Change] = {
    "hue turned by 30 degrees": lambda i: save(hue(i, 30)),
    "hue turned by 45 degrees": lambda i: save(hue(i, 45)),
    "hue turned by 90 degrees": lambda i: save(hue(i, 90)),
    "hue turned by 180 degrees": lambda i: save(hue(i, 180)),
    "grey": lambda i: save(i.convert("L").convert("RGB")),
}


def coloured(image: Image.Image) -> bool:
    pixels = np.asarray(image.resize((64, 64)).convert("HSV"))
    return bool(((pixels[..., 1] > 64) & (pixels[..., 2] > 51)).mean() >= COLOURED)


def rows_of(engine: Engine, pictures: list[Path]) -> None:
    """Print a row per copy and recolouring."""
    asked: dict[str, list] = {name: [] for name in (*COPIES, *RECOLOURINGS)}
    projection, embed = engine.snapshot.projection, engine.embedder().embed
    for path in pictures:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        whole = prepare(data, engine.network.input_size, thumbnail=True)
        small = small_thumbnail(whole.thumbnail)
        vector = projection.transform(embed(whole.pixels)[np.newaxis])[0]
        changes = {**COPIES, **(RECOLOURINGS if coloured(image) else {})}
        for name, change in changes.items():
            photo = engine.prepared(change(image))
            seen = projection.transform(embed(photo.pixels)[np.newaxis], photos=True)[0]
            asked[name].append((float(seen @ vector), small_picture(photo.pixels), small))
    print(
        "\n| made of a picture | pictures | cosine 1 %, 5 %, 50 % | agrees | flagged"
        " | worst detail, light, colour |\n|---|---|---|---|---|---|"
    )
    for name, tries in asked.items():
        if not tries:
            continue
        cosines = np.array([one[0] for one in tries])
        found = compare(np.stack([one[1] for one in tries]), np.stack([one[2] for one in tries]))
        flagged = found.copies & (cosines >= GATE)
        low = " ".join(f"{value:.2f}" for value in np.quantile(cosines, (0.01, 0.05, 0.5)))
        # Of a copy, the worst that must still pass; of a recolouring, the best that must not.
        worst = (found.detail.min(), found.light.max(), found.colour.max())
        best = (found.detail.max(), found.light.min(), found.colour.min())
        values = worst if name in COPIES else best
        print(
            f"| {name} | {len(tries)} | {low} | {100 * found.copies.mean():.1f} %"
            f" | {100 * flagged.mean():.1f} % |"
            f" {values[0]:.2f}, {values[1]:.1f}, {values[2]:.1f} |",
            flush=True,
        )


def pairs(engine: Engine) -> None:
    """Print how many of the nearest pairs of other listings are flagged, and which."""
    started = time.process_time()
    found = find_pairs(engine.view(), neighbours=1, gate=-1.0)
    pictures = engine.snapshot.pictures
    smalls = SmallPictures(engine).load(pictures[found.places.ravel()].tolist())
    shown = {place: smalls.get(int(pictures[place])) for place in np.unique(found.places).tolist()}
    known = [pair for pair in found.places.tolist() if all(shown[p] is not None for p in pair)]
    first, second = (np.stack([shown[pair[side]] for pair in known]) for side in (0, 1))
    spent, compared = time.process_time() - started, time.process_time()
    flags = compare(first, second).copies
    each = 1000 * (time.process_time() - compared) / len(known)
    print(
        f"{len(known):,} nearest pairs: {int(flags.sum())} flagged. CPU: {spent:.1f} s to find"
        f" and load them, {each:.2f} ms to compare each."
    )
    with engine.catalog() as catalog:
        for (a, b), flag in zip(known, flags, strict=True):
            if flag:
                numbers = [int(engine.snapshot.listings[place]) for place in (a, b)]
                listings = catalog.listings(numbers)
                print("  flagged:", *(listings[number][0].id for number in numbers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--pictures", type=int, default=300)
    asked = parser.parse_args()
    with asked.catalog.open(newline="") as file:
        paths = [asked.catalog.parent / row["image"] for row in csv.DictReader(file)]
    random.Random(1).shuffle(paths)
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.index or Path(scratch) / "index"
        if asked.index is None:
            index_catalogue(folder, open_source(asked.catalog), IndexOptions(weights="auto"))
        engine = Engine.open(folder)
        print(f"gate {GATE}, limits {LIMITS}\n")
        pairs(engine)
        rows_of(engine, paths[: asked.pictures])


if __name__ == "__main__":
    main()
