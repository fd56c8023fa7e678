"""Why a hit is a hit: sums that are true, and places that are the right ones."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from indexer.errors import ListingNotFound, QueryError, UsageError
from indexer.model import CHANNELS, FEATURES, LAYERS
from indexer.projection import Projection
from indexer.recipe import DEFAULT, RECIPES, Recipe
from search.engine import Engine
from search.explain import as_dict, explain
from search.explain_cells import contributions, pooled, resized
from search.explain_command import explain as command
from search.heatmap import draw, overlay
from search.query import Example, Query

ALL = Recipe(name="all", features=FEATURES, dims=40)
RMAC = Recipe(name="rmac", features=("mixed7_rmac",), dims=40, power=0.35)


def random_maps(seed, shapes=((17, 17), (17, 17), (17, 17))):
    """Make maps as a network would: nothing below zero, some channels silent."""
    generator = np.random.default_rng(seed)
    maps = {}
    for name, shape in zip(LAYERS, shapes, strict=True):
        drawn = np.maximum(generator.standard_normal((*shape, CHANNELS)) - 0.5, 0)
        drawn[..., generator.random(CHANNELS) < 0.1] = 0
        maps[name] = drawn.astype(np.float32)
    return maps


def fitted(recipe, photo_shift=0.0):
    rows = np.concatenate([pooled(random_maps(seed, ((5, 5),) * 3)) for seed in range(60)])
    projection = Projection.fit(recipe, rows)
    return replace(projection, photo_mean_=projection.mean_ + np.float32(photo_shift))


@pytest.mark.parametrize("recipe", [*RECIPES.values(), ALL, RMAC], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("photo", [False, True])
def test_cells_and_the_constant_are_the_similarity(recipe, photo):
    projection = fitted(recipe, photo_shift=0.001)
    maps, other = random_maps(100), random_maps(101)
    ours = projection.transform(pooled(maps), photos=photo)[0]
    theirs = projection.transform(pooled(other))[0]
    cells, constant = contributions(projection, maps, theirs, photo=photo)
    assert cells.shape == (17, 17)
    assert cells.dtype == np.float32
    assert cells.sum() + constant == pytest.approx(ours @ theirs, abs=1e-4)


def test_layers_of_other_sizes_keep_their_sum():
    projection = fitted(ALL)
    maps, other = random_maps(1, ((35, 35), (9, 8), (17, 17))), random_maps(2)
    ours, theirs = (projection.transform(pooled(one))[0] for one in (maps, other))
    cells, constant = contributions(projection, maps, theirs)
    assert cells.shape == (17, 17)
    assert cells.sum() + constant == pytest.approx(ours @ theirs, abs=1e-4)


def test_resized():
    cells = np.arange(6.0).reshape(2, 3)
    assert np.allclose(resized(cells, (4, 6)), cells.repeat(2, 0).repeat(2, 1) / 4)
    assert np.allclose(resized(cells, (1, 1)), cells.sum())
    for shape in ((5, 7), (3, 2), (2, 3)):
        assert resized(cells, shape).shape == shape
        assert resized(cells, shape).sum() == pytest.approx(cells.sum())


def test_a_maximum_belongs_to_the_cells_that_have_it():
    projection = fitted(RECIPES["seed"])
    maps = {name: np.zeros((3, 3, CHANNELS), np.float32) for name in LAYERS}
    maps["mixed7"][0, 1, :400] = 2
    maps["mixed7"][2, 2, :400] = 2
    maps["mixed7"][1, 1, :400] = 1.9
    theirs = projection.transform(pooled(random_maps(3)))[0]
    cells, _ = contributions(projection, maps, theirs)
    assert cells[0, 1] == pytest.approx(cells[2, 2])
    assert abs(cells[0, 1]) > 1e-3
    assert cells[1, 1] == 0


def test_a_regional_maximum_belongs_to_the_cells_that_have_it():
    projection = fitted(RMAC)
    maps = {name: np.zeros((17, 17, CHANNELS), np.float32) for name in LAYERS}
    maps["mixed7"][8, 8, :400] = 2  # the highest of most regions
    maps["mixed7"][0, 0, :400] = 1  # of the small one in its corner
    maps["mixed7"][7, 8, :400] = 1.9  # of the small one that ends before the row below
    maps["mixed7"][0, 8, :400] = 1.5  # of none: wherever it lies, there is more
    maps["mixed7"][16, 16, 400:] = 3
    theirs = projection.transform(pooled(random_maps(3)))[0]
    cells, constant = contributions(projection, maps, theirs)
    ours = projection.transform(pooled(maps))[0]
    assert cells.sum() + constant == pytest.approx(ours @ theirs, abs=1e-4)
    given = {(int(row), int(column)) for row, column in np.argwhere(cells)}
    assert given == {(8, 8), (0, 0), (7, 8), (16, 16)}
    assert abs(cells[8, 8]) > abs(cells[0, 0])


def test_maps_without_anything_are_all_constant():
    projection = fitted(DEFAULT)
    maps = {name: np.zeros((3, 3, CHANNELS), np.float32) for name in LAYERS}
    theirs = projection.transform(pooled(random_maps(4)))[0]
    cells, constant = contributions(projection, maps, theirs)
    assert not cells.any()
    assert constant == pytest.approx(projection.transform(pooled(maps))[0] @ theirs, abs=1e-4)


# ---- on an index: a network that sees colours and texture in 5 x 5 places ----


def seeing_maps(pixels):
    places = pixels.reshape(5, 15, 5, 15, 3).swapaxes(1, 2).reshape(5, 5, 225, 3) / 255.0
    across = np.abs(np.diff(places.reshape(5, 5, 15, 15, 3), axis=3)).mean((2, 3))
    down = np.abs(np.diff(places.reshape(5, 5, 15, 15, 3), axis=2)).mean((2, 3))
    seen = np.concatenate([places.mean(2) - 0.5, 3 * across, 3 * down], axis=-1)
    spread = np.random.default_rng(7).standard_normal((9, CHANNELS))
    return dict.fromkeys(LAYERS, np.maximum(seen @ spread, 0).astype(np.float32))


@pytest.fixture
def seeing(fake_network):
    """Make the fake network see; its features are pooled from its maps, as the real one's."""

    def embed(pixels):
        fake_network.calls += 1
        return pooled(seeing_maps(pixels))[0]

    fake_network.maps, fake_network.embed = seeing_maps, embed
    return fake_network


