"""Broken pictures: a picture or a PictureError, and neither a hang nor growth."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import given

from indexer.errors import PictureError, PictureTypeError
from indexer.pictures import PictureLimits, open_picture, prepare
from tests.fuzz.mutations import files
from tests.fuzz.pictures import malformed, refused, whole
from tests.fuzz.running import fuzzed, memory, watched

LIMITS = PictureLimits(max_bytes=2**20, max_pixels=1_000_000)


def load(data: bytes) -> bool:
    """Load a file in both ways; return whether it is a picture."""
    with watched():
        try:
            prepared = prepare(data, 32, thumbnail=True, limits=LIMITS)
            open_picture(data, at_least=20, limits=LIMITS)
        except PictureError as error:
            assert error.message
            assert len(error.message) < 300
            return False
    assert prepared.pixels.shape == (32, 32, 3)
    assert prepared.thumbnail.startswith(b"\xff\xd8\xff")
    return True


@pytest.mark.parametrize("name", list(whole()))
def test_whole_pictures_are_read(name: str) -> None:
    assert load(whole()[name])


@pytest.mark.parametrize("name", list(refused()))
def test_other_kinds_are_refused(name: str) -> None:
    with pytest.raises(PictureTypeError):
        prepare(refused()[name], 32)


def test_the_corpus() -> None:
    corpus = dict(malformed())
    assert len(set(corpus.values()) - set(whole().values())) >= 300
    read = [name for name, data in corpus.items() if load(data)]
    # Much can be flipped in a picture that stays one; but most of this is none.
    assert len(corpus) / 20 < len(read) < len(corpus) * 3 / 4


def test_the_corpus_again_and_again_takes_no_more_memory() -> None:
    corpus = [data for _, data in malformed()][::4]

    def once() -> None:
        for data in corpus:
            load(data)
        gc.collect()

    once()
    once()
    held = memory()
    tracemalloc.start()
    try:
        once()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(2):
            once()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 200_000
    after = memory()
    if held is not None and after is not None:  # what decoders hold, too
        assert after - held < 32 * 2**20


@fuzzed(1200)
@given(files(tuple(whole().values())))
def test_broken_pictures(data: bytes) -> None:
    load(data)


FUZZ = (test_broken_pictures,)
