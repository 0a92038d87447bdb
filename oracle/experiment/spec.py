"""Experiment: the one validated description of a study."""

import re
from typing import Any

from pydantic import ConfigDict, PrivateAttr, ValidationInfo, field_validator, model_validator

from oracle.experiment.checks import check
from oracle.experiment.component import Strict, one_of
from oracle.experiment.compute import Compute
from oracle.experiment.import_path import code_of, import_paths, target_of
from oracle.experiment.imported import Imported
from oracle.experiment.parts import PLAIN_SGD, Data, Model, Oracle, Prune, Silo, Train
from oracle.experiment.policy import Baseline, Policies
from oracle.experiment.redaction import redact
from oracle.experiment.words import LONGEST_NAME, Label
from oracle.hashing import digest
from oracle.plain_text import one_line
from silo.data import SOURCES
from silo.model import MODELS
from silo.pruning_rule import CRITERIA, Pruning
from silo.recipe import Recipe
from silo.schedule import Schedule, SiloSchedule

# options of train that came later, with what a training that doesn't name them has always meant
UNSAID = {"momentum": None, "precision": "fp32", "optimizer": PLAIN_SGD, "label_smoothing": 0.0, "clip_norm": None}
SCHEMA = 1  # part of every cell's id: raise it when the meaning of a field changes


