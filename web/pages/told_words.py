"""What pages tell of errors in the reader's language.

An error is raised in English, where it happens, and the API and the log tell it so. Those that
somebody who looks at pages can meet are listed here once more, with a name in braces for each part
that varies; what is not listed is told in English.
"""

from __future__ import annotations

import re
from functools import cache

from flask_babel import gettext


def noted(text: str) -> str:
    """Mark a text to be translated: `make translations` collects it."""
    return text


TOLD = (
    # web/answers/problems.py
    noted("Nothing is indexed yet."),
    noted("Index a catalogue with: lookalike index CATALOG"),
    noted("The server's keys cannot be read, so nothing that takes a key is done."),
    noted("The server's log says why."),
    noted("The index has just been replaced by another."),
    noted("Try again in a few seconds."),
    noted("The index does not answer right now."),
    noted("The index was written by a newer Lookalike."),
    noted("Update this server."),
    noted("The index cannot be used right now."),
    noted("The index cannot be written: the disk is full, or may not be written to."),
    noted("Nothing of this write was kept. Searches go on; the server's log says more."),
    noted("This cannot be done right now."),
    noted("The picture cannot be used."),
    noted("Try again later."),
    noted("Whoever runs this server can say more."),
    noted("Something went wrong here."),
    noted(
        "The fault is the server's, and is in its log under the request's id, {id}."
        " Try again later."
    ),
    noted("The server has more to do than it can do now."),
    noted("The request is too large."),
    noted("Send a smaller one."),
    noted("There is nothing at this address."),
    noted("Check the address."),
    noted("This address does not take {method}."),
    noted("The Allow header lists the methods that this address takes."),
    # Asking too often, or without a right to
    noted("Too many searches."),
    noted("Too many writes."),
    noted("Too many requests."),
    noted("Too many attempts to sign in."),
    noted("Try again in {seconds} second."),
    noted("Try again in {seconds} seconds."),
    noted("This takes a key with the scope {scope}."),
    noted("This takes a key with the scope {scope}, and yours has {other}."),
    noted("Load the page anew to sign in."),
    noted("On the server's machine, lookalike keys add NAME --scope {scope} makes one."),
    noted("Ask whoever runs this server for one."),
    noted("This key is unknown, revoked or out of date."),
    noted("Check that it is whole, or ask whoever runs this server for another."),
    noted("Web pages of other sites may not write here."),
    noted("Write from a program, or from this server's own pages."),
    # The photo
    noted("There is no photo in the request."),
    noted("Choose a photo first."),
    noted("There is more than one image."),
    noted("Send one photo at a time."),
    noted("There is a photo, and the address of one."),
    noted("Choose either of them."),
    noted("The photo is larger than the {size} allowed."),
    noted("The file has {size} MiB, more than the {most} MiB allowed."),
    noted("The picture has {width} x {height} pixels ({size}), more than the {most} allowed."),
    noted("{count} megapixels"),
    noted("The picture is too large to be decoded here."),
    noted("The file is empty."),
    noted("The file is {kind}, not a picture of a supported kind."),
    noted("The file is not a picture, or of a kind that is not supported."),
    noted("Supported are {kinds}."),
    noted("The file is a {kind} of a variety that is not supported."),
    noted("The file is cut short."),
    noted("The {kind} file is damaged and cannot be decoded."),
    noted("AVIF pictures cannot be read by this installation."),
    noted("HEIC pictures, as iPhones take them, cannot be read by this installation."),
    noted("Give the picture as JPEG or PNG, or have {rest}"),
    noted("a PDF document"),
    noted("a PostScript file"),
    noted("a Photoshop file"),
    noted("a ZIP archive"),
    noted("a WebM or Matroska video"),
    noted("a JPEG 2000 picture"),
    noted("a JPEG XL picture"),
    noted("an icon (ICO)"),
    noted("an HTML page"),
    noted("an SVG drawing"),
    noted("text"),
    noted("an XML file"),
    noted("a video (MP4 or QuickTime)"),
    noted("The region is not four numbers from 0 to 1."),
    noted("Mark the part once more."),
    # A photo's address
    noted("This server does not fetch pictures from a URL."),
    noted("Send the picture itself, as a multipart file or in image_base64."),
    noted("No picture could be fetched from this address."),
    noted("Check that it opens in a browser anywhere on the internet, or send the picture itself."),
    noted("Too many pictures are being fetched at once."),
    noted("Try again in a few seconds, or send the picture itself."),
    noted("The address leads on more than {count} times."),
    noted("The other server did not send the whole picture in time."),
    noted("The picture is larger than the {size} that are left to this request."),
    noted("Give the address of a smaller one: 1000 pixels a side are plenty."),
    noted("The other server answered {status}."),
    noted("The other server sent no picture, but {kind}."),
    noted("The other server sent no picture."),
    noted("Give the address of the picture itself, not of the page that shows it."),
    noted("The other server sent the picture packed."),
    noted(
        "Give the http:// or https:// address of a picture that anybody on the internet can open."
    ),
    noted("The address holds a space, a backslash or a control character."),
    noted("This is no address that can be asked for."),
    noted("Pictures are fetched from http:// and https:// only."),
    noted("The address holds a user name or a password."),
    noted("Leave out what stands before '@'."),
    noted("Nothing is fetched from port {port}."),
    noted("The address is not of the open internet."),
    noted("The address names no host."),
    # A search
    noted("There is no listing {listing}."),
    noted("Ids are those of the catalogue; they are case-sensitive."),
    noted("A search takes at most {count} listings."),
    noted("Take some of them away."),
    noted("There is nothing to be unlike without something to be like."),
    noted("Give what to look for as positive examples, beside the negative ones."),
    noted("The cursor is older than a day."),
    noted("The cursor is none of this index, or was cut short."),
    noted("The index has been made by another recipe since the cursor was given."),
    noted("Search again from the first page."),
    noted("Send `next_cursor` as it was answered. Search again from the first page."),
    noted("There is no order {sort}."),
    noted("Sort by similarity, by price (the cheapest first) or by -price."),
    noted("The listing {listing} has no picture that could be compared."),
    noted("A picture of the listing {listing} was removed just now."),
    noted("Ask again."),
    # A filter
    noted("There is no field {field}."),
    noted("{field} is a number, and {value} is none."),
    noted("Give a number such as 49.50, or leave it empty."),
    noted("The least {field} ({low}) is above the greatest ({high})."),
    noted("Exchange them, or leave one empty."),
    noted("{field} is a text, and has no ranges."),
    noted("The filter has too many parts; at most {terms} terms and {values} values are possible."),
    noted("The filter has {count} characters; at most {most} are possible."),
    noted("Ask for fewer values at a time."),
    noted("The filter cannot be read at character {place} ({near}): {message}"),
    # Sharing
    noted("This server shares no photos."),
    noted("This link has ended."),
    noted("A shared photo is kept for a while only; this one was deleted."),
    noted("Photos are shared from this server's own page."),
    noted("Only the browser that shared a photo can delete it."),
    noted("It is deleted by itself once its time is over."),
    # Catalogues that are uploaded
    noted("A catalogue is being indexed."),
    noted("Wait until it is done, or stop it."),
)


def told(text: str) -> str:
    """Write what is told of an error in the reader's language, where it is known there.

    Parameters
    ----------
    text : str
        A message or a hint, in English; may be empty.
    """
    if not text:
        return ""
    said = str(gettext(text))
    if said != text:
        return said
    for pattern, found in _with_parts():
        parts = pattern.fullmatch(text)
        if parts is not None:
            return _filled(str(gettext(found)), parts.groupdict())
    return text


@cache
def _with_parts() -> list[tuple[re.Pattern[str], str]]:
    """Return those that have varying parts, each with what it matches."""
    return [(re.compile(_expression(text), re.DOTALL), text) for text in TOLD if "{" in text]


def _expression(text: str) -> str:
    pieces = re.split(r"\{(\w+)\}", text)
    return "".join(
        f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)
    )


def _filled(text: str, parts: dict[str, str]) -> str:
    """Put the parts in, which may themselves be told in the reader's language."""
    return re.sub(r"\{(\w+)\}", lambda found: told(parts[found[1]]), text)
