"""What the OpenAPI document says of errors: when each status comes, and an example of it."""

from __future__ import annotations

ERRORS: dict[int, tuple[str, str, str, str]] = {
    400: (
        "The body is not what its Content-Type says.",
        "malformed_body",
        "The body is not JSON.",
        "Correct it: EOF while parsing an object at line 1 column 1.",
    ),
    401: (
        "A key is needed, or the one that was sent is not known.",
        "unauthorized",
        "This takes a key with the scope read.",
        "Send it as the header 'Authorization: Bearer KEY'.",
    ),
    403: (
        "Who asks may not do this here.",
        "not_allowed",
        "This takes a key with the scope write, and yours has read.",
        "Ask whoever runs this server for one.",
    ),
    404: (
        "No listing has this id.",
        "listing_not_found",
        "There is no listing 'SHOE-9'.",
        "Ids are those of the catalogue; they are case-sensitive.",
    ),
    409: (
        "The index is being replaced, or is locked. Nothing was changed.",
        "index_busy",
        "The index is being tidied up or replaced.",
        "Try again; nothing of this write was kept.",
    ),
    410: (
        "The cursor is too old, or the index was made anew since.",
        "cursor_expired",
        "The cursor is older than a day.",
        "Search again from the first page.",
    ),
    413: (
        "The body, or the picture in it, is too large.",
        "body_too_large",
        "The photo is larger than the 16 MB allowed.",
        "Send a smaller one: 1000 pixels a side are plenty.",
    ),
    415: (
        "The body, or the picture in it, is of a kind that is not taken.",
        "unsupported_media_type",
        "A body of type text/plain is not taken here.",
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
        "Too many searches.",
        "Try again in 42 seconds.",
    ),
    500: (
        "The fault is the server's.",
        "internal_error",
        "Something went wrong here.",
        "The fault is the server's, and is in its log under the request's id,"
        " 4f1c2a9e4f1c2a9e4f1c2a9e4f1c2a9e. Try again later.",
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
