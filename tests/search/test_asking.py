"""Questions of several photos and listings: like these, and not like those."""

import numpy as np
import pytest

from indexer.errors import ListingNotFound, PictureError, QueryError
from search.query import MAX_EXAMPLES, Example, Query


def ids(page):
    return [hit.listing.id for hit in page.hits]


def test_one_example_is_the_search_by_it(opened, pictures_folder):
    photo = pictures_folder / "bags" / "00.png"
    assert ids(opened.search(positives=(Example(photo),))) == ids(opened.search(photo=photo))
    by_listing = opened.search(positives=(Example(listing_id="bags:00.png"),))
    assert ids(by_listing) == ids(opened.search(listing_id="bags:00.png"))


def test_listings_that_are_examples_are_left_out(opened):
    like, unlike = Example(listing_id="bags:00.png"), Example(listing_id="hats:01.jpg")
    page = opened.search(positives=(like,), negatives=(unlike,), k=100)
    assert len(page.hits) == 10
    assert not {"bags:00.png", "hats:01.jpg"} & set(ids(page))


def test_between_two_and_nearer_to_the_heavier(opened, pictures_folder):
    first, second = (pictures_folder / path for path in ("bags/00.png", "shoes/02.png"))
    for weights, nearer in (((5, 1), "bags:00.png"), ((1, 5), "shoes:02.png")):
        examples = (Example(first, weight=weights[0]), Example(second, weight=weights[1]))
        page = opened.search(positives=examples, k=2)
        assert set(ids(page)) == {"bags:00.png", "shoes:02.png"}
        assert ids(page)[0] == nearer


def test_what_is_unlike_goes_down(opened, pictures_folder):
    photo = pictures_folder / "bags" / "00.png"
    plain = ids(opened.search(photo=photo, k=12))
    second = pictures_folder / plain[1].replace(":", "/")
    away = ids(opened.search(positives=(Example(photo),), negatives=(Example(second),), k=12))
    assert away[0] == plain[0]
    assert away.index(plain[1]) > 6


def test_examples_that_cancel_each_other_out(opened, monkeypatch):
    monkeypatch.setattr("search.asking.AWAY", 1.0)
    same = (Example(listing_id="bags:00.png"),)
    with pytest.raises(QueryError, match="cancel"):
        opened.search(positives=same, negatives=same)


def test_examples_that_cannot_be_used(opened):
    with pytest.raises(ListingNotFound):
        opened.search(positives=(Example(listing_id="nothing"),))
    with pytest.raises(PictureError):
        opened.search(positives=(Example(b"not a picture"),))


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"photo": b"x", "listing_id": "y"},
        {"photo": b"x", "weight": 0},
        {"photo": b"x", "weight": float("nan")},
        {"photo": b"x", "region": (0.5, 0.5, 0.9, 0.9)},
    ],
)
def test_examples_that_are_wrong(wrong):
    with pytest.raises(QueryError):
        Example(**wrong)


def test_questions_that_are_wrong():
    one = Example(photo=b"x")
    for wrong in (
        {"positives": (one,), "photo": b"x"},
        {"negatives": (one,)},
        {"negatives": (one,), "photo": b"x"},
        {"positives": (one,) * (MAX_EXAMPLES + 1)},
    ):
        with pytest.raises(QueryError):
            Query(**wrong)


def test_time_is_that_of_all_photos(opened, pictures_folder):
    photo = pictures_folder / "bags" / "00.png"
    page = opened.search(positives=(Example(photo), Example(photo)))
    assert page.took_ms["decode"] > 0
    assert np.isfinite(list(page.took_ms.values())).all()


def test_the_least_weight_is_one(opened):
    like = (Example(listing_id="bags:00.png", weight=5e-324),)
    page = opened.search(positives=like, k=3)
    assert all(0 <= hit.score <= 1 for hit in page.hits)
    plain = opened.search(positives=(Example(listing_id="bags:00.png"),), k=3)
    assert ids(page) == ids(plain)
