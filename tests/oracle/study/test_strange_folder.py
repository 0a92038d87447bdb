"""A run folder or a publication that is damaged, or a stranger's: one line that names the file, and nothing of it is taken."""

import io
import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from experiments import write
from made import made_record

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.load import load
from oracle.hashing import digest
from oracle.plan.snapshot import Snapshot
from oracle.study.lock import activity, locked
from oracle.study.states import read_checkpoint, read_state, unpack, write_checkpoint, write_state
from oracle.study.store import Store
from oracle.study.study import claimed, new_study, open_study
from silo.mask import Mask
from silo.state import State

RESULTS = Path(__file__).parents[3] / "results"
MASK = Mask({"a": torch.tensor([True, False, True])})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file, and a run folder with two records, a state, a checkpoint and a failure, from a killed run."""
    home = tmp_path_factory.mktemp("whole")
    file = write(home)
    study = new_study(load(file, []), home / "run", "tiny.yaml")
    cells = [training.cell for training in Snapshot.take(study).trainings]
    with claimed(study):
        for cell in cells[:2]:
            study.store.log_attempt(cell=cell.id, event="started")
            study.store.write_record(made_record(cell, 90.0, MASK.digest(), environment={"device": "CPU"}))
        write_state(study.store, cells[0].id, State(MASK))
        write_checkpoint(study.store, cells[2].id, {"epoch": 3, "weights": torch.arange(9.0)})
        study.store.write_failure(cells[3].id, "ValueError: no")
    return home


@pytest.fixture
def run(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return Path("run")


@pytest.fixture
def line(capsys):
    """The one line of a command that is refused."""

    def line(*arguments):
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("silo-oracle: ") and err.count("\n") == 1
        return err

    return line


def change(path, fields, at=()):
    """Give fields of a record other values, as if it had been written so: ``at`` leads to the dict that they are in."""
    held = part = json.loads(path.read_text())
    del held["checksum"]
    for key in at:
        part = part[key]
    part.update(fields)
    for name, value in fields.items():
        if value is ...:
            del part[name]
    held["checksum"] = digest(held)
    path.write_text(json.dumps(held))


def first_record(run):
    return min((run / "records").iterdir())


# -- study.json: a checksum, and how it is made again


def test_every_bit_of_a_study_that_is_flipped_is_noticed(run):
    path = run / "study.json"
    content = path.read_bytes()
    right = Store(run).study()
    for place in range(0, len(content), 3):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            held = open_study(run)
        except InputError:
            continue
        assert Store(run).study() == right and held.experiment.oracle.tolerance == 0.5


def test_a_study_of_an_earlier_version_is_read_and_gets_its_checksum_with_the_next_run(run):
    path = run / "study.json"
    complete = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in complete.items() if name != "checksum"}))
    with claimed(new_study(load(Path("tiny.yaml"), []), run, "tiny.yaml")):
        pass
    assert json.loads(path.read_text()) == complete


@pytest.mark.parametrize("left", [["lock"], ["lock", ".study.json.1-x.tmp"], [".study.json.1-x.tmp"]])
def test_a_run_that_was_killed_before_it_wrote_its_study_goes_on(run, left):
    shutil.rmtree(run)
    run.mkdir()
    for name in left:
        (run / name).touch()
    with claimed(new_study(load(Path("tiny.yaml"), []), run)):
        pass
    assert sorted(path.name for path in run.iterdir()) == ["lock", "study.json"]


def test_a_study_that_was_deleted_is_made_again_by_its_records(run, line):
    before = {path: path.read_bytes() for path in run.rglob("*.*") if path.is_file()}
    (run / "study.json").unlink()
    (run / "notes.txt").touch()  # the records show whose folder it is
    assert "makes it again" in line("status", run)
    with pytest.raises(InputError, match="records of another one"):
        new_study(load(Path("tiny.yaml"), ["train.epochs=4"]), run)
    assert main(["plan", "tiny.yaml", "--out", str(run)]) == 0
    with claimed(new_study(load(Path("tiny.yaml"), []), run, "tiny.yaml")):
        pass
    assert {path: path.read_bytes() for path in before} == before


def test_a_strangers_folder_is_no_run_folder(run):
    (run / "study.json").unlink()
    shutil.rmtree(run / "records")
    (run / "thesis.txt").touch()
    with pytest.raises(InputError, match="must be a new or empty folder or a run folder"):
        new_study(load(Path("tiny.yaml"), []), run)


# -- records, failures, the lock, tables


@pytest.mark.parametrize(
    ("at", "fields"),
    [
        ((), {"leaves": ...}),
        ((), {"alive": "64"}),
        ((), {"alive": 65}),
        ((), {"prunable": 0}),
        ((), {"alive": True}),
        ((), {"seconds": -1}),
        ((), {"seconds": None}),
        ((), {"environment": []}),
        ((), {"environment": {"device": []}}),
        ((), {"environment": {"device": 1}}),
        ((), {"leaves": 3}),
        ((), {"layers": [["a", 1]]}),
        ((), {"layers": [["a", 2, 1]]}),
        ((), {"layers": [["a", 1, 2]]}),
        ((), {"layers": {}}),
        ((), {"id": ...}),
        ((), {"environment": ...}),
        ((), {"layers": 7}),
        ((), {"cell": []}),
        ((), {"outcome": None}),
        (("outcome",), {"validation": None}),
        (("outcome",), {"test": 101}),
        (("outcome",), {"test": "90"}),
        (("outcome",), {"diverged": 0}),
        (("outcome",), {"diverged": True}),
        (("outcome",), {"chosen_epoch": 1.5}),
        (("outcome",), {"steps": None}),
        (("outcome",), {"curve": [{"loss": 1.0, "validation": "x", "test": None}]}),
        (("outcome",), {"curve": [3]}),
        (("cell",), {"seed": 17}),
        (("cell",), {"max_lr": "0.1"}),
        (("cell",), {"max_lr": -1}),
        (("cell",), {"cycle": None}),
        (("cell",), {"more": 1}),
        (("cell",), {"start": ...}),
        (("outcome",), {"curve": {}}),
        (("outcome",), {"curve": [{"loss": 1.0, "validation": 101, "test": None}]}),
        (("outcome",), {"final_test": ...}),
    ],
)
def test_a_record_that_no_training_left_is_refused_by_its_file_and_not_merged(run, line, at, fields):
    other = Path(shutil.copytree(run, "other"))
    change(first_record(other), fields, at)
    shutil.rmtree(run / "records")
    before = sorted(run.rglob("*"))
    message = line("merge", run, other)
    assert str(first_record(other)) in message and "delete it" in message
    assert sorted(run.rglob("*")) == before
    assert str(first_record(other)) in line("status", other)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1e999", "[" * 5000 + "1" + "]" * 5000, "9" * 5000])
def test_a_number_that_is_none_is_refused_by_its_file(run, line, number):
    path = first_record(run)
    path.write_text(re.sub(r'"seconds": [^,]*,', f'"seconds": {number},', path.read_text()))
    assert str(path) in line("status", run)
    (run / "study.json").write_text(
        re.sub(r'"chance": [^,]*,', f'"chance": {number},', (run / "study.json").read_text())
    )
    assert "run/study.json" in line("status", run)


def test_a_record_under_another_ones_name_is_refused(run, line):
    one, other = sorted((run / "records").iterdir())
    held = json.loads(one.read_text())
    del held["checksum"]
    held["id"] = other.stem
    other.write_text(json.dumps(held | {"checksum": digest(held)}))
    assert f"{other} must hold the fields of a record (id must be that of its cell, {one.stem}" in line("status", run)


@pytest.mark.parametrize("content", [b"[]", b"null", b'{"reason": 3}', b"\xff", b"", b"NaN"])
def test_a_damaged_failure_is_refused_by_its_file(run, line, content):
    (failed,) = (run / "failed").iterdir()
    failed.write_bytes(content)
    assert str(failed) in line("status", run)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"", b"[]", b"[" * 9000, b'{"at": "x", "ended": [], "sweep": {}}', b'{"at": 1e999}', b"7"]
)
def test_a_lock_that_is_no_text_tells_nothing(run, content, capsys):
    (run / "lock").write_bytes(content)
    held = activity(Store(run))
    assert (held.at_work, held.began, held.ended) == (False, None, None)
    assert main(["status", str(run)]) == 0
    assert (f"nothing is known: {run / 'lock'} holds what no run wrote" in capsys.readouterr().out) == bool(content)


def test_a_lock_that_may_not_be_written_is_the_user_s_to_mend(run, monkeypatch):
    """As in a folder of somebody else's, which root could write."""
    monkeypatch.setattr(
        "oracle.study.lock.os.open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "not allowed"))
    )
    with (
        pytest.raises(InputError, match=r"lock must be a file that can be written, got: not allowed$"),
        locked(Store(run)),
    ):
        pass


