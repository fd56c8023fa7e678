"""The examples in the OpenAPI document: what is sent and what comes back, by operation.

They are of the drawn catalogue (`lookalike demo`), so that they can be tried as they stand. Tests
check each against its schema, and send each request to a real server.
"""

from __future__ import annotations

import json
from typing import Any

from web.api.uploads import FORM, JSON

NDJSON = "application/x-ndjson"

FILE = "(the bytes of photo.jpg)"
"""Stands for a file in an example of a form."""

RED_SQUARE = (
    "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mM4IadBEmIY1TCqYfhqAAArUg4Q8CzRtwAAAABJ"
    "RU5ErkJggg=="
)
"""A picture in base64, as short as one can be."""

SHOWN = {
    "id": "sneaker-001",
    "title": "Gingham suede high-top sneaker in fuchsia and lilac",
    "category": "sneakers",
    "price": 60.9,
    "currency": "EUR",
    "url": "https://shop.example/sneaker-001",
    "attributes": {"brand": "Hollin", "colour": "fuchsia", "material": "suede"},
    "image_url": "/listings/sneaker-001/pictures/0",
    "thumbnail_url": "/thumbnails/c917342a8628159df33cac37b9a90105aeba3bbaed081f2e.jpg",
}

HIT = {
    "rank": 1,
    "score": 0.9713,
    "similarity": 0.8342,
    "near_duplicate": False,
    "similar_offers": [],
    "listing": SHOWN,
}

FACETS = [
    {
        "field": "category",
        "type": "text",
        "values": [{"value": "sneakers", "count": 14, "selected": True}],
        "min": None,
        "max": None,
        "quartiles": None,
    },
    {
        "field": "price",
        "type": "number",
        "values": [],
        "min": 8.5,
        "max": 1887.0,
        "quartiles": [29.5, 58.0, 97.9],
    },
]

PAGE = {
    "hits": [HIT],
    "close_match": True,
    "next_cursor": ".eJwtUElvm0AY_S9zhgizxUXKARkbm2FaE2Q7OKqiMQYzLB6-Yafqfy-Kenl6etvh",
    "category": [
        {"name": "sneakers", "confidence": 0.5982},
        {"name": "boots", "confidence": 0.0652},
    ],
    "facets": FACETS,
    "snapshot": "000002",
    "took_ms": {"decode": 4.1, "embed": 27.9, "search": 0.4, "total": 32.4},
}

LISTING = {
    "title": "Red shoe",
    "category": "sneakers",
    "price": 49.9,
    "currency": "EUR",
    "url": "https://shop.example/SHOE-7",
    "attributes": {"brand": "Acme", "size": ["40", "41"], "sale": True},
}

STATUS = {
    "listings": 300,
    "pictures": 349,
    "failures": 0,
    "vectors": 349,
    "dims": 128,
    "index": "Flat",
    "recall_at_10": 1.0,
    "recipe": {
        "name": "default",
        "features": ["mixed7_avg"],
        "power": 0.5,
        "unit_features": True,
        "dims": 128,
        "variance": None,
        "whitening": 0.25,
    },
    "category_model": {
        "categories": 22,
        "classifier": "svm",
        "known": 22,
        "accuracy": 0.9054,
        "neighbours_share": 0.2,
        "weight": 0.5,
    },
    "photos": 0,
    "learned": 0,
    "network": {
        "name": "nsfwjs-4.4.0",
        "sha256": "585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382",
        "scaling": "0_1",
        "input_size": 299,
    },
    "snapshot": "000002",
    "created": "2026-11-24T16:54:51+00:00",
    "version": "0.2.0",
    "change": 13,
    "changed": 0,
    "tombstones": 0,
    "snapshot_age_seconds": 8979,
    "mismatched": {},
    "categories": {"sneakers": 14, "boots": 14},
    "live_recall": None,
}

