"""Adaptive intervals of a combination of networks: errors count by the similarity of states.

The errors are those of the combination on rows that second networks were not fitted to. The state
at an origin is that of all networks together, so that the cosine of two states is the mean of the
cosines of the networks, in proportion to the lengths of their states.
"""

import numpy as np

from esnkit.forecasting._backtest import windows_of
from esnkit.forecasting._calibration import split_origins
from esnkit.forecasting._combination import known_to
from esnkit.forecasting._conformal import StepErrors, errors_needed
from esnkit.forecasting._similarity import similarity_weights

__all__ = ["adaptive_errors"]


def adaptive_errors(
    combination, calibrators: list, values, exog, ahead, n_steps: int, level: float
) -> StepErrors | None:
    """Return the errors of rolling forecasts, with weights for a forecast from the last row.

    Parameters
    ----------
    combination : Combination
    calibrators : list of IntervalCalibrator
        Of its networks, which are its first members.
    values : ndarray of shape (n_rows, 1 + n_past)
        All rows seen so far.
    exog, ahead : ndarray of shape (n_rows, n_exog) and (n_steps, n_exog)
    n_steps : int
    level : float in (0, 1)

    Returns
    -------
    StepErrors or None
        None where the errors are too few for the level, or no weights give better quantiles.
    """
    errors = _rolling_errors(combination, calibrators, values, exog, n_steps)
    origins = _split(calibrators, len(values), n_steps)[1]
    if len(errors) < len(origins):  # the first rows are too few for a network
        return None
    known = ~np.isnan(errors).any(axis=(1, 2))
    if known.sum() < errors_needed(level):
        return None
    errors, origins, exog = errors[known], origins[known], np.vstack([exog, ahead])
    ends = np.append(origins, len(values))
    states = np.hstack(
        [
            calibrator.states(known_to(member, values), exog, ends)
            for member, calibrator in zip(combination.members, calibrators, strict=False)
        ]
    )
    weights = similarity_weights(states, errors, origins, level)
    return None if weights is None else StepErrors(errors, weights)


def _rolling_errors(combination, calibrators, values, exog, n_steps: int) -> np.ndarray:
    """Return errors (n_origins, n_steps, 1) of the median of networks and the simple forecast.

    The median of observed values minus forecasts is the observed value minus their median.
    """
    of_members = [
        calibrator.errors(known_to(member, values), exog, n_steps)[:, :, :1]
        for member, calibrator in zip(combination.members, calibrators, strict=False)
    ]
    start, origins = _split(calibrators, len(values), n_steps)
    n_origins = min(map(len, of_members))
    errors = np.median([part[:n_origins] for part in of_members], axis=0)
    if combination.simple is None or not n_origins:
        return errors
    series = values[:, :1]
    rule = combination.simple.rule.fit(series[:start], exog[:start])
    ahead = rule.roll(series[start:], exog[start:], origins[:n_origins] - start, n_steps)
    of_rule = windows_of(series, origins[:n_origins], n_steps) - ahead
    return (1 - combination.simple_share) * errors + combination.simple_share * of_rule


def _split(calibrators: list, n_rows: int, n_steps: int) -> tuple[int, np.ndarray]:
    """Return the end of the rows that the second networks are fitted to, and the origins."""
    return split_origins(calibrators[0].n_fit, n_rows, n_steps, calibrators[0].share)
