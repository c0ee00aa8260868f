"""Memory reservoirs: a linear cycle that keeps the inputs feeds a nonlinear reservoir."""

from typing import Any, Self

import numpy as np

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._members import (
    MembersMixin,
    check_interlayer_weights,
    members_read_inputs,
    seeded_clone,
)
from esnkit.reservoirs._reservoir import AUTO_SCALING, Reservoir, is_auto
from esnkit.utils._validation import check_number, check_positive_int

__all__ = ["MemoryReservoir"]


class MemoryReservoir(MembersMixin, BaseReservoir):  # type: ignore[override]
    """A linear memory of the last inputs, and a nonlinear reservoir that receives this memory.

    ::

        m(t) = r C m(t-1) + V u(t)
        h(t) = reservoir(h(t-1), m(t))

    C is the cycle of `n_memory` units, and V feeds input f of d into unit ``f n_memory // d``, so
    that m holds the last ``n_memory / d`` values of every input. A feature row holds m and h.
    Tasks that need long memory and some nonlinearity then need few nonlinear units.

    Parameters
    ----------
    reservoir : reservoir or None, default=None
        The nonlinear reservoir, cloned in ``fit``; None stands for ``Reservoir()``. It must be
        causal.
    n_memory : int, default=100
        Number of units of the memory, at least the number of inputs. For a target of every sequence
        the length of the sequences times the number of inputs is a good value.
    memory_radius : float in (0, 1] or None, default=None
        Weight r of the cycle. None: ``0.5 ** (1 / n_memory)``, so that a value that has gone round
        once counts half. With 1 the memory keeps sums of all inputs since the start, which may
        grow.
    interlayer_weights : {"informed", "uniform", "normal", "bernoulli", "minimal", "chebyshev"} \
            or callable, default="informed"
        Takes the place of `input_weights` of the reservoir, if it has these. "informed": each unit
        of the reservoir receives one unit of the memory; with the others it receives all.
    random_state : int, RandomState instance or None, default=None
        Seeds the reservoir if it has no seed; the memory has no random weights.

    Attributes
    ----------
    layers_ : list of BaseReservoir
        The memory and the nonlinear reservoir, with their weights.
    n_state_, n_features_out_ : int
        Units of the memory and those of the reservoir.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    A ridge classifier that reads the last features alone recognises 96.8 % of scikit-learn's
    digits, given pixel by pixel in permuted order, with 64 units of memory and 100 of the
    reservoir, and 98.5 % with 400; with a :class:`Reservoir` of as many units, 82 and 86 %
    (``benchmarks/accuracy_memory.py``).

    In the reference the nonlinear reservoir receives u(t) directly too, and r is 1; here u(t) is
    the unit of the memory at which it enters. ``Reservoir(update="residual")`` as the reservoir
    gives residual reservoir memory networks.

    With the `input_scaling` "auto" of the reservoir the memory holds standardised inputs. Outputs
    that are fed back are kept as inputs are, times the `feedback_scaling` of the reservoir, if any.

    References
    ----------
    M. Pinna, A. Ceni and C. Gallicchio (2025), Residual reservoir memory networks, IJCNN.

    Examples
    --------
    The number of past inputs that 80 units keep, with and without a memory of 60 units:

    >>> from esnkit import MemoryReservoir, Reservoir
    >>> from esnkit.analysis import memory_capacity
    >>> with_memory = MemoryReservoir(Reservoir(20), 60, random_state=0)
    >>> round(memory_capacity(with_memory, random_state=0).capacity)
    60
    >>> round(memory_capacity(Reservoir(80, random_state=0), random_state=0).capacity)
    13
    """

    is_chain = True
    _members_name = "layers_"

    def __init__(
        self,
        reservoir=None,
        n_memory=100,
        *,
        memory_radius=None,
        interlayer_weights="informed",
        random_state=None,
    ):
        self.reservoir = reservoir
        self.n_memory = n_memory
        self.memory_radius = memory_radius
        self.interlayer_weights = interlayer_weights
        self.random_state = random_state

    @property
    def reads_inputs(self) -> bool:
        """Whether weights depend on the inputs of ``prepare``, not only on their number."""
        return members_read_inputs(self.reservoir)

    def prepare(
        self,
        n_inputs: int,
        n_feedback: int = 0,
        dtype: Any = np.float64,
        inputs: np.ndarray | None = None,
    ) -> Self:
        """Draw the weights, and record the width and dtype of the rows.

        Parameters
        ----------
        n_inputs, n_feedback, dtype : as in ``draw``
        inputs : ndarray of shape (n_rows, n_inputs) or None, default=None
            Inputs of ``fit``, for ``input_scaling="auto"``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        super().prepare(n_inputs, n_feedback, dtype, inputs)
        if n_feedback:
            memory, reservoir = self.layers_
            weights = _entries(memory.n_units, n_feedback + n_inputs)[:, :n_feedback]
            memory.W_fb_ = weights * getattr(reservoir, "feedback_scaling", 1.0)
        return self

    def _make_members(self, n_inputs: int, n_feedback: int) -> list[BaseReservoir]:
        """Return the memory and the reservoir, without weights."""
        n_memory = check_positive_int("n_memory", self.n_memory, minimum=n_inputs + n_feedback)
        radius = 0.5 ** (1 / n_memory) if self.memory_radius is None else self.memory_radius
        reservoir = seeded_clone(self.reservoir, self.random_state)
        params = reservoir.get_params(deep=False)
        if "input_weights" in params:
            between = check_interlayer_weights(self.interlayer_weights)
            reservoir.set_params(input_weights=between)
        auto = _has_auto_scaling(reservoir)
        weights = _entries(n_memory, n_feedback + n_inputs)[:, n_feedback:]
        memory = Reservoir(
            n_memory,
            spectral_radius=check_number("memory_radius", radius, 0.0, 1.0, low_open=True),
            topology="cycle",
            activation="identity",
            input_scaling="auto" if auto else 1.0,
            input_weights=weights / AUTO_SCALING if auto else weights,
            bias_scaling=0.0,
            random_state=0,
        )
        return [memory, reservoir]


def _has_auto_scaling(reservoir: Any) -> bool:
    """Return whether a reservoir, or one nested in it, scales its inputs automatically."""
    params = reservoir.get_params()
    names = [name for name in params if name.split("__")[-1] == "input_scaling"]
    return any(is_auto(params[name]) for name in names)


def _entries(n_memory: int, n_inputs: int) -> np.ndarray:
    """Return V: every input enters the memory at another unit, at equal distances."""
    inputs, weights = np.arange(n_inputs), np.zeros((n_memory, n_inputs))
    weights[inputs * n_memory // n_inputs, inputs] = 1.0
    return weights
