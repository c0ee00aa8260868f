"""A fitted echo state network as a C header without dependencies."""

import re
from os import PathLike
from pathlib import Path
from string import Template
from textwrap import fill
from typing import Any

import numpy as np

from esnkit.export._fitted_step import FittedStep, fitted_step
from esnkit.reservoirs._state_equation import StateEquation

__all__ = ["to_c"]

# Of pre, as a C expression; math.h names the functions of float tanhf and expf.
ACTIVATIONS = {
    "tanh": "tanh$f(pre)",
    "identity": "pre",
    "relu": "(pre > 0 ? pre : 0)",
    "sigmoid": "1 / (1 + exp$f(-pre))",
}

PER_LINE = 4  # numbers

HEADER = Template("""\
/* $title

   One time step of an echo state network, in C99, written by esnkit:

       ${name}_state state;
       $real input[$n_inputs], output[$n_outputs];
       ${name}_reset(&state);               the state before the first time step
       ${name}_step(&state, input, output); for every time step, in order

$notes */
#ifndef ${guard}_H
#define ${guard}_H

#include <math.h>

#define ${guard}_N_INPUTS $n_inputs
#define ${guard}_N_OUTPUTS $n_outputs
#define ${guard}_N_UNITS $n_units

typedef struct {
    $real x[$n_units]; /* units */$fed_member
} ${name}_state;
""")

LAYER = Template("""
static inline void ${name}_update$k($real *x, const $real *u)
{
    $real next[$n];
    for (unsigned long i = 0; i < $n; i++) {
        $real pre = ${name}_b$k[i];
        for (unsigned long k = ${name}_W$k[i]; k < ${name}_W$k[i + 1]; k++)
            pre += ${name}_W${k}_data[k] * x[${name}_W${k}_columns[k]];
        for (unsigned long j = 0; j < $n_in; j++)
            pre += ${name}_W_in$k[i * $n_in + j] * u[j];
        next[i] = ${name}_keep$k[i] * x[$kept] + ${name}_gain$k[i] * ($activation);
    }
    for (unsigned long i = 0; i < $n; i++)
        x[i] = next[i];
}
""")

STEP = Template("""
static inline void ${name}_reset(${name}_state *state)
{
    for (unsigned long i = 0; i < $n_units; i++)
        state->x[i] = 0;$reset_fed
}

static inline void ${name}_step(${name}_state *state, const $real *input, $real *output)
{
    $real row[$n_row];$copy_fed
    for (unsigned long j = 0; j < $n_inputs; j++)
        row[$n_fed + j] = input[j];
$updates
    for (unsigned long o = 0; o < $n_outputs; o++) {
        $real sum = ${name}_intercept[o];
        for (unsigned long i = 0; i < $n_units; i++)
            sum += ${name}_coef[o * $n_features + i] * $state_feature;$input_features
        output[o] = sum;$keep_output
    }
}
""")

SQUARED = "(i % 2 ? state->x[i] * state->x[i] : state->x[i])"

INPUT_FEATURES = Template("""
        for (unsigned long j = 0; j < $n_row; j++)
            sum += ${name}_coef[o * $n_features + $n_units + j] * row[j];""")

RESET_FED = Template("""
    for (unsigned long o = 0; o < $n_fed; o++)
        state->y[o] = 0;""")

COPY_FED = Template("""
    for (unsigned long o = 0; o < $n_fed; o++)
        row[o] = state->y[o];""")

PROBABILITIES = Template("""
static inline void ${name}_probabilities(const $real *output, $real *probabilities)
{
    $real largest = output[0], total = 0;
    for (unsigned long o = 1; o < $n_outputs; o++)
        largest = output[o] > largest ? output[o] : largest;
    for (unsigned long o = 0; o < $n_outputs; o++) {
        probabilities[o] = exp$f((output[o] - largest) / $temperature);
        total += probabilities[o];
    }
    for (unsigned long o = 0; o < $n_outputs; o++)
        probabilities[o] /= total;
}
""")


