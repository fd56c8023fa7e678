"""A transparent unit square that outlines are painted on, lit from the upper left.

Outlines are drawn at three times the size and averaged down, so that edges are smooth; colour and
light are computed at the final size, which is what keeps a picture under a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from indexer.demo.light import Colour, Light, lit
from indexer.demo.shapes import Array, Points, points, ribbon, vector

Paint: TypeAlias = Callable[[Array, Array, float], Array]

SUPERSAMPLE = 3


@dataclass(frozen=True)
class Mask:
    """How much of each pixel a shape covers, and where on the canvas the array lies."""

    left: int
    top: int
    alpha: Array

    def window(self, left: int, top: int, width: int, height: int) -> Array:
        """Return the coverage over another rectangle of the canvas, nought outside this one."""
        out = np.zeros((height, width), dtype=np.float32)
        mask_height, mask_width = self.alpha.shape
        x0, x1 = max(left, self.left), min(left + width, self.left + mask_width)
        y0, y1 = max(top, self.top), min(top + height, self.top + mask_height)
        if x0 < x1 and y0 < y1:
            out[y0 - top : y1 - top, x0 - left : x1 - left] = self.alpha[
                y0 - self.top : y1 - self.top, x0 - self.left : x1 - self.left
            ]
        return out


def blurred(alpha: Array, radius: float) -> Array:
    """Return an array of 0..1 blurred by a Gaussian."""
    image = Image.fromarray((alpha * 255).astype(np.uint8))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32)
    return soft / 255


def relief(alpha: Array, radius: float) -> Array:
    """Return the light on a shape that swells from its edges, -1 in shade to 1 in light."""
    step = max(1, round(radius * 0.7))
    pad = int(radius * 2) + step + 1
    height = blurred(np.pad(alpha, pad), radius)
    rows, columns = alpha.shape

    def shifted(by: int) -> Array:
        start = pad + by
        return height[start : start + rows, start : start + columns]

    return shifted(step) - shifted(-step)


def _parts(outlines: Points | Sequence[Array]) -> list[Array]:
    """Return one outline, or each of several, as arrays."""
    several = isinstance(outlines[0], np.ndarray) and outlines[0].ndim == 2
    return [vector(outline).reshape(-1, 2) for outline in (outlines if several else [outlines])]


class Canvas:
    """A square picture under way; colours are kept multiplied by their coverage."""

    def __init__(self, size: int = 480) -> None:
        self.size = size
        self.rgb = np.zeros((size, size, 3), dtype=np.float32)
        self.alpha = np.zeros((size, size), dtype=np.float32)
        self._at = ((np.arange(size) + 0.5) / size).astype(np.float32)

    def mask(
        self,
        outlines: Points | Sequence[Array],
        *,
        holes: Sequence[Array] = (),
        clip: Mask | None = None,
        margin: float = 0,
    ) -> Mask | None:
        """Return the coverage of one or several outlines, or None where nothing is on canvas."""
        parts = _parts(outlines)
        every = np.vstack(parts) * self.size
        pad = round(margin * self.size) + 1
        left, top = np.maximum(np.floor(every.min(axis=0)).astype(int) - pad, 0)
        right, bottom = np.minimum(np.ceil(every.max(axis=0)).astype(int) + pad, self.size)
        width, height = int(right - left), int(bottom - top)
        if width <= 0 or height <= 0:
            return None
        large = Image.new("L", (width * SUPERSAMPLE, height * SUPERSAMPLE))
        pen = ImageDraw.Draw(large)
        for ink, shapes in ((255, parts), (0, holes)):
            for shape in shapes:
                corners = (shape * self.size - [left, top]) * SUPERSAMPLE
                pen.polygon(corners.ravel().tolist(), fill=ink)
        alpha = np.asarray(large.reduce(SUPERSAMPLE), dtype=np.float32) / 255
        if clip is not None:
            alpha = alpha * clip.window(int(left), int(top), width, height)
        return Mask(int(left), int(top), alpha)

    def fill(
        self,
        outlines: Points | Sequence[Array],
        paint: Colour | Paint,
        *,
        holes: Sequence[Array] = (),
        clip: Mask | None = None,
        bevel: float = 0.02,
        depth: float = 0.35,
        gloss: float = 0,
        cast: float = 0,
        light: Light | None = None,
        opacity: float = 1,
    ) -> Mask:
        """Paint a shape and return its mask, to clip details by.

        Parameters
        ----------
        outlines, holes : outlines
            What to cover, and what to leave out of it.
        paint : colour or Paint
            One colour, or a function of the coordinates.
        clip : Mask, optional
            Paint only inside this earlier shape.
        bevel, depth : float
            How far in from its edges the shape swells, and how strongly that shows.
        gloss : float
            Strength of the highlight along the lit edges.
        cast : float
            Strength of the shadow on what was painted before.
        light : Light, optional
            More light or shade, -1 to 1, as a function of the coordinates.
        opacity : float
            1 covers what lies beneath.
        """
        mask = self.mask(outlines, holes=holes, clip=clip)
        if mask is None:
            return Mask(0, 0, np.zeros((1, 1), dtype=np.float32))
        if cast:
            self._cast(mask, cast)
        height, width = mask.alpha.shape
        x = self._at[None, mask.left : mask.left + width]
        y = self._at[mask.top : mask.top + height, None]
        colour = paint(x, y, 1 / self.size) if callable(paint) else vector(paint)
        shade = np.zeros((height, width), dtype=np.float32)
        if depth and bevel:
            swelling = relief(mask.alpha, max(bevel * self.size, 0.8))
            shade += depth * swelling
            if gloss:
                shade += gloss * np.clip(swelling, 0, 1) ** 2
        if light is not None:
            shade += light(x, y)
        self._over(mask, lit(colour, shade), opacity)
        return mask

    def line(self, path: Points, width: float, paint: Colour | Paint, **options: Any) -> Mask:
        """Paint a stroke; the options are those of `fill`."""
        options.setdefault("bevel", width / 3)
        return self.fill(ribbon(path, width), paint, **options)

    def stitch(
        self, path: Points, colour: Colour, *, width: float = 0.005, dash: float = 0.016
    ) -> None:
        """Sew a seam of dashes along a path."""
        p = points(path)
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(p, axis=0).T))])
        dashes = []
        for start in np.arange(0, along[-1] - dash * 0.5, dash):
            at = np.array([start, min(start + dash * 0.6, along[-1])])
            ends = np.stack([np.interp(at, along, p[:, 0]), np.interp(at, along, p[:, 1])], axis=1)
            dashes.append(ribbon(ends, width))
        if dashes:
            self.fill(dashes, colour, depth=0)

    def tone(
        self,
        outline: Points,
        strength: float,
        *,
        blur: float = 0.02,
        clip: Mask | None = None,
        tint: Colour = (1, 1, 1),
    ) -> None:
        """Lighten (above nought) or darken what is there, with a soft edge: folds and gleams."""
        mask = self.mask(outline, margin=blur * 2)
        if mask is None:
            return
        soft = blurred(mask.alpha, blur * self.size)
        height, width = soft.shape
        if clip is not None:
            soft = soft * clip.window(mask.left, mask.top, width, height)
        rows = slice(mask.top, mask.top + height)
        columns = slice(mask.left, mask.left + width)
        here = self.rgb[rows, columns]
        if strength < 0:
            here *= 1 + strength * soft[..., None]
        else:
            white = self.alpha[rows, columns, None] * vector(tint)
            here += (white - here) * (strength * soft)[..., None]

    def text(
        self,
        words: str,
        cx: float,
        cy: float,
        height: float,
        colour: Colour,
        *,
        clip: Mask | None = None,
        width: float | None = None,
        degrees: float = 0,
    ) -> None:
        """Print words about a centre; `width` shrinks those that would be wider."""
        font_size = height * self.size * SUPERSAMPLE
        font = ImageFont.load_default(font_size)
        left, top, right, bottom = font.getbbox(words)
        if width is not None and right - left > width * self.size * SUPERSAMPLE:
            font = ImageFont.load_default(
                font_size * width * self.size * SUPERSAMPLE / (right - left)
            )
            left, top, right, bottom = font.getbbox(words)
        large = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
        ImageDraw.Draw(large).text((4 - left, 4 - top), words, fill=255, font=font)
        if degrees:
            large = large.rotate(degrees, resample=Image.Resampling.BILINEAR, expand=True)
        alpha = np.asarray(large.reduce(SUPERSAMPLE), dtype=np.float32) / 255
        x, y = (
            round(cx * self.size - alpha.shape[1] / 2),
            round(cy * self.size - alpha.shape[0] / 2),
        )
        x0, y0 = max(x, 0), max(y, 0)
        alpha = alpha[y0 - y : self.size - y, x0 - x : self.size - x]
        if clip is not None and alpha.size:
            alpha = alpha * clip.window(x0, y0, alpha.shape[1], alpha.shape[0])
        if alpha.size:
            self._over(Mask(x0, y0, alpha), vector(colour), 1)

    def image(self) -> Image.Image:
        """Return the picture as RGBA."""
        whole = np.empty((self.size, self.size, 4), dtype=np.float32)
        np.divide(self.rgb, np.maximum(self.alpha, 1e-4)[..., None], out=whole[..., :3])
        whole[..., 3] = self.alpha
        np.clip(whole, 0, 1, out=whole)
        return Image.fromarray((whole * 255 + 0.5).astype(np.uint8))

    def _cast(self, mask: Mask, strength: float) -> None:
        reach = max(2, round(self.size * 0.012))
        soft = blurred(np.pad(mask.alpha, reach * 3), reach)
        left, top = mask.left - reach * 3 + reach // 2, mask.top - reach * 3 + reach
        whole = Mask(left, top, soft)
        x0, y0 = max(left, 0), max(top, 0)
        x1 = min(left + soft.shape[1], self.size)
        y1 = min(top + soft.shape[0], self.size)
        shadow = whole.window(x0, y0, x1 - x0, y1 - y0)
        self.rgb[y0:y1, x0:x1] *= 1 - strength * shadow[..., None]

    def _over(self, mask: Mask, colour: Array, opacity: float) -> None:
        height, width = mask.alpha.shape
        rows = slice(mask.top, mask.top + height)
        columns = slice(mask.left, mask.left + width)
        cover = mask.alpha * float(opacity)
        here = self.rgb[rows, columns]
        here *= 1 - cover[..., None]
        here += colour * cover[..., None]
        self.alpha[rows, columns] += cover * (1 - self.alpha[rows, columns])
