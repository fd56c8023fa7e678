"""Answers made smaller on their way, for clients that say they can read that.

Pages and answers hold no secret beside what a request brought: no key, no cookie and no token
against forgery is in any body, and a browser sends the cookie of a signed-in person with no request
of another site. So their length tells nothing (BREACH).
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response
from flask_compress import Compress

TYPES: Final = frozenset(
    {
        "text/html",
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/json",
        "text/plain",
        "image/svg+xml",
    }
)
"""What is text. Pictures are small already, and the lines that a batch is answered with go out as
soon as each is known, which a compressor would hold back."""

LEAST: Final = 600
"""Bytes below which a packet is one packet, whatever is done."""

LARGEST_FILE: Final = 2**21
"""Bytes of a file that is read into memory for it: its length is known then, and the connection
goes on after it."""

WAYS: Final = ("zstd", "br", "gzip")
"""The cheapest first, among what a client likes equally."""


def register(app: Flask) -> None:
    """Compress the answers of an application."""
    app.config.update(
        COMPRESS_REGISTER=False,
        COMPRESS_MIMETYPES=list(TYPES),
        COMPRESS_MIN_SIZE=LEAST,
        COMPRESS_ALGORITHM=list(WAYS),
        COMPRESS_STREAMS=False,
    )
    compress = Compress()
    compress.init_app(app)

    def compressed(response: Response) -> Response:
        # A part of a file is counted in bytes of the whole as it is.
        if response.mimetype not in TYPES or "Content-Range" in response.headers:
            return response
        size = response.content_length
        if response.is_streamed and size is not None and LEAST <= size <= LARGEST_FILE:
            response.direct_passthrough = False
            response.make_sequence()
        # It keeps the first header of this name only.
        if vary := response.headers.getlist("Vary"):
            response.headers["Vary"] = ", ".join(vary)
        answer: Response = compress.after_request(response)
        return answer

    app.after_request(compressed)
