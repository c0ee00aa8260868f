"""The chaotic systems of the package dysts."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esnkit.utils._validation import check_positive_int


def make_dysts(
    name: str, n_timesteps: int = 1000, *, points_per_period: int = 100, n_discard: int = 0
) -> NDArray[np.float64]:
    """One of the 135 chaotic flows of the package dysts, at its parameters there.

    Each system [1]_, [2]_ starts from a state on its attractor and is integrated by dysts itself
    (Radau, with tolerances of 1e-12); rows are spaced by a share of its dominant period, so that
    systems of very different speeds look alike. Needs ``pip install 'esnkit[dysts]'``.

    Parameters
    ----------
    name : str
        Name of a system, such as "Lorenz", "Rossler" or "MackeyGlass":
        ``dysts.systems.get_attractor_list()`` lists them.
    n_timesteps : int, default=1000
        Number of rows.
    points_per_period : int, default=100
        Rows per dominant period.
    n_discard : int, default=0
        Rows computed and dropped before the first one.

    Returns
    -------
    X : ndarray of shape (n_timesteps, n_features), float64

    Raises
    ------
    ImportError
        If dysts is not installed.
    ValueError
        If there is no such system, or a parameter is out of its range.
    RuntimeError
        If the integration fails.

    References
    ----------
    .. [1] W. Gilpin, "Chaos as an interpretable benchmark for forecasting and data-driven
       modelling", NeurIPS 2021, arXiv:2110.05266.
    .. [2] W. Gilpin, "Model scale versus domain knowledge in statistical forecasting of chaotic
       systems", Physical Review Research 5, 2023.

    Examples
    --------
    With dysts::

        >>> make_dysts("Thomas", 500).shape  # doctest: +SKIP
        (500, 3)
    """
    n_timesteps = check_positive_int("n_timesteps", n_timesteps)
    points = check_positive_int("points_per_period", points_per_period)
    n_rows = check_positive_int("n_discard", n_discard, minimum=0) + n_timesteps
    # Two rows are the fewest that dysts computes.
    rows = _system(name).make_trajectory(max(n_rows, 2), resample=True, pts_per_period=points)
    if rows is None or not np.isfinite(rows).all():
        raise RuntimeError(f"dysts could not integrate {name} over {n_rows} rows: use fewer")
    X = np.asarray(rows, dtype=np.float64).reshape(max(n_rows, 2), -1)
    return np.ascontiguousarray(X[n_rows - n_timesteps : n_rows])


def _system(name: Any) -> Any:
    """Return a new system of dysts."""
    try:
        import dysts.flows
        import dysts.systems
    except ImportError as error:
        raise ImportError("make_dysts needs dysts: pip install 'esnkit[dysts]'") from error
    names = dysts.systems.get_attractor_list()
    if name not in names:
        near = difflib.get_close_matches(str(name), names, cutoff=0.5)
        raise ValueError(
            f"name must be one of the {len(names)} systems of dysts.systems.get_attractor_list(), "
            f"got {name!r}" + (f": near ones are {', '.join(near)}" if near else "")
        )
    return getattr(dysts.flows, name)()
