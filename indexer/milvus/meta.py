"""What belongs to a whole index in Milvus: texts and files, in pieces that Milvus takes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.errors import IndexDamaged, IndexNotReady
from indexer.field_values import FieldType, Inference, hash_of
from indexer.listing import Attribute
from indexer.milvus.connection import Milvus
from indexer.milvus.rows import slots_of
from indexer.milvus.schema import META, NOTHING

PIECE = 48_000
"""Bytes of a piece: 64,000 letters."""

AT_ONCE = 64
"""Pieces that are sent or asked for in one call."""

MOST = 16_384
"""Rows that Milvus answers at most."""

CARD, MADE, PROJECTION, CATEGORIES, MODEL = "card", "made", "projection", "categories", "model"
FIELD, HOLD = "field:", "hold:"

STRONG, WITHOUT_WAITING = "Strong", "Eventually"


@dataclass(slots=True)
class Fields:
    """Attributes that can be filtered by.

    Attributes
    ----------
    types : dict of str to FieldType
        The type that each was first seen with.
    slots : dict of str to int
        The most values that a listing has of each.
    """

    types: dict[str, FieldType] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)

    def joined(self, other: Fields) -> Fields:
        """Return what either of two knows."""
        slots = dict(self.slots)
        for name, count in other.slots.items():
            slots[name] = max(count, slots.get(name, 1))
        return Fields({**other.types, **self.types}, slots)


class Meta:
    """Reads and writes the collection beside that of the vectors.

    Parameters
    ----------
    milvus : Milvus
        Where it is.
    """

    def __init__(self, milvus: Milvus) -> None:
        self._milvus = milvus
        self._name = milvus.address.named(META)

    def stamp(self, name: str, level: str = STRONG) -> str | None:
        """Return what changes whenever a file or text is written; None where there is none."""
        return self.stamps([name], level).get(name)

    def stamps(self, names: Sequence[str], level: str = STRONG) -> dict[str, str]:
        """Return the stamps of several; those that are not there are left out."""
        wanted = ", ".join(f'"{name}"' for name in names)
        return {row["key"]: row["value"] for row in self._rows(f"key in [{wanted}]", level)}

    def read(self, name: str, stamp: str | None = None) -> bytes:
        """Return a file or text.

        Parameters
        ----------
        name : str
            Of it.
        stamp : str, optional
            Of what was written when; as it is now where not given.

        Raises
        ------
        IndexNotReady
            If there is none.
        IndexDamaged
            If a piece is missing or altered.
        """
        # What a stamp was read of is there, mostly also where nobody waits for the newest.
        levels = (WITHOUT_WAITING, STRONG) if stamp else (STRONG,)
        stamp = stamp or self.stamp(name)
        if stamp is None:
            raise IndexNotReady(
                f"The index in {self._milvus.address} holds nothing to search yet.",
                hint=f"Fill it with: lookalike index CATALOG --index {self._milvus.address}",
            )
        head = json.loads(stamp)
        keys = _keys(name, head["sha256"], head["pieces"])
        for level in levels:
            data = _joined(keys, self._pieces(keys, level))
            if hashlib.sha256(data).hexdigest() == head["sha256"]:
                return data
        raise IndexDamaged(
            f"The {name} of {self._milvus.address} is not whole.",
            hint="Write it again with `lookalike index`.",
        )

    def _pieces(self, keys: list[str], level: str) -> dict[str, str]:
        pieces: dict[str, str] = {}
        for some in _batches(keys):
            names = ", ".join(f'"{key}"' for key in some)
            pieces |= {row["key"]: row["value"] for row in self._rows(f"key in [{names}]", level)}
        return pieces

    def write(self, name: str, data: bytes, before: str | None = None) -> str:
        """Keep a file or text, and return its stamp; what it was before stays until `tidy`.

        Parameters
        ----------
        name : str
            Of it.
        data : bytes
            What it is from now on.
        before : str, optional
            Its stamp, where there is one: of what has not changed, only those pieces are written
            that were lost or altered since.
        """
        digest = hashlib.sha256(data).hexdigest()
        parts = [data[start : start + PIECE] for start in range(0, len(data), PIECE)]
        head = json.dumps({"sha256": digest, "pieces": len(parts), "bytes": len(data)})
        keys = _keys(name, digest, len(parts))
        texts = {
            key: base64.b64encode(part).decode() for key, part in zip(keys, parts, strict=True)
        }
        # All is read, not its keys alone: who finds a piece altered is told to write it again. The
        # stamp was waited for.
        there = self._pieces(keys, WITHOUT_WAITING) if before == head else {}
        for some in _batches([key for key in keys if there.get(key) != texts[key]]):
            self._put({key: texts[key] for key in some})
        if before != head:
            self._put({name: head})
        return head

    def tidy(self, name: str, stamp: str) -> None:
        """Remove what a file or text was before it had a stamp."""
        head = json.loads(stamp)
        kept = set(_keys(name, head["sha256"], head["pieces"]))
        there = self._rows(f'key like "{name}@%"', WITHOUT_WAITING, ["key"])
        for some in _batches([row["key"] for row in there if row["key"] not in kept]):
            self._milvus.delete(self._name, ids=some, timeout=30.0)

    def fields(self, level: str = STRONG) -> Fields:
        """Return the attributes that can be filtered by."""
        found = Fields()
        for row in self._rows(f'key like "{FIELD}%"', level):
            said = json.loads(row["value"])
            found.types[said["name"]] = said["type"]
            found.slots[said["name"]] = max(said["slots"], found.slots.get(said["name"], 1))
        return found

    def learn(
        self,
        fields: Fields,
        attributes: Iterable[Mapping[str, Attribute]],
        types: Mapping[str, FieldType] | None = None,
    ) -> None:
        """Keep what is new of the attributes of listings that are about to be written.

        Parameters
        ----------
        fields : Fields
            What is known; it is brought up to date.
        attributes : iterable of mapping
            Of the listings.
        types : mapping of str to FieldType, optional
            What is known of them elsewhere.
        """
        inference = Inference({**(types or {}), **fields.types}, texts=False)
        new: dict[str, int] = {}
        for one in attributes:
            inference.add_attributes(one)
            for name, count in slots_of(one).items():
                if count > max(fields.slots.get(name, 0), new.get(name, 0)):
                    new[name] = count
        known = {**(types or {}), **inference.types(), **fields.types}
        for name, kind in known.items():
            if name not in fields.types:
                new.setdefault(name, 1)
                fields.types[name] = kind
        rows = {}
        for name, count in new.items():
            if name in fields.types:
                # By powers of two: rows of their own, so that of two servers which learn at the
                # same moment, neither takes back what the other found; and but a few of them.
                slots = 1 << (max(1, count) - 1).bit_length()
                fields.slots[name] = max(slots, fields.slots.get(name, 1))
                said = {"name": name, "type": fields.types[name], "slots": slots}
                rows[f"{FIELD}{hash_of(name):016x}:{slots}"] = json.dumps(said)
        if rows:
            self._put(rows)

    def hold(self, name: str, until: float) -> None:
        """Note that the features are held, and until when (`indexer.milvus.holding`)."""
        self._put({f"{HOLD}{name}": repr(until)})

    def holds(self) -> dict[str, float]:
        """Return what holds the features, and until when."""
        rows = self._rows(f'key like "{HOLD}%"', STRONG)
        return {row["key"].removeprefix(HOLD): float(row["value"]) for row in rows}

    def let_go(self, names: Sequence[str]) -> None:
        """Remove such notes."""
        keys = [f"{HOLD}{name}" for name in names]
        self._milvus.delete(self._name, ids=keys, timeout=30.0)

    def _put(self, rows: Mapping[str, str]) -> None:
        said: list[dict[str, Any]] = [
            {"key": key, "value": value, "nothing": NOTHING} for key, value in rows.items()
        ]
        self._milvus.upsert(self._name, said, timeout=30.0)

    def _rows(
        self, condition: str, level: str, names: Sequence[str] = ("key", "value")
    ) -> list[dict[str, Any]]:
        found = self._milvus.query(
            self._name,
            filter=condition,
            output_fields=list(names),
            limit=MOST,
            consistency_level=level,
        )
        return list(found)


def _keys(name: str, digest: str, count: int) -> list[str]:
    return [f"{name}@{digest[:16]}#{place:05d}" for place in range(count)]


def _joined(keys: list[str], pieces: Mapping[str, str]) -> bytes:
    """Return what pieces are the parts of; nothing where one of them is no such thing."""
    try:
        return b"".join(base64.b64decode(pieces.get(key, ""), validate=True) for key in keys)
    except ValueError:
        return b""


def _batches(keys: list[str]) -> Iterable[list[str]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))
