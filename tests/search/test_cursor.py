"""Cursors: what they carry, and whose they are."""

from __future__ import annotations

import time
from dataclasses import fields, replace

import numpy as np
import pytest

from indexer.errors import CursorExpired, QueryError
from search.cursor import MAX_AGE, MAX_SHOWN, Cursor


def cursor(shown=(), **changed):
    vectors = np.linspace(-1, 1, 16, dtype=np.float16).reshape(2, 8)
    plain = Cursor(
        "space", vectors, np.array(shown, np.int64), 20, 0.5, 10, "", None, prior=True, fold=False
    )
    return replace(plain, **changed)


def test_it_comes_back_as_it_went():
    for one in (
        cursor(),
        cursor([1]),
        cursor([1, 127, 128, 129, 2**14, 2**31, 2**62]),
        cursor(range(1, 1000)),
        cursor([5], filter="category:größe price:10..50", min_score=0.25, prior=False, fold=True),
        cursor([5], close=False),
    ):
        again = Cursor.read(one.signed("secret"), "secret", "space")
        for said in fields(Cursor):
            assert np.array_equal(getattr(one, said.name), getattr(again, said.name)), said.name


def test_it_fits_a_url():
    text = cursor(range(1, 500)).signed("secret")
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.")


def test_after_a_page():
    after = cursor([3, 9]).after(np.array([9, 4]), 22, 0.25, close=False)
    assert after.shown.tolist() == [3, 4, 9]
    assert (after.rank, after.key, after.close) == (22, 0.25, False)


def test_its_size():
    """Of a thousand listings shown of a million, with one vector: fit for a request's line."""
    generator = np.random.default_rng(0)
    vectors = generator.standard_normal((1, 128)).astype(np.float16)
    for count, most in ((0, 600), (1000, 4000), (MAX_SHOWN, 16_000)):
        shown = np.sort(generator.choice(1_000_000, count, replace=False)) + 1
        assert len(cursor(shown, vectors=vectors).signed("a" * 64)) < most


def test_of_another_index():
    with pytest.raises(QueryError, match="none of this index") as raised:
        Cursor.read(cursor().signed("secret"), "other", "space")
    assert raised.value.status == 422
    assert "first page" in raised.value.hint


def test_every_letter_counts():
    text = cursor([1, 2, 3]).signed("secret")
    for place in range(len(text) - 1):  # two bits of the very last one say nothing
        other = "A" if text[place] != "A" else "B"
        changed = text[:place] + other + text[place + 1 :]
        with pytest.raises(QueryError):
            Cursor.read(changed, "secret", "space")


@pytest.mark.parametrize(
    "text", ["", ".", "..", "x", "ä", "\ud800", "\0", "a" * 100_000, "e30.x.y"]
)
def test_what_is_no_cursor(text):
    with pytest.raises(QueryError, match="none of this index"):
        Cursor.read(text, "secret", "space")


def test_of_another_recipe():
    with pytest.raises(CursorExpired, match="another recipe") as raised:
        Cursor.read(cursor().signed("secret"), "secret", "elsewhere")
    assert raised.value.status == 410
    assert "first page" in raised.value.hint


def test_it_grows_old(monkeypatch):
    text = cursor().signed("secret")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + MAX_AGE - 60)
    assert Cursor.read(text, "secret", "space").rank == 20
    monkeypatch.setattr(time, "time", lambda: now + MAX_AGE + 60)
    with pytest.raises(CursorExpired, match="older"):
        Cursor.read(text, "secret", "space")
