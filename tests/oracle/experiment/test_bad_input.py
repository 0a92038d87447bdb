"""Whatever is wrong, the command line says so in one line, with exit code 2, and writes nothing."""

import copy
import fcntl
import itertools
import math
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from made import made_record
from packages import MISSING, needs
from PIL import Image

from oracle.cli.main import main
from oracle.error import InputError
from oracle.experiment.load import load, validate
from oracle.hashing import digest
from oracle.plan.snapshot import Snapshot
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
    (home / "loop").symlink_to("loop")
    (home / "empty").mkdir()
    (home / "full").mkdir()
    (home / "full" / "thesis.txt").write_text("ten years of work")

    with claimed(new_study(load(home / "e.yaml", []), home / "run", "e.yaml")):
        pass  # a run folder in which nothing is recorded yet
    shutil.copytree(home / "run", home / "done")
    study = new_study(load(home / "e.yaml", []), home / "done", "e.yaml")
    cell = Snapshot.take(study).trainings[0].cell
    study.store.write_record(made_record(cell, 90.0, "x", environment={"device": "none"}))
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
    shutil.copytree(home / "images", home / "dangling")
    (home / "dangling/train/b/2.png").symlink_to("gone.png")
    for number in range(5):
        (home / "alike/train/a").mkdir(parents=True, exist_ok=True)
        gray.save(home / f"alike/train/a/{number}.png")
    (home / "classless/train").mkdir(parents=True)
    (home / "imageless/train/a").mkdir(parents=True)
    return home


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def refused(template, tmp_path, tmp_path_factory, monkeypatch, capsys):
    """Run a command in a copy of the template; returns its one line on stderr."""
    home = tmp_path / "home"
    shutil.copytree(template, home, symlinks=True)
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
        assert len(err) < 1500
        assert tree(home) == before
        return err

    return command


def names(line, *fragments):
    missing = [fragment for fragment in fragments if fragment not in line]
    assert not missing, f"{missing} not in: {line}"


