"""Broken catalogues: listings, or an error in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import LookalikeError
from indexer.listing import Listing
from indexer.sources import SourceOptions, open_source
from tests.fuzz.catalogues import whole
from tests.fuzz.mutations import broken
from tests.fuzz.running import fuzzed, memory, scratch, watched

NAMED = [
    (format_, name, data) for format_, files in whole().items() for name, data in files.items()
]
TEXTS = tuple(data for format_, _, data in NAMED if format_ not in ("parquet", "tfrecord"))


def read(format_: str, name: str, data: bytes) -> list[Listing] | None:
    """Read a catalogue to its end; None where it is refused."""
    path = scratch() / name
    path.write_bytes(data)
    with watched():
        try:
            source = open_source(path, SourceOptions(format=format_))
            listings = list(source.listings())
        except LookalikeError as error:
            assert error.message
            return None
    assert all(isinstance(one, Listing) and one.id for one in listings)
    return listings


@pytest.mark.parametrize(("format_", "name", "data"), NAMED, ids=[f"{f}-{n}" for f, n, _ in NAMED])
def test_whole_catalogues_are_read(format_: str, name: str, data: bytes) -> None:
    listings = read(format_, name, data)
    if name == "bomb.xml":
        assert listings is None
    else:
        assert listings


def test_text_that_is_no_utf_8() -> None:
    """Found by the property below."""
    data = whole()["parquet"]["a.parquet"].replace(b"shoes", b"sho\xff\xfe")
    assert read("parquet", "a.parquet", data) is None


def test_an_xml_bomb_takes_no_memory() -> None:
    data = whole()["merchant"]["bomb.xml"]
    before = memory()
    for _ in range(3):
        assert read("merchant", "bomb.xml", data) is None
    after = memory()
    if before is not None and after is not None:
        assert after - before < 32 * 2**20


@fuzzed(600)
@given(st.sampled_from(NAMED), st.integers(0, 2**48))
def test_broken_catalogues(catalogue: tuple[str, str, bytes], number: int) -> None:
    format_, name, data = catalogue
    read(format_, name, broken(data, number, TEXTS))


@fuzzed(200)
@given(st.sampled_from(NAMED), st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_what_is_no_catalogue(catalogue: tuple[str, str, bytes], data: bytes | str) -> None:
    format_, name, _ = catalogue
    text = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    read(format_, name, text)


FUZZ = (test_broken_catalogues, test_what_is_no_catalogue)
