"""A customer's photo: the product at home, askew, in bad light, through a telephone's lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from indexer.demo.clutter import cloud, hand, surface, things
from indexer.demo.scenes import finished, laid, shadowed, warped
from indexer.demo.shapes import Array, vector

# The shorter side and the longer.
PHOTO_SIZES = ((600, 800), (600, 800), (640, 640), (600, 720), (640, 760))

# Red, green and blue of the lamp, and how bright: daylight, a bulb, a neon tube, an overcast
# window, a room too dark, a window behind the photographer.
LIGHTS = (
    (1.0, 1.0, 1.0, 1.0),
    (1.08, 1.0, 0.82, 0.97),
    (0.92, 1.02, 1.03, 1.0),
    (0.9, 0.97, 1.12, 0.9),
    (1.06, 0.98, 0.86, 0.84),
    (1.02, 1.0, 0.98, 1.2),
)
# How much of the photo's width or height the product takes before it is turned.
SHARE = (0.82, 0.97)
# EXIF orientation, and how the file is then stored: most telephones turn the flag, not the pixels.
TURNS = (
    (6, Image.Transpose.ROTATE_90),
    (8, Image.Transpose.ROTATE_270),
    (3, Image.Transpose.ROTATE_180),
)


@dataclass(frozen=True)
class Snap:
    """A photo as it is to be saved: pixels as stored, the EXIF orientation, the JPEG quality."""

    image: Image.Image
    orientation: int
    quality: int


def snap(product: Image.Image, rng: np.random.Generator) -> Snap:
    """Take a customer's photo of a product."""
    product = product.crop(product.getchannel("A").getbbox())
    width, height = PHOTO_SIZES[int(rng.integers(len(PHOTO_SIZES)))]
    if product.width > product.height * 1.1:
        # Whoever photographs something wide turns the telephone.
        width, height = height, width
    ground = surface(width, height, rng, blur=float(rng.uniform(1.6, 3.6)))
    clutter = things(max(width, height), int(rng.integers(0, 3)), rng)
    clutter = (
        clutter.crop((0, 0, width, height))
        if rng.random() < 0.5
        else clutter.resize((width, height))
    )
    shadowed(ground, clutter.getchannel("A"), (6, 9), 7, 0.4)
    laid(ground, clutter)
    placed = _placed(product, width, height, rng)
    cover = placed.getchannel("A")
    cast = (int(rng.integers(-14, 15)), int(rng.integers(4, 16)))
    shadowed(ground, cover, cast, float(rng.uniform(7, 14)), float(rng.uniform(0.25, 0.5)))
    shadowed(ground, cover, (cast[0] // 4, 3), 3, 0.35)
    laid(ground, placed)
    if rng.random() < 0.16:
        fingers = hand(max(width, height), rng).resize((width, height))
        shadowed(ground, fingers.getchannel("A"), (5, 8), 8, 0.4)
        laid(ground, fingers)
    image = _exposed(_lit(ground, rng), rng)
    orientation = 1
    if rng.random() < 0.2:
        orientation, stored = TURNS[int(rng.integers(len(TURNS)))]
        image = image.transpose(stored)
    return Snap(image, orientation, int(rng.integers(60, 76)))


def _placed(product: Image.Image, width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Return the product turned, tilted and off the middle, on the photo's own ground."""
    share = float(rng.uniform(*SHARE))
    scale = share * min(width / product.width, height / product.height)
    half = np.array(product.size) * scale / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    corners = corners * (1 + rng.uniform(-0.07, 0.07, (4, 2)))
    corners[:, 0] += corners[:, 1] * rng.uniform(-0.09, 0.09)
    angle = np.radians(np.clip(rng.normal(0, 6.5), -15, 15))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = corners @ turn
    reach = np.abs(corners).max(axis=0)
    room = np.maximum(np.array([width, height]) / 2 - reach * 0.96, 0)
    centre = np.array([width, height]) / 2 + room * rng.uniform(-0.75, 0.75, 2)
    return warped(product, (width, height), corners + centre)


def _lit(ground: Array, rng: np.random.Generator) -> Array:
    """Return the scene in the light of a home: coloured, one-sided, darker to the corners."""
    height, width, _ = ground.shape
    red, green, blue, bright = LIGHTS[int(rng.integers(len(LIGHTS)))]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.24)
    light = 1 + fall * (x * np.cos(angle) + y * np.sin(angle))
    light = light * (1 - rng.uniform(0.06, 0.24) * (x * x + y * y) / 2)
    if rng.random() < 0.35:
        # The photographer's own shadow, or that of a window's frame.
        shade = (cloud(width // 4, height // 4, 3, 4, rng) > 0.6).astype(np.uint8) * 255
        soft = Image.fromarray(shade).filter(ImageFilter.GaussianBlur(6)).resize((width, height))
        light = light * (1 - 0.28 / 255 * np.asarray(soft, dtype=np.float32))
    colour = vector([red, green, blue]) * vector(bright)
    return vector(ground * (light[..., None].astype(np.float32) * colour))


def _exposed(scene: Array, rng: np.random.Generator) -> Image.Image:
    """Return what the lens and the sensor make of it: soft, grainy, a little flat."""
    flat = float(rng.uniform(0, 0.1))
    scene = scene * (1 - flat) + 118 * flat
    blur = float(rng.uniform(0.4, 1.3))
    soft = finished(scene).filter(ImageFilter.GaussianBlur(blur))
    height, width, _ = scene.shape
    grain = rng.standard_normal((height, width, 1), dtype=np.float32) * rng.uniform(2, 7)
    stain = rng.standard_normal((height // 2, width // 2, 3), dtype=np.float32) * rng.uniform(1, 4)
    whole = np.asarray(soft, dtype=np.float32) + grain
    whole[: height // 2 * 2, : width // 2 * 2] += stain.repeat(2, axis=0).repeat(2, axis=1)
    return finished(whole)
