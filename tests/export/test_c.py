"""C headers compute what predict computes; an independent compiler reads them."""

import re
import shutil
import subprocess
from functools import cache

import numpy as np
import pytest

from esnkit import (
    DeepReservoir,
    ESNClassifier,
    ESNRegressor,
    IntrinsicPlasticityReservoir,
    Reservoir,
    ReservoirClassifier,
    ReservoirRegressor,
    RidgeReadout,
)
from esnkit.export import to_c

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 2))
NEW = RNG.normal(size=(40, 2))
Y = np.stack([np.roll(X[:, 0], 1), X[:, 1] ** 2, X[:, 0] * X[:, 1]], axis=1)
LABELS = np.array(["low", "middle", "a */ b"])[np.digitize(X[:, 0], [-0.5, 0.5])]
COMPILER = shutil.which("cc")


def esn(n_units=13, **params):
    return ESNRegressor(n_units, **params, alpha=1e-2, random_state=0)


def small(**params):
    return Reservoir(11, **params, random_state=0)


def deep():
    layers = {"n_units": [5, 9], "activation": ["tanh", "sigmoid"], "update": ["es2n", "leaky"]}
    return DeepReservoir(small(leak_rate=0.5), 2, layer_params=layers, random_state=0)


FITTED = {
    "leaky": lambda: esn(leak_rate=(0.1, 1.0)).fit(X, Y),
    "es2n": lambda: esn(update="es2n", leak_rate=0.4, activation="identity").fit(X, Y[:, 0]),
    "euler": lambda: esn(update="euler", topology="antisymmetric", leak_rate=0.1).fit(X, Y),
    "residual": lambda: esn(
        update="residual", leak_rate=0.3, activation="relu", include_input=False
    ).fit(X, Y),
    "feedback": lambda: esn(feedback=True, activation="sigmoid", feedback_scaling=0.3).fit(X, Y),
    "float32": lambda: esn(input_scaling="auto").fit(X.astype("f4"), Y),
    "no_connections": lambda: esn(topology=np.zeros((13, 13)), spectral_radius=None).fit(X, Y),
    "deep": lambda: ReservoirRegressor(deep(), include_input=True).fit(X, Y),
    "deep_float32": lambda: ReservoirRegressor(deep(), RidgeReadout(0.1)).fit(X.astype("f4"), Y),
    "quadratic": lambda: ReservoirRegressor(deep(), quadratic=True, feedback=True).fit(X, Y),
    "plastic": lambda: ReservoirRegressor(IntrinsicPlasticityReservoir(small(), n_epochs=1)).fit(
        X, Y
    ),
    "classifier": lambda: ESNClassifier(12, random_state=0).fit(X, LABELS),
    "two_classes": lambda: ReservoirClassifier(small()).fit(X, LABELS == "low"),
}


@cache
def fitted(name):
    """Fit once for all tests."""
    return FITTED[name]()


MAIN = """
    {{
        {name}_state state;
        {real} input[{n_in}], output[{n_out}];
        {name}_reset(&state);
        for (int t = 0; t < {n_rows}; t++) {{
            for (int j = 0; j < {n_in}; j++) {{
                double number;
                if (scanf("%lf", &number) != 1) return 1;
                input[j] = ({real})number;
            }}
            {name}_step(&state, input, output);
            {probabilities}
            for (int o = 0; o < {n_out}; o++) printf("%.17g ", (double)output[o]);
        }}
        if ({guard}_N_INPUTS != {n_in} || {guard}_N_OUTPUTS != {n_out}) return 2;
        printf("\\n");
    }}
"""


def n_outputs(model):
    return getattr(model, "classes_", np.empty(model.n_outputs_)).size


def run_of(name):
    """Return C code that runs a model over rows from the standard input."""
    model = fitted(name)
    probabilities = f"{name}_probabilities(output, output);"
    return MAIN.format(
        name=name, guard=name.upper(), n_in=2, n_out=n_outputs(model),
        n_rows=len(NEW), real="float" if "float32" in name else "double",
        probabilities=probabilities if hasattr(model, "classes_") else "",
    )  # fmt: skip


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Compile one program with all headers, and return what each model computes of NEW."""
    if COMPILER is None:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("c")
    for name in FITTED:
        to_c(fitted(name), folder / f"{name}.h", name=name)
    includes = "".join(f'#include "{name}.h"\n' for name in FITTED)
    runs = "".join(run_of(name) for name in FITTED)
    source, program = folder / "main.c", folder / "main"
    source.write_text(f"#include <stdio.h>\n{includes}int main(void) {{{runs}return 0;}}")
    flags = "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1"
    subprocess.run([COMPILER, *flags, source, "-o", program, "-lm"], check=True)
    rows = " ".join(map(repr, NEW.ravel().tolist()))
    text = " ".join([rows] * len(FITTED))
    found = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    lines = [np.array(line.split(), float) for line in found.stdout.splitlines()]
    return dict(zip(FITTED, lines, strict=True))


@pytest.mark.parametrize("name", FITTED)
def test_c_computes_what_predict_computes(outputs, name):
    model = fitted(name)
    new = NEW.astype("f4") if "float32" in name else NEW
    read = model.predict_proba if hasattr(model, "classes_") else model.predict
    wanted = read(new)
    found = outputs[name].reshape(wanted.shape)
    limit = 1e-5 if "float32" in name else 1e-12
    np.testing.assert_allclose(found, wanted, rtol=limit, atol=limit * np.abs(wanted).max())


def test_the_constants_are_the_weights_to_the_last_bit():
    for name in ("leaky", "float32"):
        model = fitted(name)
        text = to_c(model, name="m")
        body = re.search(r" m_W0_data\[\d+\] = \{([^}]*)\}", text)[1]
        numbers = [number.strip().rstrip("f") for number in body.split(",")]
        found = np.array(numbers, model.reservoir_.W_.dtype)
        np.testing.assert_array_equal(found, np.asarray(model.reservoir_.W_.data))


def test_the_header_names_the_classes_in_plain_characters():
    text = to_c(fitted("classifier"))
    assert "in the order a ?? b, low, middle. */" in text


def test_weights_that_were_assigned_are_exported():
    model = esn().fit(X, Y)
    model.readout_.intercept_ = np.array([1.5, 2.5, 3.5])
    assert "    1.5, 2.5, 3.5\n" in to_c(model)
