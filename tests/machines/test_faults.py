"""A command disturbed by a signal or a full disk, and files damaged: the short version of `python -m benchmarks.faults`."""

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import replace

import pytest
import yaml
from experiments import changed
from trained import train

from benchmarks.faults import commands, tries
from benchmarks.faults.commands import COMMANDS, Ended
from benchmarks.faults.damage import WAYS, damage, targets
from benchmarks.faults.report import write
from benchmarks.faults.tries import FULL, Try
from oracle.cli.main import main

CHANGES = {"oracle.grid": [0.03, 0.3], "oracle.seeds": 1, "prune.cycles": 2}
EVERY = {"record": 20, "state": 40, "checkpoint": 40, "study.json": 40}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A finished study, and what `table` made of something else."""
    home = tmp_path_factory.mktemp("faults") / "template"
    (home / "tables").mkdir(parents=True)
    (home / "tables" / "tables.md").write_text("older\n")
    (home / "e.yaml").write_text(yaml.safe_dump(changed(yaml.safe_load(commands.EXPERIMENT), CHANGES)))
    assert train(home / "e.yaml", home / "whole")
    return home


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", EVERY)
def test_a_damaged_file_is_refused_or_holds_the_same_values(template, tmp_path, name, way):
    target = next(one for one in targets(template / "whole", tmp_path) if one.name == name)
    result = damage(target, way, EVERY[name], seed=0)
    assert (result.tracebacks, result.unclear) == ([], [])
    assert result.accepted == []
    assert result.refused + result.same == result.tried > 20


@pytest.fixture(scope="module")
def calm(template):
    """`table` without a fault."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tries, "call", in_this_process)
        return replace(tries.undisturbed("table", template, template.parent), seconds=2.0)


def in_this_process(arguments, home, largest_file=None):
    """Stands for a fresh interpreter, whose imports take a second."""
    error = io.StringIO()
    with chdir(home), redirect_stdout(io.StringIO()), redirect_stderr(error):
        return Ended(main(arguments), error.getvalue(), 0.0)


@pytest.mark.parametrize(("kind", "share"), [("SIGTERM", 0.3), ("SIGKILL", 0.45), (FULL, 0.0), (FULL, 0.6)])
def test_the_same_command_again_succeeds_and_nothing_is_lost(template, calm, tmp_path, monkeypatch, kind, share):
    if kind == FULL and not tries.can_mount(tmp_path):
        pytest.skip("no small file system can be mounted here")
    monkeypatch.setattr(tries, "call", in_this_process)
    outcome = tries.attempt(Try(kind, "table", share), calm, template, tmp_path)
    assert outcome.well, outcome
    assert outcome.met or kind != FULL
    assert not list(tmp_path.iterdir())


def test_the_plan_follows_from_its_seed():
    assert tries.plan(2, 1) == tries.plan(2, 1) != tries.plan(2, 2)
    assert {(one.kind, one.command) for one in tries.plan(1, 0)} == {(k, c) for k in tries.KINDS for c in COMMANDS}


def test_what_was_lost_is_counted_and_named(template, calm, tmp_path):
    """A torn folder, a file left beside, and a byte that was believed."""
    assert tries.torn(calm.old, calm.new, {**calm.new, "tables/tables.md": b"older\n"}) == ["tables/"]
    assert tries.torn(calm.old, calm.new, calm.old) == tries.torn(calm.old, calm.new, calm.new) == []
    assert tries.left(calm.old, calm.new, {**calm.new, ".tables.1.tmp": b""}) == [".tables.1.tmp"]
    outcome = tries.Outcome(Try("SIGKILL", "table", 0.5), True, lost=["tables/ is torn"])
    target = targets(template / "whole", tmp_path)[0]
    believed = damage(replace(target, read=lambda: target.path.read_bytes()), "cut off", 100, seed=0)
    assert len(believed.accepted) == believed.tried
    table = write([outcome], [believed], {"device": "none"}, 100, tmp_path / "out").set_index("what")
    assert table.loc["table", ["ended_well", "lost"]].tolist() == [0, 1]
    assert table.loc["record", ["ended_well", "wrongly_accepted"]].tolist() == [0, believed.tried]
    page = (tmp_path / "out" / "faults.md").read_text()
    assert "tables/ is torn" in page
    assert "wrongly accepted" in page
