"""Whole catalogues of every kind that is read from a file."""

from __future__ import annotations

import functools
import gzip
import io
import json
import struct

import google_crc32c
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = [
    {
        "id": f"p{n}",
        "image": f"pictures/{n}.jpg|more/{n}.png",
        "title": f'A "fine" shoe, größe {n}',
        "category": "shoes > boots",
        "price": f"{n}.50 EUR",
        "tags": "a;b",
    }
    for n in range(4)
]

MERCHANT = """<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>p1</g:id><title>Shoe &amp; sock</title><g:image_link>http://shop.example/1.jpg</g:image_link>
<g:additional_image_link>http://shop.example/2.jpg</g:additional_image_link>
<g:price>9.50 EUR</g:price><g:product_type>Shoes</g:product_type></item>
<item><g:id>p2</g:id><title><![CDATA[Hat]]></title><g:image_link>http://shop.example/3.jpg</g:image_link>
<g:price>5 EUR</g:price></item></channel></rss>
"""

BOMB = (
    "<!DOCTYPE x [<!ENTITY a0 'aaaaaaaaaa'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    + "<!ENTITY file SYSTEM 'file:///etc/hostname'>]>"
)
"""Declares entities that grow a billionfold, and one that is a file of this machine."""

PRODUCT_SEARCH = (
    'gs://bucket/1.jpg,img1,set,p1,apparel,Shoe,"color=red,size=9","0,0,1,0,1,1,0,1"\n'
    "gs://bucket/2.jpg,img2,set,p2,apparel,Hat,,\n"
)

SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Variant SKU,Variant Price,Image Src,"
    "Image Position\n"
    'shoe,Shoe,<p>Fine</p>,Acme,Shoes,"a, b",true,S1,9.50,http://shop.example/1.jpg,1\n'
    "shoe,,,,,,,,,http://shop.example/2.jpg,2\n"
)


def _delimited(mark: str) -> bytes:
    lines = [mark.join(ROWS[0])]
    for row in ROWS:
        lines.append(mark.join('"' + value.replace('"', '""') + '"' for value in row.values()))
    return ("\n".join(lines) + "\n").encode()


def _record(data: bytes) -> bytes:
    def checked(part: bytes) -> bytes:
        crc = google_crc32c.value(part)
        return part + struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    return checked(struct.pack("<Q", len(data))) + checked(data)


def _message(number: int, data: bytes) -> bytes:
    assert len(data) < 2**14
    size = bytes([len(data) | 0x80, len(data) >> 7]) if len(data) > 127 else bytes([len(data)])
    return bytes([number << 3 | 2]) + size + data


def _example(**values: bytes) -> bytes:
    entries = (
        _message(
            1,
            _message(1, name.replace("__", "/").encode())
            + _message(2, _message(1, _message(1, value))),
        )
        for name, value in values.items()
    )
    return _message(1, b"".join(entries))


def _parquet(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


@functools.cache
def whole() -> dict[str, dict[str, bytes]]:
    """Return catalogues, by format and by name."""
    csv = _delimited(",")
    pictures = [
        _record(
            _example(image__encoded=b"\xff\xd8\xff" + bytes([n]) * 40, id=b"p%d" % n, title=b"Shoe")
        )
        for n in range(3)
    ]
    return {
        "csv": {
            "a.csv": csv,
            "utf-16.csv": csv.decode().encode("utf-16"),
        },
        "tsv": {"a.tsv": _delimited("\t")},
        "jsonl": {"a.jsonl": "\n".join(map(json.dumps, ROWS)).encode()},
        "parquet": {"a.parquet": _parquet(ROWS)},
        "tfrecord": {
            "a.tfrecord": b"".join(pictures),
            "b.tfrecord.gz": gzip.compress(b"".join(pictures)),
        },
        "google-product-search": {"a.csv": PRODUCT_SEARCH.encode()},
        "shopify": {"a.csv": SHOPIFY.encode()},
        "merchant": {
            "a.xml": MERCHANT.encode(),
            "bomb.xml": MERCHANT.replace("<rss", BOMB + "<rss")
            .replace("sock", "&a11; &file;")
            .encode(),
            "a.txt": _delimited("\t").replace(b"image\t", b"image_link\t"),
        },
    }
