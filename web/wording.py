"""How numbers are said on the page."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from flask_babel import format_datetime, lazy_gettext
from flask_babel import gettext as _

from indexer.listing import Attribute

CLOSENESS = (
    (0.8, lazy_gettext("Very close")),
    (0.5, lazy_gettext("Close")),
    (0.2, lazy_gettext("Related")),
)
"""From which score on what is said of a hit, best first; .5 is `indexer.scores.CLOSE`."""

DISTANT = lazy_gettext("Distant")

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}

WHOLE = frozenset({"JPY", "KRW", "CLP", "VND", "ISK", "HUF"})
"""Currencies that are not written with decimals."""


def closeness(score: float) -> str:
    """Say in words how close a hit is."""
    return str(next((words for least, words in CLOSENESS if score >= least), DISTANT))


def price(amount: float, currency: str) -> str:
    """Write a price with its currency: ``€1,299.00``, ``49.50 SEK``."""
    code = currency.strip().upper()
    number = f"{amount:,.0f}" if code in WHOLE else f"{amount:,.2f}"
    if code in SYMBOLS:
        return f"{SYMBOLS[code]}{number}"
    return f"{number} {currency}".strip()


def attribute(value: Attribute) -> str:
    """Write the value of an attribute."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def label(name: str) -> str:
    """Write the name of an attribute: ``sleeve_length`` is ``Sleeve length``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def mebibytes(count: int) -> str:
    """Write a number of bytes: ``16 MB``."""
    return f"{count / 2**20:.3g} MB"


def moment(when: datetime) -> str:
    """Write a moment, in UTC: the page's script puts the reader's own time in its place."""
    return str(format_datetime(when.astimezone(UTC), "medium", rebase=False)) + " UTC"


def told(text: str) -> str:
    """Write what is told of an error in the reader's language, where it is known there."""
    return str(_(text)) if text else ""


def register(app: Flask) -> None:
    """Offer these to the templates."""
    for words in (closeness, price, attribute, label, mebibytes, moment, told):
        app.jinja_env.filters[words.__name__] = words
