"""Recipes: their values are checked, kept and read again."""

import json

import pytest

from indexer.errors import UsageError
from indexer.recipe import DEFAULT, RECIPES, REGIONS, SEED, WIDE, Recipe


def test_the_named_ones():
    assert RECIPES == {"default": DEFAULT, "wide": WIDE, "regions": REGIONS, "seed": SEED}
    assert SEED.features == ("mixed7_max",)
    assert (SEED.power, SEED.unit_features, SEED.dims, SEED.whitening) == (1, False, 100, 0)
    assert Recipe(name="x", features=("mixed7_avg", "mixed5_avg")).width == 2 * 768


def test_what_an_index_keeps_for_it():
    assert [recipe.keep for recipe in RECIPES.values()] == ["all", "all", "regions", "all"]
    SEED.require_kept(2 * 768)
    WIDE.require_kept(4 * 768)
    REGIONS.require_kept(5 * 768)
    with pytest.raises(UsageError, match="'wide' needs") as caught:
        WIDE.require_kept(2 * 768)
    assert caught.value.hint.endswith("--keep-features all.")
    with pytest.raises(UsageError, match="'regions' needs") as caught:
        REGIONS.require_kept(4 * 768)
    assert caught.value.hint.endswith("--keep-features regions.")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_roundtrip_through_json(recipe):
    assert Recipe.from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_sized():
    assert DEFAULT.sized(None, None) is DEFAULT
    assert (DEFAULT.sized(7, None).dims, DEFAULT.sized(7, None).variance) == (7, None)
    assert (DEFAULT.sized(None, 0.9).dims, DEFAULT.sized(None, 0.9).variance) == (None, 0.9)
    with pytest.raises(UsageError, match="exclude"):
        DEFAULT.sized(7, 0.9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dims": 0},
        {"dims": -3},
        {"variance": 0.0},
        {"variance": 1.01},
        {"variance": float("nan")},
        {"features": ("mixed9_avg",)},
        {"features": ()},
    ],
)
def test_values_out_of_range(wrong):
    with pytest.raises(UsageError):
        Recipe(name="x", **wrong)
