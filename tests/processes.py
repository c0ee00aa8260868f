"""Code that needs a process of its own, for what is settled when libraries are loaded."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def outputs_of(code, *environments):
    """Return what the code prints in each of the environments, which run side by side."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=ROOT, env=os.environ | environment, text=True,
        )
        for environment in environments
    ]  # fmt: skip
    found = [run.communicate(timeout=300) for run in runs]
    assert [error for run, (_, error) in zip(runs, found, strict=True) if run.returncode] == []
    return [out for out, _ in found]
