"""The experiment's description: what it accepts, what it makes of it, and which trainings it means."""

import json

import experiments
import pytest
import yaml
from experiments import changed
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.error import InputError
from oracle.experiment.load import load, validate
from oracle.experiment.spec import SCHEMA
from oracle.hashing import digest
from oracle.study.cell import Cell
from silo.criterion import movement
from silo.data.augment import Augment
from silo.duration import Duration
from silo.pruning import Pruning
from silo.recipe import Recipe
from silo.restart import Rewind
from silo.schedule import SiloSchedule
from silo.shape import WarmupStep

QUICKSTART = {
    "name": "quickstart",
    "data": {"source": "digits", "split": {"kind": "pooled", "validation": 0.2, "test": 0.2}},
    "model": {"name": "mlp", "hidden": [100, 100]},
    "train": {
        "epochs": 20,
        "batch_size": 64,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "shape": {"kind": "warmup-step", "warmup": "10ep", "drops": {"13ep": 0.1, "17ep": 0.01}},
    },
    "prune": {"criterion": "magnitude", "scope": "global", "rate": 0.2, "cycles": 12, "restart": "rewind"},
    "silo": {"epsilon": 0.2, "delta": 0.2, "beta": 5, "delay": 1},
    "oracle": {"grid": {"low": 0.01, "high": 1.0, "points": 12}, "seeds": 3, "tolerance": 0.5, "follow": "silo"},
}
DATA = "0123456789abcdef0123"  # a data set's digest


def experiment(changes=None, base=QUICKSTART):
    return experiments.experiment(changes, base)


def training_id(parsed, data=DATA):
    return digest(parsed.training(data))


# -- identity


def test_pinned_ids():
    """Recorded results are found by these ids: a changed one means that all recorded results are lost. Where the meaning
    of a field changes on purpose, raise SCHEMA, so that old records are never taken for new ones, and pin anew.
    """
    training = training_id(experiment())
    assert SCHEMA == 1
    assert training == "6c2e1fa3f453e8be0ee9"
    assert Cell(training, seed=0, cycle=0, max_lr=0.2).id == "652f9c35622df45de739"
    assert Cell(training, seed=2, cycle=11, max_lr=0.01, start="fedcba9876543210fedc").id == "98ceb96f599df128594a"


def test_every_default_is_written_out():
    """But for precision: fp32 is what a training without the word has always meant."""
    minimal = {
        "name": "minimal",
        "data": "digits",
        "model": "mlp",
        "train": {"epochs": 1, "batch_size": 2, "momentum": 0, "weight_decay": 0, "shape": "constant"},
        "prune": {"criterion": "magnitude", "scope": "layer", "rate": 0.5, "cycles": 1, "restart": "rewind"},
        "silo": {"epsilon": 1, "delta": 0, "beta": 1, "delay": 0},
        "oracle": {"grid": [1], "seeds": 1},
    }
    assert validate(minimal, "test").training(DATA) == {
        "schema": SCHEMA,
        "data": {
            "digest": DATA,
            "split": {"kind": "pooled", "validation": 0.2, "test": 0.2},
            "augment": {"crop": 0, "flip": False, "area": None, "evaluation": False},
            "normalize": {"mean": None, "std": None},
        },
        "model": {"name": "mlp", "init": "kaiming", "hidden": [100, 100]},
        "train": {
            "epochs": 1,
            "batch_size": 2,
            "momentum": 0.0,
            "weight_decay": 0.0,
            "shape": {"kind": "constant"},
            "choose": "validation",
        },
        "prune": {
            "criterion": "magnitude",
            "scope": "layer",
            "rate": 0.5,
            "restart": {"kind": "rewind", "to": "0it"},
            "prunable": {"norm": False, "first": True, "head": True},
        },
    }


FOLDER = changed(QUICKSTART, {"data": {"source": "folder", "path": "a", "split": {"kind": "carve"}}})
OF_THE_TRAINING = {
    "data.split": {"kind": "pooled"},
    "data.split.validation": 0.3,
    "data.augment.crop": 4,
    "data.augment.flip": True,
    "data.augment.area": [0.08, 1.0],
    "data.augment.evaluation": True,
    "data.normalize": {"mean": [0.5], "std": [0.5]},
    "model": {"name": "small-cnn"},
    "model.hidden": [100],
    "model.init": "released",
    "train.epochs": 21,
    "train.batch_size": 65,
    "train.momentum": 0.8,
    "train.weight_decay": 0.0,
    "train.shape": {"kind": "cosine"},
    "train.choose": "test-best",
    "train.precision": "bf16",
    "train.shape.warmup": "9ep",
    "train.shape.drops": {"13ep": 0.1},
    "prune.criterion": "movement",
    "prune.scope": "layer",
    "prune.rate": 0.21,
    "prune.restart": "keep",
    "prune.restart.to": "1it",
    "prune.prunable.norm": True,
    "prune.prunable.first": False,
    "prune.prunable.head": False,
}
OF_THE_STUDY = {
    "name": "another",
    "label": "a title",
    "data.path": "b",  # the digest stands for the images, wherever they lie and however they were cut
    "data.size": 32,
    "data.limit.train": 100,
    "data.limit.test": 100,
    "prune.cycles": 13,
    "silo.epsilon": 0.3,
    "silo.delta": 0.3,
    "silo.beta": 6.0,
    "silo.delay": 2,
    "silo.chosen": "by hand",
    "silo.chosen_on_seeds": [7],
    "oracle.grid.low": 0.02,
    "oracle.grid.high": 2.0,
    "oracle.grid.points": 13,
    "oracle.grid.spacing": "linear",
    "oracle.grid.extra": [5.0],
    "oracle.seeds": [4, 5],
    "oracle.tolerance": 1.0,
    "oracle.follow": "oracle",
    "oracle.level": 0.1,
    "oracle.search.kind": "racing",
    "oracle.search": {"kind": "adaptive", "share": 0.4},
    "silo.search_trainings": 3,
    "policies.search.grid": [0.1],
    "policies.search.over": "trajectory",
    "policies.baselines": {"cosine": {"shape": "cosine"}},
    "compute.cpus_per_trial": 2.0,
    "compute.gpus_per_trial": 0.5,
    "compute.workers": 3,
    "compute.lanes": 4,
    "compute.rate": {"iterations_per_second": 100.0, "source": "a guess"},
}
WRITTEN_OUT = validate(FOLDER, "test").model_dump(mode="json")


