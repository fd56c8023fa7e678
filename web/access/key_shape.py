"""What a key looks like, and texts without any."""

from __future__ import annotations

import re
from typing import Final

SHAPE: Final = re.compile(r"lk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
"""``lk_``, an id, and 256 bits in base64 that is safe in URLs."""

# A key that was cut short is one that somebody can complete.
FOUND: Final = re.compile(r"(lk_[0-9a-f]{8})_[A-Za-z0-9_-]{8,}")


def hidden(text: str) -> str:
    """Return a text in which keys have nothing but their ids left: for logs, and to answer."""
    return FOUND.sub(r"\1_...", text) if "lk_" in text else text
