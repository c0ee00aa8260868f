"""The nearest neighbour by dynamic time warping, without a window, of sequences of any lengths."""

import numba
import numpy as np

N_POINTS = 32  # of a sequence, in the order of whose distances candidates are tried
CHECKED = 32  # diagonals between two looks whether a candidate is still in question


class NearestByDTW:
    """The label of the nearest training sequence; channels are warped together."""

    def fit(self, X: list[np.ndarray], y: np.ndarray) -> "NearestByDTW":
        self.points_ = np.stack([_points(x) for x in X])
        self.reversed_ = [np.ascontiguousarray(x[::-1].T) for x in X]
        self.y_, self.classes_ = np.asarray(y), np.unique(y)
        return self

    def predict(self, X: list[np.ndarray]) -> np.ndarray:
        return self.y_[[self._nearest(x) for x in X]]

    def _nearest(self, x: np.ndarray) -> int:
        """Try the likely ones first, so that the others are given up early."""
        distances = ((self.points_ - _points(x)) ** 2).sum(axis=(1, 2))
        channels, nearest, least = np.ascontiguousarray(x.T), -1, np.inf
        for k in np.argsort(distances, kind="stable"):
            distance = squared_dtw(channels, self.reversed_[k], least)
            if distance < least or nearest < 0:
                nearest, least = k, distance
        return nearest


def _points(x: np.ndarray) -> np.ndarray:
    return x[np.linspace(0, len(x) - 1, N_POINTS).round().astype(int)]


@numba.njit(fastmath={"reassoc", "contract", "nsz"})
def squared_dtw(a, b_reversed, limit):
    """Return the least sum of squared differences along a warping path.

    It is infinity if an early look shows that it is not below ``limit``. ``a`` is (n_channels, n),
    ``b_reversed`` (n_channels, m) with the last step first. The cells of an anti-diagonal do not
    depend on each other: cell (i, d - i) is at place i + 1 of its array.
    """
    n, m = a.shape[1], b_reversed.shape[1]
    before, last, new = np.full(n + 1, np.inf), np.full(n + 1, np.inf), np.full(n + 1, np.inf)
    before[0] = 0.0
    for d in range(n + m - 1):
        start, stop = max(0, d - m + 1), min(n, d + 1)
        cells, shift = new[start + 1 : stop + 1], m - 1 - d
        left, below, diagonal = last[start + 1 :], last[start:], before[start:]
        for k in range(len(cells)):
            least = left[k] if left[k] < below[k] else below[k]
            cells[k] = least if least < diagonal[k] else diagonal[k]
        for c in range(a.shape[0]):
            x, y = a[c, start:stop], b_reversed[c, start + shift : stop + shift]
            for k in range(len(cells)):
                cells[k] += (x[k] - y[k]) ** 2
        new[start] = np.inf
        # Every path has a cell on one of two neighbouring diagonals. Cells left over from earlier
        # diagonals can only delay the end.
        if d % CHECKED == CHECKED - 1 and min(new.min(), last.min()) >= limit:
            return np.inf
        before, last, new = last, new, before
    return last[n]
