"""Who is on this machine: programs, and not the web pages that its user has open.

Without keys, nearness is all that tells who may write. The address that is connected decides, and
no header can make it nearer; but headers can tell that somebody farther away is behind it:

- a web page of another site that is open in a browser here (``Origin``, ``Sec-Fetch-Site``);
- the same under a name that its owner made point here (``Host``: DNS rebinding);
- whoever comes through a proxy that says so (``Forwarded``, ``Via``, ``X-Forwarded-...``).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import request

from web.errors import NotAllowed

PROXIED = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "CF-Connecting-IP",
)
"""Headers that a proxy adds."""

OURS = ("same-origin", "none")
"""What ``Sec-Fetch-Site`` says of our own pages, and of what a person typed."""


def require_loopback(what: str, hint: str) -> None:
    """Refuse the request that is under way unless it comes from a program on this machine.

    Parameters
    ----------
    what : str
        What is refused: the beginning of a sentence.
    hint : str
        How it can be had all the same.

    Raises
    ------
    NotAllowed
        With the reason.
    """
    if not is_loopback(request.remote_addr):
        raise NotAllowed(f"{what} from this machine only.", hint=hint)
    if any(name in request.headers for name in PROXIED):
        raise NotAllowed(f"{what} from this machine only, and not through a proxy.", hint=hint)
    if not is_loopback_host(request.headers.get("Host", "")):
        raise NotAllowed(
            f"{what} under a name of this machine only.",
            hint="Ask for 127.0.0.1 or localhost.",
        )


def is_local_program() -> bool:
    """Tell whether the request that is under way comes from a program on this machine."""
    try:
        require_loopback("", "")
    except NotAllowed:
        return False
    return True


def require_own_page() -> None:
    """Refuse the request that is under way if a web page of another site sends it.

    Raises
    ------
    NotAllowed
        If its headers say so.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        foreign = site not in OURS
    else:  # a browser that says no more, or a page without https
        # Another port of this machine is another site, too.
        ours = f"{request.scheme}://{request.host}".lower()
        foreign = origin is not None and origin.lower() != ours
    if foreign:
        raise NotAllowed(
            "Web pages of other sites may not write here.",
            hint="Write from a program, or from this server's own pages.",
        )


def is_loopback(address: str | None) -> bool:
    """Tell whether an IP address is this machine's own."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.is_loopback
    return parsed.is_loopback


def client_network(address: str | None) -> str:
    """Return what counts as one client: an IPv4 address, or an IPv6 network of 64 bits.

    A household has a whole such network, and may send from any of its addresses.
    """
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:  # a Unix socket has none
        return address or ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))


def is_loopback_host(host: str) -> bool:
    """Tell whether a ``Host`` header names this machine, whoever may own the name."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or is_loopback(name)
