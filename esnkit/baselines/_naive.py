"""Simple forecasts that anything better has to beat."""

import numpy as np


def persistence(past: np.ndarray, n_steps: int) -> np.ndarray:
    """Repeat the last value."""
    return np.repeat(past[-1:], n_steps, axis=0)


def seasonal_naive(past: np.ndarray, n_steps: int, period: int) -> np.ndarray:
    """Repeat the last period."""
    return np.resize(past[-period:], n_steps)


def seasons(series: np.ndarray) -> list[int]:
    """Return the lags at which a series, less its trend, resembles itself: none, one or two.

    Of the peaks of its autocorrelation within a third of the series those count that reach 0.3:
    the first that comes near to the highest, and the first that is not far below.
    """
    n, time = len(series), np.linspace(-1.0, 1.0, len(series))
    if n < 9:  # a third has no peak
        return []
    rest = series / (np.abs(series).max() or 1.0)
    rest = rest - np.polynomial.Polynomial.fit(time, rest, 1)(time)
    if np.abs(rest).max() < 1e-9:  # nothing but a line, rounded
        return []
    power = np.abs(np.fft.rfft(rest, 2 * n)) ** 2
    r = np.fft.irfft(power)[:n]
    r *= n / r[0] / np.arange(n, 0, -1)
    inner = r[2 : max(n // 3, 2)]
    peaks = (inner >= 0.3) & (inner > r[1 : 1 + len(inner)]) & (inner >= r[3 : 3 + len(inner)])
    lags = np.flatnonzero(peaks) + 2
    return sorted({int(lags[r[lags] >= q * r[lags].max()][0]) for q in (0.8, 0.95) if len(lags)})


def autoregressive_order(series: np.ndarray, max_order: int) -> int:
    """Choose the order of an autoregressive model, fitted by least squares, by its AIC.

    All orders are fitted to the same rows. One QR of the constant, the lags in order and
    the target holds the residual sums of squares of them all (Hannan and Deistler 1988).
    """
    n_rows = len(series) - max_order
    lags = [series[max_order - k : len(series) - k] for k in range(1, max_order + 1)]
    design = np.column_stack([np.ones(n_rows), *lags, series[max_order:]])
    left = np.asarray(np.linalg.qr(design, mode="r"))[:, -1] ** 2
    # what is left of the target after the constant and the first p lags
    residual = np.cumsum(left[::-1])[::-1][1:]
    orders = np.arange(max_order + 1)
    floor = np.finfo(float).tiny
    aic = n_rows * np.log(np.maximum(residual[: max_order + 1] / n_rows, floor)) + 2 * orders
    return max(1, int(np.argmin(aic)))
