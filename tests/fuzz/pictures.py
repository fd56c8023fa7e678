"""Whole pictures of every kind that is read, and the broken ones that are made of them."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageCms, features

from tests.fuzz.mutations import broken

SIZE = (60, 44)

BROKEN_OF_EACH = 14
"""Broken files of each whole one, besides those that are broken by hand."""


def drawn(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Draw waves and a little noise."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(x / (3 + n) + y / (7 - n)) for n in range(3)]
    noise = np.random.default_rng(7).integers(0, 20, (height, width, 3))
    image = Image.fromarray((np.stack(waves, axis=-1) + noise).clip(0, 255).astype(np.uint8))
    if mode.startswith("I;16"):
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    if mode == "LAB":
        return Image.merge("LAB", image.split())
    if mode == "F":
        return image.convert("L").convert("F")
    if mode == "P":
        return image.quantize(32)
    return image.convert(mode)


def saved(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """Return a drawing as a file."""
    out = io.BytesIO()
    drawn(mode).save(out, kind, **options)
    return out.getvalue()


def _frames(mode: str = "RGB") -> dict[str, Any]:
    """Return what adds two frames; new ones, because a plugin leaves its marks on them."""
    return {"save_all": True, "append_images": [drawn(mode).rotate(90 * n) for n in (1, 2)]}


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()


def _png_16() -> bytes:
    """Write a PNG of 16 bits and three channels, which Pillow cannot."""
    rows = np.asarray(drawn()).astype(">u2") * 257
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", *SIZE, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@functools.cache
def whole() -> dict[str, bytes]:
    """Return a picture of every kind and variety, by name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = {
        "jpeg": saved("JPEG"),
        "jpeg-progressive": saved("JPEG", progressive=True, subsampling=0),
        "jpeg-grey": saved("JPEG", "L", comment=b"a comment"),
        "jpeg-cmyk": saved("JPEG", "CMYK"),
        "jpeg-exif": saved("JPEG", exif=_exif(), icc_profile=profile, dpi=(72, 72)),
        "jpeg-mpo": saved("MPO", **_frames()),
        "png": saved("PNG"),
        "png-alpha": saved("PNG", "RGBA"),
        "png-palette": saved("PNG", "P", transparency=3),
        "png-1": saved("PNG", "1"),
        "png-16-grey": saved("PNG", "I;16"),
        "png-16": _png_16(),
        "png-profile": saved("PNG", exif=_exif(), icc_profile=profile),
        "png-animated": saved("PNG", **_frames()),
        "webp": saved("WEBP", quality=60),
        "webp-lossless": saved("WEBP", "RGBA", lossless=True, exif=_exif()),
        "webp-animated": saved("WEBP", **_frames()),
        "gif": saved("GIF", "P"),
        "gif-animated": saved("GIF", "P", **_frames("P")),
        "bmp": saved("BMP"),
        "bmp-palette": saved("BMP", "P"),
        "bmp-1": saved("BMP", "1"),
        "tiff": saved("TIFF"),
        "tiff-lzw": saved("TIFF", "RGBA", compression="tiff_lzw"),
        "tiff-deflate": saved("TIFF", "CMYK", compression="tiff_adobe_deflate"),
        "tiff-jpeg": saved("TIFF", compression="jpeg"),
        "tiff-16": saved("TIFF", "I;16"),
        "tiff-float": saved("TIFF", "F"),
        "tiff-lab": saved("TIFF", "LAB"),
        "tiff-pages": saved("TIFF", **_frames()),
    }
    if features.check("avif"):
        found["avif"] = saved("AVIF", quality=50, speed=10)
        found["avif-alpha"] = saved("AVIF", "RGBA", quality=50, speed=10, exif=_exif())
    return found


@functools.cache
def refused() -> dict[str, bytes]:
    """Return pictures and other files of kinds that are not read, by name."""
    found = {
        kind.lower(): saved(kind)
        for kind in ("ICO", "PPM", "TGA", "SGI", "PCX", "EPS", "PDF", "JPEG2000", "DDS", "ICNS")
    }
    found["xbm"] = saved("XBM", "1")
    found["svg"] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    found["html"] = b"<!doctype html><script>alert(1)</script>"
    found["zip"] = b"PK\x03\x04" + bytes(60)
    found["nothing"] = b""
    found["zeros"] = bytes(5000)
    return found


def malformed() -> Iterator[tuple[str, bytes]]:
    """Yield broken pictures with names, always the same ones."""
    for name, data in whole().items():
        for share in (0.02, 0.1, 0.5, 0.9, 0.99):
            yield f"{name}-cut-{share}", data[: int(len(data) * share)]
        for number in range(BROKEN_OF_EACH):
            yield f"{name}-{number}", broken(data, number * 1009 + len(data))
        yield f"{name}-head-twice", data[:64] + data
        yield f"{name}-other-tail", data[: len(data) // 2] + whole()["png"][40:]
    yield from _lies()


def _lies() -> Iterator[tuple[str, bytes]]:
    """Yield pictures whose headers say that they are enormous, or nothing."""
    places = {
        "png": ((16, ">II"), (24, ">BB")),
        "png-16": ((16, ">II"),),
        "gif": ((6, "<HH"),),
        "bmp": ((18, "<ii"), (10, "<I"), (14, "<I")),
        "webp": ((4, "<I"), (26, "<HH")),
        "jpeg": ((whole()["jpeg"].index(b"\xff\xc0") + 5, ">HH"), (4, ">H")),
        "jpeg-progressive": ((whole()["jpeg-progressive"].index(b"\xff\xc2") + 5, ">HH"),),
    }
    for name, spots in places.items():
        for at, form in spots:
            for number in (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF):
                size = struct.calcsize(form[0] + form[-1])
                clipped = number & ((1 << 8 * size) - 1)
                if form[-1] == "i" and clipped > 0x7FFFFFFF:
                    clipped -= 1 << 32
                data = bytearray(whole()[name])
                struct.pack_into(form, data, at, *[clipped] * (len(form) - 1))
                if name.startswith("png"):  # with its checksum put right, so that it is believed
                    struct.pack_into(">I", data, 29, zlib.crc32(bytes(data[12:29])))
                yield f"{name}-says-{at}-{number:x}", bytes(data)
