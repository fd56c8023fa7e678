"""What single values of a catalogue mean."""

import datetime
import math
from decimal import Decimal

import pytest

from indexer.errors import SourceError, UsageError
from indexer.sources.columns import check_mapping, find_columns, require
from indexer.sources.files import base_name, ending, is_url, join, shown
from indexer.sources.prices import currency_code, parse_price
from indexer.sources.values import attribute, clean_id, flattened, picture_references, text_of


@pytest.mark.parametrize(
    ("written", "price", "currency"),
    [
        ("12.50", 12.5, ""),
        ("1,299.00", 1299, ""),
        ("1.299,00", 1299, ""),
        ("12,50", 12.5, ""),
        ("12.50 USD", 12.5, "USD"),
        ("15 eur", 15, "EUR"),
        ("EUR 12", 12, "EUR"),
        ("€12,-", 12, "EUR"),
        ("$12.50", 12.5, "$"),
        ("$12.50 CAD", 12.5, "CAD"),
        ("US $12.50", 12.5, "USD"),
        ("¥1200", 1200, "¥"),
        ("R$ 1.299,90", 1299.9, "BRL"),
        ("249 kr", 249, "kr"),
        ("Rs.500", 500, "Rs"),
        ("Rs. 1,29,900.00", 129900, "Rs"),
        ("1 299,00 €", 1299, "EUR"),
        ("1\u202f299,00\xa0€", 1299, "EUR"),
        ("CHF 1'299.50", 1299.5, "CHF"),
        ("1,299", 1299, ""),
        ("1.299", 1.299, ""),
        ("1.299 €", 1299, "EUR"),
        ("1.250 KWD", 1.25, "KWD"),
        ("1.299.000", 1299000, ""),
        ("0,125", 0.125, ""),
        (".99", 0.99, ""),
        ("0", 0, ""),
        (12, 12, ""),
        (Decimal("9.90"), 9.9, ""),
    ],
)
def test_price(written, price, currency):
    assert parse_price(written) == (pytest.approx(price), currency)


@pytest.mark.parametrize(
    "written",
    ["free", "n/a", "-5", "$-5", "5-", "(5.00)", "10-20", "from $12", "12 50", "1.2.3", "1,2.3,4",
     "12.50 each", "1e5", "nan", "inf", math.nan, math.inf, -1, 10**400, True, [5]],
)  # fmt: skip
def test_no_price(written):
    with pytest.raises(ValueError, match=r"price|negative|number|currency"):
        parse_price(written)


@pytest.mark.parametrize(
    ("written", "code"), [("eur", "EUR"), ("€", "EUR"), ("$", "$"), ("points", "points"), ("", "")]
)
def test_currency(written, code):
    assert currency_code(written) == code


@pytest.mark.parametrize(
    ("cell", "references"),
    [
        ("a.jpg", ["a.jpg"]),
        (" a.jpg | b.jpg ", ["a.jpg", "b.jpg"]),
        ("a.jpg;b.png", ["a.jpg", "b.png"]),
        ("a.jpg, b.JPG", ["a.jpg", "b.JPG"]),
        ("a,b.jpg", ["a,b.jpg"]),
        ("https://x/1,https://x/2", ["https://x/1", "https://x/2"]),
        ("https://x/w_100,h_200/a.jpg", ["https://x/w_100,h_200/a.jpg"]),
        ("https://x/a;v=1.jpg", ["https://x/a;v=1.jpg"]),
        ('["a.jpg", "b"]', ["a.jpg", "b"]),
        ("[1].jpg", ["[1].jpg"]),
        ("[" * 9999, ["[" * 9999]),
        (["a.jpg", {"src": "b"}, None], ["a.jpg", "b"]),
        ("", []),
        (None, []),
    ],
)
def test_several_pictures_in_a_cell(cell, references):
    assert picture_references(cell, "c.csv, line 2") == references


@pytest.mark.parametrize("value", [5, b"\xff\xd8"])
def test_no_picture_reference(value):
    with pytest.raises(SourceError, match="line 2"):
        picture_references(value, "c.csv, line 2")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "a"), (" a/b ", "a:b"), (12, "12"), (12.0, "12"), ("Größe 5", "Größe 5")],
)
def test_id(value, expected):
    assert clean_id(value, "x") == expected


@pytest.mark.parametrize("value", ["", "  ", None, "a" * 201, "a\nb", "a\x7f", "\udcff", "..", "."])
def test_bad_id(value):
    with pytest.raises(SourceError, match="line 7"):
        clean_id(value, "c.csv, line 7")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("red ", "red"),
        (True, True),
        (3, 3),
        (2**70, str(2**70)),
        (1.5, 1.5),
        (Decimal("1.5"), 1.5),
        (["a", 1, None], ["a", "1"]),
        ([{"a": 1}], '[{"a": 1}]'),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (math.inf, None),
        ("", None),
        ([], None),
        (b"x", None),
        (None, None),
    ],
)
def test_attribute(value, expected):
    found = attribute(value)
    assert found == expected
    assert type(found) is type(expected)


