"""In what the experiments of several runs differ, field by field, as far as it changes numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oracle.experiment.spec import Experiment
from oracle.hashing import digest
from oracle.plain_text import one_line
from oracle.study.data_info import DataInfo

MISSING = "\N{EN DASH}"  # of a field that an experiment hasn't got
EPOCHS = "train.epochs"
TRAININGS = (
    "data",
    "model",
    "train",
    "prune",
    "code",
)  # the parts of a file that say how a network is trained and pruned
BASELINES = "policies.baselines"  # its keys are names that the user chose
IN_EPOCHS = re.compile(r"([0-9]+(?:\.[0-9]+)?)ep")
KINDS = ("kind", "name", "source")  # the field that says which component a mapping is
WITHOUT_EFFECT = ("chosen", "chosen_on_seeds", "search_trainings")  # of silo and the baselines: words and costs
DATA_TRAINED_ON = ("split", "augment", "normalize")  # of data: what a training depends on beside the images
LONGEST_LIST, LONGEST_TEXT = 6, 60


@dataclass(frozen=True)
class Difference:
    """A field that isn't the same in all experiments.

    Attributes:
        field: its path in the experiment file; of a component of another kind the component's, so that it is one difference.
        values: as text, one for each experiment; "–": it has no such field.
        short: as ``values``, without options where the kinds of a component differ.
    """

    field: str
    values: tuple[str, ...]
    short: tuple[str, ...]

    @property
    def is_of_trainings(self) -> bool:
        """Whether it is part of how networks are trained and pruned, not of what is tried, or how that is judged."""
        return self.field.partition(".")[0] in TRAININGS and self.field != "prune.cycles"

    def __str__(self) -> str:
        return f"{self.field}: {' | '.join(self.values)}"


@dataclass(frozen=True)
class Differences:
    """In what experiments differ.

    Attributes:
        fields: that differ, in the order of the file.
        stretched: fields that differ as the epochs of a cycle do, such as a warm-up of 3ep of 30 and 6ep of 60: they are
            the same share of a cycle, and no difference of their own.
    """

    fields: tuple[Difference, ...]
    stretched: tuple[Difference, ...]

    @property
    def main(self) -> Difference | None:
        """The one thing in which the experiments differ, or in which their trainings do, whatever else is tried and judged;
        None: there are several, or none.
        """
        of_trainings = [one for one in self.fields if one.is_of_trainings]
        (main,) = self.fields if len(self.fields) == 1 else of_trainings if len(of_trainings) == 1 else (None,)
        return main


def find_differences(experiments: Sequence[Experiment], data: Sequence[DataInfo]) -> Differences:
    """Return the fields in which experiments differ.

    Names, labels, ``compute``, where equal data lies, and how SILO's and the baselines' parameters were chosen are none.

    Args:
        experiments: as they are recorded; two at least.
        data: of each.
    """
    trees = [_tree(experiment) for experiment in experiments]
    if len({one.digest for one in data}) > 1:
        for tree, images in zip(trees, _images(experiments, data), strict=True):
            tree["data"] = images | tree["data"]
    found = _differences(trees, "")
    if all(one.field != EPOCHS for one in found):
        return Differences(tuple(found), ())
    shares = [_in_shares(tree, experiment.train.epochs) for tree, experiment in zip(trees, experiments, strict=True)]
    left = [one.field for one in _differences(shares, "")]
    own = [one for one in found if any(_holds(one.field, field) or _holds(field, one.field) for field in left)]
    return Differences(tuple(own), tuple(one for one in found if one not in own))


def _tree(experiment: Experiment) -> dict[str, Any]:
    """What changes numbers, as nested mappings; of the data all but the images."""
    tree = experiment.redacted()
    for name in ("name", "label", "compute"):
        del tree[name]
    tree["data"] = {name: tree["data"][name] for name in DATA_TRAINED_ON}
    for part in (tree["silo"], *tree["policies"]["baselines"].values()):
        for name in WITHOUT_EFFECT:
            part.pop(name, None)
    tree["oracle"]["grid"] = list(experiment.oracle.grid.values())
    tree["code"] = {path: digest(code)[:8] for path, code in experiment.imported.code.items()}
    return tree


def _images(experiments: Sequence[Experiment], data: Sequence[DataInfo]) -> list[dict[str, Any]]:
    """What says that the images of experiments differ: their sources, or options of these, or else their digests alone."""
    fields = [experiment.redacted()["data"] for experiment in experiments]
    options = [
        {name: one[name] for name in experiment.data.options}
        for one, experiment in zip(fields, experiments, strict=True)
    ]
    sources = [one["source"] for one in fields]
    if len(set(sources)) > 1:
        limits = [{f"limit.{part}": number for part, number in one["limit"].items() if number} for one in fields]
        parts = zip(sources, options, limits, strict=True)
        return [{"source": {"source": source, **own, **limit}} for source, own, limit in parts]
    images = [{**own, "limit": one["limit"]} for own, one in zip(options, fields, strict=True)]
    if all(one == images[0] for one in images):
        return [{"digest": one.digest[:8]} for one in data]
    return images


def _holds(field: str, other: str) -> bool:
    """Whether a field is another one, or the other is within it."""
    return other == field or other.startswith(f"{field}.")


def _differences(values: Sequence[Any], field: str) -> list[Difference]:
    """The differences of a field's values and of what is in them; None: an experiment hasn't got it."""
    if all(value == values[0] for value in values):
        return []
    if not all(isinstance(value, Mapping) for value in values) or _is_one(values, field):
        return [_difference(values, field)]
    keys = dict.fromkeys(key for value in values for key in value)
    parts = [([value.get(key) for value in values], f"{field}.{key}".lstrip(".")) for key in keys]
    return [difference for inner, path in parts for difference in _differences(inner, path)]


def _is_one(values: Sequence[Mapping[str, Any]], field: str) -> bool:
    """Whether mappings differ as a whole: components of different kinds, or of different keys."""
    if field in ("data", BASELINES, "code"):
        return False
    kinds = [[value.get(name) for name in KINDS] for value in values if field]
    return any(kind != kinds[0] for kind in kinds) or any(value.keys() != values[0].keys() for value in values)


def _difference(values: Sequence[Any], field: str) -> Difference:
    texts = tuple(map(value_text, values))
    if len(set(texts)) < len({digest(value) for value in values}):  # two long lists of equal ends
        texts = tuple(f"{text} ({digest(value)[:8]})" for text, value in zip(texts, values, strict=True))
    kinds = tuple(_kind(value) or text for value, text in zip(values, texts, strict=True))
    return Difference(one_line(field), texts, kinds if len(set(kinds)) == len(set(texts)) else texts)


def _kind(value: Any) -> str:
    """Which component a mapping is; empty where it is none."""
    if not isinstance(value, Mapping):
        return ""
    return next((one_line(str(value[name])) for name in KINDS if value.get(name)), "")


def value_text(value: Any) -> str:
    """Return a field's value as a short text: "rewind (to: 500it)", "10, 11, ..., 17 (8)"."""
    if isinstance(value, Mapping):
        kind = _kind(value)
        options = {key: one for key, one in value.items() if one is not None and not (kind and key in KINDS)}
        inner = ", ".join(f"{key}: {value_text(one)}" for key, one in options.items())
        text = (f"{kind} ({inner})" if inner else kind) if kind else f"{{{inner}}}"
    elif isinstance(value, list | tuple):
        shown = [value_text(one) for one in value]
        many = len(shown) > LONGEST_LIST
        text = f"{shown[0]}, {shown[1]}, ..., {shown[-1]} ({len(shown)})" if many else f"[{', '.join(shown)}]"
    elif value is None:
        text = MISSING
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
    text = one_line(text)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _in_shares(value: Any, epochs: int) -> Any:
    """A tree whose durations in epochs are shares of a cycle's epochs."""
    if isinstance(value, Mapping):
        return {_in_shares(key, epochs): _in_shares(inner, epochs) for key, inner in value.items()}
    if isinstance(value, str) and (match := IN_EPOCHS.fullmatch(value)):
        return f"{float(match[1]) / epochs:.9g} of a cycle"
    return value
