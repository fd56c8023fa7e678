import hashlib
import io
import random
import re
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, ImageDraw, features

from indexer.errors import PictureError, PictureTooLarge, PictureTypeError
from indexer.pictures import (
    THUMBNAIL_SIDE,
    PictureLimits,
    content_hash,
    open_picture,
    prepare,
    to_jpeg,
)

# Pillow's remarks on odd metadata are silenced by the module itself, which pytest undoes.
pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.\w+ImagePlugin")

SIZE = 64
RED, WHITE = (200, 30, 40), (255, 255, 255)


def drawing(width=160, height=120):
    """Draw a picture that no turn or mirror leaves the same."""
    y, x = np.mgrid[0:height, 0:width]
    ramps = [x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), np.full_like(x, 90)]
    image = Image.fromarray(np.stack(ramps, axis=-1).astype(np.uint8))
    ImageDraw.Draw(image).ellipse((width * 0.1, height * 0.1, width * 0.4, height * 0.6), RED)
    return image


def plain(colour, mode="RGB", size=(40, 30)):
    return Image.new(mode, size, colour)


def encode(image, kind, **options):
    out = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(out, **options)
    else:
        image.save(out, kind, **options)
    return out.getvalue()


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def turned(image, value):
    """Turn a picture so that EXIF's orientation `value` makes it upright again."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    return image if value == 1 else image.transpose(undo[value])


def middle(data, **options):
    """Return the colour in the middle of a picture as the network sees it."""
    return prepare(data, SIZE, **options).pixels[SIZE // 2, SIZE // 2].astype(int)


def difference(one, other):
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def png(width, height, bits, colour_type, rows, *chunks):
    """Write a PNG by hand, for what Pillow does not write."""

    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in parts)


KINDS = {
    "JPEG": {"quality": 92},
    "PNG": {},
    "WEBP": {"quality": 92},
    "GIF": {},
    "BMP": {},
    "TIFF": {"compression": "tiff_lzw"},
    "AVIF": {"quality": 92},
    "HEIF": {"quality": 92},
}


def each(*kinds):
    return pytest.mark.parametrize("kind", kinds)


@each(*KINDS)
def test_each_kind_gives_the_picture(kind):
    data = encode(drawing(), kind, **KINDS[kind])
    prepared = prepare(data, SIZE, thumbnail=True)
    expected = np.asarray(drawing().resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    assert prepared.pixels.shape == (SIZE, SIZE, 3)
    assert prepared.pixels.dtype == np.uint8
    assert difference(prepared.pixels, expected) < (8 if kind == "GIF" else 3)
    assert (prepared.width, prepared.height) == (160, 120)
    assert prepared.content_hash == content_hash(data) == hashlib.sha256(data).hexdigest()
    assert Image.open(io.BytesIO(prepared.thumbnail)).size == (160, 120)


def test_no_thumbnail_unless_asked():
    assert prepare(encode(drawing(), "PNG"), SIZE).thumbnail == b""


@pytest.mark.parametrize("value", range(1, 9))
@each("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")
def test_every_orientation_is_made_upright(kind, value):
    stored = turned(drawing(), value)
    exif = orientation(value)
    data = encode(stored, kind, **KINDS[kind], exif=exif.tobytes() if kind == "HEIF" else exif)
    prepared = prepare(data, SIZE, thumbnail=True)
    assert (prepared.width, prepared.height) == (160, 120)
    expected = np.asarray(drawing().resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    assert difference(prepared.pixels, expected) < 3
    assert Image.open(io.BytesIO(prepared.thumbnail)).size == (160, 120)
    assert open_picture(data).size == (160, 120)


def test_a_large_turned_jpeg_is_reduced_and_reported_whole():
    stored = turned(drawing(1600, 1200), 6)
    data = encode(stored, "JPEG", quality=92, exif=orientation(6))
    prepared = prepare(data, SIZE, thumbnail=True)
    assert (prepared.width, prepared.height) == (1600, 1200)
    assert Image.open(io.BytesIO(prepared.thumbnail)).size == (400, 300)
    assert open_picture(data, at_least=200).size == (400, 300)
    assert open_picture(data, at_least=301).size == (800, 600)
    assert open_picture(data).size == (1600, 1200)
    small = drawing(1600, 1200).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    assert difference(prepared.pixels, np.asarray(small)) < 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_reduced_picture_keeps_its_shorter_side(kind):
    image = open_picture(encode(drawing(1701, 1303), kind), at_least=100)
    assert 100 <= min(image.size) < 200


def test_the_same_product_is_the_same_however_it_is_stored():
    product = drawing(400, 300)
    alpha = Image.new("L", product.size, 0)
    ImageDraw.Draw(alpha).ellipse((60, 40, 340, 260), fill=255)
    on_white = Image.composite(product, plain(WHITE, size=product.size), alpha)
    cut_out = product.copy()
    cut_out.putalpha(alpha)
    reference = prepare(encode(on_white, "PNG")).pixels
    for data in (
        encode(cut_out, "PNG"),
        encode(cut_out, "WEBP", lossless=True),
        encode(cut_out, "TIFF"),
        encode(on_white, "WEBP", quality=90),
        encode(on_white, "JPEG", quality=92),
        encode(turned(on_white, 6), "JPEG", quality=92, exif=orientation(6)),
        encode(on_white.resize((3200, 2400)), "JPEG", quality=92),
    ):
        assert difference(prepare(data).pixels, reference) < 2.5


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparent_parts_are_white_and_half_transparent_ones_pale(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    assert tuple(middle(encode(plain((0, 0, 0, 0), "RGBA"), kind, **options))) == WHITE
    pale = middle(encode(plain((0, 0, 0, 128), "RGBA"), kind, **options))
    assert np.abs(pale - 127).max() <= 1


def test_transparency_of_every_mode():
    grey = encode(plain((0, 0), "LA"), "PNG")
    colours = (b"PLTE", bytes((9, 9, 9, *RED, 0, 0, 0)))
    palette = png(1, 1, 8, 3, b"\0\1", colours, (b"tRNS", b"\xff\0"))
    bytes_palette = png(1, 1, 8, 3, b"\0\1", colours, (b"tRNS", b"\x80\0"))
    colour_key = encode(plain(RED), "PNG", transparency=RED)
    grey_key = encode(plain(70, "L"), "PNG", transparency=70)
    one_bit = encode(plain(0, "1"), "PNG", transparency=0)
    deep_key = png(1, 1, 16, 0, b"\0" + b"\x12\x34", (b"tRNS", b"\x12\x34"))
    deep_colour = png(1, 1, 16, 2, b"\0" + b"\x12\x34" * 3, (b"tRNS", b"\x12\x34" * 3))
    gif = encode(plain(3, "P"), "GIF", transparency=3)
    for data in (
        grey, palette, bytes_palette, colour_key, grey_key, one_bit, deep_key, deep_colour, gif,
    ):  # fmt: skip
        assert tuple(middle(data)) == WHITE
    half = png(1, 1, 8, 3, b"\0\2", colours, (b"tRNS", b"\xff\xff\x80"))
    assert np.abs(middle(half) - 127).max() <= 1


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (plain(77, "L"), "PNG", 77),
        (plain(77, "L"), "JPEG", 77),
        (plain(1, "1"), "PNG", 255),
        (plain(0, "1"), "TIFF", 0),
        (plain((77, 255), "LA"), "PNG", 77),
        (plain(77 * 257, "I;16"), "PNG", 77),
        (plain(77 * 257, "I;16"), "TIFF", 77),
        (plain(77 * 257, "I"), "TIFF", 77),
        (plain(77 / 255, "F"), "TIFF", 77),
        (plain(77.0, "F"), "TIFF", 77),
        (plain(float("nan"), "F"), "TIFF", 0),
        (plain(RED).quantize(4), "PNG", RED),
        (plain(RED).quantize(4), "BMP", RED),
        (plain((0, 255, 255, 0), "CMYK"), "JPEG", (255, 0, 0)),
        (plain((0, 255, 255, 0), "CMYK"), "TIFF", (255, 0, 0)),
        (plain(RED, "RGBX"), "TIFF", RED),
        (plain((0, 128, 128), "LAB"), "TIFF", 0),
    ],
    ids=lambda value: getattr(value, "mode", str(value)),
)
def test_every_mode(image, kind, expected):
    assert np.abs(middle(encode(image, kind)) - expected).max() <= 2


def test_lab_keeps_its_hue():
    red = middle(encode(plain((136, 128 + 80, 128 + 67), "LAB"), "TIFF"))
    assert np.abs(red - (255, 0, 0)).max() < 12


def test_sixteen_bits_a_channel():
    data = png(1, 1, 16, 2, b"\0" + struct.pack(">HHH", *(value * 257 for value in RED)))
    assert np.abs(middle(data) - RED).max() <= 1
    assert np.abs(middle(png(1, 1, 16, 4, b"\0" + struct.pack(">HH", 9, 0))) - 255).max() == 0


def wide_profile():
    """Make Adobe RGB's primaries of the sRGB profile, by writing over its colorants."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    primaries = {
        b"rXYZ": (0.60974, 0.31111, 0.01947),
        b"gXYZ": (0.20528, 0.62567, 0.06087),
        b"bXYZ": (0.14919, 0.06322, 0.74457),
    }
    for at in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12):
        name, offset, _ = struct.unpack(">4sII", profile[at : at + 12])
        if name in primaries:
            fixed = [round(value * 65536) for value in primaries[name]]
            struct.pack_into(">3i", profile, offset + 8, *fixed)
    return bytes(profile)


