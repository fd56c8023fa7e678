"""Whether two pictures are copies: re-saved, resized, cropped a little or mirrored.

A cosine of network vectors cannot tell. On real photos the same shirt in another colour lies as
near as its mirrored copy does, so the cosine is only a gate, and the pictures decide:

1. Both are brought to a square of `SIDE` pixels and to CIELAB, lightness apart from colour.
2. One, as it is and mirrored, is laid on the other: per axis a scale and a shift, which is what a
   crop does to a picture that is squashed into a square. They are found by Gauss-Newton steps on
   lightness, coarse to fine (Lucas-Kanade alignment with the mean of both pictures' slopes, after
   Benhimane and Malis, "Homography-based 2D visual tracking and servoing", IJRR 2007).
3. Where the two overlap, blocks of `BLOCK` x `BLOCK` pixels are compared. `light` and `colour` are
   the largest differences between two blocks' means, of lightness and of chroma, in CIELAB units:
   means, so that compression and a rest of misalignment cancel out, and the worst of them, so
   that a small product on a large ground counts as much as a large one. `detail` is the
   correlation of what the means leave out of lightness, such as prints and folds, held up where
   there is nothing to correlate (as the third factor of SSIM; Wang et al., "Image quality
   assessment", IEEE TIP 2004).

A copy agrees in all three; `LIMITS` says how far, and what was measured.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexer.listing import Region
from search.cielab import to_lab

GATE = 0.2
"""Cosine below which two pictures are taken for different without a look, to save time only."""

SIDE = 48
BLOCK = 4
COARSE = 3
"""By how much the squares are reduced for the first, coarse alignment."""

STEPS = 4, 4, 5
"""Of the coarse alignment, of what is left of it after a first look, and of the fine one."""

ROUGH = 0.75, 20.0, 16.0
"""When a pair is given up after the first look: less correlation of lightness, or a larger
difference of light or of colour between quarters of a side. The look saves time, and is not to
decide: of 2,040 comparisons with copies (of 60 photos and 60 drawn products, made as
`benchmarks.near_duplicates` does) the worst had .86, 13.8 and 11.1. Of pairs of listings that are
alike, it leaves two fifths for the fine alignment."""

REACH = 0.87, 1.15, 0.08
"""How far the alignment may go: least and largest scale, largest shift of the centre."""

STILL = 1.0
"""A variance of lightness that is next to no detail, in squared CIELAB units."""

FLOOR = np.float32(1e-3)
"""Kept out of divisions."""

TWICE = 2, 1, 1, 1

AT_ONCE = 64
"""Pairs compared in one go; their arrays stay in the processor's cache."""

Small = NDArray[np.uint8]
"""A picture's square, of shape (SIDE, SIDE, 3)."""

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How alike pairs of pictures are, each attribute of shape (N,)."""

    detail: Floats
    light: Floats
    colour: Floats
    mirrored: NDArray[np.bool_]

    @property
    def copies(self) -> NDArray[np.bool_]:
        """Whether the two of a pair are copies."""
        detail, light, colour = LIMITS
        return (self.detail >= detail) & (self.light <= light) & (self.colour <= colour)


LIMITS = 0.85, 8.0, 7.0
"""The least detail, and the largest difference of light and of colour, that a copy may have.

