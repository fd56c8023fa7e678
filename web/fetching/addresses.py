"""Which URLs a stranger may have fetched, and which addresses may be connected for that.

An address that is not on the open internet is never connected: what stands behind it (a database,
a cloud's metadata, a router's own page) trusts whoever reaches it. A URL is read by this module
alone, and what is read here is what is asked for: two parsers of one URL would disagree some day.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import idna

from web.errors import FetchRefused

MAX_URL = 4096

PORTS = {"http": 80, "https": 443}

_NOT_PUBLIC = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # public by its number, and Azure's metadata within Azure
        "169.254.0.0/16",  # link-local; 169.254.169.254 is most clouds' metadata service
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
"""IANA's special-purpose registry, and what clouds use besides. Python's own `is_global` differs
between its versions."""

_GLOBAL = ipaddress.IPv6Network("2000::/3")
"""All that is handed out as global unicast. Outside it lie loopback, unique local and link-local
addresses, multicast, and IPv4 in IPv6: mapped, compatible and NAT64."""

_NOT_GLOBAL = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo (IPv4 within), benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 (IPv4 within)
        "3ffe::/16",  # 6bone
        "3fff::/20",  # documentation
    )
)

_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""Third quarter of an address that is IPv4 in IPv6 by ISATAP."""

_LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa")
"""Names, and ends of names, that are of no open internet."""

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")

HOW = "Give the http:// or https:// address of a picture that anybody on the internet can open."


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked for, taken apart.

    Attributes
    ----------
    scheme : str
        ``http`` or ``https``.
    host : str
        In ASCII and lower case; IPv6 without brackets.
    port : int
    path : str
        With the query, percent-encoded.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The URL, for what it leads to to be joined with."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


class Rules:
    """What may be fetched. Tests have rules of their own, given by argument and by nothing else.

    Parameters
    ----------
    ports : collection of int, optional
        The ports that may be asked.
    """

    def __init__(self, ports: tuple[int, ...] = tuple(PORTS.values())) -> None:
        self.ports = frozenset(ports)

    def allows_address(self, address: str) -> bool:
        """Tell whether an IP address may be connected."""
        return is_public(address)

    def allows_connection(self, here: str, there: str) -> bool:
        """Tell whether a connection that stands may be used, by its own two addresses.

        A machine that is connected from its own address is this machine by its public name.
        """
        return self.allows_address(there) and here != there


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet.

    Parameters
    ----------
    address : str
        As it is written, or a socket has it; anything else is not public.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _NOT_PUBLIC)
    if parsed.scope_id is not None:
        return False
    isatap = int(parsed) >> 32 & 0xFFFF_FFFF in _ISATAP
    return parsed in _GLOBAL and not isatap and not any(parsed in part for part in _NOT_GLOBAL)


def target_of(url: str, rules: Rules) -> Target:
    """Read a URL. What is refused here is refused for its text alone, and may be told.

    Raises
    ------
    FetchRefused
        If it may not be fetched; it says why.
    """
    if len(url) > MAX_URL:
        raise FetchRefused(f"The address has more than {MAX_URL:,} characters.", hint=HOW)
    # urlsplit would leave some of these out, and others are read as "/" by browsers.
    if any(letter <= " " or letter in "\\\x7f" for letter in url):
        raise FetchRefused("The address holds a space, a backslash or a control character.")
    try:
        parts = urlsplit(url)
        port = parts.port
        hostname = parts.hostname or ""
        path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._") or "/"
        query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    except ValueError as error:  # UnicodeError, too: half a surrogate pair, say
        raise FetchRefused("This is no address that can be asked for.", hint=HOW) from error
    if parts.scheme not in PORTS:
        raise FetchRefused("Pictures are fetched from http:// and https:// only.", hint=HOW)
    if "@" in parts.netloc:
        raise FetchRefused(
            "The address holds a user name or a password.", hint="Leave out what stands before '@'."
        )
    if port == 0 or parts.netloc.endswith(":"):
        raise FetchRefused("The address holds a port that is none.", hint=HOW)
    port = PORTS[parts.scheme] if port is None else port
    if port not in rules.ports:
        raise FetchRefused(f"Nothing is fetched from port {port}.", hint=HOW)
    host = _host(hostname, bracketed="[" in parts.netloc)
    if _is_address(host) and not rules.allows_address(host):
        raise FetchRefused("The address is not of the open internet.", hint=HOW)
    return Target(parts.scheme, host, port, f"{path}?{query}" if query else path)


def redirected(target: Target, location: str, rules: Rules) -> Target:
    """Read where an answer leads.

    Raises
    ------
    FetchRefused
        If that may not be fetched.
    """
    try:
        # http.client reads headers as Latin-1, whatever was sent.
        location = location.encode("latin-1").decode()
        if any(letter <= " " for letter in location):
            raise FetchRefused("The address leads to one that holds a space.")
        return target_of(urljoin(target.url, location), rules)
    except ValueError as error:
        raise FetchRefused("The address leads to none that can be asked for.") from error


def _host(hostname: str, *, bracketed: bool) -> str:
    if bracketed:
        try:
            return str(ipaddress.IPv6Address(hostname))
        except ValueError as error:
            raise FetchRefused("The address in brackets is no IPv6 address.") from error
    try:
        # Only what is not ASCII: names with "_" exist, and idna knows none.
        ascii_ = hostname if hostname.isascii() else idna.encode(hostname, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise FetchRefused("The address names no host.", hint=HOW) from error
    host = ascii_.lower().rstrip(".")
    labels = host.split(".")
    if not all(map(_LABEL.fullmatch, labels)):
        raise FetchRefused("The address names no host.", hint=HOW)
    if _NUMBER.fullmatch(labels[-1]):
        # Resolvers take 2130706433, 0x7f.1 and 0177.0.0.1 for IPv4 addresses, too.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise FetchRefused("The address is a number that is no plain IPv4 address.") from error
    if any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES) or len(labels) < 2:
        raise FetchRefused("The address is not of the open internet.", hint=HOW)
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
