"""TFRecord, read without TensorFlow."""

import gzip
import struct

import google_crc32c
import pytest

from indexer.errors import PictureError, PictureTooLarge, SourceError
from indexer.listing import Picture
from indexer.sources import SourceOptions, open_source, read_picture
from indexer.sources.example import parse_example
from indexer.sources.records import is_record_file


def masked(data):
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(*records):
    lengths = [struct.pack("<Q", len(record)) for record in records]
    return b"".join(
        length + masked(length) + record + masked(record)
        for length, record in zip(lengths, records, strict=True)
    )


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def message(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def feature(value):
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], bytes):
        return message(1, b"".join(message(1, part) for part in values))
    if isinstance(values[0], float):
        return message(2, message(1, struct.pack(f"<{len(values)}f", *values)))
    return message(3, message(1, b"".join(varint(part % 2**64) for part in values)))


def example(**features):
    entries = (
        message(1, message(1, key.replace("__", "/").encode()) + message(2, feature(value)))
        for key, value in features.items()
    )
    return message(1, b"".join(entries))


MUG = example(
    image__encoded=b"\xff\xd8mug",
    image__height=400,
    id=b"m/1",
    title="Größe".encode(),
    label=3,
    price=12.5,
    sizes=[1, -2],
    mask=b"\xff\xfe",
)
CUP = example(image__encoded=b"\xff\xd8cup")


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "shop.tfrecord"
    path.write_bytes(framed(MUG, CUP))
    return path


def test_records(records):
    source = open_source(records)
    mug, cup = source.listings()
    assert (source.format, source.count()) == ("tfrecord", 2)
    assert (mug.id, mug.title, mug.category, mug.price) == ("m:1", "Größe", "3", 12.5)
    assert mug.attributes == {"sizes": ["1", "-2"]}
    assert mug.pictures[0].data == b"\xff\xd8mug"
    assert mug.origin == "shop.tfrecord, record 1"
    assert (cup.id, cup.pictures[0].data) == ("shop-2", b"\xff\xd8cup")


def test_pictures_can_be_fetched_again(records):
    for listing in open_source(records).listings():
        (picture,) = listing.pictures
        again = Picture(picture.uri)
        assert read_picture(again, max_bytes=100) == picture.data
        with pytest.raises(PictureTooLarge):
            read_picture(again, max_bytes=3)


@pytest.mark.parametrize("compressed", [False, True])
def test_several_pictures_under_an_unusual_key(tmp_path, compressed):
    data = framed(CUP, example(image__encoded=b"mask", shot=[b"front", b"back"]))
    path = tmp_path / "x.tfrecord"
    path.write_bytes(gzip.compress(data) if compressed else data)
    options = SourceOptions(columns={"image": "shot"})
    with pytest.raises(SourceError, match=r"no feature 'shot' for the image among: image/encoded"):
        open_source(path, options)
    path.write_bytes(framed(example(shot=[b"front", b"back"]), CUP))
    first, second = open_source(path, options).listings()
    assert [read_picture(Picture(p.uri), max_bytes=9) for p in first.pictures] == [
        b"front",
        b"back",
    ]
    assert second.pictures == ()


def test_changed_file(records):
    *_, cup = open_source(records).listings()
    records.write_bytes(framed(MUG))
    with pytest.raises(PictureError, match="no longer holds this picture"):
        read_picture(Picture(cup.pictures[0].uri), max_bytes=100)
    records.write_bytes(framed(example(title=b"x" * 300), CUP))
    with pytest.raises(PictureError, match="damaged"):
        read_picture(Picture(cup.pictures[0].uri), max_bytes=100)
    records.unlink()
    with pytest.raises(PictureError, match="does not exist"):
        read_picture(Picture(cup.pictures[0].uri), max_bytes=100)


def test_gzip(tmp_path):
    path = tmp_path / "shop.tfrecord.gz"
    path.write_bytes(gzip.compress(framed(MUG, CUP)))
    source = open_source(path)
    listings = list(source.listings())
    assert [item.id for item in listings] == ["m:1", "shop-2"]
    assert source.count() is None
    assert read_picture(Picture(listings[1].pictures[0].uri), max_bytes=9) == b"\xff\xd8cup"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"record \d: the compressed file is damaged or cut"):
        list(open_source(path).listings())


