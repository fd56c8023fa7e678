"""CSV, TSV, JSON Lines and Parquet."""

import json
import sys

import pytest

from indexer.errors import MissingExtra, SourceError, UsageError
from indexer.sources import SourceOptions, open_source


@pytest.fixture
def read(tmp_path):
    """Write a catalogue and read it."""

    def read(content, name="catalog.csv", **options):
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return list(open_source(tmp_path / name, SourceOptions(**options)).listings())

    return read


def test_csv(read, tmp_path):
    first, second = read(
        "ID,Image,Name,Type,Price,Colour,Size\n"
        "1,img/a.jpg|img/b.jpg,Red dress,dress,12.50 EUR,red,\n"
        "2,https://x.org/c.jpg,,,,,M\n"
    )
    assert first.id == "1"
    assert [p.uri for p in first.pictures] == [
        str(tmp_path / "img/a.jpg"),
        str(tmp_path / "img/b.jpg"),
    ]
    assert (first.title, first.category) == ("Red dress", "dress")
    assert (first.price, first.currency) == (12.5, "EUR")
    assert first.attributes == {"Colour": "red"}
    assert second.pictures[0].uri == "https://x.org/c.jpg"
    assert (second.price, second.attributes) == (None, {"Size": "M"})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_origin_is_the_true_line(read, end):
    text = 'id,image,title\n1,a.jpg,"two\nlines"\n\n,,\n2,b.jpg,x\n'.replace("\n", end)
    listings = read(text)
    assert [item.origin for item in listings] == ["catalog.csv, line 2", "catalog.csv, line 6"]
    assert listings[0].title == f"two{end}lines"


@pytest.mark.parametrize(
    ("name", "delimiter", "format"),
    [("c.csv", ",", "csv"), ("c.csv", ";", "csv"), ("c.csv", "\t", "csv"), ("c.tsv", "\t", "tsv"),
     ("c.tsv", ",", "tsv"), ("c.txt", ";", "csv")],
)  # fmt: skip
def test_delimiters(tmp_path, name, delimiter, format):
    (tmp_path / name).write_text(
        delimiter.join(["id", "image", '"a,b;c"']) + "\n" + delimiter.join("12 ") + "\n"
    )
    source = open_source(tmp_path / name)
    assert source.format == format
    assert next(source.listings()).id == "1"
    assert source.count() == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(read, encoding):
    (listing,) = read("id,image,title\n1,a.jpg,Größe\n".encode(encoding))
    assert (listing.id, listing.title) == ("1", "Größe")


def test_named_encoding_and_columns(read):
    (listing,) = read(
        "code,shot,cost\n1,ä.jpg,5\n".encode("cp1252"),
        encoding="cp1252",
        columns={"id": "code", "image": "shot", "price": "Cost"},
    )
    assert listing.pictures[0].uri.endswith("/ä.jpg")
    assert listing.price == 5


def test_missing_picture_is_left_to_the_caller(read):
    assert [len(item.pictures) for item in read("id,image\n1,\n2,b.jpg\n")] == [0, 1]


def test_the_same_picture_counts_once(read):
    (listing,) = read("id,image,image,image_3\n1,a.jpg,./a.jpg,b.jpg\n")
    assert len(listing.pictures) == 2


def test_nameless_columns_and_blank_cells_at_the_end(read):
    (listing,) = read(",id,image,x\n0,1,a.jpg,y,,\n")
    assert listing.attributes == {"x": "y"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "catalog.csv is empty"),
        (b"\n\n", "catalog.csv is empty"),
        (b"id,image\n", "catalog.csv has no listings"),
        (b"id,image\n1,a.jpg,x\n", "line 2 has 3 cells, but there are 2 columns"),
        (b"id,image\n1,a.jpg\n,b.jpg\n", "line 3: the listing has no id"),
        (b"id,image,price\n1,a.jpg,cheap\n", "line 2: the price cannot be read: 'cheap'"),
        (b"id,image,price\n1,a.jpg,-5\n", "line 2: the price cannot be read"),
        (b"id,image\n1,a\0.jpg\n", "line 2 holds a NUL"),
        (b'id,image\n1,a.jpg\n2,"b.jpg\n3,c.jpg\n', "line 3 is not well-formed"),
        (b"id,image\n1,a.jpg\n2,\xe4.jpg\n", "line 3 (byte 20) is not UTF-8 text"),
        (b"\xef\xbb\xbfid,image\n1,\xe4\n", "line 2 (byte 15) is not UTF-8 text"),
        (b"1,a.jpg\n", "no column for the listing's id among: 1, a.jpg"),
    ],
)
def test_what_can_be_wrong_in_csv(read, content, message):
    with pytest.raises(SourceError) as caught:
        read(content)
    assert message in str(caught.value)


