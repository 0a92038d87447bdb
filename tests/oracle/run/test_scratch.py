"""Temporary folders on machines as batch jobs and containers have them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from oracle.cli.main import main
from oracle.run import scratch
from oracle.run.ray.environment import set_environment
from oracle.run.scratch import LOCK, MAX_PLACE, scratch_folder, scratch_place


@pytest.fixture
def place(monkeypatch):
    """A folder for temporary ones, of which alone this process knows, with a short path."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(scratch, "PLACES", (folder,))
        monkeypatch.delenv("RAY_TMPDIR", raising=False)
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(folder)


def unsuitable(tmp_path, monkeypatch, kind):
    folder = tmp_path / {"long": "x" * MAX_PLACE, "not ASCII": "é", "two words": "a b", "a file": "file"}[kind]
    folder.write_text("") if kind == "a file" else folder.mkdir()
    if kind in ("not ASCII", "two words"):
        monkeypatch.setattr(scratch, "MAX_PLACE", 1000)
    return folder


@pytest.mark.parametrize("kind", ["long", "not ASCII", "two words", "a file"])
def test_where_sockets_cannot_lie_another_place_is_taken_or_one_line_says_so(
    place, tiny, tmp_path, monkeypatch, capsys, kind
):
    folder = unsuitable(tmp_path, monkeypatch, kind)
    monkeypatch.setenv("TMPDIR", str(folder))
    if kind == "a file":
        monkeypatch.setenv("RAY_TMPDIR", str(folder))
    else:
        assert scratch_place() == place
    monkeypatch.setattr(scratch, "PLACES", ("/nowhere",))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))  # in place of the working folder, the last that Python takes
    assert main(["run", str(tiny), "--out", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert (
        err.startswith("silo-oracle: TMPDIR must be a folder that can be written, of at most ") and str(folder) in err
    )
    assert (out, err.count("\n"), (tmp_path / "run").exists()) == ("", 1, False)


def test_the_users_place_is_taken_where_it_suits(place, monkeypatch):
    (place / "t").mkdir()
    monkeypatch.setattr(scratch, "MAX_PLACE", len(str(place)) + 2)
    monkeypatch.setenv("TMPDIR", str(place / "t"))
    assert scratch_place() == place / "t"
    monkeypatch.setenv("RAY_TMPDIR", str(place))
    assert scratch_place() == place


KILLED = """
from oracle.run.scratch import *
with scratch_folder() as folder:
    (folder / "ray").mkdir()
    os.kill(os.getpid(), 9)
"""


def test_a_killed_process_s_folder_goes_with_the_next_and_nothing_else_does(place):
    own = place / "silo-of_mine1"
    own.mkdir()
    subprocess.run([sys.executable, "-c", KILLED], env=os.environ | {"TMPDIR": str(place)}, check=False)
    (killed,) = set(place.iterdir()) - {own}
    with scratch_folder() as folder:
        assert not killed.exists()
        assert folder.stat().st_mode & 0o777 == 0o700
        with scratch_folder() as other:
            assert (folder / LOCK).exists() and other != folder
        assert set(place.iterdir()) == {own, folder}
    assert list(place.iterdir()) == [own]


def test_where_nobody_has_a_home_ray_is_given_one(place, monkeypatch):
    def none(cls):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(none))
    monkeypatch.setattr(os, "environ", {"TMPDIR": str(place)})
    set_environment({})
    assert os.environ["HOME"]
