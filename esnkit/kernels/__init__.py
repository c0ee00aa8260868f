"""Plain compiled functions on arrays; the only place that knows Numba.

With NUMBA_DISABLE_JIT reservoirs and readouts run as plain Python, to look at them in a debugger.
Trained networks need the compiler: their matrix products are written as machine instructions.
"""

from hashlib import sha256
from pathlib import Path

from esnkit.kernels.activations import tanh_array


def drop_stale_code(sources: Path, cache: Path) -> None:
    """Have everything compiled anew where any of the sources has changed.

    Numba does so where the file of a function itself has, but keeps in the code of one function
    that of others that it calls, from whatever file.
    """
    parts = [path.read_bytes() for path in sorted(sources.glob("*.py"))]
    digest, stamp = sha256(b"\0".join(parts)).hexdigest(), cache / "sources.sha256"
    try:
        if stamp.exists() and stamp.read_text() == digest:
            return
        cache.mkdir(parents=True, exist_ok=True)
        for index in cache.glob("*.nbi"):
            index.unlink(missing_ok=True)
        stamp.write_text(digest)
    except OSError:  # where nothing can be written, Numba keeps nothing either
        return


if hasattr(tanh_array, "stats"):  # not where NUMBA_DISABLE_JIT leaves all as it is
    drop_stale_code(Path(__file__).parent, Path(str(tanh_array.stats.cache_path)))
