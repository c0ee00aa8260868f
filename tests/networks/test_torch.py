"""Weights under PyTorch's names: outputs and gradients are those of PyTorch."""

import numpy as np
import pytest
from network_problems import BASE, OFFSETS, SPECS, problem, theta_of

from esnkit.networks._batch import make_batch
from esnkit.networks._bptt import run
from esnkit.networks._cells import CELLS
from esnkit.networks._loss_gradient import loss_gradient
from esnkit.networks._spec import Spec, n_parameters, parameter_slices
from esnkit.networks._torch import from_torch, to_torch

TORCH = {name: cell for name, cell in CELLS.items() if cell.torch_module is not None}


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_outputs_and_gradients_are_those_of_pytorch(cell, n_layers, bidirectional, dtype):
    torch = pytest.importorskip("torch")
    spec = Spec(cell, 6, 3, 2, n_layers=n_layers, bidirectional=bidirectional)
    theta = theta_of(spec).astype(dtype)
    rnn = getattr(torch.nn, TORCH[cell].torch_module)(
        3, 6, n_layers, bidirectional=bidirectional, dtype=getattr(torch, dtype),
        **dict(TORCH[cell].torch_parameters),
    )  # fmt: skip
    head = torch.nn.Linear(6 * spec.n_directions, 2, dtype=getattr(torch, dtype))
    state = {key: torch.from_numpy(value) for key, value in to_torch(spec, theta).items()}
    head.load_state_dict({key: state.pop(f"head.{key}") for key in ("weight", "bias")})
    rnn.load_state_dict(state)
    batch, Y, _ = problem(spec)
    batch = batch._replace(inputs=batch.inputs.astype(dtype))
    Y = Y.astype(dtype)
    items = [torch.from_numpy(item) for item in np.split(batch.inputs, OFFSETS[1:-1])]
    packed = torch.nn.utils.rnn.pack_sequence(items, enforce_sorted=False)
    padded, lengths = torch.nn.utils.rnn.pad_packed_sequence(rnn(packed)[0], batch_first=True)
    torch_outputs = head(torch.cat([row[:n] for row, n in zip(padded, lengths, strict=True)]))
    (0.5 * ((torch_outputs - torch.from_numpy(Y)) ** 2).mean()).backward()
    outputs, _ = run(spec, theta, batch)
    exact = dtype == "float64"
    expected = torch_outputs.detach().numpy()
    scale = max(np.abs(expected).max(), 1.0)
    np.testing.assert_allclose(outputs / scale, expected / scale, atol=1e-13 if exact else 1e-6)
    gradient = to_torch(spec, loss_gradient(spec, theta, batch, Y)[1])
    for name, parameter in [*rnn.named_parameters(), *head.named_parameters(prefix="head")]:
        if not name.startswith("bias_hh"):  # ours has one bias
            found, wanted = gradient[name], parameter.grad.numpy()
            scale = max(np.abs(wanted).max(), 1.0)
            np.testing.assert_allclose(found / scale, wanted / scale, atol=1e-13 if exact else 1e-5)
    other = np.zeros_like(theta)
    model = torch.nn.ModuleDict({"rnn": rnn, "head": head})
    from_torch(spec, {key: value.numpy() for key, value in model.state_dict().items()}, other)
    np.testing.assert_allclose(other, theta)


@pytest.mark.parametrize("cell", TORCH)
def test_both_biases_of_a_pytorch_model_are_loaded(cell):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    spec = Spec(cell, 6, 3, 2, n_layers=2)
    module, params = TORCH[cell].torch_module, dict(TORCH[cell].torch_parameters)
    rnn = getattr(torch.nn, module)(3, 6, 2, dtype=torch.float64, **params)
    head = torch.nn.Linear(6, 2, dtype=torch.float64)
    theta = np.zeros(n_parameters(spec))
    from_torch(spec, torch.nn.ModuleDict({"rnn": rnn, "head": head}).state_dict(), theta)
    X = np.random.default_rng(0).normal(size=(9, 3))
    expected = head(rnn(torch.from_numpy(X))[0]).detach().numpy()
    outputs, _ = run(spec, theta, make_batch(X, np.array([0, 9])))
    np.testing.assert_allclose(outputs, expected, atol=1e-13)


