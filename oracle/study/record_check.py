"""Whether a record that was read is one that a training can have left: its checksum tells damage, not who wrote it."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oracle.study.record import Record

MEASURED = ("validation", "test", "final_validation", "final_test")


def check(record: "Record") -> None:
    """Look at every field.

    Raises:
        ValueError: one is of another kind or range than a training's; the first, in words.
    """
    cell, outcome = record.cell, record.outcome
    _require(isinstance(cell.training, str), "cell.training", "a string", cell.training)
    _require(_is_count(cell.seed), "cell.seed", "a whole number of at least 0", cell.seed)
    _require(_is_count(cell.cycle), "cell.cycle", "a whole number of at least 0", cell.cycle)
    _require(_is_number(cell.max_lr) and cell.max_lr > 0, "cell.max_lr", "a number above 0", cell.max_lr)
    _require(isinstance(cell.start, str), "cell.start", "a string", cell.start)
    _require(record.id == cell.id, "id", f"that of its cell, {cell.id}", record.id)
    _check_outcome(outcome)
    whole = _is_count(record.alive) and _is_count(record.prunable) and record.alive <= record.prunable > 0
    _require(whole, "alive", "a part of the prunable weights", f"{record.alive} of {record.prunable}")
    for layer in record.layers:
        fits = type(layer.name) is str and type(layer.alive) is type(layer.prunable) is int
        _require(fits and 0 <= layer.alive <= layer.prunable, "layers", "a name and two counts each", [*layer])
    if record.layers:
        counts = tuple(sum(numbers) for numbers in list(zip(*record.layers, strict=True))[1:])
        _require(counts == (record.alive, record.prunable), "layers", "all that alive and prunable count", counts)
    flops = record.flops
    counted = flops is None or (_is_count(flops) and flops < 2**63)
    _require(counted, "flops", "a whole number from 0 to 2**63 - 1", flops)
    leaves = record.leaves
    expected = "null, as it diverged" if outcome.diverged else "a string"
    _require(leaves is None if outcome.diverged else isinstance(leaves, str), "leaves", expected, leaves)
    environment = record.environment
    texts = isinstance(environment, Mapping) and all(isinstance(value, str) for value in environment.values())
    _require(texts, "environment", "a mapping to texts", environment)
    stepping = record.stepping
    _require(stepping is None or isinstance(stepping, str), "stepping", "a string", stepping)
    _require(_is_number(record.seconds) and record.seconds >= 0, "seconds", "a number of at least 0", record.seconds)


def _check_outcome(outcome: Any) -> None:
    _require(isinstance(outcome.diverged, bool), "outcome.diverged", "true or false", outcome.diverged)
    _require(_is_count(outcome.steps), "outcome.steps", "a whole number of at least 0", outcome.steps)
    expected = "null, as it diverged" if outcome.diverged else "a percentage"
    for name in MEASURED:
        value = getattr(outcome, name)
        _require(value is None if outcome.diverged else _is_percent(value), f"outcome.{name}", expected, value)
    epoch = outcome.chosen_epoch
    _require(epoch is None if outcome.diverged else _is_count(epoch), "outcome.chosen_epoch", "an epoch", epoch)
    losses = [epoch.loss for epoch in outcome.curve]
    accuracies = [epoch.validation for epoch in outcome.curve]
    accuracies += [epoch.test for epoch in outcome.curve if epoch.test is not None]
    fits = _are_numbers(losses) and _are_numbers(accuracies)
    fits = fits and 0 <= min(accuracies, default=0) <= max(accuracies, default=0) <= 100
    _require(fits, "outcome.curve", "a loss and percentages by epoch", "something else")


def _require(holds: bool, field: str, expected: str, given: Any) -> None:
    if not holds:
        raise ValueError(f"{field} must be {expected}, got {str(given)[:100]}")


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _are_numbers(values: Sequence[Any]) -> bool:
    """:func:`_is_number` of each: curves have hundreds, and folders thousands of curves."""
    return {*map(type, values)} <= {int, float} and all(map(math.isfinite, values))


def _is_percent(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 100
