"""Compiled code on disk: whatever happens to it, a run ends with the right numbers."""

import os
import signal
from pathlib import Path

import numba
import pytest
from processes import READY, forks, outputs_of

from esnkit.kernels import cache
from esnkit.kernels.activations import tanh_array
from esnkit.kernels.cache import KernelCache, directories

# Compiles one small kernel, in float64 and float32, and prints what it computes and all warnings.
RUN = """
import os, sys, warnings, numpy as np
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import logging
    logging.getLogger("esnkit").addHandler(logging.NullHandler())
    from esnkit.kernels import cache
    from esnkit.kernels.activations import tanh_array
    if "CANDIDATES" in os.environ:
        cache._directories = lambda chosen: [cache.Path(os.environ["CANDIDATES"])]
    exec(os.environ.get("BEFORE", ""))
    for dtype in os.environ.get("DTYPES", "float64 float32").split():
        x = np.ones(3, dtype)
        tanh_array(x, x)
        assert x.dtype == dtype and np.allclose(x, np.tanh(1)), x
hits, misses = (sum(found.values()) for found in tanh_array.stats[1:])
print(hits, misses, [str(w.message) for w in caught])
"""


@pytest.fixture(scope="module")
def processes():
    with forks(READY) as run:
        yield run


@pytest.fixture
def outputs(processes):
    """Return a function that runs RUN in each of some environments, and returns what it prints."""

    def outputs(*environments, code=RUN):
        found = processes(code, *environments)
        assert [error for status, _, error in found if status] == []
        return [out for _, out, _ in found]

    return outputs


def numbers(out):
    """Return numbers of hits and misses, and the warnings."""
    hits, misses, warned = out.split(maxsplit=2)
    return int(hits), int(misses), warned.strip()


@pytest.fixture
def run(outputs):
    """Return a function that runs a process with a directory as cache, and returns its numbers."""

    def run(directory, **environment):
        (out,) = outputs({"CANDIDATES": str(directory)} | environment)
        return numbers(out)

    return run


def test_code_is_read_by_the_next_process(tmp_path, run):
    environment = {"CANDIDATES": str(tmp_path)}
    assert run(tmp_path) == (0, 2, "[]")
    assert len(list(tmp_path.iterdir())) == 2
    assert numbers(*outputs_of(RUN, environment)) == (2, 0, "[]")


