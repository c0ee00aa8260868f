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
    return [*items, *_thread_pools(), ("kernel cache", _cache())]


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


def _cache() -> str:
    """Return size, number of files and folders of the compiled kernels on disk."""
    modules = [module for name, module in sys.modules.items() if name.startswith("esnkit.kernels.")]
    functions = [member for module in modules for member in vars(module).values()]
    stats = [function.stats for function in functions if hasattr(function, "stats")]
    folders = {str(found.cache_path) for found in stats if getattr(found, "cache_path", None)}
    files = [file for folder in sorted(folders) for file in Path(folder).rglob("*.nb[ci]")]
    size = sum(file.stat().st_size for file in files)
    where = ", ".join(sorted(folders)) or "no folder"
    return f"{size / 1e6:.1f} MB in {len(files)} files, {where}"