def fields(tree, path=""):
    """Paths of all values that the change tables have to cover."""
    for key, value in tree.items():
        inner = f"{path}.{key}".lstrip(".")
        if isinstance(value, dict) and inner != "train.shape.drops":
            yield from fields(value, inner)
        else:
            yield inner


@pytest.mark.parametrize("path", OF_THE_TRAINING)
def test_what_a_training_depends_on_changes_its_id(path):
    assert training_id(experiment({path: OF_THE_TRAINING[path]}, WRITTEN_OUT)) != training_id(experiment(base=FOLDER))


@pytest.mark.parametrize("path", OF_THE_STUDY)
def test_what_it_does_not_depend_on_loses_no_record(path):
    other = experiment({path: OF_THE_STUDY[path]}, WRITTEN_OUT)
    assert other != experiment(base=FOLDER)
    assert training_id(other) == training_id(experiment(base=FOLDER))


def test_tf32_is_another_training_and_a_gpu_s():
    single = experiment({"compute.gpus_per_trial": 1})
    rounded = experiment({"train.precision": "tf32"}, single.model_dump(mode="json"))
    assert rounded.recipe.precision == "tf32"
    assert training_id(rounded) != training_id(single) == training_id(experiment())


def test_no_field_is_forgotten_above():
    said_by_another = {"data.source", "data.normalize.mean", "data.normalize.std", "data.split.kind", "model.name"}
    said_by_another |= {"train.shape.kind", "prune.restart.kind", "oracle.search.share"}
    assert set(fields(WRITTEN_OUT)) - said_by_another <= {*OF_THE_TRAINING, *OF_THE_STUDY}


def test_other_data_is_another_training():
    assert training_id(experiment(), DATA) != training_id(experiment(), DATA[::-1])


@pytest.mark.parametrize(
    ("path", "short", "long"),
    [
        ("data", "digits", {"source": "digits"}),
        ("model", "mlp", {"name": "mlp", "hidden": [100, 100], "init": "kaiming"}),
        ("model", "vgg19", {"name": "vgg19", "classifier": "imagenet", "init": "kaiming"}),
        ("prune.restart", "rewind", {"kind": "rewind", "to": "0it"}),
        ("prune.prunable", "every-weight", {"norm": True, "first": True, "head": True}),
        ("train.shape.warmup", "10ep", "010ep"),
        ("train.shape.drops", {"13ep": 1}, {"13ep": 1.0}),
        ("train.weight_decay", 0, 0.0),
        ("oracle.seeds", 3, [0, 1, 2]),
        ("oracle.grid", [1, 2], {"extra": [1.0, 2.0]}),
    ],
)
def test_the_short_form_means_the_long_one(path, short, long):
    assert experiment({path: short}) == experiment({path: long})
    assert training_id(experiment({path: short})) == training_id(experiment({path: long}))


CELL = {"training": "t", "seed": 0, "cycle": 0, "max_lr": 0.1, "start": "dense"}


@pytest.mark.parametrize("change", [{"training": "u"}, {"seed": 1}, {"cycle": 1}, {"max_lr": 0.11}, {"start": "s"}])
def test_each_field_of_a_cell_changes_its_id(change):
    assert Cell(**{**CELL, **change}).id != Cell(**CELL).id


def test_a_cells_id_does_not_hang_on_how_its_rate_is_written():
    assert Cell(**{**CELL, "max_lr": 1}).id == Cell(**{**CELL, "max_lr": 1.0}).id
    assert len(Cell(**CELL).id) == 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_a_digest_does_not_hang_on_the_order_of_keys(tree):
    assert digest(tree) == digest(dict(reversed(tree.items()))) == digest(json.loads(json.dumps(tree)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_hold_has_no_digest(value):
    with pytest.raises(ValueError, match="JSON"):
        digest({"max_lr": value})


@pytest.mark.parametrize("base", [QUICKSTART, FOLDER], ids=["digits", "folder"])
@pytest.mark.parametrize("grid", [{"low": 0.01, "high": 1.0, "points": 12}, [0.1, 0.2]], ids=["points", "list"])
@pytest.mark.parametrize("prunable", ["every-weight", {"norm": True}])
def test_an_experiment_as_a_run_folder_holds_it_is_the_same(base, grid, prunable):
    parsed = experiment({"prune.prunable": prunable, "oracle.grid": grid}, base)
    held = json.loads(json.dumps(parsed.model_dump(mode="json")))
    assert validate(held, "test") == parsed
    assert training_id(validate(held, "test")) == training_id(parsed)


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
    values = experiment({"oracle.grid": {**spec, "extra": extra}}).oracle.grid.values()
    spaced = experiment({"oracle.grid": spec}).oracle.grid.values()
    assert list(values) == sorted({*spaced, *extra})
    assert len(spaced) <= points
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
