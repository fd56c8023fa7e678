"""Which kind of FAISS index serves how many vectors in how much memory, and what it costs.

The figures were measured by `benchmarks/scale.py`; docs/scale.md has the tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FLAT_UP_TO = 20_000
"""Vectors up to which comparing with all of them is fast enough, and exact."""

PROGRAM = 200_000_000
"""Bytes of memory that a serving process takes beside its index."""

MOST_LISTS = 1 << 16
"""Inverted lists at most: training them takes time that grows with their square."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of FAISS index.

    Attributes
    ----------
    factory : str
        As `faiss.index_factory` takes it.
    lists : int
        Inverted lists; 0 of an exact index.
    resident : int
        Bytes in the memory of a serving process.
    mapped : int
        Bytes of its own files, of which the system keeps in memory what is used often.
    codes : int
        Subquantisers of the codes that are scanned for filters and fresh vectors; 0 without any.
    """

    factory: str
    lists: int
    resident: int
    mapped: int
    codes: int

    @property
    def exact(self) -> bool:
        """Whether a query is compared with every vector."""
        return not self.lists

    @property
    def in_memory(self) -> bool:
        """Whether the inverted lists lie in memory, not in a mapped file."""
        return "PQ" in self.factory


def choose(
    count: int, dims: int, memory: int | None = None, flat_up_to: int = FLAT_UP_TO
) -> Choice:
    """Choose the kind of FAISS index.

    Candidates are found by codes of 4 bits for 2 dimensions (for 4 where the memory is short),
    which lie in memory, and compared exactly by the vectors, which are mapped. Where the codes do
    not fit either, inverted lists of one byte a dimension are mapped.

    Parameters
    ----------
    count, dims : int
        How many vectors of how many dimensions.
    memory : int, optional
        Bytes that a serving process may take beside what it maps; no limit where not given.
    flat_up_to : int, optional
        Vectors up to which an exact index is chosen.
    """
    if count <= flat_up_to:
        return Choice("Flat", 0, 0, 4 * count * dims, 0)
    lists = min(MOST_LISTS, 2 ** round(math.log2(4 * math.sqrt(count))))
    # No graph to find lists by (IVF{lists}_HNSW32): FAISS' graph of inner products does not reach
    # all of them, and what it says instead of a list spoils the similarities. At 10 million
    # vectors no setting found more than three in four of the nearest.
    centres = lists * 4 * dims
    fine = _subquantisers(dims, 2)
    codes = count * ((fine + 1) // 2)
    for step in (2, 4):
        parts = _subquantisers(dims, step)
        # A list is filled up to a multiple of 32 vectors; an id takes 8 bytes.
        resident = centres + (count + 16 * lists) * ((parts + 1) // 2) + 8 * count
        if memory is None or PROGRAM + resident <= memory:
            return Choice(f"IVF{lists},PQ{parts}x4fs", lists, resident, codes, fine)
    return Choice(f"IVF{lists},SQ8", lists, centres, codes + count * (dims + 8), fine)


def _subquantisers(dims: int, step: int) -> int:
    """Return how many parts of `step` dimensions, or of fewer where they do not divide by it."""
    return next(dims // part for part in (step, 2, 1) if dims % part == 0)


FEATURES = {"average": 1536, "mixed7": 3072, "all": 6144, "regions": 7680}
"""Bytes of the stored features of a picture, by `--keep-features`."""

DATABASE = 1_000
"""Bytes of a listing in the database, with a few attributes."""

THUMBNAIL = 23_000
"""Bytes of a thumbnail: 3,068 clothes took 71 MB."""

EMBEDDED = 20.0
"""Pictures a second on two cores with AVX2 (docs/performance.md)."""

SPEED = 0.04
"""Seconds of `indexer.probing.work` on that machine while it was idle. Not measured then, but
worked out from the ratios of what follows to it while it was busy: .03 to .05."""

PROJECTING = 8.4e-6
"""Seconds to turn a picture's stored features into its vector (measured beside other work)."""

