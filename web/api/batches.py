"""Many writes at once: a JSON object a line in, and one a line out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import request
from pydantic import ValidationError
from pydantic_core import from_json

from indexer.errors import LookalikeError
from indexer.operations import Operation, Remove, Written
from indexer.writing import TOGETHER, Writer
from web.answers.problems import problem_of
from web.api.models_write import MAX_LINES, BatchLine, DeleteLine, PatchLine, PutLine
from web.api.writing import FAILED, ID, kind_of, patch_of, put_of
from web.errors import BodyTooLarge, InvalidRequest, MalformedBody, invalid
from web.fetching.fetching import allow_seconds, take_fetched
from web.monitoring.metrics import current_metrics
from web.settings import current_settings

Line = tuple[str | None, Operation | LookalikeError]
"""The id that a line of a batch says, where it could be read, and what it asks for."""


def lines_of_batch() -> list[bytes]:
    """Return the lines of an NDJSON body.

    Raises
    ------
    BodyTooLarge
        If there are too many.
    """
    lines = request.get_data(cache=False).split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) > MAX_LINES:
        raise BodyTooLarge(
            f"The batch has {len(lines):,} lines; at most {MAX_LINES:,} are possible.",
            hint="Send several.",
        )
    return lines


def written_lines(to: Writer, lines: list[bytes]) -> Iterator[str]:
    """Do what the lines say, some at a time, and yield an answer for each, in their order.

    Once nothing can be written any more, the rest is told so without being tried.
    """
    ended: LookalikeError | None = None
    for start, read in _groups(lines):
        operations = [one for _, one in read if not isinstance(one, LookalikeError)]
        outcomes: Iterator[Written | LookalikeError]
        if ended is None:
            try:
                outcomes = iter(to.write(operations))
            except LookalikeError as error:
                ended = error
                allow_seconds(0)  # nothing more is worth being fetched
        if ended is not None:
            outcomes = iter([ended] * len(operations))
        for number, (listing_id, one) in enumerate(read, start + 1):
            outcome = one if isinstance(one, LookalikeError) else next(outcomes)
            said: dict[str, Any] = {"line": number}
            if listing_id is not None:
                said["id"] = listing_id
            if not isinstance(one, LookalikeError):
                name = outcome.outcome if isinstance(outcome, Written) else FAILED
                current_metrics().wrote(kind_of(one), name)
            if isinstance(outcome, Written):
                said["outcome"] = outcome.outcome
            else:
                said |= problem_of(outcome).body
            yield json.dumps(said, ensure_ascii=False) + "\n"


def _groups(lines: list[bytes]) -> Iterator[tuple[int, list[Line]]]:
    """Read lines, some at a time, and yield each group with its first one's place.

    A group ends early once its fetched pictures are as much as a request may bring.
    """
    most = current_settings().max_upload_bytes
    read: list[Line] = []
    held = start = 0
    for place, line in enumerate(lines, 1):
        read.append(_read_line(line))
        held += take_fetched()
        if len(read) == TOGETHER or held >= most or place == len(lines):
            yield start, read
            read, held, start = [], 0, place


def _read_line(line: bytes) -> Line:
    try:
        asked = BatchLine.model_validate_json(line, strict=True).root
    except ValidationError as error:
        return _id_in(line), _invalid_line(error)
    try:
        match asked:
            case PutLine():
                return asked.id, put_of(asked.id, asked)
            case PatchLine():
                return asked.id, patch_of(asked.id, asked)
            case DeleteLine():
                return asked.id, Remove(asked.id)
    except LookalikeError as error:
        return asked.id, error


def _id_in(line: bytes) -> str | None:
    """Return the id that a wrong line says, where it says one that a listing can have."""
    try:
        said = from_json(line)
        return ID.validate_python(said["id"]) if isinstance(said, dict) and "id" in said else None
    except ValueError:  # as pydantic's own error is
        return None


def _invalid_line(error: ValidationError) -> LookalikeError:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return MalformedBody("The line is not JSON.", hint="One JSON object a line.")
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return InvalidRequest("op: put, patch or delete.", hint="Correct 'op'.")
    return invalid(error)
