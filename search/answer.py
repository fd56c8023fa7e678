"""A page of hits as the JSON that the API answers with and the command line prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from indexer.listing import Listing
from search.facets import Facet
from search.query import Hit, Page

ThumbnailUrl = Callable[[str], str]
"""From a thumbnail's key to where it can be fetched."""

ImageUrl = Callable[[Listing, int], str]
"""From a listing and a picture's place in it to where that picture can be fetched."""


def page_as_dict(
    page: Page,
    *,
    thumbnail_url: ThumbnailUrl,
    image_url: ImageUrl,
    facets: Sequence[Facet] | None = None,
) -> dict[str, Any]:
    """Return a page of hits in the API's shape, ready for `json.dumps`.

    Parameters
    ----------
    page : Page
        What `Engine.search` answered.
    thumbnail_url, image_url : callable
        Where a thumbnail and a picture can be fetched.
    facets : sequence of Facet, optional
        What the filter leaves to choose from, where that was asked for.

    Returns
    -------
    dict
        ``hits``, ``close_match``, ``next_cursor``, ``category``, ``facets`` (None where not given),
        ``snapshot`` and ``took_ms``. Scores are rounded to 4 decimals, confidences too,
        milliseconds to 1.
    """

    def hit_as_dict(hit: Hit) -> dict[str, Any]:
        return {
            "rank": hit.rank,
            "score": round(hit.score, 4),
            "similarity": round(hit.similarity, 4),
            "near_duplicate": hit.near_duplicate,
            "similar_offers": list(hit.similar_offers),
            "listing": listing_as_dict(
                hit.listing,
                hit.thumbnails,
                picture=hit.picture,
                thumbnail_url=thumbnail_url,
                image_url=image_url,
            ),
        }

    return {
        "hits": [hit_as_dict(hit) for hit in page.hits],
        "close_match": page.close_match,
        "next_cursor": page.next_cursor,
        "category": [
            {"name": name, "confidence": round(confidence, 4)} for name, confidence in page.category
        ],
        "facets": None if facets is None else [facet_as_dict(facet) for facet in facets],
        "snapshot": page.snapshot,
        "took_ms": {stage: round(ms, 1) for stage, ms in page.took_ms.items()},
    }


def facet_as_dict(facet: Facet) -> dict[str, Any]:
    """Return a facet in the API's shape: texts have values, numbers a range and quartiles."""
    return {
        "field": facet.field,
        "type": facet.type,
        "values": [
            {"value": one.value, "count": one.count, "selected": one.selected}
            for one in facet.values
        ],
        "min": facet.low,
        "max": facet.high,
        "quartiles": None if facet.quartiles is None else list(facet.quartiles),
    }


def listing_as_dict(
    listing: Listing,
    thumbnails: Sequence[str],
    *,
    picture: int = 0,
    thumbnail_url: ThumbnailUrl,
    image_url: ImageUrl,
) -> dict[str, Any]:
    """Return a listing in the API's shape, shown by one of its pictures.

    Parameters
    ----------
    listing : Listing
        The listing.
    thumbnails : sequence of str
        The key of each picture's thumbnail, in their order; empty where a picture was rejected.
    picture : int, optional
        The place of the picture that ``image_url`` and ``thumbnail_url`` are of.
    thumbnail_url, image_url : callable
        As for `page_as_dict`.
    """
    key = thumbnails[picture] if picture < len(thumbnails) else ""
    return {
        "id": listing.id,
        "title": listing.title,
        "category": listing.category,
        "price": listing.price,
        "currency": listing.currency,
        "url": listing.url,
        "attributes": dict(listing.attributes),
        "image_url": image_url(listing, picture) if picture < len(listing.pictures) else None,
        "thumbnail_url": thumbnail_url(key) if key else None,
    }
