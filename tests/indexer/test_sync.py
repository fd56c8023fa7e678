"""Syncs: what is embedded, what is kept, what is refused."""

import os
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

import indexer.pipeline
from indexer.build import feature_file
from indexer.catalog import DONE, FAILED, PENDING, Catalog
from indexer.commands.index import summary
from indexer.commands.status import facts, status
from indexer.errors import (
    DuplicateListing,
    IndexBusy,
    IndexNotReady,
    NetworkMismatch,
    SourceError,
    UsageError,
)
from indexer.lease import writer_lease
from indexer.progress import Silent
from indexer.rebuild import rebuild
from indexer.snapshot import current_name, open_current
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from indexer.weights import Weights
from search.engine import Engine


def counts(plan):
    return plan.added, plan.changed, plan.removed, plan.unchanged


def table(folder, sql, *parameters):
    with Catalog(folder) as catalog:
        return [tuple(row) for row in catalog.db.execute(sql, parameters)]


def state(folder):
    """Return all that a sync may change."""
    return (
        table(folder, "SELECT * FROM listings ORDER BY number"),
        table(folder, "SELECT * FROM pictures ORDER BY number"),
        table(folder, "SELECT * FROM embeddings ORDER BY number"),
        current_name(folder),
    )


def test_first_sync_embeds_everything(sync, pictures_folder, index_folder, fake_network):
    report = sync(pictures_folder)
    assert counts(report.plan) == (12, 0, 0, 0)
    assert (report.work.embedded, report.work.reused, report.work.rejected) == (12, 0, 0)
    assert report.failures == 0
    assert report.snapshot == current_name(index_folder)
    assert fake_network.calls == 12
    with Catalog(index_folder) as catalog:
        assert catalog.categories() == {"bags": 4, "hats": 4, "shoes": 4}
        rows = feature_file(index_folder, catalog).open(12)
        assert np.isfinite(rows).all()
        assert rows.any(axis=1).all()
    assert open_current(index_folder).count == 12
    assert not list(index_folder.glob("*stag*"))


def test_unchanged_embeds_nothing_and_publishes_nothing(
    sync, pictures_folder, index_folder, fake_network
):
    first = sync(pictures_folder)
    before = state(index_folder)
    report = sync(pictures_folder)
    assert counts(report.plan) == (0, 0, 0, 12)
    assert report.plan.empty
    assert report.snapshot == first.snapshot
    assert fake_network.calls == 12
    assert state(index_folder) == before


def test_added_changed_removed(sync, pictures_folder, index_folder, fake_network, draw):
    sync(pictures_folder)
    draw(pictures_folder / "bags" / "new.png", 100)
    draw(pictures_folder / "hats" / "01.jpg", 101)
    (pictures_folder / "shoes" / "02.png").unlink()
    report = sync(pictures_folder)
    assert counts(report.plan) == (1, 1, 1, 10)
    assert fake_network.calls == 14
    ids = {row[0] for row in table(index_folder, "SELECT id FROM listings")}
    assert "bags:new.png" in ids
    assert "shoes:02.png" not in ids
    assert open_current(index_folder).count == 12
    assert report.snapshot != "000001"


def test_touched_file_embeds_nothing(sync, pictures_folder, fake_network):
    sync(pictures_folder)
    os.utime(pictures_folder / "hats" / "01.jpg", (1, 1))
    report = sync(pictures_folder)
    assert counts(report.plan) == (0, 1, 0, 11)
    assert (report.work.embedded, report.work.reused) == (0, 1)
    assert fake_network.calls == 12


def test_renamed_file_embeds_nothing(sync, pictures_folder, index_folder, fake_network):
    sync(pictures_folder)
    (pictures_folder / "hats" / "01.jpg").rename(pictures_folder / "hats" / "other.jpg")
    report = sync(pictures_folder)
    assert counts(report.plan) == (1, 0, 1, 11)
    assert (report.work.embedded, report.work.reused) == (0, 1)
    assert fake_network.calls == 12
    assert table(index_folder, "SELECT count(*) FROM embeddings") == [(12,)]


