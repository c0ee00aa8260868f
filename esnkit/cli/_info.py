"""`esnkit info`: what one needs to know of a machine to understand a run on it."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from esnkit.utils._threads import n_processors


def lines() -> list[str]:
    """Describe versions, threads and the cache of compiled kernels, a line each."""
    from threadpoolctl import threadpool_info

    import esnkit
    import esnkit.forecasting  # its kernels, and Numba with them, are what is told about below

    rows = [
        ("esnkit", f"{esnkit.__version__} ({Path(esnkit.__file__).parent})"),
        ("Python", f"{platform.python_version()} ({sys.executable})"),
    ]
    for name in ("numpy", "scipy", "scikit-learn", "numba", "pandas", "matplotlib"):
        rows.append((name, _version(name)))
    rows += [
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("processors", f"{n_processors()} usable of {os.cpu_count()}, {_features()}"),
        ("numba threads", str(sys.modules["numba"].config.NUMBA_NUM_THREADS)),
    ]
    for pool in threadpool_info():
        kind = pool.get("internal_api", pool.get("user_api"))
        architecture = f", {pool['architecture']}" if pool.get("architecture") else ""
        library = f"{kind} {pool.get('version') or ''}".strip()
        rows.append(
            (f"{pool['user_api']} threads", f"{pool['num_threads']} ({library}{architecture})")
        )
    rows.append(("kernel cache", _cache()))
    return [f"{name:<14} {text}" for name, text in rows]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _features() -> str:
    binding = sys.modules["llvmlite.binding"]
    features = binding.get_host_cpu_features()
    shown = [name for name in ("avx2", "fma", "avx512f", "neon") if features.get(name)]
    return f"{binding.get_host_cpu_name()} {' '.join(shown)}".strip()


def _cache() -> str:
    """Where compiled kernels are kept between runs, and how much they take."""
    modules = [module for name, module in sys.modules.items() if name.startswith("esnkit.kernels.")]
    things = [thing for module in modules for thing in vars(module).values()]
    stats = [thing.stats for thing in things if hasattr(thing, "stats")]
    places = {str(found.cache_path) for found in stats if getattr(found, "cache_path", None)}
    files = [file for place in sorted(places) for file in Path(place).rglob("*.nb[ci]")]
    size = sum(file.stat().st_size for file in files)
    return f"{size / 1e6:.1f} MB in {len(files)} files, {', '.join(sorted(places)) or 'no place'}"
