"""What the demo shop sells: the parameters of every product, its title and its price."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from indexer.demo.canvas import Canvas, Paint
from indexer.demo.light import Colour
from indexer.demo.patterns import Inks
from indexer.demo.textures import dyed

CURRENCY = "EUR"

COLOURS: dict[str, str] = {
    "ivory": "efe7d6",
    "cobalt": "2350a8",
    "ochre": "c98a2b",
    "sage": "9cb095",
    "burgundy": "6e1f31",
    "sky": "8fbfe0",
    "charcoal": "3b3d42",
    "coral": "ec7360",
    "forest": "23503b",
    "lilac": "b7a2d4",
    "sand": "d5bf9c",
    "teal": "1e7f83",
    "mustard": "e0ae2c",
    "blush": "eebcb7",
    "navy": "1e2b4d",
    "brick": "a9472f",
    "mint": "a4dcc0",
    "chocolate": "573a2b",
    "fuchsia": "c93480",
    "stone": "a7a49c",
    "olive": "737138",
    "scarlet": "c5262c",
    "turquoise": "3fb8bd",
    "plum": "5c3060",
    "apricot": "f2a968",
    "black": "232327",
    "denim blue": "5676a0",
    "white": "f4f3ef",
    "lime": "a9c83f",
    "rose": "d8788d",
}

BRANDS = (
    "Nordwyn",
    "Ostrea",
    "Calder & Fitch",
    "Maison Plume",
    "Tavola",
    "Hollin",
    "Brae",
    "Okari",
    "Lumière Basse",
    "Kestrel Lane",
    "Fjordhaus",
    "Piccolo Verde",
    "Marlowe",
    "Ashdown",
    "Sunniva",
    "Quill & Oak",
    "Vero",
    "Tideway",
    "Halden",
    "Juniper Row",
)


def colour(name: str) -> Colour:
    """Return a named colour as red, green and blue of 0..1."""
    digits = COLOURS[name]
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


@dataclass(frozen=True)
class Look:
    """What a drawing is made from.

    Parameters
    ----------
    form : str
        Which of its kind's shapes this is.
    main, second, trim : Colour
        The colours of the body, of the pattern on it and of small parts.
    pattern, material : str
        Names in `patterns.PATTERNS` and `textures.WEAVES`.
    numbers : tuple of float
        Proportions, each of 0..1; every drawing reads them in its own way.
    seed : int
        For what is scattered at random.
    brand : str
        Printed where such a product carries a name.
    """

    form: str
    main: Colour
    second: Colour
    trim: Colour
    pattern: str
    material: str
    numbers: tuple[float, ...]
    seed: int
    brand: str

    def between(self, which: int, low: float, high: float) -> float:
        """Return a proportion, scaled to a range."""
        return low + (high - low) * self.numbers[which]

    def choice(self, which: int, count: int) -> int:
        """Return a proportion as one of `count` choices."""
        return min(int(self.numbers[which] * count), count - 1)

    def cloth(self, *, scale: float = 1, degrees: float = 0, plain: bool = False) -> Paint:
        """Return the paint of the body: its pattern on its material."""
        inks = Inks(self.main, self.second, self.trim, self.seed)
        pattern = "plain" if plain else self.pattern
        return dyed(inks, pattern, self.material, scale=scale, degrees=degrees)

    def stuff(self, tint: Colour, material: str = "") -> Paint:
        """Return a paint of one colour on a material."""
        return dyed(Inks(tint, tint, tint, self.seed), "plain", material)


Draw: TypeAlias = Callable[[Canvas, Look], None]


@dataclass(frozen=True)
class Kind:
    """One kind of product: how it is named, priced and drawn.

    Parameters
    ----------
    name, category : str
        The word in ids, and the shop's department.
    forms : tuple of str
        The shapes that it comes in, by the noun that stands in the title.
    draw : callable
        Draws a `Look` on a `Canvas`.
    pose : {"flat", "standing"}
        Whether it lies on the ground or stands on it; decides its shadow.
    patterns, materials : tuple of str
        What it is printed with and made of.
    price : tuple of float
        The usual range.
    """

    name: str
    category: str
    forms: tuple[str, ...]
    draw: Draw
    pose: str
    patterns: tuple[str, ...]
    materials: tuple[str, ...]
    price: tuple[float, float]


@dataclass(frozen=True)
class Product:
    """One listing of the demo shop."""

    id: str
    kind: Kind
    look: Look
    title: str
    price: float
    brand: str
    colour: str
    material: str


def _contrast(a: Colour, b: Colour) -> float:
    return float(np.abs(np.subtract(a, b)) @ (0.35, 0.45, 0.2)) + 0.4 * abs(
        float(np.subtract(a, b) @ (0.3, 0.59, 0.11))
    )


def make_product(kind: Kind, number: int, seed: int) -> Product:
    """Return the product of a kind with this number; the same for the same seed."""
    family = np.random.default_rng([seed, zlib.crc32(kind.name.encode())])
    # Colours and patterns are dealt out like cards, so that neighbours differ as a buyer's would.
    colours = family.permutation(list(COLOURS))
    patterns = family.permutation(list(kind.patterns))
    forms = family.permutation(list(kind.forms))
    rng = np.random.default_rng([seed, zlib.crc32(kind.name.encode()), number])
    main = str(colours[number % len(colours)])
    others = [name for name in COLOURS if _contrast(colour(name), colour(main)) > 0.3]
    second, third = (str(name) for name in rng.choice(others, 2, replace=False))
    turn = number // len(colours)
    pattern = str(patterns[(number + turn) % len(patterns)])
    form = str(forms[(number + number // len(patterns)) % len(forms)])
    material, brand = str(rng.choice(kind.materials)), str(rng.choice(BRANDS))
    look = Look(
        form=form,
        main=colour(main),
        second=colour(second),
        trim=colour(third),
        pattern=pattern,
        material=material.split(maxsplit=1)[0],
        numbers=tuple(float(n) for n in rng.random(12)),
        seed=int(rng.integers(1 << 30)),
        brand=brand,
    )
    low, high = kind.price
    price = round(low * (high / low) ** float(rng.beta(1.6, 2.2)))
    off = float(rng.choice([0.01, 0.1, 0.5, 0]))
    return Product(
        id=f"{kind.name}-{number + 1:03d}",
        kind=kind,
        look=look,
        title=_title(pattern, material, form, main, second),
        price=round(price - off, 2),
        brand=brand,
        colour=main,
        material=material,
    )


def _title(pattern: str, material: str, form: str, main: str, second: str) -> str:
    colours = main if pattern == "plain" else f"{main} and {second}"
    words = ([] if pattern == "plain" else [pattern]) + [material]
    if form.startswith("potted "):
        title = f"{form.removeprefix('potted ')} in a {' '.join(words)} pot, {colours}"
    else:
        title = f"{' '.join([*words, form])} in {colours}"
    return title[0].upper() + title[1:]


def dealt(kinds: tuple[Kind, ...], index: int, seed: int) -> Product:
    """Return one product of a shop that deals out its kinds in turn."""
    number, kind = divmod(index, len(kinds))
    return make_product(kinds[kind], number, seed)
