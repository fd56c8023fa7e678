"""From whatever a file stores to sRGB: depth, transparency, colour profiles.

In two steps, because the second is dear on a whole picture and cheap on a small one: `flatten`
brings a decoded picture to a mode that can be resized, `to_srgb` applies the colour profile to
what is left after resizing.
"""

from __future__ import annotations

import io
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageCms

# Real profiles reach 3 MB (printing presses); the cache below keeps the bytes as its key.
MAX_PROFILE_BYTES = 4 * 2**20

_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""The mode of the pictures that a profile of each ICC colour space describes."""

# What two roundings to 8 bits may differ by: such a profile is sRGB under another name.
_SAME = 2


def flatten(image: Image.Image) -> Image.Image:
    """Bring a decoded picture to 8 bits without transparency, still in its own colour space.

    Parameters
    ----------
    image : PIL.Image.Image
        Decoded, of any mode. Transparent parts become white, the paper of a catalogue.

    Returns
    -------
    PIL.Image.Image
        Of mode L, RGB, CMYK or LAB and the same size; `image` itself where it is so already.
    """
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image)
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode in {"L", "RGB", "CMYK", "LAB"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale grey of 16 or 32 bits, or of floating point, to 8 bits; Pillow would clip it."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        if image.mode == "F":
            values = np.where(np.isfinite(values), values, 0)
        # No file says what its white is: the smallest usual one that holds every value.
        usual = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
        brightest = float(values.max())
        white = next((level for level in usual if brightest <= level), brightest)
    scaled = np.clip(values, 0, white).astype(np.float32) * np.float32(255 / white) + 0.5
    grey = scaled.astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return Image.fromarray(grey)


def _on_white(image: Image.Image) -> Image.Image:
    colour = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(colour, tuple) and max(colour) > 255:
        # A PNG of 16 bits names its transparent colour in 16, and Pillow has read it in 8.
        image.info["transparency"] = tuple(value >> 8 for value in colour)
    if image.mode == "La":
        image = image.convert("LA")
    if image.mode not in {"RGBA", "LA"}:
        image = image.convert("RGBA")
    white = Image.new("L" if image.mode == "LA" else "RGB", image.size, "white")
    white.paste(image, mask=image)
    return white


def to_srgb(image: Image.Image, profile: bytes = b"") -> Image.Image:
    """Convert a flattened picture to sRGB.

    Parameters
    ----------
    image : PIL.Image.Image
        As `flatten` returns it, resized or not.
    profile : bytes, optional
        The ICC profile that came with it. One that is damaged, or of another colour space than
        the picture, is passed over.

    Returns
    -------
    PIL.Image.Image
        Of mode RGB and the same size; `image` itself where nothing needs to be done.
    """
    transform = _from_lab() if image.mode == "LAB" else _transform_of(profile)
    if transform is not None:
        if image.mode == "L" and transform.input_mode == "RGB":
            image = image.convert("RGB")
        if image.mode == transform.input_mode:
            return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _transform_of(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    return _build(profile) if 0 < len(profile) <= MAX_PROFILE_BYTES else None


@lru_cache(maxsize=16)
def _build(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """Build the way from a profile to sRGB, None where there is none or nothing to do."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode is None:
            return None
        transform = ImageCms.buildTransform(
            source, _srgb(), mode, "RGB", flags=ImageCms.Flags.NOCACHE
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return None if _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Try a transform on colours all over the cube: names of profiles are not to be relied on."""
    steps = np.arange(0, 256, 15, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
    if transform.input_mode == "CMYK":
        return False
    probe = Image.fromarray(cube) if transform.input_mode == "RGB" else Image.fromarray(steps[None])
    before = np.asarray(probe.convert("RGB"), np.int16)
    after = np.asarray(transform.apply(probe), np.int16)
    return bool(np.abs(after - before).max() <= _SAME)


def _srgb() -> ImageCms.ImageCmsProfile:
    # A new one each time: profiles, unlike transforms made with NOCACHE, are not for sharing
    # among threads.
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _from_lab() -> ImageCms.ImageCmsTransform:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return ImageCms.buildTransform(lab, _srgb(), "LAB", "RGB", flags=ImageCms.Flags.NOCACHE)
