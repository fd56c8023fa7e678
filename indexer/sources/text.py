"""Text files, line by line, with the truth about where an error is."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from indexer.errors import SourceError, UsageError
from indexer.sources.files import base_name, opened

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # UTF-32's mark for little-endian starts with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(location: str, asked: str) -> str:
    """Choose the encoding of a text file.

    Parameters
    ----------
    location : str
        A path or a URL.
    asked : str
        The encoding to use; where it is UTF-8 and the file has a byte order mark, the mark wins.

    Returns
    -------
    str
        A name that Python knows.

    Raises
    ------
    UsageError
        Python knows no encoding of the asked name.
    SourceError
        The file cannot be read, or it is empty.
    """
    try:
        known = codecs.lookup(asked).name
        "".encode(known)  # refuses base64 and its like, which are no encodings of text
    except LookupError as problem:
        raise UsageError(
            f"There is no encoding '{asked}'.", hint="Common ones: utf-8, utf-16, cp1252, latin-1."
        ) from problem
    with opened(location) as file:
        head = file.read(4)
    if not head:
        raise SourceError(f"{base_name(location)} is empty.")
    if known in ("utf-8", "utf-8-sig"):
        return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    return known


def lines(location: str, encoding: str) -> Iterator[str]:
    r"""Read a text file.

    Parameters
    ----------
    location : str
        A path or a URL.
    encoding : str
        As `encoding_of` returns it.

    Yields
    ------
    str
        One line with its end, which may be ``\n``, ``\r\n`` or ``\r``.

    Raises
    ------
    SourceError
        The file cannot be read, is not of this encoding, or holds a NUL.
    """
    name = base_name(location)
    with opened(location) as file:
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
        try:
            for number, line in enumerate(text, 1):
                if "\0" in line:
                    raise SourceError(
                        f"{name}, line {number} holds a NUL character, which no text does.",
                        hint="If the file is UTF-16, say so with --encoding utf-16.",
                    )
                yield line
        except UnicodeError as problem:
            raise _undecodable(location, encoding) from problem


def _undecodable(location: str, encoding: str) -> SourceError:
    """Read the file again to tell where it stops being text: decoding runs ahead of the lines."""
    inner = codecs.getincrementaldecoder(encoding)()
    decoder = io.IncrementalNewlineDecoder(inner, translate=True)
    line, read, where = 1, 0, ""
    with opened(location) as file:
        while not where:
            chunk = file.read(1 << 16)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as problem:
                before = problem.object[: problem.start].decode(encoding, "replace")
                line += before.replace("\r\n", "\n").replace("\r", "\n").count("\n")
                # What the decoder held back from the chunk before is in `object` too.
                byte = read + len(chunk) - len(problem.object) + problem.start + 1
                where = f", line {line} (byte {byte})"
            except UnicodeError:
                break
            read += len(chunk)
            if not chunk:
                break
    return SourceError(
        f"{base_name(location)}{where} is not {encoding.removesuffix('-sig').upper()} text.",
        hint="Name the file's encoding, for example --encoding cp1252.",
    )
