"""Whatever is wrong, the command line says so in one line, with exit code 2, and writes nothing."""

import copy
import fcntl
import math
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.load import load, validate
from oracle.hashing import digest
from oracle.study.study import claimed, new_study

TREE = {
    "name": "tiny",
    "label": "a title",
    "data": {
        "source": "digits",
        "split": {"kind": "pooled", "validation": 0.2, "test": 0.2},
        "augment": {"crop": 0, "flip": False},
        "normalize": {"mean": [0.1], "std": [0.1]},
        "limit": {"train": 500},
    },
    "model": {"name": "mlp", "hidden": [16], "init": "kaiming"},
    "train": {
        "epochs": 2,
        "batch_size": 64,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "shape": {"kind": "warmup-step", "warmup": "1ep", "drops": {"1ep": 0.1}},
    },
    "prune": {
        "criterion": "magnitude",
        "scope": "global",
        "rate": 0.2,
        "cycles": 2,
        "restart": {"kind": "rewind", "to": "1it"},
        "prunable": {"norm": False, "first": True, "head": True},
    },
    "silo": {"epsilon": 0.1, "delta": 0.1, "beta": 5, "delay": 1, "chosen": "by hand", "chosen_on_seeds": [0]},
    "oracle": {
        "grid": {"low": 0.1, "high": 1.0, "points": 2, "spacing": "log", "extra": [2.0]},
        "seeds": [0],
        "tolerance": 0.5,
        "follow": "silo",
    },
    "compute": {"cpus_per_trial": 1, "gpus_per_trial": 0, "workers": 1},
}
EXPERIMENT = yaml.safe_dump(TREE, sort_keys=False)


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """The working folder that every row starts with."""
    home = tmp_path_factory.mktemp("template")
    (home / "e.yaml").write_text(EXPERIMENT)
    (home / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (home / "empty").mkdir()
    (home / "full").mkdir()
    (home / "full" / "thesis.txt").write_text("ten years of work")

    with claimed(new_study(load(home / "e.yaml", []), home / "run", "e.yaml")):
        pass  # a run folder in which nothing is recorded yet
    shutil.copytree(home / "run", home / "done")
    study = new_study(load(home / "e.yaml", []), home / "done", "e.yaml")
    cell = next(study.chains.steps()).cell
    accuracies = dict.fromkeys(("validation", "test", "final_validation", "final_test"), 90.0)
    outcome = {"diverged": False, "chosen_epoch": 1, "steps": 1, "curve": [], **accuracies}
    record = {"id": cell.id, "outcome": outcome, "alive": 1, "prunable": 1, "layers": [], "leaves": "x", "seconds": 1.0}
    study.store.write_record({**record, "environment": {"device": "none"}})
    shutil.copytree(home / "done", home / "torn")
    whole = (home / "torn" / "records" / f"{cell.id}.json").read_text()
    (home / "torn" / "records" / f"{cell.id}.json").write_text('{"id": ')
    shutil.copytree(home / "torn", home / "changed")
    (home / "changed" / "records" / f"{cell.id}.json").write_text(whole.replace("90.0", "99.0"))
    old = '{"origin": "e.yaml", "data": {}, "training": {}, "experiment": {"name": "old"}}'
    for name, text in (("foreign", "{}"), ("list", "[1]"), ("garbage", "{nope"), ("old", old)):
        (home / name).mkdir()
        (home / name / "study.json").write_text(text)
    (home / "done" / "report").mkdir()
    (home / "done" / "report" / "verdicts.md").write_text("an earlier report")

    gray = Image.new("L", (8, 8))
    for path in ("images/train/a/1.png", "images/train/b/1.png", "oblong/train/a/1.png"):
        (home / path).parent.mkdir(parents=True)
        gray.save(home / path)
    Image.new("L", (8, 9)).save(home / "oblong/train/a/2.png")
    shutil.copytree(home / "images", home / "corrupt")
    (home / "corrupt/train/b/1.png").write_bytes(b"\x89PNG not really")
    shutil.copytree(home / "images", home / "streamed")
    shutil.copytree(home / "images/train", home / "streamed/val")
    (home / "classless/train").mkdir(parents=True)
    (home / "imageless/train/a").mkdir(parents=True)
    return home


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def refused(template, tmp_path, tmp_path_factory, monkeypatch, capsys):
    """Run a command in a copy of the template; returns its one line on stderr."""
    home = tmp_path / "home"
    shutil.copytree(template, home)
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))

    def command(*arguments):
        before = tree(home)
        code = main(arguments)
        out, err = capsys.readouterr()
        assert (code, out) == (2, "")
        assert err.startswith("silo-oracle: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1
        assert tree(home) == before
        return err

    return command


def names(line, *fragments):
    missing = [fragment for fragment in fragments if fragment not in line]
    assert not missing, f"{missing} not in: {line}"


POLICIES = [
    ("policies.baselines.silo={}", "policies.baselines.silo: allowed: a name", "other than silo and oracle"),
    ("policies.baselines.Oracle={}", "policies.baselines.Oracle: allowed: a name"),
    ("policies.baselines={a b: {}}", "policies.baselines.a b: allowed: a name of letters"),
    ("policies.baselines=[cosine]", 'policies.baselines: ["cosine"]: allowed: a mapping'),
    ("policies.baselines.x.rate=3", "policies.baselines.x: unknown key rate; allowed: max_lr, shape, restart"),
    ("policies.baselines.x.max_lr=-1", "policies.baselines.x.max_lr: -1", "above 0"),
    (
        "policies.baselines.x.max_lr=fast",
        "policies.baselines.x.max_lr",
        "kind fast is unknown; allowed: constant, table",
    ),
    (
        "policies.baselines.x.max_lr={kind: table, values: [1]}",
        "policies.baselines.x.max_lr",
        "the table ends at cycle 0",
    ),
    ("policies.baselines.x.shape=cosin", "policies.baselines.x.shape", "did you mean cosine?"),
    ("policies.baselines.x.restart={kind: rewind, to: 9ep}", "policies.baselines.x.restart.to: 9ep", "up to 2ep"),
    ("policies.search.over=sparse", "policies.search.over: \"sparse\": allowed: 'dense' or 'trajectory'"),
    ("policies.search.grid=[]", "policies.search.grid: []", "at least one value"),
    ("silo.search_trainings=-1", "silo.search_trainings: -1", "greater than or equal to 0"),
    ("train.choose=best", "train.choose: \"best\": allowed: 'validation' or 'test-best'"),
    ("compute.rate={iterations_per_second: 0, source: x}", "compute.rate.iterations_per_second: 0", "greater than 0"),
    ("compute.rate={iterations_per_second: 9}", "compute.rate.source is missing"),
]
DURATION = "such as 10ep (epochs) or 20000it (iterations)"
STREAMED = "data={source: imagenet, path: streamed, split: {kind: carve, validation: 0.5}}"
FIELDS = [
    *POLICIES,
    # unknown keys, with the nearest known one
    (
        "epochs=3",
        "unknown key epochs",
        "allowed: name, label, data, model, train, prune, silo, oracle, policies, compute",
    ),
    ("train.epoch=3", "train: unknown key epoch;", "did you mean epochs?", "batch_size"),
    ("oracle.grid.point=3", "oracle.grid: unknown key point;", "did you mean points?"),
    ("data.path=x", "data: unknown key path", "limit"),
    ("model.width=3", "model: unknown key width", "hidden"),
    ("train.shape.drop={}", "train.shape: unknown key drop;", "did you mean drops?"),
    ("prune.restart={kind: reinit, to: 1it}", "prune.restart: unknown key to", "allowed: kind"),
    ("compute.gpus=1", "compute: unknown key gpus", "gpus_per_trial"),
    # wrong types
    ("name=5", "name: 5: allowed: a string"),
    ("name=a/b", 'name: "a/b": allowed: letters, digits, . _ -'),
    ("name=..", 'name: "..": allowed: letters, digits, . _ -'),
    ("train.epochs=2.5", "train.epochs: 2.5: allowed:", "whole number"),
    ("train.epochs='2'", 'train.epochs: "2": allowed:', "whole number"),
    ("train.epochs=true", "train.epochs: true: allowed:", "whole number"),
    ("prune.rate='0.2'", 'prune.rate: "0.2": allowed: a number'),
    ("silo.epsilon=", "silo.epsilon: null: allowed: a number"),
    ("train=[1]", "train: [1]: allowed: a mapping"),
    ("oracle=3", "oracle: 3: allowed: a mapping"),
    ("data.augment.flip=1", "data.augment.flip: 1: allowed: a boolean"),
    ("model.hidden=16", "model.hidden: 16: allowed: a list"),
    ("model.hidden=[16, x]", 'model.hidden.1: "x": allowed:', "whole number"),
    ("silo.chosen_on_seeds=3", "silo.chosen_on_seeds: 3: allowed: a list"),
    ("prune.prunable=everything", 'prune.prunable: "everything": allowed: every-weight'),
    # numbers out of range
    ("prune.rate=-0.2", "prune.rate: -0.2: allowed: greater than 0"),
    ("prune.rate=0", "prune.rate: 0: allowed: greater than 0"),
    ("prune.rate=1.0", "prune.rate: 1.0: allowed: less than 1"),
    ("prune.rate=.nan", "prune.rate: NaN: allowed:"),
    ("prune.rate=.inf", "prune.rate: Infinity: allowed:"),
    ("silo.epsilon=0", "silo.epsilon: 0: allowed: greater than 0"),
    ("silo.epsilon=.nan", "silo.epsilon: NaN: allowed: a finite number"),
    ("silo.delta=-0.1", "silo.delta: -0.1: allowed: greater than or equal to 0"),
    ("silo.beta=.inf", "silo.beta: Infinity: allowed: a finite number"),
    ("silo.delay=-1", "silo.delay: -1: allowed: greater than or equal to 0"),
    ("train.momentum=1.0", "train.momentum: 1.0: allowed: less than 1"),
    ("train.weight_decay=-1e-4", "train.weight_decay: -0.0001: allowed: greater than or equal to 0"),
    ("train.batch_size=0", "train.batch_size: 0: allowed: greater than or equal to 1"),
    ("train.epochs=0", "train.epochs: 0: allowed: greater than or equal to 1"),
    ("prune.cycles=0", "prune.cycles: 0: allowed: greater than or equal to 1"),
    ("oracle.tolerance=-1", "oracle.tolerance: -1: allowed: greater than or equal to 0"),
    ("oracle.tolerance=.nan", "oracle.tolerance: NaN: allowed: a finite number"),
    (
        "compute.gpus_per_trial=1.5",
        "compute.gpus_per_trial: 1.5: allowed: a share of one GPU, up to 1, or a whole number",
    ),
    ("compute.cpus_per_trial=0", "compute.cpus_per_trial: 0: allowed: greater than 0"),
    ("compute.workers=0", "compute.workers: 0: allowed: greater than or equal to 1"),
    ("compute.lanes=0", "compute.lanes: 0: allowed: auto, or a whole number from 1 to 1000"),
    ("compute.lanes=many", "compute.lanes", "many", "allowed: auto, or a whole number from 1 to 1000"),
    ("train.precision=fp16", "train.precision", "fp16", "allowed: 'fp32', 'tf32' or 'bf16'"),
    ("train.precision=tf32", "train.precision: tf32: needs a GPU (compute.gpus_per_trial); fp32 or bf16 is allowed"),
    ("model.hidden=[0]", "hidden", "[0]", "widths of at least 1 are allowed"),
    ("model.hidden=[100000000000000000000]", "hidden", "100000000000000000000", "allowed"),
    ("data.augment.crop=-1", "data.augment", "crop: -1", "0 or more"),
    ("data.augment.area=[0.5, 0.1]", "data.augment", "area: [0.5, 0.1]", "rising shares"),
    ("data.augment.area=0.5", "data.augment.area: 0.5: allowed: a list"),
    ("data.augment.area=[0.5]", "data.augment", "area: [0.5]: two rising shares"),
    # durations
    ("train.shape.warmup=10", "train.shape.warmup: 10: allowed: a duration with its unit", DURATION),
    ("train.shape.warmup=10 epochs", 'train.shape.warmup: "10 epochs": allowed:', DURATION),
    ("train.shape.drops={13: 0.1}", "train.shape.drops", "13", DURATION),
    ("train.shape.drops={13it: 0.1}", "train.shape", "drops: 13it", "whole epochs are allowed, such as 25ep"),
    ("train.shape.drops={3ep: 0.1, 2ep: 0.01}", "train.shape", "drops: 3ep, 2ep", "rising epochs are allowed"),
    ("train.shape.drops={1ep: 10}", "train.shape", "drops: 1ep: 10.0", "from 0 to 1 is allowed"),
    ("train.shape={kind: cyclical, period: 1it}", "train.shape", "period: 1it", "at least 1ep or 2it is allowed"),
    ("prune.restart.to=5", "prune.restart.to: 5: allowed:", DURATION),
    ("prune.restart.to=3ep", "prune.restart.to: ", "3ep", "allowed"),  # beyond the 2 epochs of a cycle
    ("prune.restart.to=1000it", "prune.restart.to: ", "1000it", "allowed"),  # a cycle has 10
    # the grid and the seeds
    ("oracle.grid=[]", "oracle.grid", "low, high and points, or a list of at least one value, are allowed"),
    ("oracle.grid={}", "oracle.grid", "low, high and points, or a list of at least one value, are allowed"),
    ("oracle.grid={low: 0.1, high: 1.0}", "oracle.grid", "low, high and points"),
    ("oracle.grid={low: 1.0, high: 0.1, points: 3}", "oracle.grid", "low 1.0 is not below high 0.1"),
    ("oracle.grid.low=0", "oracle.grid.low: 0: allowed: greater than 0"),
    ("oracle.grid.points=1", "oracle.grid.points: 1: allowed: greater than or equal to 2"),
    ("oracle.grid.spacing=cubic", 'oracle.grid.spacing: "cubic": allowed:', "log", "linear"),
    ("oracle.grid=[0.1, -1]", "oracle.grid", "-1: allowed: greater than 0"),
    ("oracle.grid=[0.1, .nan]", "oracle.grid", "NaN: allowed: a finite number"),
    ("oracle.grid={low: 1e-200, high: 1e+200, points: 3}", "oracle.grid.high: 1e+200: allowed:"),
    ("oracle.seeds=0", "oracle.seeds: 0: allowed: a number of at least 1, or a list of different seeds"),
    ("oracle.seeds=-1", "oracle.seeds: -1: allowed: a number of at least 1, or a list of different seeds"),
    ("oracle.seeds=[]", "oracle.seeds: []: allowed: a number of at least 1, or a list of different seeds"),
    ("oracle.seeds=[0, 1, 0]", "oracle.seeds: [0, 1, 0]: allowed:", "a list of different seeds"),
    ("oracle.seeds=[-1]", "oracle.seeds.0: -1: allowed: greater than or equal to 0"),
    ("oracle.seeds=1.5", "oracle.seeds: 1.5: allowed:", "list"),
    # names that nothing has
    ("data=mnist", "data", "source mnist is unknown", "allowed: digits, folder, cifar10"),
    ("data={path: x}", "data", "source is missing", "allowed: digits, folder, cifar10"),
    ("data.split=holdout", "data.split", "kind holdout is unknown", "allowed: pooled, carve"),
    ("model=resnet21", "model", "name resnet21 is unknown", "did you mean resnet20?", "allowed: mlp"),
    ("model.init=xavier", 'model.init: "xavier"', "allowed: kaiming, released, default"),
    ("model={name: vgg19, classifier: cifar}", 'model.classifier: "cifar": allowed:', "imagenet", "linear"),
    ("model={name: vit-small, heads: 3}", "model: heads: 3: a divisor of the width 256 is allowed"),
    ("model={name: vit-small, depth: 1000000000}", "model: depth: 1000000000: 1 to 100 is allowed"),
    ("model=vgg19", "model: vgg19 for this data: channels: 1: this network allows 3"),
    ("train.shape=cosin", "train.shape", "kind cosin is unknown", "did you mean cosine?", "allowed: warmup-step"),
    ("prune.criterion=magnitud", 'prune.criterion: "magnitud"', "did you mean magnitude?", "allowed: magnitude"),
    ("prune.scope=local", 'prune.scope: "local"', "allowed: global, layer"),
    ("prune.restart=rewnd", "prune.restart", "kind rewnd is unknown", "did you mean rewind?", "allowed: reinit"),
    ("oracle.follow=both", 'oracle.follow: "both": allowed:', "silo", "oracle"),
    ("oracle.level=0.5", "oracle.level: 0.5: allowed: less than 0.5"),
    ("oracle.search=clever", 'oracle.search: "clever": allowed:', "exhaustive", "adaptive", "racing"),
    (
        "oracle.search=3",
        "oracle.search: 3: allowed: exhaustive, adaptive, racing, or a mapping of kind and share",
    ),
    ("oracle.search={kind: adaptive, share: 1}", "oracle.search.share: 1: allowed: less than 1"),
    ("oracle.search={kind: racing, share: 0.5}", "oracle.search: share: 0.5: only adaptive has one"),
    # data that isn't there, or can't be what is asked of it
    ("data={source: folder}", "data.path is missing"),
    ("data={source: folder, path: 5}", "data.path: 5: allowed: a string"),
    ("data={source: folder, path: images, size: 0}", "data.size: 0", "at least 1"),
    ("data={source: folder, path: nowhere}", "data.path: nowhere", "train/CLASS/*.jpg"),
    ("data={source: folder, path: e.yaml}", "data.path: e.yaml", "train/CLASS/*.jpg"),
    ("data={source: folder, path: classless}", "data.path: classless/train", "one folder a class is allowed"),
    ("data={source: folder, path: imageless}", "data.path: imageless/train", ".jpg", "allowed"),
    ("data={source: folder, path: corrupt}", "data.path: corrupt/train/b/1.png", "not a readable image"),
    ("data={source: folder, path: oblong}", "data.path: oblong/train/a/2.png", "8x9", "allowed"),
    ("data={source: folder, path: images, split: carve}", "data.split", "no official test set", "pooled is allowed"),
    ("data={source: folder, path: images}", "data.split", "would be empty, of 2 images"),
    ("data={source: cifar10, path: nowhere, download: false}", "data.path: nowhere", "no CIFAR-10 there"),
    ("data={source: cifar100, path: nowhere, download: false}", "data.path: nowhere", "no CIFAR-100 there"),
    (
        "data={source: tiny-imagenet, path: nowhere}",
        "data.path: nowhere/wnids.txt",
        "train/WNID/images/*.JPEG",
        "allowed",
    ),
    ("data={source: imagenet, path: images}", "data.path: images", "no folder val/", "val/WNID/*.JPEG", "allowed"),
    ("data={source: imagenet, path: streamed, loaders: -1}", "data.loaders: -1", "at least 0"),
    ("data={source: imagenet, path: streamed, split: carve}", "data.split", "would be empty, of 4 images"),
    (STREAMED, "data.normalize: mean and std must be given", "stream"),
    (STREAMED[:-1] + ", augment: {crop: 4}}", "data.augment.crop: 4:", "stream", "area is allowed"),
    ("data.augment.area=[0.08, 1]", "data.augment.area: [0.08, 1.0]:", "in memory", "crop is allowed"),
    ("data.split=carve", "data.split", "no official test set", "pooled is allowed"),
    ("data.split.validation=0.9", "data.split", "validation, test: 0.9, 0.2", "allowed"),
    ("data.limit.train=0", "data.limit.train: 0: allowed: greater than or equal to 1"),
    ("data.limit.train=1", "data.split", "part would be empty, of 1 images"),
    ("data.normalize={mean: [0.5]}", "data.normalize", "mean, std: both, of one length, or neither are allowed"),
    ("data.normalize={mean: [0.5], std: [0]}", "data.normalize", "std: [0.0]", "above 0"),
    ("data.normalize={mean: [0.5, 0.5], std: [1, 1]}", "data.normalize", "2 channels", "these images have 1"),
]


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row[0])
def test_a_bad_field_is_named_with_its_file(refused, row):
    override, *fragments = row
    names(refused("run", "e.yaml", "--local", "--set", override), "silo-oracle: e.yaml: ", *fragments)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("command", ["run e.yaml --local", "run e.yaml", "plan e.yaml --calibrate"])