def test_shards(tmp_path):
    for number in (1, 0):
        (tmp_path / f"s.tfrecord-0000{number}-of-00002").write_bytes(framed(CUP))
    (tmp_path / "labels.txt").write_text("x")
    expected = ["s-00000-of-00002-1", "s-00001-of-00002-1"]
    for location in (tmp_path, f"{tmp_path}/s.tfrecord-*"):
        source = open_source(location)
        assert [item.id for item in source.listings()] == expected
        assert source.count() == 2
    with pytest.raises(SourceError, match="no TFRecord file"):
        open_source(f"{tmp_path}/t-*.tfrecord")


def test_shards_at_a_url():
    import fsspec

    fsspec.filesystem("memory").pipe("/shards/a.tfrecord", framed(CUP))
    for location in ("memory://shards/*.tfrecord", "memory://shards/a.tfrecord"):
        (cup,) = open_source(location).listings()
        assert cup.id == "a-1"
        assert read_picture(Picture(cup.pictures[0].uri), max_bytes=9) == b"\xff\xd8cup"


def damage(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no record in it"),
        (b"hello, this is text", "record 1 is damaged, or the file holds no TFRecords"),
        (framed(CUP)[:-1], "record 1 is cut short"),
        (framed(CUP)[:-9], "record 1 is cut short"),
        (framed(CUP, CUP) + b"\0\0", "record 3 is cut short"),
        (damage(framed(CUP), 20), "record 1 is damaged: its checksum is wrong"),
        (damage(framed(CUP), 3), "the length's checksum is wrong"),
        (framed(CUP, b"\xff\xff"), "record 2 is not a tf.train.Example"),
        (framed(example(title=b"x")), "no feature for the image among: title"),
    ],
)
def test_damaged_files(tmp_path, data, message):
    path = tmp_path / "x.tfrecord"
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        list(open_source(path).listings())
    assert message in str(caught.value)


@pytest.mark.parametrize("cut", range(1, len(CUP)))
def test_no_cut_example_is_read(cut):
    with pytest.raises(ValueError, match=r"cut short|longer than"):
        parse_example(CUP[:cut])


def test_unpacked_numbers_and_unknown_fields():
    unpacked = message(3, b"\x08\x05\x08\x06")
    floats = message(2, b"\x0d" + struct.pack("<f", 1.5))
    entry = message(1, message(1, b"a") + message(2, unpacked))
    other = message(1, message(1, b"b") + message(2, floats) + b"\x18\x01")
    assert parse_example(message(9, b"x") + message(1, entry + other)) == {"a": [5, 6], "b": [1.5]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.tfrecord", True), ("a.TFRecords", True), ("a.tfrecord.gz", True), ("a.csv", False),
     ("a-00000-of-00010", True), ("a.tfrecord-00000-of-00010", True), ("a-0-of-1.csv", False)],
)  # fmt: skip
def test_names(name, expected):
    assert is_record_file(name) is expected


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_what_tensorflow_writes(tmp_path, compression):
    import tensorflow as tf

    train = tf.train
    path = tmp_path / "tf.tfrecord"
    features = {
        "image": train.Feature(bytes_list=train.BytesList(value=[b"\xff\xd8" + bytes(5000)])),
        "price": train.Feature(float_list=train.FloatList(value=[2.5])),
        "stock": train.Feature(int64_list=train.Int64List(value=[-7])),
        "empty": train.Feature(),
    }
    record = train.Example(features=train.Features(feature=features)).SerializeToString()
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression)) as writer:
        for _ in range(3):
            writer.write(record)
    listings = list(open_source(path).listings())
    assert [item.id for item in listings] == ["tf-1", "tf-2", "tf-3"]
    assert listings[2].price == 2.5
    assert listings[2].attributes == {"stock": -7}
    again = read_picture(Picture(listings[2].pictures[0].uri), max_bytes=6000)
    assert again == b"\xff\xd8" + bytes(5000)