def to_c(model: Any, path: Any = None, *, name: str = "esn") -> str:
    """Return a C99 header with one time step of a fitted echo state network.

    The header needs nothing but ``math.h``, allocates no memory, and contains the weights as
    constant arrays, W in compressed sparse rows. It defines

    - ``NAME_state``, a struct with the states of the units and, with feedback, the last outputs;
    - ``NAME_reset(NAME_state *state)``, which sets it to zero;
    - ``NAME_step(NAME_state *state, const double *input, double *output)``, which advances it by a
      time step and writes the outputs of ``predict``, or the scores of all classes, in the
      order of ``classes_``;
    - for a classifier whose ridge readout has ``scoring="classification"``, as by default,
      ``NAME_probabilities(const double *output, double *probabilities)``, which turns scores into
      those of ``predict_proba``;
    - the macros ``NAME_N_INPUTS``, ``NAME_N_OUTPUTS`` and ``NAME_N_UNITS``.

    The state starts from zero, as in ``predict``; to continue the series of ``fit``, copy
    ``last_state_`` into it. For a closed loop, pass the outputs of a step as the inputs of the next
    one.

    Parameters
    ----------
    model : ESNRegressor, ESNClassifier, ReservoirRegressor or ReservoirClassifier
        Fitted to a target for every time step, with a :class:`Reservoir`, an
        :class:`IntrinsicPlasticityReservoir`, a :class:`MemoryReservoir` or a
        :class:`DeepReservoir` of the first two, and a linear readout of this package. A model that
        was fitted to float32 gives code with ``float``.
    path : str, path or None, default=None
        File to write, which is replaced if it exists.
    name : str, default="esn"
        Prefix of all names: a letter, then letters, digits and underscores.

    Returns
    -------
    str
        The text of the header.

    Raises
    ------
    TypeError
        If ``model`` is no such estimator, such as a pipeline, or ``path`` is no path.
    ValueError
        If the model has one target for every sequence, another reservoir or a readout that is not
        linear, or ``name`` is no prefix of names in C.

    Examples
    --------
    >>> import numpy as np
    >>> from esnkit import ESNRegressor
    >>> from esnkit.export import to_c
    >>> X = np.sin(np.arange(200) / 5).reshape(-1, 1)
    >>> header = to_c(ESNRegressor(20, random_state=0).fit(X[:-1], X[1:]), name="sine")
    >>> "sine_step(sine_state *state, const double *input, double *output)" in header
    True
    """
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
        raise ValueError(
            f"name must be a letter, then letters, digits or underscores, got {name!r}"
        )
    if path is not None and not isinstance(path, str | PathLike):
        raise TypeError(f"path must be a str, a path or None, got {path!r}")
    text = _header(fitted_step(model), name, type(model).__name__)
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def _header(step: FittedStep, name: str, title: str) -> str:
    """Return the text: declarations, constants, functions."""
    words = _words(step, name)
    parts = [HEADER.substitute(words, title=title, notes=_notes(step))]
    for k, layer in enumerate(step.layers):
        parts += [_constants(layer, f"{name}_", str(k)), _update(layer, words, k)]
    parts += [_array(f"{name}_coef", step.coef), _array(f"{name}_intercept", step.intercept)]
    parts.append(STEP.substitute(words, updates=_updates(step, name)))
    if step.temperature is not None:
        temperature = _numbers(np.array([step.temperature], step.dtype))[0]
        parts.append(PROBABILITIES.substitute(words, temperature=temperature))
    return "".join([*parts, "\n#endif\n"])