def test_moved_catalogue_embeds_nothing(sync, pictures_folder, tmp_path, fake_network):
    sync(pictures_folder)
    shutil.copytree(pictures_folder, tmp_path / "elsewhere")
    report = sync(tmp_path / "elsewhere")
    assert counts(report.plan) == (0, 12, 0, 0)
    assert report.work.reused == 12
    assert fake_network.calls == 12


def test_the_same_content_shares_one_row(sync, pictures_folder, index_folder):
    for name in ("a", "b"):
        shutil.copyfile(pictures_folder / "bags" / "00.png", pictures_folder / f"{name}.png")
    sync(pictures_folder)
    assert table(index_folder, "SELECT count(*) FROM embeddings") == [(12,)]
    assert table(index_folder, "SELECT value FROM meta WHERE key = 'rows'") == [("12",)]
    twins = table(
        index_folder,
        "SELECT DISTINCT embedding FROM pictures p JOIN listings l ON l.number = p.listing"
        " WHERE l.id IN ('a.png', 'b.png', 'bags:00.png')",
    )
    assert len(twins) == 1
    assert open_current(index_folder).count == 14


def test_a_bad_picture_is_a_row_with_a_reason(sync, pictures_folder, index_folder, fake_network):
    bad = pictures_folder / "bags" / "bad.jpg"
    bad.write_bytes(b"this is no picture")
    report = sync(pictures_folder)
    assert (report.work.embedded, report.work.rejected, report.failures) == (12, 1, 1)
    with Catalog(index_folder) as catalog:
        (failure,) = catalog.failures()
    assert failure.listing == "bags:bad.jpg"
    assert failure.uri.endswith("bad.jpg")
    assert failure.reason
    assert failure.origin
    # It is known to be bad, and not tried again on each run.
    report = sync(pictures_folder)
    assert (report.work.rejected, report.failures) == (0, 1)
    assert fake_network.calls == 12


def test_a_bad_picture_that_was_put_right(sync, pictures_folder, index_folder, draw):
    bad = pictures_folder / "bags" / "bad.jpg"
    bad.write_bytes(b"this is no picture")
    sync(pictures_folder)
    draw(bad, 50)
    report = sync(pictures_folder)
    assert (report.work.embedded, report.failures) == (1, 0)
    assert open_current(index_folder).count == 13


def test_retry_failed(sync, tmp_path, index_folder, draw, write_csv):
    good, late = draw(tmp_path / "good.png", 1), tmp_path / "late.png"
    late.write_bytes(b"not yet")
    catalogue = write_csv(tmp_path / "c.csv", [("a", str(good)), ("b", str(late))])
    assert sync(catalogue).failures == 1
    before = late.stat()
    assert sync(catalogue, retry_failed=True).failures == 1
    # The same size and time, so that only --retry-failed looks again.
    data = draw(tmp_path / "data.png", 2).read_bytes()
    with Catalog(index_folder) as catalog, catalog.writing():
        version = f"{len(data)}:{before.st_mtime_ns}"
        catalog.db.execute("UPDATE pictures SET version = ? WHERE state = ?", (version, FAILED))
    late.write_bytes(data)
    os.utime(late, ns=(before.st_atime_ns, before.st_mtime_ns))
    report = sync(catalogue, retry_failed=True)
    assert report.failures == 0
    assert open_current(index_folder).count == 2


def test_a_missing_file_is_a_failure_too(sync, tmp_path, index_folder, draw, write_csv):
    good = draw(tmp_path / "good.png", 1)
    catalogue = write_csv(tmp_path / "c.csv", [("a", str(good)), ("b", str(tmp_path / "gone.png"))])
    assert sync(catalogue).failures == 1
    draw(tmp_path / "gone.png", 2)
    report = sync(catalogue)
    assert (report.work.embedded, report.failures) == (1, 0)


def test_no_usable_picture_at_all(sync, tmp_path, index_folder, write_csv):
    catalogue = write_csv(tmp_path / "c.csv", [("a", str(tmp_path / "gone.png"))])
    with pytest.raises(IndexNotReady, match="nothing to search"):
        sync(catalogue)
    with Catalog(index_folder) as catalog:
        assert catalog.count("pictures", "state = ?", FAILED) == 1


def test_a_picture_that_went_bad_keeps_no_place(sync, pictures_folder, index_folder):
    sync(pictures_folder)
    (pictures_folder / "hats" / "01.jpg").write_bytes(b"overwritten")
    assert sync(pictures_folder).failures == 1
    assert open_current(index_folder).count == 11


