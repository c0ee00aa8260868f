"""`esnkit info`."""

from esnkit.cli import main


def test_info_names_versions_threads_and_the_cache(capsys):
    assert main(["info"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    items = {line.split("  ")[0].strip(): line for line in out.splitlines()}
    assert {"esnkit", "Python", "numpy", "scipy", "scikit-learn", "numba"} <= set(items)
    assert "usable of" in items["processors"] and items["numba threads"].split()[-1].isdigit()
    assert " kernels compiled, " in items["kernel cache"] and " MB in " in items["kernel cache"]
