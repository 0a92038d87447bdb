"""merge: what several run folders of one experiment hold, in one of them; nothing is trained again, lost or torn."""

import contextlib
import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made import made_record

from oracle.cli.main import main
from oracle.experiment.load import load
from oracle.plan.snapshot import Snapshot
from oracle.study.merge import merge, mergeable
from oracle.study.states import write_checkpoint, write_state
from oracle.study.store import Store
from oracle.study.study import claimed, new_study, open_study
from silo.mask import Mask
from silo.state import State


def tree(folder, besides=("lock",)):
    """Every file by its name in the folder."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name not in besides}


def untouched(folder):
    """What also a file written again would change."""
    return {path: path.stat().st_mtime_ns for path in [Path(folder), *Path(folder).rglob("*")]}


@pytest.fixture
def say(capsys):
    def command(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return command


# -- folders made by hand

MASK = Mask({"a": torch.tensor([True, False, True])})
ENVIRONMENT = {"device": "CPU", "torch": "2.0"}


def fill(study, recorded, states=(), checkpoints=(), failed=(), validation=90.0, environment=ENVIRONMENT, leaves=None):
    """As a run leaves it: cells is a part of the study's first ones."""
    cells = [training.cell for training in Snapshot.take(study).trainings]
    with claimed(study):
        for at in recorded:
            record = made_record(cells[at], validation, leaves or MASK.digest(), environment=environment)
            study.store.log_attempt(cell=record.id, event="started")
            study.store.write_record(replace(record, seconds=1.0 + len(study.store.sweep)))
            study.store.log_attempt(cell=record.id, event="recorded")
        for at in states:
            write_state(study.store, cells[at].id, State(MASK))
        for at in checkpoints:
            write_checkpoint(study.store, cells[at].id, {"epoch": 3, "weights": torch.arange(9.0) + len(recorded)})
        for at in failed:
            study.store.write_failure(cells[at].id, "ValueError: no")
    return [cell.id for cell in cells]


@pytest.fixture
def make(tiny, tmp_path):
    """A run folder of the tiny experiment; its first cells wait for no record."""

    def make(name, *settings, **held):
        study = new_study(load(tiny, list(settings)), tmp_path / name, "tiny.yaml")
        make.ids = fill(study, held.pop("cells", ()), **held)
        return tmp_path / name

    return make


def merged(folder, *others):
    return merge(*mergeable(folder, others))


def test_what_is_taken(make, say):
    one = make("one", cells=[0, 1], states=[1], checkpoints=[5], failed=[3, 4])
    other = make("other", cells=[1, 2, 3], states=[0, 1, 2], checkpoints=[0, 4, 5], failed=[4, 6])
    (other / "records" / ".half.json.1-x.tmp").write_text("{")
    ids, before = make.ids, tree(one)
    own_checkpoint = (one / "checkpoints" / f"{ids[5]}.pt").read_bytes()
    said = say("merge", one, other)
    assert f"{other}: took 2 records, 1 state, 1 checkpoint, 1 log\n" in said
    assert f"{other}: 1 of its records were there already\n" in said
    after = tree(one)
    assert {name: after[name] for name in before if "failed" not in name} == {
        name: content for name, content in before.items() if "failed" not in name
    }
    new = {name for name in after if name not in before}
    (log,) = (
        f"attempts/{path.name}" for path in (other / "attempts").iterdir() if f"attempts/{path.name}" not in before
    )
    assert new == {
        f"records/{ids[2]}.json",
        f"records/{ids[3]}.json",
        f"states/{ids[2]}.pt",
        f"checkpoints/{ids[4]}.pt",
        log,
    }
    assert all(after[name] == tree(other)[name] for name in new)
    # what failed here and is recorded there did not fail; what failed there is simply tried here
    assert {name for name in after if name.startswith("failed")} == {f"failed/{ids[4]}.json"}
    assert (one / "checkpoints" / f"{ids[5]}.pt").read_bytes() == own_checkpoint
    say("merge", one, other)
    assert tree(one) == after


def test_several_folders_at_once(make, say):
    one, other, third = make("one", cells=[0]), make("other", cells=[0, 1]), make("third", cells=[1, 2])
    said = say("merge", one, other, third)
    assert f"{other}: took 1 record," in said
    assert f"{third}: took 1 record," in said
    assert f"{third}: 1 of its records were there already" in said
    assert len(Store(one).recorded()) == 3