def test_removal_guard(sync, pictures_folder, index_folder):
    sync(pictures_folder)
    before = state(index_folder)
    shutil.rmtree(pictures_folder / "shoes")
    with pytest.raises(UsageError, match="lacks 4 of the 12") as caught:
        sync(pictures_folder)
    assert "--allow-removals" in caught.value.hint
    assert state(index_folder) == before
    report = sync(pictures_folder, allow_removals=True)
    assert counts(report.plan) == (0, 0, 4, 8)
    assert open_current(index_folder).count == 8


def test_removed_pictures_lose_their_thumbnails(sync, pictures_folder, opened):
    _, (key,) = opened.listing("hats:01.jpg")
    assert opened.thumbnail(key).startswith(b"\xff\xd8")
    (pictures_folder / "hats" / "01.jpg").unlink()
    sync(pictures_folder)
    assert opened.thumbnail(key) is None


def test_a_removed_picture_that_comes_back_has_a_thumbnail(sync, pictures_folder, opened, tmp_path):
    picture = pictures_folder / "hats" / "01.jpg"
    _, (key,) = opened.listing("hats:01.jpg")
    shutil.move(picture, tmp_path / "aside.jpg")
    sync(pictures_folder)
    shutil.move(tmp_path / "aside.jpg", picture)
    sync(pictures_folder)
    assert opened.thumbnail(key) is not None


def test_duplicate_ids_change_nothing(sync, tmp_path, index_folder, draw, write_csv):
    one, two = draw(tmp_path / "1.png", 1), draw(tmp_path / "2.png", 2)
    catalogue = write_csv(tmp_path / "c.csv", [("a", str(one)), ("b", str(two))])
    sync(catalogue)
    before = state(index_folder)
    write_csv(catalogue, [("a", str(two)), ("c", str(one)), ("a", str(one))])
    with pytest.raises(DuplicateListing, match="'a'"):
        sync(catalogue)
    assert state(index_folder) == before


def test_an_empty_catalogue_changes_nothing(sync, indexed, tmp_path, write_csv):
    before = state(indexed)
    with pytest.raises(SourceError):
        sync(write_csv(tmp_path / "c.csv", []))
    assert state(indexed) == before


def test_dry_run_changes_nothing(sync, pictures_folder, index_folder, fake_network, draw):
    sync(pictures_folder)
    before = state(index_folder)
    draw(pictures_folder / "new.png", 200)
    report = sync(pictures_folder, dry_run=True)
    assert counts(report.plan) == (1, 0, 0, 12)
    assert report.work is None
    assert state(index_folder) == before
    assert fake_network.calls == 12
    assert counts(sync(pictures_folder).plan) == (1, 0, 0, 12)


def test_an_interrupted_sync_goes_on(
    sync, pictures_folder, index_folder, fake_network, monkeypatch
):
    monkeypatch.setattr(indexer.pipeline, "CHECKPOINT_PICTURES", 2)
    fake_network.workers = 1
    fake_network.raise_after = 5
    with pytest.raises(KeyboardInterrupt):
        sync(pictures_folder)
    with Catalog(index_folder) as catalog:
        done = catalog.count("pictures", "state = ?", DONE)
        assert done == int(catalog.meta("rows"))
    assert done == 5
    assert open_current(index_folder).count == 5  # what is there can be searched already
    fake_network.raise_after = None
    report = sync(pictures_folder)
    assert counts(report.plan) == (0, 0, 0, 12)
    assert report.work.embedded == 12 - done
    assert fake_network.calls == 12
    assert open_current(index_folder).count == 12
    with Catalog(index_folder) as catalog:
        assert catalog.count("pictures", "state = ?", PENDING) == 0


def test_resumed_is_the_same_as_in_one_go(sync, pictures_folder, index_folder, fake_network):
    fake_network.workers = 1
    fake_network.raise_after = 7
    with pytest.raises(KeyboardInterrupt):
        sync(pictures_folder)
    fake_network.raise_after = None
    sync(pictures_folder)
    resumed = (index_folder / "features.f16").read_bytes()
    shutil.rmtree(index_folder)
    sync(pictures_folder)
    assert (index_folder / "features.f16").read_bytes() == resumed


