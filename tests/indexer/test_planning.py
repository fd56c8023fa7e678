"""Which index for how many vectors, what that costs, and how `lookalike plan` says it."""

import json

import pytest
from click.testing import CliRunner

import indexer.probing
from indexer.commands.plan import plan
from indexer.planning import FLAT_UP_TO, PROGRAM, choose, costs


def told(*arguments):
    return CliRunner().invoke(plan, [*arguments, "--no-probe"])


def test_a_small_catalogue_is_searched_exactly():
    choice = choose(FLAT_UP_TO, 128)
    assert choice.exact
    assert (choice.factory, choice.resident) == ("Flat", 0)
    assert not choose(FLAT_UP_TO + 1, 128).exact
    assert not choose(501, 128, flat_up_to=500).exact


@pytest.mark.parametrize(
    ("count", "factory"),
    [
        (1_000_000, "IVF4096,PQ64x4fs"),
        (10_000_000, "IVF16384,PQ64x4fs"),
        (10_000_000_000, "IVF65536,PQ64x4fs"),
    ],
)
def test_lists_grow_with_the_root_of_the_vectors(count, factory):
    assert choose(count, 128).factory == factory


def test_a_smaller_budget_takes_smaller_codes_and_then_none():
    million = 1_000_000
    full = choose(million, 128)
    half = choose(million, 128, PROGRAM + full.resident - 1)
    none = choose(million, 128, 1)
    assert choose(million, 128, PROGRAM + full.resident) == full
    assert half.factory == "IVF4096,PQ32x4fs"
    assert none.factory == "IVF4096,SQ8"
    assert full.resident > half.resident > none.resident
    assert full.in_memory
    assert not none.in_memory
    assert {full.codes, half.codes, none.codes} == {64}  # of what is scanned for filters


@pytest.mark.parametrize(("dims", "parts"), [(128, 64), (97, 97), (6, 3), (1, 1)])
def test_codes_of_any_number_of_dimensions(dims, parts):
    assert choose(50_000, dims).codes == parts


def test_costs_grow_with_the_catalogue_and_the_machine():
    small, large = costs(1_000_000, 128), costs(10_000_000, 128)
    assert small.disk == large.disk + small.files["index"] - large.files["index"]
    assert 5 < large.build / small.build < 40
    assert large.embedding == 10 * small.embedding
    assert (costs(1_000_000, 128, rate=10).machines, small.machines) == (2, 1)
    assert costs(1_000_000, 128, slowness=2).build == 2 * small.build
    assert costs(1000, 128).build < 1
    assert costs(1_000_000, 128, keep="mixed7").files["features"] == 3072


def test_from_when_on_milvus():
    found = costs(1_000_000, 128, 64 * 10**9)
    assert 150_000_000 < found.milvus_from < 250_000_000
    assert costs(found.milvus_from, 128, 64 * 10**9).hot <= 64 * 10**9
    assert costs(2 * found.milvus_from, 128, 64 * 10**9).hot > 64 * 10**9
    assert costs(1_000_000, 128).milvus_from is None
    assert not costs(1_000_000, 128, 10**8).fits


def test_the_plan_of_a_hundred_million():
    result = told("--listings", "100M", "--dims", "128", "--memory", "64GB")
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    for said in ("100,000,000 listings", "IVF32768,PQ64x4fs", "40 B", "4.0 GB", "Milvus"):
        assert said in text
    assert "58 machines like this one" in text
    assert "Not measured here" in text
    assert max(map(len, result.output.splitlines())) <= 80


def test_the_plan_of_a_shop_needs_no_cluster():
    text = " ".join(told("--listings", "5k", "--memory", "8GB").output.split())
    assert "Index: Flat." in text
    assert "Ray: not yet" in text
    assert "Milvus: not yet" in text


def test_a_plan_that_does_not_fit_says_so():
    text = " ".join(told("--listings", "1B", "--memory", "1GB").output.split())
    assert "wait for the disk" in text or "does not fit" in text


@pytest.mark.parametrize(
    ("listings", "memory", "least"),
    [("1000", "1KB", "200 MB"), ("1M", "1KB", "203 MB"), ("1B", "202MB", "234 MB")],
)
def test_less_memory_than_it_takes(listings, memory, least):
    text = " ".join(told("--listings", listings, "--memory", memory).output.split())
    assert f"It does not fit {memory.replace('KB', '.0 KB').replace('MB', ' MB')}: " in text
    assert f"the program takes 200 MB by itself, and these listings take {least} with it" in text
    assert ("Milvus" in text) == (memory != "1KB")
    said = json.loads(told("--listings", listings, "--memory", memory, "--json").output)
    assert said["least"] >= PROGRAM
    enough = told("--listings", listings, "--memory", least.replace(" ", ""), "--json").output
    assert (said["fits"], json.loads(enough)["fits"]) == (False, True)


def test_the_plan_as_json():
    result = told("--listings", "1.5k", "--memory", "512MiB", "--json", "--keep-features", "mixed7")
    said = json.loads(result.output)
    assert (said["listings"], said["memory"]) == (1500, 512 * 2**20)
    assert said["choice"]["factory"] == "Flat"
    assert said["measured_here"] == {"index": False, "embedding": False}
    assert said["disk"] == sum(said["files"].values())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listings", "many"],
        ["--listings", "0"],
        ["--listings", "-5"],
        ["--listings", "9000000B"],
        ["--listings", "10GB"],
        ["--listings", "1M", "--memory", "64"],
        ["--listings", "1M", "--memory", "lots"],
        ["--listings", "1M", "--dims", "0"],
        [],
    ],
)
def test_nonsense_is_wrong_usage(arguments):
    assert told(*arguments).exit_code == 2


def test_what_a_probe_measures(monkeypatch, tmp_path):
    monkeypatch.setattr(indexer.probing, "work", lambda: 10.0)
    monkeypatch.setattr(indexer.probing, "stored_model", lambda index: index / "network.tflite")
    monkeypatch.setattr(indexer.probing, "embedding_rate", lambda model: 100.0)
    arguments = ["--listings", "10M", "--memory", "8GB", "--index", str(tmp_path)]
    text = " ".join(CliRunner().invoke(plan, arguments).output.split())
    assert "Measured here just now: 100.0 pictures/s" in text
    assert "times as long by a probe" in text
    said = json.loads(CliRunner().invoke(plan, [*arguments, "--json"]).output)
    assert said["measured_here"] == {"index": True, "embedding": True}
    assert said["embedding"] == 100_000


def test_probing_for_real(tmp_path, monkeypatch):
    monkeypatch.setattr(indexer.probing, "cache_folder", lambda: tmp_path / "cache")
    assert indexer.probing.stored_model(tmp_path) is None
    (tmp_path / "cache" / "networks").mkdir(parents=True)
    cached = tmp_path / "cache" / "networks" / "abc-minus1_1-299-v1.tflite"
    cached.write_bytes(b"")
    assert indexer.probing.stored_model(tmp_path) == cached
    (tmp_path / "network.tflite").write_bytes(b"")
    assert indexer.probing.stored_model(tmp_path) == tmp_path / "network.tflite"
    assert indexer.probing.work(rounds=1) > 0


def test_the_rate_counts_all_interpreters(monkeypatch, tmp_path):
    class Embedder:
        workers = 2

        @classmethod
        def for_bulk(cls, model):
            return cls()

        def embed(self, pixels):
            assert pixels.shape == (299, 299, 3)

    monkeypatch.setattr("indexer.embedder.Embedder", Embedder)
    assert indexer.probing.embedding_rate(tmp_path, seconds=0.01) > 0
