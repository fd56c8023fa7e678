"""Many writes at once: a JSON object a line in, and one a line out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import request
from pydantic import ValidationError

from indexer.errors import LookalikeError
from indexer.operations import Operation, Remove, Written
from indexer.writing import TOGETHER, Writer
from web.errors import BodyTooLarge, InvalidRequest, MalformedBody, invalid, problem_of
from web.metrics import current_metrics
from web.models_write import MAX_LINES, BatchLine, DeleteLine, PatchLine, PutLine
from web.writing import FAILED, kind_of, patch_of, put_of


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
    for start in range(0, len(lines), TOGETHER):
        read = [_read_line(line) for line in lines[start : start + TOGETHER]]
        operations = [one for one in read if not isinstance(one, LookalikeError)]
        outcomes: Iterator[Written | LookalikeError]
        if ended is None:
            try:
                outcomes = iter(to.write(operations))
            except LookalikeError as error:
                ended = error
        if ended is not None:
            outcomes = iter([ended] * len(operations))
        for number, one in enumerate(read, start + 1):
            outcome = one if isinstance(one, LookalikeError) else next(outcomes)
            said: dict[str, Any] = {"line": number}
            if not isinstance(one, LookalikeError):
                said["id"] = one.id
                name = outcome.outcome if isinstance(outcome, Written) else FAILED
                current_metrics().wrote(kind_of(one), name)
            if isinstance(outcome, Written):
                said["outcome"] = outcome.outcome
            else:
                said |= problem_of(outcome).body
            yield json.dumps(said, ensure_ascii=False) + "\n"


def _read_line(line: bytes) -> Operation | LookalikeError:
    try:
        asked = BatchLine.model_validate_json(line, strict=True).root
        match asked:
            case PutLine():
                return put_of(asked.id, asked)
            case PatchLine():
                return patch_of(asked.id, asked)
            case DeleteLine():
                return Remove(asked.id)
    except ValidationError as error:
        return _invalid_line(error)
    except LookalikeError as error:
        return error


def _invalid_line(error: ValidationError) -> LookalikeError:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return MalformedBody("The line is not JSON.", hint="One JSON object a line.")
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return InvalidRequest("op: put, patch or delete.", hint="Correct 'op'.")
    return invalid(error)
