"""Pieces of what belongs to a whole index that were lost or altered: the command mends them."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

import pytest

import lookalike
from indexer.errors import IndexDamaged
from indexer.milvus.address import Address
from indexer.milvus.connection import Milvus
from indexer.milvus.meta import CARD, CATEGORIES, MADE, MODEL, PROJECTION, Meta
from indexer.milvus.push import push
from indexer.milvus.schema import META, NOTHING
from indexer.milvus.space import network_folder, read_space
from indexer.model import MODEL_FILE


@pytest.fixture(scope="module")
def work(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mended") / "work"
    shutil.copytree(shop.index, folder, ignore=shutil.ignore_patterns("milvus-*"))
    push(folder, Address.parse(shop.server.address("mended")))
    return folder


@pytest.fixture
def milvus(shop, work):
    with closing(Milvus(Address.parse(shop.server.address("mended")), timeout=60)) as made:
        yield made


@pytest.fixture
def index(shop, work, milvus, capsys):
    """What runs the command, and returns what it says of Milvus."""

    def run():
        said = [shop.folder / "catalog.jsonl", "--index", milvus.address, "--work", work, "--json"]
        capsys.readouterr()
        lookalike.cli.main(["index", *map(str, said)], standalone_mode=False)
        return json.loads(capsys.readouterr().out)["milvus"]

    return run


def key_of(milvus, name):
    head = json.loads(Meta(milvus).stamp(name))
    return f"{name}@{head['sha256'][:16]}#00000"


def lose(milvus, name):
    milvus.delete(milvus.address.named(META), ids=[key_of(milvus, name)])


def alter(milvus, name, value="no piece of it"):
    row = {"key": key_of(milvus, name), "value": value, "nothing": NOTHING}
    milvus.upsert(milvus.address.named(META), [row])


def test_what_is_not_whole_is_written_again(milvus, index, tmp_path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path))
    meta, ways = Meta(milvus), {PROJECTION: lose, CATEGORIES: alter, MODEL: lose, CARD: alter}
    stamps, network = meta.stamps([*ways]), read_space(milvus).network
    for name, spoil in ways.items():
        spoil(milvus, name)
        with pytest.raises(IndexDamaged, match=f"The {name} .* is not whole. Write it again with"):
            meta.read(name)
    with pytest.raises(IndexDamaged):
        read_space(milvus)
    assert index()["written"] == 0
    assert meta.stamps([*ways]) == stamps
    assert read_space(milvus).stamp == stamps[CARD]
    assert (network_folder(milvus, network, MODEL_FILE) / MODEL_FILE).is_file()


def test_what_the_index_was_made_with_is_told_by_its_card(milvus, index):
    meta = Meta(milvus)
    made, stamp = json.loads(meta.read(MADE)), meta.stamp(MADE)
    for key in (MADE, key_of(milvus, MADE)):
        milvus.delete(milvus.address.named(META), ids=[key])
    assert index()["written"] == 0
    assert json.loads(meta.read(MADE)) == made
    assert meta.stamp(MADE) == stamp
    alter(milvus, MADE)
    lose(milvus, CARD)
    with pytest.raises(IndexDamaged, match="Write to another collection"):
        index()


def test_only_what_is_lost_is_written_again(milvus, index, monkeypatch):
    put, written = Meta._put, []

    def watching(self, rows):
        written.extend(rows)
        put(self, rows)

    monkeypatch.setattr(Meta, "_put", watching)
    meta = Meta(milvus)
    data = bytes(range(256)) * 1000
    stamp = meta.write("file", data)
    keys, head = written[:-1], written[-1]
    assert (len(keys), head) == (6, "file")
    assert meta.write("file", data, meta.stamp("file")) == stamp
    assert len(written) == 7
    milvus.delete(milvus.address.named(META), ids=[keys[3]])
    assert meta.write("file", data, meta.stamp("file")) == stamp
    assert written[7:] == [keys[3]]
    assert meta.read("file") == data