def test_a_gpu_that_is_not_there(refused, command):
    line = refused(*command.split(), "--set", "compute.gpus_per_trial=1")
    names(line, "silo-oracle: e.yaml: ", "compute.gpus_per_trial must be 0 where no CUDA GPU is visible, got 1")


WITHOUT = [
    (section, f"{section} is missing") for section in ("name", "data", "model", "train", "prune", "silo", "oracle")
]
FILES = [
    ("", "a mapping of name, label, data"),
    ("- name: tiny", "a mapping of name, label, data"),
    ("tiny", "a mapping of name, label, data"),
    (EXPERIMENT.replace("epochs:", "\tepochs:"), "line ", "not YAML"),
    (EXPERIMENT.replace("name: tiny", "name: [tiny"), "not YAML"),
    (EXPERIMENT + "---\nname: two", "not YAML", "another document"),
    (EXPERIMENT.replace("name: tiny", "name: *tiny"), "line 1", "not YAML", "undefined alias"),
    (EXPERIMENT.replace("name: tiny", "name: !!python/object:os.system tiny"), "line 1", "not YAML"),
    (EXPERIMENT.replace("name: tiny", "name: 2026-02-30"), "not YAML"),
    (EXPERIMENT.replace("name: tiny", "name: !!map [tiny]"), "not YAML"),
    (EXPERIMENT.replace("name: tiny", "name: &me [*me]"), "holds itself"),
    (EXPERIMENT.replace("name: tiny", "name: tiny\nname: two"), "line ", "name is given twice"),
    (EXPERIMENT.replace("seeds:", "seeds: 1\n  seeds:"), "line ", "seeds is given twice"),
    *((yaml.safe_dump({k: v for k, v in TREE.items() if k != section}), told) for section, told in WITHOUT),
]


