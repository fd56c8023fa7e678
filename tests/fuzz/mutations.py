"""Ways to break a file, drawn from a number so that each can be made again."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import strategies as st

LIES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers that break arithmetic."""


def cut(data: bytes, chance: random.Random) -> bytes:
    """Cut a file short."""
    return data[: chance.randrange(len(data) + 1)]


def flip(data: bytes, chance: random.Random) -> bytes:
    """Flip a few bits."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 2, 8, 64))):
        if out:
            out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def lie(data: bytes, chance: random.Random) -> bytes:
    """Put a number in, most often near the beginning, where headers are."""
    size = chance.choice((1, 2, 4, 8))
    number = chance.choice(LIES).to_bytes(8, "little")[:size]
    if chance.random() < 0.5:
        number = number[::-1]
    end = len(data) if chance.random() < 0.3 else min(len(data), 200)
    at = chance.randrange(end + 1)
    return data[:at] + number + data[at + size :]


def swap(data: bytes, chance: random.Random) -> bytes:
    """Let two parts change places."""
    a, b, c, d = sorted(chance.randrange(len(data) + 1) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def drop(data: bytes, chance: random.Random) -> bytes:
    """Leave a part out."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 4, 12, 100, 1000)) :]


def repeat(data: bytes, chance: random.Random) -> bytes:
    """Say a part several times."""
    a, b = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    part = data[a : min(b, a + 2000)]
    return data[:a] + part * chance.choice((2, 3, 50)) + data[a + len(part) :]


def noise(data: bytes, chance: random.Random) -> bytes:
    """Put noise in place of a part."""
    at, size = chance.randrange(len(data) + 1), chance.choice((1, 16, 256))
    return data[:at] + chance.randbytes(size) + data[at + size :]


def blank(data: bytes, chance: random.Random) -> bytes:
    """Put zeros in place of a part."""
    at, size = chance.randrange(len(data) + 1), chance.choice((4, 64, 1024))
    return data[:at] + bytes(size) + data[at + size :]


MUTATIONS = (cut, flip, lie, swap, drop, repeat, noise, blank)


def broken(data: bytes, number: int, others: Sequence[bytes] = ()) -> bytes:
    """Break a file in one to three ways, perhaps with a part of another one."""
    chance = random.Random(number)
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = chance.choice(MUTATIONS)(data, chance)
    if others and chance.random() < 0.1:
        other = chance.choice(others)
        at = chance.randrange(len(data) + 1)
        data = data[:at] + other[chance.randrange(len(other) + 1) :]
    return data


def files(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Draw a broken file of one of some whole ones."""
    return st.builds(broken, st.sampled_from(seeds), st.integers(0, 2**48), st.just(tuple(seeds)))
