"""Copies are flagged, other colours and other products are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageOps

from indexer.demo.canvas import Canvas
from indexer.demo.catalogue import SIZE
from indexer.demo.kinds import KINDS
from indexer.demo.products import Product, colour, dealt
from indexer.demo.scenes import studio
from indexer.pictures import prepare
from search.near_duplicates import (
    AT_ONCE,
    GATE,
    SIDE,
    Small,
    compare,
    near_duplicates,
    small_picture,
    small_thumbnail,
)


def drawn(product: Product, **changed: object) -> Image.Image:
    canvas = Canvas(SIZE)
    product.kind.draw(canvas, replace(product.look, **changed))
    return studio(canvas.image(), product.kind.pose, np.random.default_rng(0))


def saved(image: Image.Image, kind: str = "JPEG", quality: int = 90) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, quality=quality)
    return out.getvalue()


def photo(data: bytes) -> Small:
    """Return a picture as a query's photo comes."""
    return small_picture(prepare(data).pixels)


def stored(data: bytes) -> Small:
    """Return a picture as one of the catalogue comes."""
    small = small_thumbnail(prepare(data, thumbnail=True).thumbnail)
    assert small is not None
    return small


def is_copy(a: Small, b: Small) -> bool:
    return bool(compare(a[np.newaxis], b[np.newaxis]).copies[0])


def cut(image: Image.Image, *shares: float) -> Image.Image:
    (width, height), (left, top, right, bottom) = image.size, shares
    box = left * width, top * height, (1 - right) * width, (1 - bottom) * height
    return image.crop(tuple(map(round, box)))


def scaled(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)))


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "the same": saved,
    "half": lambda i: saved(scaled(i, 0.5)),
    "quarter": lambda i: saved(scaled(i, 0.25)),
    "quality 30": lambda i: saved(i, quality=30),
    "WebP": lambda i: saved(i, "WEBP", 60),
    "PNG": lambda i: saved(i, "PNG"),
    "centre": lambda i: saved(cut(i, 0.05, 0.05, 0.05, 0.05)),
    "corner": lambda i: saved(cut(i, 0.1, 0.1, 0, 0)),
    "left": lambda i: saved(cut(i, 0.1, 0, 0, 0)),
    "bottom": lambda i: saved(cut(i, 0, 0, 0, 0.1)),
    "mirrored": lambda i: saved(ImageOps.mirror(i)),
    "all": lambda i: saved(scaled(ImageOps.mirror(cut(i, 0.07, 0, 0.03, 0.1)), 0.5), quality=60),
}


@pytest.fixture(scope="module")
def originals() -> list[Image.Image]:
    """Return pictures of every other kind of product."""
    return [drawn(dealt(KINDS, n, 0)) for n in range(1, len(KINDS), 2)]


@pytest.fixture(scope="module")
def catalogue(originals: list[Image.Image]) -> list[Small]:
    return [stored(saved(image)) for image in originals]


@pytest.mark.parametrize("change", COPIES)
def test_copies(change: str, originals: list[Image.Image], catalogue: list[Small]) -> None:
    made = [photo(COPIES[change](image)) for image in originals]
    found = compare(np.stack(made), np.stack(catalogue))
    assert found.copies.all(), found
    assert found.mirrored.all() or change not in {"mirrored", "all"}
    # It does not matter which of the two is the copy.
    assert compare(np.stack(catalogue), np.stack(made)).copies.all()


def test_other_products(catalogue: list[Small]) -> None:
    count = len(catalogue)
    first, second = np.triu_indices(count, 1)
    smalls = np.stack(catalogue)
    assert not compare(smalls[first], smalls[second]).copies.any()


@pytest.mark.parametrize("kind", ["mug", "dress", "sneaker", "handbag"])
def test_the_same_thing_in_another_colour(kind: str) -> None:
    place = [known.name for known in KINDS].index(kind)
    product = dealt(KINDS, place, 0)
    plain: dict[str, object] = {"pattern": "plain", "second": product.look.main}
    one = stored(saved(drawn(product, **plain, main=colour("scarlet"))))
    for name in ("forest", "mustard", "charcoal"):
        other = saved(drawn(product, **plain, main=colour(name)))
        assert not is_copy(photo(other), one), name


def test_a_small_part_in_another_colour() -> None:
    image = Image.new("RGB", (400, 400), "#f4f4f4")
    other = image.copy()
    image.paste("#c02030", (170, 170, 230, 230))
    other.paste("#2030c0", (170, 170, 230, 230))
    assert is_copy(photo(saved(image)), stored(saved(image)))
    assert not is_copy(photo(saved(other)), stored(saved(image)))


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_pictures_of_one_colour(grey: int) -> None:
    one = photo(saved(Image.new("RGB", (50, 90), (grey, grey, grey))))
    assert is_copy(one, one)
    assert not is_copy(one, photo(saved(Image.new("RGB", (50, 90), (40, 200, 40)))))


def test_more_pairs_than_are_compared_at_once(catalogue: list[Small]) -> None:
    one, other = catalogue[:2]
    first = np.stack([one] * (2 * AT_ONCE + 1))
    second = np.stack([one, *[other] * (2 * AT_ONCE - 1), one])
    assert np.flatnonzero(compare(first, second).copies).tolist() == [0, 2 * AT_ONCE]


def test_no_pairs() -> None:
    none = np.zeros((0, SIDE, SIDE, 3), np.uint8)
    assert compare(none, none).copies.tolist() == []


def test_a_region_is_what_is_compared(originals: list[Image.Image]) -> None:
    image = originals[0]
    sheet = Image.new("RGB", (2 * image.width, image.height), "white")
    sheet.paste(image, (image.width, 0))
    jpeg = prepare(saved(sheet), thumbnail=True).thumbnail
    region = small_thumbnail(jpeg, (0.5, 0.0, 0.5, 1.0))
    whole = small_thumbnail(jpeg)
    assert region is not None
    assert whole is not None
    assert is_copy(photo(saved(image)), region)
    assert not is_copy(photo(saved(image)), whole)


@pytest.mark.parametrize("damaged", [b"", b"no picture", b"\xff\xd8\xff\xe0\x00\x10JFIF"])
def test_a_thumbnail_that_is_no_picture(damaged: bytes) -> None:
    assert small_thumbnail(damaged) is None


def test_hits(catalogue: list[Small]) -> None:
    one, other = catalogue[:2]
    hits = [one, other, None, one]
    similarities = [0.99, 0.9, 0.99, GATE - 0.01]
    assert near_duplicates(similarities, [one], hits) == [True, False, False, False]
    # A listing's hits are compared with all of its pictures.
    assert near_duplicates(similarities, [one, other], hits) == [True, True, False, False]
    assert near_duplicates(similarities, [], hits) == [False] * 4
    assert near_duplicates([], [one], []) == []