EXPLANATION = {
    "listing_id": "sneaker-001",
    "similarity": 0.8342,
    "stored_similarity": 0.8341,
    "rows": 2,
    "columns": 2,
    "query": {
        "constant": -0.1072,
        "map": [[0.5017, 0.2121], [0.1988, 0.0288]],
        "region": None,
        "picture": None,
    },
    "hit": {
        "constant": -0.0913,
        "map": [[0.4202, 0.2731], [0.1901, 0.0421]],
        "region": None,
        "picture": 0,
    },
}

BATCH = (
    {"op": "put", "id": "SHOE-8", "title": "Blue shoe", "image_base64": RED_SQUARE},
    {"op": "patch", "id": "SHOE-8", "price": 39.9},
    {"op": "delete", "id": "SHOE-8"},
)

BATCH_ANSWER = (
    {"line": 1, "id": "SHOE-8", "outcome": "created"},
    {"line": 2, "id": "SHOE-8", "outcome": "patched"},
    {"line": 3, "id": "SHOE-8", "outcome": "removed"},
)


def _ndjson(lines: tuple[dict[str, Any], ...]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


REQUESTS: dict[str, dict[str, dict[str, Any]]] = {
    "search": {
        FORM: {
            "A photo": {"image": FILE, "k": 10},
            "A part of a photo, among some listings": {
                "image": FILE,
                "region": "0.1,0.1,0.5,0.8",
                "filter": "category:sneakers price:..80",
                "facets": True,
            },
        },
        JSON: {
            "A photo": {"image_base64": RED_SQUARE, "k": 10},
            "A listing": {"listing_id": "sneaker-001", "k": 10, "fold_duplicates": True},
            "Like these, and unlike that": {
                "positives": [
                    {"listing_id": "sneaker-001", "weight": 2.0},
                    {"image_base64": RED_SQUARE, "region": [0.1, 0.1, 0.5, 0.8]},
                ],
                "negatives": [{"listing_id": "boot-001"}],
            },
        },
    },
    "explain_hit": {
        FORM: {"A photo and a hit": {"image": FILE, "listing_id": "sneaker-001"}},
        JSON: {
            "A listing and a hit": {"query_listing_id": "boot-001", "listing_id": "sneaker-001"}
        },
    },
    "put_listing": {
        FORM: {
            "One picture": {
                "image": [FILE],
                "title": "Red shoe",
                "category": "sneakers",
                "price": 49.9,
                "brand": "Acme",
            }
        },
        JSON: {"One picture": {**LISTING, "image_base64": RED_SQUARE}},
    },
    "patch_listing": {
        JSON: {"Another price": {"price": 39.9, "attributes": {"sale": True, "brand": None}}}
    },
    "write_batch": {NDJSON: {"Three writes": _ndjson(BATCH)}},
}
"""By operation, content type and the example's name."""

ANSWERS: dict[str, Any] = {
    "search": PAGE,
    "get_similar": {**PAGE, "facets": None},
    "get_listing": {
        **SHOWN,
        "pictures": [{name: SHOWN[name] for name in ("image_url", "thumbnail_url")}],
    },
    "put_listing": {"id": "SHOE-7", "outcome": "created"},
    "patch_listing": {"id": "SHOE-7", "outcome": "patched"},
    "delete_listing": {"id": "SHOE-7", "outcome": "removed"},
    "write_batch": _ndjson(BATCH_ANSWER),
    "explain_hit": EXPLANATION,
    "get_status": STATUS,
    "get_health": {"status": "ok"},
    "get_ready": {"status": "ready"},
}
"""What each operation answers when all is well."""

PARAMETERS: dict[str, dict[str, Any]] = {
    "get_listing": {"listing_id": "sneaker-001"},
    "get_similar": {
        "listing_id": "sneaker-001",
        "k": 5,
        "filter": "price:..80",
        "min_score": 0.2,
    },
    "put_listing": {"listing_id": "SHOE-7"},
    "patch_listing": {"listing_id": "sneaker-001"},
    "delete_listing": {"listing_id": "sneaker-014"},
}
"""What stands in an operation's path and query string."""
