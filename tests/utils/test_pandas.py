"""pandas objects are recognised without an import of pandas."""

import numpy as np
import pandas as pd
import pytest
from processes import outputs_of

from esnkit.utils._pandas import is_frame, is_pandas


def test_series_and_frames_are_recognised():
    series = pd.Series([1.0, 2.0])
    assert is_pandas(series) and not is_frame(series)
    assert is_pandas(series.to_frame()) and is_frame(series.to_frame())


@pytest.mark.parametrize("other", [[1.0], np.ones((2, 2)), None, "x", pd.RangeIndex(3), {"a": 1}])
def test_other_objects_are_not(other):
    assert not is_pandas(other) and not is_frame(other)


def test_pandas_is_not_imported():
    code = (
        "import sys; from esnkit.utils._pandas import is_frame\n"
        "print(is_frame([1.0]), 'pandas' in sys.modules)"
    )
    assert outputs_of(code, {}) == ["False False\n"]
