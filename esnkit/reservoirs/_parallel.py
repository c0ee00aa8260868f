"""Parallel reservoirs: several reservoirs receive the same inputs."""

from esnkit.reservoirs._base import BaseReservoir
from esnkit.reservoirs._members import MembersMixin, check_template

__all__ = ["ParallelReservoir"]


class ParallelReservoir(MembersMixin, BaseReservoir):  # type: ignore[override]
    """Several reservoirs side by side, such as one for each time scale.

    Parameters
    ----------
    reservoir : BaseReservoir or None, default=None
        The reservoir that is cloned; None stands for ``Reservoir()``.
    n_reservoirs : int, default=3
        Number of reservoirs.
    reservoir_params : dict or None, default=None
        Parameters that differ from reservoir to reservoir, each with a list of `n_reservoirs`
        values: ``{"leak_rate": [1.0, 0.3, 0.1]}``.
    random_state : int, RandomState instance or None, default=None
        Seeds the reservoirs, each with a seed of its own.

    Attributes
    ----------
    reservoirs_ : list of BaseReservoir
        The reservoirs with their weights.
    n_state_, n_features_out_ : int
        Sums over the reservoirs.
    n_features_in_ : int
        Number of features seen in ``fit``.

    References
    ----------
    G. Tanaka, T. Matsumori, H. Yoshida and K. Aihara (2022), Reservoir computing with diverse
    timescales for prediction of multiscale dynamics, Physical Review Research 4, L032014.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ParallelReservoir, Reservoir
    >>> X = np.sin(np.arange(200) / 5).reshape(-1, 1)
    >>> scales = {"leak_rate": [1.0, 0.1]}
    >>> ParallelReservoir(Reservoir(50), 2, reservoir_params=scales).fit_transform(X).shape
    (200, 100)
    """

    is_chain = False
    _members_name, _params_name, _number_name = "reservoirs_", "reservoir_params", "n_reservoirs"

    def __init__(self, reservoir=None, n_reservoirs=3, *, reservoir_params=None, random_state=None):
        self.reservoir = reservoir
        self.n_reservoirs = n_reservoirs
        self.reservoir_params = reservoir_params
        self.random_state = random_state

    @property
    def causal(self) -> bool:  # type: ignore[override]
        """Whether the reservoir that is cloned is causal."""
        return check_template(self.reservoir).causal
