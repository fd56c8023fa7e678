"""From a folder to Milvus and back, by the command line."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import lookalike
from indexer.errors import IndexNotReady, MissingExtra, NetworkMismatch, UsageError
from indexer.milvus.address import Address, is_milvus, work_folder
from indexer.milvus.connection import Milvus, StoreUnavailable
from indexer.milvus.push import push
from indexer.milvus.schema import create
from indexer.milvus.store import Store
from search.engine import Engine
from tests.milvus.conftest import LISTINGS


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


def test_a_milvus_that_is_not_there_is_said_before_anything_is_embedded(tmp_path):
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1"):
        work_folder(Path("milvus://127.0.0.1:1/shop"), tmp_path / "work")


def test_a_command_that_needs_a_folder_says_so(tmp_path):
    with pytest.raises(UsageError, match="needs an index in a folder"):
        run("compact", "--index", "milvus://127.0.0.1:1/shop")
    with pytest.raises(UsageError, match="--work"):
        work_folder(tmp_path / "x", tmp_path / "y")


KILLED = """
import os, signal, sys
from pathlib import Path
from indexer.milvus import pull, push
from indexer.milvus.address import Address

def killed_at(owner, name, times):
    work, calls = getattr(owner, name), []
    def killing(*arguments, **options):
        if len(calls) == times:
            os.kill(os.getpid(), signal.SIGKILL)
        calls.append(work(*arguments, **options))
        return calls[-1]
    setattr(owner, name, killing)

push.AT_ONCE, pull.SLICE = 10, 15
what, folder, address = sys.argv[1:]
if what == "push":  # after Milvus has the third group, and before that is noted
    killed_at(push._Pusher, "_note", 5)
    push.push(Path(folder), Address.parse(address))
else:
    killed_at(pull._Reader, "write", 2)
    pull.pull(Address.parse(address), Path(folder))
"""


def killed(*arguments):
    ended = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], check=False)
    assert ended.returncode == -signal.SIGKILL


def test_there_and_back(shop, local, tmp_path, capsys):
    """From a folder to Milvus and back: killed in the middle each way, and nothing is missing."""
    index = shop.server.address("moved")
    run("export", tmp_path / "there.parquet", "--index", shop.index)
    run("import", tmp_path / "there.parquet", "--index", tmp_path / "work")
    killed("push", tmp_path / "work", index)
    with pytest.raises(IndexNotReady):  # half an index is served by nobody
        Engine.open(index)
    asked = ("--index", index, "--json")
    capsys.readouterr()
    run("import", tmp_path / "there.parquet", "--work", tmp_path / "work", *asked)
    said = json.loads(capsys.readouterr().out)["milvus"]
    assert (said["written"], said["listings"]) == (LISTINGS - 20, LISTINGS)
    assert (said["vectors"], said["overlap"]) == (LISTINGS + 12, 1)

    killed("pull", tmp_path / "back.parquet", index)
    assert len(list((tmp_path / "back.parquet.parts").glob("*.parquet"))) == 2
    assert not (tmp_path / "back.parquet").exists()
    run("export", tmp_path / "back.parquet", *asked)
    said = json.loads(capsys.readouterr().out)
    assert (said["listings"], said["pictures"]) == (LISTINGS, LISTINGS + 12)
    assert not (tmp_path / "back.parquet.parts").exists()
    run("import", tmp_path / "back.parquet", "--index", tmp_path / "back", "--json")

    with closing(Engine.open(tmp_path / "back")) as back:
        assert back.status()["vectors"] == LISTINGS + 12
        for n in range(LISTINGS):
            theirs, mine = local.listing(f"l{n}"), back.listing(f"l{n}")
            assert mine == theirs
            assert [back.thumbnail(key) for key in mine[1]] == [
                local.thumbnail(key) for key in theirs[1]
            ]
        for n in range(0, LISTINGS, 7):
            # The projection is fitted anew, on the same features in another order.
            theirs, mine = (
                [hit.similarity for hit in one.search(listing_id=f"l{n}", prior=False).hits]
                for one in (local, back)
            )
            np.testing.assert_allclose(mine, theirs, atol=2e-3)


@pytest.mark.parametrize("living", ["milvus"], indirect=True)
def test_only_what_changed_is_written_again(living, shop, tmp_path):
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


def test_collections_that_were_made_by_half_are_completed(server):
    with closing(Milvus(Address.parse(server.address("half")), timeout=60)) as milvus:
        create(milvus, 8)
        milvus.release_collection("half_listings")
        milvus.drop_index("half_listings", "nothing")
        create(milvus, 8)
        assert Store(milvus).documents([1]) == {}


def test_another_network_is_refused(shop, tmp_path):
    folder = tmp_path / "index"
    shutil.copytree(shop.index, folder, ignore=shutil.ignore_patterns("milvus-*"))
    card = json.loads((folder / "network.json").read_bytes())
    (folder / "network.json").write_text(json.dumps({**card, "sha256": "1" * 64}))
    with pytest.raises(NetworkMismatch):
        push(folder, Address.parse(shop.address))
