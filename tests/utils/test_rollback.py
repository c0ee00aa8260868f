"""Methods that raise leave the attributes of their object as they were."""

import pytest

from esnkit.utils._rollback import rollback_on_error


class Counter:
    def __init__(self):
        self.n, self.values = 0, []

    @rollback_on_error
    def count(self, step, *, error=None):
        """Add a step."""
        self.n += step
        self.values = [*self.values, step]
        self.new = True
        if error is not None:
            raise error
        return self.n


def test_a_method_that_succeeds_changes_its_object():
    counter = Counter()
    assert counter.count(2) == 2 and counter.count(step=3) == 5
    assert vars(counter) == {"n": 5, "values": [2, 3], "new": True}


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt(), MemoryError()])
def test_a_method_that_raises_changes_nothing(error):
    counter = Counter()
    values = counter.values
    with pytest.raises(type(error)):
        counter.count(2, error=error)
    assert vars(counter) == {"n": 0, "values": []} and counter.values is values


def test_removed_attributes_return():
    class Forgetful:
        state_ = None

        @rollback_on_error
        def forget(self):
            del self.state_
            raise ValueError

    estimator = Forgetful()
    estimator.state_ = 3
    with pytest.raises(ValueError):
        estimator.forget()
    assert estimator.state_ == 3


def test_the_name_and_the_docstring_are_kept():
    assert Counter.count.__name__ == "count" and Counter.count.__doc__ == "Add a step."
