"""The README's Python runs as it stands."""

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)


@pytest.mark.parametrize("code", BLOCKS, ids=lambda code: code.splitlines()[0])
def test_block_runs_and_prints(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out
