"""Groups of duplicates as one HTML file that needs nothing else: to look at, to mail, to print.

Whatever a catalogue says is escaped by Jinja, and nothing that it says is run: the page's own
policy forbids scripts, and links go to http and https only.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment
from PIL import Image

from indexer.files import write_durably
from indexer.pictures import to_jpeg
from search.duplicates import Group, Member
from search.engine import Engine

SIDE, QUALITY = 260, 78
"""Of a picture in the page: the longest side, in pixels, and its JPEG's quality."""

GROUPS, MEMBERS = 1000, 24
"""How many groups the page shows, and listings of each: 8 KB a picture, 200 MB at worst."""

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf8; --surface: #fff; --sunken: #f1efeb;
  --line: #e2dfd9; --ink: #1b1d1c; --soft: #5d605d; --accent: #0d6b5e; }
@media (prefers-color-scheme: dark) { :root { --paper: #151716; --surface: #1d201f;
  --sunken: #242827; --line: #323735; --ink: #eef0ee; --soft: #a6ada9; --accent: #5fceb5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: clamp(1rem, 4vw, 2.75rem);
  background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { margin: 0; font-size: clamp(1.6rem, 1.2rem + 2vw, 2.4rem); letter-spacing: -0.02em;
  line-height: 1.15; }
header p { margin: .5rem 0 0; color: var(--soft); }
section { margin-top: 2rem; padding-top: 1.25rem; border-top: 1px solid var(--line);
  break-inside: avoid; }
h2 { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; margin: 0 0 .9rem;
  font-size: 1.1rem; }
h2 small { color: var(--soft); font-size: .8125rem; font-weight: 400; }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(10.5rem, 44%), 1fr));
  gap: .9rem; margin: 0; padding: 0; list-style: none; }
li { display: flex; flex-direction: column; overflow: hidden; border: 1px solid var(--line);
  border-radius: 12px; background: var(--surface); }
.picture { position: relative; aspect-ratio: 1; background: var(--sunken); }
.picture img { position: absolute; width: 100%; height: 100%; object-fit: contain; }
.picture span { display: grid; height: 100%; place-items: center; color: var(--soft);
  font-size: .8125rem; }
.words { padding: .6rem .75rem .75rem; font-size: .8125rem; }
.words strong { display: -webkit-box; overflow: hidden; -webkit-box-orient: vertical;
  -webkit-line-clamp: 2; font-size: .9rem; line-height: 1.35; }
.words div { color: var(--soft); }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.more { margin: .9rem 0 0; color: var(--soft); font-size: .9rem; }
"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'">
<meta name="referrer" content="no-referrer">
<title>Near-duplicate listings</title>
<style>{{ style }}</style>
<header>
<h1>Near-duplicate listings</h1>
<p>{% if groups %}{{ "{:,}".format(listings) }} listings in {{ "{:,}".format(groups | length) }}
group{{ "" if groups | length == 1 else "s" }}, largest first. A group shows copies of one picture:
re-saved, resized, cropped a little or mirrored.{% else %}No two listings show the same
picture.{% endif %}</p>
</header>
<main>
{% for group in groups[:most_groups] %}
<section>
<h2>{{ "{:,}".format(group.members | length) }} listings
<small>{% if group.similarity >= 0.9995 %}the same picture{% else %}similarity from
{{ "%.2f" | format(group.similarity) }}{% endif %}</small></h2>
<ul>
{% for member in group.members[:most_members] %}
<li>
<div class="picture">{% with source = picture(member) %}{% if source %}<img src="{{ source }}" alt="" loading="lazy">
{%- else %}<span>no picture</span>{% endif %}{% endwith %}</div>
<div class="words">
{% with url = link(member) %}<strong>{% if url %}<a href="{{ url }}" rel="noreferrer noopener nofollow">
{%- endif %}{{ member.listing.title or member.listing.id }}{% if url %}</a>{% endif %}</strong>{% endwith %}
<div>{{ member.listing.id }}</div>
<div>{{ details(member) }}</div>
</div>
</li>
{% endfor %}
</ul>
{% if group.members | length > most_members %}
<p class="more">and {{ "{:,}".format(group.members | length - most_members) }} more</p>
{% endif %}
</section>
{% endfor %}
{% if groups | length > most_groups %}
<p class="more">and {{ "{:,}".format(groups | length - most_groups) }} more groups</p>
{% endif %}
</main>
</html>
"""  # noqa: E501 - HTML that Jinja would not fold without spaces in it


def write_gallery(engine: Engine, groups: list[Group], path: Path) -> None:
    """Write groups of duplicates as a page with their pictures in it.

    Parameters
    ----------
    engine : Engine
        Whose thumbnails are shown.
    groups : list of Group
        In the order in which they are to be shown.
    path : Path
        The HTML file, replaced in one step.
    """

    def picture(member: Member) -> str:
        jpeg = engine.thumbnail(member.thumbnail)
        return data_url(jpeg) if jpeg else ""

    template = Environment(autoescape=True, trim_blocks=True).from_string(PAGE)
    values: dict[str, Any] = {
        "style": STYLE,
        "groups": groups,
        "listings": len({member.listing.id for group in groups for member in group.members}),
        "most_groups": GROUPS,
        "most_members": MEMBERS,
        "picture": picture,
        "link": lambda member: safe_link(member.listing.url),
        "details": details,
    }
    write_durably(path, template.render(values).encode("utf-8", "replace"))


def data_url(jpeg: bytes) -> str:
    """Return a thumbnail, smaller, as a URL that holds the picture itself."""
    try:
        with Image.open(io.BytesIO(jpeg)) as opened:
            small = to_jpeg(opened, SIDE, QUALITY)
    except (OSError, ValueError, SyntaxError):
        return ""
    return "data:image/jpeg;base64," + base64.b64encode(small).decode("ascii")


def safe_link(url: str) -> str:
    """Return a listing's URL where a browser may follow it, else nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def details(member: Member) -> str:
    """Return what else is said of a listing, in a line."""
    listing = member.listing
    price = "" if listing.price is None else f"{listing.price:,.2f} {listing.currency}".strip()
    place = f"picture {member.picture + 1}" if len(listing.pictures) > 1 else ""
    return " · ".join(part for part in (price, listing.category, place) if part)
