"""Which truths are simulated."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from benchmarks.power.truths import KINDS, OWN, Truth, known

HALF, X3, X6 = 0.5, math.log2(3), math.log2(6)
SEVERAL = 2.8  # growth of a path that comes back, and of cliffs that move (MNIST-1D's)

OF_PAPER = {
    "still",
    "falls x1/2",
    "grows x2",
    "grows x7/3",
    "grows x4",
    "grows x8",
    "still, a cliff",
    "grows x2.8, a cliff",
}
OF_PAPER |= {"still, asymmetric", "rises x2.8 and returns, a cliff", "SILO exact", "SILO off x3"}
OF_PAPER |= {
    "SILO's loss = the tolerance, above",
    "SILO's loss = the tolerance, below",
    "a constant's loss = the tolerance",
}


def cells() -> dict[str, dict[str, Truth]]:
    """Return the truths by what they are in words, and by kind of study."""
    named: dict[str, dict[str, Truth]] = {}
    for kind in KINDS:
        for words, truth in _of_kind(kind):
            if kind != "P" or words in OF_PAPER:
                named.setdefault(words, {})[kind] = truth
    return named


def short() -> dict[str, dict[str, Truth]]:
    """Return the few that a test looks at."""
    wanted = ("still", "grows x4", "still, asymmetric", "still, a cliff", "rises x2.8 and returns, a cliff")
    wanted += ("SILO exact", "SILO off x6", "SILO's loss = the tolerance, above", "a constant's loss = the tolerance")
    return {words: {"C": truth} for words, truth in _of_kind("C") if words in wanted}


def _of_kind(kind: str) -> Iterator[tuple[str, Truth]]:
    return chain(_of_growth(kind), _of_position(kind), _of_rival(kind), _of_images(kind))


def _of_growth(kind: str) -> Iterator[tuple[str, Truth]]:
    still = Truth(kind)
    yield "still", still
    for words, growth in (
        ("falls x1/2", HALF),
        ("grows x2", 2.0),
        ("grows x7/3", OWN),
        ("grows x4", 4.0),
        ("grows x8", 8.0),
    ):
        yield words, replace(still, growth=growth)
    for jitter, words in (("seed", "by seed"), ("training", "by seed and cycle")):
        yield f"still, optimum jitters {words}", replace(still, jitter=jitter)
    yield "still, 100 test images", replace(still, images=100)
    for curve, words in CURVES.items():
        yield f"still, {words}", replace(still, curve=curve)
    yield "still, noise grows x4", replace(still, noise="growing")
    yield "still, masks' luck", replace(still, masks=True)
    for seeds in (3, 8, 12):
        yield f"still, {seeds} seeds", replace(still, seeds=seeds)
    for seeds in (3, 8):
        yield f"grows x2, {seeds} seeds", replace(still, growth=2.0, seeds=seeds)
    for cycles in (6, 30):
        yield f"still, {cycles} cycles", replace(still, cycles=cycles)
    yield "grows x4, 6 cycles", replace(still, growth=4.0, cycles=6)
    for curve in ("cliff", "diverged", "plateau"):
        yield f"grows x2.8, {CURVES[curve]}", replace(still, growth=SEVERAL, curve=curve)
    yield "rises x2.8 and returns, a cliff", replace(still, growth=SEVERAL, curve="cliff", path="return")
    yield (
        "rises x2.8 and returns, a cliff, 3 seeds",
        replace(still, growth=SEVERAL, curve="cliff", path="return", seeds=3),
    )


CURVES = {
    "asymmetric": "asymmetric",
    "sides": "sides change",
    "power": "|d|^1.5",
    "plateau": "a plateau and a cliff",
    "cliff": "a cliff",
    "diverged": "a cliff and divergence",
}


def _of_position(kind: str) -> Iterator[tuple[str, Truth]]:
    exact = Truth(kind, growth=OWN, on_optimum=True)
    yield "SILO exact", exact
    yield "SILO off x3", replace(exact, off=X3)
    yield "SILO off x6", replace(exact, off=X6)
    for seeds in (3, 8):
        yield f"SILO exact, {seeds} seeds", replace(exact, seeds=seeds)
        yield f"SILO off x3, {seeds} seeds", replace(exact, off=X3, seeds=seeds)
    yield "SILO exact, own chain", replace(exact, chain=True)
    yield "SILO exact, optimum jitters by seed", replace(exact, jitter="seed")
    for words, changed, side in (
        ("above", exact, 1),
        ("below", exact, -1),
        ("3 seeds", replace(exact, seeds=3), 1),
        ("8 seeds", replace(exact, seeds=8), 1),
        ("6 cycles", replace(exact, cycles=6), 1),
        ("optimum jitters by seed", replace(exact, jitter="seed"), 1),
        ("optimum jitters by seed and cycle", replace(exact, jitter="training"), 1),
        ("noise grows x4", replace(exact, noise="growing"), 1),
        ("100 test images", replace(exact, images=100), 1),
        ("a cliff above", replace(exact, curve="cliff"), -1),
        ("own chain", replace(exact, chain=True), 1),
    ):
        yield f"SILO's loss = the tolerance, {words}", _off_by_tolerance(changed, side)


def _of_rival(kind: str) -> Iterator[tuple[str, Truth]]:
    moving = Truth(kind, on_optimum=True)
    yield "a constant's loss = the tolerance", _constant_at_tolerance(moving)
    yield "a constant's loss = the tolerance, 8 seeds", _constant_at_tolerance(replace(moving, seeds=8))
    yield "a constant's loss = the tolerance, asymmetric", _constant_at_tolerance(replace(moving, curve="asymmetric"))
    yield "a constant's loss = the tolerance, |d|^1.5", _constant_at_tolerance(replace(moving, curve="power"))
    yield "grows x8, steep (asymmetric)", Truth(kind, growth=8.0, curve="asymmetric")


def _of_images(kind: str) -> Iterator[tuple[str, Truth]]:
    if kind not in ("Q", "C"):
        return
    for split, share, words in SPLITS:
        still = Truth(kind, split=split, luck_of_images=share)
        exact = Truth(kind, growth=OWN, on_optimum=True, split=split, luck_of_images=share)
        for name, truth in (("still", still), ("SILO's loss = the tolerance", _off_by_tolerance(exact, 1))):
            yield f"{name}, {words}", truth
            yield f"{name}, {words}, not widened", replace(truth, widened=False)


SPLITS = (
    ("pooled", 0.5, "one pool, half the noise is images"),
    ("pooled", 0.9, "one pool, nine tenths are images"),
    ("fixed", 0.5, "fixed test set, half the noise is images"),
)


def _off_by_tolerance(truth: Truth, side: int) -> Truth:
    """SILO beside the optimum by so much that its largest mean loss is the tolerance."""
    return _solve(lambda off: replace(truth, off=side * off), 0.0, 4.0, lambda facts: max(facts.losses))


def _constant_at_tolerance(truth: Truth) -> Truth:
    """An optimum that grows so much that the best constant's loss in its worst cycle is the tolerance."""
    return _solve(lambda grows: replace(truth, growth=2**grows), 0.1, 5.0, lambda facts: facts.constant)


def _solve(made: Callable[[float], Truth], low: float, high: float, loss: Callable) -> Truth:
    for _ in range(24):
        middle = (low + high) / 2
        truth = made(middle)
        low, high = (middle, high) if loss(known(truth)) < truth.size.tolerance else (low, middle)
    return made(round(middle, 6))
