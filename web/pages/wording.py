"""How numbers are said on the page."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

from flask import Flask
from flask_babel import format_datetime, lazy_gettext, lazy_pgettext
from flask_babel import gettext as _

from indexer.listing import Attribute
from web.pages.told_words import told

CLOSENESS = (
    (0.8, "very-close", lazy_gettext("Very close")),
    (0.5, "close", lazy_pgettext("similarity", "Close")),  # not what a button does
    (0.2, "related", lazy_gettext("Related")),
    (-inf, "distant", lazy_gettext("Distant")),
)
"""From which score on what is said of a hit, by name and in words, best first; .5 is
`indexer.scores.CLOSE`."""

FIELDS = {
    "title": lazy_gettext("Title"),
    "category": lazy_gettext("Category"),
    "price": lazy_gettext("Price"),
    "currency": lazy_gettext("Currency"),
}
"""What every listing has; attributes are named by the catalogue."""

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "INR": "₹", "KRW": "₩"}

WHOLE = frozenset({"JPY", "KRW", "CLP", "VND", "ISK", "HUF"})
"""Currencies that are not written with decimals."""


def closeness(score: float) -> str:
    """Say in words how close a hit is."""
    return str(next(words for least, _name, words in CLOSENESS if score >= least))


def band(score: float) -> str:
    """Name what `closeness` says, for style sheets."""
    return next(name for least, name, _words in CLOSENESS if score >= least)


def price(amount: float, currency: str) -> str:
    """Write a price with its currency: ``€1,299.00``, ``49.50 SEK``."""
    code = currency.strip().upper()
    number = f"{amount:,.0f}" if code in WHOLE else f"{amount:,.2f}"
    if code == "JPY":
        return str(_("¥%(amount)s", amount=number))
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
    """Write the name of a field or an attribute: ``sleeve_length`` is ``Sleeve length``."""
    if name in FIELDS:
        return str(FIELDS[name])
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def mebibytes(count: int) -> str:
    """Write a number of bytes: ``16 MB``."""
    return f"{count / 2**20:.3g} MB"


def moment(when: datetime) -> str:
    """Write a moment, in UTC: the page's script puts the reader's own time in its place."""
    return str(format_datetime(when.astimezone(UTC), "medium", rebase=False)) + " UTC"


def register(app: Flask) -> None:
    """Offer these to the templates."""
    for words in (closeness, band, price, attribute, label, mebibytes, moment, told):
        app.jinja_env.filters[words.__name__] = words
