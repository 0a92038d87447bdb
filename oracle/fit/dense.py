"""SILO's parameters without an Oracle: from the dense network alone, by a few trainings on seeds that judge nothing."""

from oracle.analysis.comparison import stopped_short
from oracle.analysis.results import Results
from oracle.error import InputError
from oracle.experiment.load import validate
from oracle.experiment.parts import MAX_SEEDS
from oracle.experiment.spec import Experiment
from oracle.fit.report import block
from silo.schedule import SiloSchedule

SEEDS = 2  # as many are taken where none are named: with one, luck would choose
DELTA, BETA, DELAY = 4 / 3, 5.0, 1  # of the released ResNet-20 recipe; delta in units of epsilon
CHOSEN = (
    "epsilon is the dense network's best value on other seeds; delta = 4/3 epsilon, beta and delay as in the released "
)
CHOSEN += "ResNet-20 recipe"


def dense_experiment(experiment: Experiment, trainings: int, seeds: tuple[int, ...]) -> Experiment:
    """Return the search for the dense network's best max_lr: the adaptive Oracle of cycle 0.

    Args:
        experiment: whose problem it is.
        trainings: at most so many.
        seeds: none of the experiment's own; empty: two from the next multiple of 10000 on.

    Raises:
        InputError: where the budget is too small to try two values, or a seed is one that judges.
    """
    # beyond what any plain number of seeds reaches: later seeds of the experiment are not to judge what they have chosen
    first = (max(experiment.oracle.seeds) // MAX_SEEDS + 1) * MAX_SEEDS
    seeds = seeds or tuple(range(first, first + SEEDS))
    if taken := sorted({*seeds} & {*experiment.oracle.seeds}):
        raise InputError(f"--seeds must be seeds that judge nothing of the experiment, got {taken[0]}")
    grid = experiment.oracle.grid.values()
    least, most = len(seeds) + 2, len(grid) * len(seeds)
    if not least <= trainings:
        several = f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
        raise InputError(f"--trainings must be at least {least} with {several}, got {trainings}")
    fields = experiment.redacted() | {"name": f"{experiment.name}-dense", "policies": {}}
    fields["data"] = experiment.model_dump(mode="json")["data"]
    fields["prune"]["cycles"] = 1
    # a value of the grid, so that it is a candidate as well
    fields["silo"] = {"epsilon": grid[len(grid) // 2], "delta": 0.0, "beta": BETA, "delay": DELAY}
    share = {"kind": "adaptive", "share": trainings / ((len(grid) + 1) * len(seeds))}
    fields["oracle"] |= {"seeds": list(seeds), "search": "exhaustive" if trainings >= most else share}
    return validate(fields, "the dense network")


def dense_text(results: Results) -> str:
    """Return what was found, and the block to paste into the experiment file.

    Args:
        results: of :func:`dense_experiment`.

    Raises:
        InputError: where no value has learned.
    """
    (row,) = results.comparison.itertuples()
    if row.why in ("incomplete", "every value diverged", "collapsed"):
        raise InputError(f"the dense network must learn at some max_lr, got: {row.why}")
    experiment, trainings = results.experiment, len(results.cells)
    epsilon = row.best_max_lr
    delta = float(f"{DELTA * epsilon:.4g}")
    curve = SiloSchedule(epsilon, delta, BETA, DELAY, experiment.prune.rate)
    seeds = ", ".join(map(str, experiment.oracle.seeds))
    lines = [f"The dense network's best max_lr is {epsilon:g}, by {trainings} trainings on seeds {seeds}."]
    if stopped_short(results.comparison, experiment):
        lines.append("Other values of the grid, untried, may do as well, or better: more --trainings would tell.")
    elif row.open_low or row.open_high:
        side = "below" if row.open_low else "above"
        lines.append(f"Values {side} the grid may do as well, or better: widen oracle.grid, and tune again.")
    return "\n".join([*lines, "", block(curve, CHOSEN, experiment.oracle.seeds, trainings)])
