"""What can be set about the server: one table, read by the environment, the docs and the code."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from flask import current_app

from indexer.errors import UsageError
from indexer.runtimes import require_runtime
from search.query import MAX_K
from web.access.keys import RATE_OR_OFF
from web.setting_values import check, read, variable

PREFIX_OR_NONE = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
"""A path in front of all others: no dots alone, and no second slash, which would be a host's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the server behaves; each can be given as ``LOOKALIKE_`` and its name in capitals."""

    index: Path = field(default=Path("data/index"), metadata={"help": "The index to serve."})
    max_upload_bytes: int = field(
        default=16 * 2**20, metadata={"help": "The largest photo that is accepted, in bytes."}
    )
    max_pixels: int = field(
        default=100_000_000,
        metadata={
            "help": "The largest picture, a photo or the catalogue's, that is decoded, in pixels."
        },
    )
    runtime: str = field(
        default="auto",
        metadata={
            "help": "What runs the network: litert, openvino, keras, or auto: openvino for an index"
            " that was made with it, else litert."
        },
    )
    page_hits: int = field(
        default=24, metadata={"help": "How many similar listings the page shows."}
    )
    samples: int = field(
        default=24, metadata={"help": "How many listings the start page offers to begin with."}
    )
    preview_side: int = field(
        default=1200,
        metadata={"help": "The longest side of the large picture on a listing's page, in pixels."},
    )
    connections: int = field(
        default=1000,
        metadata={
            "help": "How many connections may be open at once, in each process. More of them wait"
            " to be taken."
        },
    )
    upload_memory: int = field(
        default=512 * 2**20,
        metadata={
            "help": "How many bytes of requests each process keeps in memory, on their way in and"
            " until they are answered. What comes beyond is let go and answered with 503."
        },
    )
    receive_seconds: int = field(
        default=30,
        metadata={
            "help": "How long a request may take to come in; each 32 KB of it have a second more."
            " Then the answer is 408."
        },
    )
    queue: int = field(
        default=64,
        metadata={
            "help": "How many requests with photos may wait for their turn, in each process. Beyond"
            " that the answer is 503. Pages and pictures wait apart from them."
        },
    )
    queue_seconds: int = field(
        default=10,
        metadata={"help": "How long one of them may wait, before it is answered with 503."},
    )
    proxies: int = field(
        default=0,
        metadata={
            "least": 0,
            "help": "How many proxies stand before this server, whose X-Forwarded-For, -Proto and"
            " -Host are believed. 0: nobody's are.",
        },
    )
    url_prefix: str = field(
        default="",
        metadata={
            "help": "What all addresses begin with, such as /look; a proxy may take it away or"
            " leave it.",
            "like": PREFIX_OR_NONE,
            "hint": "Write a path such as /look, or /shop/look, without a slash at its end.",
        },
    )
    cors_origins: str = field(
        default="none",
        metadata={
            "help": "Which sites' pages may ask the JSON API by script: none, * for all, or origins"
            " such as https://shop.example with commas between. Never with cookies."
        },
    )
    access_log: bool = field(
        default=False, metadata={"help": "on: each request is told in one line on stderr."}
    )
    log_format: str = field(
        default="text",
        metadata={
            "help": "How the log is written to stderr: text, or json, one object a line.",
            "choices": ("text", "json"),
        },
    )
    log_addresses: bool = field(
        default=False,
        metadata={"help": "on: the lines of requests name the clients' addresses, not only keys."},
    )
    learn_from_queries: bool = field(
        default=False,
        metadata={
            "help": "on: the mean of the photos that people search with is learned, as one sum"
            " and without keeping a photo, for the next snapshot to centre photos by."
        },
    )

    reads: str = field(
        default="open",
        metadata={
            "help": "Who may search and look: open, everyone who reaches the server, or keys,"
            " whoever has a key.",
            "choices": ("open", "keys"),
        },
    )
    writes: str = field(
        default="keys",
        metadata={
            "help": "Who may write listings over the API: keys, whoever has a key with the scope"
            " write, and while there is no key at all, programs on this machine; loopback,"
            " programs on this machine; or off, nobody. Behind a proxy that tells nobody that it"
            " is one, whoever comes through it is on this machine: make a key there.",
            "choices": ("keys", "loopback", "off"),
        },
    )
    rate_search: str = field(
        default="300 per minute",
        metadata={
            "help": "How often one client (a key, or an address) may search with a photo: a number"
            " per second, minute, hour or day, or off.",
            "like": RATE_OR_OFF,
        },
    )
    rate_write: str = field(
        default="3000 per minute",
        metadata={
            "help": "How often one client may write; a batch counts once.",
            "like": RATE_OR_OFF,
        },
    )
    rate_read: str = field(
        default="6000 per minute",
        metadata={
            "help": "How often one client may ask for anything else: pages, thumbnails, listings.",
            "like": RATE_OR_OFF,
        },
    )
    rate_storage: str = field(
        default="auto",
        metadata={
            "help": "Where requests are counted: auto, on this machine, by all workers together;"
            " or redis://HOST:PORT (the extra redis), by several machines together."
        },
    )
    keys: Path | None = field(
        default=None,
        metadata={
            "kind": Path,
            "help": "The file that the keys are kept in, hashed; without it, INDEX.keys.json beside"
            " the index.",
        },
    )
    metrics: str = field(
        default="loopback",
        metadata={
            "help": "Who may read /metrics: loopback, programs on this machine and whoever has a"
            " key with the scope admin; public, everyone who reaches the server; or off, nobody.",
            "choices": ("loopback", "public", "off"),
        },
    )
    max_catalogue_bytes: int = field(
        default=256 * 2**20,
        metadata={"help": "The largest catalogue that can be uploaded on /admin, in bytes."},
    )
    catalogue_pictures: Path | None = field(
        default=None,
        metadata={
            "kind": Path,
            "help": "The folder in which catalogues that are uploaded on /admin may name pictures"
            " by paths; without it, by http(s) addresses only.",
        },
    )
    public: bool = field(
        default=False,
        metadata={
            "help": "on: anybody on the internet reaches this server. What may be abused, as"
            " fetching pictures by their URL, is then off unless it is turned on, and strangers"
            " are told less of what goes wrong."
        },
    )
    fetch_urls: str = field(
        default="auto",
        metadata={
            "help": "Whether pictures are fetched from URLs that clients give: on, off, or auto:"
            " on, unless public is.",
            "choices": ("auto", "on", "off"),
        },
    )
    fetch_ports: str = field(
        default="80,443",
        metadata={"help": "The ports that pictures are fetched from, with commas between them."},
    )
    share_hours: int = field(
        default=24,
        metadata={
            "least": 0,
            "help": "How many hours a photo is kept that somebody shares from the page, under an"
            " address that only they give away; 0 turns sharing off.",
        },
    )
    embed_origins: str = field(
        default="none",
        metadata={
            "help": "Which sites may show /strip, the strip of similar listings, in their pages:"
            " none, * for all, or origins such as https://shop.example with commas between."
        },
    )
    compact: bool = field(
        default=True,
        metadata={
            "help": "off: the server builds no new snapshot by itself once enough has changed;"
            " lookalike compact does."
        },
    )

    def __post_init__(self) -> None:
        require_runtime(self.runtime)
        for setting in fields(self):
            check(setting, getattr(self, setting.name))
        if self.page_hits > MAX_K:
            raise UsageError(f"The setting page_hits is {self.page_hits}, and at most {MAX_K}.")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
        """Read the settings from the environment; what is `given` wins.

        Raises
        ------
        UsageError
            If a value is not of its kind or out of its range.
        """
        return cls(**{**read(fields(cls), environ), **given})


def described() -> Iterator[tuple[str, str, str]]:
    """Yield each setting's environment variable, its default and what it is for."""
    for setting in fields(Settings):
        default = setting.default
        shown = "none" if default in (None, "") else str(default)
        if isinstance(default, bool):
            shown = "on" if default else "off"
        yield variable(setting.name), shown, setting.metadata["help"]


def current_settings() -> Settings:
    """Return the settings of the application that handles this request."""
    settings: Settings = current_app.extensions["lookalike.settings"]
    return settings
