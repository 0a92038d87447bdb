"""Own models, data sets, criteria and the rest, given by import path: found, checked, identified, trained."""

import copy
import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from run_folder import records, report
from torch import nn

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.import_path import ImportPath, code_of, target_of
from oracle.experiment.load import validate
from oracle.hashing import digest
from oracle.run.worker import Worker
from oracle.run.worker_factory import WorkerFactory
from oracle.study.data import load_dataset
from oracle.study.store import Store
from silo.criterion import CRITERIA, magnitude

ROOT = Path(__file__).parents[3]

# A package of one's own: a part of it in a module each, as one would write it.
PACKAGE = {
    "__init__.py": "from own.nets import perceptron\n",
    "nets.py": """
from torch import nn


def perceptron(channels, size, classes, width: int = 16, dropout: float = 0, depth=1, **unused):
    if width % 2:
        raise ValueError(f"width: {width}: an even number is allowed")
    widths = [channels * size * size, *[width] * depth]
    layers = [layer for a, b in zip(widths, widths[1:]) for layer in (nn.Linear(a, b), nn.ReLU(), nn.Dropout(dropout))]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], classes))


class Net(nn.Module):
    def __init__(self, channels: int, size: int, classes: int, *, hidden: "list[int] | None" = None) -> None:
        super().__init__()
        self.hidden, self.body = hidden, perceptron(channels, size, classes, *(hidden or ()))

    def forward(self, x):
        return self.body(x)


def keep(model):
    pass
""",
    "sets.py": """
import torch
from sklearn.datasets import load_digits

from silo.data.images import Dataset, Images


def parity(images: int = 1797):
    pixels, labels = (torch.from_numpy(array[:images]) for array in load_digits(return_X_y=True))
    return Dataset(Images(pixels.view(-1, 1, 8, 8).to(torch.uint8), labels % 2), None, ("even", "odd"))
""",
    "criteria.py": """
def relative(layer):
    return layer.final.abs() / layer.final.abs().mean()
""",
    "rules.py": """
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from silo.data.split import Pooled
from silo.duration import Duration
from silo.restart import Rewind


@dataclass(frozen=True)
class Triangle:
    peak: float = 0.5
    until: Duration = Duration("1ep")
    feet: list[float] = field(default_factory=lambda: [0.0, 0.25])

    def __post_init__(self):
        if not 0 < self.peak < 1:
            raise ValueError(f"peak must be above 0 and below 1, got {self.peak}")

    def factor(self, t, steps_per_epoch, epochs):
        done = t / (steps_per_epoch * epochs)
        return max(*self.feet, min(done / self.peak, (1 - done) / (1 - self.peak)))


class Again(Rewind):
    pass


class Halves(Pooled):
    def __init__(self, where: Path = Path("x"), by: Literal["half", "third"] = "half", table: dict = {"a": [1]}):
        super().__init__(0.25, 0.25)
        self.given = (where, by, table)


class Rising:
    def __init__(self, start: float, step: float):
        self.start, self.step = start, step

    def max_lr(self, cycle):
        return self.start + cycle * self.step
""",
}
OWN = {
    "data": {"source": "own.sets:parity", "images": 300, "split": "own.rules:Halves"},
    "model": {"name": "own.nets:perceptron", "width": 8, "init": "own.nets:keep"},
    "train.shape": {"kind": "own.rules:Triangle", "peak": 0.25},
    "prune.criterion": "own.criteria:relative",
    "prune.restart": "own.rules:Again",
    "policies": {"baselines": {"rising": {"max_lr": {"kind": "own.rules:Rising", "start": 0.05, "step": 0.05}}}},
}
CODE = ["own.criteria", "own.nets", "own.rules"]  # what the trainings depend on; of the data, the digest tells


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder one is in, with the package in it; what is imported from there is forgotten afterwards."""
    (tmp_path / "own").mkdir()
    for name, text in PACKAGE.items():
        (tmp_path / "own" / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != ""])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    forget()


def forget():
    """Make this process import the package anew, as the next one would."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("own", "bad", "broken")]:
        del sys.modules[name]


