"""Records of several environments in one study are reported: what differs, how many, and whether they are compared at all."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from experiments import write
from made import record_of
from trained import train

from oracle.cli.main import main
from oracle.study.environment import current_environment, difference, mixture
from oracle.study.store import Store

HERE = {"device": "CPU, AVX512", "machine": "x86_64", "python": "3.11.7", "torch": "2.15.0", "numpy": "2.4.6"}


def record(cycle, seed, **changes):
    return record_of(cycle, seed, environment={**HERE, **changes})


def test_what_an_environment_holds():
    made = current_environment(torch.device("cpu"))
    assert set(made) == set(HERE)
    assert made["device"].startswith("CPU, ")


@pytest.mark.parametrize("records", [[], [record(0, 0), record(0, 1)], [record(0, 0), record(0, 0, python="3.11.9")]])
def test_one_environment_is_not_told(records):
    assert mixture(records) == ""
    assert difference(HERE, records) == ""


def test_what_differs_is_told_with_how_many_records_have_it():
    others = [record(0, 0, torch="2.14.0", python="3.12.1"), record(0, 1, torch="2.14.0"), record(1, 1)]
    assert (
        difference(HERE, others) == "python is 3.11 here, 3.12 in 1 record; torch is 2.15.0 here, 2.14.0 in 2 records"
    )
    text = mixture(others)
    assert "python is 3.11 in 2 records, 3.12 in 1 record; torch is 2.14.0 in 2 records, 2.15.0 in 1 record." in text
    assert "device" not in text
    assert mixture(reversed(others)) == text


def test_a_field_that_only_some_name_differs():
    named = record(0, 0, cudnn="9")
    assert difference(HERE, [named]) == "cudnn is not said here, 9 in 1 record"
    assert "cudnn is 9 in 1 record, not said in 1 record" in mixture([named, record(0, 1)])


def test_seeds_of_an_environment_each_are_not_compared_across():
    gpu = {"device": "NVIDIA H100"}
    text = mixture([record(0, 0), record(1, 0), record(0, 1, **gpu), record(1, 1, **gpu)])
    assert "None are compared across them: those of one cycle and seed come from one." in text


def test_where_trainings_are_compared_across_environments_is_told():
    gpu = {"device": "NVIDIA H100"}
    mixed = [
        record(cycle, seed, **(gpu if other and cycle > 1 else {}))
        for cycle in range(6)
        for seed in (3, 5)
        for other in (0, 1)
    ]
    text = mixture(mixed)
    assert (
        "In 8 of 12 pairs of a cycle and a seed (cycles 2 to 5; seeds 3, 5) trainings are compared across them" in text
    )


def elsewhere(folder, cells, **changes):
    """As if these records came from another environment."""
    store = Store(folder)
    for cell in cells:
        held = store.whole_record(cell)
        (folder / "records" / f"{cell}.json").unlink()
        store.write_record(replace(held, environment={**held.environment, **changes}))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    home = tmp_path_factory.mktemp("finished")
    assert train(write(home), home / "run", "prune.cycles=2", "oracle.grid=[0.03, 0.1]")
    return home / "run"


def test_every_command_tells_it(finished, tmp_path, monkeypatch, capsys):
    def say(*arguments):
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 0
        return " ".join(capsys.readouterr().out.split())  # as the console breaks lines

    monkeypatch.chdir(tmp_path)
    run = Path(shutil.copytree(finished, "run"))
    command = [
        write(tmp_path),
        "--local",
        "--out",
        run,
        "--set",
        "prune.cycles=2",
        "--set",
        "oracle.grid=[0.03, 0.1]",
    ]
    ids = Store(run).recorded()
    elsewhere(run, ids, python=f"{sys.version_info.major}.{sys.version_info.minor}.99")
    assert "environment" not in say("status", run)

    elsewhere(run, ids[:3], torch="1.0")
    text = (
        f"The records come from several environments: torch is {torch.__version__} in 5 records, 1.0 in 3 records. In "
    )
    assert text in say("status", run)
    assert f"Note: {text}" in say("publish", run)
    assert f"Note: {text}" in " ".join((run / "report" / "verdicts.md").read_text().split())
    assert text in Path("results/tiny/README.md").read_text()
    made = json.loads((run / "report" / "environment.json").read_text())
    assert sorted((one["torch"], one["trainings"]) for one in made) == [("1.0", 3), (torch.__version__, 5)]
    shutil.copytree(finished, "other")
    assert text in say("merge", run, "other")

    (run / "records" / f"{ids[4]}.json").unlink()
    said = say("run", *command)
    here = f"environment differs from that of the records there: torch is {torch.__version__} here, 1.0 in 3 records"
    assert said.index(here) < said.index(f"Note: {text}")