def press_profile():
    """Make a CMYK profile whose cyan ink prints red, to show whether it was used."""
    table = bytearray()
    for inks in np.ndindex(2, 2, 2, 2):  # cyan, magenta, yellow, black; the last varies fastest
        light = 255 if not any(inks) else 0 if inks[3] else 136
        table += bytes((light, 208, 195) if inks == (1, 0, 0, 0) else (light, 128, 128))
    identity = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0))
    lut += struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut += identity * 4 + bytes(table) + identity * 3
    total = 128 + 4 + 12 + len(lut)
    header = struct.pack(">I4sI4s4s4s12s4s", total, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ",
                         struct.pack(">6H", 2024, 1, 1, 0, 0, 0), b"acsp")  # fmt: skip
    header = header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(lut)) + lut


def test_a_wide_gamut_is_brought_to_srgb():
    profile = wide_profile()
    pale_green = (120, 200, 100)
    data = encode(plain(pale_green), "PNG", icc_profile=profile)
    srgb = ImageCms.createProfile("sRGB")
    expected = ImageCms.profileToProfile(plain(pale_green), io.BytesIO(profile), srgb)
    assert tuple(middle(data)) == expected.getpixel((0, 0)) != pale_green
    assert open_picture(data).getpixel((0, 0)) == expected.getpixel((0, 0))
    assert "icc_profile" not in open_picture(data).info
    thumbnail = Image.open(io.BytesIO(prepare(data, thumbnail=True).thumbnail))
    assert difference(np.asarray(thumbnail), np.asarray(expected)) <= 2
    grey = encode(plain(120, "L"), "JPEG", icc_profile=profile)
    assert np.abs(middle(grey) - 120).max() <= 2


