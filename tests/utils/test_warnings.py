"""Warnings point at the line of the user, not at a line of the package."""

import numpy as np
import pytest
from scipy.linalg import LinAlgWarning
from sklearn.model_selection import cross_val_score

from esnkit.readouts import RidgeReadout
from esnkit.utils._warnings import muted, warn


def warner(module):
    """Return a function in a module of that name, which warns."""
    namespace = {"__name__": module, "warn": warn}
    exec(compile("def call():\n    warn('watch out')", f"{module}.py", "exec"), namespace)
    return namespace["call"]


@pytest.mark.parametrize("module", ["esnkit.readouts._ridge", "sklearn.base", "joblib.parallel"])
def test_lines_of_the_package_and_of_its_callers_are_skipped(module):
    with pytest.warns(UserWarning, match="watch out") as warned:
        warner(module)()
    assert warned[0].filename == __file__


@pytest.mark.parametrize("module", ["esnkits", "user.esnkit"])
def test_lines_of_other_packages_are_the_users(module):
    with pytest.warns(UserWarning, match="watch out") as warned:
        warner(module)()
    assert warned[0].filename == f"{module}.py"


def test_the_category_is_passed_on():
    with pytest.warns(LinAlgWarning):
        warn("singular", LinAlgWarning)


def test_muted_warnings_are_left_out_and_no_others():
    with muted("alpha="), pytest.warns(UserWarning, match="watch out") as warned:
        warn("alpha=1 is large")
        with muted("watch"):
            warn("watch out")
        warn("watch out")
    assert len(warned) == 1
    with pytest.warns(UserWarning, match="alpha=1"):
        warn("alpha=1 is large")


def test_a_warning_inside_of_scikit_learn_points_at_the_users_line():
    X = np.linspace(0, 1, 60)[:, np.newaxis] ** np.arange(1, 25)
    with pytest.warns(LinAlgWarning, match="too large for a Gram matrix") as warned:
        cross_val_score(RidgeReadout(1e-14, solver="gram"), X, X.sum(axis=1), cv=2)
    assert {warning.filename for warning in warned} == {__file__}
