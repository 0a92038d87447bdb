"""The parts of an experiment: data, network, training, pruning, SILO's parameters, the Oracle's search."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from oracle.experiment.component import Component, Strict, component, name_of, one_of
from oracle.experiment.example_network import example_network
from oracle.experiment.grid import AnyGrid
from oracle.experiment.message import MISSING, InnerFieldError, shown
from oracle.experiment.number import (
    Count,
    Decay,
    Epochs,
    Growth,
    MaxLr,
    Norm,
    NotNegativeCount,
    Points,
    Seed,
    Shares,
    Steepness,
    number,
)
from oracle.experiment.policy import AnyRestart, AnyShape
from oracle.experiment.schema import Or
from oracle.experiment.search import FIRST_SEEDS, AnySearch, Search, SearchKind
from oracle.experiment.words import Remark
from silo.data import SPLITS
from silo.data.augment import Augment
from silo.data.normalize import Normalize
from silo.model import INITIALIZATIONS
from silo.optimizer import OPTIMIZERS
from silo.pruning_rule import CRITERIA

MAX_SEEDS = 10**4
PLAIN_SGD = {"kind": "sgd", "nesterov": False}  # written out, as what is recorded is
LAST_SHARE = 2 / 3  # of the level, for the last look of a search that looks several times


class Limit(Strict):
    """At most so many images, the same random subset for every seed.

    Args:
        train: Training images, 1 to 1000000; null: all.
        test: Images of the official test set, 1 to 1000000; null: all.
    """

    train: Count | None = None
    test: Count | None = None


class Data(Component):
    """What every data source has beside its own options.

    Args:
        split: How the images are split into those to train, validate and test on: a kind or import path, and its options.
        augment: How training images are changed at random; see :class:`silo.data.augment.Augment`.
        normalize: Mean and standard deviation by channel; see :class:`silo.data.normalize.Normalize`.
        limit: How many images are used at most.
    """

    split: one_of("kind", SPLITS) = Field({"kind": "pooled"}, validate_default=True)
    augment: component(Augment) = Field({}, validate_default=True)
    normalize: component(Normalize) = Field({}, validate_default=True)
    limit: Limit = Limit()


class Model(Component):
    """What every network has beside its own options.

    Args:
        init: How its weights are drawn: a name or an import path.
    """

    init: name_of(INITIALIZATIONS) = "kaiming"

    @model_validator(mode="after")
    def _builds(self, info: ValidationInfo) -> "Model":
        if info.context is None:
            example_network(self)
        return self


class Train(Strict):
    """How each cycle is trained: on cross entropy, with the learning rate max_lr * shape(t).

    Args:
        epochs: Epochs of a cycle, 1 to 100000.
        batch_size: Images of a step, 1 to 1000000.
        momentum: SGD's, at least 0 and below 1; left out with adamw.
        weight_decay: The optimizer's, 0 to 1e9; with adamw it is decoupled.
        shape: The learning rate within a cycle, as a factor of max_lr: a kind or import path, and its options.
        choose: The epoch that is reported, and the Oracle's value: "validation": by validation accuracy; "test-best": by
            test accuracy, as the released code does.
        precision: Of the network's arithmetic: "fp32", "tf32" or "bf16" (see silo.precision).
        label_smoothing: The share of every label that training spreads evenly over all classes, at least 0 and below 1.
        clip_norm: The norm, above 0 and at most 1e9, to which greater gradients are scaled down; null: they aren't.
        optimizer: "sgd" (option nesterov) or "adamw" (options betas, eps); see :mod:`silo.optimizer`.
    """

    epochs: Epochs
    batch_size: Count
    momentum: number(float, at_least=0, below=1) | None = None
    weight_decay: Decay
    shape: AnyShape
    choose: Literal["validation", "test-best"] = "validation"
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    label_smoothing: number(float, at_least=0, below=1) = 0.0
    clip_norm: Norm | None = None
    optimizer: one_of("kind", OPTIMIZERS, own="") = Field(PLAIN_SGD, validate_default=True)

    @model_validator(mode="after")
    def _momentum_suits_the_optimizer(self) -> "Train":
        if self.optimizer.kind == "adamw":
            if self.momentum is not None:
                why = "must be left out where optimizer is adamw, whose betas stand for it"
                raise InnerFieldError("momentum", f"{why}, got {shown(self.momentum)}")
        elif self.momentum is None:
            given = "momentum" in self.model_fields_set
            raise InnerFieldError("momentum", "must be a number, got null" if given else MISSING)
        elif self.momentum == 0 and self.optimizer.nesterov:
            raise InnerFieldError(
                "momentum", f"must be above 0 where optimizer.nesterov is true, got {self.momentum:g}"
            )
        return self


class Prunable(Strict):
    """Which weights may be pruned beside the inner layers'; written as "every-weight": all of them, as released.

    Args:
        norm: Whether normalization's weights may be.
        first: Whether the first layer's may be.
        head: Whether the classifier's may be.
    """

    norm: bool = False
    first: bool = True
    head: bool = True

    @model_validator(mode="before")
    @classmethod
    def _every_weight(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value != "every-weight":
                raise ValueError("must be every-weight (as released), or a mapping of norm, first, head")
            return {"norm": True, "first": True, "head": True}
        return value


class Prune(Strict):
    """The pruning loop.

    Args:
        criterion: What a weight's score is: a name or an import path. The lowest scores are pruned.
        scope: "global": the scores of all layers are compared; "layer": those of each layer by themselves.
        rate: The share of the remaining weights that is pruned after each cycle, above 0 and below 1; or a list of them, for
            every cycle but the last at least. What is after a list's end is pruned by its last one.
        cycles: How many cycles are trained, 1 to 1000000; the first trains the dense network.
        restart: What a cycle starts from: a kind or import path, and its options.
        prunable: Which weights may be pruned.
    """

    criterion: name_of(CRITERIA)
    scope: Literal["global", "layer"]
    rate: Shares
    cycles: Count
    restart: AnyRestart
    prunable: Annotated[Prunable, Or({"const": "every-weight"})] = Prunable()

    @model_validator(mode="after")
    def _a_rate_for_every_prune(self) -> "Prune":
        if isinstance(self.rate, tuple) and len(self.rate) < (least := max(1, self.cycles - 1)):
            expected = f"must be a number, or hold at least {least}, one for each cycle but the last"
            raise InnerFieldError("rate", f"{expected}, got {len(self.rate)}")
        return self


class Silo(Strict):
    """SILO's four parameters, and how they were chosen.

    Args:
        epsilon: max_lr of the dense network, 1e-30 to 1e9.
        delta: How far max_lr grows as the network is pruned, 0 to 1e9: it tends to epsilon + delta.
        beta: How steeply it grows, above 0 and at most 1e9.
        delay: Pruning cycles that still train at epsilon, 0 to 1e9.
        chosen: How the parameters were chosen, in at most 1000 characters.
        chosen_on_seeds: The seeds of this very problem on which they were.
        search_trainings: By how many trainings of one cycle they were, 0 to 1e9; null: not stated.
    """

    epsilon: MaxLr
    delta: Growth
    beta: Steepness
    delay: NotNegativeCount
    chosen: Remark = "not said"
    chosen_on_seeds: tuple[Seed, ...] = ()
    search_trainings: NotNegativeCount | None = None


class Oracle(Strict):
    """The Oracle's search for the best max_lr of every cycle.

    Args:
        grid: The candidate values of max_lr.
        seeds: At most 10000 different whole numbers, each 0 to 10^18; or how many there are, counted from 0.
        tolerance: Points of accuracy, 0 to 100, by which a value may miss the best and still be as good.
        follow: Whose masks the candidates start from: "silo" or "oracle".
        search: Which values are tried in which seeds.
        level: How often the statistics of a cycle may err, above 0 and below 0.5.
    """

    grid: AnyGrid
    seeds: Annotated[tuple[Seed, ...], Or({"type": "integer", "minimum": 1, "maximum": MAX_SEEDS})]
    tolerance: Points = 0.5
    follow: Literal["silo", "oracle"] = "silo"
    search: AnySearch = Search()
    level: number(float, above=0, below=0.5) = 0.05

    @property
    def levels(self) -> tuple[float, ...]:
        """The level of the verdicts on claims 1 and 3 and the rival after each round of the search.

        One that looks several times, and ends by what it sees, spends the level on its looks (Bonferroni): two thirds on the
        last, by which the whole grid is judged, and a third on all before in equal parts.
        """
        early = len(self.search.rounds(len(self.seeds))) - 1
        if not early:
            return (self.level,)
        return (*[(1 - LAST_SHARE) * self.level / early] * early, LAST_SHARE * self.level)

    def look_level(self, ended_early: bool) -> float:
        """Return the level of these verdicts where the search ended before its last round, or didn't."""
        return self.levels[0 if ended_early else -1]

    @model_validator(mode="before")
    @classmethod
    def _count_of_seeds(cls, value: Any) -> Any:
        if isinstance(value, dict) and type(value.get("seeds")) is int:
            if value["seeds"] > MAX_SEEDS:
                raise InnerFieldError("seeds", f"must be at most {MAX_SEEDS}, got {value['seeds']}")
            value = {**value, "seeds": tuple(range(value["seeds"]))}
        return value

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds or len(set(seeds)) < len(seeds):
            raise ValueError("must be a number of at least 1, or a list of different seeds")
        if len(seeds) > MAX_SEEDS:
            raise ValueError(f"must be a list of at most {MAX_SEEDS} seeds, got {len(seeds)}")
        return seeds

    @model_validator(mode="after")
    def _search_suits(self) -> "Oracle":
        if self.search.kind is SearchKind.UNTIL_DECIDED:
            if self.follow != "silo":
                raise InnerFieldError("follow", f"must be silo where search is until-decided, got {shown(self.follow)}")
            if len(self.seeds) <= FIRST_SEEDS:
                number = len(self.seeds)
                raise InnerFieldError("seeds", f"must be at least 3 where search is until-decided, got {number}")
        return self
