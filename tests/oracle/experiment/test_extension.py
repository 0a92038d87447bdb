"""Own models, data sets, criteria and the rest, given by import path: found, identified, trained."""

import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from experiments import TINY, changed, experiment, write
from own_package import CODE, OWN, forget, own_experiment
from torch import nn

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.import_path import code_of, target_of
from oracle.experiment.load import load, recorded_experiment, validate
from oracle.hashing import digest
from oracle.plan.baseline_trajectories import BaselineTrajectories
from oracle.plan.record_view import RecordView
from oracle.run.worker import Worker
from oracle.run.worker_factory import WorkerFactory
from oracle.study.data import load_dataset
from oracle.study.store import Store
from silo.criterion import magnitude
from silo.pruning_rule import CRITERIA

pytestmark = pytest.mark.usefixtures("home")


# -- each kind


def test_every_kind_of_part_can_be_ones_own():
    spec = own_experiment()
    assert type(spec.data.make()).__name__ == "Dataset"
    assert len(spec.data.make().train) == 300
    assert spec.data.split.make().given == (Path("x"), "half", {"a": (1,)})
    assert [m.out_features for m in spec.model.make(3, 4, 5) if isinstance(m, nn.Linear)] == [8, 5]
    assert spec.recipe.shape.factor(1, 2, 2) == 1.0
    assert spec.recipe.shape.feet == [0.0, 0.25]
    assert spec.prune.restart.make().initialization_cycle(3) == 0
    assert spec.pruning.criterion is sys.modules["own.criteria"].relative
    assert target_of({}, spec.model.init) is sys.modules["own.nets"].keep
    assert spec.baselines["rising"].max_lr.make().max_lr(2) == pytest.approx(0.15)


def test_a_registrys_name_still_stands_for_its_own():
    assert experiment().pruning.criterion is magnitude
    assert target_of(CRITERIA, "magnitude") is magnitude


def test_the_short_form_takes_the_defaults():
    assert own_experiment({"model": "own.nets:Net"}) == own_experiment(
        {"model": {"name": "own.nets:Net", "init": "kaiming", "hidden": None}}
    )


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({}, None),
        ({"hidden": None}, None),
        ({"hidden": [4]}, [4]),
    ],
)
def test_options_are_given_as_annotated(options, made):
    assert own_experiment({"model": {"name": "own.nets:Net", **options}}).model.make(1, 8, 2).hidden == made


def test_a_name_that_the_package_passes_on_is_found():
    spec = own_experiment({"model": {"name": "own:perceptron"}})
    assert spec.model.make(1, 8, 2)[1].out_features == 16
    assert set(code_of(spec.model)) == {"own", "own.nets"}  # where it is named, and where it is written


# -- a study's file and its workers read it back


@pytest.mark.parametrize(
    "parts", [{}, {"model": "own.nets:Net"}, {"model": {"name": "own.nets:Net", "hidden": [6, 0]}}]
)
def test_it_comes_back_from_a_run_folder(parts):
    spec = own_experiment(parts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        held = json.loads(json.dumps(spec.model_dump(mode="json", warnings="error")))
    assert held["data"]["split"] == {
        "kind": "own.rules:Halves",
        "where": "x",
        "by": "half",
        "table": {"a": [1]},
    }
    assert validate(held, "test") == spec
    assert validate(held, "test").training("data") == spec.training("data")


def test_built_in_parts_come_back_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spec = experiment()
        assert validate(spec.model_dump(mode="json", warnings="error"), "test") == spec


# -- identity


def test_built_in_parts_have_no_code_in_their_identity():
    assert "code" not in experiment().training("data")


def test_the_identity_holds_the_code_that_trains():
    assert sorted(own_experiment().training("data")["code"]) == CODE


@pytest.mark.parametrize(
    ("part", "module"),
    [
        ({"model": {"name": "own.nets:perceptron"}}, "own.nets"),
        ({"model": {"name": "mlp", "init": "own.nets:keep"}}, "own.nets"),
        ({"train.shape": "own.rules:Triangle"}, "own.rules"),
        ({"prune.restart": "own.rules:Again"}, "own.rules"),
        ({"prune.criterion": "own.criteria:relative"}, "own.criteria"),
        ({"data": {"source": "digits", "split": "own.rules:Halves"}}, "own.rules"),
    ],
    ids=lambda part: ".".join(part) if isinstance(part, dict) else None,
)
def test_each_part_brings_its_code(part, module):
    assert list(experiment(part).training("data")["code"]) == [module]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"name": "own.nets:Net"}},
        {"model.width": 10},
        {"model.depth": 2},
        {"model.init": "kaiming"},
        {"train.shape.peak": 0.5},
        {"prune.criterion": "magnitude"},
    ],
    ids=str,
)
def test_path_and_options_are_part_of_the_id(changes):
    assert digest(own_experiment(changes).training("data")) != digest(own_experiment().training("data"))