def test_lines_of_a_log_that_are_no_attempts_are_passed_over(run):
    log = next((run / "attempts").iterdir())
    log.write_bytes(
        log.read_bytes() + b'[]\n{"cell": 3}\n{"cell": "a", "event": []}\n{"cell": "a", "event": "x", "at": "y"}\n'
    )
    assert len(Store(run).attempts()) == 2


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("cells.csv", lambda text: b"\0" * len(text)),
        ("cells.csv", lambda text: b""),
        ("cells.csv", lambda text: b"a,b\n1,2\n"),
        ("cells.csv", lambda text: text.replace(b",done,", b",0,")),
        ("cells.csv", lambda text: text.replace(b"cycle,seed", b"cycle,seeds")),
        ("cells.csv", lambda text: re.sub(rb"[1-9]", b"0", text)),
        ("cells.csv", lambda text: re.sub(rb"\n\d+,", b"\n99,", text)),
        ("cells.csv", lambda text: re.sub(rb",done,[^,]*,", b",done,950.5,", text)),
        ("cells.csv", lambda text: text[: len(text) // 2]),
        ("layers.csv", lambda text: b"\0" * len(text)),
        ("cost.csv", lambda text: b"\xff" * 9),
        ("cost.csv", lambda text: text.replace(b"all,", b"all,x")),
        ("environment.json", lambda text: b"{}"),
        ("environment.json", lambda text: b"[" * 9000),
        ("experiment.json", lambda text: b"[]"),
        ("experiment.json", lambda text: text.replace(b'"classes": 10', b'"classes": 0')),
        ("experiment.json", lambda text: text.replace(b'"chance": 10', b'"chance": -10')),
    ],
)
def test_a_damaged_publication_is_refused_by_its_file(line, tmp_path, name, damage):
    folder = Path(shutil.copytree(RESULTS / "digits-mlp-adaptive", tmp_path / "published"))
    (folder / name).write_bytes(damage((folder / name).read_bytes()))
    assert str(folder / name) in line("table", folder, "--to", tmp_path / "table")


