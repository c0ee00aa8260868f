"""Read-only arrays: fitted weights, of which the kernels have copies that no edit reaches."""

from typing import Any

import numpy as np

__all__ = ["ReadOnlyWeights", "read_only"]


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view


class ReadOnlyWeights(np.ndarray):
    """A read-only array, whose error says how to change the weights.

    Results of arithmetic are ordinary arrays; copies can be changed.
    """

    remedy: str

    @classmethod
    def of(cls, name: str, array: np.ndarray) -> "ReadOnlyWeights":
        """Return a view of the array that an estimator has as attribute ``name``."""
        weights = read_only(np.asarray(array)).view(cls)
        weights.remedy = (
            f"{name} is read-only, as a change of single weights would not reach the compiled "
            f"ones: assign a changed copy, such as reservoir.{name} = 2 * reservoir.{name}"
        )
        return weights

    def __array_finalize__(self, array: Any) -> None:
        self.remedy = getattr(array, "remedy", "")

    def __setitem__(self, key: Any, value: Any) -> None:
        self._check_writable()
        super().__setitem__(key, value)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple = (), **params: Any
    ) -> Any:
        """Compute with ordinary arrays; refuse to write the result into read-only ones."""
        for array in inputs[:1] if method == "at" else out:
            if isinstance(array, ReadOnlyWeights):
                array._check_writable()
        if out:
            params["out"] = tuple(map(_as_ordinary, out))
        return getattr(ufunc, method)(*map(_as_ordinary, inputs), **params)

    def _check_writable(self) -> None:
        if not self.flags.writeable:
            raise ValueError(self.remedy)


def _as_ordinary(array: Any) -> Any:
    """Return an array of the base class; others unchanged."""
    return np.asarray(array) if isinstance(array, ReadOnlyWeights) else array
