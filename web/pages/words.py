"""What the page's scripts say, in the reader's language.

A pair is a singular and a plural, between which the script chooses by ``count``. What stands in
braces is put in by the script.
"""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

WORDS: dict[str, LazyString | tuple[LazyString, LazyString]] = {
    "cancelled": _("Search cancelled."),
    "searching": _("Searching…"),
    "title": _("Look-alikes of your photo – Lookalike"),
    "loading": _("Loading…"),
    "joined": (_("One more listing."), _("{count} more listings.")),
    "nothing": _("Nothing found."),
    "found": (_("One listing found."), _("{count} listings found.")),
    "picture": _("Picture {number} of {count}"),
    "no-picture": _("No picture"),
    "likes.like": _("{name}: like this."),
    "likes.unlike": _("{name}: not like this."),
    "likes.remove": _("Remove {name}"),
    "likes.removed": _("{name} was removed."),
    "likes.cleared": _("Nothing is chosen any more."),
    "likes.most": (_("No more than one."), _("No more than {count} listings can be chosen.")),
    "anew": _("Ready for a new photo."),
    "region.draw": _("Draw a box around what matters."),
    "region.change": _("Move the box or its corners."),
    "region.marked": _(
        "Marked from {left} to {right} percent across, from {top} to {bottom} percent down."
    ),
    "region.whole": _("The whole photo counts again."),
    "share.until": _("It is deleted on {time}."),
    "share.copied": _("The link is copied."),
    "share.by-hand": _("Copy the link from the field."),
    "share.forgotten": _("The shared photo is deleted."),
    "share.not-forgotten": _("It could not be deleted just now. Try again."),
    "map.all": _("{count} listings, look-alikes side by side."),
    "map.some": _("{count} of {total} listings, look-alikes side by side."),
    "map.label": _("Map of {count} listings in {categories} categories"),
    "map.none": _("No category"),
}
"""By the name under which `static/words.js` finds it."""


def register(app: Flask) -> None:
    """Offer the words to the templates."""
    app.jinja_env.globals["script_words"] = script_words


def script_words() -> dict[str, str | list[str]]:
    """Return all words in the language of this request."""
    return {
        name: [str(one) for one in said] if isinstance(said, tuple) else str(said)
        for name, said in WORDS.items()
    }
