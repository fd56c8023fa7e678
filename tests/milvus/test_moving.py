"""From a folder to Milvus and back, by the command line."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

import lookalike
from indexer.errors import MissingExtra, NetworkMismatch, UsageError
from indexer.milvus.address import Address, is_milvus, work_folder
from indexer.milvus.connection import Milvus
from indexer.milvus.push import push
from search.engine import Engine
from tests.milvus.conftest import LISTINGS
from tests.milvus.test_contract import found


def run(*arguments):
    return lookalike.cli.main([*map(str, arguments)], standalone_mode=False)


def test_an_address(tmp_path):
    address = Address.parse(tmp_path.__class__("milvus://[::1]:1234/shop?consistency=bounded"))
    assert (address.host, address.port, address.collection) == ("[::1]", 1234, "shop")
    assert address.consistency == "Bounded"
    assert Address.parse("milvus://host/shop").port == 19530
    assert is_milvus("milvus://x/y")
    assert not is_milvus("data/index")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("milvus://", "cannot be read"),
        ("milvus://host:99999/shop", "no port"),
        ("milvus://host/1shop", "cannot be read"),
        ("milvus://host/shop?consistency=most", "consistency is 'most'"),
        ("milvus://host/shop?speed=high", "no option 'speed'"),
        ("milvus://me:secret@host/shop", "holds a name or a password"),
    ],
)
def test_an_address_that_is_none(text, said):
    with pytest.raises(UsageError, match=said) as problem:
        Address.parse(text)
    assert "secret" not in str(problem.value)


def test_without_pymilvus(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pymilvus", None)
    with pytest.raises(MissingExtra, match=r"pip install 'lookalike\[milvus\]'"):
        Milvus(Address.parse("milvus://127.0.0.1:1/shop")).list_collections()


def test_a_command_that_needs_a_folder_says_so(tmp_path):
    with pytest.raises(UsageError, match="needs an index in a folder"):
        run("compact", "--index", "milvus://127.0.0.1:1/shop")
    with pytest.raises(UsageError, match="--work"):
        work_folder(tmp_path / "x", tmp_path / "y")


def test_there_and_back(shop, local, tmp_path, capsys):
    source = shop.server.address("shop")
    run("export", tmp_path / "shop.parquet", "--index", source, "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["listings"], said["pictures"]) == (LISTINGS, LISTINGS + 12)
    run("import", tmp_path / "shop.parquet", "--index", tmp_path / "back", "--json")
    capsys.readouterr()
    back = Engine.open(tmp_path / "back")
    assert {hit.listing.id for hit in back.search(listing_id="l7", k=100).hits} == {
        f"l{n}" for n in range(LISTINGS) if n != 7
    }
    for n in (7, 30):
        theirs = found(local.search(listing_id=f"l{n}", prior=False))
        mine = found(back.search(listing_id=f"l{n}", prior=False))
        assert len({one[2] for one in mine} & {one[2] for one in theirs}) >= 9
    assert back.listing("l5")[0].attributes == local.listing("l5")[0].attributes
    key = back.listing("l5")[1][0]
    assert back.thumbnail(key) == local.thumbnail(key)
    back.close()


def test_an_export_goes_on_with_what_is_missing(shop, tmp_path, monkeypatch):
    import indexer.milvus.pull as pulling

    monkeypatch.setattr(pulling, "SLICE", 15)
    write, done = pulling._Reader.write, []

    def failing(self, path, place, slices):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(place)
        write(self, path, place, slices)

    address = Address.parse(shop.address)
    with monkeypatch.context() as patch:
        patch.setattr(pulling._Reader, "write", failing)
        with pytest.raises(KeyboardInterrupt):
            pulling.pull(address, tmp_path / "x.parquet", features=False, thumbnails=False)
    assert len(list((tmp_path / "x.parquet.parts").glob("*.parquet"))) == 2
    exported = pulling.pull(address, tmp_path / "x.parquet", features=False, thumbnails=False)
    assert (exported.listings, exported.pictures) == (LISTINGS, LISTINGS + 12)
    assert not (tmp_path / "x.parquet.parts").exists()


def test_only_what_changed_is_written_again(living, shop, tmp_path):
    if not is_milvus(living.index):
        pytest.skip("It is about Milvus.")
    folder = tmp_path / "index"
    shutil.copytree(shop.index, folder, ignore=shutil.ignore_patterns("milvus-*"))
    address = Address.parse(living.index)
    assert push(folder, address).written == LISTINGS
    assert push(folder, address).written == 0
    (ledger,) = folder.glob("milvus-*.db")
    with sqlite3.connect(ledger) as db:  # as if it had been stopped after some
        db.execute("DELETE FROM listings WHERE number > 50")
    db.close()
    assert push(folder, address).written == LISTINGS - 50
    with sqlite3.connect(folder / "catalog.db") as db:
        db.execute("DELETE FROM listings WHERE id = 'l40'")
    db.close()
    pushed = push(folder, address)
    assert (pushed.written, pushed.removed) == (0, 1)
    with pytest.raises(Exception, match="no listing 'l40'"):
        living.engine.listing("l40")


def test_another_network_is_refused(shop, tmp_path):
    folder = tmp_path / "index"
    shutil.copytree(shop.index, folder, ignore=shutil.ignore_patterns("milvus-*"))
    card = json.loads((folder / "network.json").read_bytes())
    (folder / "network.json").write_text(json.dumps({**card, "sha256": "1" * 64}))
    with pytest.raises(NetworkMismatch):
        push(folder, Address.parse(shop.address))
