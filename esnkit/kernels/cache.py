"""The directory of compiled kernels on disk, and when its files are outdated."""

import atexit
import os
import shutil
import tempfile
import warnings
from hashlib import sha256
from pathlib import Path

import numba

__all__ = ["drop_stale_code", "ensure_directory"]


def ensure_directory() -> None:
    """Give Numba a temporary directory for this process if it finds none that it can write to.

    Without a writable directory Numba refuses to compile functions that are to be cached.
    """

    def probe() -> None:
        """Stand in for all kernels, which lie in the same directory."""

    try:
        numba.njit(cache=True)(probe)
    except RuntimeError:
        directory = tempfile.mkdtemp(prefix="esnkit-")
        atexit.register(_remove, directory, os.getpid())
        numba.config.CACHE_DIR = directory  # type: ignore[attr-defined]
        warnings.warn(
            "found no writable directory for compiled kernels, so every process compiles them "
            "again; set NUMBA_CACHE_DIR to a writable directory",
            RuntimeWarning,
            stacklevel=2,
        )


def _remove(directory: str, owner: int) -> None:
    if os.getpid() == owner:  # not in a forked child
        shutil.rmtree(directory, ignore_errors=True)


def drop_stale_code(sources: Path, cache: Path) -> None:
    """Delete the index of the cache if any source file has changed, so that all is recompiled.

    Numba compares only the file of a function itself, but compiled code includes the functions
    that it calls, from whatever file.
    """
    contents = [path.read_bytes() for path in sorted(sources.rglob("*.py"))]
    digest, stamp = sha256(b"\0".join(contents)).hexdigest(), cache / "sources.sha256"
    try:
        if stamp.exists() and stamp.read_text() == digest:
            return
        cache.mkdir(parents=True, exist_ok=True)
        for index in cache.glob("*.nbi"):
            index.unlink(missing_ok=True)
        stamp.write_text(digest)
    except OSError:  # a directory that is not writable holds no cache of Numba's either
        return


ensure_directory()
