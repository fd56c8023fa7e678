"""Verify finds every file that is cut short, altered or missing."""

import json

import pytest

from indexer.catalog import DATABASE
from indexer.errors import IndexNotReady, LookalikeError
from indexer.model import install_openvino
from indexer.rebuild import rebuild
from indexer.runtimes import OPENVINO_FILE, OPENVINO_SUMS, OPENVINO_WEIGHTS
from indexer.snapshot import FILES, MANIFEST, open_current
from indexer.thumbnails import THUMBNAILS
from indexer.verify import problems


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


def test_features_without_checksums(indexed):
    """An index from before there were any."""
    (indexed / "features.crc").unlink()
    assert not found(indexed)
    path = indexed / "features.f16"
    data = path.read_bytes()
    path.write_bytes(b"\0" * (len(data) // 2) + data[len(data) // 2 :])
    assert "of 6 of 12 pictures" in found(indexed)[0]


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
