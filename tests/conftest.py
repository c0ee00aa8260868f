"""Settings for the whole run: pictures without a screen, and the versions in the header."""

import os
import platform
from importlib.metadata import distributions

# Before anything imports matplotlib; the variable also reaches the processes that tests start.
os.environ["MPLBACKEND"] = "Agg"

SHOWN = {"numpy", "scipy", "scikit-learn", "numba", "pandas", "matplotlib"}


def pytest_report_header():
    found = {d.name: d.version for d in distributions() if d.name in SHOWN}
    versions = ", ".join(f"{name} {version}" for name, version in sorted(found.items()))
    return f"{platform.machine()}, {os.cpu_count()} cores: {versions}"
