"""Catalogues as Google and Shopify write them."""

import pytest

from indexer.errors import SourceError
from indexer.sources import SourceOptions, open_source

PRODUCT_SEARCH = (
    'gs://b/1.jpg,i1,set1,p1,apparel-v2,Red dress,"color=red,style=a%2Cb","0.1,0.2,0.6,0.7"\n'
    "gs://b/3.jpg,,set1,p2,apparel-v2,,,\n"
    'gs://b/2.jpg,,set2,p1,apparel-v2,,"color=blue,color=red","10,20,300,400"\n'
)
SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Option1 Name,Option1 Value,\
Variant SKU,Variant Price,Image Src,Image Position,Variant Image,Status
mug,Blue mug,"<p>A
mug</p>",Acme,Home > Kitchen > Mugs,,"blue, gift",Size,S,SKU1,9.50,https://x/2.jpg,2,,active
mug,,,,,,,,L,SKU2,10.00,https://x/1.jpg,1,https://x/1.jpg,
mug,,,,,,,,,,,,,https://x/4.jpg,
card,Gift card,,Acme,,Voucher,,Title,Default Title,,25.00,,,,active
"""
RSS = """\
<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item>
  <title>Mug &amp; lid</title><link>https://x/mug</link><g:id>m1</g:id><guid>9</guid>
  <g:image_link>https://x/1.jpg</g:image_link>
  <g:additional_image_link>https://x/2.jpg</g:additional_image_link>
  <g:additional_image_link><![CDATA[https://x/3.jpg]]></g:additional_image_link>
  <g:price>15.00 USD</g:price><g:product_type>Home &gt; Mugs</g:product_type>
  <g:shipping><g:country>US</g:country><g:price>5 USD</g:price></g:shipping>
  <g:brand>Acme</g:brand>
</item>
<item><g:id>m2</g:id><g:image_link/></item>
</channel></rss>
"""
ATOM = """\
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<entry><id>urn:1</id><g:id>a1</g:id><title>Cup</title><link href="https://x/cup"/>
<g:image_link>cup.jpg</g:image_link></entry></feed>
"""


@pytest.fixture
def opened(tmp_path):
    def opened(content, name="feed.csv", **options):
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return open_source(tmp_path / name, SourceOptions(**options))

    return opened


@pytest.mark.parametrize(
    "header",
    ["", "image-uri,image-id,product-set-id,product-id,product-category,"
     "product-display-name,labels,bounding-poly\n"],
)  # fmt: skip
def test_product_search(opened, header):
    source = opened(header + PRODUCT_SEARCH)
    dress, other = source.listings()
    assert source.format == "google-product-search"
    assert source.count() == 2
    assert (dress.id, dress.title, dress.category) == ("p1", "Red dress", "apparel-v2")
    assert [picture.uri for picture in dress.pictures] == ["gs://b/1.jpg", "gs://b/2.jpg"]
    assert dress.pictures[0].region == pytest.approx((0.1, 0.2, 0.5, 0.5))
    assert dress.pictures[1].region is None
    assert dress.attributes == {
        "color": ["red", "blue"],
        "style": "a,b",
        "product_set": ["set1", "set2"],
    }
    assert other.attributes == {"product_set": "set1"}
    assert other.origin == f"feed.csv, line {3 if header else 2}"


def test_two_regions_of_one_picture(opened):
    row = 'gs://b/1.jpg,,s,p,toys-v2,,,"{}"\n'
    (toy,) = opened(row.format("0,0,0.5,0.5") + row.format("0.5,0.5,1,1")).listings()
    assert [picture.region for picture in toy.pictures] == [(0, 0, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)]


def test_product_search_with_unquoted_labels(opened):
    source = opened(PRODUCT_SEARCH + "gs://b/4.jpg,,s,p,toys-v2,,a=1,b=2,\n")
    with pytest.raises(SourceError, match="line 4 has 9 cells"):
        list(source.listings())


def test_not_product_search(opened):
    with pytest.raises(SourceError, match="is not a Product Search CSV"):
        opened("id,image\n1,a\n", format="google-product-search")


def test_shopify(opened):
    source = opened(SHOPIFY)
    mug, card = source.listings()
    assert source.format == "shopify"
    assert source.count() == 2
    assert (mug.id, mug.title, mug.category, mug.price) == ("mug", "Blue mug", "Mugs", 9.5)
    assert [p.uri for p in mug.pictures] == [f"https://x/{n}.jpg" for n in (1, 2, 4)]
    assert mug.attributes == {
        "vendor": "Acme",
        "product_category": "Home > Kitchen > Mugs",
        "status": "active",
        "sku": "SKU1",
        "tags": ["blue", "gift"],
        "size": ["S", "L"],
    }
    assert (card.category, card.pictures, card.origin) == ("Voucher", (), "feed.csv, line 6")
    assert "title" not in card.attributes


def test_shopify_with_other_columns(opened):
    mug, _ = opened(SHOPIFY, columns={"category": "Vendor"}).listings()
    assert mug.category == "Acme"
    with pytest.raises(SourceError, match="no column 'Cost'"):
        opened(SHOPIFY, columns={"price": "Cost"})


def test_shopify_read_as_plain_csv(opened):
    assert opened(SHOPIFY, format="csv").count() == 4


@pytest.mark.parametrize(
    ("column", "cell"), [("Status", "Draft"), ("Status", "archived"), ("Published", "FALSE")]
)
def test_what_shopify_shows_nobody_is_left_out(opened, column, cell):
    source = opened(
        f"Handle,Title,Image Src,{column}\na,A,a.jpg,{cell}\na,,b.jpg,\nb,B,b.jpg,\n"
        "c,C,c.jpg,active\n"
    )
    for _ in range(2):
        assert [item.id for item in source.listings()] == ["b", "c"]
        assert source.left_out() == "1 product left out: drafts, archived or not published."
    assert source.count() == 2


def test_shopify_bad_price_names_its_line(opened):
    with pytest.raises(SourceError, match="line 2: the price"):
        list(opened(SHOPIFY.replace("9.50", "soon")).listings())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_merchant_rss(opened, encoding):
    source = opened(RSS.encode(encoding), "feed.xml")
    mug, empty = source.listings()
    assert source.format == "merchant"
    assert (mug.id, mug.title, mug.url) == ("m1", "Mug & lid", "https://x/mug")
    assert [p.uri for p in mug.pictures] == [f"https://x/{n}.jpg" for n in (1, 2, 3)]
    assert (mug.price, mug.currency, mug.category) == (15, "USD", "Mugs")
    assert mug.attributes == {
        "product_type": "Home > Mugs",
        "shipping.country": "US",
        "shipping.price": "5 USD",
        "brand": "Acme",
        "guid": "9",
    }
    assert mug.origin == "feed.xml, line 3"
    assert (empty.id, empty.pictures) == ("m2", ())


def test_merchant_atom(opened, tmp_path):
    (cup,) = opened(ATOM, "feed.atom").listings()
    assert (cup.id, cup.title, cup.url) == ("a1", "Cup", "https://x/cup")
    assert cup.pictures[0].uri == str(tmp_path / "cup.jpg")


def test_merchant_table(opened):
    source = opened(
        "id\ttitle\tlink\timage link\tadditional image link\tprice\tproduct type\n"
        "1\tMug\thttps://x\thttps://x/1.jpg\thttps://x/2.jpg,https://x/3.jpg\t5 EUR\tA > B\n",
        "feed.txt",
    )
    (mug,) = source.listings()
    assert source.format == "merchant"
    assert len(mug.pictures) == 3
    assert (mug.category, mug.attributes) == ("B", {"product type": "A > B"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<rss><channel>\n<item></channel></rss>", "line 2 is not well-formed XML"),
        ("<rss><channel></channel></rss>", "no listings"),
        ("<html><body/></html>", "is not a product feed: it starts with <html>"),
        ("<rss>&nbsp;</rss>", "line 1 is not well-formed XML: undefined entity"),
        ('<!DOCTYPE rss [<!ENTITY a "b">]><rss>&a;</rss>', "document type definition"),
        ("<rss><item><id>1</id></item></rss>", "picture among: id"),
        ("<rss><item><image_link>a</image_link></item></rss>", "id among: image_link"),
    ],
)
def test_what_can_be_wrong_in_xml(opened, content, message):
    with pytest.raises(SourceError) as caught:
        opened(content, "feed.xml")
    assert message in str(caught.value)
