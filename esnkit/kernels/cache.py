"""Where compiled kernels are kept from one process to the next, and when they are dropped."""

import atexit
import os
import shutil
import tempfile
import warnings
from hashlib import sha256
from pathlib import Path

import numba

__all__ = ["drop_stale_code", "find_a_place"]


def find_a_place() -> None:
    """Give Numba a directory for this process alone where it finds none that it may write to.

    It would refuse to compile anything that is to be kept.
    """

    def probe() -> None:
        """Stand for all kernels, which lie in the same directory."""

    try:
        numba.njit(cache=True)(probe)
    except RuntimeError:
        place = tempfile.mkdtemp(prefix="esnkit-")
        atexit.register(_remove, place, os.getpid())
        numba.config.CACHE_DIR = place  # type: ignore[attr-defined]
        warnings.warn(
            "there is no directory to keep compiled kernels in, so that every process compiles "
            "them anew: set NUMBA_CACHE_DIR to one that can be written to",
            RuntimeWarning,
            stacklevel=2,
        )


def _remove(place: str, owner: int) -> None:
    if os.getpid() == owner:  # and not a forked child of it
        shutil.rmtree(place, ignore_errors=True)


def drop_stale_code(sources: Path, cache: Path) -> None:
    """Have everything compiled anew where any of the sources has changed.

    Numba does so where the file of a function itself has, but keeps in the code of one function
    that of others that it calls, from whatever file.
    """
    parts = [path.read_bytes() for path in sorted(sources.rglob("*.py"))]
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


find_a_place()