def plain(seed):
    """Draw a picture without texture: soft, differently coloured in its corners."""
    colours = np.random.default_rng(seed).integers(60, 200, (2, 2, 3), np.uint8)
    return Image.fromarray(colours).resize((75, 75), Image.Resampling.BICUBIC)


def planted(seed, place):
    """Draw such a picture with the same coarse stripes in one of its 5 x 5 places."""
    picture = plain(seed)
    stripes = np.zeros((15, 15, 3), np.uint8)
    stripes[:, ::2] = (255, 40, 200)
    row, column = place
    picture.paste(Image.fromarray(stripes), (column * 15, row * 15))
    return picture


@pytest.fixture
def with_patches(seeing, sync, tmp_path, index_folder):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(30):
        plain(n).save(folder / f"plain{n:02d}.png")
    for n, place in enumerate([(1, 3), (3, 0), (2, 2), (4, 4)]):
        planted(100 + n, place).save(folder / f"patch{n}.png")
    sync(folder)
    engine = Engine.open(index_folder)
    yield engine
    engine.close()


def hottest(cells):
    return tuple(int(n) for n in np.unravel_index(cells.argmax(), cells.shape))


def add_up(explanation):
    for cells, constant in (
        (explanation.query_map, explanation.query_constant),
        (explanation.hit_map, explanation.hit_constant),
    ):
        assert cells.sum() + constant == pytest.approx(explanation.similarity, abs=1e-4)
    assert explanation.similarity == pytest.approx(explanation.stored_similarity, abs=2e-3)


def test_a_planted_patch_is_found_in_both(with_patches, tmp_path):
    photo = tmp_path / "photo.png"
    planted(500, (0, 1)).save(photo)
    for listing_id, place in (("patch0.png", (1, 3)), ("patch1.png", (3, 0))):
        explanation = explain(with_patches, Query(photo=photo), listing_id)
        assert hottest(explanation.query_map) == (0, 1)
        assert hottest(explanation.hit_map) == place
        assert explanation.query.position is None
        assert explanation.hit.position == 0
        add_up(explanation)


