"""Plain compiled functions on arrays; the only place that knows Numba."""