@pytest.mark.parametrize("row", FILES, ids=lambda row: row[0][:30] or "empty")
def test_a_bad_file_is_named(refused, row):
    text, *fragments = row
    Path("e.yaml").write_text(text)
    names(refused("plan", "e.yaml"), "silo-oracle: e.yaml", *fragments)


COMMANDS = [
    # no such file
    ("plan nowhere.yaml", "nowhere.yaml: can't be read (No such file or directory)"),
    ("run nowhere.yaml", "nowhere.yaml: can't be read (No such file or directory)"),
    ("schedule nowhere.yaml", "nowhere.yaml: can't be read (No such file or directory)"),
    ("plan full", "full: can't be read (Is a directory)"),
    ("plan binary.yaml", "binary.yaml: can't be read (not a text file)"),
    # overrides
    ("plan e.yaml --set", "--set", "expected one argument"),
    ("plan e.yaml --set seeds", "--set seeds", "a.b=value is allowed"),
    ("plan e.yaml --set =3", "--set =3", "a.b=value is allowed"),
    ("plan e.yaml --set name.first=x", "--set name.first=x", "name holds a value, not a mapping"),
    ("plan e.yaml --set oracle.seeds=[", "--set oracle.seeds=[", "not YAML"),
    ("plan e.yaml --set oracle..seeds=3", "e.yaml", "oracle", "unknown key"),
    # the command line itself
    ("", "COMMAND", "silo-oracle --help"),
    ("prune", "prune", "plan", "run", "status", "report", "publish", "schedule"),
    ("plan", "required: FILE"),
    ("status", "required: DIR"),
    ("plan e.yaml twice.yaml", "unrecognized arguments: twice.yaml"),
    ("plan e.yaml --fast", "unrecognized arguments: --fast"),
    ("run e.yaml --local=yes", "--local"),
    ("run e.yaml --calibrate", "unrecognized arguments: --calibrate"),
    ("schedule e.yaml --out x", "--out"),
    ("run e.yaml --out", "--out", "expected one argument"),
    # folders that are no run folders
    *((f"{command} nowhere", "nowhere: no run folder", "study.json") for command in ("status", "report", "publish")),
    *((f"{command} empty", "empty: no run folder", "study.json") for command in ("status", "report", "publish")),
    *((f"{command} full", "full: no run folder", "study.json") for command in ("status", "report", "publish")),
    ("status e.yaml", "e.yaml: no run folder"),
    *((f"table {folder}", f"{folder}: no finished study there", "publish") for folder in ("nowhere", "e.yaml", "full")),
    ("table", "required: DIR"),
    ("table foreign", "foreign/study.json"),
    ("table done done", "tiny: names two experiments"),
    ("table done --cycles 0,x", "--cycles: 0,x: numbers such as 0,4,9 are allowed"),
    ("table done --cycles 7", "cycles: 7: allowed: 0, 1"),
    ("table done --published nowhere.yaml", "nowhere.yaml: can't be read"),
    ("table done --published e.yaml", "e.yaml: unknown key name; allowed: source, experiment, accuracy"),
    ("plan e.yaml --out full", "full: not empty and no run folder", "an empty or new one is allowed"),
    ("run e.yaml --out full", "full: not empty and no run folder", "an empty or new one is allowed"),
    ("run e.yaml --out binary.yaml", "binary.yaml: ", "no run folder", "allowed"),
    ("run e.yaml --out binary.yaml/run", "binary.yaml/run"),
    ("run e.yaml --local --out /proc/silo-oracle/run", "/proc/silo-oracle/run"),  # nobody may write there
    # run folders of something else, or damaged
    ("run e.yaml --local --out run --set train.epochs=3", "run: belongs to another experiment: train.epochs is 2", "3"),
    ("plan e.yaml --out run --set data.limit.train=400", "run: belongs to another experiment: data.digest", "--out"),
    ("run e.yaml --local --out foreign", "foreign", "experiment"),
    *((f"{command} foreign", "foreign/study.json") for command in ("status", "report", "publish")),
    *((f"{command} list", "list/study.json") for command in ("status", "report", "publish")),
    ("run e.yaml --local --out list", "list/study.json"),
    ("status garbage", "garbage/study.json: can't be read as JSON"),
    ("run e.yaml --local --out garbage", "garbage/study.json: can't be read as JSON"),
    ("status old", "old/study.json: data is missing"),
    *(
        (f"{command} torn", "torn/records/", ".json: can't be read as JSON")
        for command in ("status", "report", "publish")
    ),
    *(
        (f"{command} --out torn", "torn/records/", ".json: can't be read as JSON")
        for command in ("plan e.yaml", "plan e.yaml --calibrate", "run e.yaml")
    ),
    ("plan e.yaml --calibrate --set data.source=folder --set data.path=nowhere", "e.yaml: data.path: nowhere"),
    *(
        (f"{command} changed", "changed/records/", "changed since it was written")
        for command in ("status", "report", "publish", "run e.yaml --local --out", "plan e.yaml --out")
    ),
    # merging
    ("merge done", "required: OTHER"),
    *((f"merge done {folder}", f"{folder}: no run folder") for folder in ("nowhere", "full", "e.yaml")),
    ("merge nowhere done", "nowhere: no run folder"),
    ("merge done done", "done: is the folder done that it would be merged into; another folder is allowed"),
    ("merge done done/report", "done/report: "),
    ("merge done foreign", "foreign/study.json"),
    *((f"merge run {folder}", f"{folder}/records/") for folder in ("torn", "changed")),
    ("merge torn run", "torn/records/"),
    # addresses
    *(
        (
            f"run e.yaml --address {address}",
            f"--address must be HOST:PORT of a running Ray cluster, or auto, got '{address}'",
        )
        for address in ("nonsense", "local", "ray://127.0.0.1:10001")
    ),
    *(
        (
            f"run e.yaml --address {address}",
            f"--address must be of a running Ray cluster, got '{address}': no Ray cluster answers there; `ray start --head`",
        )
        for address in ("127.0.0.1:1", "127.0.0.1:99999", "nowhere.invalid:6379")
    ),
    ("run e.yaml --address auto --local", "--local: not allowed with argument --address"),
    ("run e.yaml --address", "--address", "expected one argument"),
    ("plan e.yaml --address auto", "unrecognized arguments: --address auto"),
    # publishing
    ("publish run", "run: nothing is recorded there"),
    ("publish done --to full", "full: ", "allowed"),  # thesis.txt is no earlier publication
    ("publish done --to e.yaml", "e.yaml: "),
    ("publish done --to done", "done: "),
    ("publish done --to done/report", "done/report: "),
    ("publish done --to .", "."),
]


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row[0] or "nothing")
def test_a_bad_command(refused, row):
    command, *fragments = row
    names(refused(*command.split()), *fragments)


