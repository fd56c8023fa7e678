"""Behind a proxy: who asks, by which name and scheme, and under which prefix.

Headers that say so are believed from as many proxies as the setting `proxies` counts, from the
nearest on: what a client writes into them itself stands farther away, and is not looked at. The
prefix is no header's to say (``X-Forwarded-Prefix``): most proxies let a client's own pass.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from indexer.errors import UsageError
from web.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


def register(app: Flask, settings: Settings) -> None:
    """Let an application know where it stands. To be called once it has all its routes.

    Raises
    ------
    UsageError
        If the setting `url_prefix` begins like a path of the server's own: nobody could tell then
        which of them is meant.
    """
    prefix, many = settings.url_prefix, settings.proxies
    own = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    if prefix and prefix.split("/")[1] in own:
        raise UsageError(
            f"The setting url_prefix is {prefix!r}, and this server has such a place itself.",
            hint="Choose another, such as /look.",
        )
    inner: Any = app.wsgi_app
    if prefix or many:
        inner = Placed(inner, prefix)
    if many:
        inner = ProxyFix(inner, x_for=many, x_proto=many, x_host=many)
    app.wsgi_app = inner  # type: ignore[method-assign]


class Placed:
    """Makes an application's own paths of those that the outside has.

    Parameters
    ----------
    app : WSGI application
        What is called.
    prefix : str
        What stands before each path outside. Some proxies take it off, some do not; both do.
    """

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        before = environ.get("werkzeug.proxy_fix.orig")
        if before is not None:
            _see_to_what_proxies_said(environ, before)
        if self.prefix:
            environ["SCRIPT_NAME"] = self.prefix
            environ["PATH_INFO"] = without_prefix(environ.get("PATH_INFO", ""), self.prefix)
        return self.app(environ, start_response)


def without_prefix(path: str, prefix: str) -> str:
    """Return a path without the prefix, if it has that."""
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return path


def _see_to_what_proxies_said(environ: dict[str, Any], before: dict[str, Any]) -> None:
    """Take back what is no address or no scheme, whoever said so."""
    address = _plain_address(environ.get("REMOTE_ADDR") or "")
    environ["REMOTE_ADDR"] = address or before["REMOTE_ADDR"]
    if environ.get("wsgi.url_scheme") not in ("http", "https"):
        environ["wsgi.url_scheme"] = before["wsgi.url_scheme"]


def _plain_address(said: str) -> str:
    """Return an IP address without the port that some proxies tell with it; empty if it is none."""
    if said.startswith("["):
        said = said[1:].partition("]")[0]
    elif said.count(":") == 1:
        said = said.partition(":")[0]
    try:
        return str(ipaddress.ip_address(said.partition("%")[0]))
    except ValueError:
        return ""