def test_wrong_byte_far_into_the_file(read):
    rows = b"".join(b"%d,a.jpg\r\n" % number for number in range(20_000))
    with pytest.raises(SourceError, match=r"line 20002 \(byte \d+\).*--encoding cp1252"):
        read(b"id,image\r\n" + rows + b"x,\xff.jpg\r\n")


@pytest.mark.parametrize("encoding", ["klingon", "base64"])
def test_unknown_encoding(read, encoding):
    with pytest.raises(UsageError, match="no encoding"):
        read("id,image\n1,a\n", encoding=encoding)


def test_one_endless_line(read):
    with pytest.raises(SourceError, match="line 1 is not well-formed: field larger than"):
        read("x" * (5 << 20))


def test_jsonl(read):
    first, second = read(
        '{"id": 7, "images": ["a.jpg", "b.jpg"], "price": {"amount": 5, "currency": "EUR"},'
        ' "sizes": [1, 2], "new": true, "none": null, "extra": {"deep": [{"x": 1}]}}\n'
        "\n"
        '{"id": "8", "title": "No picture"}\n',
        "c.jsonl",
    )
    assert (first.id, first.price, first.currency) == ("7", 5, "EUR")
    assert len(first.pictures) == 2
    assert first.attributes == {"sizes": ["1", "2"], "new": True, "extra.deep": '[{"x": 1}]'}
    assert second.pictures == ()
    assert second.origin == "c.jsonl, line 3"


def test_attributes_as_an_object_keep_their_names(read):
    (listing,) = read(
        '{"id": 1, "image": "a.jpg", "size": "M",'
        ' "attributes": {"brand": "Acme", "size": "40", "box": {"height": 3}}}\n',
        "c.jsonl",
    )
    assert listing.attributes == {
        "size": "M",
        "brand": "Acme",
        "attributes.size": "40",
        "box.height": 3,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": 1, "image": "a"}\n{"id": 2,\n', "c.jsonl, line 2 is not JSON"),
        ('[{"id": 1}]\n', "c.jsonl, line 1 is not a JSON object"),
        ('{"id": 1, "image": "a", "x": NaN}\n', "line 1 is not JSON"),
        ("[" * 100_000, "line 1 is not JSON"),
        ('{"id": 1, "image": "a"}\n{"image": "b"}\n', "line 2: the listing has no id"),
        ('{"id": 1, "image": ' + "[" * 5000 + "]" * 5000 + "}", "line 1 is n"),
        ('{"id": 1}\n', "no column for the listing's picture among: id"),
        ("\n", "c.jsonl has no listings"),
    ],
)
def test_what_can_be_wrong_in_jsonl(read, content, message):
    with pytest.raises(SourceError) as caught:
        read(content, "c.jsonl")
    assert message in str(caught.value)


def test_jsonl_count(tmp_path):
    (tmp_path / "c.ndjson").write_text('{"id": 1, "image": "a"}\n\n{"id": 2, "image": "b"}')
    assert open_source(tmp_path / "c.ndjson").count() == 2


@pytest.fixture
def parquet(tmp_path):
    import pyarrow as arrow
    from pyarrow import parquet

    def write(rows, schema=None):
        path = tmp_path / "c.parquet"
        parquet.write_table(arrow.Table.from_pylist(rows, schema), path)
        return path

    return write


def test_parquet(parquet):
    source = open_source(
        parquet(
            [
                {"id": n, "image": f"{n}.jpg", "price": 1.5, "size": {"w": 3}, "tags": ["a", "b"]}
                for n in range(1200)
            ]
        )
    )
    listings = list(source.listings())
    assert (source.format, source.count(), len(listings)) == ("parquet", 1200, 1200)
    assert listings[-1].id == "1199"
    assert listings[-1].attributes == {"size.w": 3, "tags": ["a", "b"]}
    assert listings[-1].origin == "c.parquet, row 1200"


def test_parquet_without_rows_or_columns(parquet):
    import pyarrow

    with pytest.raises(SourceError, match="no listings"):
        open_source(parquet([], pyarrow.schema([("id", pyarrow.int64())])))
    with pytest.raises(SourceError, match=r"picture among: id, a\.b"):
        open_source(parquet([{"id": 1, "a": {"b": 1}}]))


def test_damaged_parquet(tmp_path):
    (tmp_path / "c.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(SourceError, match="is not a Parquet file, or it is damaged"):
        open_source(tmp_path / "c.parquet")


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"lookalike\[parquet\]"):
        open_source(tmp_path / "c.parquet")


def test_catalogue_at_a_url():
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/shop/c.jsonl", json.dumps({"id": "1", "image": "img/a.jpg"}).encode())
    source = open_source("memory://shop/c.jsonl")
    (listing,) = source.listings()
    assert listing.pictures[0].uri == "memory://shop/img/a.jpg"
    assert source.count() is None
