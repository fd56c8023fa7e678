"""Listing and Picture: the words that everything else speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Attribute = str | int | float | bool | list[str]
"""A value of a listing's attribute: what JSON keeps as it is."""

Region = tuple[float, float, float, float]
"""x, y, width, height of the part that matters, each as a share (0 to 1) of the upright picture."""

NO_ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of a listing, wherever its bytes are.

    Attributes
    ----------
    uri : str
        An absolute path or a URL; for a picture that lies inside a container (TFRecord), the
        container's path, ``#`` and the record's number.
    data : bytes or None
        The encoded picture, where the source carries it; None where `uri` must be read.
    region : Region or None
        The part that shows the product; None for the whole picture.
    """

    uri: str
    data: bytes | None = field(default=None, repr=False, compare=False)
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One product for sale, with one or more pictures.

    Attributes
    ----------
    id : str
        Unique in the catalogue, without a slash, at most 200 characters.
    pictures : tuple of Picture
        In the order of the catalogue; the first is the one shown.
    title, category, currency, url : str
        Empty where the catalogue says nothing.
    price : float or None
        In `currency`.
    attributes : mapping of str to Attribute
        Every other column of the catalogue.
    origin : str
        Where it was read, for messages: ``"catalog.csv, line 12"``. Not part of its identity.
    """

    id: str
    pictures: tuple[Picture, ...]
    title: str = ""
    category: str = ""
    price: float | None = None
    currency: str = ""
    url: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: NO_ATTRIBUTES)
    origin: str = field(default="", compare=False)