def damaged(own, other):
    """Return pairs of contents after every kind of damage, for two files."""
    middle = len(own) // 2
    changed = own[:middle] + bytes([own[middle] ^ 1]) + own[middle + 1 :]
    return [(b"", other[: len(other) // 2]), (changed, b"x" * 5000), (other, own)]


def test_damaged_files_are_compiled_again_with_one_warning(tmp_path, outputs, run):
    run(tmp_path / "whole")
    files = sorted((tmp_path / "whole").iterdir())
    environments = []
    for number, contents in enumerate(damaged(*(file.read_bytes() for file in files))):
        folder = tmp_path / str(number)
        folder.mkdir()
        for file, content in zip(files, contents, strict=True):
            (folder / file.name).write_bytes(content)
        environments.append({"CANDIDATES": str(folder)})
    for out, environment in zip(outputs(*environments), environments, strict=True):
        assert out.startswith("0 2 "), environment
        assert out.count("the file is damaged") == 1 and environment["CANDIDATES"] in out
    for out in outputs(*environments):
        assert out.split() == ["2", "0", "[]"]


def test_a_full_disk_is_one_warning(tmp_path, run):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"
    hits, misses, warned = run(tmp_path, BEFORE=limit)
    assert (hits, misses) == (0, 2)
    assert warned.count("cannot keep compiled kernels") == 1 and "NUMBA_CACHE_DIR" in warned
    assert list(tmp_path.iterdir()) == []
    assert run(tmp_path) == (0, 2, "[]")


def test_a_place_that_cannot_be_written_to_is_one_warning(tmp_path, run):
    file = tmp_path / "file"
    file.write_text("")
    hits, misses, warned = run(file / "cache")
    assert (hits, misses) == (0, 2) and warned.count("cannot keep compiled kernels") == 1


def test_where_nothing_can_be_written_import_and_run_work(tmp_path):
    nowhere = str(tmp_path / "file" / "x")
    (tmp_path / "file").write_text("")
    refuse = """
def refuse(*args, **kwargs):
    raise OSError(30, "Read-only file system")
import pathlib, tempfile
pathlib.Path.mkdir = pathlib.Path.write_bytes = os.makedirs = os.mkdir = refuse
tempfile.mkdtemp = tempfile.TemporaryFile = tempfile.NamedTemporaryFile = refuse
"""
    (out,) = outputs_of("import os" + refuse + RUN, {"CANDIDATES": nowhere})
    assert out.startswith("0 2 ") and out.count("Read-only file system") == 1


def test_read_only_directories_are_read(tmp_path, run):
    run(tmp_path)
    tmp_path.chmod(0o500)
    try:
        assert run(tmp_path) == (2, 0, "[]")
    finally:
        tmp_path.chmod(0o700)


def test_processes_that_compile_different_types_at_once_keep_both(tmp_path, outputs, run):
    environment = {"CANDIDATES": str(tmp_path)}
    both = [environment | {"DTYPES": dtype} for dtype in ("float64", "float32")]
    assert outputs(*both, *both) and run(tmp_path) == (2, 0, "[]")


def test_a_kill_while_writing_leaves_nothing_that_is_read(tmp_path, processes, run):
    killed = "import signal; os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)"
    ((status, _, _),) = processes(RUN, {"CANDIDATES": str(tmp_path), "BEFORE": killed})
    assert status == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.suffix == ".tmp"
    os.utime(left, (0, 0))
    assert run(tmp_path) == (0, 2, "[]")
    assert not left.exists() and run(tmp_path) == (2, 0, "[]")


# Writes a file with every limit of its size, and prints whether it appears whole or not at all.
LIMITED = """
import os, resource
from pathlib import Path
from esnkit.kernels import cache

path, identity, payload = Path(os.environ["WHERE"]) / "a.nbc", b"i" * 32, bytes(range(256))
size = 64 + len(payload)
for limit in range(size + 1):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        cache._write(path, identity, payload)
    except OSError:
        assert limit < size and list(path.parent.iterdir()) == []
    else:
        assert limit >= size
assert cache._read(path, identity) == payload
print(size + 1)
"""


def test_a_disk_that_is_full_at_any_byte_leaves_no_file(tmp_path, outputs):
    assert outputs({"WHERE": str(tmp_path)}, code=LIMITED) == ["321\n"]


def test_a_file_cut_at_any_byte_is_not_read(tmp_path):
    path, identity = tmp_path / "a.nbc", b"i" * 32
    cache._write(path, identity, bytes(40))
    contents = path.read_bytes()
    for size in range(len(contents)):
        path.write_bytes(contents[:size])
        with pytest.raises(ValueError, match="damaged"):
            cache._read(path, identity)


# Kills children that write at random moments, and prints how many files each has left.
KILLED = """
import os, random, signal, time
from pathlib import Path
from esnkit.kernels import cache

folder, kills, files = Path(os.environ["WHERE"]), 0, []
while kills < int(os.environ["KILLS"]) or len(files) < 5:  # a slow machine writes few before a kill
    child = os.fork()
    if child == 0:
        while True:
            for i in range(5):
                identity = bytes([i]) * 32
                cache._write(folder / f"{i}.nbc", identity, identity * 2000)
    time.sleep(0.002 + 0.01 * random.random())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    kills, files = kills + 1, list(folder.glob("*.nbc"))
    for path in files:
        identity = bytes([int(path.stem)]) * 32
        assert cache._read(path, identity) == identity * 2000
print(len(files))
"""


def test_kills_while_files_are_written_leave_whole_ones(tmp_path, outputs, request):
    kills = "1000" if request.config.getoption("--fuzz") else "20"
    assert outputs({"WHERE": str(tmp_path), "KILLS": kills}, code=KILLED) == ["5\n"]


def test_without_a_home_that_can_be_written_to_there_is_one_warning(outputs):
    common = {"BEFORE": "cache.PACKAGE = cache.Path('/nowhere')", "DTYPES": "float64"}
    homes = ({"HOME": "/proc", "XDG_CACHE_HOME": "/proc/cache"}, {"XDG_CACHE_HOME": "relative"})
    for out in outputs(*(common | home for home in homes)):
        assert out.startswith("0 1 ") and out.count("cannot keep compiled kernels") == 1


def test_code_of_other_sources_is_dropped(tmp_path):
    old, other = tmp_path / "esnkit-machine-old", tmp_path / "esnkit-another-old"
    for directory in (old, other):
        directory.mkdir()
        (directory / "a.nbc").write_text("")
    cache._write(tmp_path / "esnkit-machine-new" / "a.nbc", b"i" * 32, b"code")
    assert not old.exists() and other.exists()
    assert cache._read(tmp_path / "esnkit-machine-new" / "a.nbc", b"i" * 32) == b"code"


def test_directories_name_the_machine_and_the_sources(monkeypatch):
    first = directories()[-1].name
    monkeypatch.setattr(cache, "_sources", lambda: b"changed")
    cache._directories.cache_clear()
    changed = directories()[-1].name
    monkeypatch.setattr(cache, "_sources", lambda: b"")
    cache._directories.cache_clear()
    without_sources = directories()
    monkeypatch.undo()
    cache._directories.cache_clear()
    assert first.split("-")[:2] == changed.split("-")[:2] and first != changed
    assert without_sources == [] and directories()[-1].name == first


def test_the_chosen_directory_comes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert directories()[0].parent.parent == tmp_path
    assert KernelCache(test_the_chosen_directory_comes_first).cache_path == str(directories()[0])


def test_flush_deletes_the_code_of_one_function_only(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_directories", lambda chosen: [tmp_path])
    own = KernelCache(tanh_array)
    mine, others = tmp_path / f"{own._name}-1.nbc", tmp_path / f"{own._name}_two-1.nbc"
    for path in (mine, others):
        path.write_text("")
    own.flush()
    assert not mine.exists() and others.exists() and Path(cache.files()[0]) == others
