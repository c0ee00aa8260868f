"""Settings that all candidates of an `AutoForecaster` have in common."""

import numpy as np

from esnkit.forecasting._differencing import check_differences
from esnkit.utils._validation import check_number

__all__ = ["NETWORK_KEYS", "check_settings"]

NETWORK_KEYS = (
    "n_units", "spectral_radius", "leak_rate", "input_scaling", "bias_scaling", "topology",
    "degree", "weights", "topology_params", "input_weights", "input_density", "activation",
    "update", "update_params",
)  # fmt: skip


def check_settings(settings) -> dict:
    """Return settings with differences as lags; the reservoir checks the values of its own.

    Examples
    --------
    >>> check_settings({"differences": 1, "n_units": 50})
    {'differences': (1,), 'n_units': 50}
    """
    known = ["differences", "alpha", *NETWORK_KEYS]
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise TypeError(f"settings must be a dict or None, got {settings!r}")
    unknown = [key for key in settings if key not in known]
    if unknown:
        raise ValueError(f"settings must have keys among {known}, got {unknown[0]!r}")
    checked = dict(settings)
    if "differences" in settings:
        checked["differences"] = check_differences(settings["differences"])
    if "alpha" in settings:
        checked["alpha"] = check_number("settings['alpha']", settings["alpha"], 0, low_open=True)
    if np.ndim(settings.get("leak_rate", 1.0)):
        checked["leak_rate"] = tuple(settings["leak_rate"])
    return checked
