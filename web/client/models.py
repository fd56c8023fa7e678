"""What the API answers, as the Python client gives it.

Fields that a newer server adds are kept and let through: a client need not be as new as its server.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Attribute = str | int | float | bool | list[str]

Outcome = Literal["created", "replaced", "patched", "removed", "unchanged"]


class Answer(BaseModel):
    """Anything that is answered; it cannot be changed."""

    model_config = ConfigDict(frozen=True, extra="allow")


class ShownListing(Answer):
    """A listing, shown by one of its pictures.

    Attributes
    ----------
    image_url, thumbnail_url : str or None
        Where its picture can be fetched; those of the server itself begin with a slash
        (`Client.absolute` makes them whole).
    """

    id: str
    title: str
    category: str
    price: float | None
    currency: str
    url: str
    attributes: dict[str, Attribute]
    image_url: str | None
    thumbnail_url: str | None


class ShownPicture(Answer):
    """One picture of a listing."""

    image_url: str
    thumbnail_url: str | None


class WholeListing(ShownListing):
    """A listing with all its pictures."""

    pictures: list[ShownPicture]


class ExplainedSide(Answer):
    """One of two pictures that agree: what each place of it adds to the similarity."""

    constant: float
    map: list[list[float]]
    region: tuple[float, float, float, float] | None
    picture: int | None


class Explained(Answer):
    """Where two pictures agree."""

    similarity: float
    stored_similarity: float
    rows: int
    columns: int
    query: ExplainedSide
    hit: ExplainedSide


class FoundListing(Answer):
    """A hit: its place, and how much it looks like what was searched with.

    Attributes
    ----------
    rank : int
        From 1.
    score : float
        0 to 1, comparable between queries; below .5, chance finds hits as close.
    similarity : float
        Cosine to the listing's closest picture.
    near_duplicate : bool
        Whether the two seem to be one picture.
    similar_offers : list of str
        Ids of listings that show the same picture, where ``fold_duplicates`` asked for them.
    explanation : Explained or None
        Where the two pictures agree: of the first three hits, where ``explain`` asked for it.
    """

    rank: int
    score: float
    similarity: float
    near_duplicate: bool
    similar_offers: list[str]
    listing: ShownListing
    explanation: Explained | None = None


class LikelyCategory(Answer):
    """A category that the photo may be of, and how likely it is."""

    name: str
    confidence: float


class FacetValue(Answer):
    """A value of a field, and how many listings have it."""

    value: str
    count: int
    selected: bool


class FieldFacet(Answer):
    """What a filter leaves to choose from, of one field."""

    field: str
    type: Literal["text", "number", "boolean"]
    values: list[FacetValue]
    min: float | None
    max: float | None
    quartiles: list[float] | None


class HitPage(Answer):
    """A page of hits, best first; `Client.search` with its ``next_cursor`` gets the next."""

    hits: list[FoundListing]
    close_match: bool
    next_cursor: str | None
    category: list[LikelyCategory]
    facets: list[FieldFacet] | None
    snapshot: str
    took_ms: dict[str, float]


class Written(Answer):
    """What became of a write: it is durable, and the next search knows of it."""

    id: str
    outcome: Outcome


class Problem(Answer):
    """What is wrong with a line of a batch."""

    code: str
    message: str
    hint: str


class Line(Answer):
    """What became of a line of a batch: an outcome or an error."""

    line: int
    id: str | None = None
    outcome: Outcome | None = None
    error: Problem | None = None


class ServerStatus(Answer):
    """What a server serves; the fields not named here are in ``model_extra``."""

    listings: int
    pictures: int
    failures: int
    vectors: int
    dims: int
    index: str
    recipe: dict[str, Any]
    network: dict[str, Any]
    snapshot: str
    created: str
    version: str
    categories: dict[str, Any]
