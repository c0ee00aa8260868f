"""Comparison of methods over many data sets: ranks, groups that do not differ, their picture."""

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, wilcoxon

LEVEL = 0.05


def ranks_of(scores: np.ndarray) -> np.ndarray:
    """Return the rank of each method (column) on each set, 1 for the best; equal ones share it."""
    return rankdata(-scores, axis=1)


def compare(scores: np.ndarray, reference: np.ndarray) -> list[int]:
    """Return on how many sets a method wins, ties and loses."""
    return [int(found.sum()) for found in
            (scores > reference, scores == reference, scores < reference)]  # fmt: skip


def cliques(scores: np.ndarray, level: float = LEVEL) -> list[tuple[int, int]]:
    """Return first and last place, by mean rank, of methods that do not differ significantly.

    Pairs are compared by Wilcoxon signed-rank tests with the correction of Holm, if the test of
    Friedman says that the methods differ at all (Demsar 2006; Benavoli, Corani and Mangili 2016).
    Groups inside larger ones are left out.
    """
    order = np.argsort(ranks_of(scores).mean(axis=0), kind="stable")
    ordered, n = scores[:, order], scores.shape[1]
    if n > 2 and not friedman(ordered) < level:
        return [(0, n - 1)]
    differ = holm({(i, j): p_value(ordered[:, i], ordered[:, j])
                   for i in range(n) for j in range(i + 1, n)}, level)  # fmt: skip
    found: list[tuple[int, int]] = []
    for i in range(n):
        j = i
        while j + 1 < n and not any((k, j + 1) in differ for k in range(i, j + 1)):
            j += 1
        if j > i and (not found or j > found[-1][1]):
            found.append((i, j))
    return found


def friedman(scores: np.ndarray) -> float:
    """Return the p-value of the test that all methods are alike, 1 if nothing differs."""
    return float(friedmanchisquare(*scores.T).pvalue) if np.ptp(scores, axis=1).any() else 1.0


def p_value(first: np.ndarray, second: np.ndarray) -> float:
    """Return the p-value of the signed-rank test, 1 if nothing differs."""
    return 1.0 if np.array_equal(first, second) else float(wilcoxon(first, second).pvalue)


def holm(p_values: dict[tuple[int, int], float], level: float) -> set[tuple[int, int]]:
    """Return the pairs that differ significantly, by the step-down procedure."""
    differ = set()
    for k, pair in enumerate(sorted(p_values, key=p_values.__getitem__)):
        if p_values[pair] > level / (len(p_values) - k):
            break
        differ.add(pair)
    return differ


def draw(file: str, titles: list[str], scores: np.ndarray) -> None:
    """Draw mean ranks, the best on the right, with a bar over methods that do not differ."""
    from matplotlib.figure import Figure

    ranks = ranks_of(scores).mean(axis=0)
    bars, order, n = cliques(scores), np.argsort(ranks, kind="stable"), len(titles)
    rows, top = (n + 1) // 2, 0.6 + 0.25 * len(bars)
    figure = Figure(figsize=(8, 1.0 + 0.3 * (rows + len(bars))), layout="constrained")
    axis = figure.subplots()
    axis.set(xlim=(n + 0.15, 0.85), ylim=(-top - 0.5 * rows, 0.6))
    axis.axis("off")
    axis.set_title(f"mean rank over {len(scores)} sets", fontsize=10)
    axis.plot([1, n], [0, 0], color="black", lw=1)
    for rank in range(1, n + 1):
        axis.plot([rank, rank], [0, 0.12], color="black", lw=1)
        axis.text(rank, 0.2, str(rank), ha="center", va="bottom")
    for place, k in enumerate(order):
        right = place < rows
        y = -top - 0.5 * (place if right else n - 1 - place)
        end = 1 - 0.05 if right else n + 0.05
        axis.plot([ranks[k], ranks[k], end], [0, y, y], color="0.3", lw=0.8, clip_on=False)
        label = f"{titles[k]}  {ranks[k]:.2f}"
        axis.text(end, y, f"  {label}  ", ha="left" if right else "right", va="center")
    for height, (first, last) in enumerate(bars):
        y = -0.3 - 0.25 * height
        left, right = ranks[order[last]] + 0.04, ranks[order[first]] - 0.04
        axis.plot([left, right], [y, y], color="black", lw=3, solid_capstyle="butt")
    figure.savefig(file, dpi=150, bbox_inches="tight")
