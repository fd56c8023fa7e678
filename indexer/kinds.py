"""What kind of file the bytes are, from their first few and nothing else.

The kind is decided here and not by trying Pillow's plugins in turn, so that nothing but the
decoders named in `pictures` ever sees the bytes, and so that a refusal can say what came instead.
"""

from __future__ import annotations

import codecs
from typing import Literal

Kind = Literal["JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF", "AVIF", "HEIC"]

SUPPORTED = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF and HEIC"

_HEAD = 1024

_PICTURES: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II\x2a\x00", "TIFF"),
    (b"MM\x00\x2a", "TIFF"),
    (b"II\x2b\x00", "TIFF"),
    (b"MM\x00\x2b", "TIFF"),
)

_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "an EPS file"),
    (b"8BPS", "a Photoshop file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\x1aE\xdf\xa3", "a WebM or Matroska video"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
)

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# Container brands: they only say "pictures in the ISO container"; the list after them says which.
_CONTAINER_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})

# A BMP's second word is the length of one of these headers; "BM" alone begins many a text.
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def kind_of(data: bytes) -> Kind | None:
    """Tell which supported kind of picture the bytes begin like, None for any other."""
    for magic, kind in _PICTURES:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if data[4:8] == b"ftyp":
        return _kind_in_container(data)
    return None


def _kind_in_container(data: bytes) -> Kind | None:
    brand = data[8:12]
    if brand in _CONTAINER_BRANDS:
        length = min(int.from_bytes(data[:4], "big"), _HEAD)
        listed = {data[at : at + 4] for at in range(16, length, 4)}
        return "AVIF" if listed & _AVIF_BRANDS else "HEIC"
    if brand in _AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brand in _HEIC_BRANDS else None


def describe(data: bytes) -> str:
    """Say what the bytes seem to be, with its article: ``"an HTML page"``; empty if unknown."""
    for magic, name in _OTHERS:
        if data.startswith(magic):
            return name
    if data[4:8] == b"ftyp":
        return "a video (MP4 or QuickTime)"
    head = data[:_HEAD]
    if not _is_text(head):
        return ""
    lower = head.lstrip(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in lower:
        return "an SVG drawing"
    if lower.startswith((b"<!doctype html", b"<html")) or b"<html" in lower:
        return "an HTML page"
    return "an XML file" if lower.startswith(b"<?xml") else "text"


def _is_text(head: bytes) -> bool:
    try:
        # Incremental, because the head may end in the middle of a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter.isspace() or letter == "\ufeff" for letter in text)