@pytest.mark.parametrize("missing", ["bias_ih_l0", "bias_hh_l0"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_missing_bias_is_zero(cell, missing):
    spec = SPECS[cell]
    state = to_torch(spec, theta_of(spec))
    state["bias_hh_l0"] = np.arange(1.0, 1 + state["bias_hh_l0"].size)
    given, without = theta_of(spec, 1), theta_of(spec, 1)
    from_torch(spec, state | {missing: np.zeros_like(state[missing])}, given)
    del state[missing]
    from_torch(spec, state, without)
    assert np.array_equal(without, given)


def test_foreign_weights_are_refused_by_name():
    spec = SPECS["gru"]
    theta = theta_of(spec)
    state = to_torch(spec, theta)
    others = {
        "fc.weight": np.zeros((2, 4)),
        "weight_ih_l1": np.zeros((12, 4)),
        "rnn.weight_ih_l0_reverse": np.zeros((12, 3)),
        "embedding.weight": np.zeros((3, 4)),
    }
    for name, array in others.items():
        with pytest.raises(ValueError, match=rf"not in this network, \['{name}'\]"):
            from_torch(spec, state | {name: array}, theta)
    with pytest.raises(TypeError, match="state_dict must be a dict of arrays, got list"):
        from_torch(spec, list(state), theta)
    for part in ({"pooling": "attention"}, {"learn_state": True}):
        spec = BASE._replace(**part)
        with pytest.raises(ValueError, match="modules have no counterpart of .*get_weights"):
            to_torch(spec, theta_of(spec))


def test_a_cell_without_a_module_is_refused_with_those_that_have_one():
    spec = SPECS["gru_before"]
    theta = theta_of(spec)
    expected = "no module for cell='gru', reset_after=False: .*with cell='gru', reset_after=True"
    with pytest.raises(ValueError, match=expected):
        to_torch(spec, theta)
    with pytest.raises(ValueError, match=expected):
        from_torch(spec, {}, theta)
    with pytest.raises(ValueError, match="state_dict must contain 'weight_ih_l0' once"):
        from_torch(SPECS["gru"], {}, theta_of(SPECS["gru"]))


def states_in_torch(torch, spec, p, layer, rows):
    """Return the states of one layer for the rows of one sequence, from zeros, by name of the cell.

    These cells have no module in PyTorch: complex numbers and plain products here.
    """
    M, n = p[f"M_{layer}"], spec.n_units
    Z = (rows @ M[:, :-1].T + M[:, -1]).reshape(len(rows), -1, n)
    sigmoid, states = torch.sigmoid, []
    h = torch.zeros(n, dtype=rows.dtype)
    if spec.cell == "lru":
        nu, theta, gamma = torch.exp(p[f"exponents_{layer}"])
        eigenvalues, c = torch.exp(torch.complex(-nu, theta)), torch.zeros(n // 2)
        for v, o in Z:
            c = eigenvalues * c + gamma * torch.complex(v[: n // 2], v[n // 2 :])
            parts = torch.cat([c.real, c.imag])
            states.append(parts * sigmoid(o + parts))
        return torch.stack(states)
    for gates in Z:
        if spec.cell == "mingru":
            keep, write = sigmoid(gates[0]), sigmoid(-gates[0])
        else:
            i, f = sigmoid(gates[0]), sigmoid(gates[1])
            keep, write = f / (f + i), i / (f + i)
        h = keep * h + write * gates[-1]
        states.append(h)
    return torch.stack(states)


@pytest.mark.parametrize("cell", [name for name, record in CELLS.items() if not record.uses_states])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_cells_without_a_module_have_the_gradients_of_pytorch(cell, dtype):
    torch = pytest.importorskip("torch")
    spec = Spec(cell, 6, 3, 2, n_layers=2)
    theta = theta_of(spec).astype(dtype)
    flat = torch.from_numpy(theta.copy()).requires_grad_()
    p = {name: flat[at].reshape(shape) for name, (at, shape) in parameter_slices(spec).items()}
    batch, Y, _ = problem(spec)
    batch = batch._replace(inputs=batch.inputs.astype(dtype))
    Y, outputs = Y.astype(dtype), []
    for item in np.split(batch.inputs, OFFSETS[1:-1]):
        rows = torch.from_numpy(item)
        for layer in range(2):
            rows = states_in_torch(torch, spec, p, layer, rows)
        outputs.append(rows @ p["head_W"].T + p["head_b"])
    wanted = torch.cat(outputs)
    (0.5 * ((wanted - torch.from_numpy(Y)) ** 2).mean()).backward()
    atol = 1e-13 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(run(spec, theta, batch)[0], wanted.detach().numpy(), atol=atol)
    gradient = loss_gradient(spec, theta, batch, Y)[1]
    np.testing.assert_allclose(gradient, flat.grad.numpy(), atol=atol)
    with pytest.raises(ValueError, match=f"no module for cell='{cell}': use get_weights, or fit"):
        to_torch(spec, theta)
