"""The experiment's description: what it accepts, and what it makes of it."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from experiments import changed
from hypothesis import given, settings
from hypothesis import strategies as st
from quickstart import QUICKSTART, experiment

import oracle.experiment
from oracle.error import InputError
from oracle.experiment.load import load, validate
from silo.criterion import movement
from silo.data.augment import Augment
from silo.duration import Duration
from silo.optimizer import AdamW, Sgd
from silo.pruning_rule import Pruning
from silo.recipe import Recipe
from silo.restart import Rewind
from silo.schedule import SiloSchedule
from silo.shape import WarmupStep

# -- the grid and the seeds


@pytest.mark.parametrize(
    ("grid", "values"),
    [
        ({"low": 0.01, "high": 1.0, "points": 3}, (0.01, 0.1, 1.0)),
        ({"low": 0.01, "high": 1.0, "points": 2}, (0.01, 1.0)),
        ({"low": 0.001, "high": 0.1, "points": 4}, (0.001, 0.004642, 0.02154, 0.1)),  # 4 significant digits
        ({"low": 1, "high": 2, "points": 5, "spacing": "linear"}, (1.0, 1.25, 1.5, 1.75, 2.0)),
        ({"low": 0.1, "high": 0.4, "points": 4, "spacing": "linear"}, (0.1, 0.2, 0.3, 0.4)),
        ({"low": 0.01, "high": 1.0, "points": 3, "extra": [3.0, 0.123456789, 0.1]}, (0.01, 0.1, 0.123456789, 1.0, 3.0)),
        ([0.3, 0.1, 0.2], (0.1, 0.2, 0.3)),
        ([0.3, 0.1, 0.3], (0.1, 0.3)),
        ([0.1, 0.3, 0.30000000000000004, 0.9], (0.1, 0.3, 0.9)),  # one candidate: the one that was meant
        ([0.30000001192092896, 0.3, 0.09999999403953552], (0.09999999403953552, 0.3)),  # as single precision has them
        ([0.3, 0.30001, 0.3001], (0.3, 0.30001, 0.3001)),
        (
            {"low": 0.001, "high": 0.1, "points": 4, "extra": [0.004641588833612782, 0.02153]},
            (0.001, 0.004642, 0.02153, 0.02154, 0.1),
        ),
        ([0.5], (0.5,)),
        ([1], (1.0,)),
    ],
)
def test_grid(grid, values):
    found = experiment({"oracle.grid": grid}).oracle.grid.values()
    assert found == values
    assert all(isinstance(value, float) for value in found)


@settings(deadline=None)
@given(
    st.floats(1e-6, 1e3),
    st.floats(1.001, 1e6),
    st.integers(2, 40),
    st.sampled_from(["log", "linear"]),
    st.lists(st.floats(1e-9, 1e9), max_size=5),
)
def test_a_grid_rises_from_low_to_high(low, factor, points, spacing, extra):
    spec = {"low": low, "high": low * factor, "points": points, "spacing": spacing}
    try:
        spaced = experiment({"oracle.grid": spec}).oracle.grid.values()
    except InputError as error:
        assert "oracle.grid.points must be so few that all differ" in str(error)
        assert factor < 1.1  # so near each other that 40 values don't differ in 4 digits
        return
    values = experiment({"oracle.grid": {**spec, "extra": extra}}).oracle.grid.values()
    assert {*spaced} <= {*values} <= {*spaced, *extra}
    assert all(min(abs(value - one) for value in values) <= 1e-3 * one for one in extra)
    assert all(after > before * (1 + 1e-7) for before, after in pairwise(values))
    assert len(spaced) == points
    assert spaced[0] == pytest.approx(low, rel=1e-3)
    assert spaced[-1] == pytest.approx(low * factor, rel=1e-3)


def test_more_points_between_the_same_ends_keep_what_they_can():
    """12 points and 23 points share every second one: a grid is refined without losing a training."""
    coarse = experiment({"oracle.grid": {"low": 0.01, "high": 1.0, "points": 12}}).oracle.grid.values()
    fine = experiment({"oracle.grid": {"low": 0.01, "high": 1.0, "points": 23}}).oracle.grid.values()
    assert set(coarse) < set(fine)


@pytest.mark.parametrize(("given_", "seeds"), [(1, (0,)), (3, (0, 1, 2)), ([0], (0,)), ([7, 3], (7, 3))])
def test_seeds(given_, seeds):
    assert experiment({"oracle.seeds": given_}).oracle.seeds == seeds


# -- what it is turned into


def test_schedule():
    assert experiment().schedule == SiloSchedule(epsilon=0.2, delta=0.2, beta=5.0, delay=1, prune_rate=0.2)


@pytest.mark.parametrize(
    ("changes", "momentum", "optimizer"),
    [
        ({"train.optimizer": {"kind": "sgd", "nesterov": True}}, 0.9, Sgd(nesterov=True)),
        ({"train.optimizer": "adamw", "train.momentum": None}, 0.0, AdamW()),
        (
            {"train.optimizer": {"kind": "adamw", "betas": [0.8, 0.9], "eps": 1e-6}, "train.momentum": None},
            0.0,
            AdamW((0.8, 0.9), 1e-6),
        ),
    ],
)
def test_the_optimizer(changes, momentum, optimizer):
    recipe = experiment(changes).recipe
    assert (recipe.momentum, recipe.optimizer) == (momentum, optimizer)


def test_smoothing_and_clipping():
    recipe = experiment({"train.label_smoothing": 0.1, "train.clip_norm": 5}).recipe
    assert (recipe.label_smoothing, recipe.clip_norm) == (0.1, 5.0)
    assert (experiment().recipe.label_smoothing, experiment().recipe.clip_norm) == (0.0, None)


def test_a_list_of_pruning_rates():
    """For cycles that are yet to come more may be given; what is recorded holds it alike."""
    made = experiment({"prune.rate": [0.5, 0.25, 0.2], "prune.cycles": 3})
    assert made.pruning.rate == made.schedule.prune_rate == (0.5, 0.25, 0.2)
    assert "weights remaining of those alive in cycle 1" in made.schedule_text and not experiment().schedule_text
    assert validate(json.loads(json.dumps(made.redacted())), "test") == made
    assert made.training("d")["prune"]["rate"] == [0.5, 0.25, 0.2]
    from oracle.fit.dense import dense_experiment  # which needs optuna

    assert dense_experiment(made, 12, ()).prune.rate == made.prune.rate


def test_recipe():
    shape = WarmupStep(Duration("10ep"), {Duration("13ep"): 0.1, Duration("17ep"): 0.01})
    recipe = Recipe(20, 64, 0.9, 5e-4, shape, Augment(crop=4, flip=True))
    assert experiment({"data.augment": {"crop": 4, "flip": True}}).recipe == recipe


def test_pruning_and_restart():
    parsed = experiment({"prune.criterion": "movement", "prune.restart": {"kind": "rewind", "to": "2ep"}})
    assert parsed.pruning == Pruning(movement, "global", 0.2, norm=False, first=True, head=True)
    assert parsed.prune.restart.make() == Rewind(Duration("2ep"))


# -- files and overrides


@pytest.fixture
def file(tmp_path):
    def write(text=None):
        path = tmp_path / "experiment.yaml"
        path.write_text(text or yaml.safe_dump(QUICKSTART, sort_keys=False))
        return path

    return write


def test_a_file_is_the_experiment(file):
    assert load(file(), []) == experiment()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-4", 0.0005),
        ("5.0e-4", 0.0005),
        ("5E-4", 0.0005),
        (".5e-3", 0.0005),
        ("1e+0", 1.0),
        ("2e1", 20.0),
        ("1", 1.0),
    ],
)
def test_numbers_as_people_write_them(file, text, value):
    path = file(yaml.safe_dump(changed(QUICKSTART, {"train.weight_decay": "HERE"})).replace("HERE", text))
    assert load(path, []).train.weight_decay == value


@pytest.mark.parametrize("key", ["name", "epochs", "13ep"])
def test_a_key_that_is_given_twice_is_an_error(file, key):
    lines = yaml.safe_dump(QUICKSTART, sort_keys=False).splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
    path = file("\n".join([*lines[: at + 1], lines[at], *lines[at + 1 :]]))
    with pytest.raises(InputError, match=f"line.*{key}.*twice"):
        load(path, [])


@pytest.mark.parametrize(
    ("overrides", "path", "value"),
    [
        (["oracle.seeds=5"], "oracle.seeds", 5),
        (["oracle.seeds=[3, 4]"], "oracle.seeds", [3, 4]),
        (["train.weight_decay=1e-3"], "train.weight_decay", 1e-3),
        (["compute.workers=2"], "compute", {"workers": 2}),  # the file has no compute
        (["compute.workers=2", "compute.workers=3"], "compute", {"workers": 3}),  # the last one stands
        (["oracle.grid=[0.1, 0.3]"], "oracle.grid", [0.1, 0.3]),
        (["oracle.grid.extra=[3.0]"], "oracle.grid.extra", [3.0]),
        (["train.shape={kind: warmup-step, warmup: 1ep, drops: {2ep: 0.5}}"], "train.shape.drops", {"2ep": 0.5}),
        (["label=a=b"], "label", "a=b"),
        (["label=''"], "label", ""),
        (["silo.chosen='5'"], "silo.chosen", "5"),
    ],
)
def test_overrides(file, overrides, path, value):
    others = {"train.shape.warmup": "1ep"} if "train.shape" in path else {}
    assert load(file(), overrides) == experiment(others | {path: value})


def test_an_override_leaves_the_file_alone(file):
    before = file().read_bytes()
    load(file(), ["oracle.seeds=5"])
    assert file().read_bytes() == before


def test_a_title_tells_the_arithmetic_where_it_is_not_single_precision():
    assert experiment({"train.precision": "fp32"}).title == "quickstart"
    assert experiment({"train.precision": "bf16"}).title == "quickstart (bf16)"


PHOTOS = ["data.source=folder", "data.path=/home/me/photos"]
TITLES = [  # what is set on a file of a label, and without one -> the title
    ({"label": "MLP on digits"}, [], "MLP on digits"),
    ({"label": "MLP on digits"}, PHOTOS, "MLP on digits, but data.source=folder, data.path=.../photos"),
    (
        {},
        ["data={source: folder, path: photos, augment: {flip: true}}"],
        "{name}, but data.source=folder, data.path=photos",
    ),
    ({"label": "MLP on digits"}, ["data=cifar10"], "MLP on digits, but data.source=cifar10"),
    ({"label": "MLP on digits"}, ["data.limit.train=9"], 'MLP on digits, but data.limit={{"train": 9}}'),
    (
        {"label": "MLP on digits"},
        ["model={name: small-cnn, init: released}"],
        "MLP on digits, but model.name=small-cnn",
    ),
    ({"label": "MLP on digits"}, ["model.init=released", "data.split.validation=0.1", "name=x"], "MLP on digits"),
    ({"label": "MLP on digits"}, [*PHOTOS, "label=MLP on photos"], "MLP on photos"),
    ({}, [*PHOTOS, "name=photos"], "photos"),
    (
        {"label": "MLP on CIFAR-10", "data": {"source": "cifar10"}},
        ["data.path=/data", "data.download=false"],
        "MLP on CIFAR-10",
    ),
]


@pytest.mark.parametrize(("fields", "overrides", "title"), TITLES, ids=lambda value: str(value)[:60])
def test_a_title_says_what_data_and_network_it_was(tmp_path, fields, overrides, title):
    tree = {**{key: value for key, value in QUICKSTART.items() if key != "label"}, **fields}
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(tree))
    assert load(tmp_path / "e.yaml", overrides).title == title.format(name=tree["name"])


OURS = str(Path(oracle.experiment.__file__).parent)


@pytest.mark.parametrize("rate", [0.2, [0.5] * 17])
def test_writing_an_experiment_out_calls_nothing_of_ours_back(rate):
    """A Ctrl-C in what pydantic's own code calls back would be swallowed there."""
    spec, called = experiment({"prune.rate": rate}), set()
    sys.setprofile(lambda frame, event, _: called.add(frame.f_code.co_filename) if event == "call" else None)
    try:
        written = spec.model_dump(mode="json")
    finally:
        sys.setprofile(None)
    assert written["prune"]["rate"] == rate
    assert [file for file in called if file.startswith(OURS)] == []