def test_srgb_is_left_as_it_is():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert tuple(middle(encode(plain(RED), "PNG", icc_profile=profile))) == RED


def test_cmyk_goes_through_its_profile():
    cyan = plain((255, 0, 0, 0), "CMYK")
    printed = middle(encode(cyan, "TIFF", icc_profile=press_profile()))
    assert printed[0] > 200 > 60 > printed[2]
    printed = middle(encode(cyan, "JPEG", icc_profile=press_profile()))
    assert printed[0] > 200 > 60 > printed[2]


@pytest.mark.parametrize("profile", [b"nonsense", wide_profile()[:300], press_profile()])
def test_a_profile_that_cannot_apply_is_passed_over(profile):
    assert tuple(middle(encode(plain(RED), "PNG", icc_profile=profile))) == RED


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_only_the_first_frame_counts(kind):
    more = [plain((0, 0, 255)), plain((0, 255, 0))]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(plain(RED), kind, save_all=True, append_images=more, **options)
    assert np.abs(middle(data) - RED).max() <= 2


def test_the_format_of_phones_with_two_pictures():
    data = encode(drawing(1600, 1200), "MPO", save_all=True, append_images=[plain(RED)])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    expected = np.asarray(drawing(1600, 1200).resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    assert difference(prepare(data, SIZE).pixels, expected) < 3


def test_a_region_is_cut_out_of_the_upright_picture():
    image = plain(WHITE, size=(1600, 1200))
    image.paste(RED, (400, 300, 800, 600))
    data = encode(turned(image, 8), "JPEG", quality=95, exif=orientation(8))
    prepared = prepare(data, SIZE, region=(0.25, 0.25, 0.25, 0.25), thumbnail=True)
    inside = prepared.pixels[4:-4, 4:-4].astype(int)  # JPEG's colours run over edges
    assert np.abs(inside - RED).max() < 6
    assert (prepared.width, prepared.height) == (1600, 1200)
    thumbnail = Image.open(io.BytesIO(prepared.thumbnail)).convert("RGB")
    assert min(thumbnail.getpixel((5, 5))) > 245


def test_a_small_region_keeps_enough_pixels():
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::4] = stripes[:, 1::4] = 255  # finer than any reduced decoding could show
    data = encode(Image.fromarray(stripes), "JPEG", quality=95)
    assert prepare(data, 64, region=(0.5, 0.5, 0.0625, 0.0625)).pixels.std() > 90
    assert prepare(data, 64).pixels.std() < 60