@pytest.mark.parametrize("module", ["nets", "criteria", "rules"])
def test_changed_code_is_another_training(home, module):
    before = own_experiment().training("data")
    assert own_experiment().training("data") == before
    path = home / "own" / f"{module}.py"
    path.write_text(path.read_text() + "\n# changed\n")
    assert own_experiment().training("data") == before  # what runs here is still the code that was imported
    forget()
    after = own_experiment().training("data")
    assert {name for name, code in after["code"].items() if code != before["code"][name]} == {f"own.{module}"}


@pytest.mark.parametrize("path", ["own.sets:parity", "own.rules:Rising"])
def test_code_that_no_training_depends_on_is_not_in_it(path):
    """Of a data set the images' digest tells, of a schedule its max_lr."""
    baselines = {"rising": {"max_lr": {"kind": "own.rules:Rising", "start": 0.05, "step": 0.05}}}
    parts = {"own.sets:parity": {"data": path}, "own.rules:Rising": {"policies": {"baselines": baselines}}}
    spec = experiment(parts[path])
    assert "code" not in spec.training("data")
    assert list(code_of(spec)) == [path.partition(":")[0]]


def test_an_imported_schedule_may_return_numpys_numbers(home, tmp_path):
    code = "from numpy import float32\n\n\nclass Narrow:\n    def max_lr(self, cycle):\n        return float32(0.25)\n"
    (home / "own/narrow.py").write_text(code)
    spec = experiment({"policies": {"baselines": {"narrow": {"max_lr": {"kind": "own.narrow:Narrow"}}}}})
    view = RecordView(spec, Store(tmp_path / "run"))
    max_lr = next(BaselineTrajectories(view, "narrow", "training").all()[0]).cell.max_lr
    assert (max_lr, type(max_lr)) == (0.25, float)


def test_a_schedule_that_takes_a_prune_rate_has_that_of_the_loop(home):
    """An imported one, and SMET's; the file can't give another."""
    code = (
        "class Alive:\n    def __init__(self, value: float, prune_rate):\n        self.value, self.rate = value, prune_rate\n\n"
        "    def max_lr(self, cycle):\n        return self.value * (1 - self.rate) ** cycle\n"
    )
    (home / "own/alive.py").write_text(code)
    mine, smet = {"kind": "own.alive:Alive", "value": 0.5}, {"kind": "density-power", "value": 0.1, "exponent": 0.5}
    changes = {"policies.baselines": {"mine": {"max_lr": mine}, "smet": {"max_lr": smet}}, "prune.rate": 0.5}
    spec = load(changed(TINY, changes))
    assert [spec.baseline_schedule("mine").max_lr(cycle) for cycle in range(3)] == [0.5, 0.25, 0.125]
    assert spec.baseline_schedule("smet").max_lr(2) == pytest.approx(0.2)
    assert spec.baselines["smet"].max_lr.model_dump() == smet
    recorded = recorded_experiment(
        {"experiment": spec.redacted(), "imported": spec.imported.model_dump(mode="json")}, "HERE"
    )
    assert recorded.baseline_schedule("smet").max_lr(2) == spec.baseline_schedule("smet").max_lr(2)
    assert recorded.baseline_schedule("mine").max_lr(2) == 0.125
    with pytest.raises(InputError, match="prune_rate"):
        load(changed(TINY, changes | {"policies.baselines.smet.max_lr.prune_rate": 0.1}))


# -- where modules are found


def test_modules_are_found_in_the_folder_one_is_in(home):
    """First of all, as `python -m` does it; a console script's path holds the script's own folder instead."""
    assert str(home) not in sys.path
    own_experiment()
    own_experiment()
    assert sys.path[0] == str(home)
    assert sys.path.count(str(home)) == 1


def test_an_installed_module_is_found_wherever_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = experiment({"model": {"name": "silo.model.mlp:mlp", "hidden": [4]}})
    assert [m.out_features for m in named.model.make(1, 8, 10) if isinstance(m, nn.Linear)] == [4, 10]


# -- training


def test_a_worker_refuses_code_that_changed_since_the_run_was_started(home):
    make_worker = WorkerFactory.of(own_experiment(), "digest", Store(home))
    assert isinstance(make_worker(load_dataset(own_experiment())), Worker)
    with pytest.raises(InputError, match=r"^the code of own\.nets must .*, got another$"):
        replace(make_worker, code={"own.nets": "of then"})(None)
    for change, what in (({"run_folder": home / "no"}, "run"), ({"working_folder": home / "no"}, "working")):
        with pytest.raises(InputError, match=f"^the {what} folder must .*, got {home / 'no'}"):
            replace(make_worker, **change)(None)


def test_an_error_in_ones_own_criterion_is_a_failure_with_its_reason(home, capsys):
    of_trained_ones = (
        "    return size if size.mean() > 0.5 else size.mean()\n"  # no error on the noise that is tried before
    )
    (home / "own" / "criteria.py").write_text(f"def relative(layer):\n    size = layer.final.abs()\n{of_trained_ones}")
    write(home, OWN | {"oracle.seeds": 1, "prune.cycles": 1}, "e.yaml")
    assert main(["run", "e.yaml", "--local"]) == 1
    (failure, *_) = (home / "runs" / "tiny" / "failed").glob("*.json")
    reason = failure.read_text()
    assert "1.weight" in reason and "(8, 64)" in reason and "()" in reason
