"""Choosing a recipe: what is better is found, and nothing worse than the default is taken."""

import numpy as np

from indexer.calibration import calibrate
from indexer.labels import Labels
from indexer.questions import own_questions
from indexer.recipe import DEFAULT, REGIONS, WIDE

WIDTH = 5 * 768


def features(count, telling, seed=0):
    """Features of which only the columns `telling` differ from one category to the other."""
    generator = np.random.default_rng(seed)
    codes = np.arange(count) % 6
    rows = generator.random((count, WIDTH))
    centres = np.random.default_rng(7).random((6, telling.stop - telling.start))
    rows[:, telling] = 0.4 * rows[:, telling] + centres[codes]
    return rows.astype(np.float16), codes


def run(rows, labels, photos=None, kept=4):
    order = np.arange(len(rows))
    tried = []
    questions = own_questions(rows, order, labels)
    return calibrate(rows, order, labels, questions, photos, kept, tried.append), tried


def test_layers_that_tell_are_found():
    rows, codes = features(300, slice(3 * 768, 4 * 768))  # mixed6 alone
    choice, tried = run(rows, Labels.of(["abcdef"[code] for code in codes], np.arange(300)))
    assert "mixed6_avg" in choice.recipe.features
    assert choice.recipe.name == "calibrated"
    assert choice.best.recipe.features == choice.recipe.features
    assert choice.best.mean(choice.best.alike) > choice.tried[0].mean(choice.tried[0].alike)
    assert len(tried) >= 10


def test_nothing_to_gain_keeps_the_default():
    rows = np.random.default_rng(0).random((200, WIDTH)).astype(np.float16)
    codes = np.random.default_rng(1).integers(0, 4, 200)
    choice, _ = run(rows, Labels.of(["abcd"[code] for code in codes], np.arange(200)))
    assert choice.recipe == DEFAULT
    assert "surely" in choice.why


def test_only_what_the_index_keeps_is_tried():
    rows, codes = features(150, slice(0, 768))
    labels = Labels.of(["abcdef"[code] for code in codes], np.arange(150))
    _, tried = run(rows[:, : 2 * 768], labels, kept=2)
    assert tried
    assert {name for recipe in tried for name in recipe.features} == {"mixed7_avg", "mixed7_max"}


def test_regions_are_tried_where_they_are_kept():
    rows, codes = features(300, slice(4 * 768, 5 * 768))  # the regions alone
    labels = Labels.of(["abcdef"[code] for code in codes], np.arange(300))
    choice, _ = run(rows, labels, kept=5)
    assert "mixed7_rmac" in choice.recipe.features
    _, tried = run(rows[:, : 4 * 768], labels)
    assert "mixed7_rmac" not in {name for recipe in tried for name in recipe.features}


def test_listings_with_several_pictures_decide():
    generator = np.random.default_rng(0)
    listings = np.repeat(np.arange(100), 2)
    rows = generator.random((200, WIDTH))
    # mixed5 says which listing it is; mixed7 only which category.
    rows[:, 2 * 768 : 3 * 768] = generator.random((100, 768))[listings] + 0.3 * rows[:, :768]
    labels = Labels.of(["ab"[n % 2] for n in listings], listings)
    choice, _ = run(rows.astype(np.float16), labels)
    assert "mixed5_avg" in choice.recipe.features
    assert choice.best.mean(choice.best.found) > choice.tried[0].mean(choice.tried[0].found)


def test_too_little_to_choose_by():
    rows = np.random.default_rng(0).random((30, WIDTH)).astype(np.float16)
    labels = Labels.of(["a"] * 30, np.arange(30))
    choice, tried = run(rows, labels)
    assert (choice.recipe, choice.tried, tried) == (DEFAULT, (), [])
    assert "needed" in choice.why
    assert run(rows, labels, photos=rows)[0].recipe == WIDE
    assert run(rows, labels, photos=rows, kept=5)[0].recipe == REGIONS
    assert run(rows[:, : 2 * 768], labels, photos=rows, kept=2)[0].recipe == DEFAULT