Chosen on 120 photos of clothes and 60 drawn products (`benchmarks.near_duplicates`). Of 6,480
comparisons with copies, resized to a quarter, saved at quality 30, cropped by up to 10 %, mirrored
or several of these, 99.9 % had a detail of .89 or more, a difference of light of 5.2 or less and of
colour of 5.8 or less. A hue turned by 30 degrees made a difference of colour of at least 9 where it
could be seen. Of 4,323 pairs of listings alike, all but one real copy had less detail, or more
difference, than even .85, 10 and 9. A change of colour in less than about a hundredth of the
picture, a block, is not seen.
"""


def small_picture(pixels: NDArray[np.uint8]) -> Small:
    """Reduce a picture that is squashed into a square already, as `Prepared.pixels` is."""
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def small_thumbnail(jpeg: bytes, region: Region | None = None) -> Small | None:
    """Reduce a thumbnail, or the region of it that its vector was made of.

    Returns
    -------
    Small or None
        None where the bytes are no picture.
    """
    try:
        with Image.open(io.BytesIO(jpeg)) as opened:
            opened.draft("RGB", (2 * SIDE, 2 * SIDE))  # JPEG comes reduced at next to no cost
            image = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None
    x, y, w, h = region or (0.0, 0.0, 1.0, 1.0)
    width, height = image.size
    box = x * width, y * height, min(1.0, x + w) * width, min(1.0, y + h) * height
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box))


def compare(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Comparison:
    """Compare pairs of pictures.

    Parameters
    ----------
    first, second : ndarray of uint8, shape (N, SIDE, SIDE, 3)
        From `small_picture` or `small_thumbnail`.
    """
    parts = [
        _compare(first[start : start + AT_ONCE], second[start : start + AT_ONCE])
        for start in range(0, len(first), AT_ONCE)
    ]
    return Comparison(
        *(
            np.concatenate([getattr(part, field.name) for part in parts] or [np.zeros(0)])
            for field in fields(Comparison)
        )
    )


def near_duplicates(
    similarities: Sequence[float], queries: Sequence[Small], thumbnails: Sequence[Small | None]
) -> list[bool]:
    """Tell which hits are copies of what was searched with.

    Parameters
    ----------
    similarities : sequence of float, length N
        Each hit's cosine.
    queries : sequence of Small
        The photo; or the pictures of the listing.
    thumbnails : sequence of (Small or None), length N
        Each hit's picture; None, where there is none, is no copy.
    """
    asked = [
        (place, query, small)
        for place, (similarity, small) in enumerate(zip(similarities, thumbnails, strict=True))
        if small is not None and similarity >= GATE
        for query in queries
    ]
    flags = [False] * len(similarities)
    if asked:
        copies = compare(np.stack([a[1] for a in asked]), np.stack([a[2] for a in asked])).copies
        for (place, _, _), copy in zip(asked, copies.tolist(), strict=True):
            flags[place] = flags[place] or copy
    return flags


# What is behind it. Pictures are arrays of shape (N, channels, rows, columns) from here on.


def _compare(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Comparison:
    count = len(first)
    a, b = to_lab(first), to_lab(second)
    coarse_a, coarse_b = _means(a, COARSE), _means(b, COARSE)
    # Every pair twice: as it is, and mirrored.
    coarse_a, coarse_b = np.concatenate([coarse_a, coarse_a[..., ::-1]]), np.tile(coarse_b, TWICE)
    laid = np.tile(np.array([1, 0, 1, 0], np.float32), (2 * count, 1))
    laid = _align(coarse_a[:, :1], coarse_b[:, :1], laid, STEPS[0])
    rows = np.flatnonzero(_promising(*_warp(coarse_a, laid), coarse_b))
    found = np.full((2 * count, 3), [-1, np.inf, np.inf], np.float32)
    if len(rows):
        laid = _align(coarse_a[rows, :1], coarse_b[rows, :1], laid[rows], STEPS[1])
        a, b = a[rows % count], b[rows % count]
        a[rows >= count] = a[rows >= count, :, :, ::-1]
        laid = _align(a[:, :1], b[:, :1], laid, STEPS[2])
        found[rows] = _measure(*_warp(a, laid), b)
    mirrored = found[count:, 0] > found[:count, 0]
    detail, light, colour = found[np.arange(count) + count * mirrored].T
    return Comparison(detail, light, colour, mirrored)


def _promising(a: Floats, seen: Floats, b: Floats) -> NDArray[np.bool_]:
    """Tell which coarse pictures that are laid on each other may turn out to be copies."""
    correlation, light, colour = ROUGH
    quarter = a.shape[-1] // 4
    share = _means(seen, quarter)
    off = _means((a - b) * seen, quarter) / np.maximum(share, FLOOR) * (share >= 0.5)
    promising: NDArray[np.bool_] = (
        (_correlation(a[:, :1], b[:, :1], seen) >= correlation)
        & (np.abs(off[:, 0]).max(axis=(1, 2)) <= light)
        & (np.hypot(off[:, 1], off[:, 2]).max(axis=(1, 2)) <= colour)
    )
    return promising


def _measure(a: Floats, seen: Floats, b: Floats) -> Floats:
    """Return detail, light and colour of pictures that are laid on each other, of shape (N, 3)."""
    share = _means(seen, BLOCK)
    mean_a, mean_b = (_means(p * seen, BLOCK) / np.maximum(share, FLOOR) for p in (a, b))
    off = (mean_a - mean_b) * (share >= 0.5)  # a block that hardly overlaps says little
    fine_a, fine_b = (p[:, :1] - _spread(m[:, :1]) for p, m in ((a, mean_a), (b, mean_b)))
    return np.stack(
        [
            _correlation(fine_a, fine_b, seen),
            np.abs(off[:, 0]).max(axis=(1, 2)),
            np.hypot(off[:, 1], off[:, 2]).max(axis=(1, 2)),
        ],
        axis=1,
    )


def _correlation(a: Floats, b: Floats, seen: Floats) -> Floats:
    """Return how pictures correlate where they overlap; those of one colour correlate."""
    pixels = np.maximum(seen.sum(axis=(1, 2, 3)), 1)

    def centred(picture: Floats) -> Floats:
        mean = (picture * seen).sum(axis=(1, 2, 3)) / pixels
        less: Floats = (picture - mean[:, None, None, None]) * seen
        return less

    a, b = centred(a), centred(b)
    together, of_a, of_b = (
        (x * y).sum(axis=(1, 2, 3)) / pixels for x, y in ((a, b), (a, a), (b, b))
    )
    correlation: Floats = (together + STILL) / (np.sqrt(of_a * of_b) + STILL)
    return correlation


def _means(pictures: Floats, side: int) -> Floats:
    """Return the means of blocks of `side` x `side` pixels."""
    # Several times as fast as the mean over two axes of blocks.
    down = reduce(np.add, [pictures[:, :, start::side] for start in range(side)])
    both = reduce(np.add, [down[..., start::side] for start in range(side)])
    means: Floats = both / np.float32(side * side)
    return means


@cache
def _places(side: int) -> Floats:
    """Return where the pixels of a side lie, from the picture's centre, the side being 1."""
    return ((np.arange(side, dtype=np.float32) + np.float32(0.5)) / side) - np.float32(0.5)


