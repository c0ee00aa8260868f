"""Compiled kernels on disk: one file for each function and signature, found by what it holds.

Numba's own cache has an index for each function, and files that the index numbers. An index that is
cut, two processes that write at once, or a full disk end a run, or lead to the code of another
signature. Here the name of a file is a digest of the function and its signature, its first bytes
are a digest of the rest, and it appears whole or not at all. Whatever goes wrong with it, the code
is compiled without it.
"""

import importlib.resources
import os
import pickle
import shutil
import sys
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba.core import compiler, serialize, sigutils
from numba.core.registry import cpu_target
from numba.misc.appdirs import AppDirs

__all__ = ["KernelCache", "directories", "files"]

PACKAGE = Path(__file__).resolve().parent
DIGEST_BYTES = 32
# A temporary file that is older was left by a process that was killed.
MAX_SECONDS_TO_WRITE = 3600.0

_warned: set[str] = set()


class KernelCache:
    """The compiled code of one function, by signature; what Numba asks of a cache."""

    def __init__(self, function: Any) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}"
        self._enabled = True

    @property
    def cache_path(self) -> str | None:
        """Where code is written to, if all is well."""
        return str(found[0]) if (found := directories()) else None

    def enable(self) -> None:
        """Read and write code."""
        self._enabled = True

    def disable(self) -> None:
        """Compile without reading or writing code."""
        self._enabled = False

    def flush(self) -> None:
        """Delete all code of this function."""
        for path in files():
            if path.name.startswith(f"{self._name}-"):
                path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compile result of a signature, or None if there is none that can be read."""
        target_context.refresh()
        if not self._enabled:
            return None
        identity = self._identity(sig)
        for directory in directories():
            path = directory / self._file(identity)
            try:
                if (payload := _read(path, identity)) is not None:
                    parts = pickle.loads(payload)
                    return compiler.CompileResult._rebuild(target_context, *parts)
            except Exception as error:
                _warn("read", f"cannot read {path} ({error}); its code is compiled again")
        return None

    def save_overload(self, sig: Any, result: Any) -> None:
        """Write the compile result of a signature to the first directory that takes it."""
        if not self._enabled or result.library.has_dynamic_globals:
            return
        identity, reason = self._identity(sig), "there is no directory for them"
        try:
            payload = serialize.dumps(result._reduce())
            for directory in directories():
                try:
                    return _write(directory / self._file(identity), identity, payload)
                except OSError as error:
                    reason = str(error)
        except Exception as error:
            reason = str(error)
        _warn(
            "write",
            f"cannot keep compiled kernels on disk ({reason}), so that every process compiles them "
            "again; set NUMBA_CACHE_DIR to a writable directory with room for them",
        )

    def _identity(self, sig: Any) -> bytes:
        arguments, _ = sigutils.normalize_signature(sig)
        return sha256(repr((self._name, arguments)).encode()).digest()

    def _file(self, identity: bytes) -> str:
        return f"{self._name}-{identity.hex()[:24]}.nbc"


def directories() -> list[Path]:
    """List where code may lie: NUMBA_CACHE_DIR, beside the sources, the user's cache directory.

    The name of each has a digest of what compiles (Numba, the processor) and one of the sources,
    since compiled code includes the functions that it calls, from whatever file.
    """
    return _directories(str(numba.config.CACHE_DIR))  # type: ignore[attr-defined]


@lru_cache
def _directories(chosen: str) -> list[Path]:
    sources = _sources()
    if not sources:  # compiled Python files alone do not tell when code is outdated
        return []
    name = f"esnkit-{_machine()}-{sha256(sources).hexdigest()[:16]}"
    own = f"esnkit_{sha256(str(PACKAGE).encode()).hexdigest()[:16]}"
    user = Path(AppDirs(appname="esnkit", appauthor=False).user_cache_dir)
    homes = [user / own] if user.is_absolute() else []  # not without a home directory
    bases = [Path(chosen) / own] if chosen else []
    if PACKAGE.is_dir():  # not in an archive
        bases.append(PACKAGE / "__pycache__")
    return [base / name for base in [*bases, *homes]]


def _machine() -> str:
    """Return a digest of all that compiled code depends on, except its sources."""
    config: Any = numba.config
    options = config.OPT, config.BOUNDSCHECK, config.LOOP_VECTORIZE, config.SLP_VECTORIZE
    versions = numba.__version__, sys.version_info[:3], getattr(sys, "abiflags", "")
    target = cpu_target.target_context.codegen().magic_tuple()
    return sha256(repr((options, versions, target)).encode()).hexdigest()[:16]


def _sources() -> bytes:
    """Return the contents of all modules of kernels, in a folder or in an archive."""

    def contents(folder: Any) -> Iterator[bytes]:
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                yield from contents(entry)
            elif entry.name.endswith(".py"):
                yield entry.read_bytes()

    try:
        return b"\0".join(contents(importlib.resources.files("esnkit.kernels")))
    except OSError:
        return b""


def files() -> list[Path]:
    """List the files of compiled code that this process can use."""
    return [path for directory in directories() for path in sorted(directory.glob("*.nbc"))]


def _read(path: Path, identity: bytes) -> bytes | None:
    """Return the code in a file; None if there is no file."""
    try:
        contents = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    digest, rest = contents[:DIGEST_BYTES], contents[DIGEST_BYTES:]
    if sha256(rest).digest() != digest or rest[:DIGEST_BYTES] != identity:
        raise ValueError("the file is damaged")
    return rest[DIGEST_BYTES:]


def _write(path: Path, identity: bytes, payload: bytes) -> None:
    """Write a file that appears whole or not at all, whatever other processes do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _tidy(path.parent)
    rest, unfinished = identity + payload, path.with_name(f"{uuid.uuid4().hex}.tmp")
    try:
        unfinished.write_bytes(sha256(rest).digest() + rest)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@lru_cache
def _tidy(directory: Path) -> None:
    """Delete code of other sources that this machine compiled, and what killed processes left."""
    prefix = directory.name.rpartition("-")[0]
    for other in directory.parent.glob(f"{prefix}-*"):
        if other.name != directory.name:
            shutil.rmtree(other, ignore_errors=True)
    for unfinished in directory.glob("*.tmp"):
        with suppress(FileNotFoundError):  # another process has just finished it
            if time.time() - unfinished.stat().st_mtime > MAX_SECONDS_TO_WRITE:
                unfinished.unlink()


def _warn(kind: str, message: str) -> None:
    """Warn once in a process of each kind of trouble."""
    if kind not in _warned:
        _warned.add(kind)
        warnings.warn(message, RuntimeWarning, stacklevel=2)
