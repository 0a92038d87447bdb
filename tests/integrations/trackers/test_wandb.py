"""A study as offline runs of Weights & Biases, read from their files."""

import importlib
import json
import re
import socket
import struct
from collections import defaultdict
from pathlib import Path

import pytest
from study import CURVE, FOLDER, page_command, study

from oracle.cli.main import main
from oracle.error import InputError

wandb = pytest.importorskip("wandb")
to_wandb = importlib.import_module("oracle.report.trackers.to_wandb")
BLOCK, HEADER = 32768, 7  # of the file, a log as LevelDB has it


def records(file):
    """The records of an offline run's file by type."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, part, found = file.read_bytes(), HEADER, b"", defaultdict(list)
    while at + HEADER <= len(data):
        if BLOCK - at % BLOCK < HEADER:
            at += BLOCK - at % BLOCK
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + HEADER])
        part, at = part + data[at + HEADER : at + HEADER + size], at + HEADER + size
        if kind in (1, 4):  # whole, or the last piece
            record = Record()
            record.ParseFromString(part)
            found[record.WhichOneof("record_type")].append(record)
            part = b""
    return found


def values(items):
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def test_a_study_and_each_training_are_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    results = study(cycles=1)
    assert to_wandb.export(results, tmp_path / "w") == len(results.cells) + 1
    runs = {}
    for file in (tmp_path / "w" / "wandb").glob("*/*.wandb"):
        found = records(file)
        (run,) = found["run"]
        runs[run.run.run_id] = (run.run, found, file.parent)
    assert len(runs) == len(results.cells) + 1 and len({run.run_group for run, _, _ in runs.values()}) == 1
    (parent,) = [one for one in runs.values() if one[0].job_type == "study"]
    config = values(parent[0].config.update)
    assert config["claim-3"] == "confirmed" and config["train.epochs"] == 12
    summary = {}
    for record in parent[1]["summary"]:
        summary |= values(record.summary.update)
    (loss,) = [one.quantities[0] for one in results.verdicts if one.claim.startswith("3.")]
    assert summary["claim-3.high"] == loss.high
    assert {"report.html", "verdicts.csv", "max_lr.pdf"} <= {
        path.name for path in (parent[2] / "files/report").iterdir()
    }
    saved = {item.path for record in parent[1]["files"] for item in record.files.files}
    assert "report/report.html" in saved
    cells = results.cells.set_index("id")
    for run, found, _ in runs.values():
        if run.job_type == "training":
            config = values(run.config.update)
            assert config["max_lr"] == cells.loc[config["cell"]].max_lr
            history = [values(record.history.item) for record in found["history"]]
            assert [row["epoch.validation"] for row in history] == [one.validation for one in CURVE]
            assert [row["_step"] for row in history] == [1, 2, 3]


def test_it_holds_nothing_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "secret-host")
    monkeypatch.setenv("WANDB_USERNAME", "secret-user")
    to_wandb.export(study(cycles=1), tmp_path / "w")
    for path in (tmp_path / "w").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [text for text in (b"secret-", str(tmp_path).encode()) if text in content], path


def test_a_folder_that_is_there_is_refused(tmp_path, capsys):
    (tmp_path / "w").mkdir()
    assert main(["export", str(FOLDER), "--wandb", str(tmp_path / "w")]) == 2
    assert "--wandb must be a new folder" in capsys.readouterr().err
    with pytest.raises(InputError, match="/proc/no must be a place where a folder can be made"):
        to_wandb.export(study(1), Path("/proc/no/w"))


def test_the_command_of_the_page_does_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("oracle.analysis.results.load_results", lambda folder: study(cycles=1))
    assert main(page_command("--wandb")) == 0
    assert re.match(r"\d+ offline runs: wandb sync mine-wandb/wandb/offline-run-", capsys.readouterr().out)
    assert list((tmp_path / "mine-wandb" / "wandb").glob("offline-run-*"))
