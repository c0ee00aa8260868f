"""Where the patches of a field lie."""

import numpy as np
import pytest

from esnkit.forecasting._patches import Layout, make_layout, make_patches, reflections


def test_every_point_belongs_to_one_patch():
    patches = make_patches((4, 6), Layout((2, 3), (1, 1)), periodic=True)
    assert patches.inputs.shape == (4, 20) and patches.outputs.shape == (4, 6)
    assert np.array_equal(np.sort(patches.outputs.ravel()), np.arange(24))


def test_reflections_of_a_grid_are_those_of_both_axes_and_their_product():
    layout = Layout((2, 3), (1, 0))
    found = reflections(layout, "odd")
    assert [mirror.sign for mirror in found] == [-1.0, -1.0, 1.0]
    grid = np.arange(12).reshape(4, 3)
    for mirror, flipped in zip(found, (grid[::-1], grid[:, ::-1], grid[::-1, ::-1]), strict=True):
        assert np.array_equal(mirror.inputs, flipped.ravel())
    assert {mirror.sign for mirror in reflections(layout, "even")} == {1.0}


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((1,), ((1,), (0,))),
        ((7,), ((1,), (3,))),
        ((64,), ((4,), (4,))),
        ((9, 10), ((3, 2), (3, 4))),
    ],
    ids=str,
)
def test_default_sizes(shape, layout):
    assert make_layout(shape, None, None) == layout