def test_a_run_folder_in_use(refused):
    with Path("run/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        names(refused("run", "e.yaml", "--local", "--out", "run"), "run: another run is at work in this folder")


ODD = [None, "", [], {}, True, -1, 0, 0.5, 1e-20, 1e308, math.nan, math.inf, 10**20, 10**400]
ODD += ["x", "1ep", "0ep", "\u00e9\n", [1], ["x"], [[1]], [None], {"a": 1}, {1: 2}, {"kind": None}, {"name": []}]
MUCH = {
    ("prune", "cycles"),
    ("oracle", "seeds"),
    ("oracle", "grid", "points"),
    ("train", "epochs"),
}  # allowed, and long


def places(part, path=()):
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@pytest.mark.parametrize("path", list(places(TREE)), ids=lambda path: ".".join(map(str, path)))
def test_whatever_a_field_holds_it_is_named_or_it_works(path):
    for odd in ODD:
        if path in MUCH and isinstance(odd, int) and odd > 1000:
            continue
        tree = copy.deepcopy(TREE)
        part = tree
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = odd
        try:
            asked = validate(tree, "e.yaml")
        except InputError as error:
            assert str(error).startswith(f"e.yaml: {path[0]}")
            assert "\n" not in str(error)
            continue
        digest(asked.training("data"))
        rates = [*asked.oracle.grid.values(), *map(asked.schedule.max_lr, range(60))]
        assert all(rate > 0 and math.isfinite(rate) for rate in rates)
        assert validate(asked.model_dump(mode="json"), "e.yaml") == asked
