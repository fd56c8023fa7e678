"""Amounts as people write them."""

from __future__ import annotations

import click
import pytest

from indexer.commands.amounts import BYTES, LISTINGS


@pytest.mark.parametrize(
    ("text", "listings"), [("1.5k", 1500), ("100M", 10**8), ("2B", 2 * 10**9), ("1,000", 1000)]
)
def test_listings(text: str, listings: int) -> None:
    assert LISTINGS.convert(text, None, None) == listings


@pytest.mark.parametrize(
    ("text", "size"), [("64GB", 64 * 10**9), ("512MiB", 2**29), ("2g", 2 * 10**9)]
)
def test_bytes(text: str, size: int) -> None:
    assert BYTES.convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "many", "-1GB", "0k", "1e999", "64"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(click.BadParameter):
        BYTES.convert(text, None, None)
