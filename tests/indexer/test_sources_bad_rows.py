"""Rows that cannot be read are told together, and nothing after the first is given out."""

import importlib
import json

import pytest

from indexer.console import folded
from indexer.errors import DuplicateListing, SourceError
from indexer.sources import open_source
from indexer.sources.bad_rows import MOST, BadRows


@pytest.fixture
def read(tmp_path):
    """Read a catalogue as far as it goes; return the ids, and the error at the end."""

    def run(content, name):
        path = tmp_path / name
        if callable(content):
            content(path)
        else:
            path.write_text(content)
        given = []
        with pytest.raises(SourceError) as caught:
            for listing in open_source(path).listings():
                given.append(listing.id)
        return given, caught.value

    return run


CSV = f"""id,image,price
a,a.jpg,1
b,b.jpg,-5
c,c.jpg,2,extra
..,d.jpg,3
{"x" * 201},e.jpg,4
,f.jpg,5
g,g.jpg,free
h,h.jpg,1e400
i,i.jpg,6
"""


def test_all_bad_rows_of_a_table_are_told_at_once(read):
    given, error = read(CSV, "c.csv")
    assert given == ["a"]
    lines = error.message.split("\n")
    assert lines[0] == "7 rows of the catalogue cannot be used:"
    assert [line.split(":")[0].split(" has")[0] for line in lines[1:]] == [
        f"  c.csv, line {number}" for number in range(3, 10)
    ]
    assert "'-5' is negative" in lines[1]
    assert "has 4 cells, but there are 3 columns" in lines[2]
    assert error.hint.count("Write it like 12.50") == 1
    assert error.hint.count("is written in quotation marks") == 1
    assert len(error.parts) == 7
    assert (type(error), error.code, error.exit_code) == (SourceError, "bad_catalogue", 1)


def test_one_bad_row_is_told_as_ever(read):
    given, error = read("id,image,price\na,a.jpg,free\nb,b.jpg,1\n", "c.csv")
    assert given == []
    assert error.message == "c.csv, line 2: the price cannot be read: 'free' is not a price."


def test_what_ends_the_file_is_told_with_them(read):
    _, error = read('id,image\n,a.jpg\nb,"b.jpg\n', "c.csv")
    assert "line 2: the listing has no id" in error.message
    assert "line 3 is not well-formed" in error.message


def test_no_more_are_looked_for_than_can_be_told(read, monkeypatch):
    seen = []
    real = BadRows.read
    monkeypatch.setattr(BadRows, "read", lambda *given: seen.append(1) or real(*given))
    _, error = read("id,image,price\n" + "a,a.jpg,free\n" * 300, "c.csv")
    assert len(seen) == MOST == 100
    lines = error.message.split("\n")
    assert len(lines) == 12
    assert lines[-1] == "  And 90 more at least."


def _jsonl(rows):
    return "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)


def _parquet(path):
    arrow = importlib.import_module("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    ids, prices = ["a", "b", "", "d"], [1.0, -1.0, 2.0, 3.0]
    parquet.write_table(arrow.table({"id": ids, "image": ids, "price": prices}), path)


@pytest.mark.parametrize(
    ("content", "name", "bad"),
    [
        (_jsonl([{"id": "a", "image": "a"}, "{\n", {"image": "c"}, {"id": "d"}]), "c.jsonl",
         ["c.jsonl, line 2 is not JSON", "c.jsonl, line 3: the listing has no id"]),
        ("<rss><item><id>a</id><image_link>a</image_link></item>\n<item><id>..</id></item>\n"
         "<item><id>c</id><price>free</price></item><item><id>d</id></item></rss>", "c.xml",
         ["c.xml, line 2: '..' cannot be an id", "c.xml, line 3: the price cannot be read"]),
        (_parquet, "c.parquet", ["row 2: the price cannot", "row 3: the listing has no id"]),
        ("Handle,Title,Image Src,Variant Price\na,A,a.jpg,1\nb,B,b.jpg,-1\nc,C,c.jpg,free\nd,,,\n",
         "c.csv", ["c.csv, line 3: the price cannot", "c.csv, line 4: the price cannot"]),
    ],
    ids=["jsonl", "merchant", "parquet", "shopify"],
)  # fmt: skip
def test_every_kind_of_table_tells_them_all(read, content, name, bad):
    given, error = read(content, name)
    assert given == ["a"]
    first, *lines = error.message.split("\n")
    assert first == "2 rows of the catalogue cannot be used:"
    for line, part in zip(lines, bad, strict=True):
        assert part in line


def test_rows_of_google_product_search(read):
    row = "gs://b/1.jpg,,s,{},toys-v2,,,\n"
    given, error = read(
        row.format("p") + row.format("..") + "gs://b/2.jpg,,s,q,toys-v2,,a=1,b=2,\n", "c.csv"
    )
    assert given == []
    assert "line 2: '..' cannot be an id" in error.message
    assert "line 3 has 9 cells" in error.message


def test_duplicates_are_told_together_and_nothing_is_changed(
    sync, index_folder, tmp_path, draw, write_csv
):
    picture = str(draw(tmp_path / "1.png", 1))
    path = write_csv(tmp_path / "c.csv", [(name, picture) for name in "abab"])
    with pytest.raises(DuplicateListing, match="2 rows") as caught:
        sync(path)
    assert "line 4: the id 'a' stands already at c.csv, line 2" in caught.value.message
    assert "line 5: the id 'b' stands already at c.csv, line 3" in caught.value.message
    write_csv(path, [(name, picture) for name in ("a", "a", "..", "c", "/" * 201)])
    with pytest.raises(SourceError, match="3 rows") as mixed:
        sync(path)
    assert [type(part) for part in mixed.value.parts] == [
        DuplicateListing, SourceError, SourceError,
    ]  # fmt: skip
    assert not (index_folder / "staging.db").exists()


def test_a_terminal_keeps_them_on_lines_of_their_own(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    told = folded("Error: 2 rows:\n  c.csv, line 2: the price cannot be read.\n  c.csv, line 3.")
    assert told.split("\n") == [
        "Error: 2 rows:", "  c.csv, line 2: the price", "cannot be read.", "  c.csv, line 3.",
    ]  # fmt: skip


def test_prices_are_read_as_the_documentation_says(tmp_path):
    prices = [
        "1.234",
        "12,50",
        "0,125",
        "12.50",
        "1,234",
        "1,299.00",
        "0.125",
        "1.234 EUR",
        "7",
        "1,234 KWD",
    ]
    rows = "".join(f'{n},a.jpg,"{price}"\n' for n, price in enumerate(prices))
    (tmp_path / "c.csv").write_text(f"id,image,price\n{rows}")
    found = [listing.price for listing in open_source(tmp_path / "c.csv").listings()]
    assert found == [1.234, 12.5, 0.125, 12.5, 1234, 1299, 0.125, 1234, 7, 1.234]