POLICY_NAMES = "policies.baselines: each key must be a name of letters, digits, . _ - other than silo, oracle, all"
POLICIES = [
    (
        "policies.baselines.silo={}",
        f'{POLICY_NAMES}, got "silo"',
    ),
    (
        "policies.baselines.Oracle={}",
        f'{POLICY_NAMES}, got "Oracle"',
    ),
    (
        "policies.baselines.all={}",
        f'{POLICY_NAMES}, got "all"',
    ),
    (
        "policies.baselines={a b: {}}",
        f'{POLICY_NAMES}, got "a b"',
    ),
    ("policies.baselines=[cosine]", 'policies.baselines must be a mapping, got ["cosine"]'),
    (
        "policies.baselines.x.rate=3",
        "policies.baselines.x.rate is no field of policies.baselines.x;",
        "it must be one of max_lr, shape, restart",
    ),
    (
        "policies.baselines.x.max_lr=-1",
        "policies.baselines.x.max_lr",
        "value",
        "above 0",
        "got -1",
    ),
    (
        "policies.baselines.x.max_lr=fast",
        "policies.baselines.x.max_lr.kind must be one of constant, table,",
        'or your own module.path:attribute, got "fast"',
    ),
    (
        "policies.baselines.x.max_lr={kind: table, values: [1]}",
        "policies.baselines.x.max_lr.values must reach to cycle 1, got 1 (from cycle 0)",
    ),
    ("policies.baselines.x.shape=cosin", "policies.baselines.x.shape", "did you mean cosine?"),
    (
        "policies.baselines.x.restart={kind: rewind, to: 9ep}",
        "policies.baselines.x.restart.to must lie within a cycle, up to 2ep, got 9ep",
        "up to 2ep",
    ),
    (
        "policies.baselines.x.range_test={low: 1, high: 1}",
        "policies.baselines.x.range_test.low must be below high (1.0), got 1",
    ),
    (
        "policies.baselines.x.range_test={low: 0, high: 1}",
        "policies.baselines.x.range_test.low must be at least 1e-30",
        "got 0",
    ),
    ("policies.baselines.x.range_test={low: 1}", "policies.baselines.x.range_test.high is missing"),
    ("policies.baselines.x.range_test=0.1", "policies.baselines.x.range_test must be a mapping, got 0.1"),
    (
        "policies.baselines.x={max_lr: 1, range_test: {low: 0.1, high: 1}}",
        "policies.baselines.x.max_lr must be left out where range_test is given, which chooses it",
    ),
    ("train.shape={kind: ramp, low: 1.0}", "train.shape.low must be in (0, 1), got 1.0"),
    ("policies.search.over=sparse", 'policies.search.over must be one of dense, trajectory, got "sparse"'),
    (
        "policies.search.grid=[]",
        "policies.search.grid must have low, high and points, or be a list of at least one value, got []",
    ),
    ("silo.search_trainings=-1", "silo.search_trainings must be at least 0 and at most 1000000000, got -1"),
    ("train.choose=best", 'train.choose must be one of validation, test-best, got "best"; did you mean test-best?'),
    (
        "compute.rate={iterations_per_second: 0, source: x}",
        "compute.rate.iterations_per_second must be at least 1e-06 and at most 1000000000000, got 0",
    ),
    ("compute.rate={iterations_per_second: 9}", "compute.rate.source is missing"),
]
DURATION = "a duration with its unit, such as 10ep (epochs), 20000it (iterations) or 10% (of the cycle)"
STREAMED = "data={source: imagenet, path: streamed, split: {kind: carve, validation: 0.5}}"
FIELDS = [
    *POLICIES,
    # unknown keys, with the nearest known one
    ("epochs=3", "epochs is no field of an experiment;", "it must be one of name, label, data, model, train, prune"),
    (
        "train.epoch=3",
        "train.epoch is no field of train; did you mean epochs?",
        "It must be one of epochs, batch_size, momentum",
    ),
    (
        "oracle.grid.point=3",
        "oracle.grid.point is no field of oracle.grid; did you mean points?",
        "It must be one of low, high, points, spacing",
    ),
    ("data.path=x", "data.path is no field of data; it must be one of split, augment, normalize, limit, source"),
    ("model.width=3", "model.width is no field of model; it must be one of init, name, hidden"),
    (
        "train.shape.drop={}",
        "train.shape.drop is no field of train.shape; did you mean drops?",
        "It must be one of kind, warmup",
    ),
    ("prune.restart={kind: reinit, widen: 2}", "prune.restart.widen must be true or false, got 2"),
    (
        "prune.restart={kind: reinit, to: 1it}",
        "prune.restart.to is no field of prune.restart; it must be one of kind, keep_statistics",
    ),
    (
        "compute.gpus=1",
        "compute.gpus is no field of compute;",
        "it must be one of cpus_per_trial, gpus_per_trial, workers",
    ),
    # wrong types
    ("name=5", "name must be a string, got 5"),
    ("name=a/b", 'name must be of letters, digits, . _ - (it names the run folder), got "a/b"'),
    ("name=..", 'name must be of letters, digits, . _ - (it names the run folder), got ".."'),
    ("train.epochs=2.5", "train.epochs must be a whole number, got 2.5"),
    ("train.epochs='2'", 'train.epochs must be a whole number, got "2"'),
    ("train.epochs=true", "train.epochs must be a whole number, got true"),
    ("prune.rate='0.2'", 'prune.rate must be a number, got "0.2"'),
    ("silo.epsilon=", "silo.epsilon must be a number, got null"),
    ("train=[1]", "train must be a mapping, got [1]"),
    ("oracle=3", "oracle must be a mapping, got 3"),
    ("data.augment.flip=1", "data.augment.flip must be true or false, got 1"),
    ("model.hidden=16", "model.hidden must be a list, got 16"),
    ("model.hidden=[16, x]", 'model.hidden.1 must be a whole number, got "x"'),
    ("silo.chosen_on_seeds=3", "silo.chosen_on_seeds must be a list, got 3"),
    (
        "prune.prunable=everything",
        'prune.prunable must be every-weight (as released), or a mapping of norm, first, head, got "everything"',
    ),
    # numbers out of range
    ("prune.rate=-0.2", "prune.rate must be above 0 and below 1, got -0.2"),
    ("prune.rate=0", "prune.rate must be above 0 and below 1, got 0"),
    ("prune.rate=1.0", "prune.rate must be above 0 and below 1, got 1.0"),
    ("prune.rate=.nan", "prune.rate must be a finite number, got NaN"),
    ("prune.rate=.inf", "prune.rate must be a finite number, got Infinity"),
    ("prune.rate=[0.5, 1.2]", "prune.rate.1 must be above 0 and below 1, got 1.2"),
    ("prune.rate=[0.5, x]", 'prune.rate.1 must be a number, got "x"'),
    ("prune.rate=[]", "prune.rate must be a number, or hold at least 1, one for each cycle but the last, got 0"),
    (
        "prune={criterion: magnitude, scope: global, restart: keep, cycles: 4, rate: [0.2, 0.2]}",
        "prune.rate must be a number, or hold at least 3, one for each cycle but the last, got 2",
    ),
    ("silo.epsilon=0", "silo.epsilon must be at least 1e-30 and at most 1000000000, got 0"),
    ("silo.epsilon=.nan", "silo.epsilon must be a finite number, got NaN"),
    ("silo.delta=-0.1", "silo.delta must be at least 0 and at most 1000000000, got -0.1"),
    ("silo.beta=.inf", "silo.beta must be a finite number, got Infinity"),
    ("silo.delay=-1", "silo.delay must be at least 0 and at most 1000000000, got -1"),
    ("train.momentum=1.0", "train.momentum must be at least 0 and below 1, got 1.0"),
    ("train.momentum=", "train.momentum must be a number, got null"),
    ("train={epochs: 1, batch_size: 9, weight_decay: 0, shape: constant}", "train.momentum is missing"),
    (
        "train.optimizer=adamw",
        "train.momentum must be left out where optimizer is adamw, whose betas stand for it, got 0.9",
    ),
    ("train.label_smoothing=1.0", "train.label_smoothing must be at least 0 and below 1, got 1.0"),
    ("train.label_smoothing=-0.1", "train.label_smoothing must be at least 0 and below 1, got -0.1"),
    ("train.clip_norm=0", "train.clip_norm must be above 0 and at most 1000000000, got 0"),
    ("train.clip_norm=.inf", "train.clip_norm must be a finite number, got Infinity"),
    ("train.clip_norm=off", "train.clip_norm must be a number, got "),
    ("train.optimizer=adam", 'train.optimizer.kind must be one of sgd, adamw, got "adam"; did you mean adamw?'),
    ("train.optimizer=mine:Lion", 'train.optimizer.kind must be one of sgd, adamw, got "mine:Lion"'),
    ("train.optimizer=3", "train.optimizer must be one of sgd, adamw, or a mapping with kind, got 3"),
    ("train.optimizer={nesterov: true}", "train.optimizer.kind must be one of sgd, adamw, got nothing"),
    ("train.optimizer={kind: sgd, eps: 1}", "train.optimizer.eps is no field of train.optimizer;"),
    ("train.optimizer={kind: sgd, nesterov: 1}", "train.optimizer.nesterov must be true or false, got 1"),
    (
        "train={epochs: 1, batch_size: 9, momentum: 0, weight_decay: 0, shape: constant, "
        "optimizer: {kind: sgd, nesterov: true}}",
        "train.momentum must be above 0 where optimizer.nesterov is true, got 0",
    ),
    (
        "train.optimizer={kind: adamw, betas: [0.9, 1.0]}",
        "train.optimizer.betas must be two numbers, each at least 0 and below 1, got [0.9, 1.0]",
    ),
    ("train.optimizer={kind: adamw, betas: [0.9]}", "train.optimizer.betas.1 is missing"),
    (
        "train.optimizer={kind: adamw, betas: [0.9, 0.9, 0.9]}",
        "train.optimizer.betas must be of at most 2 values, got [0.9, 0.9, 0.9]",
    ),
    ("train.optimizer={kind: adamw, betas: 0.9}", "train.optimizer.betas must be a list, got 0.9"),
    (
        "train.optimizer={kind: adamw, eps: 0}",
        "train.optimizer.eps must be at least 1e-30 and at most 1000000000, got 0",
    ),
    ("train.weight_decay=-1e-4", "train.weight_decay must be at least 0 and at most 1000000000, got -0.0001"),
    ("train.batch_size=0", "train.batch_size must be at least 1 and at most 1000000, got 0"),
    ("train.epochs=0", "train.epochs must be at least 1 and at most 100000, got 0"),
    ("prune.cycles=0", "prune.cycles must be at least 1 and at most 1000000, got 0"),
    ("oracle.tolerance=-1", "oracle.tolerance must be at least 0 and at most 100, got -1"),
    ("oracle.tolerance=.nan", "oracle.tolerance must be a finite number, got NaN"),
    (
        "compute.gpus_per_trial=1.5",
        "compute.gpus_per_trial must be 0, or a share of one GPU from 0.01 to 1 (a training runs on one), got 1.5",
    ),
    ("compute.gpus_per_trial=2", "compute.gpus_per_trial must be 0, or a share of one GPU from 0.01 to 1", "got 2"),
    (
        "compute.gpus_per_trial=5e-324",
        "compute.gpus_per_trial must be 0, or a share of one GPU from 0.01 to 1",
        "got 5e-324",
    ),
    *(
        (
            f"compute.cpus_per_trial={cpus}",
            f"compute.cpus_per_trial must be at least 0.01 and at most 10000, got {shown}",
        )
        for cpus, shown in (("0", "0"), ("1e-308", "1e-308"), ("1e-5", "1e-05"), ("1e308", "1e+308"))
    ),
    ("compute.workers=0", "compute.workers must be at least 1 and at most 1000000, got 0"),
    ("compute.lanes=0", "compute.lanes must be auto, or a whole number from 1 to 1000, got 0"),
    ("compute.lanes=many", 'compute.lanes must be auto, or a whole number from 1 to 1000, got "many"'),
    ("train.precision=fp16", 'train.precision must be one of fp32, tf32, bf16, got "fp16"; did you mean bf16?'),
    ("train.precision=tf32", 'train.precision must be fp32 or bf16 where compute.gpus_per_trial is 0, got "tf32"'),
    ("model.hidden=[0]", "model.hidden must hold widths of at least 1, got [0]"),
    ("model.hidden=[1000000000000]", "model must fit into this machine's memory of ", " GB, got ", " which take "),
    (
        "model.hidden=[100000000000000000000]",
        'model must be of sizes that torch can build, got {"hidden": [100000000000000000000]}',
    ),
    ("data.augment.crop=-1", "data.augment.crop must be at least 0 and at most 1000000 pixels, got -1"),
    (
        "data.augment.area=[0.5, 0.1]",
        "data.augment.area must be two rising shares of an image in (0, 1], got [0.5, 0.1]",
    ),
    ("data.augment.area=0.5", "data.augment.area must be a list, got 0.5"),
    ("data.augment.area=[0.5]", "data.augment.area must be two rising shares of an image in (0, 1], got [0.5]"),
    # durations
    (
        "train.shape.warmup=10",
        f"train.shape.warmup must be {DURATION}, got 10",
    ),
    (
        "train.shape.warmup=10 epochs",
        f'train.shape.warmup must be {DURATION}, got "10 epochs"',
    ),
    ("train.shape.drops={13: 0.1}", f"train.shape.drops: each key must be {DURATION}, got 13"),
    (
        "train.shape.drops={13it: 0.1}",
        "train.shape.drops must be at whole epochs, such as 25ep, or at shares such as 50%, got 13it",
    ),
    (
        "train.shape.drops={1ep: 0.1, 75%: 0.01}",
        "train.shape.drops must be all at epochs or all at shares of the cycle, got 1ep, 75%",
    ),
    ("train.shape.warmup=101%", f'train.shape.warmup must be {DURATION}, got "101%"'),
    ("train.shape={kind: cosine, warmup: 0.1}", f"train.shape.warmup must be {DURATION}, got 0.1"),
    ("train.shape={kind: linear, warmup: -1ep}", f'train.shape.warmup must be {DURATION}, got "-1ep"'),
    (
        "policies.baselines.x.shape={kind: cyclical, period: 1%}",
        "policies.baselines.x.shape.period must be at least 2 iterations, got 1%, which is 0 here",
    ),
    ("prune.restart={kind: rewind, to: 10%}", "prune.restart.to must be in epochs or iterations, such as 2ep, got 10%"),
    (
        "train.shape.drops={3ep: 0.1, 2ep: 0.01}",
        "train.shape.drops must be in rising order, each place once, got 3ep, 2ep",
    ),
    ("train.shape.drops={1ep: 10}", "train.shape.drops must hold factors of max_lr in [0, 1], got 10.0 at 1ep"),
    ("train.shape={kind: cyclical, period: 1it}", "train.shape.period must be at least 1ep, 2it or 1%, got 1it"),
    (
        "prune.restart.to=5",
        f"prune.restart.to must be {DURATION}, got 5",
    ),
    (
        "prune.restart.to=3ep",
        "prune.restart.to must lie within a cycle, up to 2ep, got 3ep",
    ),  # beyond the 2 epochs of a cycle
    ("prune.restart.to=1000it", "prune.restart.to must lie within a cycle, up to 2ep, got 1000it"),  # a cycle has 10
    (
        "train.shape.drops={01ep: 0.5, 1ep: 0.2}",
        "train.shape.drops.1ep must be another duration than 01ep, got the same",
    ),
    ("prune.restart.to=\u0661it", f"prune.restart.to must be {DURATION}, got "),  # an Arabic 1
    (f"prune.restart.to={'9' * 5000}it", f"prune.restart.to must be {DURATION}, got "),
    # what would fail in the report, after all training
    (
        "oracle.seeds=[18446744073709551616]",
        "oracle.seeds.0 must be at least 0 and at most 1000000000000000000, got 18",
    ),
    ("silo.chosen_on_seeds=[18446744073709551616]", "silo.chosen_on_seeds.0 must be at least 0 and at most 10000000"),
    (f"silo.search_trainings={10**30}", "silo.search_trainings must be at least 0 and at most 1000000000, got 1000"),
    (f"silo.delay={10**30}", "silo.delay must be at least 0 and at most 1000000000, got 1000"),
    ("silo.delta=1e308", "silo.delta must be at least 0 and at most 1000000000, got 1e+308"),
    ("silo.beta=1e308", "silo.beta must be above 0 and at most 1000000000, got 1e+308"),
    ("silo.epsilon=5e-324", "silo.epsilon must be at least 1e-30 and at most 1000000000, got 5e-324"),
    ("oracle.tolerance=1e308", "oracle.tolerance must be at least 0 and at most 100, got 1e+308"),
    ("oracle.grid=[1e-320, 1e9]", "oracle.grid.0 must be at least 1e-30 and at most 1000000000, got 1e-320"),
    (
        "policies.baselines.x.max_lr=5e-324",
        "policies.baselines.x.max_lr must be at least 1e-30",
        "got 5e-324 at cycle 0",
    ),
    ("train.weight_decay=1e308", "train.weight_decay must be at least 0 and at most 1000000000, got 1e+308"),
    (
        "compute.rate={iterations_per_second: 5e-324, source: x}",
        "compute.rate.iterations_per_second must be at least 1e-06",
    ),
    (f"label={'x' * 10**5}", "label must have at most 300 characters, got 100000"),
    (f"silo.chosen={'x' * 1001}", "silo.chosen must have at most 1000 characters, got 1001"),
    (f"name={'x' * 300}", "name must have at most 100 characters (it names the run folder), got "),
    (
        f"policies.baselines.{'x' * 300}={{}}",
        "policies.baselines: each key must be a name of at most 100 characters, got ",
    ),
    # numbers that Python or YAML doesn't read
    ("silo.epsilon=1\u0661e-5", "silo.epsilon must be a number, got "),
    # what can't be planned
    (
        "prune.cycles=1000000",
        "prune.cycles, oracle.seeds and oracle.grid must ask for at most 1000000 trainings, ",
        "got 4000000 (1000000 cycles, 1 seeds,",
    ),
    (
        "oracle={grid: {low: 0.01, high: 10, points: 1000}, seeds: 1000}",
        "got 2002000 (2 cycles, 1000 seeds, 1000 values): a plan of them takes 4 GB",
    ),
    # the grid and the seeds
    (
        "oracle.grid={low: 1.0, high: 1.0001, points: 50}",
        "oracle.grid.points must be so few that all differ in 4 significant digits, got 50 of which 1 do",
    ),
    ("oracle.grid=[]", "oracle.grid must have low, high and points, or be a list of at least one value, got []"),
    ("oracle.grid={}", "oracle.grid must have low, high and points, or be a list of at least one value, got {}"),
    (
        "oracle.grid={low: 0.1, high: 1.0}",
        "oracle.grid must have low, high and points",
        ', got {"low": 0.1, "high": 1.0}',
    ),
    ("oracle.grid={low: 1.0, high: 0.1, points: 3}", "oracle.grid.low must be below high (0.1), got 1.0"),
    ("oracle.grid.low=0", "oracle.grid.low must be at least 1e-30 and at most 1000000000, got 0"),
    ("oracle.grid.points=1", "oracle.grid.points must be at least 2 and at most 10000, got 1"),
    ("oracle.grid.spacing=cubic", 'oracle.grid.spacing must be one of log, linear, got "cubic"'),
    ("oracle.grid=[0.1, -1]", "oracle.grid.1 must be at least 1e-30 and at most 1000000000, got -1"),
    ("oracle.grid=[0.1, .nan]", "oracle.grid.1 must be a finite number, got NaN"),
    (
        "oracle.grid={low: 1e-20, high: 1e+200, points: 3}",
        "oracle.grid.high must be at least 1e-30 and at most 1000000000, got 1e+200",
    ),
    *(
        (f"oracle.seeds={number}", f'oracle.seeds must be a list, got "{number}"')  # texts to YAML 1.1
        for number in ("0o17", "08")
    ),
    ("oracle.seeds=0", "oracle.seeds must be a number of at least 1, or a list of different seeds, got 0"),
    ("oracle.seeds=-1", "oracle.seeds must be a number of at least 1, or a list of different seeds, got -1"),
    ("oracle.seeds=[]", "oracle.seeds must be a number of at least 1, or a list of different seeds, got []"),
    (
        "oracle.seeds=[0, 1, 0]",
        "oracle.seeds must be a number of at least 1, or a list of different seeds, got [0, 1, 0]",
    ),
    ("oracle.seeds=[-1]", "oracle.seeds.0 must be at least 0 and at most 1000000000000000000, got -1"),
    ("oracle.seeds=1.5", "oracle.seeds must be a list, got 1.5"),
    ("oracle.seeds=10001", "oracle.seeds must be at most 10000, got 10001"),
    (f"oracle.seeds={list(range(10001))}", "oracle.seeds must be a list of at most 10000 seeds, got 10001"),
    # names that nothing has
    (
        "data=mnist",
        "data.source must be one of digits, mnist1d, folder, cifar10,",
        'or your own module.path:attribute, got "mnist"',
    ),
    (
        "data={path: x}",
        "data.source must be one of digits, mnist1d, folder, cifar10,",
        "or your own module.path:attribute, got nothing",
    ),
    (
        "data.split=holdout",
        'data.split.kind must be one of pooled, carve, draw, or your own module.path:attribute, got "holdout"',
    ),
    (
        "model=resnet21",
        "model.name must be one of mlp, small-cnn,",
        'or your own module.path:attribute, got "resnet21"; did you mean resnet20?',
    ),
    (
        "model.init=xavier",
        "model.init must be one of kaiming, released, default,",
        'or your own module.path:attribute, got "xavier"',
    ),
    ("model={name: vgg19, classifier: cifar}", 'model.classifier must be one of imagenet, linear, got "cifar"'),
    ("model={name: vit-small, heads: 3}", "model.heads must be a divisor of the width 256, got 3"),
    ("model={name: vit-small, depth: 1000000000}", "model.depth must be in [1, 100], got 1000000000"),
    ("model=vgg19", "model must fit this data, got vgg19: channels", "1"),
    (
        "train.shape=cosin",
        "train.shape.kind must be one of warmup-step, constant,",
        'or your own module.path:attribute, got "cosin"; did you mean cosine?',
    ),
    (
        "prune.criterion=magnitud",
        "prune.criterion must be one of magnitude, movement,",
        'or your own module.path:attribute, got "magnitud"; did you mean magnitude?',
    ),
    ("prune.scope=local", 'prune.scope must be one of global, layer, got "local"; did you mean global?'),
    (
        "prune.restart=rewnd",
        "prune.restart.kind must be one of reinit, rewind,",
        'or your own module.path:attribute, got "rewnd"; did you mean rewind?',
    ),
    ("oracle.follow=both", 'oracle.follow must be one of silo, oracle, got "both"'),
    ("oracle.level=0.5", "oracle.level must be above 0 and below 0.5, got 0.5"),
    ("oracle.search=clever", 'oracle.search must be one of exhaustive, adaptive, racing, until-decided, got "clever"'),
    (
        "oracle.search=3",
        "oracle.search must be exhaustive, adaptive, racing or until-decided, or a mapping of kind and share, got 3",
    ),
    ("oracle.search=until-decided", "oracle.seeds must be at least 3 where search is until-decided, got 1"),
    (
        "oracle={grid: [0.1, 1.0], seeds: 3, follow: oracle, search: until-decided}",
        'oracle.follow must be silo where search is until-decided, got "oracle"',
    ),
    (
        "oracle.search={kind: until-decided, share: 0.5}",
        "oracle.search.share must be null where kind is until-decided (only adaptive has one), got 0.5",
    ),
    ("oracle.search={kind: adaptive, share: 1}", "oracle.search.share must be above 0 and below 1, got 1"),
    (
        "oracle.search={kind: racing, share: 0.5}",
        "oracle.search.share must be null where kind is racing (only adaptive has one), got 0.5",
    ),
    # data that isn't there, or can't be what is asked of it
    ("data={source: folder}", "data.path is missing"),
    ("data={source: folder, path: 5}", "data.path must be a string, got 5"),
    ("data={source: folder, path: images, size: 100000000}", "data.size must be at most 4096 pixels, got 100000000"),
    ("data={source: folder, path: images, size: 0}", "data.size must be at least 1 pixel, got 0"),
    (
        "data={source: folder, path: nowhere}",
        "data.path must be an existing folder with train/CLASS/*.jpg, got 'nowhere'",
    ),
    (
        "data={source: folder, path: e.yaml}",
        "data.path must be an existing folder with train/CLASS/*.jpg, got 'e.yaml'",
    ),
    (
        "data={source: folder, path: classless}",
        "data.path must hold one folder for each class in 'classless/train', got none",
    ),
    (
        "data={source: folder, path: imageless}",
        "data.path must hold images (.jpg, .jpeg, .png, .bmp, .webp) in 'imageless/train', got none",
    ),
    (
        "data={source: folder, path: corrupt}",
        "data.path must hold readable images, got 'corrupt/train/b/1.png', which can't be read",
    ),
    (
        "data={source: folder, path: dangling}",
        "data.path must hold readable files, got 'dangling/train/b/2.png' (No such file or directory)",
    ),
    (f"data={{source: folder, path: {'x' * 300}}}", "data must be readable, got 'xxx", "(File name too long)"),
    ("data={source: folder, path: ~nobody-here}", "data must be readable, got an error: Could not determine home"),
    ("data={source: folder, path: alike}", "data must hold images of at least two classes, got only 'a'"),
    (
        "data={source: folder, path: oblong}",
        "data.path must hold square images of one size (or set size), got 8x9 in 'oblong/train/a/2.png'",
    ),
    (
        "data={source: folder, path: images, split: carve}",
        "data.split.kind must be pooled where a source has no official test set, got carve",
    ),
    (
        "data={source: folder, path: images}",
        "data.split must leave images for every part, got no validation images of 2",
    ),
    (
        "data={source: cifar10, path: nowhere, download: false}",
        "data.path must hold an intact CIFAR-10 (none could be downloaded), got 'nowhere'",
    ),
    (
        "data={source: cifar100, path: nowhere, download: false}",
        "data.path must hold an intact CIFAR-100 (none could be downloaded), got 'nowhere'",
    ),
    (
        "data={source: tiny-imagenet, path: nowhere}",
        "data.path must be an existing folder with train/, val/ and wnids.txt, got 'nowhere'",
    ),
    (
        "data={source: imagenet, path: images}",
        "data.path must hold train/WNID/*.JPEG and val/WNID/*.JPEG, got 'images' without val/",
    ),
    ("data={source: imagenet, path: streamed, loaders: -1}", "data.loaders must be at least 0, got -1"),
    (
        "data={source: imagenet, path: streamed, split: carve}",
        "data.split must leave images for every part, got no validation images of 4",
    ),
    (STREAMED, "data.normalize must have mean and std where images stream, got none"),
    (
        STREAMED[:-1] + ", augment: {crop: 4}}",
        "data.augment.crop must be 0 where images stream (area is for them), got 4",
    ),
    (
        "data.augment.area=[0.08, 1]",
        "data.augment.area must be none where images lie in memory (crop is for them), got [0.08, 1.0]",
    ),
    (
        "data.augment.crop=3000",
        "data.augment.crop must be at most 8, the images' size, got 3000: padded, 500 images would take 18 GB",
    ),
    ("data.split=carve", "data.split.kind must be pooled where a source has no official test set, got carve"),
    (
        "data.split.validation=0.9",
        "data.split.validation and test must be above 0 and together below 1, got 0.9 and 0.2",
    ),
    ("data.limit.train=0", "data.limit.train must be at least 1 and at most 1000000, got 0"),
    ("data.limit.train=1", "data.split must leave images for every part, got no validation images of 1"),
    (
        "data.normalize={mean: [0.5]}",
        "data.normalize.mean and std must both be given, in one length, or neither, got [0.5] and none",
    ),
    ("data.normalize={mean: [0.5], std: [0]}", "data.normalize.std must hold numbers above 0, got [0.0]"),
    (
        "data.normalize={mean: [0.5, 0.5], std: [1, 1]}",
        "data.normalize must have a mean and std for each channel (1 here), got 2",
    ),
]


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row[0][:60])
def test_a_bad_field_is_named_with_its_file(refused, row):
    override, *fragments = row
    names(refused("run", "e.yaml", "--local", "--set", override), "silo-oracle: e.yaml: ", *fragments)


