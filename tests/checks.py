"""What several test files ask of estimators."""

from functools import lru_cache

import pytest
from sklearn.utils import estimator_checks

# scikit-learn has no common data for texts; these are its checks that need none.
CHECKS = [
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_mixin_order,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_valid_tag_types,
]


def parametrize_with_checks(estimators, **options):
    """Do as scikit-learn does, but write out an estimator once, not for each of its checks."""
    given = estimator_checks.parametrize_with_checks(estimators, **options).mark
    return pytest.mark.parametrize(*given.args, ids=lru_cache(given.kwargs["ids"]))


class Watcher:
    """A callback that notes every iteration, and stops after some."""

    def __init__(self, last):
        self.last, self.scores, self.over = last, [], False

    def setup(self, estimator, context):
        self.max_iter = context.max_subtasks

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        pass

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        if context.task_name == "iteration":
            self.scores.append(fitted_estimator.score(X, y))
        return len(self.scores) == self.last

    def teardown(self, estimator, context):
        self.over = True