def _sampling(scale: Floats, shift: Floats, side: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return each pixel's weights for linear interpolation along an axis, and which lie inside."""
    where = (scale[:, None] * _places(side) + shift[:, None] + np.float32(0.5)) * side
    where -= np.float32(0.5)
    inside = (where > -0.25) & (where < side - 0.75)
    pixels = np.arange(side, dtype=np.float32)
    off = np.abs(np.maximum(0, np.minimum(where, side - 1))[:, :, None] - pixels)
    return np.maximum(0, 1 - off), inside


def _warp(pictures: Floats, laid: Floats) -> tuple[Floats, Floats]:
    """Lay pictures as `laid` says, and return them and where they have pixels (1, else 0).

    `laid` holds scale and shift across, then scale and shift down, of shape (N, 4).
    """
    side = pictures.shape[-1]
    across, inside_x = _sampling(laid[:, 0], laid[:, 1], side)
    down, inside_y = _sampling(laid[:, 2], laid[:, 3], side)
    warped = down[:, None] @ pictures @ across.transpose(0, 2, 1)[:, None]
    seen = inside_y[:, None, :, None] & inside_x[:, None, None, :]
    return warped, seen.astype(np.float32)


def _align(a: Floats, b: Floats, laid: Floats, steps: int) -> Floats:
    """Improve how `a` is laid on `b`."""
    side, count = b.shape[-1], len(b)
    place = _places(side)
    eye = np.eye(4, dtype=np.float32)
    least, most, far = REACH
    for _ in range(steps):
        warped, inside = _warp(a, laid)
        # The mean of both slopes makes the step second-order without second derivatives.
        down, across = np.gradient((warped + b)[:, 0] * np.float32(0.5), axis=(1, 2))
        slopes = np.stack([across * place, across, down * place[:, None], down], axis=1) * side
        slopes = slopes.reshape(count, 4, side * side)
        seen = slopes * inside.reshape(count, 1, side * side)
        curve = seen @ slopes.transpose(0, 2, 1)
        # A little damping, after Levenberg: a picture without edges has no best place.
        curve += eye * (1e-3 * np.trace(curve, axis1=1, axis2=2) + 1e-6)[:, None, None]
        off = (warped - b).reshape(count, side * side, 1)
        d = np.linalg.solve(curve, seen @ off)[..., 0]
        for axis in (0, 2):
            scale = laid[:, axis] / (1 + d[:, axis])
            laid[:, axis + 1] = np.clip(laid[:, axis + 1] - scale * d[:, axis + 1], -far, far)
            laid[:, axis] = np.clip(scale, least, most)
    return laid


def _spread(means: Floats) -> Floats:
    """Give each pixel its block's mean."""
    return means.repeat(BLOCK, axis=2).repeat(BLOCK, axis=3)
