"""Evaluating a drawn shop: every figure, every photo that is left out, and the command."""

from __future__ import annotations

import json

import numpy as np
import pytest

import lookalike
from indexer.errors import QueryError, UsageError
from indexer.recipe import RECIPES
from indexer.scores import CLOSE
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from search.engine import Engine
from search.evaluate import evaluate
from search.queries import read_queries
from search.serving import ann_recall
from tests.search.shop import COLOURS, LISTINGS, draw_photos, draw_shop, write_rows

COUNT = len(COLOURS) * LISTINGS


@pytest.fixture
def shop(tmp_path, sync, index_folder):
    sync(draw_shop(tmp_path / "shop"))
    return tmp_path / "shop"


@pytest.fixture
def engine(shop, index_folder):
    opened = Engine.open(index_folder)
    yield opened
    opened.close()


def figure(figures, name):
    return next(one for one in figures if one.name == name)


def measured(engine, shop, header, rows, **options):
    return evaluate(engine, read_queries(write_rows(shop / "q.csv", header, rows)), **options)


def test_figures_are_what_the_engine_answers(engine, shop):
    photos = read_queries(draw_photos(shop))
    result = evaluate(engine, photos)
    pages = [engine.search(photo=_bytes(photo), k=10) for photo in photos]
    plain = [engine.search(photo=_bytes(photo), k=10, prior=False) for photo in photos]

    def hit(found, k):
        pairs = zip(found, photos, strict=True)
        return np.mean([p.listing in [h.listing.id for h in page.hits[:k]] for page, p in pairs])

    def precision(found, k):
        pairs = zip(found, photos, strict=True)
        right = [[h.listing.category == p.category for h in page.hits[:k]] for page, p in pairs]
        return np.mean(right)

    for k in (1, 5, 10):
        assert figure(result.by_listing, f"hit@{k}").value.value == pytest.approx(hit(pages, k))
        assert figure(result.by_listing, f"hit@{k}").plain.value == pytest.approx(hit(plain, k))
        alike = figure(result.by_category, f"P@{k}")
        assert alike.value.value == pytest.approx(precision(pages, k))
        assert alike.plain.value == pytest.approx(precision(plain, k))
        rounding = 1e-9  # how sums of equal figures are rounded depends on the processor
        assert alike.value.low - rounding <= alike.value.value <= alike.value.high + rounding
    likeliest = [page.category[0][0] for page in pages]
    right = np.mean([name == p.category for name, p in zip(likeliest, photos, strict=True)])
    assert result.classifier.accuracy.value == pytest.approx(right)
    # Eight listings of each category: the other two places of ten go to the 16 others.
    assert figure(result.by_category, "P@5").dice.value == pytest.approx(right)
    assert figure(result.by_category, "P@10").dice.value == pytest.approx(
        right * 0.8 + (1 - right) * 0.1
    )
    assert figure(result.by_listing, "hit@1").dice.value == pytest.approx(right / 8)
    close = np.array([page.close_match for page in pages])
    assert result.close_match.share == pytest.approx(close.mean())
    assert close.tolist() == [page.hits[0].score >= CLOSE for page in pages]
    assert (result.photos.by_listing, result.photos.by_category) == (COUNT, COUNT)
    assert result.photos.in_catalogue == 0
    assert result.ann_recall_at_10 == 1.0
    assert set(result.took_ms) == {"decode", "embed", "search", "total"}
    assert all(0 < times.median <= times.p95 for times in result.took_ms.values())


def _bytes(photo):
    from pathlib import Path

    return Path(photo.picture.uri).read_bytes()


def test_a_listings_own_picture_finds_its_other_one(engine, shop):
    # Number 1 has two pictures, number 0 one.
    rows = [(f"{category}/1-0.png", f"{category}-1") for category in COLOURS]
    result = measured(engine, shop, ("image", "listing"), [*rows, ("bags/0-0.png", "bags-0")])
    assert figure(result.by_listing, "hit@1").value.value == 1.0
    assert result.photos.by_listing == 3
    assert result.photos.in_catalogue == 4
    assert result.photos.nothing_left == 1
    # By the categories of those listings, all of the photo's own listing is left out.
    assert result.photos.by_category == 4
    assert figure(result.by_category, "recall@100").value.value == 1.0
    assert figure(result.by_category, "P@10").value.value <= (LISTINGS - 1) / 10


def test_a_copy_under_another_name_is_left_out_too(engine, shop):
    (shop / "copy.png").write_bytes((shop / "hats" / "2-0.png").read_bytes())
    result = measured(engine, shop, ("image", "category"), [("copy.png", "hats")])
    assert result.photos.in_catalogue == 1
    assert not result.by_listing
    assert figure(result.by_category, "P@10").value.value <= (LISTINGS - 1) / 10
    assert result.close_match.judged_by == "category"


