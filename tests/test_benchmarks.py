"""Every experiment in benchmarks/ can be planned and run as it lies there, and the released recipes are as released."""

import math
import re
import shlex
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import torch
from golden import GOLDEN
from trained import train

from benchmarks import smoke
from oracle.analysis.results import load_results
from oracle.cli.main import main
from oracle.experiment.factors import load_levels
from oracle.experiment.load import load, validate
from oracle.study.data import network
from oracle.study.study import open_study

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
FACTORS = sorted(BENCHMARKS.glob("*-factors.yaml"))  # files of several experiments
FILES = sorted({*BENCHMARKS.glob("*.yaml"), *(BENCHMARKS / "paper").glob("*.yaml")} - {*FACTORS})
LOADED = {path: load(path, []) for path in FILES}
EXPERIMENTS = [pytest.param(path, id=str(path.relative_to(BENCHMARKS))) for path in FILES]
PAPER = BENCHMARKS / "paper"


def of_source(source):
    return [path for path, experiment in LOADED.items() if experiment.data.source == source]


def test_there_are_digits():
    assert (BENCHMARKS / "digits-mlp.yaml") in of_source("digits")


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_it_is_valid_and_its_schedule_grows_from_epsilon(path):
    experiment = LOADED[path]
    silo = experiment.silo
    rates = [experiment.schedule.max_lr(cycle) for cycle in range(experiment.prune.cycles)]
    assert rates == sorted(rates)
    assert rates[0] == silo.epsilon
    assert all(math.isfinite(rate) and silo.epsilon <= rate <= silo.epsilon + silo.delta for rate in rates)


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_its_network_trains_within_its_epochs(path):
    """The shape's drops come into force, and so does the restart's rewinding point."""
    experiment = LOADED[path]
    steps = 100
    shape, epochs = experiment.recipe.shape, experiment.train.epochs
    factors = [shape.factor(t, steps, epochs) for t in range(1, steps * epochs + 1)]
    assert 0 <= min(factors) < max(factors) <= 1 or set(factors) == {1.0}
    assert all(at.count < epochs for at in getattr(shape, "drops", {}))