def test_the_state_of_another_record_is_not_taken(make):
    one = make("one", cells=[0], leaves="other weights")
    other = make("other", cells=[0], states=[0])
    (taken,) = merged(one, other)
    assert (taken.states, taken.both, taken.differing) == (0, 1, 1)


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        (ENVIRONMENT, "in one environment"),
        ({**ENVIRONMENT, "torch": "2.1"}, "2 of these come from another environment"),
    ],
)
def test_records_that_differ_are_counted_and_those_that_were_there_stand(make, say, environment, why):
    one = make("one", cells=[0, 1, 2])
    other = make("other", cells=[0, 1], validation=91.0, environment=environment)
    before = tree(one / "records")
    assert f"2 of its records were there already; 2 differ in their numbers ({why}): those that were there" in say(
        "merge", one, other
    )
    assert tree(one / "records") == before


def test_the_same_numbers_in_other_environments_do_not_differ(make, say):
    one, other = make("one", cells=[0]), make("other", cells=[0, 1], environment={**ENVIRONMENT, "torch": "2.1"})
    said = say("merge", one, other)
    assert "differ in their numbers" not in said
    assert "The records come from several environments: torch is 2.0 in 1 record, 2.1 in 1 record." in said


@pytest.mark.parametrize(
    ("settings", "requested"),
    [
        (["oracle.seeds=[5, 0]"], ["oracle.seeds=[0, 1, 5]"]),
        (["oracle.seeds=[0]"], []),
        (["oracle.tolerance=3"], []),
        (["prune.cycles=2"], []),
        (["prune.cycles=5"], ["prune.cycles=5"]),
        (["oracle.grid=[0.02, 0.1]"], ["oracle.grid=[0.01, 0.02, 0.03, 0.1, 0.3, 1.0, 1000000.0]"]),
        (["silo.delta=0.25", "silo.delay=2"], ["silo.delta=0.25", "silo.delay=2"]),
        (["oracle.follow=oracle"], ["oracle.follow=oracle"]),
        (["oracle.search=racing"], ['oracle.search={"kind": "racing"}']),
        (
            ["policies.baselines.flat.max_lr=0.05", "policies.search.over=trajectory"],
            ["policies.search={over: trajectory}", "policies.baselines.flat.max_lr=0.05"],
        ),
    ],
)
def test_what_the_other_study_asks_for_beyond_can_be_asked_for(make, say, tiny, settings, requested):
    one, other = make("one"), make("other", *settings)
    said = say("merge", one, other)
    proposed = re.findall(r"--set '([^']+)'", said)
    assert ("requests more" in said) == bool(requested)
    wider = load(tiny, proposed)
    assert wider == load(tiny, requested)
    assert open_study(one).experiment.redacted() == load(tiny, []).redacted()


def test_a_spaced_grid_is_asked_for_by_its_extra_values(make, tiny, say):
    spaced = "oracle.grid={low: 0.01, high: 1, points: 3, extra: [5.0]}"
    one, other = make("one", spaced), make("other", "oracle.grid=[0.1, 0.5]")
    assert "--set 'oracle.grid.extra=[0.5, 5.0]'" in say("merge", one, other)


# -- what is refused, before anything is written


@pytest.fixture
def refused(capsys, tmp_path):
    def refused(*folders):
        before = untouched(tmp_path)
        capsys.readouterr()
        assert main(["merge", *map(str, folders)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("silo-oracle: ")
        assert err.count("\n") == 1
        assert untouched(tmp_path) == before
        return err

    return refused


def test_no_run_folder(make, refused, tmp_path):
    one = make("one", cells=[0])
    (tmp_path / "empty").mkdir()
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "study.json").write_text('{"experiment": {}}')
    assert "missing must " in refused(one, tmp_path / "missing")
    assert "empty must " in refused(one, tmp_path / "empty")
    assert "empty must " in refused(tmp_path / "empty", one)
    assert "garbage/study.json must " in refused(one, tmp_path / "garbage")
    assert "required: OTHER" in refused(one)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["train.epochs=4"], "train.epochs is 4 there and 3 here"),
        (["data.limit.train=500"], "data.digest is "),
        (["model.hidden=[8]"], "model.hidden is [8] there and [16] here"),
        (["policies.baselines.flat.max_lr=0.1"], "policies.baselines.flat.max_lr.value is 0.1 there and 0.05 here"),
        (
            ["policies.baselines.flat.shape=cosine"],
            "policies.baselines.flat.shape is {'kind': 'cosine'} there and not set here",
        ),
    ],
)
def test_another_experiment(make, refused, settings, message):
    flat = "policies.baselines.flat.max_lr=0.05"
    one, other, third = make("one", flat), make("other"), make("third", flat, *settings)
    line = refused(one, other, third)
    assert f"{third} must " in line and str(one) in line
    assert message in line