def test_a_planted_patch_is_found_by_regions(seeing, sync, tmp_path, index_folder):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for n in range(30):
        plain(n).save(folder / f"plain{n:02d}.png")
    planted(100, (1, 3)).save(folder / "patch.png")
    sync(folder, recipe="regions")
    engine = Engine.open(index_folder)
    explanation = explain(engine, Query(photo=_png(planted(500, (0, 1)))), "patch.png")
    engine.close()
    assert hottest(explanation.query_map) == (0, 1)
    assert hottest(explanation.hit_map) == (1, 3)
    add_up(explanation)


def test_a_patch_is_found_between_listings(with_patches):
    explanation = explain(with_patches, Query(listing_id="patch2.png"), "patch3.png")
    assert hottest(explanation.query_map) == (2, 2)
    assert hottest(explanation.hit_map) == (4, 4)
    assert explanation.query.position == 0
    add_up(explanation)
    back = explain(with_patches, Query(listing_id="patch3.png"), "patch2.png")
    assert np.array_equal(back.query_map, explanation.hit_map)


def test_the_map_is_of_the_region(with_patches):
    photo = Image.new("RGB", (150, 150), (90, 120, 100))
    photo.paste(planted(501, (1, 1)), (75, 0))
    query = Query(photo=_png(photo), region=(0.5, 0, 0.5, 0.5))
    explanation = explain(with_patches, query, "patch0.png")
    assert hottest(explanation.query_map) == (1, 1)
    assert explanation.query.region == (0.5, 0, 0.5, 0.5)
    add_up(explanation)


