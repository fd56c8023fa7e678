"""What schemathesis must know of this API that a schema cannot say; loaded by its own process.

Photos are pictures, filters name fields, cursors come from the server. Without these, nearly all
that is generated would be refused at the door, and little behind it would be tried.
"""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import schemathesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

SERVER = os.environ["SCHEMATHESIS_SERVER"]
PHOTO = Path(os.environ["SCHEMATHESIS_PHOTO"]).read_bytes()
BASE64 = base64.b64encode(PHOTO).decode()
DOCUMENT = requests.get(f"{SERVER}/api/v1/openapi.json", timeout=30).json()

FORM = "multipart/form-data"
KINDS = {"integer": int, "number": float, "boolean": bool}

FILTERS = ("", "category:sneakers", "price:..80 -brand:acme", "brand:*", "colour:teal,fuchsia")
REGIONS = ("0,0,1,1", "0.1,0.1,0.5,0.8", "0.25,0.5,0.5,0.25")

MEANT_RIGHT: set[str] = set()
"""The cases that were right before sense was put into them, by their ids.

A picture's bytes are no text, so that schemathesis, which judges a case anew once a hook has
changed it, takes each form with a real picture for a wrong one."""


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
    MEANT_RIGHT.add(case.id)
    if isinstance(case.query, dict) and "cursor" in case.query:
        case.query = {"cursor": CURSORS[0]}
    if isinstance(case.body, dict):
        _make_sense(case.body)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Drop the complaint that something wrong was taken where it was not, or was not taken."""
    if not isinstance(failure, AcceptedNegativeData):
        return True
    if case.id in MEANT_RIGHT:
        return False
    return not (
        _is_right_as_sent(case, response.request) or _is_refused_in_its_line(case, response)
    )


def _is_right_as_sent(case: Any, request: Any) -> bool:
    """Tell whether what went over the wire is as the document has it, whatever it was made of.

    In paths and forms everything is text: a list of two nulls is the id "null,null" there, an
    object is a title in JSON, and the text "0" is the number 0.
    """
    wrong = {place for place in case.meta.components if case.meta.is_negative_at(place)}
    if not wrong <= {ParameterLocation.PATH, ParameterLocation.BODY}:
        return False
    if ParameterLocation.PATH in wrong:
        (said,) = (one for one in case.operation.path_parameters if one.name == "listing_id")
        text = unquote(urlsplit(request.url).path.split("/")[4])
        if not _fits(text, said.definition["schema"]):
            return False
    if ParameterLocation.BODY in wrong:
        if case.media_type != FORM:
            return False
        path = DOCUMENT["paths"][case.operation.path][case.operation.method]
        schema = path["requestBody"]["content"][FORM]["schema"]
        return _fits(_as_sent(request, schema), schema)
    return True


def _as_sent(request: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """Read a form as the document says that it is read: an empty field is none."""
    fields = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
    _, options = parse_options_header(request.headers["Content-Type"])
    _, form, files = FormDataParser().parse(
        io.BytesIO(request.body), FORM, len(request.body), options
    )
    read: dict[str, Any] = {}
    for name, texts in form.lists():
        kind = KINDS.get(fields.get(name, {}).get("type"))
        values = [_read(kind, text) for text in texts if text.strip()]
        # What is given several times is a list, which only an attribute may be.
        if values:
            read[name] = values[0] if len(values) == 1 or name not in fields else values
    for name, sent in files.lists():
        several = fields.get(name, {}).get("type") == "array"
        read[name] = [one.filename for one in sent] if several or len(sent) > 1 else "a file"
    return read


def _read(kind: Any, text: str) -> Any:
    try:
        return text if kind is None else TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return text


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    whole = {**schema, "components": DOCUMENT["components"]}
    return bool(Draft202012Validator(whole).is_valid(value))


def _is_refused_in_its_line(case: Any, response: Any) -> bool:
    """Tell whether a line of a batch got an error; a batch is answered line by line, in a 200."""
    return case.operation.path.endswith("listings:batch") and any(
        "error" in json.loads(line) for line in response.content.splitlines()
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
