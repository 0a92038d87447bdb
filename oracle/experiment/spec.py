"""Experiment: the one validated description of a study."""

import re
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, field_validator, model_validator

from oracle.experiment.component import Component, Strict, component, name_of, one_of
from oracle.experiment.compute import Compute
from oracle.experiment.grid import Grid, MaxLr
from oracle.experiment.import_path import code_of, target_of
from oracle.experiment.number import Count, NotNegative, Positive, Seed, Share
from oracle.experiment.policy import AnyRestart, AnyShape, Baseline, Policies
from oracle.experiment.redaction import first_private, redact
from oracle.experiment.search import Search
from oracle.hashing import digest
from silo.criterion import CRITERIA
from silo.cycle import Pruning
from silo.data import SOURCES
from silo.data.augment import Augment
from silo.data.split import SPLITS, Normalize
from silo.mask import SCOPES
from silo.model import MODELS
from silo.model.initialization import INITIALIZATIONS
from silo.recipe import Recipe
from silo.schedule import SiloSchedule

SCHEMA = 1  # part of every cell's id: raise it when the meaning of a field changes
DENSE = "dense"  # the digest of the start state of cycle 0


class Limit(Strict):
    """At most so many training and official test images, the same random subset for every seed; null: all."""

    train: Count | None = None
    test: Count | None = None


class Data(Component):
    """What every data source has beside its own options."""

    split: one_of("kind", SPLITS) = Field({"kind": "pooled"}, validate_default=True)
    augment: component(Augment) = Field({}, validate_default=True)
    normalize: component(Normalize) = Field({}, validate_default=True)
    limit: Limit = Limit()


class Model(Component):
    """What every network has beside its own options."""

    init: name_of(INITIALIZATIONS) = "kaiming"

    @model_validator(mode="after")
    def _builds(self) -> "Model":
        try:
            with torch.device("meta"):  # checks the options without making a weight
                self.make(3, 32, 10)
        except (RuntimeError, TypeError, OverflowError) as error:  # torch's, for a size it can't make
            options = ", ".join(f"{name}: {getattr(self, name)}" for name in self.options)
            raise ValueError(f"{options}: torch can't build this; smaller sizes are allowed") from error
        return self


class Train(Strict):
    """How each cycle is trained: SGD on cross entropy, the rate max_lr * shape.

    choose     the epoch that is reported, and the Oracle's value: by validation, or as the released code does ("test-best")
    precision  of the network's arithmetic (silo.precision)
    """

    epochs: Count
    batch_size: Count
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: NotNegative
    shape: AnyShape
    choose: Literal["validation", "test-best"] = "validation"
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"


