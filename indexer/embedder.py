"""Pictures to features: a small pool of interpreters, one picture at a time each."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged, IndexNotReady, MissingExtra
from indexer.held_stderr import without_lines
from indexer.model import FEATURES, LAYERS
from indexer.runtimes import OPENVINO_FILE, runtime_of

Run = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]
"""(1, size, size, 3) uint8 -> outputs by name."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Embedder:
    """The network on LiteRT, as a function of one picture; safe to call from several threads.

    Each call has an interpreter to itself, and an interpreter sees one picture at a time: what
    comes out does not depend on what else is in flight.

    Parameters
    ----------
    model : Path
        The converted network (`indexer.model.convert_cached`).
    interpreters : int
        How many pictures are embedded at once.
    threads : int
        Threads of each interpreter. For bulk work, one each and as many interpreters as cores is
        fastest; for one photo, one interpreter with all cores.

    Raises
    ------
    IndexDamaged
        If the file is no LiteRT model, or not this network's.
    """

    def __init__(self, model: Path, *, interpreters: int = 1, threads: int = 1) -> None:
        self.workers = interpreters
        self._model = model
        self._threads = threads
        self._free: queue.SimpleQueue[Run] = queue.SimpleQueue()
        self._maps_lock = threading.Lock()
        self._maps: Run | None = None
        for _ in range(interpreters):
            self._free.put(self._runner("features"))

    @classmethod
    def for_bulk(cls, model: Path) -> Embedder:
        """Return an embedder for many pictures."""
        return cls(model, interpreters=cores(), threads=1)

    @classmethod
    def for_photos(cls, model: Path, threads: int | None = None) -> Embedder:
        """Return an embedder for one photo at a time."""
        return cls(model, interpreters=1, threads=threads or cores())

    def embed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the pooled features of one picture.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (size, size, 3)
            From `indexer.pictures.prepare`.

        Returns
        -------
        ndarray of float32, shape (len(FEATURES) * 768,)
            The outputs `indexer.model.FEATURES`, one after the other; of a network that was
            converted when there were fewer, the first of them.
        """
        with self._taken() as run:
            outputs = run(pixels[np.newaxis])
        return np.concatenate([outputs[name][0] for name in FEATURES if name in outputs])

    def maps(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return the maps of `indexer.model.LAYERS`, each (17, 17, 768) at 299 pixels."""
        with self._maps_lock:
            if self._maps is None:
                self._maps = self._runner("maps")
            outputs = self._maps(pixels[np.newaxis])
        return {name: outputs[name][0] for name in LAYERS}

    @contextmanager
    def _taken(self) -> Iterator[Run]:
        run = self._free.get()
        try:
            yield run
        finally:
            self._free.put(run)

    def _runner(self, signature: str) -> Run:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - 0.2 s

        try:
            interpreter = Interpreter(str(self._model), num_threads=self._threads)
            with without_lines(b"XNNPACK delegate"):  # a greeting
                interpreter.allocate_tensors()
            runner: Any = interpreter.get_signature_runner(signature)
        except (ValueError, RuntimeError) as error:
            raise IndexDamaged(
                f"{self._model} is not this program's network ({error}).",
                hint="Run `lookalike verify`; index again into another folder if it is damaged.",
            ) from error
        return lambda pixels: runner(pixels=pixels)


class OpenVINOEmbedder(Embedder):
    """The same on OpenVINO in int8; maps, which few ask for, stay with LiteRT.

    Parameters
    ----------
    model : Path
        The converted network in an index's folder; OpenVINO's form of it lies beside it.
    interpreters, threads : int
        As for `Embedder`.

    Raises
    ------
    MissingExtra
        If OpenVINO is not installed.
    IndexNotReady
        If the index does not hold this form of its network.
    IndexDamaged
        If OpenVINO cannot read it.
    """

    def __init__(self, model: Path, *, interpreters: int = 1, threads: int = 1) -> None:
        self._compiled = _compiled(model.with_name(OPENVINO_FILE), interpreters, threads)
        super().__init__(model, interpreters=interpreters, threads=threads)
        # Two threads that are the first to pass arrays to OpenVINO may wait for one another for
        # ever: its binding (pybind11) sets itself up without letting go of Python's lock.
        with _first_use, self._taken() as run:
            run(np.zeros(tuple(self._compiled.input(0).shape), np.uint8))

    def _runner(self, signature: str) -> Run:
        if signature == "maps":
            return super()._runner(signature)
        request = self._compiled.create_infer_request()
        given = [output.get_any_name() for output in self._compiled.outputs]

        def run(pixels: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
            request.infer([pixels])
            # Copies: the request's own tensors are written again by the next picture.
            return {name: request.get_tensor(name).data.copy() for name in given}

        return run


class KerasEmbedder(Embedder):
    """The same on Keras in float32: the reference, and for GPUs. Imports TensorFlow.

    Parameters
    ----------
    weights : indexer.weights.Weights
        What the index was made with.
    input_size : int
        Pixels a side.
    """

    def __init__(self, weights: Any, input_size: int) -> None:
        from indexer.network import keras_runtime  # noqa: PLC0415 - imports TensorFlow

        self.workers = 1
        run = keras_runtime(weights, input_size)
        self._free = queue.SimpleQueue()
        self._free.put(run)
        self._maps_lock = threading.Lock()
        self._maps = run


def embedder_class(runtime: str, folder: Path) -> type[Embedder]:
    """Return what runs an index's own network, for any runtime but Keras."""
    return OpenVINOEmbedder if runtime_of(runtime, folder) == "openvino" else Embedder


def _compiled(model: Path, interpreters: int, threads: int) -> Any:
    try:
        import openvino  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra("The openvino runtime", "openvino") from error
    if not model.is_file():
        raise IndexNotReady(
            f"The index in {model.parent} does not hold its network in OpenVINO's form.",
            hint=f"Add it with: lookalike index CATALOG --runtime openvino --index {model.parent}",
        )
    settings = {
        "NUM_STREAMS": str(interpreters),
        "INFERENCE_NUM_THREADS": str(interpreters * threads),
        # Threads that are bound to cores wait there for the loader's, which are not.
        "ENABLE_CPU_PINNING": "NO",
        # Where there is bfloat16, what is not int8 would be computed in it.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    try:
        return openvino.Core().compile_model(model, "CPU", settings)
    except RuntimeError as error:
        raise IndexDamaged(
            f"{model} cannot be read by OpenVINO ({str(error).strip().splitlines()[-1]}).",
            hint="Remove it and index again with --runtime openvino.",
        ) from error


_first_use = threading.Lock()
