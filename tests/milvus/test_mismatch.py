"""What Milvus will never do is said at once; what it cannot do just now is asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from grpc import RpcError, StatusCode

from indexer.errors import QueryError
from indexer.milvus.address import Address
from indexer.milvus.connection import _UNSENT, Milvus, StoreMismatch, StoreUnavailable, pymilvus
from indexer.milvus.schema import NOTHING, _index, _keyed, _vectors, search_params

DIMS = 128
ROW = {"key": "k", "value": "v", "nothing": NOTHING}


class Counting(Milvus):
    """Counts how often it asks."""

    asked = 0

    def _connected(self):
        self.asked += 1
        return super()._connected()


@pytest.fixture
def milvus(shop) -> Iterator[Counting]:
    made = Counting(Address.parse(shop.address), timeout=20)
    made.list_collections()
    made.asked = 0
    with closing(made):
        yield made


CALLS = {
    "a field is missing": lambda m: m.upsert("shop_meta", [{"key": "k", "nothing": NOTHING}]),
    "a field is unknown": lambda m: m.upsert("shop_meta", [{**ROW, "more": 1}]),
    "another type": lambda m: m.upsert("shop_meta", [{**ROW, "value": 1.5}]),
    "a text is too long": lambda m: m.upsert("shop_meta", [{**ROW, "value": "v" * 70_000}]),
    "a key is too long": lambda m: m.upsert("shop_meta", [{**ROW, "key": "k" * 600}]),
    "too few numbers": lambda m: m.upsert("shop_meta", [{**ROW, "nothing": [0.0]}]),
    "no numbers": lambda m: m.upsert("shop_meta", [{**ROW, "nothing": [float("nan")] * 2}]),
    "a vector of another width": lambda m: m.search(
        "shop", data=[[0.1]], limit=1, search_params=search_params("HNSW", 1)
    ),
    "another metric": lambda m: m.search(
        "shop_meta", data=[[0.1, 0.1]], limit=1, search_params={"metric_type": "L2"}
    ),
    "an unknown field is asked for": lambda m: m.query(
        "shop", filter="picture == 1", output_fields=["colour"]
    ),
    "an unknown field is asked by": lambda m: m.query("shop_meta", filter="number in [1]"),
    "more than Milvus answers": lambda m: m.query("shop", filter="picture > 1", limit=20_000),
    "a key of another type": lambda m: m.delete("shop", ids=["x"]),
}

CREATING = {
    "another index": lambda m: m.create_index("shop_meta", index_params=_index("no", "FLAT", {})),
    "an unknown index": lambda m: m.create_index(
        "shop_features", index_params=_index("nothing", "WRONG", {})
    ),
    "an index that does not fit": lambda m: m.create_index(
        "shop_features", index_params=_index("nothing", "IVF_PQ", {"nlist": 8, "m": 64, "nbits": 8})
    ),
    "there is another one": lambda m: m.create_collection("shop_meta", schema=_vectors(DIMS)),
    "too wide": lambda m: m.create_collection("wide", schema=_vectors(100_000)),
    "too many shards": lambda m: m.create_collection("w", schema=_keyed("key"), num_shards=99),
}


@pytest.mark.parametrize("what", CALLS)
def test_what_does_not_fit_is_said_at_once(milvus, what):
    with pytest.raises(StoreMismatch, match="cannot do it: ") as problem:
        CALLS[what](milvus)
    assert milvus.asked == 1
    assert problem.value.status == 500  # of 503 clients are told to try again
    assert "name another collection" in problem.value.hint


@pytest.mark.parametrize("what", CREATING)
def test_a_collection_that_cannot_be_made_is_said_at_once(milvus, what):
    with pytest.raises(StoreMismatch, match="cannot do it: ") as problem:
        CREATING[what](milvus)
    assert milvus.asked == 1
    assert "its index or shards" in problem.value.hint


class Loading(Milvus):
    """One whose collection is loaded once it was asked twice."""

    asked = 0

    def _connected(self):
        return self

    def query(self, *_, **__):
        self.asked += 1
        if self.asked < 3:
            raise pymilvus().MilvusException(101, "failed to query: collection not loaded")
        return []


def test_what_passes_is_asked_for_again():
    milvus = Loading(Address.parse("milvus://127.0.0.1:1/shop"))
    assert milvus._called("query", (), {"timeout": 5.0}) == []
    assert milvus.asked == 3


class Refused(RpcError):
    def __init__(self, code, said="It was refused."):
        self._code, self._said = code, said

    def code(self):
        return self._code

    def details(self):
        return self._said


def problems():
    """Yield what pymilvus may raise, and whether it passes."""
    known = pymilvus().exceptions
    wrong = (1100, 1101, 1102, 1700, 1701, 701)
    passing = (1, 2, 4, 8, 9, 101, 103, 106, 401, 500, 503, 601, 700, 901, 904, 1302, 65535)
    for code in (*wrong, *passing):
        yield known.MilvusException(code, f"It is {code}."), code in passing
    for name in ("ParamError", "SchemaNotReadyException", "DataTypeNotMatchException"):
        yield getattr(known, name)(message="Wrong."), False
    for name in ("ConnectError", "MilvusUnavailableException", "IndexNotExistException"):
        yield getattr(known, name)(message="Not now."), True
    for code in ("INVALID_ARGUMENT", "UNIMPLEMENTED", "OUT_OF_RANGE"):
        yield Refused(StatusCode[code]), False
    for code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL", "ABORTED"):
        yield Refused(StatusCode[code]), True
    yield known.MilvusException(StatusCode.UNAVAILABLE, "Retry timeout"), True
    much = "grpc: received message larger than max (71518761 vs. 67108864)"  # as 2.3.5 says it
    yield Refused(StatusCode.RESOURCE_EXHAUSTED, much), False


def test_codes_that_no_server_can_be_brought_to_send():
    assert all(issubclass(getattr(pymilvus().exceptions, name), Exception) for name in _UNSENT)
    milvus = Milvus(Address.parse("milvus://127.0.0.1:1/shop"))
    for problem, passes in problems():
        said = milvus._in_words("query", problem)
        assert type(said) is (StoreUnavailable if passes else StoreMismatch), problem


@pytest.mark.parametrize("code", [1, 1100, 65535])
def test_a_filter_that_milvus_cannot_evaluate_is_the_question_s_fault(code):
    milvus = Milvus(Address.parse("milvus://127.0.0.1:1/shop"))
    said = "failed to create query plan: cannot parse expression: price > 1"
    problem = pymilvus().MilvusException(code, said)
    assert type(milvus._in_words("search", problem)) is QueryError
