import numpy as np
import pytest

from esnkit.utils._read_only import ReadOnlyWeights, read_only


def weights():
    return ReadOnlyWeights.of("b_", np.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(
    "edit",
    [
        lambda w: w.__setitem__(0, 1.0),
        lambda w: w[0].__setitem__(0, 1.0),
        lambda w: w.__imul__(2.0),
        lambda w: np.multiply(w, 2.0, out=w),
        lambda w: np.multiply(np.ones((2, 3)), 2.0, out=w),
        lambda w: np.add.at(w, [0], 1.0),
    ],
)
def test_edits_name_the_attribute_and_the_way_out(edit):
    array = weights()
    with pytest.raises(ValueError, match=r"b_ is read-only.*such as reservoir.b_ = 2 \* "):
        edit(array)
    assert np.array_equal(array, np.arange(6.0).reshape(2, 3))


def test_results_are_ordinary_arrays_and_copies_can_be_changed():
    array = weights()
    for result in (2 * array, array @ np.ones(3), np.add.reduce(array), np.asarray(array)):
        assert type(result) is np.ndarray
    copied = array.copy()
    copied[0] = 5.0
    copied *= 2.0
    assert np.all(copied[0] == 10.0) and array.sum() == 15.0


def test_a_read_only_view_leaves_the_array_writable():
    array = np.zeros(3)
    with pytest.raises(ValueError, match="read-only"):
        read_only(array)[0] = 1.0
    array[0] = 1.0
    assert read_only(array)[0] == 1.0
