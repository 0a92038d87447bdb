"""Own parts given by import path: whatever is wrong with one is one line, and nothing is written."""

import pytest
from experiments import write
from own_package import OWN

from oracle.cli.main import main
from oracle.experiment.import_path import ImportPath

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
    (BASELINE, {"kind": "bad:Half", "start": 0}, f"{BASELINE} must ", "at least 1e-30", "0.0 at cycle 0"),
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
def refused(bad, capsys):
    """Run the experiment with one field changed; returns its one line on stderr."""

    def run(path, value):
        write(bad, OWN | {path: value}, "e.yaml")
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