class Experiment(Strict):
    """A whole study.

    Args:
        name: Names the run folder: at most 100 letters, digits, . _ - and first a letter or digit.
        label: Names the problem in titles and tables, such as "ResNet-20, CIFAR-10 (JPEG q75)", by at most 300 characters;
            "": the name does.
        data: The images: a source's name or import path, its options, and those of :class:`Data`.
        model: The network: a name or import path, its options, and those of :class:`Model`.
        train: How each cycle is trained.
        prune: What goes at the end of a cycle, and what the next one starts from.
        silo: SILO's parameters.
        oracle: The search for the best max_lr of every cycle.
        policies: The schedules that SILO is compared with.
        compute: What the trainings run on.
    """

    model_config = ConfigDict(title="an experiment")  # as errors call it

    name: str
    label: Label = ""
    data: one_of("source", SOURCES, Data)
    model: one_of("name", MODELS, Model, context=3)
    train: Train
    prune: Prune
    silo: Silo
    oracle: Oracle
    policies: Policies = Policies()
    compute: Compute = Compute()
    _recorded: Imported | None = PrivateAttr(None)  # of what is read from a record; None: all is imported

    @field_validator("name")
    @classmethod
    def _folder_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ValueError("must be of letters, digits, . _ - (it names the run folder)")
        if len(name) > LONGEST_NAME:
            raise ValueError(f"must have at most {LONGEST_NAME} characters (it names the run folder)")
        return name

    @model_validator(mode="after")
    def _parts_fit_together(self, info: ValidationInfo) -> "Experiment":
        self._recorded = info.context
        check(self)
        return self

    @property
    def schedule(self) -> SiloSchedule:
        """SILO's max_lr by cycle."""
        return SiloSchedule(
            self.silo.epsilon, self.silo.delta, self.silo.beta, self.silo.delay, prune_rate=self.prune.rate
        )

    @property
    def schedule_text(self) -> str:
        """By what SILO's formula goes where prune.rate is a list; empty where it is one number, as published."""
        if not isinstance(self.prune.rate, tuple):
            return ""
        after = f"of those alive in cycle {self.silo.delay}"
        return f"prune.rate is a list: SILO's formula goes by the weights remaining {after} (silo.delay)."

    @property
    def baselines(self) -> dict[str, Baseline]:
        """The policies that SILO is compared with, by name."""
        return self.policies.baselines

    def baseline_schedule(self, baseline: str) -> Schedule | None:
        """The max_lr by cycle that a baseline gives.

        Args:
            baseline: The name of one of the policies.

        Returns:
            None where its max_lr is searched, or each cycle's chosen by a range test.
        """
        schedule = self.baselines[baseline].max_lr
        if schedule is None:
            return None
        if self._recorded is not None and ":" in schedule.kind:
            return self._recorded.schedule(baseline)
        return schedule.make(prune_rate=self.prune.rate)

    @property
    def is_recorded(self) -> bool:
        """Whether this is what a record holds: it can be read, but the parts that it imports can't be made."""
        return self._recorded is not None

    @property
    def imported(self) -> Imported:
        """What reading this experiment's records needs of the parts that it imports."""
        if self._recorded is not None:
            return self._recorded
        code, max_lr = {str(path): path.code for path in import_paths(self)}, {}
        for name, baseline in self.baselines.items():
            if any(import_paths(baseline.max_lr)):
                schedule = self.baseline_schedule(name)
                max_lr[name] = tuple(float(schedule.max_lr(cycle)) for cycle in range(self.prune.cycles))
        return Imported(code=code, max_lr=max_lr)

    @property
    def search_grid(self) -> tuple[float, ...]:
        """The values among which a baseline's max_lr is searched."""
        return (self.policies.search.grid or self.oracle.grid).values()

    @property
    def dense_searched_by(self) -> str | None:
        """A baseline whose search trains the dense network as SILO's is, at every value of the Oracle's grid; or None."""
        if not set(self.oracle.grid.values()) <= set(self.search_grid):
            return None
        searched = [name for name, baseline in self.baselines.items() if baseline.is_searched]
        return next((name for name in searched if self.under(name).training("") == self.training("")), None)

    def search_trainings(self, baseline: str) -> int | None:
        """How many trainings choose a baseline's max_lr.

        Args:
            baseline: The name of one of the policies.

        Returns:
            None where the experiment doesn't state it.
        """
        part = self.baselines[baseline]
        if part.max_lr is not None:
            return part.search_trainings
        if part.range_test is not None:
            return self.prune.cycles * len(self.oracle.seeds)
        cycles = self.prune.cycles if self.policies.search.over == "trajectory" else 1
        return len(self.search_grid) * len(self.oracle.seeds) * cycles

    def under(self, baseline: str) -> "Experiment":
        """This experiment with a baseline's shape and restart: how its cells are trained.

        Args:
            baseline: The name of one of the policies.
        """
        part = self.baselines[baseline]
        train = self.train.model_copy(update={"shape": part.shape or self.train.shape})
        prune = self.prune.model_copy(update={"restart": part.restart or self.prune.restart})
        return self.model_copy(update={"train": train, "prune": prune})

    def range_tests(self, baseline: str) -> "Experiment":
        """This experiment as a baseline's range tests are trained: as its own cycles, at a rate that rises to the end.

        Args:
            baseline: The name of one of the policies that has a range test.
        """
        under, shape = self.under(baseline), self.baselines[baseline].range_test.shape()
        return under.model_copy(update={"train": under.train.model_copy(update={"shape": shape})})

    @property
    def variants(self) -> list["Experiment"]:
        """This experiment in every way that its cells are trained: its own, each baseline's, and those of range tests."""
        tested = [name for name, baseline in self.baselines.items() if baseline.range_test is not None]
        return [self, *map(self.under, self.baselines), *map(self.range_tests, tested)]

    @property
    def chosen_on(self) -> str:
        """The part of the data on which the epoch and the best max_lr are chosen: validation, or (as released) test."""
        return "test" if self.train.choose == "test-best" else "validation"

    @property
    def title(self) -> str:
        """The label, which says so where the choice was made on test, or the arithmetic isn't single precision."""
        title, remarks = one_line(self.label) or self.name, []
        if self.chosen_on == "test":
            remarks.append("chosen on test, as released")
        if self.train.precision != "fp32":
            remarks.append(self.train.precision)
        return f"{title} ({', '.join(remarks)})" if remarks else title

    @property
    def recipe(self) -> Recipe:
        """How a cycle is trained."""
        part = self.train
        return Recipe(
            part.epochs,
            part.batch_size,
            0.0 if part.momentum is None else part.momentum,
            part.weight_decay,
            part.shape.make(),
            self.data.augment.make(),
            part.choose,
            part.precision,
            part.optimizer.make(),
            part.label_smoothing,
            part.clip_norm,
        )

    @property
    def pruning(self) -> Pruning:
        """What goes at the end of a cycle."""
        part = self.prune
        return Pruning(target_of(CRITERIA, part.criterion), part.scope, part.rate, **part.prunable.model_dump())

    def redacted(self) -> dict[str, Any]:
        """The experiment as JSON holds it, every default written out, the data source's options redacted."""
        fields = self.model_dump(mode="json")
        fields["data"] |= redact({name: fields["data"][name] for name in self.data.options})
        return fields

    def training(self, data_digest: str) -> dict[str, Any]:
        """All that a training depends on beside seed, cycle, max_lr and start state, every default written out.

        Not in it: names, where the data lies (its digest stands for the images), the study (cycles, grid, seeds, SILO's
        parameters, tolerance, follow) and what it is computed on (the environment is in each record).
        Where parts are imported by their path, a hash of their code is in it.

        Args:
            data_digest: The digest of the images.
        """
        data = self.data.model_dump(mode="json", include={"split", "augment", "normalize"})
        prune = self.prune.model_dump(mode="json", exclude={"cycles"})
        train = self.train.model_dump(mode="json")
        train = {name: value for name, value in train.items() if name not in UNSAID or value != UNSAID[name]}
        code = code_of(self.data.split, self.model, self.train, self.prune)
        return {
            "schema": SCHEMA,
            "data": {"digest": data_digest, **data},
            "model": self.model.model_dump(mode="json"),
            "train": train,
            "prune": prune,
            **({"code": code} if code else {}),
        }

    def training_digest(self, data_digest: str) -> str:
        """A hash of :meth:`training`, which takes the same argument."""
        return digest(self.training(data_digest))
