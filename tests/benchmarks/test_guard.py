"""The guard against becoming dearer, on what is quick of it."""

import json

from benchmarks import guard, pieces


def test_every_check_has_a_bound_with_room():
    kept = json.loads(guard.BOUNDS.read_text())

    assert set(kept["ratios"]) == set(guard.RATIOS)
    assert set(kept["instructions"]) == set(guard.COUNTS)
    for kind, room in guard.ROOM.items():
        for bound in kept[kind].values():
            assert bound["measured"] < bound["most"] <= bound["measured"] * room * 1.001


def test_what_is_dearer_is_so_twice(monkeypatch, tmp_path):
    measured = iter([5.0, 1.0, 5.0, 4.0])
    monkeypatch.setitem(guard.RATIOS, "made up", lambda _: next(measured))

    assert guard.over("ratios", "made up", tmp_path, 2.0) == (1.0, False)
    assert guard.over("ratios", "made up", tmp_path, 2.0) == (4.0, True)


def test_a_ratio_is_of_the_same_input_in_turns():
    assert 0.5 < guard.ratio(lambda: sum(range(20_000)), lambda: sum(range(20_000))) < 2


def test_pieces_do_their_work(tmp_path):
    rows = [f"p{n},{n}.jpg\n" for n in range(100)]
    (tmp_path / "hundred.csv").write_text("id,image\n" + "".join(rows))

    assert pieces.load(tmp_path)(0).pixels.shape == (299, 299, 3)
    assert pieces.read(tmp_path / "index")(0) == 100