def test_names_are_different():
    """Else two experiments would claim one run folder."""
    names = [experiment.name for experiment in LOADED.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_its_name_is_its_files(path):
    """Else nobody would find the run folder that a file fills."""
    assert LOADED[path].name == path.stem


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_it_comes_back_from_a_run_folder(path):
    experiment = LOADED[path]
    assert validate(experiment.model_dump(mode="json"), "held") == experiment


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_its_grid_holds_what_silo_and_the_baselines_may_want(path):
    """SILO's values lie inside the grid, with room on both sides: else no interval could show that they are wrong."""
    experiment = LOADED[path]
    grid = experiment.oracle.grid.values()
    silo = [experiment.schedule.max_lr(cycle) for cycle in range(experiment.prune.cycles)]
    assert grid[1] < min(silo)
    assert max(silo) < grid[-2]


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize("path", of_source("folder"), ids=lambda path: path.stem)
def test_images_that_are_not_there_are_one_line(path, command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([command, str(path)]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "data.path" in err and str(LOADED[path].data.path) in err
    assert "train/CLASS/*.jpg" in err
    assert list(tmp_path.iterdir()) == []


# -- what every file costs


def listed():
    """What benchmarks/README.md says of each file it links: name, trainings, iterations, device-hours, as spelt there."""
    row = re.compile(r"\| \[(.+?)\]\((.+?)\) \| .+ \| (.+?) \| (.+?) \| (.+?) \|")
    found = [row.fullmatch(line) for line in (BENCHMARKS / "README.md").read_text().splitlines()]
    return {BENCHMARKS / one[2]: (one[1], *one.groups()[2:]) for one in found if one}


def planned(path, capsys):
    """What `plan` says without data: trainings, iterations of one and of all, and the rest of the line of the time."""
    # a folder's size is known to its owner alone; the images of this one are CIFAR-10's
    source = ["--set", "data.source=cifar10"] if LOADED[path].data.source == "folder" else []
    assert main(["plan", str(path), *source]) == 0
    text = capsys.readouterr().out
    trainings, each = map(
        int, re.search(r": (?:at most )?(\d+) trainings of (\d+) iterations$", text, re.MULTILINE).groups()
    )
    assert re.search(rf"^recorded: 0, failed: 0, missing: {trainings}$", text, re.MULTILINE)
    time = re.search(r"^missing: ([\d,]+) iterations: (.+)$", text, re.MULTILINE)
    if time is not None:
        assert time[1] == f"{trainings * each:,}"
    return trainings, each, trainings * each, time and time[2]


@pytest.mark.parametrize("path", EXPERIMENTS)
def test_it_is_planned_without_its_data_and_costs_what_the_table_says(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    trainings, each, iterations, time = planned(path, capsys)
    assert list(tmp_path.iterdir()) == []
    name, *counts, hours = listed()[path]
    assert (name, counts) == (path.stem, [f"{trainings:,}", f"{iterations:,}"])
    rate = LOADED[path].compute.rate
    if rate is None:
        assert (hours, time) == ("none stated", None)
        return
    assert hours == f"{iterations / rate.iterations_per_second / 3600:,.0f}"
    assert time == f"{hours} device-hours at {rate.iterations_per_second:g} iterations a second ({rate.source})"
    head = " ".join(line.removeprefix("# ") for line in path.read_text().partition("\nname:")[0].splitlines())
    cost = (
        f"{trainings:,} trainings of {each:,} iterations, {iterations / 1e6:.0f} million in all, {hours} device-hours"
    )
    assert f"Cost, by `silo-oracle plan`: {cost} at the rate below." in head


def test_the_table_lists_every_file():
    assert sorted(listed()) == FILES


@pytest.mark.parametrize("path", FACTORS, ids=lambda path: path.stem)
def test_levels_of_a_factor_differ_in_one_thing_and_their_parameters_come_from_other_seeds(path):
    """In it, and in what it needs: the shape's length, the grid, SILO's parameters."""
    levels = load_levels(path)
    assert " ".join(levels) == (
        "base epochs/x2 epochs/x4 restart/rewind restart/keep masks/movement masks/random optimizer/adamw"
    )
    base = levels["base"]
    main = {
        "epochs": "train.epochs",
        "restart": "prune.restart",
        "masks": "prune.criterion",
        "optimizer": "train.optimizer",
    }
    follows = {"train.shape", "silo.epsilon", "silo.delta", "oracle.grid", "train.momentum"}
    for level, experiment in levels.items():
        silo, seeds = experiment.silo, experiment.oracle.seeds
        assert silo.delta / silo.epsilon == pytest.approx(4 / 3, rel=1e-3)
        assert len(seeds) >= 5 and not {*silo.chosen_on_seeds} & {*seeds}
        assert silo.epsilon in [pytest.approx(value, rel=1e-3) for value in experiment.oracle.grid.values()]
        if level != "base":
            differ = different(base, experiment)
            assert main[level.partition("/")[0]] in differ and differ <= follows | {main[level.partition("/")[0]]}
    own = base.recipe.shape
    for times in (2, 4):
        longer = levels[f"epochs/x{times}"].recipe.shape
        for t in (1, 33, 224, 300, 321, 400, 417, 480):
            assert longer.factor(times * t, 32, 15 * times) == pytest.approx(own.factor(t, 32, 15))


def different(one, other):
    """The fields, by their path, in which two experiments differ."""
    parts = [experiment.model_dump(mode="json") for experiment in (one, other)]
    flat = [
        {
            f"{part}.{field}": value
            for part, fields in tree.items()
            if isinstance(fields, dict)
            for field, value in fields.items()
        }
        for tree in parts
    ]
    return {field for field in flat[0] | flat[1] if flat[0].get(field) != flat[1].get(field)}


@pytest.mark.parametrize("path", sorted(PAPER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_rate_of_the_papers_files_says_whether_it_was_measured(path):
    """ResNet-20's are those of results/speed; no other network was trained on a GPU."""
    rate = LOADED[path].compute.rate
    if "resnet20" not in path.name:
        assert rate.source.startswith("an assumption: ") and rate.source.endswith("; never measured")
        return
    assert rate.source == "measured: one NVIDIA H100, torch 2.11, fp32, 16 trainings side by side (results/speed)"
    speed = pd.read_csv(BENCHMARKS.parent / "results" / "speed" / "speed.csv").set_index("what")
    assert (speed.device["a graph of 16 lanes"], speed.torch["a graph of 16 lanes"]) == (
        "NVIDIA H100 80GB HBM3",
        "2.11.0",
    )
    for what, stated in (("a graph of 16 lanes", rate.iterations_per_second), ("a graph of 1 lane", rate.alone)):
        assert stated == round(speed.ours[what])
    assert rate.lanes == 16


@pytest.mark.parametrize("path", sorted(PAPER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_value_of_the_papers_files_says_where_it_is_from(path):
    """A comment in the line, or above it; what has no other origin than this suite is `our choice`."""
    _, _, body = path.read_text().partition("\nlabel:")
    lines = body.partition("\npolicies:")[0].splitlines()[1:]
    commented = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if "#" in line or before.lstrip().startswith("#") or re.fullmatch(r"\w+:|  chosen: .+|", line)
    ]
    assert commented == lines


@pytest.mark.parametrize("path", sorted(PAPER.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_papers_files_have_a_smoke_mode_of_the_same_recipe(path):
    """What its head says is a minute's experiment; tests/machines/test_smoke.py runs it."""
    head, _, _ = path.read_text().partition("\nname:")
    _, _, mode = head.partition("\n# Smoke mode, ")
    words = shlex.split(" ".join(re.findall(r"^#   +(.+?) *\\?$", mode, re.MULTILINE)))
    overrides = [value for option, value in pairwise(words) if option == "--set"]
    whole, short = LOADED[path], load(path, overrides)
    assert (short.prune.cycles, short.train.epochs, len(short.oracle.seeds)) == (2, 1, 1)
    assert len(short.oracle.grid.values()) == 2
    changed = {override.partition("=")[0] for override in overrides}
    assert changed - {"data.source", "data.path", "data.size", "data.loaders", "compute.cpus_per_trial"} <= {
        *("model.classifier", "train.epochs", "prune.cycles", "oracle.seeds", "oracle.grid", "compute.gpus_per_trial")
    }
    assert short.model.name == whole.model.name


# -- the released recipes (the values are the released code's)

RELEASED = {
    "resnet20-cifar10": {
        "model": {"name": "resnet20", "init": "released"},
        "epochs": 50,
        "shape": {"kind": "warmup-step", "warmup": "20000it", "drops": {"25ep": 0.1, "32ep": 0.01}},
        "criterion": ("movement", "global"),
        "silo": (0.03, 0.04, 5, 1),
        "parameters": (272_474, 271_680),
    },
    "vgg19-cifar10": {
        "model": {"name": "vgg19", "classifier": "imagenet", "init": "released"},
        "epochs": 160,
        "shape": {"kind": "warmup-step", "warmup": "10000it", "drops": {"14ep": 1.0, "80ep": 0.1, "120ep": 0.01}},
        "criterion": ("movement-magnitude", "layer"),
        "silo": (0.04, 0.06, 5, 1),
        "parameters": (139_622_218, None),
    },
}
# The VGG-19 recipe has the same beta, delay and rate.
ALL_CYCLES = [*GOLDEN, *[0.07] * 13]


@pytest.fixture(params=[(name, form) for name in RELEASED for form in ("", "-released")], ids="".join)
def released(request):
    """An experiment with a released recipe, in its sound form or as released, and what that recipe is."""
    name, form = request.param
    return LOADED[PAPER / f"{name}{form}.yaml"], RELEASED[name], form == "-released"


def test_a_released_recipe_has_the_released_values(released):
    experiment, values, _ = released
    data, train, prune, silo = experiment.data, experiment.train, experiment.prune, experiment.silo
    assert (data.source, data.split.model_dump()) == (
        "cifar10",
        {"kind": "pooled", "validation": 0.2, "test": 0.2},
    )
    assert (data.augment.crop, data.augment.flip, data.augment.area) == (4, True, None)
    assert (data.normalize.mean, data.normalize.std) == ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
    assert (data.limit.train, data.limit.test) == (None, None)
    assert experiment.model.model_dump() == values["model"]
    assert (train.epochs, train.batch_size, train.momentum, train.weight_decay) == (values["epochs"], 64, 0.9, 5e-4)
    assert train.shape.model_dump(mode="json") == values["shape"]
    assert (prune.criterion, prune.scope) == values["criterion"]
    assert (prune.rate, prune.cycles) == (0.2, 25)
    assert prune.prunable.model_dump() == {"norm": True, "first": True, "head": True}
    assert (silo.epsilon, silo.delta, silo.beta, silo.delay) == values["silo"]
    assert silo.search_trainings is None  # nobody said


def test_only_the_as_released_form_has_the_released_quirks(released):
    experiment, _, as_released = released
    assert experiment.train.choose == ("test-best" if as_released else "validation")
    assert experiment.data.augment.evaluation is as_released
    restart = {"kind": "reinit", "keep_statistics": as_released}
    assert experiment.prune.restart.model_dump() == restart
    assert experiment.oracle.seeds == tuple(range(10 if as_released else 5))
    assert ("chosen on test" in experiment.title) is as_released


def test_a_released_schedule_has_the_golden_values(released):
    experiment, values, _ = released
    epsilon, delta, *_ = values["silo"]
    expected = [epsilon + delta * (golden - 0.03) / 0.04 for golden in ALL_CYCLES]
    assert [experiment.schedule.max_lr(cycle) for cycle in range(25)] == pytest.approx(expected, rel=0, abs=1e-6)


def test_a_released_network_has_the_released_size(released):
    """VGG-19's 140 million weights are only counted here: the run below has a smaller classifier."""
    experiment, values, _ = released
    with torch.device("meta"):
        model = network(experiment, 3, 32, 10)
        assert model(torch.empty(2, 3, 32, 32)).shape == (2, 10)
    parameters, prunable = values["parameters"]
    assert sum(p.numel() for p in model.parameters()) == parameters
    counted = sum(p.numel() for p in experiment.pruning.prunable(model).values())
    assert counted == (prunable or sum(p.numel() for name, p in model.named_parameters() if "weight" in name))


def test_the_two_forms_of_a_recipe_are_different_trainings():
    for name in RELEASED:
        forms = [LOADED[PAPER / f"{name}{form}.yaml"] for form in ("", "-released")]
        assert len({form.training_digest("data") for form in forms}) == 2


# -- every file trains, on a few images that stand in for its data


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    """By the source that a file names: the overrides by which a few images stand in for it."""
    root = tmp_path_factory.mktemp("stand-ins")
    smoke.write(root)
    folder = ["data.source=folder", f"data.path={root / 'folder'}"]
    return {
        "digits": ["data.limit.train=40"],
        "mnist1d": ["data.train=60", "data.test=20", "data.split={kind: draw, train: 40, validation: 20}"],
        "folder": folder,
        "cifar10": folder,
        "cifar100": folder,
        "tiny-imagenet": [f"data.path={root / 'tiny-imagenet'}"],
        "imagenet": [f"data.path={root / 'imagenet'}", "data.size=32", "data.loaders=0"],
    }


SHORT = [
    "train.epochs=2",
    "train.shape={kind: warmup-step, warmup: 1ep, drops: {1ep: 0.1}}",
    "prune.cycles=2",
    "oracle.seeds=[0]",
    "compute.gpus_per_trial=0",
]
ONE_EPOCH = [*SHORT[2:], "train.epochs=1", "train.shape=constant"]
WATCHED = "-released.yaml"  # the same networks and data: watched as they train in tests/test_released_recipe.py
SMALLER = {"vgg19": ["model.classifier=linear"]}  # 20 million weights: 140 million take a minute


def run(path, overrides, out):
    """Train a file with overrides in this process, and return the table of its cells. The report is tested elsewhere."""
    assert train(path, out, *overrides)
    return load_results(out).cells


@pytest.mark.parametrize("path", [one for one in EXPERIMENTS if not one.id.endswith(WATCHED)])
def test_its_first_two_cycles_train(path, stand_ins, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    experiment = LOADED[path]
    overrides = [*ONE_EPOCH, *stand_ins[experiment.data.source], *SMALLER.get(experiment.model.name, [])]
    overrides += [f"oracle.grid=[{experiment.silo.epsilon}]", "policies.baselines={}"]
    cells = run(path, overrides, tmp_path / "run")
    assert list(zip(cells.cycle, cells.status, strict=True)) == [(0, "done"), (1, "done")]
    assert cells.max_lr.tolist() == [experiment.schedule.max_lr(0), experiment.schedule.max_lr(1)]
    recorded = open_study(tmp_path / "run").store.record(cells.id[0]).layers
    layers = {name: counts for name, *counts in recorded}
    together = [list(layers)] if experiment.prune.scope == "global" else [[name] for name in layers]
    sizes = [sum(layers[name][1] for name in names) for names in together]
    rate = Fraction(str(experiment.prune.rate))
    assert cells.alive.tolist() == [sum(sizes), sum(size - math.floor(rate * size) for size in sizes)]


def test_the_baselines_of_the_papers_files_train(stand_ins, tmp_path, monkeypatch):
    """They are the same in all of these files, but for the period of the triangles."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = PAPER / "resnet20-cifar10.yaml"
    cells = run(path, [*SHORT, *stand_ins["cifar10"], "oracle.grid=[0.03]"], tmp_path / "run")
    assert set(cells.status) == {"done"}
    policies = [set(names.split()) for names in cells.policies[cells.cycle == 1]]
    assert set.union(*policies) == {"lr-warmup", "lr-rewinding", "constant", "cosine", "cyclical"}


def test_the_papers_files_have_the_same_baselines():
    baselines = []
    for path in sorted(PAPER.glob("*.yaml")):
        dump = LOADED[path].policies.model_dump(mode="json")
        dump["baselines"]["cyclical"]["shape"].pop("period")
        baselines.append(dump)
    assert len(baselines) == 9
    assert all(one == baselines[0] for one in baselines)


def test_published_figures_stand_beside_ours_as_another_recipe(tmp_path):
    file, run = BENCHMARKS / "published" / "renda-2020.yaml", BENCHMARKS.parent / "results" / "cifar10-cnn"
    assert main(["table", str(run), "--published", str(file), "--cycles", "0,3,6", "--to", str(tmp_path)]) == 0
    text = (tmp_path / "cifar10-cnn-accuracy.md").read_text()
    cells = {
        row[0].strip(" *"): [cell.strip(" *") for cell in row[1:4]]
        for row in (line.split("|")[1:] for line in text.splitlines())
        if len(row) > 3
    }
    found = {name.partition(" (")[0]: row for name, row in cells.items() if "Renda" in name}
    assert found == {
        "LR rewinding": ["91.73", "92.29", "92.14"],
        "weight rewinding": ["91.73", "90.59", "89.60"],
        "fine-tuning": ["91.73", "91.38", "90.64"],
    }
    assert "another recipe: Renda, Frankle and Carbin 2020" in text