def test_a_region_over_the_edge_is_cut_off_and_one_outside_refused():
    data = encode(plain(RED), "PNG")
    assert tuple(middle(data, region=(-1, 0.5, 9, 9))) == RED
    assert tuple(middle(data, region=(0.99999999, 0.5, 1e-12, 1e-12))) == RED
    for region in [(1.5, 0, 1, 1), (0, 0, 0, 1), (float("nan"), 0, 1, 1)]:
        with pytest.raises(PictureError, match="outside the picture"):
            prepare(data, region=region)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2000)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_extreme_shapes(size, kind):
    prepared = prepare(encode(plain(RED, size=size), kind), SIZE, thumbnail=True)
    assert np.abs(prepared.pixels.astype(int) - RED).max() <= 3
    thumbnail = Image.open(io.BytesIO(prepared.thumbnail))
    assert max(thumbnail.size) == min(max(size), THUMBNAIL_SIDE)
    assert (prepared.width, prepared.height) == size


def test_nothing_private_survives():
    exif = orientation(1)
    exif[0x010F] = "Phone of A. Person"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    data = encode(drawing(), "JPEG", exif=exif, comment=b"A. Person", icc_profile=wide_profile())
    assert b"A. Person" in data
    for jpeg in (
        prepare(data, thumbnail=True).thumbnail,
        to_jpeg(open_picture(data), 1000, 90),
        to_jpeg(Image.open(io.BytesIO(data)), 1000, 90),
    ):
        assert b"Person" not in jpeg
        assert b"Exif" not in jpeg
        assert not Image.open(io.BytesIO(jpeg)).getexif()
    assert open_picture(data).info == {}


def test_to_jpeg_reduces_and_never_enlarges():
    assert Image.open(io.BytesIO(to_jpeg(drawing(), 80, 80))).size == (80, 60)
    assert Image.open(io.BytesIO(to_jpeg(drawing(), 800, 80))).size == (160, 120)
    pale = Image.open(io.BytesIO(to_jpeg(plain((0, 0, 0, 0), "RGBA"), 20, 80)))
    assert min(pale.getpixel((5, 5))) > 250


def test_caps_name_the_figures():
    data = encode(drawing(), "PNG")
    with pytest.raises(PictureTooLarge, match=r"0\.0 MiB, more than the 9\.537e-06 MiB"):
        prepare(data, limits=PictureLimits(max_bytes=10))
    with pytest.raises(PictureTooLarge, match=r"160 x 120 .*0\.0192 megapixels.* 0\.01 mega"):
        open_picture(data, limits=PictureLimits(max_pixels=10_000))


@pytest.mark.parametrize("side", [9_500, 12_000, 50_000])
def test_a_bomb_is_refused_by_its_header(side):
    bomb = png(side, side, 8, 2, b"")
    limits = PictureLimits(max_pixels=80_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PictureTooLarge, match=f"{side} x {side} pixels"):
            prepare(bomb, limits=limits)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "an HTML page"),
        (b"\xef\xbb\xbf  <html lang=de>\xc3\xa9", "an HTML page"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "an SVG drawing"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b"PK\x03\x04\x14\x00", "a ZIP"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00", "a video"),
        (b"id,title\n1,shoe\n", "is text"),
        (b"BMW makes cars, and this is a text about them", "is text"),
        (b"8BPS\x00\x01", "Photoshop"),
        (bytes(range(200, 256)) * 4, "not a picture"),
        (b"\x00", "not a picture"),
    ],
)
def test_what_is_no_picture_is_named(data, reason):
    with pytest.raises(PictureTypeError, match=reason) as caught:
        prepare(data)
    assert caught.value.status == 415


