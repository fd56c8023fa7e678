"""From encoded bytes to an upright picture, or to the reason why not.

The half of `pictures` that meets other people's files: it keeps to a budget that is checked before
anything is decoded, and lets nothing out but a picture or a `PictureError`, whatever the bytes are.
"""

from __future__ import annotations

import importlib
import io
import logging
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageFile, features
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile, jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from indexer.colour import flatten
from indexer.errors import PictureError, PictureTooLarge, PictureTypeError
from indexer.kinds import SUPPORTED, Kind, describe, kind_of

log = logging.getLogger(__name__)

# Once, here: `warnings.catch_warnings` is not safe among loader threads. Pillow's file plugins
# warn of odd metadata, which whoever indexes a catalogue can do nothing about.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.\w+ImagePlugin")

# Plugins' classes and not `Image.open`: that would try other decoders (EPS calls Ghostscript) and
# apply a pixel cap that belongs to the whole program.
_OPENERS: dict[Kind, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "JPEG": jpeg_factory,  # also MPO, which phones write
    "PNG": PngImageFile,
    "WebP": WebPImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "AVIF": AvifImageFile,
}

# Everything that Pillow and pillow-heif were seen, or are written, to raise on damaged files;
# Warning, because a host program may have turned warnings into errors.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each value of EXIF's orientation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLimits:
    """What a picture may cost, checked before it is decoded.

    Attributes
    ----------
    max_bytes : int
        Encoded size, in bytes.
    max_pixels : int
        Width times height, as the file's header has them. Decoding takes 4 bytes a pixel, and up
        to three times that for a moment where the picture is transparent or of 16 bits.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 100_000_000


LIMITS = PictureLimits()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture between decoding and resizing.

    Attributes
    ----------
    image : PIL.Image.Image
        Upright, flattened (mode L, RGB, CMYK or LAB), perhaps reduced, in its own colour space.
    profile : bytes
        The ICC profile of that space, empty for none.
    width, height : int
        Of the upright picture as stored, in pixels.
    """

    image: Image.Image
    profile: bytes
    width: int
    height: int


def decode(data: bytes, limits: PictureLimits, scale: Callable[[int, int], int]) -> Decoded:
    """Decode to an upright, flattened picture.

    Parameters
    ----------
    data : bytes
        The encoded picture.
    limits : PictureLimits
        What it may cost.
    scale : callable
        Told the upright width and height, says how many times smaller the picture may come.

    Returns
    -------
    Decoded

    Raises
    ------
    PictureTooLarge, PictureTypeError, PictureError
    """
    if len(data) > limits.max_bytes:
        raise PictureTooLarge(
            f"The file has {len(data) / 2**20:.1f} MiB, more than the"
            f" {limits.max_bytes / 2**20:.4g} MiB allowed."
        )
    kind = _supported_kind(data)
    with _explaining(kind, data):
        image = _opener(kind)(io.BytesIO(data))
    _check_pixels(image.size, limits)
    with _explaining(kind, data):
        if not isinstance(image, JpegImageFile):
            image.load()  # a PNG may say how it is turned only after its pixels
        profile = image.info.get("icc_profile")
        orientation = _orientation(image)
        width, height = image.size if orientation < 5 else image.size[::-1]
        reduction = max(1, scale(width, height))
        reduction //= _draft(image, reduction)
        image.load()
        flat = flatten(image)
        if reduction > 1:
            flat = flat.reduce(reduction)
        if orientation in _TURNS:
            flat = flat.transpose(_TURNS[orientation])
    return Decoded(flat, profile if isinstance(profile, bytes) else b"", width, height)


def _supported_kind(data: bytes) -> Kind:
    if not data:
        raise PictureTypeError("The file is empty.")
    kind = kind_of(data)
    if kind is None:
        seems = describe(data)
        raise PictureTypeError(
            f"The file is {seems}, not a picture of a supported kind."
            if seems
            else "The file is not a picture, or of a kind that is not supported.",
            hint=f"Supported are {SUPPORTED}.",
        )
    return kind


def _opener(kind: Kind) -> Callable[[io.BytesIO], ImageFile.ImageFile]:
    if kind == "AVIF" and not features.check("avif"):
        raise PictureTypeError(
            "AVIF pictures cannot be read by this installation.",
            hint="Give the picture as JPEG or PNG, or have its Pillow, which was built without"
            " AVIF, replaced with: pip install --force-reinstall pillow",
        )
    if kind != "HEIC":
        return _OPENERS[kind]
    try:
        # Not registered with Pillow, so that a program that uses Lookalike keeps its own set.
        opener: Callable[[io.BytesIO], ImageFile.ImageFile]
        opener = importlib.import_module("pillow_heif").HeifImageFile
    except ImportError as error:
        raise PictureTypeError(
            "HEIC pictures, as iPhones take them, cannot be read by this installation.",
            hint="Give the picture as JPEG or PNG, or have what reads it installed with:"
            " pip install 'lookalike[heic]'",
        ) from error
    return opener


def _check_pixels(size: tuple[int, int], limits: PictureLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise PictureTooLarge(
            f"The picture has {width} x {height} pixels ({_megapixels(width * height)}), more than"
            f" the {_megapixels(limits.max_pixels)} allowed."
        )


def _megapixels(pixels: int) -> str:
    millions = pixels / 1e6
    return f"{millions:,.0f} megapixels" if millions >= 1000 else f"{millions:.4g} megapixels"


@contextmanager
def _explaining(kind: Kind, data: bytes) -> Iterator[None]:
    """Turn what a decoder raises into a reason that a person understands.

    The decoder's own words are for those who look into it: they are in the log, at level DEBUG.
    """
    try:
        yield
    except (MemoryError, Image.DecompressionBombError) as error:
        log.debug("A %s file was too large to be decoded: %s", kind, error)
        raise PictureTooLarge("The picture is too large to be decoded here.") from error
    except _DAMAGE as error:
        log.debug("A %s file was not decoded: %r", kind, error)
        # A TIFF of "unknown data organization" lacks the part that says where its pixels are.
        said = str(error).lower().replace("unknown data organization", "")
        if "unsupported" in said or "unknown" in said or isinstance(error, NotImplementedError):
            raise PictureTypeError(
                f"The file is a {kind} of a variety that is not supported."
            ) from error
        riff_end = int.from_bytes(data[4:8], "little") + 8
        if (
            isinstance(error, EOFError)
            or "truncat" in said
            or "end of file" in said
            or (kind == "WebP" and riff_end > len(data))
        ):
            raise PictureError("The file is cut short.") from error
        raise PictureError(f"The {kind} file is damaged and cannot be decoded.") from error


def _orientation(image: Image.Image) -> int:
    """Read how the picture is turned, 1 where that is unreadable: it is no reason to refuse.

    1 too for TIFF, which Pillow turns itself on loading, and for HEIC, which libheif does.
    """
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _DAMAGE:
        return 1
    return orientation if orientation in _TURNS else 1


def _draft(image: ImageFile.ImageFile, reduction: int) -> int:
    """Let libjpeg decode at 1/2, 1/4 or 1/8 where that is enough; return which it will be."""
    power = next(power for power in (8, 4, 2, 1) if power <= reduction)
    if power == 1 or not isinstance(image, JpegImageFile):
        return 1
    # Never None for a picture not yet loaded; and Pillow finds `power` again from this size.
    image.draft(None, (image.width // power, image.height // power))
    return power