@pytest.mark.parametrize("row", ["SILO,0,9.0,4,1.0", "SILO,0,4.0,4,-1.0", "SILO,0,4.0,4,inf", "SILO,0,4.0,4,x", "SILO"])
def test_a_damaged_table_of_sizes_is_refused(line, tmp_path, row):
    folder = Path(shutil.copytree(RESULTS / "digits-mlp-adaptive", tmp_path / "published"))
    (folder / "size.csv").write_text(f"policy,cycle,alive,prunable,flops\n{row}\n")
    assert str(folder / "size.csv") in line("table", folder, "--to", tmp_path / "table")


# -- links, pipes, and what is larger than it looks


@pytest.mark.parametrize("name", ["attempts", "records", "states", "checkpoints", "failed", "report", "lock"])
def test_a_part_that_is_a_link_is_refused_and_nothing_is_written_there(run, line, tmp_path, name):
    shutil.rmtree(run / name, ignore_errors=True)
    (run / name).unlink(missing_ok=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.json").write_text("precious")
    (run / name).symlink_to("../elsewhere")
    for command in (["status", run], ["report", run], ["run", "tiny.yaml", "--local", "--out", run]):
        assert f"run/{name} must be no link, got one to ../elsewhere" in line(*command)
    assert [path.read_text() for path in elsewhere.iterdir()] == ["precious"]


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
@pytest.mark.parametrize("part", ["study.json", "records", "failed", "attempts"])
def test_a_file_that_is_none_is_refused_and_not_waited_for(run, line, tmp_path, part, kind):
    other = Path(shutil.copytree(run, "other"))
    path = other / part if part == "study.json" else next((other / part).iterdir())
    path.rename(tmp_path / "moved")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / ("moved" if kind == "link" else "nowhere"))
    if part != "attempts":  # which are read where a run is at work
        assert f"{path} must be " in line("status", other)
    if part != "failed":  # which aren't merged
        if part == "attempts":
            path.rename(path.with_name("new.jsonl"))
            path = path.with_name("new.jsonl")
        message = line("merge", run, other)
        assert str(path) in message and re.search("got a link|got a device or a pipe|got: Is a directory", message)


