"""Radius of one component against exact polynomials; what rounding errors decide is refused."""

from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import comb
from unittest import mock

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from esnkit.reservoirs import _eigenvalues
from esnkit.reservoirs._eigenvalues import component_radius
from esnkit.reservoirs.spectral import spectral_radius

WIDE = Context(prec=400, Emax=10**17, Emin=-(10**17))
DOUBLINGS = 26


def exact_radius(W):
    """Return the radius of a matrix of floats from its exact characteristic polynomial."""
    return radius_of_roots(characteristic_polynomial(W))


def characteristic_polynomial(W):
    """Return the coefficients of det(x - W), the leading one first, by Faddeev and LeVerrier."""
    n = len(W)
    A = np.array([[Fraction(float(w)) for w in row] for row in W], dtype=object)
    coefficients, M = [Fraction(1)], np.array(np.eye(n, dtype=int), dtype=object)
    for k in range(1, n + 1):
        M = A.dot(M)
        coefficients.append(-sum(M[i, i] for i in range(n)) / k)
        for i in range(n):
            M[i, i] += coefficients[-1]
    return coefficients


def radius_of_roots(coefficients):
    """Return the largest modulus of the roots by Graeffe: squares of the roots, again and again.

    With p_i the coefficients of a monic polynomial of degree n, its roots are at most
    2 max |p_i|^(1/i) in modulus, and the largest is at least max (|p_i| / C(n, i))^(1/i).
    """
    with localcontext(WIDE):
        p = [Decimal(c.numerator) / Decimal(c.denominator) for c in map(Fraction, coefficients)]
        n = len(p) - 1
        for _ in range(DOUBLINGS):
            signed = [-c if i % 2 else c for i, c in enumerate(p)]
            p = [
                sum(p[i] * signed[2 * k - i] for i in range(max(0, 2 * k - n), min(n, 2 * k) + 1))
                for k in range(n + 1)
            ]
        logs = [(c.copy_abs().ln() / i, i) for i, c in enumerate(p) if i and c]
        if not logs:
            return 0.0
        upper = (max(logs)[0] + Decimal(2).ln()) / 2**DOUBLINGS
        lower = max(log - Decimal(comb(n, i)).ln() / i for log, i in logs) / 2**DOUBLINGS
        assert upper - lower < Decimal("1e-6") / 4
        return float(((upper + lower) / 2).exp())


def by_arnoldi():
    """Let the Arnoldi process answer for small matrices too, without dense eigenvalues."""
    return mock.patch.multiple(_eigenvalues, MAX_DENSE=2, MAX_DENSE_FALLBACK=2)


def test_the_exact_reference_knows_closed_forms():
    assert exact_radius(np.diag([3.0, -4.0, 1.0])) == pytest.approx(4.0, rel=1e-6)
    assert exact_radius(np.eye(5, k=-1)) == 0.0
    assert exact_radius(np.array([[1.0, 2.0], [-2.0, 1.0]])) == pytest.approx(np.sqrt(5), rel=1e-6)


def ring(n, draw, exponents):
    W = np.zeros((n, n))
    W[(np.arange(n) + 1) % n, np.arange(n)] = [10.0 ** draw(exponents) for _ in range(n)]
    return W


@st.composite
def matrices(draw):
    """Draw rings with chords, blocks and delay lines with feedback, badly scaled and permuted."""
    n = draw(st.integers(2, 10))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["ring", "two rings", "delay line", "triangular blocks", "full"]))
    span = draw(st.sampled_from([0.0, 1.0, 8.0]))
    exponents = st.floats(-span, span)
    if kind == "ring":
        W = ring(n, draw, exponents)
    elif kind == "delay line":
        W = np.diag(10.0 ** rng.uniform(-span, span, n - 1), -1)
        W[0, :] = np.where(rng.random(n) < 0.4, 10.0 ** -draw(st.floats(0, 16)), 0.0)
    elif kind == "full":
        W = rng.standard_normal((n, n)) * 10.0 ** rng.uniform(-span, span, (n, n))
    else:
        half = n // 2
        W = np.zeros((n, n))
        W[:half, :half], W[half:, half:] = ring(half, draw, exponents), rng.random((n - half,) * 2)
        if kind == "two rings":  # of equal radius
            W[half:, half:] = 0.0
            W[half : 2 * half, half : 2 * half] = W[:half, :half].T
        W[half:, :half] = rng.standard_normal((n - half, half)) * (
            rng.random((n - half, half)) < 0.5
        )
    for _ in range(draw(st.integers(0, 3))):
        i, j = rng.integers(n, size=2)
        W[i, j] = draw(st.sampled_from([-1.0, 1e-12, 1e-150, 0.5]))
    scale = 2.0 ** np.rint(rng.uniform(-1, 1, n) * draw(st.sampled_from([0, 3, 27, 230])))
    order = rng.permutation(n)
    return (W * scale / scale[:, np.newaxis])[np.ix_(order, order)]


def check(W):
    """Compare with the exact radius; an error is allowed where rounding of entries decides."""
    wanted = exact_radius(W)
    try:
        got = spectral_radius(W)
    except ValueError as error:
        assert "not found to a relative 1e-6" in str(error)
        changed = W * (1 + 1e-13 * np.random.default_rng(0).choice([-1.0, 1.0], W.shape))
        assert exact_radius(changed) != pytest.approx(wanted, rel=1e-9)
        return
    assert got == pytest.approx(wanted, rel=1e-6)


@given(W=matrices())
def test_structured_and_badly_scaled_matrices_against_exact_polynomials(W):
    check(W)


@given(W=matrices())
def test_the_arnoldi_process_against_exact_polynomials(W):
    with by_arnoldi():
        check(W)