def changed(tree, changes):
    tree = copy.deepcopy(tree)
    for path, value in changes.items():
        *parents, last = path.split(".")
        part = tree
        for key in parents:
            part = part[key]
        part[last] = value
    return tree


@pytest.fixture
def builtin(tiny):
    return yaml.safe_load(tiny.read_text().replace("5e-4", "5.0e-4"))


@pytest.fixture
def own(builtin, home):
    """The tree of an experiment all of whose parts are one's own."""
    return changed(builtin, {**OWN, "oracle.grid": [0.03, 0.3]})


def own_experiment(own, changes=None):
    return validate(changed(own, changes or {}), "test")


# -- each kind


def test_every_kind_of_part_can_be_ones_own(own):
    experiment = own_experiment(own)
    assert type(experiment.data.make()).__name__ == "Dataset"
    assert len(experiment.data.make().train) == 300
    assert experiment.data.split.make().given == (Path("x"), "half", {"a": (1,)})
    assert [m.out_features for m in experiment.model.make(3, 4, 5) if isinstance(m, nn.Linear)] == [8, 5]
    assert experiment.recipe.shape.factor(1, 2, 2) == 1.0
    assert experiment.recipe.shape.feet == [0.0, 0.25]
    assert experiment.prune.restart.make().initialization_cycle(3) == 0
    assert experiment.pruning.criterion is sys.modules["own.criteria"].relative
    assert target_of({}, experiment.model.init) is sys.modules["own.nets"].keep
    assert experiment.baselines["rising"].max_lr.make().max_lr(2) == pytest.approx(0.15)


def test_a_registrys_name_still_stands_for_its_own(builtin):
    assert validate(builtin, "test").pruning.criterion is magnitude
    assert target_of(CRITERIA, "magnitude") is magnitude


def test_the_short_form_takes_the_defaults(own):
    assert own_experiment(own, {"model": "own.nets:Net"}) == own_experiment(
        own, {"model": {"name": "own.nets:Net", "init": "kaiming", "hidden": None}}
    )


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({}, None),
        ({"hidden": None}, None),
        ({"hidden": [4]}, [4]),
    ],
)
def test_options_are_given_as_annotated(own, options, made):
    assert own_experiment(own, {"model": {"name": "own.nets:Net", **options}}).model.make(1, 8, 2).hidden == made


def test_a_name_that_the_package_passes_on_is_found(own):
    experiment = own_experiment(own, {"model": {"name": "own:perceptron"}})
    assert experiment.model.make(1, 8, 2)[1].out_features == 16
    assert set(code_of(experiment.model)) == {"own", "own.nets"}  # where it is named, and where it is written


# -- a study's file and its workers read it back


