"""What was learned of a catalogue is kept while it fits, and learned anew when it does not."""

import numpy as np
import pytest

import indexer.build
from indexer.snapshot import open_current
from tests.search.shop import draw_product, draw_shop


@pytest.fixture
def trained(monkeypatch):
    """Count how often a category model is trained."""
    calls = []
    real = indexer.build.train_categories
    monkeypatch.setattr(
        indexer.build,
        "train_categories",
        lambda *arguments, **options: calls.append(1) or real(*arguments, **options),
    )
    return calls


def test_a_few_more_listings_keep_the_category_model(tmp_path, sync, index_folder, trained):
    catalogue = draw_shop(tmp_path / "shop")
    sync(catalogue)
    before = open_current(index_folder)
    assert before.categories is not None
    draw_product(tmp_path / "shop" / "bags" / "new.png", "bags", 99, 0)
    with catalogue.open("a") as file:
        file.write("bags-new,bags/new.png,New,bags\n")
    sync(catalogue)
    after = open_current(index_folder)
    assert len(trained) == 1
    assert after.count == before.count + 1
    assert np.array_equal(after.categories.layers_[0][0], before.categories.layers_[0][0])
    assert after.categories.frequency_.sum() == pytest.approx(1)
    assert not np.array_equal(after.categories.frequency_, before.categories.frequency_)
    assert after.scores.listings == before.scores.listings + 1


def test_names_that_changed_places_are_learned_anew(tmp_path, sync, index_folder, trained):
    catalogue = draw_shop(tmp_path / "shop")
    sync(catalogue)
    text = catalogue.read_text()
    lines = [
        line.rpartition(",")[0] + "," + {"bags": "hats", "hats": "bags"}.get(category, category)
        for line in text.splitlines()
        for category in [line.rpartition(",")[2]]
    ]
    catalogue.write_text("\n".join(lines) + "\n")
    sync(catalogue)
    assert len(trained) == 2
    model = open_current(index_folder).categories
    assert model is not None
    assert model.accuracy_ > 0.8
