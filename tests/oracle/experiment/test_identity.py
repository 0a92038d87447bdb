"""Which training an experiment means: what its id depends on, and what loses no record."""

import json

import pytest
from experiments import changed
from hypothesis import given, settings
from hypothesis import strategies as st
from quickstart import DATA, QUICKSTART, experiment, training_id

from oracle.experiment.load import recorded_experiment, validate
from oracle.experiment.spec import SCHEMA
from oracle.hashing import digest
from oracle.study.cell import Cell
from silo.restart import Reinit


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
    """But for options that came later: their defaults are what a training without them has always meant."""
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


def recorded(fields):
    """The experiment as a run folder's study.json is read."""
    return recorded_experiment({"experiment": json.loads(json.dumps(fields))}, "study.json")


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
    "train.optimizer.nesterov": True,
    "train.label_smoothing": 0.1,
    "train.clip_norm": 1.0,
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


ADAMW = changed(QUICKSTART, {"train.optimizer": {"kind": "adamw"}, "train.momentum": None})


def test_adamw_is_another_training_and_so_are_its_options():
    others = [{}, {"train.optimizer.betas": [0.9, 0.99]}, {"train.optimizer.eps": 1e-7}, {"train.weight_decay": 0.1}]
    assert len({training_id(experiment(), DATA), *(training_id(experiment(other, ADAMW)) for other in others)}) == 5
    train = experiment(base=ADAMW).training(DATA)["train"]
    assert train["optimizer"] == {"kind": "adamw", "betas": [0.9, 0.999], "eps": 1e-8} and "momentum" not in train


def test_an_optimizer_is_recorded_with_its_options():
    """And what was recorded before there was a choice is SGD, as it was."""
    for made in (experiment(base=ADAMW), experiment({"train.optimizer": "sgd"})):
        held = recorded(made.redacted())
        assert (held.recipe, training_id(held)) == (made.recipe, training_id(made))
    old = experiment().redacted()
    del old["train"]["optimizer"]
    assert training_id(recorded(old)) == training_id(experiment()) == "6c2e1fa3f453e8be0ee9"


COSINE = changed(QUICKSTART, {"train.shape": {"kind": "cosine"}})


@pytest.mark.parametrize("shape", ["cosine", {"kind": "cosine", "warmup": "0it"}], ids=str)
def test_a_cosine_without_warmup_is_what_it_was_before_it_could_have_one(shape):
    """In every way that it is written: its id, the run folder, and what folders are compared by."""
    made = experiment({"train.shape": shape, "policies.baselines": {"own": {"shape": shape}}})
    assert training_id(made) == training_id(made.under("own")) == "dccd97e5f1c0b6f5ef5e"
    assert made.training(DATA)["train"]["shape"] == made.redacted()["train"]["shape"] == {"kind": "cosine"}
    assert made.redacted()["policies"]["baselines"]["own"]["shape"] == {"kind": "cosine"}
    assert recorded(made.redacted()).redacted() == made.redacted()


def test_a_cosine_s_warmup_is_another_training_and_is_recorded():
    made = experiment({"train.shape.warmup": "10%"}, COSINE)
    assert training_id(made) != training_id(experiment(base=COSINE))
    assert made.training(DATA)["train"]["shape"] == {"kind": "cosine", "warmup": "10%"}
    held = recorded(made.redacted())
    assert (held.recipe, training_id(held)) == (made.recipe, training_id(made))


@pytest.mark.parametrize("restart", ["reinit", {"kind": "reinit", "keep_statistics": False, "widen": False}], ids=str)
def test_a_reinit_that_does_not_widen_is_what_it_was(restart):
    made = experiment({"prune.restart": restart})
    assert training_id(made) == "fb79c788e97e9e547267"
    assert made.redacted()["prune"]["restart"] == {"kind": "reinit", "keep_statistics": False}


def test_one_that_widens_is_another_training_and_is_recorded():
    made = experiment({"prune.restart": {"kind": "reinit", "widen": True}})
    held = recorded(made.redacted())
    assert held.prune.restart.make() == made.prune.restart.make() == Reinit(widen=True)
    assert training_id(held) == training_id(made) != training_id(experiment({"prune.restart": "reinit"}))


def test_a_range_test_is_written_where_there_is_one():
    """And where there is none, baselines are written as before there was a choice."""
    test = {"low": 0.01, "high": 10.0}
    made = experiment({"policies.baselines": {"cosine": {"shape": "cosine"}, "smith": {"range_test": test}}})
    held = recorded(made.redacted())
    for one in (made, held):
        baselines = one.redacted()["policies"]["baselines"]
        assert baselines["cosine"].keys() == {"max_lr", "shape", "restart", "search_trainings"}
        assert baselines["smith"]["range_test"] == test
        assert [training_id(variant) for variant in one.variants[:-1]] == [training_id(v) for v in made.variants[:-1]]
        assert training_id(one.variants[-1]) == training_id(made.range_tests("smith")) != training_id(one)


def test_no_field_is_forgotten_above():
    said_by_another = {"data.source", "data.normalize.mean", "data.normalize.std", "data.split.kind", "model.name"}
    said_by_another |= {"train.optimizer.kind", "train.shape.kind", "prune.restart.kind", "oracle.search.share"}
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
        ("train.label_smoothing", 0, 0.0),
        ("train.clip_norm", 1, 1.0),
        ("train.optimizer", "sgd", {"kind": "sgd", "nesterov": False}),
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
