"""A drawn shop for the fake network: categories are colours, listings are arrangements of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"bags": (200, 60, 40), "hats": (40, 170, 70), "shoes": (50, 70, 210)}
LISTINGS = 8
"""Of each category."""


def draw_product(path: Path, category: str, n: int, take: int, noise: float = 12) -> Path:
    """Draw the n-th listing of a category; each take is another picture of it."""
    # Not the letters' hash, which differs from one run of Python to the next.
    seed = sum(category.encode()) * 100 + n
    blocks = np.random.default_rng(seed).normal(COLOURS[category], 55, (6, 6, 3))
    blocks = blocks + np.random.default_rng(seed * 50 + take).normal(0, noise, blocks.shape)
    small = Image.fromarray(np.clip(blocks, 0, 255).astype(np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    small.resize((90, 90), Image.Resampling.NEAREST).save(path)
    return path


def draw_shop(folder: Path) -> Path:
    """Draw a catalogue of `LISTINGS` listings a category, every other with two pictures."""
    rows = []
    for category in COLOURS:
        for n in range(LISTINGS):
            pictures = [f"{category}/{n}-{take}.png" for take in range(1 + n % 2)]
            for take, name in enumerate(pictures):
                draw_product(folder / name, category, n, take)
            rows.append((f"{category}-{n}", "|".join(pictures), f"Product {n}", category))
    return write_rows(folder / "catalog.csv", ("id", "image", "title", "category"), rows)


def draw_photos(folder: Path, noise: float = 30) -> Path:
    """Draw one photo of every listing."""
    rows = []
    for category in COLOURS:
        for n in range(LISTINGS):
            name = f"photos/{category}-{n}.png"
            draw_product(folder / name, category, n, 9, noise)
            rows.append((name, f"{category}-{n}", category))
    return write_rows(folder / "queries.csv", ("image", "listing", "category"), rows)


def write_rows(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Path:
    """Write a CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path
