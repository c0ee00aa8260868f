"""Derivatives by central differences, to check gradients against."""

import numpy as np


def difference(function, array, step=1e-5):
    """Return the gradient of a function of an array by central differences."""
    gradient = np.zeros_like(array)
    for i in np.ndindex(array.shape):
        middle = array[i]
        array[i] = middle + step
        up = function()
        array[i] = middle - step
        gradient[i] = (up - function()) / (2 * step)
        array[i] = middle
    return gradient


def slope(function, array, direction, step=1e-5):
    """Return the derivative of a function of an array in a direction, by central differences."""
    middle = array.copy()
    values = []
    for sign in (1, -1):
        array[:] = middle + sign * step * direction
        values.append(function())
    array[:] = middle
    return (values[0] - values[1]) / (2 * step)
