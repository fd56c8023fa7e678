"""Prices as people and programs write them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_ISO_4217 = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS
UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
_CODES = frozenset(_ISO_4217.split())
_SYMBOLS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS",
    "฿": "THB", "₫": "VND", "₱": "PHP", "₦": "NGN", "₸": "KZT", "円": "JPY", "元": "CNY",
    "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "NZ$": "NZD",
    "S$": "SGD", "NT$": "TWD", "R$": "BRL", "CN¥": "CNY", "JP¥": "JPY", "Kč": "CZK", "Ft": "HUF",
    "zł": "PLN",
}  # fmt: skip
# Several countries share these: the listing's currency is the sign itself.
_SHARED = {"$": "$", "¥": "¥", "￥": "¥", "kr": "kr", "kr.": "kr", "Rs": "Rs", "Rs.": "Rs"}
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

_PRICE = re.compile(r"(?P<before>\D*?)(?P<number>[.,]?\d[\d.,'’\s]*)(?P<after>\D*)")
_SPACES = re.compile(r"\d{1,3}(?:[\s'’]\d{3})+(?:[.,]\d*)?")
# Groups of three, or India's: 12,34,567.
_GROUPS = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*|\d{1,2}(?:,\d{2})+,\d{3}")


def parse_price(value: object) -> tuple[float, str]:
    """Read a price.

    Parameters
    ----------
    value : object
        A number, or text: ``12.50``, ``1,299.00``, ``1.299,00``, ``12,50``, ``12.50 USD``,
        ``€12``. One comma with three digits after it separates thousands; one dot with three
        digits after it does so where a currency stands beside it, else it is a decimal point.

    Returns
    -------
    price : float
    currency : str
        The ISO 4217 code where it is clear, the sign where several countries share it (``$``,
        ``¥``, ``kr``), else empty.

    Raises
    ------
    ValueError
        It is no price, negative or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError(f"{value!r} is not a price")  # noqa: TRY004
    if not isinstance(value, str):
        return _checked(value), ""
    match = _PRICE.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"'{value}' is not a price")
    before, number, after = (part.strip() for part in match.groups())
    if before.endswith(("-", "−")) or before.startswith(("-", "−", "(")):
        raise ValueError(f"'{value}' is negative")
    if number[0] in ".," and before[-1:].isalpha():  # "Rs.500"
        number = number[1:]
    if number[-1] in ".,":  # "12,-"; but "12-" is how accountants write less than nothing
        after = after.lstrip("-–—").strip()
    currency = _currency(before.removesuffix(":").strip(), after)
    if currency is None:
        raise ValueError(f"'{value}' has words that are no currency")
    return _checked(_number(number, currency)), currency


def _currency(*signs: str) -> str | None:
    """Return the currency of what stands around a number; None where it is something else."""
    found = ""
    for sign in (part for side in signs for part in _words(side)):
        if sign.upper() in _CODES:
            return sign.upper()
        meaning = _SYMBOLS.get(sign) or _SHARED.get(sign)
        if meaning is None:
            return None
        found = meaning
    return found


def currency_code(written: str) -> str:
    """Write a currency as its ISO 4217 code where that is clear, else as it is."""
    return _currency(written) or written


def _words(side: str) -> list[str]:
    """Split what stands on one side of a number; "US $" is one sign."""
    joined = side.replace(" ", "")
    return [joined] if joined in _SYMBOLS else side.split()


def _number(written: str, currency: str) -> float:
    if _SPACES.fullmatch(written):
        written = re.sub(r"[\s'’]", "", written)
    whole, fraction = written.rstrip(".,"), ""
    last = max(whole.rfind("."), whole.rfind(","))
    if last >= 0 and _is_decimal(whole, last, currency):
        whole, fraction = whole[:last], whole[last + 1 :]
    if not whole.isdecimal() and whole:
        if not _GROUPS.fullmatch(whole) or (fraction and written[last] in whole):
            raise ValueError(f"'{written}' is not a number")
        whole = whole.replace(",", "").replace(".", "")
    return float(f"{whole or 0}.{fraction or 0}")


def _is_decimal(number: str, last: int, currency: str) -> bool:
    """Tell whether the last dot or comma of a number starts its decimals."""
    mark, digits = number[last], len(number) - last - 1
    if number.count(mark) > 1:
        return False
    if digits != 3 or {".", ","} <= set(number) or not _GROUPS.fullmatch(number):
        return True
    if currency in _THREE_DECIMALS or number.startswith("0"):
        return True
    return mark == "." and not currency


def _checked(value: float | Decimal) -> float:
    try:
        price = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        price = math.inf
    if not math.isfinite(price) or price < 0:
        raise ValueError(f"{price} is not a price: negative or not finite")
    return price
