"""The examples of CONTRIBUTING.md run as they stand, and name files that exist."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from esnkit.networks import CELLS
from esnkit.optim import OPTIMIZERS
from esnkit.reservoirs import TOPOLOGIES, UPDATES

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (Add an? .*?)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)


@pytest.fixture
def tables():
    """Give the tables back as they were."""
    before = [(table, dict(table)) for table in (CELLS, OPTIMIZERS, TOPOLOGIES, UPDATES)]
    yield
    for table, rows in before:
        table.clear()
        table.update(rows)


def test_every_kind_of_part_has_a_section():
    kinds = [title.split(maxsplit=2)[2] for title, _ in SECTIONS]
    assert kinds == [
        "topology", "update equation", "reservoir", "readout", "trained cell", "optimiser"
    ]  # fmt: skip


@pytest.mark.parametrize(("title", "text"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_an_example_runs(title, text, tables, capsys, monkeypatch):
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    module = ModuleType("contributed")  # where pickle finds the classes
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, "CONTRIBUTING.md", "exec"), vars(module))
    assert "nan" not in capsys.readouterr().out


@pytest.mark.parametrize(("title", "text"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_the_files_to_touch_exist(title, text):
    files = re.findall(r"`((?:esnkit|tests)/[\w/]+\.py)`", text)
    assert files and [file for file in files if not (ROOT / file).exists()] == []