def test_a_report_page_that_is_a_link_is_replaced_not_followed(run, tmp_path):
    (tmp_path / "mine.html").write_text("precious")
    (run / "report").mkdir()
    (run / "report" / "report.html").symlink_to(tmp_path / "mine.html")
    assert main(["report", str(run)]) == 0
    assert (tmp_path / "mine.html").read_text() == "precious"
    assert not (run / "report" / "report.html").is_symlink()


def saved(held):
    content = io.BytesIO()
    torch.save(held, content)
    return content.getvalue()


def shared_lists(depth):
    """Lists of which a walk over every path would take 2^depth steps."""
    held = [torch.zeros(1)]
    for _ in range(depth):
        held = [held, held]
    return held


def packed_again(content, method):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", method) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    return out.getvalue()


class Sized:
    """Unpickled, it is as many bytes as it says."""

    def __reduce__(self):
        return bytearray, (2**30,)


@pytest.mark.parametrize(
    "content",
    [
        packed_again(saved({"mask": torch.zeros(2**22, dtype=torch.uint8), "weights": None}), zipfile.ZIP_DEFLATED),
        saved({"mask": torch.zeros(1, dtype=torch.uint8).expand(2**40), "weights": None}),
        saved({"mask": torch.zeros(4, dtype=torch.uint8), "weights": {"a": [torch.zeros(1).expand(2**40)]}}),
        saved({"mask": Sized(), "weights": None}),
    ],
    ids=["compressed", "expanded", "within", "of any size"],
)
def test_a_state_that_is_larger_than_it_looks_is_refused_before_it_is_unpacked(run, content):
    path = run / "states" / next((run / "states").iterdir()).name
    path.write_bytes(content)
    with pytest.raises(ValueError, match="must "):
        unpack(io.BytesIO(content))
    with pytest.raises(InputError, match=r"must be a readable start state"):
        read_state(Store(run), path.stem, MASK.digest(), MASK.layers)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_state_or_checkpoint_that_is_no_file_is_refused(run, tmp_path, kind):
    for part in ("states", "checkpoints"):
        path = next((run / part).iterdir())
        path.rename(tmp_path / part)
        os.mkfifo(path) if kind == "pipe" else path.symlink_to(tmp_path / part)
        if part == "states":
            with pytest.raises(InputError, match=r"must be a readable start state, got a (link|device).*delete it"):
                read_state(Store(run), path.stem, MASK.digest(), MASK.layers)
        else:
            assert read_checkpoint(Store(run), path.stem) is None


def test_states_and_checkpoints_of_trainings_come_back(run):
    """What is written passes every check of what is read."""
    assert (
        read_state(Store(run), next((run / "states").iterdir()).stem, State(MASK).digest(), MASK.layers).mask.alive == 2
    )
    assert read_checkpoint(Store(run), next((run / "checkpoints").iterdir()).stem)["weights"].tolist() == [*range(9)]
    held = {"a": torch.randn(3).half(), "b": torch.tensor(7), "c": [torch.arange(3), 1.5, "x", None, True]}
    held |= {"d": torch.zeros(3, dtype=torch.uint16), "e": torch.nn.Parameter(torch.ones(2)), "f": shared_lists(30)}
    assert unpack(io.BytesIO(saved(held)))["c"][0].tolist() == [0, 1, 2]
