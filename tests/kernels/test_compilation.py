"""The decorator of kernels, and what a user sees while they are compiled."""

import gc
import subprocess
import sys

from processes import ROOT, outputs_of

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


def errors_of(setup):
    code = COMPILE.format(setup=setup)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stderr


def test_one_line_says_that_kernels_are_compiled():
    (line,) = errors_of("").splitlines()
    assert line.startswith("esnkit: compiling kernels for this machine, about ")
    assert line.endswith("nowhere")


def test_logging_decides_where_it_is_set_up():
    assert errors_of("logging.getLogger('esnkit').addHandler(logging.NullHandler())") == ""
    assert errors_of("logging.getLogger('esnkit').setLevel('WARNING')") == ""
    shown = errors_of("logging.basicConfig(level='INFO', format='%(name)s %(levelname)s')")
    assert shown == "esnkit.kernels INFO\n"


def test_garbage_is_collected_again_after_compiling():
    code = COMPILE.format(setup="import gc; assert gc.isenabled()") + "print(gc.isenabled())"
    off = COMPILE.format(setup="import gc; gc.disable()") + "print(gc.isenabled())"
    assert [outputs_of(text, {})[0].strip() for text in (code, off)] == ["True", "False"]
    assert gc.isenabled()


def test_options_reach_numba():
    compiled = kernel(error_model="python")(lambda x: 1.0 / x)
    assert compiled.targetoptions["error_model"] == "python" and compiled.targetoptions["nogil"]
    assert kernel(lambda x: x).targetoptions["error_model"] == "numpy"