def test_plan_refuses_a_size_without_a_look_at_known_data(refused):
    data = "data={source: imagenet, path: nowhere, size: 100000000}"
    names(refused("plan", "e.yaml", "--set", data), "e.yaml: data.size must be at most 4096 pixels, got 100000000")


@pytest.mark.parametrize(
    ("data", "augment"),
    [
        ("{source: digits, augment: {crop: 3000}}", "crop must be at most 8"),
        ("{source: digits, augment: {area: [0.5, 1]}}", "area must be none where"),
        ("{source: imagenet, path: nowhere, augment: {crop: 4}}", "crop must be 0 where"),
    ],
)
def test_plan_refuses_an_augmentation_without_a_look_at_known_data(refused, data, augment):
    model = "model={name: mlp, hidden: [4]}"
    names(refused("plan", "e.yaml", "--set", f"data={data}", "--set", model), f"e.yaml: data.augment.{augment}")


OVERRIDES = [
    (
        "prune.rate=!!bool maybe",
        "--set prune.rate=!!bool maybe: not YAML that can be read: a value is none of its tag's",
    ),
    ('label="\\ud800"', "--set label=", "line 1: must be of Unicode characters, got half of a surrogate pair"),
    (f"silo.delay={'9' * 5000}", "line 1: must hold numbers of at most 100 digits, got one of 5000 characters"),
    (f"silo.delay=0x{'f' * 5000}", "line 1: must hold numbers of at most 100 digits, got one of 5002 characters"),
    ("silo.delay=!!int ''", "--set silo.delay=!!int '', line 1: must hold numbers as plain decimals", "got none"),
    ("label=" + "[" * 10**5, "line 1: must be at most 50 lists and mappings deep, got more"),
    ("label=" + "x" * 2**20 + "y", "must be a text of at most 1048576 characters, got 1048577"),
    ("oracle.seeds=[" + "1," * 50_001 + "]", "line 1: must hold at most 50000 keys and values, got more"),
]


