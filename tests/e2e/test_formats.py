"""Every kind of catalogue through the real command line: indexed, and searched by a photo."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow
import pyarrow.parquet
import pytest

from tests.e2e.conftest import Run
from tests.indexer.test_sources_tfrecord import example, framed

ASKED = "mug-001"
"""The product that the tests ask for."""

Product = dict[str, str]


@dataclass
class Shop:
    """A few drawn products in a folder whose name has a blank, which URLs write otherwise."""

    folder: Path
    products: list[Product]

    @property
    def photo(self) -> Path:
        return self.folder / "photos" / f"{ASKED}.jpg"

    def picture(self, product: Product) -> Path:
        return self.folder / product["image"]

    def url(self, product: Product) -> str:
        return self.picture(product).as_uri()


@pytest.fixture(scope="module")
def shop(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("formats") / "my shop"
    drawn = run("demo", "--out", folder, "--listings", 6)
    assert drawn.returncode == 0, drawn.stderr
    with (folder / "catalog.csv").open(newline="", encoding="utf-8") as file:
        return Shop(folder, list(csv.DictReader(file)))


def write_rows(path: Path, rows: Sequence[Sequence[str]], delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


def money(product: Product) -> str:
    return f"{product['price']} {product['currency']}"


def page(product: Product) -> str:
    return f"https://shop.example/{product['id']}"


def tfrecord(shop: Shop, path: Path) -> None:
    records = (
        example(
            image__encoded=shop.picture(p).read_bytes(),
            image__format=b"jpeg",
            id=p["id"].encode(),
            title=p["title"].encode(),
            category=p["category"].encode(),
            price=float(p["price"]),
            currency=p["currency"].encode(),
            brand=p["brand"].encode(),
        )
        for p in shop.products
    )
    path.write_bytes(framed(*records))


def parquet(shop: Shop, path: Path) -> None:
    rows = [
        {
            "sku": p["id"],
            "images": [p["image"]],
            "name": p["title"],
            "category": p["category"],
            "price": float(p["price"]),
            "currency": p["currency"],
            "attributes": {"brand": p["brand"]},
        }
        for p in shop.products
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


def jsonl(shop: Shop, path: Path) -> None:
    lines = (
        {
            "id": p["id"],
            "images": [{"url": p["image"]}],
            "title": p["title"],
            "category": p["category"],
            "price": {"amount": float(p["price"]), "currency": p["currency"]},
            "attributes": {"brand": p["brand"]},
        }
        for p in shop.products
    )
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def tsv(shop: Shop, path: Path) -> None:
    rows = [
        (p["id"], p["image"], p["title"], p["category"], money(p), p["brand"])
        for p in shop.products
    ]
    header = ("Product ID", "Image", "Name", "Category", "Price", "brand")
    write_rows(path, [header, *rows], "\t")


def shopify(shop: Shop, path: Path) -> None:
    header = ["Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags"]
    header += ["Option1 Name", "Option1 Value", "Variant Price", "Image Src", "Image Position"]
    rows: list[Sequence[str]] = []
    for p in shop.products:
        about = (p["id"], p["title"], "<p>New,\nnow</p>", p["brand"], p["category"], "a, b")
        rows.append([*about, "Size", "S", p["price"], shop.url(p), "1"])
        rows.append([p["id"], *[""] * 6, "L", p["price"], "", ""])
    write_rows(path, [header, *rows])


def merchant_xml(shop: Shop, path: Path) -> None:
    items = (
        f"<item><g:id>{p['id']}</g:id><title>{escape(p['title'])}</title>"
        f"<link>{page(p)}</link>"
        f"<g:image_link>{escape(shop.url(p))}</g:image_link>"
        f"<g:price>{money(p)}</g:price><g:brand>{escape(p['brand'])}</g:brand>"
        f"<g:product_type>Home &gt; {p['category']}</g:product_type></item>"
        for p in shop.products
    )
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
        f"<title>Shop</title>{''.join(items)}</channel></rss>",
        encoding="utf-8",
    )


def merchant_tsv(shop: Shop, path: Path) -> None:
    rows = [
        (p["id"], p["title"], page(p), shop.url(p), money(p), f"Home > {p['category']}", p["brand"])
        for p in shop.products
    ]
    header = ("id", "title", "link", "image link", "price", "product type", "brand")
    write_rows(path, [header, *rows], "\t")


def product_search(shop: Shop, path: Path) -> None:
    rows = [
        (shop.url(p), "", "shop", p["id"], "homegoods-v2", p["title"], f"brand={p['brand']}", "")
        for p in shop.products
    ]
    write_rows(path, rows)


WRITERS: dict[str, Callable[[Shop, Path], None]] = {
    "shop.tfrecord": tfrecord,
    "shop.parquet": parquet,
    "shop.jsonl": jsonl,
    "shop.tsv": tsv,
    "shopify.csv": shopify,
    "feed.xml": merchant_xml,
    "feed.tsv": merchant_tsv,
    "product_search.csv": product_search,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_a_photo_finds_its_listing(shop: Shop, run: Run, tmp_path: Path, name: str) -> None:
    catalogue, index = shop.folder / name, tmp_path / "index"
    WRITERS[name](shop, catalogue)
    indexed = run("index", catalogue, "--index", index, "--json", "--quiet")
    assert indexed.returncode == 0, indexed.stderr
    report = json.loads(indexed.stdout)
    assert (report["plan"]["added"], report["failures"]) == (len(shop.products), 0)
    found = run("search", shop.photo, "--index", index, "--json", "-k", 3)
    assert found.returncode == 0, found.stderr
    first = json.loads(found.stdout)["hits"][0]
    assert first["rank"] == 1
    check(first["listing"], next(p for p in shop.products if p["id"] == ASKED), name)


def check(listing: dict[str, object], product: Product, name: str) -> None:
    """Compare a hit's listing with the product that the catalogue tells of."""
    assert (listing["id"], listing["title"]) == (ASKED, product["title"])
    attributes = listing["attributes"]
    assert isinstance(attributes, dict)
    if name == "product_search.csv":  # it knows no price and five categories
        assert (listing["category"], listing["price"]) == ("homegoods-v2", None)
        assert attributes == {"brand": product["brand"], "product_set": "shop"}
        return
    assert listing["category"] == product["category"]
    assert listing["price"] == pytest.approx(float(product["price"]))
    if name == "shopify.csv":  # the shop's currency stands nowhere in it
        assert attributes["vendor"] == product["brand"]
        assert (attributes["size"], attributes["tags"]) == (["S", "L"], ["a", "b"])
        return
    assert listing["currency"] == product["currency"]
    assert attributes["brand"] == product["brand"]
    if name.startswith("feed"):
        assert listing["url"] == page(product)
