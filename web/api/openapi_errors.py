"""What the OpenAPI document says of errors: when each status comes, and an example of it."""

from __future__ import annotations

ERRORS: dict[int, tuple[str, str, str, str]] = {
    400: (
        "The body is not what its Content-Type says.",
        "malformed_body",
        "The body is not JSON.",
        "",
    ),
    401: (
        "A key is needed, or the one that was sent is not known.",
        "unauthorized",
        "This needs a key.",
        "Send it as: Authorization: Bearer KEY.",
    ),
    403: (
        "Who asks may not do this here.",
        "not_allowed",
        "This key may not write.",
        "Use one with the scope write.",
    ),
    404: (
        "No listing has this id.",
        "listing_not_found",
        "There is no listing 'SHOE-9'.",
        "Check the id; search finds what is indexed.",
    ),
    409: (
        "The index is being replaced, or is locked. Nothing was changed.",
        "index_busy",
        "The index has just been replaced by another.",
        "Try again in a few seconds; nothing of this write was kept.",
    ),
    410: (
        "The cursor is too old, or the index was made anew since.",
        "cursor_expired",
        "This cursor is more than a day old.",
        "Search again from the first page.",
    ),
    413: (
        "The body, or the picture in it, is too large.",
        "body_too_large",
        "The photo is larger than the 16 MiB allowed.",
        "Send a smaller one: 1000 pixels a side are plenty.",
    ),
    415: (
        "The body, or the picture in it, is of a kind that is not taken.",
        "unsupported_media_type",
        "This is no text/plain.",
        "Send multipart/form-data with the file in the field 'image', or application/json.",
    ),
    422: (
        "A field is missing, unknown or out of its range; or the picture cannot be decoded.",
        "invalid_request",
        "k: input should be less than or equal to 1000.",
        "Correct 'k'.",
    ),
    429: (
        "Too many requests for one client.",
        "too_many_requests",
        "There were too many requests from you.",
        "Wait for as long as Retry-After says.",
    ),
    500: (
        "The fault is the server's.",
        "internal_error",
        "Something went wrong here.",
        "The fault is the server's, and is in its log. Try again later.",
    ),
    503: (
        "There is no index yet, or the server has all it can do.",
        "index_not_ready",
        "Nothing is indexed yet.",
        "Index a catalogue with: lookalike index CATALOG",
    ),
    507: (
        "The disk is full, or may not be written to. Nothing was changed.",
        "storage_error",
        "The index cannot be written: the disk is full, or may not be written to.",
        "Nothing of this write was kept. Searches go on; the server's log says more.",
    ),
}
"""Each status of an error: when it comes, and an example's code, message and hint."""
