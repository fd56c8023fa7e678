"""TFRecord files of tf.train.Example, each with an encoded picture and what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from indexer.errors import LookalikeError, PictureError, SourceError
from indexer.listing import Listing, Picture
from indexer.sources.bad_rows import BadRows
from indexer.sources.base import Source, SourceOptions
from indexer.sources.columns import find_columns
from indexer.sources.example import Values, parse_example
from indexer.sources.files import base_name, file_system, is_url, local_path, shown
from indexer.sources.prices import currency_code
from indexer.sources.records import count_records, is_record_file, read_records
from indexer.sources.rows import attributes_of, read_price
from indexer.sources.values import clean_id, text_of

# The usual keys, best first; after them, the names that columns of tables have.
_KEYS = {
    "id": ("image/id", "id", "image/filename", "filename"),
    "image": ("image/encoded", "image", "image_raw", "image/raw", "encoded", "jpeg", "png"),
    "title": ("title", "image/title"),
    "category": ("category", "image/class/text", "class/text", "label", "image/class/label"),
}
_FETCH = re.compile(r"(?P<path>.+)#\d+(?:\.(?P<nth>\d+))?@(?P<offset>\d+)(?::(?P<key>.+))?")
_MAX_TEXT = 1000
_MAX_VALUES = 50


class TFRecordSource(Source):
    """One TFRecord file, or several shards read one after the other.

    A picture's `uri` is the file, ``#`` and the record's number, ``@`` and the record's offset,
    so that it can be fetched again; ``:key`` follows where the picture lies under an unusual key.
    A record without an id gets the file's name and its number: ``train-12``.

    Parameters
    ----------
    location : str
        A path or a URL of a file or a folder, or a pattern (``photos-*.tfrecord``).
    options : SourceOptions
        `columns` names the keys of features.

    Raises
    ------
    SourceError
        There is no such file, or the first record cannot be read or has no picture.
    """

    format = "tfrecord"

    def __init__(self, location: str, options: SourceOptions) -> None:
        self.location = location
        self._mapping = dict(options.columns)
        self._files = record_files(location)
        first = next(self._records(), None)
        if first is None:
            raise SourceError(f"{base_name(location)} has no listings: there is no record in it.")
        *_, features = first
        for field in ("image", *self._mapping):
            if _key(features, field, self._mapping) is None:
                wanted = f" '{self._mapping[field]}'" if field in self._mapping else ""
                raise SourceError(
                    f"The records of {base_name(self._files[0])} have no feature{wanted} for the"
                    f" {field} among: {', '.join(sorted(features))}.",
                    hint=f"Name it with --{field}-column.",
                )

    def listings(self) -> Iterator[Listing]:
        """Read the files in the order of their names."""
        with BadRows() as bad:
            for record in self._records():
                if (listing := bad.read(self._listing, *record)) is not None:
                    yield listing

    def count(self) -> int | None:
        """Count the records of local, uncompressed files."""
        counts = [count_records(file) for file in self._files]
        return None if None in counts else sum(count for count in counts if count is not None)

    def _records(self) -> Iterator[tuple[str, int, int, dict[str, Values]]]:
        for file in self._files:
            for number, offset, record in read_records(file):
                yield file, number, offset, _features(file, number, record, SourceError)

    def _listing(self, file: str, number: int, offset: int, features: dict[str, Values]) -> Listing:
        origin = f"{base_name(file)}, record {number}"
        keys = {field: _key(features, field, self._mapping) for field in _FIELDS}
        values = {field: _plain(features[key]) for field, key in keys.items() if key is not None}
        price, currency = read_price(values.get("price"), origin)
        used = set(keys.values())
        return Listing(
            id=clean_id(values.get("id") or f"{_stem(file)}-{number}", origin),
            pictures=_pictures(file, number, offset, features, keys["image"]),
            title=text_of(values.get("title")),
            category=text_of(values.get("category")),
            price=price,
            currency=currency_code(text_of(values.get("currency"))) or currency,
            url=text_of(values.get("url")),
            attributes=attributes_of(
                {
                    key: _plain(value)
                    for key, value in features.items()
                    # What describes the file (height, format, boxes) describes no product.
                    if key not in used and not key.startswith("image/")
                }
            ),
            origin=origin,
        )


_FIELDS = ("id", "image", "title", "category", "price", "currency", "url")


def fetch_record_picture(uri: str) -> bytes | None:
    """Read the picture again that lies in a TFRecord file.

    Parameters
    ----------
    uri : str
        A picture's `uri`.

    Returns
    -------
    bytes or None
        The encoded picture; None where `uri` does not point into a TFRecord file.

    Raises
    ------
    PictureError
        The file is gone or was changed.
    """
    match = _FETCH.fullmatch(uri)
    if match is None:
        return None
    path, offset, nth = match["path"], int(match["offset"]), int(match["nth"] or 1)
    for number, _, record in read_records(path, at=offset, error=PictureError):
        features = _features(path, number, record, PictureError)
        values = features.get(match["key"] or _usual_key(features) or "", [])
        if nth <= len(values) and isinstance(picture := values[nth - 1], bytes):
            return picture
        break
    raise PictureError(f"{base_name(path)} no longer holds this picture where it was.")


def record_files(location: str) -> list[str]:
    """List the TFRecord files that a location stands for, sorted.

    Parameters
    ----------
    location : str
        A file, a folder or a pattern; a path or a URL.

    Raises
    ------
    SourceError
        There is none.
    """
    path = local_path(location)
    if path is None:
        files = _remote_files(location)
    elif path.is_dir():
        inside = (file for file in path.absolute().iterdir() if file.name[0] != ".")
        files = [str(file) for file in inside if is_record_file(file.name)]
    elif path.exists():
        files = [str(path.absolute())]
    else:
        whole = path.absolute()
        pattern = str(whole.relative_to(whole.anchor))
        files = [str(file) for file in Path(whole.anchor).glob(pattern) if file.is_file()]
    if not files:
        raise SourceError(f"There is no TFRecord file at {shown(location)}.")
    return sorted(files)


def _remote_files(location: str) -> list[str]:
    if "*" in location:
        system, path = file_system(location)
        return [system.unstrip_protocol(file) for file in system.glob(path)]
    if is_record_file(base_name(location)) or not is_url(location):
        return [location]
    system, path = file_system(location)
    found = system.ls(path, detail=False) if system.isdir(path) else [path]
    return [system.unstrip_protocol(file) for file in found if is_record_file(base_name(file))]


def _features(
    file: str, number: int, record: bytes, error: type[LookalikeError]
) -> dict[str, Values]:
    try:
        return parse_example(record)
    except ValueError as problem:
        raise error(
            f"{base_name(file)}, record {number} is not a tf.train.Example: {problem}."
        ) from problem


def _pictures(
    file: str, number: int, offset: int, features: dict[str, Values], key: str | None
) -> tuple[Picture, ...]:
    if key is None:
        return ()
    suffix = "" if key == _usual_key(features) else f":{key}"
    encoded = [value for value in features[key] if isinstance(value, bytes)]
    return tuple(
        Picture(f"{file}#{number}{f'.{nth}' if nth > 1 else ''}@{offset}{suffix}", data)
        for nth, data in enumerate(encoded, 1)
        if data
    )


def _usual_key(features: dict[str, Values]) -> str | None:
    return _key(features, "image", {})


def _key(features: dict[str, Values], field: str, mapping: dict[str, str]) -> str | None:
    """Return the key of the feature that holds a field."""
    if field in mapping:
        return mapping[field] if mapping[field] in features else None
    # An empty id or picture is none, and the next key may have one.
    for key in _KEYS.get(field, ()):
        if features.get(key):
            return key
    if field == "image":
        return None
    return find_columns(features, {}).fields.get(field)


def _plain(values: Values) -> object:
    """Write a feature as a value: text for bytes, one value for a list of one."""
    if len(values) > _MAX_VALUES:
        return None
    plain: list[object] = []
    for value in values:
        if isinstance(value, bytes):
            try:
                plain.append(value.decode() if len(value) <= _MAX_TEXT else None)
            except UnicodeDecodeError:
                plain.append(None)
        else:
            plain.append(value)
    return plain[0] if len(plain) == 1 else plain


def _stem(file: str) -> str:
    return re.sub(r"\.tfrecords?|\.gz", "", base_name(file), flags=re.IGNORECASE)
