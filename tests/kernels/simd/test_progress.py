"""Progress counters: what one thread writes before, another reads after."""

import threading

import numpy as np
from numba import njit

from esnkit.kernels.simd.progress import STRIDE, load_acquire, spin_until, store_release


@njit(nogil=True)
def hand_over(progress, own, other, values, n_steps):
    """Add to the values in turn with another thread, which sees all that this one has written."""
    for step in range(n_steps):
        spin_until(progress, other, step + (1 if own > other else 0))
        for i in range(values.size):
            values[i] = 2 * values[i] + (1 if own > other else 0)
        store_release(progress, own, step + 1)


def test_threads_see_what_the_other_has_written():
    progress, values = np.zeros(2 * STRIDE, np.int64), np.zeros(1000, np.int64)
    hand_over(progress.copy(), STRIDE, 0, values.copy(), 0)  # compiles
    tasks = [
        threading.Thread(target=hand_over, args=(progress, own, STRIDE - own, values, 31))
        for own in (0, STRIDE)
    ]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    assert set(values.tolist()) == {(4**31 - 1) // 3}
    assert progress[0] == progress[STRIDE] == 31


def test_waiting_counts_the_reads():
    progress = np.array([0] * STRIDE + [5])
    assert spin_until(progress, STRIDE, 5) == 1 and spin_until.py_func(progress, STRIDE, 4) == 1


def test_counters_are_plain_numbers_uncompiled():
    progress = np.zeros(2, np.int64)
    store_release(progress, 1, 3)
    assert load_acquire(progress, 1) == 3 and load_acquire(progress, 0) == 0
