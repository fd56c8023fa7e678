"""What schemathesis must know of this API that a schema cannot say; loaded by its own process.

Photos are pictures, filters name fields, cursors come from the server. Without these, nearly all
that is generated would be refused at the door, and little behind it would be tried.
"""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st

SERVER = os.environ["SCHEMATHESIS_SERVER"]
PHOTO = Path(os.environ["SCHEMATHESIS_PHOTO"]).read_bytes()
BASE64 = base64.b64encode(PHOTO).decode()

FILTERS = ("", "category:sneakers", "price:..80 -brand:acme", "brand:*", "colour:teal,fuchsia")
REGIONS = ("0,0,1,1", "0.1,0.1,0.5,0.8", "0.25,0.5,0.5,0.25")

NOT_WRONG = (
    # In a path everything is text: a list of two nulls is the id "null,null".
    r"`listing_id` in path - incorrect type",
    # The parts are wrong one by one in its books, and yet it says itself that they are right.
    r"positive test case|example value|object with (valid|all required)",
)

TEXT_ONLY = r"[Ii]ncorrect type|was string, became|object with additional property"
"""In a form everything is text, too: 0 and "0" are one, and any further field is an attribute."""


def _cursors() -> list[str]:
    found = []
    for fold in (False, True):
        body = {"image_base64": BASE64, "k": 3, "fold_duplicates": fold}
        answer = requests.post(f"{SERVER}/api/v1/search", json=body, timeout=30)
        found.append(answer.json()["next_cursor"])
    return found


CURSORS = _cursors()

schemathesis.openapi.format("binary", st.just(PHOTO))
schemathesis.openapi.format("byte", st.just(BASE64))
schemathesis.openapi.format("filter", st.sampled_from(FILTERS))
schemathesis.openapi.format("region", st.sampled_from(REGIONS))
schemathesis.openapi.format("cursor", st.sampled_from(CURSORS))
schemathesis.openapi.format("attributes", st.sampled_from(('{"size": [40]}', "{}", "")))


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """Write a batch: some lines, or one."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer("application/x-ndjson")
def first_line(context: Any, response: Any) -> Any:
    """Read a batch's answer: each line is of the schema, and the first stands for all."""
    return json.loads(response.content.splitlines()[0]) if response.content else {"line": 1}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Put sense into what is meant to be right, where the formats above were not asked."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.query, dict) and "cursor" in case.query:
        case.query = {"cursor": CURSORS[0]}
    if isinstance(case.body, dict):
        _make_sense(case.body)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Drop the complaint that something wrong was taken where it was not wrong."""
    if "should have been rejected" not in str(failure.message):
        return True
    return not any(re.search(said, failure.message) for said in NOT_WRONG) and not (
        case.media_type == "multipart/form-data" and re.search(TEXT_ONLY, failure.message)
    )


def _make_sense(body: dict[str, Any]) -> None:
    if body.get("image_url") is not None:  # nothing is fetched here
        body |= {"image_url": None, "image_base64": BASE64}
    for name, value in body.items():
        if name in ("image_base64", "images_base64") and value is not None:
            body[name] = BASE64 if isinstance(value, str) else [BASE64] * len(value)
        elif name == "image":  # the document's examples only speak of the bytes
            body[name] = [PHOTO] * min(len(value), 3) if isinstance(value, list) else PHOTO
        elif name == "cursor" and value is not None:
            body[name] = CURSORS[0]
        elif name == "filter" and value not in FILTERS:
            body[name] = FILTERS[1]
        elif name == "region" and isinstance(value, list):
            body[name] = [0.1, 0.1, 0.5, 0.8]
        elif name in ("positives", "negatives"):
            del value[8:]  # at most 16 together
            for one in value:
                _make_sense(one)