TRAINING = 1.5e-6
"""Seconds of one core to train inverted lists of 128 dimensions, times their number squared: twice
what two idle cores took for 4,096."""

ADDING = 4.4e-9
"""Seconds of one core to find a vector's list of 128 dimensions and code it, times the number of
lists: likewise."""

CODING = 1.2e-5
"""Seconds to code a vector for scans, and to compare it with the questions that measure recall."""

DAY = 86_400

MOST_PLANNED = 10**12
"""Listings that a plan is made for at most."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a catalogue takes on one machine, a picture a listing.

    Attributes
    ----------
    choice : Choice
        The kind of FAISS index.
    fits : bool
        Whether it fits the memory.
    least : int
        Bytes of memory that a serving process takes at least, with the smallest kind of index.
    files : dict of str to int
        Bytes of a listing on disk, by what they are for.
    resident : float
        Bytes of a listing in the memory of a serving process.
    hot : int
        Bytes in all that should stay in memory for searches not to wait for the disk.
    build, embedding : float
        Seconds of building the index, and before it of embedding the pictures.
    machines : int
        So many like this one embed within a day.
    ray_from : int
        Listings from which one machine embeds for longer than a day.
    milvus_from : int or None
        Listings from which `hot` no longer fits the memory; None without a limit, and where not
        even the program fits.
    """

    choice: Choice
    fits: bool
    least: int
    files: dict[str, int]
    resident: float
    hot: int
    build: float
    embedding: float
    machines: int
    ray_from: int
    milvus_from: int | None

    @property
    def disk(self) -> int:
        """Bytes of a listing on disk."""
        return sum(self.files.values())


def costs(
    count: int,
    dims: int,
    memory: int | None = None,
    *,
    keep: str = "mixed7",
    rate: float = EMBEDDED,
    slowness: float = 1.0,
) -> Costs:
    """Return what a catalogue takes.

    Parameters
    ----------
    count, dims : int
        Listings, with a picture each, and dimensions of a vector.
    memory : int, optional
        Bytes that the machine has.
    keep : str, optional
        Which features are stored, a key of `FEATURES`.
    rate : float, optional
        Pictures that are embedded a second.
    slowness : float, optional
        How many times as long this machine takes as the measured one.
    """
    choice = choose(count, dims, memory)
    own = choice.mapped if choice.exact or not choice.in_memory else choice.resident + choice.mapped
    files = {
        "features": FEATURES[keep],
        "vectors": 2 * dims,
        "index": math.ceil(own / count),
        "database": DATABASE,
        "thumbnail": THUMBNAIL,
    }
    return Costs(
        choice,
        memory is None or PROGRAM + choice.resident <= memory,
        PROGRAM + choose(count, dims, 0).resident,
        files,
        choice.resident / count,
        _hot(count, dims),
        slowness * _build_seconds(count, dims, choice),
        count / rate,
        math.ceil(count / rate / DAY),
        _rounded(rate * DAY),
        None if memory is None or memory < _hot(1, dims) else _most(dims, memory),
    )


def _hot(count: int, dims: int) -> int:
    """Return the bytes that searches go through: codes in memory, and mapped vectors."""
    choice = choose(count, dims)
    return PROGRAM + choice.resident + choice.mapped + (0 if choice.exact else 2 * dims * count)


def _build_seconds(count: int, dims: int, choice: Choice) -> float:
    seconds = PROJECTING * count
    if choice.exact:
        return seconds
    wide = dims / 128
    adding = ADDING * choice.lists + CODING
    return seconds + wide * (TRAINING * choice.lists**2 + count * adding)


def _most(dims: int, memory: int) -> int:
    """Return how many vectors can be searched without waiting for the disk, to two digits."""
    low, high = 1, 10**12
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (middle, high) if _hot(middle, dims) <= memory else (low, middle)
    return _rounded(low)


def _rounded(number: float) -> int:
    """Return a number cut to two digits."""
    step = 10 ** max(0, len(str(int(number))) - 2)
    return int(number) // int(step) * int(step)
