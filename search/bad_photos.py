"""A photo among several that cannot be used: it is told, and the others are answered."""

from __future__ import annotations

from pathlib import Path

from indexer.console import report, write_json
from indexer.errors import LookalikeError, PictureError, QueryError


def tell_bad_photo(photo: object, error: LookalikeError, *, as_json: bool) -> int:
    """Tell on stderr what is wrong with a photo, and return the exit code that it makes.

    With `as_json`, a line takes the place of the answer: there is one for each photo.

    Raises
    ------
    LookalikeError
        If it is no photo's fault: the others would fare no better.
    """
    bad = isinstance(error, PictureError)
    unread = isinstance(error, QueryError) and isinstance(error.__cause__, OSError)
    if not isinstance(photo, Path) or not (bad or unread):
        raise error
    if bad:  # of several photos, one wants to know which it was
        error = type(error)(f"{photo}: {error.message}", hint=error.hint)
    if as_json:
        said = {"code": error.code, "message": error.message, "hint": error.hint}
        write_json({"photo": str(photo), "error": said})
    return report(error)
