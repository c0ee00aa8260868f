"""The decorator of kernels, and what a user sees while they are compiled."""

import gc

import pytest
from processes import READY, forks

from esnkit.kernels.compilation import kernel

COMPILE = """
import logging, os, numpy as np
from esnkit.kernels import cache
cache._directories = lambda chosen: [cache.Path(os.devnull) / "nowhere"]
cache._warned.add("write")
from esnkit.kernels.activations import tanh_array
{setup}
for dtype in ("float64", "float32"):
    tanh_array(np.ones(1, dtype), np.ones(1, dtype))
"""


@pytest.fixture(scope="module")
def compile_after():
    """Return a function that compiles in a new process, and returns both of its outputs."""
    with forks(READY) as run:

        def compile_after(setup, last=""):
            ((status, out, error),) = run(COMPILE.format(setup=setup) + last, {})
            assert status == 0, error
            return out, error

        yield compile_after


@pytest.fixture
def errors_of(compile_after):
    return lambda setup: compile_after(setup)[1]


def test_one_line_says_that_kernels_are_compiled(errors_of):
    (line,) = errors_of("").splitlines()
    assert line.startswith("esnkit: compiling kernels for this machine, about ")
    assert line.endswith("nowhere")


def test_logging_decides_where_it_is_set_up(errors_of):
    assert errors_of("logging.getLogger('esnkit').addHandler(logging.NullHandler())") == ""
    assert errors_of("logging.getLogger('esnkit').setLevel('WARNING')") == ""
    shown = errors_of("logging.basicConfig(level='INFO', format='%(name)s %(levelname)s')")
    assert shown == "esnkit.kernels INFO\n"


def test_garbage_is_collected_again_after_compiling(compile_after):
    setups = "import gc; assert gc.isenabled()", "import gc; gc.disable()"
    found = [compile_after(setup, "print(gc.isenabled())")[0].strip() for setup in setups]
    assert found == ["True", "False"]
    assert gc.isenabled()


def test_options_reach_numba():
    compiled = kernel(error_model="python")(lambda x: 1.0 / x)
    assert compiled.targetoptions["error_model"] == "python" and compiled.targetoptions["nogil"]
    assert kernel(lambda x: x).targetoptions["error_model"] == "numpy"
