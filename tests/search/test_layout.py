"""Laying vectors out on a grid."""

import numpy as np
import pytest

from search.layout import (
    ASPECT,
    grid_size,
    levels,
    own_cells,
    sorted_grid,
    spread,
)


def groups(each, count=6, dims=16, noise=0.25, seed=0):
    """Draw unit vectors around a few centres; return them and their groups."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(count, dims))
    of = np.tile(np.arange(count), each)
    vectors = centres[of] + noise * generator.normal(size=(len(of), dims))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), of


def alike(cells, of):
    """Return how often one of the eight nearest is of the same group."""
    apart = ((cells[:, None] - cells[None]) ** 2).sum(2).astype(float)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, :8]
    return (of[nearest] == of[:, None]).mean()


def distinct(cells, columns, rows):
    assert cells.min() >= 0
    assert (cells < (columns, rows)).all()
    return len(np.unique(cells, axis=0)) == len(cells)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 24, 100, 501])
def test_every_picture_has_a_cell_of_its_own(count):
    vectors = groups(100)[0][:count]
    cells, columns, rows = sorted_grid(vectors)
    assert len(cells) == count
    assert count == 0 or distinct(cells, columns, rows)
    assert columns * rows >= count


def test_neighbours_look_alike():
    vectors, of = groups(60)
    cells, columns, rows = sorted_grid(vectors)
    assert distinct(cells, columns, rows)
    shuffled = cells[np.random.default_rng(1).permutation(len(cells))]
    assert alike(shuffled, of) < 0.25
    assert alike(cells, of) > 0.75
    again, _, _ = sorted_grid(vectors)
    assert (again == cells).all()


def test_identical_vectors_do_not_share_a_cell():
    vectors = np.tile(np.eye(1, 8, dtype=np.float32), (30, 1))
    cells, columns, rows = sorted_grid(vectors)
    assert distinct(cells, columns, rows)


def test_one_dimension_is_enough():
    vectors = np.where(np.arange(20)[:, None] % 2, 1, -1).astype(np.float32)
    cells, columns, rows = sorted_grid(vectors)
    assert distinct(cells, columns, rows)


def test_spread_keeps_left_of_right_and_above_of_below():
    plane = np.random.default_rng(2).normal(size=(96, 2))
    cells = spread(plane, 12, 8)
    assert distinct(cells, 12, 8)
    for axis in (0, 1):
        assert np.corrcoef(plane[:, axis], cells[:, axis])[0, 1] > 0.9


def test_grids_are_wide_and_can_be_halved():
    assert grid_size(2016) == (56, 36)
    assert grid_size(0) == (2, 1)
    for count in (300, 1000, 2016, 5000):
        columns, rows = grid_size(count)
        assert columns * rows >= count
        assert columns / rows == pytest.approx(ASPECT, rel=0.15)


def test_groups_keep_their_gaps():
    generator = np.random.default_rng(3)
    plane = np.concatenate([generator.normal(at, 0.3, (80, 2)) for at in ((0, 0), (5, 0), (2, 6))])
    of = np.repeat(np.arange(3), 80)
    cells, columns, rows = own_cells(plane)
    assert distinct(cells, columns, rows)
    assert columns * rows >= 2 * len(plane)
    assert alike(cells, of) > 0.95


def test_each_square_shows_one():
    vectors, _ = groups(40)
    cells, _, _ = sorted_grid(vectors)
    level = levels(vectors, cells)
    assert (level >= 0).all()
    for k in range(level.max() + 1):
        shown = cells[level >= k] >> k
        there = np.unique(cells >> k, axis=0)
        assert len(np.unique(shown, axis=0)) == len(shown) == len(there)
    assert (level == level.max()).sum() == 1


def test_the_one_shown_is_the_typical_one():
    vectors = np.array([[1, 0], [0.98, 0.2], [0.98, -0.2], [0, 1]], np.float32)
    cells = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    assert levels(vectors, cells).tolist() == [0, 1, 0, 0]
    assert levels(vectors[:0], cells[:0]).tolist() == []
