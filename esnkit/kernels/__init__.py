"""Compiled functions of plain arrays; the only folder that imports Numba.

With NUMBA_DISABLE_JIT, reservoirs and readouts run as plain Python, for use with a debugger.
Trained networks need the compiler: their matrix products are emitted as machine instructions.
"""
