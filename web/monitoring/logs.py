"""What the server writes on stderr: warnings, errors and a line for each request, in one format.

No line holds a key, whoever logs it; what `web.monitoring.access_log` says of a request holds no
photo and no query string either.
"""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

from pythonjsonlogger.json import JsonFormatter

from web.access.key_shape import hidden
from web.answers.request_ids import request_id
from web.settings import Settings

SERVER: Final = logging.getLogger("lookalike")
"""For what is no trouble and is said all the same."""

ODD: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What would end a line, or steer a terminal."""


class Lines(logging.StreamHandler[TextIO]):
    """Writes what is logged, each record with the name of the request that it belongs to.

    Parameters
    ----------
    stream : text file
        Where to write.
    log_format : {"text", "json"}
        As the setting of that name.
    """

    def __init__(self, stream: TextIO, log_format: str) -> None:
        super().__init__(stream)
        self.setFormatter(json_lines() if log_format == "json" else TextLines())
        self.addFilter(_name_request)

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line, without any key."""
        return hidden(super().format(record))


class TextLines(logging.Formatter):
    """For people: the time (UTC), the level, where it comes from, what there is to say."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line, and a traceback's lines after it."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said = ODD.sub(lambda found: repr(found[0])[1:-1], record.getMessage())
        line = f"{at.removesuffix('+00:00')}Z {record.levelname} {record.name}: {said}"
        if name := getattr(record, "request_id", ""):
            line += f" [{name}]"
        if record.exc_info:
            line += f"\n{self.formatException(record.exc_info)}"
        return line


def json_lines() -> logging.Formatter:
    """Return what makes of each record a JSON object: for programs that collect logs."""
    return JsonFormatter(
        ["levelname", "name", "message"],
        rename_fields={"levelname": "level", "name": "logger", "exc_info": "traceback"},
        timestamp="time",
    )


def set_up(settings: Settings, stream: TextIO | None = None) -> None:
    """Let this process write its log as the settings say; once more takes the place of before.

    Parameters
    ----------
    settings : Settings
        The server's.
    stream : text file, optional
        Where to write; stderr where not given.
    """
    root = logging.getLogger()
    for before in [one for one in root.handlers if isinstance(one, Lines)]:
        root.removeHandler(before)
    root.addHandler(Lines(stream if stream is not None else sys.stderr, settings.log_format))
    SERVER.setLevel(logging.INFO)
    logging.captureWarnings(True)


def say(line: str, settings: Settings) -> None:
    """Say what is no trouble: as a sentence, or as JSON where all of the log is."""
    if settings.log_format == "json":
        SERVER.info("%s", line)
    else:
        print(line, file=sys.stderr, flush=True)


def _name_request(record: logging.LogRecord) -> bool:
    if not hasattr(record, "request_id") and (name := request_id()):
        record.request_id = name
    return True
