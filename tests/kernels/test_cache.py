"""Compiled code on disk: where it is kept, and when it is dropped."""

from pathlib import Path

from processes import outputs_of

from esnkit.kernels.cache import drop_stale_code
from esnkit.kernels.reservoir import closed_loop


def test_code_of_changed_sources_is_compiled_anew(tmp_path):
    sources, cache = tmp_path / "kernels", tmp_path / "somewhere" / "cache"
    sources.mkdir()
    for name in ("a", "b"):
        (sources / f"{name}.py").write_text(name)
    drop_stale_code(sources, cache)
    kept, index, code = cache / "note.txt", cache / "a.f-1.nbi", cache / "a.f-1.1.nbc"
    for path in (kept, index, code):
        path.write_text("")
    drop_stale_code(sources, cache)
    assert index.exists()
    (sources / "b.py").write_text("changed")
    drop_stale_code(sources, cache)
    assert not index.exists() and kept.exists()
    index.write_text("")
    drop_stale_code(sources, cache)
    assert index.exists()


def test_compiled_code_is_kept_where_sources_are_watched():
    assert (Path(closed_loop.stats.cache_path) / "sources.sha256").exists()


NO_PLACE = """
import warnings
from numba.core import caching
impl = getattr(caching, "CacheImpl", None) or caching._CacheImpl
impl._locator_classes = impl._locator_classes[:1]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from esnkit.kernels.activations import tanh_array
    from esnkit.kernels import cache
import numpy as np
x, out = np.zeros(1), np.ones(1)
tanh_array(x, out)
print(out[0], [w.filename == cache.__file__ for w in caught], "NUMBA_CACHE_DIR" in str(caught[0]))
print(tanh_array.stats.cache_path)
"""


def test_without_a_place_for_compiled_kernels_they_live_for_one_process():
    (out,) = outputs_of(NO_PLACE, {"NUMBA_CACHE_DIR": ""})
    first, place = out.splitlines()
    assert first == "0.0 [True] True"
    assert Path(place).parent.name.startswith("esnkit-") and not Path(place).exists()