def test_heic_without_its_extra(monkeypatch):
    data = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PictureTypeError, match=r"pip install 'lookalike\[heic\]'"):
        prepare(data)


def test_avif_without_its_decoder(monkeypatch):
    monkeypatch.setattr(features, "check", lambda feature: feature != "avif")
    with pytest.raises(PictureTypeError, match="cannot be read by this installation"):
        prepare(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif" + bytes(64))


def blank(width, height, *chunks, bits=8):
    """Return a PNG of any size that has next to no pixels."""
    return png(width, height, bits, 2, bytes(64), *chunks)


def altered(data, place, new):
    return data[:place] + new + data[place + len(new) :]


def tall_jpeg():
    data = encode(drawing(), "JPEG")
    return altered(data, data.index(b"\xff\xc0") + 5, b"\xff\xff\xff\xff")


CUT_SHORT = "The file is cut short."
CORPUS = {
    "empty": (b"", "The file is empty."),
    "text": (b"no picture at all\n", "The file is text, not a picture"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "The file is an SVG drawing, not a"),
    "PDF": (b"%PDF-1.7 and so on", "The file is a PDF document, not a"),
    "page": (b"<!DOCTYPE html><title>404</title>", "The file is an HTML page, not a"),
    "bytes": (bytes(range(256)), "The file is not a picture, or of a kind that is not supported."),
    "cut JPEG": (encode(drawing(), "JPEG")[:600], CUT_SHORT),
    "cut PNG": (encode(drawing(), "PNG")[:600], CUT_SHORT),
    "cut WebP": (encode(drawing(), "WEBP")[:200], CUT_SHORT),
    "cut AVIF": (encode(drawing(), "AVIF")[:-40], CUT_SHORT),
    "cut GIF": (encode(drawing(), "GIF")[:900], CUT_SHORT),
    "cut TIFF": (encode(drawing(), "TIFF")[:3000], CUT_SHORT),
    "TIFF head": (encode(drawing(), "TIFF")[:100], "The TIFF file is damaged and cannot"),
    "GIF head": (encode(drawing(), "GIF")[:20], "The GIF file is damaged and cannot"),
    "bad CRC": (altered(encode(drawing(), "PNG"), 29, b"none"), "The PNG file is damaged"),
    "no size": (blank(0, 0), "The PNG file is damaged and cannot be decoded."),
    "no such depth": (blank(9, 9, bits=7), "The PNG file is damaged and cannot be decoded."),
    "bomb": (
        blank(9, 9, (b"zTXt", b"a\0\0" + zlib.compress(bytes(2_000_000)))),
        "The PNG file is damaged and cannot be decoded.",
    ),
    "huge": (
        blank(100_000, 100_000),
        "The picture has 100000 x 100000 pixels (10,000 megapixels), more than the 100 megapixels"
        " allowed.",
    ),
    "huge JPEG": (tall_jpeg(), "The picture has 65535 x 65535 pixels (4,295 megapixels)"),
    "another BMP": (
        altered(encode(drawing(), "BMP"), 30, b"\x09\0\0\0"),
        "The file is a BMP of a variety that is not supported.",
    ),
    "HEIC": (
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64),
        "HEIC pictures, as iPhones take them, cannot be read by this installation.",
    ),
}

LIBRARIES = re.compile(
    r"PIL|libav|libheif|driver|data stream|decoder|BytesIO|BMFF|Error|0x|[<>{}\[\]]|b'|_|\\"
)


