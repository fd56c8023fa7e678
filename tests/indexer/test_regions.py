"""Regions of a map: how many, where, and that none of it is missed."""

import numpy as np
import pytest

from indexer.regions import regions


def bounds(rows, columns):
    return [(r.start, r.stop, c.start, c.stop) for r, c in regions(rows, columns)]


def test_of_mixed7():
    found = bounds(17, 17)
    assert len(found) == 1 + 4 + 9
    assert found[0] == (0, 17, 0, 17)
    assert found[1:5] == [(0, 11, 0, 11), (0, 11, 6, 17), (6, 17, 0, 11), (6, 17, 6, 17)]
    assert found[5] == (0, 8, 0, 8)
    assert found[9] == (4, 12, 4, 12)
    assert found[-1] == (9, 17, 9, 17)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3), (4, 4), (16, 16), (9, 8), (2, 31)])
def test_every_cell_lies_in_regions_of_each_size(shape):
    found = regions(*shape)
    assert len(found) == 14
    for part in (found[:1], found[1:5], found[5:]):
        covered = np.zeros(shape, int)
        for region in part:
            assert covered[region].size
            covered[region] += 1
        assert covered[0, 0] >= 1
        assert covered[-1, -1] >= 1
        assert (covered[1:-1, 1:-1] >= 1).all() or min(shape) < 3