class Prunable(Strict):
    """Which weights may be pruned beside the inner layers': normalization's, the first layer's, the classifier's."""

    norm: bool = False
    first: bool = True
    head: bool = True

    @model_validator(mode="before")
    @classmethod
    def _every_weight(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value != "every-weight":
                raise ValueError("allowed: every-weight (as released), or a mapping of norm, first, head")
            return {"norm": True, "first": True, "head": True}
        return value


class Prune(Strict):
    """The pruning loop."""

    criterion: name_of(CRITERIA)
    scope: name_of(SCOPES)
    rate: Share
    cycles: Count
    restart: AnyRestart
    prunable: Prunable = Prunable()


class Silo(Strict):
    """SILO's four parameters, and how they were chosen: in words, on which seeds of this very problem, and by how many
    trainings of one cycle (null: not stated).
    """

    epsilon: MaxLr
    delta: NotNegative
    beta: Positive
    delay: Annotated[int, Field(ge=0)]
    chosen: str = "not said"
    chosen_on_seeds: tuple[Seed, ...] = ()
    search_trainings: Annotated[int, Field(ge=0)] | None = None


class Oracle(Strict):
    """The search. tolerance: in points of accuracy; follow: whose masks the candidates start from; search: whether it tries
    every grid value in every seed; level: how often the statistics of a cycle may err.
    """

    grid: Grid
    seeds: tuple[Seed, ...]
    tolerance: NotNegative = 0.5
    follow: Literal["silo", "oracle"] = "silo"
    search: Search = Search()
    level: Annotated[float, Field(gt=0, lt=0.5)] = 0.05

    @model_validator(mode="before")
    @classmethod
    def _count_of_seeds(cls, value: Any) -> Any:
        if isinstance(value, dict) and type(value.get("seeds")) is int and value["seeds"] <= 10**4:
            value = {**value, "seeds": tuple(range(value["seeds"]))}
        return value

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds or len(set(seeds)) < len(seeds):
            raise ValueError("allowed: a number of at least 1, or a list of different seeds")
        return seeds


class Experiment(Strict):
    """A whole study. ``label`` names the problem in titles and tables, such as "ResNet-20, CIFAR-10 (JPEG q75)"."""

    name: str
    label: str = ""
    data: one_of("source", SOURCES, Data)
    model: one_of("name", MODELS, Model, context=3)
    train: Train
    prune: Prune
    silo: Silo
    oracle: Oracle
    policies: Policies = Policies()
    compute: Compute = Compute()

    @field_validator("name")
    @classmethod
    def _folder_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ValueError("allowed: letters, digits, . _ - (it names the run folder)")
        return name

    @model_validator(mode="after")
    def _schedules_reach_the_last_cycle(self) -> "Experiment":
        for name, baseline in self.baselines.items():
            if baseline.max_lr is not None:
                schedule = baseline.max_lr.make()
                for cycle in range(self.prune.cycles):
                    try:
                        rate = schedule.max_lr(cycle)
                    except Exception as error:  # an imported one may raise any
                        raise ValueError(f"policies.baselines.{name}.max_lr: {error}") from error
                    if not isinstance(rate, float | int) or not 0 < rate <= 1e9:
                        given = f"policies.baselines.{name}.max_lr: {rate!r} at cycle {cycle}"
                        raise ValueError(f"{given}: a number above 0, up to 1e9, is allowed")
        return self

    @model_validator(mode="after")
    def _the_device_has_the_precision(self) -> "Experiment":
        if self.train.precision == "tf32" and self.compute.gpus_per_trial == 0:
            raise ValueError("train.precision: tf32: needs a GPU (compute.gpus_per_trial); fp32 or bf16 is allowed")
        return self

    @model_validator(mode="after")
    def _something_is_prunable(self) -> "Experiment":
        with torch.device("meta"):
            if not self.pruning.prunable(self.model.make(3, 32, 10)):
                raise ValueError("prune.prunable: leaves nothing to prune in this network")
        return self

    @model_validator(mode="after")
    def _trainings_are_the_same_everywhere(self) -> "Experiment":
        parts = self.model_dump(mode="json", include={"model", "train", "prune", "policies"})
        parts["data"] = self.data.model_dump(mode="json", include={"split", "augment", "normalize"})
        for name, part in parts.items():
            if found := first_private(part, name):
                field, given = found
                told = "a path of one machine, or a URL with a user, can't be part of what identifies a training"
                raise ValueError(f"{field}: {given}: {told}; a path from the folder you are in is allowed")
        return self

    @property
    def schedule(self) -> SiloSchedule:
        """SILO's max_lr by cycle."""
        return SiloSchedule(
            self.silo.epsilon, self.silo.delta, self.silo.beta, self.silo.delay, prune_rate=self.prune.rate
        )

    @property
    def baselines(self) -> dict[str, Baseline]:
        """The policies that SILO is compared with, by name."""
        return self.policies.baselines

    @property
    def search_grid(self) -> tuple[float, ...]:
        """The values among which a baseline's max_lr is searched."""
        return (self.policies.search.grid or self.oracle.grid).values()

    @property
    def dense_searched_by(self) -> str:
        """A baseline whose search trains the dense network as SILO's is, at every value of the Oracle's grid; or ""."""
        if not set(self.oracle.grid.values()) <= set(self.search_grid):
            return ""
        searched = [name for name, baseline in self.baselines.items() if baseline.max_lr is None]
        return next((name for name in searched if self.under(name).training("") == self.training("")), "")

    def search_trainings(self, baseline: str) -> int | None:
        """How many trainings choose this baseline's max_lr; None: not stated."""
        part = self.baselines[baseline]
        if part.max_lr is not None:
            return part.search_trainings
        cycles = self.prune.cycles if self.policies.search.over == "trajectory" else 1
        return len(self.search_grid) * len(self.oracle.seeds) * cycles

    def under(self, baseline: str) -> "Experiment":
        """This experiment with the baseline's shape and restart: how its cells are trained."""
        part = self.baselines[baseline]
        train = self.train.model_copy(update={"shape": part.shape or self.train.shape})
        prune = self.prune.model_copy(update={"restart": part.restart or self.prune.restart})
        return self.model_copy(update={"train": train, "prune": prune})

    @property
    def chosen_on(self) -> str:
        """The part of the data on which the epoch and the best max_lr are chosen: validation, or (as released) test."""
        return "test" if self.train.choose == "test-best" else "validation"

    @property
    def title(self) -> str:
        """The label, which says so where the choice was made on test, or the arithmetic isn't single precision."""
        test, precision = self.chosen_on == "test", self.train.precision
        told = ["chosen on test, as released"] * test + [precision] * (precision != "fp32")
        return (self.label or self.name) + f" ({', '.join(told)})" * bool(told)

    @property
    def recipe(self) -> Recipe:
        """How a cycle is trained."""
        part = self.train
        return Recipe(
            part.epochs,
            part.batch_size,
            part.momentum,
            part.weight_decay,
            part.shape.make(),
            self.data.augment.make(),
            part.choose,
            part.precision,
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
        """
        data = self.data.model_dump(mode="json", include={"split", "augment", "normalize"})
        prune = self.prune.model_dump(mode="json", exclude={"cycles"})
        train = self.train.model_dump(mode="json")
        if train["precision"] == "fp32":
            del train["precision"]  # single precision is what a training without the word has always meant
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
        """A hash of :meth:`training`."""
        return digest(self.training(data_digest))
