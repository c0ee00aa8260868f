"""`esnkit info`: versions, processors, threads and the kernel cache of this machine."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from esnkit.utils._threads import n_processors


def print_info() -> int:
    """Print a line per item; return the exit code."""
    print("\n".join(f"{name:<14} {text}" for name, text in _items()))
    return 0


def _items() -> list[tuple[str, str]]:
    """List names and values."""
    import esnkit
    import esnkit.esn  # loads the kernels, and Numba with them

    items = [
        ("esnkit", f"{esnkit.__version__} ({Path(esnkit.__file__).parent})"),
        ("Python", f"{platform.python_version()} ({sys.executable})"),
    ]
    for name in ("numpy", "scipy", "scikit-learn", "numba", "pandas", "matplotlib"):
        items.append((name, _version(name)))
    items += [
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("processors", f"{n_processors()} usable of {os.cpu_count()}, {_processor()}"),
        ("numba threads", str(sys.modules["numba"].config.NUMBA_NUM_THREADS)),
    ]
    return [*items, *_thread_pools(), ("kernel cache", cache_summary())]


def _thread_pools() -> list[tuple[str, str]]:
    """List the thread pools of BLAS and OpenMP libraries."""
    from threadpoolctl import threadpool_info

    items = []
    for pool in threadpool_info():
        kind = pool.get("internal_api", pool.get("user_api"))
        architecture = f", {pool['architecture']}" if pool.get("architecture") else ""
        library = f"{kind} {pool.get('version') or ''}".strip()
        text = f"{pool['num_threads']} ({library}{architecture})"
        items.append((f"{pool['user_api']} threads", text))
    return items


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Return the model of the processor and its vector instructions."""
    binding = sys.modules["llvmlite.binding"]
    features = binding.get_host_cpu_features()
    shown = [name for name in ("avx2", "fma", "avx512f", "neon") if features.get(name)]
    return f"{binding.get_host_cpu_name()} {' '.join(shown)}".strip()


def cache_summary() -> str:
    """Return how many kernels are compiled, their size, and the folders that they lie in."""
    from esnkit.kernels.cache import directories, files

    found = files()
    size = sum(path.stat().st_size for path in found)
    folders = sorted({str(path.parent) for path in found}) or [str(d) for d in directories()[:1]]
    return (
        f"{len(found)} kernels compiled, {size / 1e6:.1f} MB in {', '.join(folders) or 'no folder'}"
    )