def test_what_is_left_out_is_said(engine, shop):
    draw_photos(shop)
    (shop / "broken.png").write_text("no picture")
    rows = [
        ("photos/bags-0.png", "bags-0", ""),
        ("photos/bags-1.png", "gone-1", "bags"),
        ("photos/bags-2.png", "", "tents"),
        ("photos/bags-3.png", "", "tents"),
        ("broken.png", "bags-4", ""),
        ("none.png", "bags-4", ""),
    ]
    result = measured(engine, shop, ("image", "listing", "category"), rows)
    photos = result.photos
    assert photos.given == 6
    assert photos.by_listing == 1
    assert photos.by_category == 2  # the first by its listing's own category
    assert [one.origin for one in photos.unreadable] == ["q.csv, line 6", "q.csv, line 7"]
    assert photos.unknown_listings == (("q.csv, line 3", "gone-1"),)
    assert photos.unknown_categories == {"tents": 2}
    with pytest.raises(QueryError, match="2 cannot be read; 1 name a listing") as caught:
        measured(
            engine, shop, ("image", "listing"), [*(r[:2] for r in rows[4:]), ("bags/0-0.png", "x")]
        )
    assert "None of the 3 photos" in caught.value.message


def test_recipes_beside_one_another(engine, shop):
    photos = read_queries(draw_photos(shop))
    result = evaluate(engine, photos, recipes=("default", "seed", "current"), k=7)
    default, seed, current = result.compared
    assert [one.name for one in result.compared] == ["default", "seed", "current"]
    assert [one.judged_by for one in default.figures[:4]] == ["listing"] * 4
    assert {one.name for one in default.figures} >= {"hit@7", "MRR", "P@7", "mAP", "recall@7"}
    assert all(one.difference is None and not one.significant for one in default.figures)
    for own, first in zip(seed.figures, default.figures, strict=True):
        assert (own.name, own.judged_by, own.prior) == (first.name, first.judged_by, first.prior)
        change = own.difference
        assert change.value == pytest.approx(own.value.value - first.value.value)
        assert own.significant == (change.low > 0 or change.high < 0)
    # Fitted again on the same features, the index's own recipe answers as the index does.
    assert not any(one.significant for one in current.figures)
    plain = [one for one in current.figures if one.name == "P@7" and not one.prior]
    assert plain[0].value.value == figure(result.by_category, "P@7").plain.value
    alone = evaluate(engine, photos, recipes=("current",), k=7).compared
    assert len(alone) == 1


def test_regions_beside_the_default(tmp_path, shop, engine, sync):
    photos = read_queries(draw_photos(shop))
    with pytest.raises(UsageError, match="does not keep") as caught:
        evaluate(engine, photos, recipes=("default", "regions"))
    assert "--keep-features regions" in caught.value.hint
    source = open_source(shop / "catalog.csv")
    index_catalogue(tmp_path / "kept", source, IndexOptions(keep_features="regions"))
    kept = Engine.open(tmp_path / "kept")
    result = evaluate(kept, photos, recipes=("default", "regions"))
    kept.close()
    assert [one.name for one in result.compared] == ["default", "regions"]
    assert all(one.difference is not None for one in result.compared[1].figures)


def test_without_categories(tmp_path, sync, index_folder, pictures_folder):
    sync(pictures_folder)
    engine = Engine.open(index_folder)
    rows = [("bags/00.png", "bags:00.png"), ("bags/03.jpg", "bags:00.png")]
    path = write_rows(pictures_folder / "q.csv", ("image", "listing"), rows)
    result = evaluate(engine, read_queries(path))
    assert result.photos.by_listing == 1
    assert result.classifier is None or result.by_category
    assert figure(result.by_listing, "hit@10").value.value in (0.0, 1.0)
    json.dumps(result.as_dict())
    engine.close()


def test_recall_of_an_index_that_misses(engine):
    vectors = engine.snapshot.vectors[:5].astype(np.float32)

    class Half:
        def nearest(self, asked, count):
            found, similarities = engine.index.nearest(asked, count)
            return found[::2], similarities[::2]

    assert ann_recall(engine.snapshot, engine.index, vectors) == 1.0
    assert ann_recall(engine.snapshot, Half(), vectors) == 0.5


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        lookalike.main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_the_command(shop, index_folder, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LOOKALIKE_INDEX", str(index_folder))
    photos = draw_photos(shop)
    with photos.open("a") as file:
        file.write("none.png,bags-0,bags\nphotos/bags-0.png,gone,\n")
    code, out, err = run(capsys, "evaluate", photos, "--json", "--compare", "seed")
    assert code == 0, err
    said = json.loads(out)
    assert said["photos"]["given"] == COUNT + 2
    assert {one["name"] for one in said["by_listing"]} == {"hit@1", "hit@5", "hit@10", "MRR"}
    assert set(said["by_category"][0]["value"]) == {"value", "low", "high"}
    assert said["compared"][0]["name"] == "seed"
    assert not err
    plot = tmp_path / "precision.png"
    code, out, err = run(capsys, "evaluate", photos, "--compare", "seed", "--plot", plot)
    assert code == 0
    for word in ("hit@5", "mAP", "category + dice", "Close match", "Approximate search"):
        assert word in out
    assert f"queries.csv, line {COUNT + 2}" in err
    assert "no listing 'gone'" in err
    assert plot.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--compare", "best"), f"There are: {', '.join(RECIPES)}, current."),
        (("-k", "0"), "0 is not in the range"),
    ],
)
def test_wrong_options(shop, index_folder, capsys, options, said):
    photos = draw_photos(shop)
    code, _, err = run(capsys, "evaluate", photos, "--index", index_folder, *options)
    assert code == UsageError.exit_code
    assert said in err
