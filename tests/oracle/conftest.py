import sys

import pytest
from experiments import write
from own_package import PACKAGE, forget


@pytest.fixture
def tiny(tmp_path):
    """The file of the tiny experiment."""
    return write(tmp_path)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder one is in, with a package of one's own in it; what is imported from there is forgotten afterwards."""
    (tmp_path / "own").mkdir()
    for name, text in PACKAGE.items():
        (tmp_path / "own" / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != ""])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    forget()
