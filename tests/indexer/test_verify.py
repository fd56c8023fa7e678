"""Verify finds every file that is cut short, altered or missing."""

import json

import pytest

import indexer.verify
from indexer.backup import back_up
from indexer.catalog import DATABASE, Catalog
from indexer.errors import IndexDamaged, IndexNotReady, IndexUnusable, LookalikeError
from indexer.features import feature_file
from indexer.model import install_openvino
from indexer.pictures import content_hash
from indexer.progress import SILENT, Silent
from indexer.rebuild import rebuild
from indexer.restoring import restore
from indexer.runtimes import OPENVINO_FILE, OPENVINO_SUMS, OPENVINO_WEIGHTS
from indexer.snapshot import FILES, MANIFEST, open_current
from indexer.sources import open_source
from indexer.sync import IndexOptions, index_catalogue
from indexer.thumbnails import THUMBNAILS
from indexer.verify import problems
from indexer.weights import sha256_of
from search.engine import Engine


class Told(Silent):
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


def found(folder):
    """Return the problems; one that stops the check counts as well."""
    said = []
    try:
        said.extend(problems(folder))
    except LookalikeError as error:
        said.append(str(error))
    return said


def path_of(folder, name):
    if name in (*FILES, MANIFEST):
        return open_current(folder).folder / name
    return folder / name


WHOLE = (*FILES, MANIFEST, "features.f16", "network.tflite", "network.json", "CURRENT")


def test_a_sound_index_has_none(indexed):
    assert list(problems(indexed)) == []


def test_no_index(tmp_path):
    with pytest.raises(IndexNotReady):
        list(problems(tmp_path))


@pytest.mark.parametrize("name", WHOLE)
def test_missing(indexed, name):
    path_of(indexed, name).unlink()
    assert found(indexed)


@pytest.mark.parametrize("name", WHOLE)
def test_truncated(indexed, name):
    path = path_of(indexed, name)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert found(indexed)
    path.write_bytes(b"")
    assert found(indexed)
    path.write_bytes(data)
    assert not found(indexed)


@pytest.mark.parametrize("name", [*FILES, "network.tflite"])
def test_one_altered_byte(indexed, name):
    path = path_of(indexed, name)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (said,) = found(indexed)
    assert name in said
    assert "SHA-256 differs" in said


@pytest.mark.parametrize("name", FILES)
def test_compact_puts_the_snapshot_right(indexed, name):
    path = path_of(indexed, name)
    path.write_bytes(path.read_bytes()[:-1])
    assert "compact" in found(indexed)[0]
    rebuild(indexed, None, None, None)
    assert not found(indexed)


def test_the_database_cut_short(indexed):
    path = indexed / DATABASE
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert found(indexed)


def test_a_damaged_page_of_the_database(indexed):
    path = indexed / DATABASE
    data = bytearray(path.read_bytes())
    data[-4096:] = b"\xff" * 4096
    path.write_bytes(data)
    assert any("catalog.db" in line for line in found(indexed))


@pytest.mark.parametrize("place", [0.0, 0.37, 0.999])
def test_an_altered_bit_of_the_features(indexed, place):
    path = indexed / "features.f16"
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    path.write_bytes(data)
    (said,) = found(indexed)
    assert "the features of 1 of 12 pictures were altered" in said
    assert "' among them" in said


@pytest.mark.parametrize(("kept", "lost"), [(None, 12), (0, 12), (24, 6), (21, 7)])
def test_checksums_that_are_lost(indexed, kept, lost):
    path = indexed / "features.crc"
    whole = path.read_bytes()
    if kept is None:
        path.unlink()
    else:
        path.write_bytes(whole[:kept])
    (said,) = found(indexed)
    assert f"{path}: the checksums of {lost} of 12 pictures" in said
    assert "lookalike export" in said
    told = Told()
    back_up(indexed, indexed.parent / "backup", progress=told)
    restore(indexed.parent / "backup", indexed.parent / "restored", progress=told)
    assert [f"checksums of {lost} of 12" in line for line in told.lines] == [True, True]
    # What was cut off is filled up when the next picture comes.
    path.write_bytes(whole[:28] + bytes(16) + whole[44:])
    assert "checksums of 4 of 12" in found(indexed)[0]
    path.write_bytes(whole)
    assert not found(indexed)