def test_nested_objects_are_flattened():
    nested = {"a": {"b": 1, "c": {"d": [1]}}, "e": None}
    assert flattened(nested) == {"a.b": 1, "a.c.d": [1], "e": None}


def test_text_of_numbers_and_lists():
    assert text_of(["a", 2.0, None, Decimal("1.5")]) == "a, 2, 1.5"


@pytest.mark.parametrize(
    ("names", "field", "column"),
    [
        (["SKU", "Product-ID", "img"], "id", "Product-ID"),
        (["sku", "photo"], "id", "sku"),
        (["id", "IMAGE LINK"], "image", "IMAGE LINK"),
        (["id", "path", "image_url"], "image", "image_url"),
        (["id", "image_2", "Image 1"], "image", "Image 1"),
        (["id", "image", "productDisplayName"], "title", "productDisplayName"),
        (["id", "image", "google_product_category", "product_type"], "category", "product_type"),
        (["id", "image", "sale_price", "price"], "price", "price"),
        (["id", "image", "price.amount", "price.currency"], "currency", "price.currency"),
        (["id", "image", "link"], "url", "link"),
    ],
)
def test_usual_names_of_columns(names, field, column):
    assert find_columns(names, {}).fields[field] == column


def test_further_pictures_and_attributes():
    names = ["id", "image_3", "additional_image_link", "image", "color", "image2", "sku"]
    columns = find_columns(names, {})
    assert columns.pictures == ("image", "additional_image_link", "image2", "image_3")
    assert columns.rest == ("color", "sku")


def test_named_columns_win():
    columns = find_columns(["id", "code", "image", "Photo B"], {"id": "code", "image": "photo_b"})
    assert columns.fields["id"] == "code"
    assert columns.pictures == ("Photo B",)
    assert columns.rest == ("id", "image")


@pytest.mark.parametrize(
    ("names", "mapping", "message"),
    [
        (["image", "title"], {}, "id among: image, title. Name it with --id-column"),
        (["id", "title"], {}, "picture among: id, title. Name it with --image-column"),
        (["id", "image"], {"price": "cost"}, "no column 'cost' (for the price) among: id, image"),
        (["id", "image"], {"id": "code"}, "no column 'code' (for the id)"),
    ],
)
def test_missing_columns(names, mapping, message):
    with pytest.raises(SourceError) as caught:
        require(names, mapping, "c.csv")
    assert message in str(caught.value)


def test_unknown_field():
    with pytest.raises(UsageError, match="no field 'colour'"):
        check_mapping({"colour": "x"})


@pytest.mark.parametrize(
    ("catalogue", "reference", "expected"),
    [
        ("/data/c.csv", "img/a.jpg", "/data/img/a.jpg"),
        ("/data/c.csv", "../a.jpg", "/a.jpg"),
        ("/data/c.csv", "/img/a.jpg", "/img/a.jpg"),
        ("/data/c.csv", "s3://b/a.jpg", "s3://b/a.jpg"),
        ("file:///data/c.csv", "a.jpg", "/data/a.jpg"),
        ("/data/c.csv", "file:///my%20shop/a.jpg", "/my shop/a.jpg"),
        ("https://x/feeds/c.csv?key=1", "a.jpg", "https://x/feeds/a.jpg"),
        ("https://x/feeds/c.csv", "/a.jpg", "https://x/a.jpg"),
        ("s3://bucket/feeds/c.csv", "img/../a.jpg", "s3://bucket/feeds/a.jpg"),
        ("s3://bucket/feeds/c.csv", "/a.jpg", "s3://bucket/a.jpg"),
        ("zip://f/c.csv::s3://b/all.zip", "a.jpg", "zip://f/a.jpg::s3://b/all.zip"),
        ("zip://c.csv::/d/all.zip", "a.jpg", "zip://a.jpg::/d/all.zip"),
        ("simplecache::s3://b/f/c.csv", "a.jpg", "simplecache::s3://b/f/a.jpg"),
    ],
)
def test_where_a_reference_leads(catalogue, reference, expected):
    assert join(catalogue, reference) == expected


def test_names_of_locations():
    assert base_name("https://me:pw@x/f/c.CSV?token=secret") == "c.CSV"
    assert ending("https://x/c.CSV?token=a.b") == ".csv"
    assert shown("https://me:pw@x/c.csv?token=secret") == "https://x/c.csv"
    assert not is_url(r"C:\data\c.csv")


@pytest.mark.parametrize(
    "reference",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "local:///a.jpg",
        "simplecache::file:///a.jpg",
        "simplecache::/etc/passwd",
        "zip://a.jpg::/srv/a.zip",
    ],
)
def test_a_catalogue_from_elsewhere_names_no_file_of_this_machine(reference):
    for catalogue in ("https://shop.example/feed.csv", "s3://bucket/feed.csv"):
        with pytest.raises(SourceError, match="of this machine"):
            join(catalogue, reference)
    assert join("/srv/feed.csv", reference)
