"""The commands, from the outside, with a fake network."""

import json

import pytest
from click.testing import CliRunner

from indexer.commands.compact import compact
from indexer.commands.index import index, parse_max_failures
from indexer.commands.status import status
from indexer.commands.verify import verify
from indexer.console import run_reporting_errors
from indexer.errors import IndexNotReady, QueryError, UsageError
from search.classify_command import classify
from search.commands import search
from search.duplicates_command import duplicates
from web.access.key_commands import keys


@pytest.fixture
def run(index_folder, fake_network):
    """Run a command on `index_folder`, as `lookalike.main` does; return its result."""

    def invoke(command, *arguments, folder=index_folder):
        result = CliRunner().invoke(command, [*map(str, arguments), "--index", str(folder)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_index_status_search(run, pictures_folder):
    result = run(index, pictures_folder)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "12 added" in result.stderr
    result = run(status)
    assert result.exit_code == 0
    assert "12" in result.stdout
    result = run(search, pictures_folder / "bags" / "00.png", "-k", 3)
    assert result.exit_code == 0
    assert "bags:00.png" in result.stdout
    assert "12 unchanged" in run(index, pictures_folder).stderr


def test_json(run, pictures_folder):
    (report,) = lines(run(index, pictures_folder, "--json"))
    assert report["plan"] == {"added": 12, "changed": 0, "removed": 0, "unchanged": 0}
    assert report["work"]["embedded"] == 12
    assert (report["failures"], report["snapshot"]) == (0, "000001")
    (said,) = lines(run(status, "--json"))
    assert (said["listings"], said["vectors"], said["pending"]) == (12, 12, 0)
    photos = [pictures_folder / "bags" / "00.png", pictures_folder / "hats" / "01.jpg"]
    pages = lines(run(search, *photos, "-k", 2, "--json"))
    assert [page["hits"][0]["listing"]["id"] for page in pages] == ["bags:00.png", "hats:01.jpg"]
    assert all(len(page["hits"]) == 2 for page in pages)
    (page,) = lines(run(search, "--id", "bags:00.png", "--json"))
    assert len(page["hits"]) == 10
    (done,) = lines(run(compact, "--json", "--dims", 2))
    assert (done["snapshot"], done["built"], done["changed"]) == ("000002", True, 0)
    assert lines(run(status, "--json"))[0]["dims"] == 2


def test_dry_run(run, pictures_folder, index_folder):
    (report,) = lines(run(index, pictures_folder, "--dry-run", "--json"))
    assert report["work"] is None
    assert "12 added" in run(index, pictures_folder, "--dry-run").stderr
    assert not index_folder.exists()


def test_quiet(run, pictures_folder):
    result = run(index, pictures_folder, "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_too_many_failures_exit_with_3(run, pictures_folder):
    for n in range(2):
        (pictures_folder / f"bad{n}.jpg").write_bytes(b"no picture %d" % n)
    assert run(index, pictures_folder, "--quiet").exit_code == 3
    assert run(index, pictures_folder, "--max-failures", 1).exit_code == 3
    assert run(index, pictures_folder, "--max-failures", 2).exit_code == 0
    assert run(index, pictures_folder, "--max-failures", "10%").exit_code == 3
    assert run(index, pictures_folder, "--max-failures", "15%").exit_code == 0
    failures = lines(run(status, "--failures", "--json"))
    assert [failure["listing"] for failure in failures] == ["bad0.jpg", "bad1.jpg"]
    assert all(failure["reason"] for failure in failures)
    assert "bad0.jpg" in run(status, "--failures").stdout


@pytest.mark.parametrize("text", ["", "%", "x", "-1", "nan", "inf", "5%%"])
def test_max_failures_that_make_no_sense(text):
    with pytest.raises(UsageError):
        parse_max_failures(text)


def test_verify(run, pictures_folder, index_folder):
    run(index, pictures_folder)
    assert run(verify).exit_code == 0
    (index_folder / "snapshots" / "000001" / "vectors.f16").unlink()
    result = run(verify)
    assert result.exit_code == 1
    assert "vectors.f16" in result.output
    assert run(compact).exit_code == 0
    assert run(verify).exit_code == 0


def test_errors_in_words(run, pictures_folder, tmp_path, capsys):
    with pytest.raises(IndexNotReady):
        run(search, "--id", "x", folder=tmp_path / "none")
    run(index, pictures_folder)
    with pytest.raises(UsageError, match="photos, a listing"):
        run(search)
    with pytest.raises(UsageError, match="photos, a listing"):
        run(search, "x.jpg", "--id", "x")
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"nothing")
    assert run(search, bad, "--region", "1,2").exit_code == 2

    def fail():
        raise UsageError("This is wrong.", hint="Do that.")

    assert run_reporting_errors(fail) == 2
    assert capsys.readouterr().err == "Error: This is wrong.\n  Do that.\n"


def test_a_catalogues_words_are_shown_as_they_stand(run, draw, tmp_path):
    """Rich would take these for a style and for a picture."""
    picture = draw(tmp_path / "bags" / "dress" / "a.png", 1)
    catalogue = tmp_path / "shop.csv"
    catalogue.write_text(f"id,image,title\na:dress:b,{picture},Mug [blue]\n:hat:,no.png,[red]\n")
    run(index, catalogue)
    shown = run(search, picture).stdout
    assert "a:dress:b" in shown
    assert "Mug [blue]" in shown
    assert shown.startswith("Like a.png ")
    failures = run(status, "--failures").stdout
    assert ":hat:\n  The picture does not exist.\n" in failures
    assert f"{tmp_path / 'no.png'}, from shop.csv, line 3" in failures


def test_min_score(run, pictures_folder):
    run(index, pictures_folder)
    photo = pictures_folder / "bags" / "00.png"
    (page,) = lines(run(search, photo, "--min-score", 0.9, "--json"))
    assert len(page["hits"]) == 1


def test_montage(run, pictures_folder, tmp_path):
    run(index, pictures_folder)
    drawn = tmp_path / "montage.jpg"
    result = run(search, pictures_folder / "bags" / "00.png", "--montage", drawn, "-k", 3)
    assert result.exit_code == 0
    assert drawn.stat().st_size > 1000


def test_photos_before_a_bad_one_are_not_lost(run, pictures_folder, tmp_path):
    run(index, pictures_folder)
    bad, drawn = tmp_path / "bad.jpg", tmp_path / "montage.png"
    bad.write_bytes(b"nothing")
    result = run(search, pictures_folder / "bags" / "00.png", bad, "--montage", drawn)
    assert result.exit_code == 1
    assert drawn.exists()


def test_photos_behind_a_bad_one_are_answered(run, pictures_folder, tmp_path):
    run(index, pictures_folder)
    bad, gone = tmp_path / "bad.jpg", tmp_path / "gone.jpg"
    bad.write_bytes(b"nothing")
    good = [pictures_folder / "bags" / "00.png", pictures_folder / "hats" / "01.jpg"]
    result = run(search, good[0], bad, good[1], "-k", 1, "--json")
    first, between, last = lines(result)
    assert [page["hits"][0]["listing"]["id"] for page in (first, last)] == [
        "bags:00.png",
        "hats:01.jpg",
    ]
    assert between["photo"] == str(bad)
    assert between["error"]["code"] == "unsupported_type"
    assert str(bad) in between["error"]["message"]
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {bad}: ")
    bad.write_bytes(good[1].read_bytes()[:-200])  # what a decoder stumbles over, an OSError
    result = run(search, bad, good[0], "-k", 1, "--json")
    assert str(bad) in lines(result)[0]["error"]["message"]
    result = run(search, gone, good[1], "-k", 1)
    assert "hats:01.jpg" in result.stdout
    assert f"The photo {gone} cannot be read" in result.stderr
    assert result.exit_code == 2
    # What is wrong with more than the photo ends the search.
    with pytest.raises(QueryError, match="colour"):
        run(search, *good, "--filter", "colour:red")


def test_a_photo_of_no_category_among_others(run, tmp_path, draw):
    shop = tmp_path / "shop"
    for n in range(10):
        draw(shop / ("bags" if n < 5 else "hats") / f"{n}.png", n)
    run(index, shop)
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"nothing")
    good = shop / "bags" / "0.png"
    result = run(classify, bad, good, "--json")
    first, last = lines(result)
    assert set(first) == {"photo", "error"}
    assert (last["photo"], bool(last["category"])) == (str(good), True)
    assert result.exit_code == 1


@pytest.mark.parametrize("command", [duplicates, keys.commands["list"], search])
def test_help_says_that_json_is_one_object_a_line(command):
    said = " ".join(CliRunner().invoke(command, ["--help"]).stdout.split())
    assert "one object a line" in said


def test_ctrl_c_says_how_to_go_on(run, pictures_folder, fake_network, index_folder):
    fake_network.raise_after = 4
    result = CliRunner().invoke(index, [str(pictures_folder), "--index", str(index_folder)])
    assert result.exit_code != 0
    assert "Run the same command again" in result.stderr
    fake_network.raise_after = None
    assert run(index, pictures_folder).exit_code == 0
    assert fake_network.calls == 12


def test_pages_of_hits(run, pictures_folder, tmp_path):
    run(index, pictures_folder)
    photo = pictures_folder / "bags" / "00.png"
    pages = lines(run(search, photo, "-k", 5, "--pages", 9, "--json"))
    assert [len(page["hits"]) for page in pages] == [5, 5, 2]
    assert [hit["rank"] for page in pages for hit in page["hits"]] == list(range(1, 13))
    (again,) = lines(run(search, "--cursor", pages[0]["next_cursor"], "--json"))
    assert again["hits"] == pages[1]["hits"]
    assert "There are more" in run(search, photo, "-k", 5).stdout
    with pytest.raises(UsageError, match="carries"):
        run(search, "--cursor", pages[0]["next_cursor"], "--filter", "category:bags")
    drawn = tmp_path / "m.png"
    assert run(search, "--like", "id:bags:00.png", "-k", 2, "--montage", drawn).exit_code == 0
    assert drawn.exists()


def test_filters_and_facets(run, pictures_folder):
    run(index, pictures_folder)
    asked = ("--id", "bags:00.png", "--filter", "category:hats")
    (page,) = lines(run(search, *asked, "--facets", "--json"))
    assert {hit["listing"]["category"] for hit in page["hits"]} == {"hats"}
    (facet,) = [one for one in page["facets"] if one["field"] == "category"]
    assert {one["value"]: one["count"] for one in facet["values"]} == dict.fromkeys(
        ("bags", "hats", "shoes"), 4
    )
    assert "category: bags 4, hats 4, shoes 4" in run(search, *asked, "--facets").stdout
    assert "meets the filter" in run(search, *asked, "--filter", "id:none").stdout
    with pytest.raises(QueryError, match="colour"):
        run(search, "--id", "bags:00.png", "--filter", "colour:red")


def test_folded_hits(run, tmp_path, draw):
    picture = draw(tmp_path / "shop" / "a.png", 1)
    catalogue = tmp_path / "shop.csv"
    rows = "".join(f"{n},{picture},Mug\n" for n in "abc")
    other = draw(tmp_path / "shop" / "z.png", 2)
    catalogue.write_text(f"id,image,title\n{rows}z,{other},Cup\n")
    run(index, catalogue)
    assert "+2 similar offers" in run(search, picture, "--fold").stdout