def _png(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_similarity_is_that_of_the_hit(with_patches, tmp_path):
    photo = _png(planted(502, (3, 3)))
    for hit in with_patches.search(photo=photo, k=5).hits:
        explanation = explain(with_patches, Query(photo=photo), hit.listing.id)
        assert explanation.stored_similarity == pytest.approx(hit.similarity, abs=1e-3)
        add_up(explanation)


def test_the_closest_pictures_of_two_listings(seeing, sync, tmp_path, write_csv, index_folder):
    for n in range(8):
        plain(n).save(tmp_path / f"{n}.png")
    planted(20, (0, 0)).save(tmp_path / "a.png")
    planted(21, (4, 2)).save(tmp_path / "b.png")
    rows = [("one", "0.png|a.png"), ("two", "b.png|1.png"), ("rest", "2.png|3.png|4.png|5.png")]
    sync(write_csv(tmp_path / "catalogue.csv", rows))
    engine = Engine.open(index_folder)
    explanation = explain(engine, Query(listing_id="one"), "two")
    assert (explanation.query.position, explanation.hit.position) == (1, 0)
    add_up(explanation)
    engine.close()


def test_a_picture_that_is_gone_or_another_by_now(with_patches, tmp_path):
    before = explain(with_patches, Query(listing_id="patch0.png"), "patch1.png")
    picture = tmp_path / "pictures" / "patch1.png"
    plain(900).save(picture)
    changed = explain(with_patches, Query(listing_id="patch0.png"), "patch1.png")
    picture.unlink()
    gone = explain(with_patches, Query(listing_id="patch0.png"), "patch1.png")
    for explanation in (changed, gone):  # its thumbnail stands in, a JPEG
        assert explanation.hit.data != before.hit.data
        assert explanation.similarity == pytest.approx(before.similarity, abs=0.2)
        assert explanation.stored_similarity == before.stored_similarity
        assert hottest(explanation.hit_map) == (3, 0)
    with_patches.close()
    (with_patches.path / "thumbnails.db").unlink()
    with pytest.raises(QueryError, match="no longer be read"):
        explain(with_patches, Query(listing_id="patch0.png"), "patch1.png")


def test_what_cannot_be_explained(with_patches, tmp_path):
    photo = _png(plain(1))
    with pytest.raises(ListingNotFound):
        explain(with_patches, Query(photo=photo), "none")
    with pytest.raises(ListingNotFound):
        explain(with_patches, Query(listing_id="none"), "patch0.png")
    with pytest.raises(QueryError, match="cannot be read"):
        explain(with_patches, Query(photo=tmp_path / "none.png"), "patch0.png")
    several = Query(positives=(Example(photo=photo), Example(listing_id="patch1.png")))
    with pytest.raises(QueryError, match="one photo or one listing"):
        explain(with_patches, several, "patch0.png")


def test_a_network_that_sees_nothing(opened, pictures_folder):
    explanation = explain(opened, Query(photo=pictures_folder / "bags" / "00.png"), "hats:01.jpg")
    assert not explanation.query_map.any()
    assert explanation.query_constant == pytest.approx(explanation.similarity, abs=1e-3)


def test_as_json(with_patches):
    shown = as_dict(explain(with_patches, Query(listing_id="patch0.png"), "patch1.png"))
    again = json.loads(json.dumps(shown, allow_nan=False))
    assert (again["rows"], again["columns"]) == (5, 5)
    for side in (again["query"], again["hit"]):
        total = sum(map(sum, side["map"])) + side["constant"]
        assert total == pytest.approx(again["similarity"], abs=1e-3)


# ---- drawn ----


def test_an_overlay_is_bright_where_the_map_is():
    grey = Image.new("RGB", (160, 120), (120, 120, 120))
    cells = np.full((17, 17), -0.01, np.float32)
    cells[4, 12] = 0.05
    drawn = np.asarray(overlay(grey, cells)).astype(int)
    changed = np.abs(drawn - 120).sum(axis=2)
    y, x = np.unravel_index(changed.argmax(), changed.shape)
    # Where a cell lies: 13.5 pixels of 299 from the edge, then 16 a cell.
    assert x == pytest.approx((13.5 + 16 * 12.5) / 299 * 160, abs=4)
    assert y == pytest.approx((13.5 + 16 * 4.5) / 299 * 120, abs=4)
    assert not changed[:, :80].any()


def test_an_overlay_of_nothing_or_of_a_region():
    grey = Image.new("RGB", (100, 100), (120, 120, 120))
    nothing = overlay(grey, np.full((3, 3), -1, np.float32))
    assert np.asarray(nothing).tolist() == np.asarray(grey).tolist()
    part = np.asarray(overlay(grey, np.ones((3, 3), np.float32), (0.5, 0.5, 0.5, 0.5)))
    assert part[75, 75].tolist() != [120, 120, 120]
    assert (part[:49, :49] == part[0, 0]).all()
    tiny = overlay(grey, np.ones((3, 3), np.float32), (0.999, 0.999, 0.001, 0.001))
    assert tiny.size == (100, 100)


def test_a_picture_is_drawn_at_the_size_asked_for(with_patches):
    explanation = explain(with_patches, Query(listing_id="patch0.png"), "patch1.png")
    assert draw(explanation.hit, explanation.hit_map, 300).size == (300, 300)


# ---- the command ----


@pytest.fixture
def run(with_patches, index_folder):
    def invoke(*arguments):
        result = CliRunner().invoke(command, [*map(str, arguments), "--index", str(index_folder)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def test_the_command_draws_a_sheet(run, tmp_path):
    photo, sheet = tmp_path / "photo.png", tmp_path / "why.png"
    planted(500, (0, 1)).save(photo)
    result = run(photo, "patch0.png", "--out", sheet)
    assert result.exit_code == 0
    assert "Similarity to patch0.png" in result.stdout
    assert str(sheet) in result.stderr
    with Image.open(sheet) as drawn:
        assert drawn.width > 900
        colours = np.asarray(drawn.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(colours, axis=0)) > 1000


def test_the_command_writes_json(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("--id", "patch0.png", "patch1.png", "--json")
    (line,) = result.stdout.splitlines()
    said = json.loads(line)
    assert said["listing_id"] == "patch1.png"
    assert len(said["hit"]["map"]) == 5
    assert not (tmp_path / "why.png").exists()
    photo = tmp_path / "photo.png"
    planted(500, (0, 1)).save(photo)
    part = json.loads(run(photo, "patch1.png", "--json", "--region", "0,0,.5,.5").stdout)
    assert part["query"]["region"] == [0, 0, 0.5, 0.5]
    assert run(photo, "patch1.png").exit_code == 0
    assert (tmp_path / "why.png").exists()


def test_the_command_says_what_is_wrong(run, tmp_path):
    photo = tmp_path / "photo.png"
    plain(3).save(photo)
    with pytest.raises(UsageError, match="compared with one listing"):
        run(photo)
    with pytest.raises(UsageError, match="compared with one listing"):
        run(photo, "patch0.png", "--id", "patch1.png")
    with pytest.raises(ListingNotFound):
        run(photo, "none")
    with pytest.raises(UsageError, match="Pillow cannot write"):
        run(photo, "patch0.png", "--out", tmp_path / "why.nothing")
