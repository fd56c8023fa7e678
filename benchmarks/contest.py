"""The contestants of `benchmarks.all`, in turns: the plain recipe, and each runtime.

Turn by turn on the same pictures, so that a machine that is busy for a while is so for all of
them; what is reported are medians, and medians of the ratios of each turn.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.machine import Pictures, spread
from benchmarks.main_job import Server, index, ratios
from benchmarks.seed import Seed
from indexer.embedder import Embedder, cores, embedder_class
from indexer.model import FEATURES, MODEL_FILE
from indexer.network import keras_runtime
from indexer.pictures import prepare
from indexer.projection import Projection
from indexer.recipe import DEFAULT
from indexer.weights import Weights

SEED = "seed recipe"
BATCH = 32
BLOCK = 20
"""Photos that one contestant is asked with before the next."""

SIDE = 299

Figures = dict[str, Any]


def main_job(
    folder: Path,
    seed: Seed,
    runtimes: list[str],
    catalogue: Pictures,
    photos: Pictures,
    rounds: int,
) -> Figures:
    """Index from files to a published index, then ask with photos over HTTP, all in turns.

    Parameters
    ----------
    folder : Path
        Where the indexes are made: `folder` / runtime / turn.
    seed : Seed
        The plain recipe, loaded. It loads and embeds, and keeps no thumbnails and no index.
    runtimes : list of str
        What takes part beside it.
    catalogue, photos : list of (Path, str)
        Divided among the turns; all of the photos, in each.
    rounds : int
        How many turns.
    """
    rates: dict[str, list[float]] = {name: [] for name in (SEED, *runtimes)}
    times: dict[str, list[float]] = {name: [] for name in (SEED, *runtimes)}
    # Keras builds its function anew for each size of batch: a whole one, what is left over, one.
    for count in {min(BATCH, len(catalogue)), len(catalogue[::rounds]) % BATCH, 1} - {0}:
        seed.embed([path for path, _ in catalogue[:count]])
    for runtime in runtimes:
        (folder / runtime).mkdir(parents=True)
        index(folder / runtime / "warm", catalogue[:16], runtime)
    for turn in range(rounds):
        part = catalogue[turn::rounds]
        started = time.perf_counter()
        features = seed.embed([path for path, _ in part])
        rates[SEED].append(len(part) / (time.perf_counter() - started))
        seed.fit(features)
        for runtime in runtimes:
            took = index(folder / runtime / str(turn), part, runtime)
            rates[runtime].append(len(part) / took)
    servers = {name: Server(folder / name / "0", name) for name in runtimes}
    asked = {SEED: seed.query, **{name: server.query for name, server in servers.items()}}
    try:
        for start in range(0, len(photos), BLOCK):
            block = [photo for photo, _ in photos[start : start + BLOCK]]
            for name, query in asked.items():
                query(block[0])  # loads what is loaded late; threads of the one before still spin
                for photo in block:
                    started = time.perf_counter()
                    query(photo)
                    times[name].append(time.perf_counter() - started)
    finally:
        for server in servers.values():
            server.stop()
    return {
        "pictures_per_s": {name: round(median(values), 2) for name, values in rates.items()},
        "pictures_per_s_of_each_turn": {
            name: [round(value, 2) for value in values] for name, values in rates.items()
        },
        "times_the_seed_recipe": _against(rates, 2),
        "photo_ms": {name: round(1000 * median(values), 1) for name, values in times.items()},
        "photo_share_of_the_seed_recipe": _against(times, 3),
    }


def network(folder: Path, seed: Seed, runtimes: list[str], rounds: int) -> Figures:
    """Run the network alone, in turns: many pictures by all cores, and one photo by all cores."""
    pixels = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE, 3), np.uint8)
    floats = pixels.astype(np.float32) / 255
    bulk: dict[str, Embedder] = {}
    photo: dict[str, Embedder] = {}
    for name in runtimes:
        kind, model = embedder_class(name, folder / name / "0"), folder / name / "0" / MODEL_FILE
        bulk[name], photo[name] = kind.for_bulk(model), kind.for_photos(model)
    seed.predict(floats), seed.predict(floats[:1])
    rates: dict[str, list[float]] = {name: [] for name in ("keras", *runtimes)}
    times: dict[str, list[float]] = {name: [] for name in ("keras", *runtimes)}
    with ThreadPoolExecutor(cores()) as threads:
        for _ in range(rounds):
            started = time.perf_counter()
            seed.predict(floats)
            rates["keras"].append(BATCH / (time.perf_counter() - started))
            for name in runtimes:
                started = time.perf_counter()
                list(threads.map(bulk[name].embed, pixels))
                rates[name].append(BATCH / (time.perf_counter() - started))
            for place, one in enumerate(pixels[:4]):
                started = time.perf_counter()
                seed.predict(floats[place : place + 1])
                times["keras"].append(time.perf_counter() - started)
                for name in runtimes:
                    started = time.perf_counter()
                    photo[name].embed(one)
                    times[name].append(time.perf_counter() - started)
    return {
        "pictures_per_s": {name: round(median(values), 1) for name, values in rates.items()},
        "photo_ms": {name: round(1000 * median(values), 1) for name, values in times.items()},
    }


def agreement(
    folder: Path,
    weights: Weights,
    runtimes: list[str],
    catalogue: Pictures,
    photos: Pictures,
) -> Figures:
    """Measure what each runtime changes in the answers, against Keras in float32.

    Returns
    -------
    dict
        Of each runtime: the mean and the least cosine of each part of the features; the share of
        the ten nearest of a photo that are float32's too; P@10 by category, and its difference.
    """
    shown = [
        np.stack([prepare(path.read_bytes(), SIDE).pixels for path, _ in part])
        for part in (catalogue, photos)
    ]
    run = keras_runtime(weights, SIDE)
    references = [_float32(run, part) for part in shown]
    have = np.array([category for _, category in catalogue])
    want = np.array([category for _, category in photos])
    nearest = _nearest(*references)
    exact = float((have[nearest] == want[:, None]).mean())
    said: Figures = {"keras": {"p_at_10": round(exact, 4)}}
    with ThreadPoolExecutor(cores()) as threads:
        for name in runtimes:
            home = folder / name / "0"
            embedder = embedder_class(name, home).for_bulk(home / MODEL_FILE)
            made = [np.stack(list(threads.map(embedder.embed, part))) for part in shown]
            found = _nearest(*made)
            overlap = [len(set(a) & set(b)) / 10 for a, b in zip(nearest, found, strict=True)]
            precision = float((have[found] == want[:, None]).mean())
            said[name] = {
                "cosine": _cosines(np.concatenate(references), np.concatenate(made)),
                "top_10_overlap": round(float(np.mean(overlap)), 4),
                "p_at_10": round(precision, 4),
                "p_at_10_difference": round(precision - exact, 4),
            }
    return said | {"pictures": len(catalogue), "photos": len(photos)}


def _float32(run: Any, pixels: np.ndarray) -> np.ndarray:
    parts = []
    for start in range(0, len(pixels), BATCH):
        outputs = run(pixels[start : start + BATCH])
        parts.append(np.concatenate([outputs[name] for name in FEATURES], axis=1))
    return np.concatenate(parts)


def _nearest(catalogue: np.ndarray, photos: np.ndarray) -> np.ndarray:
    """Return the ten nearest of each photo by the default recipe, fitted on these features."""
    fitted = Projection.fit(DEFAULT, catalogue)
    similarity = fitted.transform(photos) @ fitted.transform(catalogue).T
    return np.argsort(-similarity, axis=1)[:, :10]


def _cosines(exact: np.ndarray, made: np.ndarray) -> Figures:
    found = {}
    for place, name in enumerate(FEATURES):
        part = slice(place * 768, (place + 1) * 768)
        a, b = exact[:, part], made[:, part]
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosines = (a * b).sum(axis=1) / lengths
        found[name] = {
            "mean": round(float(cosines.mean()), 5),
            "least": round(float(cosines.min()), 5),
        }
    return found


def _against(measured: dict[str, list[float]], digits: int) -> dict[str, float]:
    return ratios({"seed": measured[SEED], **_without(measured)}, digits)


def _without(measured: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: values for name, values in measured.items() if name != SEED}


def parts(catalogue: Pictures, photos: Pictures, sizes: dict[str, int]) -> dict[str, Pictures]:
    """Return the pictures of each measurement, spread over the catalogue."""
    return {
        "indexed": spread(catalogue, sizes["rounds"] * sizes["pictures"]),
        "asked": spread(photos, sizes["photos"]),
        "compared": spread(catalogue, sizes["compared"]),
        "compared_photos": spread(photos, sizes["compared_photos"]),
        "profiled": spread(catalogue, sizes["profiled"]),
    }
