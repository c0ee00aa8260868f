"""Plain compiled functions on arrays; the only place that knows Numba.

With NUMBA_DISABLE_JIT reservoirs and readouts run as plain Python, to look at them in a debugger.
Trained networks need the compiler: their matrix products are written as machine instructions.
"""

from pathlib import Path

from esnkit.kernels import cache
from esnkit.kernels.activations import tanh_array

if hasattr(tanh_array, "stats"):  # not where NUMBA_DISABLE_JIT leaves all as it is
    cache.drop_stale_code(Path(__file__).parent, Path(str(tanh_array.stats.cache_path)))