def test_one_folder_twice_or_one_in_the_other(make, refused, tmp_path, monkeypatch):
    one, other = make("one", cells=[0]), make("other", cells=[1])
    (tmp_path / "link").symlink_to("one")
    shutil.copytree(one, other / "inner")
    monkeypatch.chdir(tmp_path)
    assert "one that is " in refused(one, one)
    assert "one that is " in refused(one, tmp_path / "link")
    assert "one that is " in refused("one", other, other / ".." / "one")
    assert "lies in, or holds," in refused(other, other / "inner")
    assert "lies in, or holds," in refused(other / "inner", other)


@pytest.mark.parametrize("whose", ["one", "other"])
@pytest.mark.parametrize("damage", ["torn", "changed", "another's"])
def test_a_record_that_cannot_be_trusted(make, refused, whose, damage):
    one, other = make("one", cells=[0, 1]), make("other", cells=[1, 2, 3])
    path = sorted(({"one": one, "other": other}[whose] / "records").iterdir())[-1]
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "changed":
        path.write_text(path.read_text().replace("90.0", "99.0"))
    else:
        shutil.copy(sorted(path.parent.iterdir())[0], path)
    assert f"{path} must be " in refused(one, other)


def test_a_folder_where_a_run_is_at_work(make, refused, monkeypatch, say):
    monkeypatch.setattr("oracle.study.lock.PATIENCE", 0)
    one, other = make("one", cells=[0]), make("other", cells=[1])
    with claimed(open_study(one)):
        assert "another run at work" in refused(one, other)
        assert "took 1 record," in say("merge", other, one)  # to read there, it may be


# -- while a run fills the other folder, and where the merge is killed


def test_what_vanishes_and_grows_meanwhile(make, monkeypatch):
    """A run at work there drops states, ends trainings under way and writes on in its log."""
    one, other = make("one", cells=[0]), make("other", cells=[1, 2], states=[1, 2], checkpoints=[3])
    study, others = mergeable(one, [other])
    real = Store.take

    def take(self, source, name, first=True):
        if name.endswith(".pt"):
            (other / name).unlink()
        return real(self, source, name, first)

    monkeypatch.setattr(Store, "take", take)
    (taken,) = merge(study, others)
    assert (taken.records, taken.states, taken.checkpoints, taken.logs) == (2, 0, 0, 1)
    monkeypatch.undo()
    source = Store(other, "sweep")
    (log,) = (other / "attempts").glob("*.jsonl")
    with log.open("a") as out:
        out.write(json.dumps({"cell": "x", "event": "started", "at": 1.0, "sweep": "s"}) + "\n")
    (taken,) = merged(one, other)
    assert taken.logs == 1
    assert (one / "attempts" / log.name).read_bytes() == log.read_bytes()
    log.write_bytes(log.read_bytes()[:50])  # an earlier copy of the folder
    (taken,) = merged(one, other)
    assert taken.logs == 0
    assert len(source.attempts()) < len(Store(one).attempts())


KILLED = 9


def killed_at(count, folder, other):
    """Merge in a child that dies just before its file operation of this number, or in its middle; False: it came to its end."""
    if (child := os.fork()) == 0:
        left = [count]

        def deadly(module, name):
            real = getattr(module, name)

            def operation(*arguments, **options):
                left[0] -= 1
                if left[0] == 0:
                    if name == "copyfileobj":
                        arguments[1].write(arguments[0].read(100))
                        arguments[1].flush()
                    os._exit(KILLED)
                return real(*arguments, **options)

            setattr(module, name, operation)

        for name in ("fsync", "link", "replace", "unlink", "mkdir"):
            deadly(os, name)
        deadly(shutil, "copyfileobj")
        deadly(Path, "open")
        with contextlib.suppress(BaseException):
            merged(folder, other)
            os._exit(0)
        os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def test_wherever_a_merge_is_killed_another_one_completes_it(make, tmp_path):
    one = make("one", cells=[0], failed=[1])
    other = make("other", cells=[0, 1], states=[0, 1], checkpoints=[2])
    before = tree(one)
    whole = Path(shutil.copytree(one, tmp_path / "whole"))
    merged(whole, other)
    allowed, kills = tree(whole), 0
    folder = tmp_path / "killed"
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(one, folder)
        kills += 1
        if not killed_at(kills, folder, other):
            break
        left = {name: content for name, content in tree(folder).items() if not name.endswith(".tmp")}
        torn = [name for name, content in left.items() if content not in (allowed.get(name), before.get(name))]
        assert torn == []
        assert before.keys() - left.keys() <= {name for name in before if name.startswith("failed/")}
        merged(folder, other)
        assert tree(folder) == allowed
    assert kills > 25
    assert tree(folder) == allowed
