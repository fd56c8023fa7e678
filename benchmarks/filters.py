"""Filters and facets over a made catalogue: build, memory, time of each kind of filter.

    python -m benchmarks.filters [--documents 1000000] [--rounds 20]

Ten attributes: five of few values, two of thousands, one of a different value each, one number, one
boolean, one list. Prints Markdown tables; where pyroaring is installed, the same values as Roaring
bitmaps beside.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from indexer.field_values import FieldType, ListingFields, Row
from indexer.fields import FieldTable, first_documents, infer_types, write_fields
from search.facets import Part, facets, worth_a_facet
from search.filter_select import selected
from search.filters import parse

FILTERS = {
    "half": "condition:new",
    "half, negated": "-condition:new",
    "10 %": "material:m3",
    "1 %": "category:c12,c13",
    "0.1 %": "brand:b1,b2,b3,b4",
    "0.01 %": "seller:s7",
    "range, 50 %": "price:250..750",
    "range, 1 %": "price:500..510",
    "range, 0.01 %": "price:500..500.1",
    "one of a million": "sku:sku-77777",
    "prefix": "brand:b12*",
    "presence": "-size:*",
    "list": "tags:t1,t5",
    "six terms": "condition:new material:m1,m2 price:100..900 brand!=b1,b2 colour:c1 sale:true",
}


def made(count: int) -> Iterator[Row]:
    """Yield listings with values of many kinds."""
    random = np.random.default_rng(0)
    block = 10_000
    for start in range(0, count, block):
        numbers = random.random((block, 12))
        for at, row in enumerate(numbers[: count - start].tolist()):
            number = start + at + 1
            yield Row(
                number,
                ListingFields(
                    f"id-{number}",
                    f"A thing of number {number}, in a good colour and quite as shown",
                    f"c{int(row[0] * 200)}",
                    round(row[1] * 1000, 2),
                    "EUR" if row[2] < 0.9 else "USD",
                    f"https://shop.example/things/{number}",
                    {
                        "condition": "new" if row[3] < 0.5 else "used",
                        "material": f"m{int(row[4] * 10)}",
                        "colour": f"c{int(row[5] * 30)}",
                        "brand": f"b{int(row[6] * 4000)}",
                        "seller": f"s{int(row[7] * 10000)}",
                        "sku": f"SKU-{number}",
                        "weight": round(row[8] * 10, 1),
                        "sale": row[9] < 0.2,
                        "tags": [f"t{int(row[10] * 20)}", f"t{int(row[11] * 20)}"],
                    }
                    | ({"size": f"{int(row[2] * 12) + 34}"} if row[10] < 0.7 else {}),
                ),
            )


def median_ms(rounds: int, work: Callable[[], object]) -> float:
    """Return the median processor time of a call; all of this runs on one thread."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times) * 1000


def anonymous_mb() -> float:
    """Return this process's anonymous memory, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _write(path: Path, count: int, types: dict[str, FieldType]) -> tuple[float, float]:
    listings = np.arange(1, count + 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    write_fields(path, made(count), listings, types)
    took = time.process_time() - start
    return took, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def _memory(path: Path, count: int, types: dict[str, FieldType], several: list[str]) -> float:
    before = anonymous_mb()
    part = Part(FieldTable.open(path, count), first_documents(np.arange(count)))
    for text in FILTERS.values():
        condition = parse(text).check(types)
        selected(part.table, condition, count)
        facets([part], condition, types, several)
    return anonymous_mb() - before


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), said.documents, said.rounds)


def measure(folder: Path, count: int, rounds: int) -> None:
    """Print the tables."""
    start = time.process_time()
    types: dict[str, FieldType] = infer_types(row.fields for row in made(count))
    inferred = time.process_time() - start
    start = time.process_time()
    for _ in made(count):
        pass
    making = time.process_time() - start
    listings = np.arange(1, count + 1)
    path = folder / "fields.bin"
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        wrote, peak = fresh.submit(_write, path, count, types).result()
    print(f"{count:,} documents, 10 attributes each; processor time, without making them:\n")
    print("| | |\n|---|---|")
    print(f"| types inferred | {inferred - making:.1f} s |")
    size = path.stat().st_size / count
    print(f"| written | {wrote - making:.1f} s, {size:.0f} B a document, {peak:.0f} MB of memory |")
    start = time.perf_counter()
    table = FieldTable.open(path, count)
    table.names()
    first = parse("brand:b7").check(types)
    selected(table, first, count)
    print(f"| opened, and the first filter | {(time.perf_counter() - start) * 1000:.1f} ms |")
    print("\n| filter | keeps | ms |\n|---|---|---|")
    for name, text in FILTERS.items():
        condition = parse(text).check(types)
        kept = selected(table, condition, count).count
        took = median_ms(rounds, lambda condition=condition: selected(table, condition, count))
        print(f"| {name}: `{text}` | {kept:,} | {took:.2f} |")
    part = Part(table, first_documents(listings))
    fields = worth_a_facet([part], types, limit=20)
    several = ["category", "price", "currency", "condition", "material", "colour", "brand", "size"]
    several += ["sale", "tags"]
    print("\n| facets of 10 fields | ms |\n|---|---|")
    for text in ("", "condition:new", "category:c12,c13 price:100..500", "seller:s7"):
        condition = parse(text).check(types)
        took = median_ms(
            rounds, lambda condition=condition: facets([part], condition, types, several)
        )
        print(f"| `{text or 'no filter'}` | {took:.1f} |")
    print(f"\nWorth a facet: {', '.join(fields)}.")
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        memory = fresh.submit(_memory, path, count, types, several).result()
    print(
        f"Anonymous memory that all these filters and facets leave in a process: {memory:.0f} MB."
    )
    growing = FieldTable.empty(types)
    rows = [row.fields for row in made(min(count, 100_000))]
    start = time.process_time()
    for fields_of_one in rows:
        growing.add(fields_of_one)
    each = (time.process_time() - start) / len(rows) * 1e6
    condition = parse(FILTERS["six terms"]).check(types)
    took = median_ms(rounds, lambda: selected(growing, condition, growing.total))
    print(f"In memory: {each:.0f} µs to add one; six terms over {growing.total:,}: {took:.2f} ms.")
    _roaring(table, count, rounds)


def _roaring(table: FieldTable, count: int, rounds: int) -> None:
    try:
        from pyroaring import BitMap
    except ImportError:
        return
    print("\n| value | documents | these files | Roaring |\n|---|---|---|---|")
    for field, text in (("condition", "new"), ("material", "m3"), ("brand", "b7")):
        found = np.flatnonzero(np.unpackbits(table.equal(field, [text]), bitorder="little"))
        raw = BitMap(found.tolist()).serialize()

        def by_roaring(raw: bytes = raw) -> object:
            mask = np.zeros(count, np.bool_)
            mask[np.asarray(BitMap.deserialize(raw).to_array())] = True
            return np.packbits(mask, bitorder="little")

        def by_file(field: str = field, text: str = text) -> object:
            return table.equal(field, [text])

        ours, theirs = median_ms(rounds, by_file), median_ms(rounds, by_roaring)
        size = min(len(found) * 4, count // 8)
        print(
            f"| {field}:{text} | {len(found):,} | {ours:.2f} ms, {size:,} B"
            f" | {theirs:.2f} ms, {len(raw):,} B |"
        )


if __name__ == "__main__":
    main()
