"""What can go wrong in serving, beside what search and the indexer know (`indexer.errors`).

LookalikeError
├── MalformedBody          the body is not the JSON or the form that it says it is
├── BodyTooLarge           the body, or the photo in it, is over the limit
├── UnsupportedMediaType   the body is of a kind that this path does not take
├── InvalidRequest         a field is missing, unknown or out of its range
├── UrlSearchDisabled      the server does not fetch photos
├── FetchRefused           the URL is none that may be fetched
├── FetchFailed            nothing that could be used came from the URL
├── FetchBusy              too many pictures are being fetched
├── Overloaded             there is more to do than the server can do now
├── Unauthorized           it takes a key, and none was shown or it is not good
├── NotAllowed             who asks may not do this here
├── TooManyRequests        who asks has asked too often
├── KeysUnreadable         the file of keys is damaged, or may not be read
├── KeyNotFound            no key has this id or name
├── UploadNotFound         no catalogue was uploaded under this name
├── ShareGone              a photo that was shared is not kept any more, or never was
└── AddressUnavailable     the address to listen on is taken, or none of this machine
"""

from __future__ import annotations

from pydantic import ValidationError

from indexer.errors import LookalikeError


class MalformedBody(LookalikeError):
    """The body is not the JSON or the form that it says it is."""

    code = "malformed_body"
    status = 400


class BodyTooLarge(LookalikeError):
    """The body, or the photo in it, is over the limit."""

    code = "body_too_large"
    status = 413


class UnsupportedMediaType(LookalikeError):
    """The body is of a kind that this path does not take."""

    code = "unsupported_media_type"
    status = 415


class InvalidRequest(LookalikeError):
    """A field is missing, unknown or out of its range."""

    code = "invalid_request"
    status = 422


class UrlSearchDisabled(InvalidRequest):
    """The server does not fetch photos."""

    code = "url_search_disabled"


class FetchRefused(InvalidRequest):
    """The URL is none that may be fetched."""

    code = "fetch_refused"


class FetchFailed(InvalidRequest):
    """Nothing that could be used came from the URL."""

    code = "fetch_failed"


class FetchBusy(LookalikeError):
    """Too many pictures are being fetched."""

    code = "fetch_busy"
    status = 503


class Overloaded(LookalikeError):
    """There is more to do than the server can do now."""

    code = "overloaded"
    status = 503


class Unauthorized(LookalikeError):
    """It takes a key, and none was shown or it is not good."""

    code = "unauthorized"
    status = 401


class NotAllowed(LookalikeError):
    """Who asks may not do this here."""

    code = "not_allowed"
    status = 403


class TooManyRequests(LookalikeError):
    """Who asks has asked too often.

    Parameters
    ----------
    message, hint : str
        As of every error.
    seconds : int
        After which the next request is taken.
    """

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, *, hint: str = "", seconds: int) -> None:
        super().__init__(message, hint=hint)
        self.seconds = seconds


class KeysUnreadable(LookalikeError):
    """The file of keys is damaged, or may not be read."""

    code = "keys_unreadable"
    status = 503


class KeyNotFound(LookalikeError):
    """No key has this id or name."""

    code = "key_not_found"
    status = 404


class UploadNotFound(LookalikeError):
    """No catalogue was uploaded under this name."""

    code = "upload_not_found"
    status = 404


class ShareGone(LookalikeError):
    """A photo that was shared is not kept any more, or never was."""

    code = "share_gone"
    status = 410


class AddressUnavailable(LookalikeError):
    """The address to listen on is taken, or none of this machine."""

    code = "address_unavailable"


def invalid(error: ValidationError) -> InvalidRequest:
    """Put the first complaint of pydantic in words."""
    first = error.errors(include_url=False, include_input=False)[0]
    # Of what is told apart by a tag (a line of a batch, by its "op"), pydantic names the tag too.
    steps = [str(step) for step in first["loc"] if step != "[key]"]
    place = ".".join(steps[1:] if steps[:1] in (["put"], ["patch"], ["delete"]) else steps)
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    hint = str(first.get("ctx", {}).get("hint", ""))
    if first["type"] == "extra_forbidden":
        return InvalidRequest(
            f"There is no field {place!r} here.", hint="Leave it out, or check how it is spelt."
        )
    if not place:
        return InvalidRequest(f"{said}.", hint=hint)
    told = f"{place}: {said[:1].lower()}{said[1:]}."
    return InvalidRequest(told, hint=hint or f"Correct {place!r}.")
