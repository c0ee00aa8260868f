"""Plain compiled functions on arrays; the only place that knows Numba.

With NUMBA_DISABLE_JIT reservoirs and readouts run as plain Python, to look at them in a debugger.
Trained networks need the compiler: their matrix products are written as machine instructions.
"""

from pathlib import Path

from esnkit.kernels import cache
from esnkit.kernels.activations import tanh_array
from esnkit.kernels.simd.vectors import aligned

# Numba keeps the code of a function beside its file; nothing is kept with NUMBA_DISABLE_JIT.
for compiled in (tanh_array, aligned):
    if hasattr(compiled, "stats"):
        cache.drop_stale_code(Path(__file__).parent, Path(str(compiled.stats.cache_path)))
