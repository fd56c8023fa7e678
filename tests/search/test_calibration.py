"""`lookalike calibrate`: by right answers, with unlabelled photos, and nothing lost by either."""

import json

import numpy as np
import pytest

import lookalike
from indexer.errors import PictureError, UsageError
from indexer.photos import FILE
from indexer.recipe import DEFAULT, SEED
from indexer.snapshot import current_name, open_current
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from tests.search.shop import draw_photos, draw_shop


@pytest.fixture
def shop(tmp_path, sync, index_folder, monkeypatch):
    monkeypatch.setattr("indexer.calibration.FEWEST", 20)
    sync(draw_shop(tmp_path / "shop"))
    return tmp_path / "shop"


def run(capsys, index_folder, *options):
    with pytest.raises(SystemExit) as ended:
        lookalike.main(["calibrate", "--index", str(index_folder), *map(str, options)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_by_photos_whose_listing_is_known(shop, index_folder, capsys):
    photos = draw_photos(shop)
    with photos.open("a") as file:
        file.write("gone.png,bags-0,bags\n")
    code, out, _ = run(capsys, index_folder, "--queries", photos, "--json")
    assert code == 0
    said = json.loads(out)
    assert said["snapshot"] == current_name(index_folder) == "000002"
    assert len(said["tried"]) > 8
    assert all(0 < one["mrr"] <= 1 for one in said["tried"])
    assert said["recipe"]["name"] in ("default", "calibrated")
    assert open_current(index_folder).manifest["recipe"] == said["recipe"]
    assert [one["reason"] != "" for one in said["rejected"]] == [True]


def test_regions_are_tried_where_the_index_keeps_them(shop, index_folder, capsys, tmp_path):
    photos, kept = draw_photos(shop), tmp_path / "kept"
    index_catalogue(kept, open_source(shop / "catalog.csv"), IndexOptions(keep_features="regions"))
    for folder, tried in ((index_folder, False), (kept, True)):
        code, out, _ = run(capsys, folder, "--queries", photos, "--json", "--dry-run")
        assert code == 0
        assert ("mixed7_rmac" in out) == tried


def test_a_dry_run_changes_nothing(shop, index_folder, capsys):
    before = {path: path.read_bytes() for path in index_folder.rglob("*.json")}
    code, _, err = run(capsys, index_folder, "--photos", shop / "hats", "--dry-run")
    assert code == 0
    assert "Nothing was changed" in err
    assert current_name(index_folder) == "000001"
    assert not (index_folder / FILE).exists()
    assert before == {path: path.read_bytes() for path in index_folder.rglob("*.json")}


def test_unlabelled_photos(shop, index_folder, capsys, sync):
    draw_photos(shop)
    (shop / "photos" / "broken.png").write_bytes(b"no picture")
    code, _, err = run(capsys, index_folder, "--photos", shop / "photos")
    assert code == 0
    assert "Left out" in err
    assert "broken.png" in err
    assert "mean of 24 customers' photos" in err
    centred = open_current(index_folder)
    assert centred.manifest["photos"] == 24
    assert not np.array_equal(centred.projection.mean_, centred.projection.photo_mean_)
    # A later sync of a changed catalogue goes on with them.
    sync(shop / "bags", allow_removals=True)
    assert open_current(index_folder).manifest["photos"] == 24
    code, _, _ = run(capsys, index_folder, "--forget-photos")
    assert code == 0
    forgotten = open_current(index_folder).projection
    assert np.array_equal(forgotten.mean_, forgotten.photo_mean_)
    assert not (index_folder / FILE).exists()


def test_too_little_to_choose_by(sync, pictures_folder, index_folder, capsys):
    sync(pictures_folder)
    code, _, err = run(capsys, index_folder)
    assert code == 0
    assert "60 are needed" in err
    assert open_current(index_folder).projection.recipe == DEFAULT
    sync(pictures_folder, recipe="seed")
    code, _, err = run(capsys, index_folder, "--forget-photos")
    assert "in use stays" in err
    assert open_current(index_folder).projection.recipe == SEED


def test_right_answers_that_nothing_can_find(
    sync, pictures_folder, index_folder, capsys, monkeypatch, write_csv
):
    """Photos of listings that have no other picture left: nothing is chosen by nothing."""
    monkeypatch.setattr("indexer.calibration.FEWEST", 3)
    pictures = sorted(pictures_folder.rglob("*.*"))
    sync(write_csv(pictures_folder.parent / "c.csv", [(p.stem, str(p)) for p in pictures]))
    asked = pictures_folder.parent / "asked.csv"
    asked.write_text("image,listing\n" + "\n".join(f"{p},{p.stem}" for p in pictures))
    code, _, err = run(capsys, index_folder, "--queries", asked)
    assert code == 0
    assert "Only 0 of" in err
    assert open_current(index_folder).projection.recipe == DEFAULT
    asked.write_text("image,listing\ngone.png,bags:00.png\n")
    code, _, err = run(capsys, index_folder, "--queries", asked)
    assert code == PictureError.exit_code


def test_what_cannot_be(shop, index_folder, capsys, tmp_path):
    assert run(capsys, tmp_path / "none")[0] == 1
    code, _, err = run(capsys, index_folder, "--photos", shop, "--forget-photos")
    assert code == UsageError.exit_code
    assert "exclude" in err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(capsys, index_folder, "--photos", empty)[0] != 0
    (empty / "a.png").write_bytes(b"no picture")
    code, _, err = run(capsys, index_folder, "--photos", empty)
    assert code == PictureError.exit_code
    assert "None of the 1 photos" in err
    assert current_name(index_folder) == "000001"
