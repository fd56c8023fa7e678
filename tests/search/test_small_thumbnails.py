"""Small pictures of thumbnails are kept while serving, as many as fit."""

import io

import numpy as np
import pytest
from PIL import Image

import search.small_pictures
from search.near_duplicates import small_thumbnail
from search.small_pictures import SmallThumbnails


def jpeg(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG")
    return out.getvalue()


class Thumbnails(dict):
    def __init__(self, *seeds):
        super().__init__({f"k{seed}": jpeg(seed) for seed in seeds})
        self.asked = []

    def of(self, key):
        self.asked.append(key)
        return self.get(key)


def test_they_are_made_once():
    thumbnails = Thumbnails(1, 2)
    smalls = SmallThumbnails(thumbnails.of)
    for _ in range(3):
        for key in ("k1", "k2"):
            np.testing.assert_array_equal(smalls.get(key, None), small_thumbnail(thumbnails[key]))
    assert thumbnails.asked == ["k1", "k2"]


def test_a_region_is_another_one():
    thumbnails = Thumbnails(1)
    smalls = SmallThumbnails(thumbnails.of)
    left = (0.0, 0.0, 0.5, 1.0)
    whole, part = smalls.get("k1", None), smalls.get("k1", left)
    np.testing.assert_array_equal(part, small_thumbnail(thumbnails["k1"], left))
    assert (whole != part).any()


def test_nobody_writes_into_what_is_shared():
    small = SmallThumbnails(Thumbnails(1).of).get("k1", None)
    with pytest.raises(ValueError, match="read-only"):
        small[:] = 0


def test_what_is_not_there_is_looked_for_again():
    thumbnails = Thumbnails()
    smalls = SmallThumbnails(thumbnails.of)
    assert smalls.get("k1", None) is None
    thumbnails["k1"] = b"not a picture"
    assert smalls.get("k1", None) is None
    thumbnails["k1"] = jpeg(1)
    assert smalls.get("k1", None) is not None


def test_the_last_used_are_kept(monkeypatch):
    monkeypatch.setattr(search.small_pictures, "KEPT_WHILE_SERVING", 2)
    thumbnails = Thumbnails(1, 2, 3)
    smalls = SmallThumbnails(thumbnails.of)
    for key in ("k1", "k2", "k1", "k3", "k1", "k2"):
        smalls.get(key, None)
    assert thumbnails.asked == ["k1", "k2", "k3", "k2"]