@pytest.mark.parametrize("row", OVERRIDES, ids=lambda row: row[0][:60])
def test_a_bad_override_is_named(refused, row):
    override, *fragments = row
    names(refused("plan", "e.yaml", "--set", override), f"--set {override[:70]}", *fragments)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("command", ["run e.yaml --local", "run e.yaml", "plan e.yaml --calibrate"])
def test_a_gpu_that_is_not_there(refused, command):
    line = refused(*command.split(), "--set", "compute.gpus_per_trial=1")
    names(line, "silo-oracle: e.yaml: ", "compute.gpus_per_trial must be 0 where no CUDA GPU is visible, got 1")


WITHOUT = [
    (section, f"{section} is missing") for section in ("name", "data", "model", "train", "prune", "silo", "oracle")
]
FILES = [
    ("", "e.yaml: must be a mapping of name, label, data", ", got null"),
    ("- name: tiny", "e.yaml: must be a mapping of name, label, data", ', got [{"name": "tiny"}]'),
    ("tiny", "e.yaml: must be a mapping of name, label, data", ', got "tiny"'),
    (
        EXPERIMENT.replace("workers: 1", "workers: 010"),
        "e.yaml, line ",
        "must hold numbers as plain decimals",
        "got 010",
    ),
    (EXPERIMENT.replace("epochs:", "\tepochs:"), "line ", "not YAML"),
    (EXPERIMENT.replace("name: tiny", "name: [tiny"), "not YAML"),
    (EXPERIMENT + "---\nname: two", "not YAML", "another document"),
    (EXPERIMENT.replace("name: tiny", "name: *tiny"), "line 1", "not YAML", "undefined alias"),
    (EXPERIMENT.replace("name: tiny", "name: !!python/object:os.system tiny"), "line 1", "not YAML"),
    (EXPERIMENT.replace("name: tiny", "name: 2026-02-30"), "not YAML"),
    (EXPERIMENT.replace("name: tiny", "name: !!map [tiny]"), "not YAML"),
    (
        EXPERIMENT.replace("name: tiny", "name: &me [*me]"),
        "e.yaml, line 1: must be a tree, got a value that holds itself",
    ),
    (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in itertools.pairwise("abcdefghi")),
        "e.yaml, line 5: must hold at most 50000 keys and values, got more",
    ),
    (f"a: &a {'x' * 10**5}\nb: [{'*a, ' * 2000}]", "e.yaml, line 2: must hold at most 1048576 characters, got more"),
    (EXPERIMENT.replace("name: tiny", "name: tiny\nname: two"), "line ", "name is given twice"),
    (EXPERIMENT.replace("seeds:", "seeds: 1\n  seeds:"), "line ", "seeds is given twice"),
    *((yaml.safe_dump({k: v for k, v in TREE.items() if k != section}), text) for section, text in WITHOUT),
]


