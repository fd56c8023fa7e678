"""The studio: products on seamless paper, in even light, with a soft shadow."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from indexer.demo.shapes import Array, vector

STUDIO_SIZES = ((600, 600), (600, 700), (600, 750), (640, 640), (640, 800))
FILL = 0.86
# Seamless papers, more often white than not; the last are the soft colours of a lifestyle shop.
PAPERS = (
    (250, 250, 249),
    (246, 246, 246),
    (252, 251, 248),
    (249, 247, 243),
    (248, 248, 250),
    (248, 243, 238),
    (241, 245, 244),
    (247, 241, 241),
    (241, 243, 248),
    (247, 245, 237),
)


def warped(image: Image.Image, size: tuple[int, int], corners: Array) -> Image.Image:
    """Return the picture with its corners moved, from the upper left clockwise, on a larger ground.

    Parameters
    ----------
    image : Image
        An RGBA picture.
    size : tuple of int
        Width and height of the result.
    corners : array of shape (4, 2)
        Where the corners come to lie.
    """
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int), size)
    width, height = image.size
    source = [(0, 0), (width, 0), (width, height), (0, height)]
    rows, values = [], []
    for (x, y), (u, v) in zip(corners - [left, top], source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        values += [u, v]
    coefficients = np.linalg.solve(np.array(rows, dtype=float), np.array(values, dtype=float))
    part = image.transform(
        (int(right - left), int(bottom - top)),
        Image.Transform.PERSPECTIVE,
        coefficients.tolist(),
        resample=Image.Resampling.BILINEAR,
    )
    whole = Image.new("RGBA", size)
    whole.paste(part, (int(left), int(top)))
    return whole


def shadowed(
    ground: Array, cover: Image.Image, shift: tuple[int, int], blur: float, strength: float
) -> None:
    """Darken the ground by the shadow of what covers it."""
    box = cover.getbbox()
    if box is None:
        return
    reach = int(blur * 2.5) + 1
    left, top = box[0] + shift[0] - reach, box[1] + shift[1] - reach
    width, height = box[2] - box[0] + 2 * reach, box[3] - box[1] + 2 * reach
    shadow = Image.new("L", (width + width % 2, height + height % 2))
    shadow.paste(cover.crop(box), (reach, reach))
    # What is to be blurred needs no more than half the pixels.
    coarse = shadow.reduce(2).filter(ImageFilter.GaussianBlur(blur / 2))
    soft = coarse.resize(shadow.size, Image.Resampling.BILINEAR)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, ground.shape[1]), min(top + height, ground.shape[0])
    if x0 < x1 and y0 < y1:
        seen = np.asarray(soft.crop((x0 - left, y0 - top, x1 - left, y1 - top)), dtype=np.float32)
        ground[y0:y1, x0:x1] *= 1 - (seen * (strength / 255))[..., None]


def laid(ground: Array, image: Image.Image) -> None:
    """Lay an RGBA picture of the ground's size on it."""
    box = image.getchannel("A").getbbox()
    if box is None:
        return
    left, top, right, bottom = box
    over = np.asarray(image.crop(box), dtype=np.float32)
    here = ground[top:bottom, left:right]
    here += (over[..., :3] - here) * (over[..., 3:] / 255)


def studio(product: Image.Image, pose: str, rng: np.random.Generator) -> Image.Image:
    """Return the catalogue's picture of a product."""
    width, height = STUDIO_SIZES[int(rng.integers(len(STUDIO_SIZES)))]
    ground = _paper(width, height, pose, rng)
    box = product.getchannel("A").getbbox() or (0, 0, *product.size)
    product = product.crop(box)
    # The product fills most of the frame, but is not drawn so large that it grows soft.
    scale = min(FILL * width / product.width, FILL * height / product.height, 1.3)
    size = (round(product.width * scale), round(product.height * scale))
    placed = Image.new("RGBA", (width, height))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    placed.paste(product.resize(size, Image.Resampling.BICUBIC), (left, top))
    cover = placed.getchannel("A")
    if pose == "standing":
        _stand(ground, cover, rng)
    else:
        shadowed(ground, cover, (7, 12), 11, 0.2)
        shadowed(ground, cover, (1, 3), 3, 0.22)
    laid(ground, placed)
    return finished(ground)


def detail(product: Image.Image, pose: str, rng: np.random.Generator) -> Image.Image:
    """Return the catalogue's second picture: from another angle, or closer."""
    side = product.width
    if rng.random() < 0.5:
        # Closer: the middle of the product fills the frame.
        box = product.getchannel("A").getbbox() or (0, 0, side, side)
        span = 0.62 * max(box[2] - box[0], box[3] - box[1])
        cx = (box[0] + box[2]) / 2 + rng.uniform(-0.12, 0.12) * span
        cy = (box[1] + box[3]) / 2 + rng.uniform(-0.12, 0.12) * span
        near = (int(cx - span / 2), int(cy - span / 2), int(cx + span / 2), int(cy + span / 2))
        product = product.crop(near).resize((side, side), Image.Resampling.BICUBIC)
        ground = _paper(side, side, "flat", rng)
        shadowed(ground, product.getchannel("A"), (12, 20), 18, 0.2)
        laid(ground, product)
        return finished(ground).resize((600, 600), Image.Resampling.BICUBIC)
    sway, lean = rng.uniform(0.05, 0.09) * side, rng.uniform(-0.02, 0.02) * side
    corners = np.array(
        [[sway, sway * 0.7], [side - lean, 0], [side, side], [sway, side - sway * 0.5]]
    )
    return studio(warped(product, (side, side), corners), pose, rng)


def finished(ground: Array) -> Image.Image:
    """Return the picture as RGB."""
    return Image.fromarray((np.clip(ground, 0, 255) + 0.5).astype(np.uint8))


def _paper(width: int, height: int, pose: str, rng: np.random.Generator) -> Array:
    """Return the lit paper: brighter in the middle, and folding up behind what stands on it."""
    tint = vector(PAPERS[int(rng.integers(len(PAPERS)))])
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    light = 1.005 - 0.08 * ((x - 0.45) ** 2 + (y - 0.42) ** 2)
    if pose == "standing":
        light = light - 0.035 / (1 + np.exp(-(y - 0.74) * 26))
    return light[..., None] * tint


def _stand(ground: Array, cover: Image.Image, rng: np.random.Generator) -> None:
    """Put the shadow of a standing thing on the floor: dark where it touches, long and faint."""
    box = cover.getbbox()
    if box is None:
        return
    left, top, right, bottom = box
    width, height = cover.size
    # The outline, laid flat on the floor and leaning away from the light.
    flat_height = max(8, int((bottom - top) * 0.16))
    lying = cover.crop(box).resize((right - left, flat_height))
    fading = np.linspace(0.25, 1, flat_height, dtype=np.float32)[:, None]
    lying = Image.fromarray((np.asarray(lying) * fading).astype(np.uint8))
    lean = int((right - left) * 0.1) + int(rng.integers(0, 14))
    for strength, blur, dx, drop in ((0.22, 13, lean, 0.35), (0.3, 6, lean // 3, 0.3)):
        layer = Image.new("L", (width, height))
        layer.paste(lying, (left + dx, bottom - int(flat_height * (1 - drop))))
        shadowed(ground, layer, (0, 0), blur, strength)
    # Only what is within a few pixels of the ground touches it.
    touching = Image.new("L", (width, height))
    touching.paste(cover.crop((left, bottom - 12, right, bottom)), (left, bottom - 9))
    shadowed(ground, touching, (0, 2), 3.5, 0.5)