@pytest.mark.parametrize("name", CORPUS)
def test_why_a_picture_is_refused_is_said_in_plain_words(name, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    data, reason = CORPUS[name]
    with caplog.at_level("INFO"), pytest.raises(PictureError) as caught:
        prepare(data)
    message = caught.value.message
    assert message.startswith(reason)
    assert message.endswith(".")
    assert not LIBRARIES.search(message)
    assert caplog.text == ""


def test_the_decoders_own_words_are_in_the_log(caplog):
    with caplog.at_level("DEBUG", "indexer.decoder"), pytest.raises(PictureError):
        prepare(CORPUS["cut JPEG"][0])
    assert "Truncated File Read" in caplog.text


@each(*KINDS)
def test_a_picture_cut_short_is_no_picture(kind):
    data = encode(drawing(), kind, **KINDS[kind])
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(PictureError) as caught:
            prepare(data[: int(len(data) * share)])
        if kind in {"JPEG", "PNG", "WEBP", "GIF", "BMP"}:
            assert caught.value.message == "The file is cut short."
    progressive = encode(drawing(), "JPEG", progressive=True)
    with pytest.raises(PictureError, match="cut short"):
        prepare(progressive[: len(progressive) * 9 // 10])


def damaged(data):
    """Yield the file cut at 40 places, and with a byte changed at 200."""
    chance = random.Random(7)
    for step in range(40):
        yield data[: len(data) * step // 40]
    for _ in range(200):
        broken = bytearray(data)
        broken[chance.randrange(len(data))] ^= chance.randrange(1, 256)
        yield bytes(broken)
    for _ in range(100):  # headers are where the decoders differ
        broken = bytearray(data)
        broken[chance.randrange(min(len(data), 160))] ^= chance.randrange(1, 256)
        yield bytes(broken)


FUZZED = [
    ("JPEG", "RGB", {"exif": orientation(6), "icc_profile": wide_profile()}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "CMYK", {}),
    ("MPO", "RGB", {"save_all": True, "append_images": [plain(RED)]}),
    ("PNG", "RGBA", {"exif": orientation(6), "icc_profile": wide_profile()}),
    ("PNG", "P", {"transparency": 2}),
    ("PNG", "I;16", {}),
    ("WEBP", "RGBA", {"exif": orientation(6)}),
    ("WEBP", "RGB", {"save_all": True, "append_images": [plain(RED, size=(48, 36))]}),
    ("GIF", "P", {"save_all": True, "append_images": [plain(RED)]}),
    ("BMP", "RGB", {}),
    ("BMP", "P", {}),
    ("TIFF", "RGB", {"compression": "tiff_lzw", "exif": orientation(6)}),
    ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "F", {}),
    pytest.param("AVIF", "RGBA", {"exif": orientation(6)}),
    ("HEIF", "RGBA", {"exif": orientation(6).tobytes()}),
]


@pytest.mark.parametrize(("kind", "mode", "options"), FUZZED)
def test_damage_never_raises_anything_else(kind, mode, options):
    image = drawing(48, 36)
    image = image.convert("L").convert(mode) if mode in {"F", "I;16"} else image.convert(mode)
    data = encode(image, kind, **options)
    prepare(data, 32)
    outcomes = {True: 0, False: 0}
    for broken in damaged(data):
        try:
            prepared = prepare(
                broken, 32, thumbnail=True, limits=PictureLimits(max_pixels=1_000_000)
            )
        except PictureError as error:
            assert error.message
            outcomes[False] += 1
        else:
            assert prepared.pixels.shape == (32, 32, 3)
            outcomes[True] += 1
    assert outcomes[False] >= 20


def test_a_damaged_profile_never_raises_anything():
    chance = random.Random(7)
    for _ in range(40):
        profile = bytearray(press_profile())
        profile[chance.randrange(300)] ^= chance.randrange(1, 256)
        data = encode(plain((255, 0, 0, 0), "CMYK"), "TIFF", icc_profile=bytes(profile))
        assert prepare(data, 32).pixels.shape == (32, 32, 3)


def test_broken_exif_is_no_reason_to_refuse():
    data = encode(plain(RED), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert tuple(middle(data)) == RED


def test_threads_agree():
    exif = orientation(6)
    files = [
        encode(turned(drawing(800, 600), 6), "JPEG", exif=exif, icc_profile=wide_profile()),
        encode(drawing().convert("CMYK"), "JPEG", icc_profile=press_profile()),
        encode(drawing().convert("RGBA"), "PNG", icc_profile=wide_profile()),
    ]
    alone = [prepare(data, SIZE, thumbnail=True) for data in files]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda data: prepare(data, SIZE, thumbnail=True), files * 16))
    for at, prepared in enumerate(together):
        assert np.array_equal(prepared.pixels, alone[at % 3].pixels)
        assert prepared.thumbnail == alone[at % 3].thumbnail


def test_the_global_settings_of_pillow_are_left_alone():
    before = Image.MAX_IMAGE_PIXELS, sorted(Image.OPEN)
    prepare(encode(drawing(), "PNG"))
    prepare(encode(drawing(), "HEIF"))
    assert (Image.MAX_IMAGE_PIXELS, sorted(Image.OPEN)) == before
