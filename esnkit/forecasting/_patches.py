"""Patches of a field on a line or a grid: where they lie, and the points that each of them sees."""

import itertools
from typing import Any, NamedTuple

import numpy as np

from esnkit.utils._plain_state import plain_record
from esnkit.utils._validation import check_positive_int

# Points along an axis. With more of both, a network of 300 units sees too many points to learn what
# the near ones do.
MAX_DEFAULT_SIZE, DEFAULT_OVERLAP = 4, 4


@plain_record
class Patches(NamedTuple):
    """Patches that cover a field; its points are numbered as in a row of the flattened field."""

    inputs: np.ndarray  # (n_patches, n_inputs), the points that a patch sees
    outputs: np.ndarray  # (n_patches, n_outputs), the points that it forecasts

    def cut(self, rows: np.ndarray) -> np.ndarray:
        """Return what the patches see of rows (n_rows, n_points), (n_patches, n_rows, n_inputs)."""
        return np.ascontiguousarray(rows[:, self.inputs].transpose(1, 0, 2))

    def one_by_one(self) -> list["Patches"]:
        """Return every patch for itself."""
        return [
            Patches(*parts)
            for parts in zip(self.inputs[:, None], self.outputs[:, None], strict=True)
        ]


class Reflection(NamedTuple):
    """A reflection of a patch: the order of its points, and the sign of their values."""

    inputs: np.ndarray  # (n_inputs,)
    outputs: np.ndarray  # (n_outputs,)
    sign: float


class Layout(NamedTuple):
    """Sizes of patches, along every axis."""

    size: tuple[int, ...]
    overlap: tuple[int, ...]

    @property
    def seen(self) -> tuple[int, ...]:
        """Number of points that a patch sees."""
        return tuple(n + 2 * more for n, more in zip(self.size, self.overlap, strict=True))


def make_patches(shape: tuple[int, ...], layout: Layout, periodic: bool) -> Patches:
    """Return the patches of a field.

    Beyond an edge, a patch sees the opposite side of a periodic field, else the nearest point.

    Examples
    --------
    >>> make_patches((4,), Layout((2,), (1,)), periodic=True).inputs
    array([[3, 0, 1, 2],
           [1, 2, 3, 0]])
    >>> make_patches((4,), Layout((2,), (1,)), periodic=False).inputs
    array([[0, 0, 1, 2],
           [1, 2, 3, 3]])
    """
    points = np.arange(np.prod(shape)).reshape(shape)
    inputs, outputs = [], []
    starts = (range(0, n, size) for n, size in zip(shape, layout.size, strict=True))
    for corner in itertools.product(*starts):
        axes = tuple(zip(corner, layout.size, layout.overlap, shape, strict=True))
        own = [np.arange(start, start + size) for start, size, _, _ in axes]
        seen = [
            _within(np.arange(start - more, start + size + more), n, periodic)
            for start, size, more, n in axes
        ]
        inputs.append(points[np.ix_(*seen)].ravel())
        outputs.append(points[np.ix_(*own)].ravel())
    return Patches(np.array(inputs), np.array(outputs))


def _within(points: np.ndarray, n_points: int, periodic: bool) -> np.ndarray:
    """Return the points of an axis that stand for those beyond its ends."""
    return points % n_points if periodic else np.clip(points, 0, n_points - 1)


def reflections(layout: Layout, parity: str | None) -> list[Reflection]:
    """Return the reflections of a patch along its axes; none without a parity.

    Examples
    --------
    >>> reflections(Layout((2,), (1,)), "odd")
    [Reflection(inputs=array([3, 2, 1, 0]), outputs=array([1, 0]), sign=-1.0)]
    """
    n_axes = len(layout.size)
    if parity is None:
        return []
    found = []
    for n_flipped in range(1, n_axes + 1):
        sign = -1.0 if parity == "odd" and n_flipped % 2 else 1.0
        for axes in itertools.combinations(range(n_axes), n_flipped):
            found.append(Reflection(_flip(layout.seen, axes), _flip(layout.size, axes), sign))
    return found


def _flip(sizes: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    """Return the points of a patch in the order of its mirror image."""
    return np.flip(np.arange(np.prod(sizes)).reshape(sizes), axes).ravel()


def training_data(
    rows: np.ndarray, next_rows: np.ndarray, patches: Patches, mirrors: list[Reflection]
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets (n_sequences, n_rows, n_points) of patches and reflections."""
    inputs = [patches.inputs, *(patches.inputs[:, mirror.inputs] for mirror in mirrors)]
    outputs = [patches.outputs, *(patches.outputs[:, mirror.outputs] for mirror in mirrors)]
    X, Y = (
        np.ascontiguousarray(part[:, np.concatenate(points)].transpose(1, 0, 2))
        for part, points in ((rows, inputs), (next_rows, outputs))
    )
    signs = np.repeat([1.0, *(mirror.sign for mirror in mirrors)], len(patches.inputs))
    X *= signs[:, None, None]
    Y *= signs[:, None, None]
    return X, Y


def make_layout(shape: tuple[int, ...], patch_size: Any, overlap: Any) -> Layout:
    """Check the sizes of patches, and choose those that are None.

    Examples
    --------
    >>> make_layout((10,), None, None)
    Layout(size=(2,), overlap=(4,))
    """
    size = tuple(map(_largest_divisor, shape))
    if patch_size is not None:
        size = _per_axis("patch_size", patch_size, len(shape), minimum=1)
    for n, points in zip(size, shape, strict=True):
        if points % n:
            divisors = ", ".join(str(k) for k in range(1, points + 1) if points % k == 0)
            raise ValueError(
                f"patch_size must divide the {points} points of the field, got {n}; its divisors "
                f"are {divisors}"
            )
    most = tuple((points - n) // 2 for n, points in zip(size, shape, strict=True))
    if overlap is None:
        return Layout(size, tuple(min(DEFAULT_OVERLAP, limit) for limit in most))
    given = _per_axis("overlap", overlap, len(shape), minimum=0)
    for n, limit, points in zip(given, most, shape, strict=True):
        if n > limit:
            raise ValueError(
                f"overlap must be at most {limit}, as a patch with its neighbours on both sides "
                f"has no more points than the {points} of the field, got {n}"
            )
    return Layout(size, given)


def _largest_divisor(n_points: int) -> int:
    """Return the largest size of equal patches that is not above that of default ones."""
    return max(n for n in range(1, min(n_points, MAX_DEFAULT_SIZE) + 1) if n_points % n == 0)


def _per_axis(name: str, value: Any, n_axes: int, minimum: int) -> tuple[int, ...]:
    """Return a number of points for every axis, of one number or of a sequence of numbers."""
    if not isinstance(value, (tuple, list, np.ndarray)):
        return (check_positive_int(name, value, minimum=minimum),) * n_axes
    if len(value) != n_axes:
        raise ValueError(
            f"{name} must be one number or {n_axes}, one for every axis of the field, got {value!r}"
        )
    return tuple(check_positive_int(name, n, minimum=minimum) for n in value)