def rotated(T, seed=0):
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal(T.shape))[0]
    return Q @ T @ Q.T


def weak_links(n, weak):
    """Return two groups without links inside, joined by strong links one way and weak ones back."""
    rng, half = np.random.default_rng(0), n // 2
    T = np.zeros((n, n))
    T[:half, half:] = rng.standard_normal((half, n - half))
    T[half:, :half] = weak * rng.standard_normal((n - half, half))
    return T


def defective(n, size, coupling=1.0):
    """Return a Jordan block of eigenvalue one beside random weights of radius 0.8."""
    T = np.zeros((n, n))
    T[:size, :size] = np.eye(size) + coupling * np.eye(size, k=1)
    rest = n - size
    T[size:, size:] = 0.8 * np.random.default_rng(0).standard_normal((rest, rest)) / np.sqrt(rest)
    return T


def sensitive(n, size):
    """Return one eigenvalue that depends on all other units, beside random weights."""
    rng = np.random.default_rng(0)
    T = 0.7 * rng.standard_normal((n, n)) / np.sqrt(n)
    T[:, 0], T[0] = 0.0, size * rng.standard_normal(n) / np.sqrt(n)
    T[0, 0] = 1.2
    return T


UNDETERMINED = {
    "weak links": lambda n: weak_links(n, 1e-13),
    "a defective eigenvalue": lambda n: defective(n, 3),
    "a large defective eigenvalue of weak couplings": lambda n: defective(n, 10, 1e-3),
    "an eigenvalue of condition number 1e10": lambda n: sensitive(n, 1e10),
    "a delay line with weak feedback": lambda n: np.eye(n, k=1) + 1e-11 * np.eye(n, k=1 - n),
}
DETERMINED = {
    "weak links": lambda n: weak_links(n, 1e-4),
    "a defective eigenvalue of weak couplings": lambda n: defective(n, 2, 1e-6),
    "an eigenvalue of condition number 1e3": lambda n: sensitive(n, 1e3),
}


@pytest.mark.parametrize("kind", sorted(UNDETERMINED))
@pytest.mark.parametrize("n_units", [40, 120])
def test_a_radius_that_rounding_of_the_entries_decides_is_refused(kind, n_units):
    W = rotated(UNDETERMINED[kind](n_units))
    one_thread = threadpool_limits(1, user_api="blas")  # faster than two on a busy machine
    with (
        one_thread,
        pytest.raises(ValueError, match=f"not found.*its {n_units} connected units.*rounding"),
    ):
        spectral_radius(W)


@pytest.mark.parametrize("kind", sorted(UNDETERMINED))
def test_the_arnoldi_process_alone_refuses_it_too(kind, monkeypatch):
    monkeypatch.setattr(_eigenvalues, "MAX_DENSE_FALLBACK", 100)
    one_thread = threadpool_limits(1, user_api="blas")
    with one_thread, pytest.raises(ValueError, match="not found to a relative 1e-6"):
        spectral_radius(rotated(UNDETERMINED[kind](120)))


@pytest.mark.parametrize("kind", sorted(DETERMINED))
@pytest.mark.parametrize("n_units", [40, 120])
def test_a_radius_that_changes_little_by_rounding_is_found(kind, n_units):
    T = DETERMINED[kind](n_units)
    wanted = np.abs(np.linalg.eigvals(T)).max()
    assert spectral_radius(rotated(T)) == pytest.approx(wanted, rel=1e-6)


def test_groups_of_equal_radius_with_a_weak_way_back():
    W = np.array([[0, 0, 1, 0], [0, 0, 0, 1], [1, -1, 0, 0], [0, 1, 1e-150, 0]])
    assert spectral_radius(W) == pytest.approx(1.0, rel=1e-9)


def test_weak_links_that_no_rotation_hides_are_exact():
    T = weak_links(300, 1e-14)
    order = np.random.default_rng(1).permutation(300)
    half = T[:150, 150:] @ (T[150:, :150] * 1e14)
    wanted = 1e-7 * np.sqrt(np.abs(np.linalg.eigvals(half)).max())
    assert spectral_radius(T[np.ix_(order, order)]) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e-20, 1.0, 1e300])
@pytest.mark.parametrize("scale", [1e20, 1e120])
def test_nearly_full_matrices_of_any_scale(size, scale):
    W = np.random.default_rng(0).standard_normal((90, 90))
    wanted = np.abs(np.linalg.eigvals(W)).max()
    scales = scale ** np.random.default_rng(1).uniform(-1, 1, 90) * np.sqrt(size)
    with np.errstate(over="ignore", under="ignore"):
        W = W * scales * (size / scales)[:, np.newaxis]
    if np.isfinite(W).all() and np.abs(W).min() > 1e-300:
        assert spectral_radius(W) / size == pytest.approx(wanted, rel=1e-9)


def test_links_that_differ_by_more_than_the_range_of_a_quotient():
    W = np.array([[0.0, 1e300, 0.0], [1e-300, 0.0, 1e308], [0.0, 1e-320, 0.0]])
    wanted = np.sqrt(1.0 + 1e308 * 1e-320)
    assert spectral_radius(W) == pytest.approx(wanted, rel=1e-9)
    cycle = np.diag([1e300, 3e-20], -1) + np.diag([1e-300], 2)
    assert spectral_radius(cycle) == pytest.approx(1e-300 ** (1 / 3) * 3e280 ** (1 / 3), rel=1e-9)


def test_component_radius_has_a_mantissa_and_an_exponent():
    m, e = component_radius(sp.csr_array(np.full((3, 3), 1e308)))
    assert m * 2.0 ** (e - 1020) == pytest.approx(3.0 * (1e308 * 2.0**-1020), rel=1e-9)
