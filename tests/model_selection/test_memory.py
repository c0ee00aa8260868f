"""Amounts of memory."""

import re

import numpy as np
import pytest

from esnkit.model_selection._memory import check_memory


@pytest.mark.parametrize(
    ("memory", "n_bytes"),
    [("1GB", 1e9), ("500MB", 5e8), (" 1.5 GB ", 1.5e9), ("2k", 2e3), ("7", 7), (0, 0), (1e6, 1e6),
     (np.int64(5), 5), ("1e3 KB", 1e6)],
)  # fmt: skip
def test_amounts_of_memory_are_bytes(memory, n_bytes):
    assert check_memory("max_memory", memory) == n_bytes


@pytest.mark.parametrize("memory", ["much", "", "GB", "-1GB", -1, np.nan, np.inf, "1.2.3GB"])
def test_what_is_no_amount_is_refused(memory):
    expected = f"max_memory must be a number of bytes >= 0 or a text such as .* got {memory!r}"
    with pytest.raises(ValueError, match=re.escape(expected).replace(r"\.\*", ".*")):
        check_memory("max_memory", memory)


@pytest.mark.parametrize("memory", [None, True, [1]])
def test_other_types_are_refused(memory):
    with pytest.raises(TypeError, match="max_memory must be a number of bytes"):
        check_memory("max_memory", memory)