def test_leftover_staging_does_no_harm(sync, pictures_folder, index_folder):
    from indexer.staging import STAGING

    sync(pictures_folder)
    (index_folder / STAGING).write_bytes(b"left by a run that died")
    assert sync(pictures_folder).plan.empty
    assert not (index_folder / STAGING).exists()


def test_a_second_sync_is_refused(sync, pictures_folder, indexed):
    before = state(indexed)
    with writer_lease(indexed), pytest.raises(IndexBusy):
        sync(pictures_folder)
    with writer_lease(indexed), pytest.raises(IndexBusy):
        rebuild(indexed, None, None, None)
    assert state(indexed) == before


def test_another_input_size_is_refused(sync, pictures_folder, indexed, network):
    with pytest.raises(NetworkMismatch):
        sync(pictures_folder, input_size=network.input_size + 1)
    assert sync(pictures_folder, input_size=network.input_size).plan.empty


def test_other_weights_are_refused(sync, pictures_folder, indexed, monkeypatch, tmp_path, network):
    from dataclasses import replace

    other = replace(network, name="other", sha256="1" * 64)
    before = state(indexed)
    monkeypatch.setattr(
        "indexer.sync.find_weights",
        lambda *_, **__: Weights("other", tmp_path / "w.h5", "1" * 64, "0_1"),
    )
    monkeypatch.setattr("indexer.sync.convert_cached", lambda *_: (other, tmp_path / "x"))
    with pytest.raises(NetworkMismatch):
        sync(pictures_folder, weights="imagenet")
    assert state(indexed) == before


def test_several_pictures_of_a_listing(sync, tmp_path, index_folder, fake_network, draw, write_csv):
    pictures = [str(draw(tmp_path / f"{n}.png", n)) for n in range(4)]
    catalogue = write_csv(tmp_path / "c.csv", [("a", "|".join(pictures[:3])), ("b", pictures[3])])
    sync(catalogue)
    assert open_current(index_folder).count == 4
    write_csv(catalogue, [("a", "|".join(pictures[:2])), ("b", pictures[3])])
    report = sync(catalogue)
    assert counts(report.plan) == (0, 1, 0, 1)
    assert fake_network.calls == 4
    assert open_current(index_folder).count == 3


def test_keep_features(sync, pictures_folder, index_folder):
    sync(pictures_folder, keep_features="mixed7")
    assert (index_folder / "features.f16").stat().st_size == 12 * 2 * 768 * 2
    sync(pictures_folder, recipe="seed")
    assert open_current(index_folder).projection.recipe.name == "seed"
    with pytest.raises(UsageError, match="keeps other features"):
        sync(pictures_folder, keep_features="all")


def test_regions_are_kept_for_their_recipe(sync, pictures_folder, index_folder, fake_network):
    sync(pictures_folder, recipe="regions")
    assert (index_folder / "features.f16").stat().st_size == 12 * 5 * 768 * 2
    assert open_current(index_folder).projection.recipe.name == "regions"
    rebuild(index_folder, "default", None, None)
    rebuild(index_folder, "regions", None, None)
    assert fake_network.calls == 12


def test_regions_are_kept_if_asked_for(sync, pictures_folder, index_folder):
    sync(pictures_folder, keep_features="regions")
    assert (index_folder / "features.f16").stat().st_size == 12 * 5 * 768 * 2
    assert open_current(index_folder).projection.recipe.name == "default"


def test_an_index_without_regions(sync, pictures_folder, indexed, tmp_path):
    assert (indexed / "features.f16").stat().st_size == 12 * 4 * 768 * 2
    before = state(indexed)
    with pytest.raises(UsageError, match="does not keep") as caught:
        sync(pictures_folder, recipe="regions")
    assert "--keep-features regions" in caught.value.hint
    with pytest.raises(UsageError, match="does not keep"):
        rebuild(indexed, "regions", None, None)
    assert state(indexed) == before


def test_regions_that_are_told_not_to_be_kept(sync, pictures_folder):
    with pytest.raises(UsageError, match="does not keep"):
        sync(pictures_folder, recipe="regions", keep_features="all")


