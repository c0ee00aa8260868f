"""Code that needs a process of its own, for what is settled when libraries are loaded."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout
from io import StringIO
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


def with_and_without_numba(code):
    """Return what the code prints here, and in a process that compiles nothing."""
    with redirect_stdout(StringIO()) as out:
        exec(code, {})
    return [out.getvalue(), *outputs_of(code, {"NUMBA_DISABLE_JIT": "1"})]


# Runs what it is given, then for each line of its input a child for each code and environment.
FORKS = """
import json, os, signal, sys, traceback
exec(sys.argv[1])

def child(code, environment, outputs):
    os.environ.update(environment)
    os.setsid()  # its own children end with it if it takes too long
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
    signal.alarm(300)
    status = 1
    try:
        for number, (_, end) in enumerate(outputs, 1):
            os.dup2(end, number)
        exec(code, {})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)

for line in sys.stdin:
    runs = []
    for code, environment in json.loads(line):
        outputs = os.pipe(), os.pipe()
        runs.append((os.fork(), outputs))
        if runs[-1][0] == 0:
            child(code, environment, outputs)
        for _, end in outputs:
            os.close(end)
    found = []
    for number, outputs in runs:
        texts = [open(start).read() for start, _ in outputs]
        found.append((os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), *texts))
    print(json.dumps(found), flush=True)
"""

# Numba takes most of a second before it compiles the first function of a process.
READY = """
import numba, numpy
import esnkit.kernels.activations
numba.njit(lambda x: x)(1.0)
"""


# What esnkit imports of others, which takes most of the time of its own import.
LIBRARIES = """
import numba, numpy, scipy.linalg, scipy.sparse, sklearn.base, threadpoolctl
"""


@contextmanager
def forks(imports, **environment):
    """Yield a function that runs code in children of a process that has imported all it needs.

    Of the code and of each of some environments it returns the exit status and both outputs. The
    children run side by side.
    """
    command = [sys.executable, "-c", FORKS, imports]
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": os.environ | environment}
    with subprocess.Popen(command, cwd=ROOT, text=True, **how) as server:

        def run(code, *environments):
            cases = [(code, environment) for environment in environments]
            print(json.dumps(cases), file=server.stdin, flush=True)
            return json.loads(server.stdout.readline())

        yield run
