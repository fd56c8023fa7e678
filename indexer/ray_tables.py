"""What goes to a Ray cluster's workers and comes back, as tables: a row for each picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from indexer.catalog_rows import parse_region
from indexer.listing import Picture
from indexer.steps import Task

if TYPE_CHECKING:
    import pyarrow


def to_table(tasks: list[Task]) -> pyarrow.Table:
    """Return pending pictures as a partition."""
    from pyarrow import Table  # noqa: PLC0415 - an extra

    return Table.from_pydict(
        {
            "number": [task.number for task in tasks],
            "uri": [task.picture.uri for task in tasks],
            "region": [task.region for task in tasks],
            "version": [task.version for task in tasks],
            "held": [task.held for task in tasks],
        }
    )


def from_table(partition: pyarrow.Table) -> Iterator[Task]:
    """Yield the pending pictures of a partition."""
    for row in partition.to_pylist():
        picture = Picture(row["uri"], region=parse_region(row["region"]))
        yield Task(row["number"], picture, row["region"], row["version"], row["held"])


def result_schema() -> pyarrow.Schema:
    """Return the columns of what a worker answers."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    texts = ("uri", "region", "version", "content", "reason", "host", "broken", "hint")
    return pa.schema(
        [
            ("number", pa.int64()),
            *((name, pa.string()) for name in texts),
            ("unread", pa.bool_()),
            ("unreached", pa.bool_()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("thumbnail", pa.binary()),
            ("features", pa.binary()),
        ]
    )
