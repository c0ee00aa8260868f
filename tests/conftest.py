"""Settings for the whole run: pictures without a screen, and the versions in the header."""

import gc
import importlib.util
import os
import platform
from importlib.metadata import distributions

import pytest
from hypothesis import settings

# Before anything imports matplotlib; the variable also reaches the processes that tests start.
os.environ["MPLBACKEND"] = "Agg"

# Derandomized: a failure is a failure for everyone. With --fuzz, other cases at every run.
settings.register_profile("few", max_examples=25, deadline=None, derandomize=True, database=None)
settings.register_profile("fuzz", max_examples=3000, deadline=None)

SHOWN = {"numpy", "scipy", "scikit-learn", "numba", "pandas", "matplotlib"}


def pytest_addoption(parser):
    parser.addoption("--fuzz", action="store_true", help="thousands of random cases per property")


def pytest_configure(config):
    settings.load_profile("fuzz" if config.getoption("--fuzz") else "few")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    """Search only the package for examples: files of tests, which this hook sees, have none."""
    return [node for node in (yield) if type(node) is pytest.Module]


def pytest_collection_modifyitems(items):
    """Skip the examples of what needs dask, which few have."""
    if importlib.util.find_spec("dask") is None:
        for item in items:
            if item.nodeid.startswith("esnkit/distributed/"):
                item.add_marker(pytest.mark.skip("needs dask"))


def pytest_collection_finish():
    """Spare the garbage collector what was imported and collected, and lives to the end."""
    gc.freeze()


def pytest_report_header():
    found = {d.name: d.version for d in distributions() if d.name in SHOWN}
    versions = ", ".join(f"{name} {version}" for name, version in sorted(found.items()))
    return f"{platform.machine()}, {os.cpu_count()} cores: {versions}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Keep the message of an expected failure only: none reads the rest, which takes 0.1 s."""
    try:
        return (yield)
    except Exception as error:
        if item.get_closest_marker("xfail"):
            message = str(error)
            item.repr_failure = lambda excinfo: message
        raise


@pytest.fixture(scope="session")
def output_of():
    """Yield a function that returns what code prints in a process that has not imported esnkit.

    It has imported the libraries that esnkit needs, and Numba has two threads there.
    """
    from processes import LIBRARIES, forks

    if not hasattr(os, "fork"):
        pytest.skip("no fork")
    with forks(LIBRARIES, NUMBA_NUM_THREADS="2") as run:

        def output_of(code):
            ((status, out, error),) = run(code, {})
            assert status == 0, error
            return out

        yield output_of


@pytest.fixture(scope="module")
def no_regressions_as_baselines():
    """Let automatic forecasters compare with rules alone: regressions take half of a fit."""
    from esnkit.forecasting import _baseline_errors
    from esnkit.forecasting._rules import Rule

    make_baselines = _baseline_errors.make_baselines

    def rules(*args):
        models = make_baselines(*args)
        return {name: model for name, model in models.items() if isinstance(model, Rule)}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_baseline_errors, "make_baselines", rules)
        yield


@pytest.fixture(scope="module")
def few_panel_candidates():
    """Let panels judge candidates with two penalties and small reservoirs, to save time."""
    from esnkit.forecasting import _panel_selection as selection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "PENALTIES", selection.PENALTIES[[3, 7]])
        patch.setattr(selection, "NETWORK", selection.NETWORK | {"n_units": 20})
        yield