@pytest.fixture
def old_network(fake_network, monkeypatch):
    """A network that was converted before there were regions."""
    embed = fake_network.embed
    monkeypatch.setattr(fake_network, "embed", lambda pixels: embed(pixels)[: 4 * 768])
    return fake_network


def test_an_index_with_an_old_network_goes_on(
    sync, pictures_folder, index_folder, old_network, draw
):
    sync(pictures_folder, recipe="wide")
    draw(pictures_folder / "bags" / "new.png", 99)
    assert sync(pictures_folder).work.embedded == 1
    assert (index_folder / "features.f16").stat().st_size == 13 * 4 * 768 * 2
    engine = Engine.open(index_folder)
    page = engine.search(photo=pictures_folder / "bags" / "new.png", k=1)
    assert page.hits[0].listing.id == "bags:new.png"
    engine.close()


def test_an_old_network_cannot_give_regions(sync, pictures_folder, old_network):
    with pytest.raises(NetworkMismatch, match="fewer features"):
        sync(pictures_folder, recipe="regions")


def test_another_recipe_needs_no_picture(sync, pictures_folder, indexed, fake_network):
    sync(pictures_folder, recipe="seed", dims=3)
    assert open_current(indexed).projection.dims == 3
    sync(pictures_folder)  # stays as it is
    recipe = open_current(indexed).projection.recipe
    assert (recipe.name, recipe.dims) == ("seed", 3)
    rebuild(indexed, "default", None, None)
    assert open_current(indexed).projection.recipe.name == "default"
    assert fake_network.calls == 12


def test_bad_options(sync, pictures_folder):
    for options in (
        {"recipe": "none"},
        {"runtime": "none"},
        {"dims": 0},
        {"variance": 1.5},
        {"dims": 2, "variance": 0.5},
    ):
        with pytest.raises(UsageError):
            sync(pictures_folder, **options)


def test_rebuild_without_an_index(tmp_path, index_folder):
    with pytest.raises(IndexNotReady):
        rebuild(index_folder, None, None, None)
    index_folder.mkdir()
    Catalog(index_folder, create=True).close()
    with pytest.raises(IndexNotReady, match="no network"):
        rebuild(index_folder, None, None, None)


def test_options_are_the_indexs_own_unless_given():
    options = IndexOptions()
    assert options.weights is None
    assert options.recipe is None


def test_listings_without_a_picture_are_told(
    sync, pictures_folder, index_folder, tmp_path, write_csv
):
    picture = str(next(pictures_folder.rglob("*.png")))
    path = tmp_path / "c.csv"
    write_csv(path, [("a", picture), ("b", ""), ("c", "")])
    line = "2 listings have no picture and could not be found."
    assert line in summary(sync(path, dry_run=True), index_folder)
    report = sync(path)
    assert (report.without_pictures, report.failures) == (2, 0)
    assert (
        "2 listings have no picture and cannot be found; see which with:"
        f" lookalike status --failures --index {index_folder}"
    ) in summary(report, index_folder)
    with Catalog(index_folder) as catalog:
        assert [failure.listing for failure in catalog.failures()] == ["b", "c"]
        assert facts(index_folder, catalog)["without_pictures"] == 2
    shown = CliRunner().invoke(status, ["--index", str(index_folder)]).stdout
    assert "3 (2 without a picture)" in shown
    write_csv(path, [("a", picture), ("b", picture), ("c", picture)])
    assert not [line for line in summary(sync(path), index_folder) if "no picture" in line]


def test_what_the_catalogue_leaves_out_is_told(index_folder, fake_network, tmp_path, draw):
    draw(tmp_path / "a.png", 1)
    path = tmp_path / "c.csv"
    rows = ("a,A,a.png,active", "b,B,a.png,draft", "c,C,a.png,archived")
    path.write_text("\n".join(["Handle,Title,Image Src,Status", *rows]))

    class Told(Silent):
        def __init__(self):
            self.lines = []

        def say(self, line):
            self.lines.append(line)

    for dry_run in (True, False):
        told = Told()
        options = IndexOptions(dry_run=dry_run)
        report = index_catalogue(index_folder, open_source(path), options, told)
        assert report.plan.added == 1
        assert "2 products left out: drafts, archived or not published." in told.lines
