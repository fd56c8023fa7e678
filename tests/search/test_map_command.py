"""`lookalike map`, and the pictures it draws."""

import io
import sys
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from indexer.errors import IndexNotReady, MissingExtra, UsageError
from indexer.snapshot import open_current
from search.catalogue_map import MAP_FILE, lay_out, places
from search.map_command import map as map_command
from search.map_picture import (
    COLOURS,
    LEAST_TILE,
    SHEET_SIDE,
    SHEET_TILE,
    colours_of,
    draw_map,
    draw_sheet,
)


@pytest.fixture
def run(indexed):
    def invoke(*arguments, folder=indexed):
        result = CliRunner().invoke(map_command, [*map(str, arguments), "--index", str(folder)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_the_map_is_drawn(run, tmp_path, ending, indexed):
    path = tmp_path / f"map.{ending}"
    result = run("--out", path, "--size", 600)
    assert result.exit_code == 0
    assert "12 listings are drawn" in result.stderr
    with Image.open(path) as picture:
        assert picture.width == 600
        assert len(picture.resize((60, 60)).convert("RGB").getcolors(9999)) > 100
    assert not (open_current(indexed).folder / MAP_FILE).exists()


def test_a_method_is_kept_for_the_page(run, indexed):
    result = run("--method", "pca")
    assert "The page shows this map" in result.stderr
    assert (open_current(indexed).folder / MAP_FILE).is_file()


def test_errors(run, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="nothing to do"):
        run()
    with pytest.raises(UsageError, match="cannot write"):
        run("--out", tmp_path / "map.txt")
    with pytest.raises(IndexNotReady):
        run("--out", tmp_path / "map.png", folder=tmp_path / "none")
    assert run("--out", tmp_path / "map.png", "--size", 3).exit_code == 2
    assert run("--out", tmp_path / "map.png", "--method", "x").exit_code == 2


def test_a_missing_extra_is_said(sync, tmp_path, index_folder, draw, write_csv, monkeypatch):
    rows = [(f"p{n}", str(draw(tmp_path / f"{n}.png", n))) for n in range(25)]
    sync(write_csv(tmp_path / "catalogue.csv", rows))
    monkeypatch.setitem(sys.modules, "umap", None)
    arguments = ["--method", "umap", "--index", str(index_folder)]
    with pytest.raises(MissingExtra):
        map_command.main(arguments, standalone_mode=False)


def test_small_cells_show_one_of_several(opened):
    drawn = lay_out(opened.snapshot)
    shown = places(opened, drawn)
    keys = Counter()

    class Counting:
        def thumbnail(self, key):
            keys[key] += 1
            return opened.thumbnail(key)

    draw_map(Counting(), drawn, shown, drawn.columns * LEAST_TILE)
    assert len(keys) == 12
    keys.clear()
    draw_map(Counting(), drawn, shown, drawn.columns * LEAST_TILE // 2)
    assert len(keys) == (drawn.levels >= 1).sum() < 12


def test_categories_have_colours():
    names = ["", "b", "a", "b", *(f"c{n}" for n in range(9))]
    colours = colours_of(names)
    assert list(colours)[:2] == ["b", "a"]
    assert list(colours)[-1] == ""
    assert colours["b"] == (2, COLOURS[0])
    assert colours[""] == (1, "")
    assert colours["c8"] == (1, "")
    assert len({colour for _, colour in colours.values()}) == len(COLOURS) + 1


def test_a_sheet(opened):
    key = opened.listing("bags:00.png")[1][0]
    data = draw_sheet(opened, ["", key, "none"])
    sheet = np.asarray(Image.open(io.BytesIO(data)))
    assert sheet.shape == (SHEET_SIDE * SHEET_TILE, SHEET_SIDE * SHEET_TILE, 3)
    assert sheet[:SHEET_TILE, :SHEET_TILE].std(axis=(0, 1)).max() < 5
    assert sheet[:SHEET_TILE, SHEET_TILE : 2 * SHEET_TILE].std() > 20
