"""Static covariates: their order, their scale, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from esnkit.forecasting._static import read_static

IDS = ["a", "b", "c"]
VALUES = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])


def test_columns_are_standardised_and_constant_ones_are_zero():
    found = read_static(VALUES, IDS)
    np.testing.assert_allclose(found[:, 0], np.array([-1, 0, 1]) / np.sqrt(2 / 3))
    assert (found[:, 1] == 0).all()
    assert read_static(None, IDS).shape == (3, 0)


def test_frames_are_put_in_the_order_of_the_ids():
    frame = pd.DataFrame(VALUES, IDS)
    np.testing.assert_array_equal(
        read_static(frame.loc[["c", "a", "b"]], IDS), read_static(VALUES, IDS)
    )
    np.testing.assert_array_equal(read_static(frame[0][::-1], IDS), read_static(VALUES[:, :1], IDS))


@pytest.mark.parametrize(
    ("static", "message"),
    [
        (VALUES[:2], "static must have a row for each of the 3 series, got 2"),
        (pd.DataFrame(VALUES, ["a", "b", "d"]), "got none of 'c'"),
        (pd.DataFrame(VALUES, ["a", "b", "b"]), "got several of 'b'"),
        ([1.0, np.nan, 2.0], "static contains NaN"),
        (["x", "y", "x"], "static must hold numbers: .*'x'.*; give a column of 0 and 1 for each"),
    ],
)
def test_what_does_not_fit_the_series_is_refused(static, message):
    with pytest.raises(ValueError, match=message):
        read_static(static, IDS)
