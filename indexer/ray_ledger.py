"""Which picture a worker of a Ray cluster had in hand when it died.

Ray Data starts a dead worker again, and gives it again what it was given, for ever. So a small
actor on the driver's machine is told what is begun and ended. A worker that finds its partition
begun before takes one picture after the other, and says which, so that only the one in hand is
blamed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEATHS = 3
"""Workers that may die with a picture in hand before nobody is given it any more."""

NOTHING = -1
"""Stands for a picture where none is in hand by itself."""


class Ledger:
    """What is begun and not ended, and how many died of what: the actor's part.

    Each method may be called twice with the same arguments, and whoever was taken for dead may
    still speak.
    """

    def __init__(self) -> None:
        self._held: dict[int, tuple[bytes, int]] = {}
        self._deaths: dict[int, Counter[int]] = {}

    def begin(self, partition: int, trial: bytes) -> dict[int, int]:
        """Note that a partition is begun; return who died of it, by the picture in hand."""
        before, picture = self._held.get(partition, (trial, NOTHING))
        if before != trial:
            self._deaths.setdefault(partition, Counter())[picture] += 1
        self._held[partition] = trial, NOTHING
        return dict(self._deaths.get(partition, {}))

    def hold(self, partition: int, trial: bytes, picture: int) -> None:
        """Note which picture of a partition is in hand now."""
        if self._is_current(partition, trial):
            self._held[partition] = trial, picture

    def end(self, partition: int, trial: bytes) -> None:
        """Note that a partition is done with."""
        if self._is_current(partition, trial):
            del self._held[partition]

    def _is_current(self, partition: int, trial: bytes) -> bool:
        return self._held.get(partition, (b"", NOTHING))[0] == trial


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of a partition: the worker's part.

    Each note is waited for, since one that was only sent may die with its sender.

    Attributes
    ----------
    ledger : actor handle
        From `start_ledger`.
    partition : int
        The number of its first picture.
    """

    ledger: Any
    partition: int
    _name: bytes = field(default_factory=lambda: os.urandom(8))

    def begin(self) -> Mapping[int, int]:
        """Begin; return how many workers died of the partition, by the picture in hand."""
        deaths: Mapping[int, int] = self._said("begin")
        return deaths

    def hold(self, picture: int) -> None:
        """Take a picture in hand."""
        self._said("hold", picture)

    def end(self) -> None:
        """End."""
        self._said("end")

    def _said(self, what: str, *arguments: int) -> Any:
        import ray  # noqa: PLC0415 - an extra

        note = getattr(self.ledger, what)
        return ray.get(note.remote(self.partition, self._name, *arguments))


def start_ledger(ray: Any) -> Any:
    """Start a ledger on the driver's machine, without which there is no run anyway."""
    from ray.util.scheduling_strategies import (  # noqa: PLC0415 - an extra
        NodeAffinitySchedulingStrategy,
    )

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    # One that is started again has forgotten what it knew: some pictures are tried more often then.
    kept = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
    return ray.remote(Ledger).options(scheduling_strategy=here, **kept).remote()
