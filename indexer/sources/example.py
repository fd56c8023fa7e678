"""The wire format of tf.train.Example, read without TensorFlow.

    Example   { Features features = 1; }
    Features  { map<string, Feature> feature = 1; }   an entry is { key = 1; value = 2; }
    Feature   { oneof { BytesList = 1; FloatList = 2; Int64List = 3; } }
    …List     { repeated value = 1; }                 numbers packed or not

References
----------
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/example/feature.proto
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

Values = list[bytes] | list[float] | list[int]

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


def parse_example(record: bytes) -> dict[str, Values]:
    """Read the features of one serialised Example.

    Parameters
    ----------
    record : bytes

    Returns
    -------
    dict of str to list of bytes, of float or of int
        A feature without a value is an empty list.

    Raises
    ------
    ValueError
        The record is not an Example.
    """
    features: dict[str, Values] = {}
    for number, part in _fields(memoryview(record)):
        if number != 1:
            continue
        for inner, entry in _fields(_message(part)):
            if inner == 1:
                key, values = _entry(_message(entry))
                features[key] = values
    return features


def _entry(entry: memoryview) -> tuple[str, Values]:
    key, values = "", list[int]()
    found: Values = values
    for number, part in _fields(entry):
        if number == 1:
            key = str(_message(part), "utf-8")
        elif number == 2:
            found = _feature(_message(part))
    return key, found


def _feature(feature: memoryview) -> Values:
    for kind, part in _fields(feature):
        parts = [value for number, value in _fields(_message(part)) if number == 1]
        if kind == 1:
            return [bytes(_message(value)) for value in parts]
        if kind == 2:
            return [number for value in parts for number in _floats(value)]
        if kind == 3:
            return [number for value in parts for number in _integers(value)]
    return []


def _floats(value: int | memoryview) -> tuple[float, ...]:
    if isinstance(value, int) or len(value) % 4:
        raise ValueError("a list of floats is cut short")
    return struct.unpack(f"<{len(value) // 4}f", value)


def _integers(value: int | memoryview) -> Iterator[int]:
    if isinstance(value, int):
        yield _signed(value)
        return
    position = 0
    while position < len(value):
        number, position = _varint(value, position)
        yield _signed(number)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _message(part: int | memoryview) -> memoryview:
    if isinstance(part, int):
        raise ValueError("a number stands where a message should")  # noqa: TRY004
    return part


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field; four and eight fixed bytes as they are."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if kind == _LENGTH:
            size, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"there is no wire type {kind}")
        if size > len(message) - position:
            raise ValueError("a field is longer than its message")
        yield number, message[position : position + size]
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    result = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise ValueError("a number is cut short")
        byte = message[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, position
    raise ValueError("a number is longer than 64 bits")
