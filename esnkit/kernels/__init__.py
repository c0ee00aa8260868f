"""Compiled functions of plain arrays; the only folder that imports Numba.

With NUMBA_DISABLE_JIT, reservoirs and readouts run as plain Python, for use with a debugger.
Trained networks need the compiler: their matrix products are emitted as machine instructions.
"""

from pathlib import Path

from esnkit.kernels import cache
from esnkit.kernels.activations import tanh_array
from esnkit.kernels.simd.vectors import aligned

# Numba caches functions by the folder of their file; with NUMBA_DISABLE_JIT it caches nothing.
for compiled in (tanh_array, aligned):
    if hasattr(compiled, "stats"):
        cache.drop_stale_code(Path(__file__).parent, Path(str(compiled.stats.cache_path)))
