"""Pictures to features: a small pool of interpreters, one picture at a time each."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamaged, IndexNotReady, MissingExtra
from indexer.held_stderr import without_lines
from indexer.model import FEATURES, LAYERS
from indexer.runners import Run, Runners, RunnersForPhotos
from indexer.runtimes import OPENVINO_FILE, runtime_of


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


AT_ONCE = 8
"""Photos that a server looks at at once, at most: each interpreter takes 35 MB, and on machines of
more cores several threads."""


class Embedder:
    """The network on LiteRT, as a function of one picture; safe to call from several threads.

    Each call has an interpreter to itself, and an interpreter sees one picture at a time: what
    comes out does not depend on what else is in flight, nor on how many threads there are. Calls
    that wait for an interpreter get one in the order in which they came.

    Parameters
    ----------
    model : Path
        The converted network (`indexer.model.convert_cached`).
    interpreters : int
        How many pictures are embedded at once; they share the threads.
    threads : int, optional
        Of one interpreter more, for a picture that comes when no other is in work; 1 for none.
        One picture is done sooner by all cores, several are by a part of them each.

    Raises
    ------
    IndexDamaged
        If the file is no LiteRT model, or not this network's.
    """

    def __init__(self, model: Path, *, interpreters: int = 1, threads: int = 1) -> None:
        self.workers = interpreters
        self._model = model
        self._threads = threads
        self._each = max(1, threads // interpreters)
        self._maps_lock = threading.Lock()
        self._maps: Run | None = None
        self._runners: Runners
        if threads > 1:
            alone = self._runner("features", threads)
            self._runners = RunnersForPhotos(alone, self._one_more, interpreters)
        else:
            self._runners = Runners(self._one_more() for _ in range(interpreters))

    @classmethod
    def for_bulk(cls, model: Path) -> Embedder:
        """Return an embedder for many pictures."""
        return cls(model, interpreters=cores())

    @classmethod
    def for_photos(cls, model: Path, threads: int | None = None) -> Embedder:
        """Return an embedder for photos of which nobody knows how many come at once."""
        threads = threads or cores()
        return cls(model, interpreters=min(threads, AT_ONCE), threads=threads)

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
        with self._runners.lent() as run:
            outputs = run(pixels[np.newaxis])
        return np.concatenate([outputs[name][0] for name in FEATURES if name in outputs])

    def maps(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return the maps of `indexer.model.LAYERS`, each (17, 17, 768) at 299 pixels."""
        with self._maps_lock:
            if self._maps is None:
                self._maps = self._runner("maps", self._threads)
            outputs = self._maps(pixels[np.newaxis])
        return {name: outputs[name][0] for name in LAYERS}

    def _one_more(self) -> Run:
        return self._runner("features", self._each)

    def _runner(self, signature: str, threads: int) -> Run:
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - 0.2 s

        try:
            interpreter = Interpreter(str(self._model), num_threads=threads)
            # It greets once in a process; what is written to stderr is not held up after that.
            held = nullcontext() if _greeted.is_set() else without_lines(b"XNNPACK delegate")
            with held:
                interpreter.allocate_tensors()
            _greeted.set()
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
        self._compiling = threading.Lock()
        self._compiled: dict[int, Any] = {}
        super().__init__(model, interpreters=interpreters, threads=threads)
        # Two threads that are the first to pass arrays to OpenVINO may wait for one another for
        # ever: its binding (pybind11) sets itself up without letting go of Python's lock.
        with _first_use, self._runners.lent() as run:
            (compiled,) = self._compiled.values()
            run(np.zeros(tuple(compiled.input(0).shape), np.uint8))

    def _runner(self, signature: str, threads: int) -> Run:
        if signature == "maps":
            return super()._runner(signature, threads)
        with self._compiling:
            if threads not in self._compiled:
                streams = self.workers if threads == self._each else 1
                self._compiled[threads] = _compiled(
                    self._model.with_name(OPENVINO_FILE), streams, threads
                )
        compiled = self._compiled[threads]
        request = compiled.create_infer_request()
        given = [output.get_any_name() for output in compiled.outputs]

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
        self._runners = Runners([run])
        self._maps_lock = threading.Lock()
        self._maps = run


def embedder_class(runtime: str, folder: Path) -> type[Embedder]:
    """Return what runs an index's own network, for any runtime but Keras."""
    return OpenVINOEmbedder if runtime_of(runtime, folder) == "openvino" else Embedder


def _compiled(model: Path, streams: int, threads: int) -> Any:
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
        "NUM_STREAMS": str(streams),
        "INFERENCE_NUM_THREADS": str(streams * threads),
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

_greeted = threading.Event()