@pytest.mark.parametrize("row", FILES, ids=lambda row: row[0][:30] or "empty")
def test_a_bad_file_is_named(refused, row):
    text, *fragments = row
    Path("e.yaml").write_text(text)
    names(refused("plan", "e.yaml"), "silo-oracle: e.yaml", *fragments)


FITS = () if "optuna" in MISSING else ("fit",)
NO_RUN = "must be a folder that `run` filled, got no run folder"
NO_STUDY = "must be a run folder, or one that `silo-oracle publish` made, got "
FOUND = {"nowhere": "no folder\n", "full": "a folder without a study\n", "e.yaml": "a file\n"}
NOT_FREE = "must be a new or empty folder or a run folder, got something else (no study.json)"
ANOTHER = "run must belong to this experiment, got another one:"
NO_PUBLICATION = "must be a new or empty folder, or hold nothing but an older publication of tiny, got "
COMMANDS = [
    # no such file
    ("plan nowhere.yaml", "nowhere.yaml must be a readable YAML file, got: No such file or directory"),
    ("run nowhere.yaml", "nowhere.yaml must be a readable YAML file, got: No such file or directory"),
    ("schedule nowhere.yaml", "nowhere.yaml must be a readable YAML file, got: No such file or directory"),
    ("plan full", "full must be a readable YAML file, got: Is a directory"),
    ("plan binary.yaml", "binary.yaml must be a readable YAML file, got: not a text file"),
    (f"plan {'x' * 300}", "x must be a readable YAML file, got: File name too long"),
    (f"status {'x' * 300}", "x/study.json must be readable, got: File name too long"),
    *(
        (f"{command} {'x' * 300}", "xx", "ile name too long")
        for command in ("report", "publish", "table", "merge run", *FITS)
    ),
    *((f"{command} {'x' * 300}", "xx", "ile name too long") for command in ("publish done --to", "table done --to")),
    ("y" * 10**6, "argument COMMAND: invalid choice: 'yyy", "; see silo-oracle --help"),
    ("tune e.yaml --trainings " + "1" * 5000, "argument --trainings: must be a whole number above 0, got 111"),
    ("publish done --to loop", "loop must be no link, got one to loop"),
    ("publish done --to loop/there", "loop must be a place where a folder can be made"),
    ("run e.yaml --local --seeds\x1b[2J", "unrecognized arguments: --seeds [2J;"),
    # overrides
    ("plan e.yaml --set", "--set", "expected one argument"),
    ("plan e.yaml --set seeds", "--set must be FIELD=VALUE, such as oracle.seeds=5, got seeds"),
    ("plan e.yaml --set =3", "--set must be FIELD=VALUE, such as oracle.seeds=5, got =3"),
    ("plan e.yaml --set name.first=x", '--set name.first=x: name must be a mapping, got "tiny"'),
    ("plan e.yaml --set oracle.seeds=[", "--set oracle.seeds=[", "not YAML"),
    ("plan e.yaml --set oracle..seeds=3", "e.yaml: oracle. is no field of oracle; it must be one of grid, seeds"),
    # the command line itself
    ("", "COMMAND", "silo-oracle --help"),
    ("prune", "prune", "plan", "run", "status", "report", "publish", "schedule"),
    ("plan", "required: FILE"),
    ("status", "required: DIR"),
    ("plan e.yaml twice.yaml", "unrecognized arguments: twice.yaml"),
    ("plan e.yaml --fast", "unrecognized arguments: --fast"),
    # the power of a plan
    ("plan e.yaml --pilot", "--pilot", "expected one argument"),
    ("plan e.yaml --pilot nowhere", f"nowhere {NO_STUDY}no folder\n"),
    ("plan e.yaml --pilot full", f"full {NO_STUDY}a folder without a study\n"),
    ("plan e.yaml --pilot run", "--pilot must be a finished run, got run, where trainings are missing:"),
    ("plan e.yaml --pilot done --noise 1", "--pilot must be given without --noise and --curvature, got --noise 1"),
    ("plan e.yaml --noise 1", "--noise and --curvature must be given together, got --noise 1 alone"),
    ("plan e.yaml --curvature 1", "--noise and --curvature must be given together, got --curvature 1 alone"),
    ("plan e.yaml --noise 0 --curvature 1", "--noise: must be a number above 0, got 0"),
    ("plan e.yaml --noise inf --curvature 1", "--noise: must be a number above 0, got inf"),
    ("plan e.yaml --noise low --curvature 1", "--noise: must be a number above 0, got low"),
    ("plan e.yaml --noise 1 --curvature -1", "--curvature: must be a number of at least 0, got -1"),
    ("run e.yaml --local=yes", "--local"),
    ("run e.yaml --calibrate", "unrecognized arguments: --calibrate"),
    ("schedule e.yaml --out x", "--out"),
    ("run e.yaml --out", "--out", "expected one argument"),
    # folders that are no run folders
    *((f"{command} nowhere", f"nowhere {NO_RUN}", "study.json") for command in ("status", "report", "publish")),
    *((f"{command} empty", f"empty {NO_RUN}", "study.json") for command in ("status", "report", "publish")),
    *((f"{command} full", f"full {NO_RUN}", "study.json") for command in ("status", "report", "publish")),
    ("status e.yaml", f"e.yaml {NO_RUN}"),
    *(
        (
            f"table {folder}",
            f"{folder} {NO_STUDY}{found}",
        )
        for folder, found in FOUND.items()
    ),
    ("table", "required: DIR"),
    ("table foreign", "foreign/study.json"),
    ("table done done", "experiments must have different names, got tiny twice"),
    ("table done --cycles 0,x", "--cycles: must be numbers such as 0,4,9, got 0,x"),
    ("table done --cycles 7", "cycles must be of 0, 1, got 7"),
    ("table done --published nowhere.yaml", "nowhere.yaml must be a readable YAML file"),
    (
        "table done --published e.yaml",
        "e.yaml: name is no field of published figures; it must be one of source, experiment, accuracy",
    ),
    (
        "plan e.yaml --out full",
        f"full {NOT_FREE}",
    ),
    ("run e.yaml --out full", f"full {NOT_FREE}"),
    ("run e.yaml --out binary.yaml", f"binary.yaml {NOT_FREE}"),
    ("run e.yaml --out binary.yaml/run", "binary.yaml/run"),
    ("run e.yaml --local --out /proc/silo-oracle/run", "/proc/silo-oracle/run"),  # nobody may write there
    # run folders of something else, or damaged
    (
        "run e.yaml --local --out run --set train.epochs=3",
        f"{ANOTHER} train.epochs is 2 there and 3 here",
    ),
    (
        "plan e.yaml --out run --set data.limit.train=400",
        f"{ANOTHER} data.digest",
        "--out",
    ),
    ("run e.yaml --local --out foreign", "foreign/study.json must be a study that `run` wrote"),
    *((f"{command} foreign", "foreign/study.json") for command in ("status", "report", "publish")),
    *((f"{command} list", "list/study.json") for command in ("status", "report", "publish")),
    ("run e.yaml --local --out list", "list/study.json"),
    ("status garbage", "garbage/study.json must be readable JSON, got", "restore it, or delete it: `silo-oracle run`"),
    ("run e.yaml --local --out garbage", "garbage/study.json must be readable JSON, got"),
    ("status old", "old/study.json: data is missing"),
    *(
        (f"{command} torn", "torn/records/", ".json must be readable JSON, got")
        for command in ("status", "report", "publish")
    ),
    *(
        (f"{command} --out torn", "torn/records/", ".json must be readable JSON, got")
        for command in ("plan e.yaml", "plan e.yaml --calibrate", "run e.yaml")
    ),
    (
        "plan e.yaml --calibrate --set data.source=folder --set data.path=nowhere",
        "e.yaml: data.path must be an existing folder with train/CLASS/*.jpg, got 'nowhere'",
    ),
    *(
        (f"{command} changed", "changed/records/", "must be as it was written, got another checksum")
        for command in ("status", "report", "publish", "run e.yaml --local --out", "plan e.yaml --out")
    ),
    # merging
    ("merge done", "required: OTHER"),
    *((f"merge done {folder}", f"{folder} {NO_RUN}") for folder in ("nowhere", "full", "e.yaml")),
    ("merge nowhere done", f"nowhere {NO_RUN}"),
    ("merge done done", "done must be a folder apart from the one it is merged into, got one that is done"),
    ("merge done done/report", "done/report must be a folder apart"),
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
    ("publish run", "run must hold a recorded training, got none"),
    (
        "publish done --to full",
        f"full {NO_PUBLICATION}",
    ),  # thesis.txt is no earlier publication
    ("publish done --to e.yaml", f"e.yaml {NO_PUBLICATION}a file"),
    ("publish done --to done", "done must be a place apart from the run folder"),
    ("publish done --to done/report", "done/report must be a place apart from the run folder"),
    ("publish done --to .", "."),
]


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row[0][:60] or "nothing")
def test_a_bad_command(refused, row):
    command, *fragments = row
    if fragments[0].startswith("--address must") or "binary.yaml/run" in fragments:  # found out beside Ray
        needs("ray")
    names(refused(*command.split()), *fragments)


def test_a_run_folder_in_use(refused):
    with Path("run/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        names(
            refused("run", "e.yaml", "--local", "--out", "run"),
            "run must be free, got another run at work in this folder",
        )


ODD = [None, "", [], {}, True, -1, 0, 0.5, 1e-20, 1e308, math.nan, math.inf, 10**20, 10**400]
ODD += ["x", "1ep", "0ep", "\u00e9\n", [1], ["x"], [[1]], [None], {"a": 1}, {1: 2}, {"kind": None}, {"name": []}]
MUCH = {
    ("prune", "cycles"),
    ("oracle", "seeds"),
    ("oracle", "grid", "points"),
    ("train", "epochs"),
}  # fine, and long


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
            experiment = validate(tree, "e.yaml")
        except InputError as error:
            assert str(error).startswith(f"e.yaml: {path[0]}")
            assert "\n" not in str(error)
            continue
        digest(experiment.training("data"))
        rates = [*experiment.oracle.grid.values(), *map(experiment.schedule.max_lr, range(60))]
        assert all(rate > 0 and math.isfinite(rate) for rate in rates)
        assert validate(experiment.model_dump(mode="json"), "e.yaml") == experiment