def test_damaged_features_without_checksums(indexed):
    (indexed / "features.crc").unlink()
    path = indexed / "features.f16"
    data = path.read_bytes()
    path.write_bytes(b"\0" * (len(data) // 2) + data[len(data) // 2 :])
    lost, altered = found(indexed)
    assert "checksums of 6 of 12" in lost
    assert "features of 6 of 12 pictures were altered" in altered


@pytest.mark.parametrize("name", ["CURRENT", MANIFEST])
@pytest.mark.parametrize("damage", ["altered", "short", "missing", "names", "elsewhere"])
def test_what_is_wrong_is_said_for_a_person(indexed, name, damage):
    path = path_of(indexed, name)
    data = path.read_bytes()
    middle = len(data) // 2
    match damage:
        case "altered":
            path.write_bytes(data[:middle] + b"\xff\xfe" + data[middle + 2 :])
        case "short":
            path.write_bytes(data[:middle])
        case "missing":
            path.unlink()
        case "names":
            path.write_text('{"format": 3}')
        case "elsewhere":
            path.write_text("../../etc")
    said = "\n".join(found(indexed))
    assert said
    assert len(said) < 400
    assert "Error" not in said
    assert "codec" not in said
    assert "lookalike verify" not in said  # which is what says it
    with pytest.raises(IndexUnusable) as caught:
        open_current(indexed)
    assert "Error" not in str(caught.value)
    assert len(str(caught.value)) < 400
    rebuild(indexed, None, None, None)
    assert not found(indexed)


@pytest.mark.parametrize(
    ("name", "damage", "removed"),
    [
        ("network.json", "missing", []),
        ("network.json", "altered", ["network.json"]),
        ("network.tflite", "missing", ["network.json"]),
        ("network.tflite", "altered", ["network.json"]),
    ],
)
def test_a_lost_network_is_installed_again(
    indexed, pictures_folder, fake_network, name, damage, removed
):
    path = indexed / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"\0" + path.read_bytes()[1:])
    (said,) = found(indexed)
    assert str(path) in said
    assert f"lookalike index CATALOG --index {indexed}" in said
    assert [
        one for one in ("network.json", "network.tflite") if f"remove {indexed / one}" in said
    ] == removed
    if damage == "missing":  # a search does not read all of it
        with pytest.raises(IndexDamaged) as caught:
            Engine.open(indexed)
        assert str(caught.value) == said
    if name == "network.json":
        with pytest.raises(IndexDamaged) as caught:
            rebuild(indexed, None, None, None)
        assert str(caught.value) == said
    for one in removed:
        (indexed / one).unlink()
    index_catalogue(indexed, open_source(pictures_folder), IndexOptions(), SILENT)
    assert not found(indexed)


def test_thumbnails(indexed):
    path = indexed / THUMBNAILS
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert any("thumbnails.db" in line for line in found(indexed))
    path.write_bytes(data.replace(b"\xff\xd8\xff", b"\0\0\0", 2))
    (said,) = found(indexed)
    assert "2 thumbnails are no whole JPEG" in said
    path.write_bytes(b"nothing of the kind")
    assert "not a database" in found(indexed)[0]
    path.unlink()
    assert not found(indexed)
    assert not path.exists()


def test_another_indexs_network(indexed):
    card = json.loads((indexed / "network.json").read_text())
    (indexed / "network.json").write_text(json.dumps({**card, "sha256": "f" * 64}))
    assert any("was made with the network" in line for line in found(indexed))


def test_current_names_garbage(indexed):
    (indexed / "CURRENT").write_text("../../etc")
    assert found(indexed)


def test_a_manifest_whose_files_lack_their_size(indexed):
    path = path_of(indexed, MANIFEST)
    said = json.loads(path.read_text())
    del said["files"]["index.faiss"]["bytes"]
    path.write_text(json.dumps(said))
    assert found(indexed)


def test_openvinos_form_of_the_network(indexed):
    for name in (OPENVINO_FILE, OPENVINO_WEIGHTS):
        (indexed.parent / name).write_bytes(name.encode())
    install_openvino(indexed.parent / OPENVINO_FILE, indexed)
    assert list(problems(indexed)) == []
    (indexed / OPENVINO_WEIGHTS).write_bytes(b"network.bim")
    (problem,) = problems(indexed)
    assert OPENVINO_WEIGHTS in problem
    assert "--runtime openvino" in problem
    (indexed / OPENVINO_SUMS).write_bytes(b"{}")
    (problem,) = problems(indexed)
    assert OPENVINO_SUMS in problem


def test_a_row_that_nothing_refers_to_may_be_half_written(indexed):
    """A compaction that died has copied half of another one into it."""
    with Catalog(indexed) as catalog, catalog.writing():
        catalog.db.execute("DELETE FROM listings WHERE id = 'hats:01.jpg'")
        catalog.db.execute(
            "DELETE FROM embeddings WHERE number NOT IN (SELECT embedding FROM pictures)"
        )
        (row,) = set(range(12)) - {
            r[0] for r in catalog.db.execute("SELECT number FROM embeddings")
        }
        size = feature_file(indexed, catalog).width * 2
    data = bytearray((indexed / "features.f16").read_bytes())
    data[row * size] ^= 1
    (indexed / "features.f16").write_bytes(data)
    assert not found(indexed)
    data[(row + 1) * size] ^= 1
    (indexed / "features.f16").write_bytes(data)
    assert "of 1 of 12 pictures" in found(indexed)[0]


def test_rows_that_are_moved_meanwhile_are_looked_at_again(indexed, monkeypatch):
    real, turns = indexer.verify._damaged_rows, []

    def then_move(catalog, file, count, progress):
        turns.append(count)
        if len(turns) == 1:
            with catalog.writing():
                catalog.db.execute("UPDATE meta SET value = value + 1 WHERE key = 'moves'")
            return [3], 0
        return real(catalog, file, count, progress)

    monkeypatch.setattr(indexer.verify, "_damaged_rows", then_move)
    assert not found(indexed)
    assert len(turns) == 2


def test_pictures_that_were_given_to_the_index(indexed):
    data = b"a picture"
    path = indexed / "pictures" / content_hash(data)[:2] / content_hash(data)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    path.with_name("x.1.part").write_bytes(b"half of one")
    assert not found(indexed)
    path.write_bytes(data[:-1])
    (said,) = found(indexed)
    assert "1 of 1 pictures were altered" in said


def test_files_in_folders_of_the_snapshot(indexed):
    folder = open_current(indexed).folder
    (folder / "more").mkdir()
    (folder / "more" / "x.i32").write_bytes(b"1234")
    said = json.loads((folder / MANIFEST).read_text())
    said["files"]["more/x.i32"] = {"bytes": 4, "sha256": sha256_of(folder / "more" / "x.i32")}
    (folder / MANIFEST).write_text(json.dumps(said))
    assert not found(indexed)
    (folder / "more" / "x.i32").write_bytes(b"1235")
    assert "more/x.i32 was altered" in found(indexed)[0]