def _words(step: FittedStep, name: str) -> dict[str, Any]:
    """Return what the templates have in common."""
    is_double = step.dtype == np.float64
    words = {
        "name": name, "guard": name.upper(),
        "real": "double" if is_double else "float", "f": "" if is_double else "f",
        "n_inputs": step.n_inputs, "n_fed": step.n_fed, "n_row": step.n_fed + step.n_inputs,
        "n_outputs": step.n_outputs, "n_units": step.n_units, "n_features": step.coef.shape[1],
    }  # fmt: skip
    has_feedback = step.n_fed > 0
    member = f"\n    {words['real']} y[{step.n_fed}]; /* last outputs, which are fed back */"
    return words | {
        "fed_member": member if has_feedback else "",
        "reset_fed": RESET_FED.substitute(words) if has_feedback else "",
        "copy_fed": COPY_FED.substitute(words) if has_feedback else "",
        "keep_output": "\n        state->y[o] = sum;" if has_feedback else "",
        "state_feature": SQUARED if step.quadratic else "state->x[i]",
        "input_features": INPUT_FEATURES.substitute(words) if step.include_input else "",
    }


def _notes(step: FittedStep) -> str:
    """Return what the outputs are, as a part of a comment."""
    text = "The outputs are those of predict."
    if step.classes is not None:
        # A label may hold anything: only plain characters go into the comment.
        labels = [re.sub(r"[^\w .+-]", "?", str(label), flags=re.ASCII) for label in step.classes]
        text = f"The outputs are the scores of the classes, in the order {', '.join(labels)}."
    return fill(text, 96, initial_indent="   ", subsequent_indent="   ")


def _constants(layer: StateEquation, prefix: str, k: str) -> str:
    """Return the weights of a layer as arrays."""
    W, rates = layer.recurrent, layer.rates
    columns = W.indices if W.nnz else np.zeros(1, np.int64)  # C has no empty arrays
    data = W.data if W.nnz else np.zeros(1, W.dtype)
    arrays = {
        f"W{k}": W.indptr, f"W{k}_columns": columns, f"W{k}_data": data,
        f"W_in{k}": layer.input_weights, f"b{k}": layer.bias,
        f"gain{k}": rates.gain, f"keep{k}": rates.keep,
    }  # fmt: skip
    return "".join(_array(prefix + key, values) for key, values in arrays.items())


def _update(layer: StateEquation, words: dict[str, Any], k: int) -> str:
    """Return the function that advances a layer."""
    n_units, n_in = layer.input_weights.shape
    activation = Template(ACTIVATIONS[layer.activation]).substitute(words)
    shift = layer.rates.shift
    kept = f"(i + {shift}) % {n_units}" if shift else "i"
    return LAYER.substitute(words, k=k, n=n_units, n_in=n_in, kept=kept, activation=activation)


def _updates(step: FittedStep, name: str) -> str:
    """Return the calls that advance all layers, each with the states of the one before it."""
    calls, start, inputs = [], 0, "row"
    for k, layer in enumerate(step.layers):
        states = f"state->x + {start}"
        calls.append(f"    {name}_update{k}({states}, {inputs});")
        start, inputs = start + layer.bias.size, states
    return "\n".join(calls)


def _array(name: str, values: np.ndarray) -> str:
    """Return the definition of a constant array."""
    flat = np.ravel(values)
    kind = {"f4": "float", "f8": "double"}.get(flat.dtype.str[1:], _integers(flat))
    numbers = _numbers(flat)
    lines = (
        "    " + ", ".join(numbers[start : start + PER_LINE])
        for start in range(0, len(numbers), PER_LINE)
    )
    body = ",\n".join(lines)
    return f"\nstatic const {kind} {name}[{flat.size}] = {{\n{body}\n}};\n"


def _integers(values: np.ndarray) -> str:
    """Return the smallest type that holds numbers >= 0; C promises 16 and 32 bits."""
    return "unsigned short" if values.max(initial=0) < 2**16 else "unsigned long"


def _numbers(values: np.ndarray) -> list[str]:
    """Return the shortest literals that stand for exactly these numbers."""
    if values.dtype == np.float32:
        return [f"{value!s}f" for value in values]
    return list(map(repr, values.tolist()))
