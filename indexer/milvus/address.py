"""Where an index lies that is in Milvus: `milvus://HOST:PORT/COLLECTION?consistency=bounded`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from indexer.errors import UsageError

_ADDRESS = re.compile(
    # Of a path, which is what `--index` is, two slashes are one.
    r"milvus:/{1,2}(?P<user>[^/@]*@)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>\d{1,5}))?/(?P<collection>[A-Za-z_][A-Za-z0-9_]*)/?(?:\?(?P<options>.*))?"
)

PORT = 19530
LONGEST = 200
"""Letters of a collection's name: others are called after it, and Milvus takes 255."""

LEVELS = {
    "strong": "Strong",
    "session": "Session",
    "bounded": "Bounded",
    "eventually": "Eventually",
}
"""Consistency levels as an address says them and as Milvus does."""

KINDS = ("FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8", "IVF_PQ", "DISKANN")
"""Indexes over vectors that can be asked for."""

EXAMPLE = "Write milvus://HOST:PORT/COLLECTION, for example milvus://localhost:19530/shop."


@dataclass(frozen=True, slots=True)
class Address:
    """A collection of a Milvus server, and how it is used.

    Attributes
    ----------
    host : str
        A name or an address.
    port : int
        Milvus' gRPC port.
    collection : str
        Of the vectors; what else there is lies in others, whose names begin so.
    consistency : str
        What a search may miss, one of the values of `LEVELS`.
    kind : str
        The index over the vectors of a collection that is made: one of `KINDS`.
    shards : int
        Of a collection that is made.
    tls : bool
        Whether the connection is encrypted.
    """

    host: str
    port: int
    collection: str
    consistency: str = "Strong"
    kind: str = "HNSW"
    shards: int = 1
    tls: bool = False

    @classmethod
    def parse(cls, text: str | Path) -> Address:
        """Read an address.

        Raises
        ------
        UsageError
            If it is none.
        """
        match = _ADDRESS.fullmatch(str(text))
        if match is None:
            raise UsageError("The address of Milvus cannot be read.", hint=EXAMPLE)
        if match["user"]:
            # It would stand in logs, in messages and in the list of processes.
            raise UsageError(
                "The address of Milvus holds a name or a password.",
                hint="Set MILVUS_TOKEN=USER:PASSWORD in the environment instead.",
            )
        if len(match["collection"]) > LONGEST:
            raise UsageError(f"A collection's name has at most {LONGEST} letters.")
        port = int(match["port"] or PORT)
        if not 0 < port < 65536:
            raise UsageError(f"There is no port {port}.", hint=EXAMPLE)
        options = dict(parse_qsl(match["options"] or "", keep_blank_values=True))
        level = _one_of(options, "consistency", "strong", LEVELS)
        kind = _one_of(options, "index", "hnsw", [kind.lower() for kind in KINDS]).upper()
        shards = _one_of(options, "shards", "1", [str(n) for n in range(1, 17)])
        tls = _one_of(options, "tls", "off", ("on", "off")) == "on"
        if options:
            raise UsageError(
                f"The address of Milvus has no option {min(options)!r}.",
                hint="Options are: consistency, index, shards, tls.",
            )
        return cls(match["host"], port, match["collection"], LEVELS[level], kind, int(shards), tls)

    @property
    def uri(self) -> str:
        """What pymilvus connects to."""
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    def named(self, what: str) -> str:
        """Return the name of a collection beside that of the vectors."""
        return f"{self.collection}_{what}"

    def __str__(self) -> str:
        tls = "?tls=on" if self.tls else ""
        return f"milvus://{self.host}:{self.port}/{self.collection}{tls}"


def is_milvus(index: str | Path) -> bool:
    """Tell whether an index is in Milvus and not in a folder."""
    return str(index).startswith("milvus:/")


def work_folder(index: Path, work: Path | None) -> tuple[Path, Address | None]:
    """Return the folder that an index is made in, and where in Milvus it goes from there.

    Raises
    ------
    UsageError
        If there is a work folder and no Milvus, or the address cannot be read.
    MissingExtra, StoreUnavailable, StoreRefuses
        If what is made could not be written there: said now, and not once all is embedded.
    """
    if not is_milvus(index):
        if work is not None:
            raise UsageError(
                "--work is the folder beside an index in Milvus.",
                hint="Give --index milvus://HOST:PORT/COLLECTION, or leave --work out.",
            )
        return index, None
    from indexer.milvus.connection import require_reachable  # noqa: PLC0415 - imports this module

    address = Address.parse(index)
    require_reachable(address)
    return work or Path("data") / f"milvus-{address.collection}", address


def _one_of(options: dict[str, str], name: str, usual: str, known: object) -> str:
    value = options.pop(name, usual).lower()
    values: list[str] = list(known)  # type: ignore[call-overload]
    if value not in values:
        raise UsageError(
            f"{name} is {value!r} in the address of Milvus.",
            hint=f"It can be {', '.join(values)}.",
        )
    return value