@pytest.mark.parametrize(
    "parts", [{}, {"model": "own.nets:Net"}, {"model": {"name": "own.nets:Net", "hidden": [6, 0]}}]
)
def test_it_comes_back_from_a_run_folder(own, parts):
    experiment = own_experiment(own, parts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        held = json.loads(json.dumps(experiment.model_dump(mode="json", warnings="error")))
    assert held["data"]["split"] == {
        "kind": "own.rules:Halves",
        "where": "x",
        "by": "half",
        "table": {"a": [1]},
    }
    assert validate(held, "test") == experiment
    assert validate(held, "test").training("data") == experiment.training("data")


def test_built_in_parts_come_back_without_a_warning(builtin):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        experiment = validate(builtin, "test")
        assert validate(experiment.model_dump(mode="json", warnings="error"), "test") == experiment


# -- identity


def test_built_in_parts_have_no_code_in_their_identity(builtin):
    assert "code" not in validate(builtin, "test").training("data")


def test_the_identity_holds_the_code_that_trains(own):
    assert sorted(own_experiment(own).training("data")["code"]) == CODE


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
def test_each_part_brings_its_code(builtin, home, part, module):
    assert list(validate(changed(builtin, part), "test").training("data")["code"]) == [module]


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
def test_path_and_options_are_part_of_the_id(own, changes):
    assert digest(own_experiment(own, changes).training("data")) != digest(own_experiment(own).training("data"))


@pytest.mark.parametrize("module", ["nets", "criteria", "rules"])
def test_changed_code_is_another_training(own, home, module):
    before = own_experiment(own).training("data")
    assert own_experiment(own).training("data") == before
    path = home / "own" / f"{module}.py"
    path.write_text(path.read_text() + "\n# changed\n")
    assert own_experiment(own).training("data") == before  # what runs here is still the code that was imported
    forget()
    after = own_experiment(own).training("data")
    assert {name for name, code in after["code"].items() if code != before["code"][name]} == {f"own.{module}"}


@pytest.mark.parametrize("path", ["own.sets:parity", "own.rules:Rising"])
def test_code_that_no_training_depends_on_is_not_in_it(builtin, home, path):
    """Of a data set the images' digest tells, of a schedule its max_lr."""
    baselines = {"rising": {"max_lr": {"kind": "own.rules:Rising", "start": 0.05, "step": 0.05}}}
    parts = {"own.sets:parity": {"data": path}, "own.rules:Rising": {"policies": {"baselines": baselines}}}
    experiment = validate(changed(builtin, parts[path]), "test")
    assert "code" not in experiment.training("data")
    assert list(code_of(experiment)) == [path.partition(":")[0]]


# -- whatever is wrong is one line


BAD = """
import functools
from typing import Callable

import torch
from torch import nn

from silo.data.images import Dataset, Images

number = 3
partial = functools.partial(int, 3)

def two(channels, size): ...
def starred(*arguments, width=3): ...
def taken(channels, size, classes, init="x"): ...
def hidden(channels, size, classes, _width=3): ...
def positional(channels, size, classes, width, /): ...
def more(channels, size, classes, *widths): ...
def layer(channels, size, classes, activation=nn.ReLU): ...
def call(channels, size, classes, activation: Callable = nn.ReLU): ...
def chosen(channels, size, classes, widths: set[int] = frozenset({1})): ...
def sloppy(channels, size, classes, width: int = 2.5): ...
def endless(channels, size, classes, rate=float("inf")): ...
def nowhere(channels, size, classes, width: "Missing" = 3): ...
def nothing(channels, size, classes): ...
def weightless(channels, size, classes): return nn.ReLU()
def raising(channels, size, classes): return {}["key"]
def measuring(channels, size, classes): return nn.Linear(int(torch.ones(1).item()), classes)
def needing(channels, size, classes, width): return nn.Linear(channels, width)

class Nothing:
    def factor(self): ...

class Raising(Nothing):
    def __init__(self): 1 / 0

class Half:
    def __init__(self, start=1.0): self.start = start
    def max_lr(self, cycle):
        if self.start < 0:
            raise IndexError("below 0")
        return self.start / cycle if self.start else 0.0

def listed(): return [1, 2]
def absent(path="there"): return open(path)
def refusing(path="there"):
    raise ValueError(f"path must hold images, got {path}" if path == "must" else f"no images in {path}")
def images(pixels, labels): return Dataset(Images(pixels, labels), None, ("a", "b"))
def floats(): return images(torch.ones(9, 1, 4, 4), torch.zeros(9).long())
def oblong(): return images(torch.ones(9, 1, 4, 5).byte(), torch.zeros(9).long())
def unlabelled(): return images(torch.ones(9, 1, 4, 4).byte(), torch.zeros(8).long())
def third(): return images(torch.ones(9, 1, 4, 4).byte(), torch.full((9,), 2))
"""
BASELINE = "policies.baselines.rising.max_lr"
# what is wrong: the field, what it holds, and what the wording can't do without
ROWS = [
    # the path
    ("model", "own.nets", "model.name must ", "mlp, ", "module.path:attribute", '"own.nets"'),
    ("model", "own.nets:", "model.name must ", "module.path:attribute", '"own.nets:"'),
    ("model", ":build", "model.name must ", "module.path:attribute", '":build"'),
    ("model", "own:nets:Net", "model.name must ", "module.path:attribute", '"own:nets:Net"'),
    ("model", "owm.nets:Net", "model.name must ", '"owm.nets:Net"', "no module owm is found, installed or in "),
    ("model", "own.net:Net", "model.name must ", '"own.net:Net"', "no module own.net is found"),
    ("model", "own/nets.py:Net", "model.name must ", "module.path:attribute", '"own/nets.py:Net"'),
    ("model", "own.nets:Nett", "model.name must ", '"own.nets:Nett"', "own.nets has no Nett; did you mean Net?"),
    ("model", "bad:number", "model.name must ", '"bad:number"', "type int"),
    ("model", "broken.zero:x", "model.name must ", '"broken.zero:x"', "ZeroDivisionError: division by zero"),
    ("model", "broken.syntax:x", '"broken.syntax:x"', "SyntaxError: ", "syntax.py, line 1"),
    ("model", "broken.needs:x", '"broken.needs:x"', "ModuleNotFoundError: No module named 'torch_geometrix'"),
    ("model", "broken.leaves:x", '"broken.leaves:x"', "SystemExit: usage: two lines"),
    ("data", "own.sets:parety", "data.source must ", '"own.sets:parety"', "no parety; did you mean parity?"),
    ("data.split", "own.rules:Thirds", "data.split.kind must ", '"own.rules:Thirds"', "own.rules has no Thirds"),
    ("train.shape", "owm:Triangle", "train.shape.kind must ", '"owm:Triangle"', "no module owm"),
    ("prune.restart", "own.rules:Agian", "prune.restart.kind must ", '"own.rules:Agian"', "did you mean Again?"),
    ("prune.criterion", "own.criteria:relativ", "prune.criterion must ", '"own.criteria:relativ"', "has no relativ"),
    ("prune.criterion", "relative", "prune.criterion must ", "magnitude", "module.path:attribute", '"relative"'),
    ("prune.criterion", "bad:number", "prune.criterion must ", '"bad:number"', "type int"),
    ("prune.scope", "own.criteria:relative", "prune.scope must ", "global, layer", '"own.criteria:relative"'),
    ("model.init", "own.nets:kep", "model.init must ", '"own.nets:kep"', "own.nets has no kep; did you mean keep?"),
    # what the constructor takes
    ("model", "bad:two", "model.name must ", "channels, size, classes first", '"bad:two"'),
    ("model", "bad:starred", "model.name must ", "channels, size, classes first", '"bad:starred"'),
    ("model", "bad:taken", "model.name must ", "init is taken", '"bad:taken"'),
    ("model", "bad:hidden", "model.name must ", "_width is taken", '"bad:hidden"'),
    ("model", "bad:positional", "model.name must ", "by name", "width", '"bad:positional"'),
    ("model", "bad:more", "model.name must ", "by name", "widths", '"bad:more"'),
    (
        "model",
        "bad:layer",
        "model.name must ",
        "default for activation",
        "finite numbers, strings",
        "<class",
        '"bad:layer"',
    ),
    ("model", "bad:call", "model.name must ", "activation by bool, int, float", "Callable", '"bad:call"'),
    ("model", "bad:chosen", "model.name must ", "widths by bool, int, float", "set[int]", '"bad:chosen"'),
    ("model", "bad:sloppy", "model.name must ", "default for width", "2.5", '"bad:sloppy"'),
    ("model", "bad:endless", "model.name must ", "default for rate", "finite numbers", "inf", '"bad:endless"'),
    ("model", "bad:nowhere", "model.name must ", "name 'Missing' is not defined", '"bad:nowhere"'),
    ("model", "builtins:dict", "model.name must ", "no signature found", '"builtins:dict"'),
    # options
    ("model", "bad:needing", "model.width is missing"),
    ("model.widht", 8, "model.widht ", "did you mean width?", "init, name, width"),
    ("model.width", "8", "model.width must ", "a whole number", '"8"'),
    ("model.width", 7, "model", "width: 7: an even number is allowed"),
    ("model.depth", float("nan"), "model.depth must ", "finite numbers", "NaN"),
    ("model", {"name": "own.nets:Net", "hidden": 8}, "model.hidden must ", "a list", "8"),
    ("train.shape.peak", 2, "train.shape.peak must ", "got 2.0"),
    ("train.shape.until", 10, "train.shape.until must ", "a duration with its unit", "10"),
    ("train.shape.feet", [0.1, "x"], "train.shape.feet.1 must ", "a number", '"x"'),
    ("data.split", {"kind": "own.rules:Halves", "by": "fifth"}, "data.split.by must ", "half", "third", '"fifth"'),
    ("data.split", {"kind": "own.rules:Halves", "where": 3}, "data.split.where must ", "a path", "3"),
    ("data.path", "x", "data.path is no field of data", "images"),
    # what it makes
    ("model", "bad:nothing", "model.name must ", "a Module", '"bad:nothing"', "class NoneType"),
    ("model", "bad:raising", "model.name must ", '"bad:raising"', "KeyError: 'key'"),
    ("model", "bad:measuring", "model.name must ", '"bad:measuring"', "RuntimeError: ", "meta"),
    ("train.shape", "own.criteria:relative", "train.shape.layer is missing"),
    ("train.shape", "own.rules:Again", "train.shape.kind must ", '"own.rules:Again"', "class Again without factor"),
    ("train.shape", "bad:Raising", "train.shape.kind must ", '"bad:Raising"', "ZeroDivisionError: division by zero"),
    (
        "prune.restart",
        "bad:Nothing",
        "prune.restart.kind must ",
        "class Nothing without carry, initialization_cycle, remember_at",
    ),
    ("data.split", "bad:Nothing", "data.split.kind must ", '"bad:Nothing"', "class Nothing without parts"),
    (BASELINE, {"kind": "bad:Nothing"}, f"{BASELINE}.kind must ", '"bad:Nothing"', "class Nothing without max_lr"),
    (BASELINE, {"kind": "bad:Half"}, f"{BASELINE} must ", "cycle 0", "division by zero"),
    (BASELINE, {"kind": "bad:Half", "start": -1.0}, f"{BASELINE} must ", "IndexError", "cycle 0", "below 0"),
    (BASELINE, {"kind": "bad:Half", "start": 0}, f"{BASELINE} must ", "above 0", "0.0 at cycle 0"),
    # the data, once it is loaded
    ("data", "bad:listed", "data.source must ", "a Dataset", '"bad:listed"', "class list"),
    ("data", "bad:absent", "data.source must ", '"bad:absent"', "FileNotFoundError: ", "there"),
    ("data", "bad:refusing", "data: no images in there"),
    ("data", {"source": "bad:refusing", "path": "must"}, "data.path must hold images, got must"),
    ("data", "bad:floats", "data.source must ", "train pixels", "torch.uint8", "torch.float32 of (9, 1, 4, 4)"),
    ("data", "bad:oblong", "data.source must ", "train pixels", "(n, channels, size, size)", "(9, 1, 4, 5)"),
    ("data", "bad:unlabelled", "data.source must ", "train labels", "torch.int64 of (9,)", "torch.int64 of (8,)"),
    ("data", "bad:third", "data.source must ", "train labels", "0 to 1", "2 to 2"),
]


@pytest.fixture
def bad(home):
    """The folder, with what one may get wrong in it."""
    (home / "bad.py").write_text(BAD)
    (home / "broken").mkdir()
    for name, text in {
        "zero": "1 / 0",
        "syntax": "def x(:",
        "needs": "import torch_geometrix",
        "leaves": "import sys; sys.exit('usage:\\ntwo lines')",
    }.items():
        (home / "broken" / f"{name}.py").write_text(text)
    return home


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def refused(own, bad, capsys):
    """Run the experiment with one field changed; returns its one line on stderr."""

    def run(path, value):
        (bad / "e.yaml").write_text(yaml.safe_dump(changed(own, {path: value})))
        before = everything(bad)
        assert main(["run", "e.yaml", "--local"]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert everything(bad) == before
        return err

    return run


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}={row[1]}")
def test_what_is_wrong_is_one_line_and_nothing_is_written(refused, row):
    path, value, *fragments = row
    line = refused(path, value)
    assert line.startswith(f"silo-oracle: e.yaml: {path.partition('.')[0]}")
    assert [fragment for fragment in fragments if fragment not in line] == [], line


def test_a_network_without_a_weight_leaves_nothing_to_prune(refused):
    line = refused("model", "bad:weightless")
    assert line.startswith("silo-oracle: e.yaml: prune.prunable must ")
    assert '"norm": false' in line


@pytest.mark.parametrize(
    "path", ["", "own", "own.nets", "own.nets:", ":Net", "own.nets:Net.forward", "own nets:Net", "a:b:c"]
)
def test_the_form_of_a_path(home, path):
    with pytest.raises(ValueError, match=r"^must be module.path:attribute, got "):
        ImportPath(path)


# -- where modules are found


def test_modules_are_found_in_the_folder_one_is_in(own, home):
    """First of all, as `python -m` does it; a console script's path holds the script's own folder instead."""
    assert str(home) not in sys.path
    own_experiment(own)
    own_experiment(own)
    assert sys.path[0] == str(home)
    assert sys.path.count(str(home)) == 1


def test_an_installed_module_is_found_wherever_one_is(builtin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = validate(changed(builtin, {"model": {"name": "silo.model.mlp:mlp", "hidden": [4]}}), "test")
    assert [m.out_features for m in named.model.make(1, 8, 10) if isinstance(m, nn.Linear)] == [4, 10]


# -- training


def test_a_study_of_ones_own_trains_here_and_on_ray_to_the_same_records(own, home, monkeypatch, capsys):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the workers: this very copy of the suite
    (home / "e.yaml").write_text(yaml.safe_dump(changed(own, {"prune.cycles": 2, "policies.baselines.searched": {}})))
    assert main(["run", "e.yaml", "--local", "--out", "here"]) == 0
    assert main(["run", "e.yaml", "--out", "ray", "--set", "compute.workers=1"]) == 0
    assert len(records(home / "here")) == 18
    # 2 seeds x (2 cycles x (2 grid values, SILO's, a baseline's), and the searched one's second: its first is the Oracle's)
    assert records(home / "here") == records(home / "ray")
    assert report(home / "here") == report(home / "ray")
    assert list(home.rglob("*.tmp")) == []
    assert not any(record["outcome"]["diverged"] for record in records(home / "here").values())
    assert {sum(alive for _, alive, _ in r["layers"]) for r in records(home / "here").values()} == {528, 423}

    # in another process the code is the same; then it changes
    forget()
    assert main(["plan", "e.yaml", "--out", "here"]) == 0
    assert "recorded: 18, failed: 0, missing: 0" in capsys.readouterr().out
    before = everything(home / "here")
    nets = home / "own" / "nets.py"
    nets.write_text(nets.read_text() + "\n# another network\n")
    for command in ("run e.yaml --local --out here", "plan e.yaml --out here", "status here", "report here"):
        forget()
        assert main(command.split()) == 2
        err = capsys.readouterr().err
        assert "here must belong to this experiment, got another one: code.own.nets is " in err
        assert err.count("\n") == 1
    assert everything(home / "here") == before


def test_a_worker_refuses_code_that_changed_since_the_run_was_started(own, home):
    make_worker = WorkerFactory.of(own_experiment(own), "digest", Store(home))
    assert isinstance(make_worker(load_dataset(own_experiment(own))), Worker)
    with pytest.raises(InputError, match=r"^the code of own.nets must be what the run was started with, got another$"):
        replace(make_worker, code={"own.nets": "of then"})(None)
    for change, what in (({"run_folder": home / "no"}, "run"), ({"working_folder": home / "no"}, "working")):
        with pytest.raises(
            InputError, match=f"^the {what} folder must be on a file system that all nodes share, got {home / 'no'}"
        ):
            replace(make_worker, **change)(None)


def test_an_error_in_ones_own_criterion_is_a_failure_with_its_reason(own, home, capsys):
    (home / "own" / "criteria.py").write_text("def relative(layer):\n    return layer.final.abs().mean()\n")
    (home / "e.yaml").write_text(yaml.safe_dump(changed(own, {"oracle.seeds": 1, "prune.cycles": 1})))
    assert main(["run", "e.yaml", "--local"]) == 1
    (failure, *_) = (home / "runs" / "tiny" / "failed").glob("*.json")
    reason = failure.read_text()
    assert "1.weight" in reason and "(8, 64)" in reason and "()" in reason
