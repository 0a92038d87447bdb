"""A study's results for Python and notebooks: tables as DataFrames, plots into matplotlib axes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from oracle.analysis import results as analysis
from oracle.analysis.findings import verdicts_table
from oracle.experiment.spec import Experiment
from oracle.interface.plots import Plots
from oracle.report.text import notes, verdicts_text


def load_results(folder: str | Path) -> "StudyResults":
    """Return the results of a run folder, finished or not, or of what ``silo-oracle publish`` made of one.

    Writes nothing, and imports nothing that the experiment names.

    Args:
        folder: such as ``runs/digits-mlp`` or ``results/digits-mlp``.

    Returns:
        Its tables and plots, as they are now: load them again where a run goes on.

    Raises:
        InputError: for any other folder, or where a record can't be trusted; one line says why.
    """
    return StudyResults(analysis.load_results(Path(folder)))


@dataclass(frozen=True, repr=False, eq=False)
class StudyResults:
    """What the records of a study say: each table a DataFrame, ``plot.NAME(ax=None)`` each plot.

    A table is made anew each time, so that a change of it changes no other. Unknown values are NaN or NA. Accuracies are in
    percent, differences of them in points; validation and test are at the epoch that was chosen on what the experiment chooses
    by (validation images, unless it says otherwise), final_* at the last epoch; *_std are standard deviations over the seeds.
    A notebook shows the verdicts in words.
    """

    _results: analysis.Results

    @property
    def experiment(self) -> Experiment:
        """The validated experiment, to read; to train it, load its file (``oracle.load_experiment``)."""
        return self._results.experiment

    @property
    def notes(self) -> list[str]:
        """What is missing, failed or blocked, and what would close open intervals and searches, a sentence each."""
        return list(map(str, notes(self._results)))

    @property
    def trainings(self) -> pd.DataFrame:
        """Every finished training, a row each (cells.csv).

        Columns:
            cycle: pruning cycle, from 0.
            seed: of initialization, order and augmentation.
            max_lr: the learning rate's upper bound.
            candidate: whether it is one of the Oracle's grid values.
            silo: whether it is with SILO's max_lr, on the masks that the Oracle's trainings are on.
            chain: whether it is of SILO's own chain of cycles.
            policies: the baselines of whose own chain it is, with a space between.
            searches: the baselines for whose max_lr it was tried.
            status: done, diverged or failed.
            validation, test: accuracy at the chosen epoch (%).
            final_validation, final_test: accuracy at the last epoch (%).
            chosen_epoch: epochs trained before the reported state: from 1, or from 0 with `choose: test-best`.
            alive, prunable: weights that are left, and all that may be pruned (numbers of weights).
            weights_remaining: alive of prunable (%).
            id: of the training, the name of its record.
            start: which state it started from: "dense", or an id of masks and weights.
            leaves: an id of the masks and weights that it left.
        """
        return self._results.cells.copy()

    @property
    def intervals(self) -> pd.DataFrame:
        """What the Oracle found, a row a cycle (oracle.csv).

        Columns:
            cycle: pruning cycle, from 0.
            weights_remaining: weights alive (%).
            seeds: over how many the means are; 0: the cycle is incomplete.
            best_max_lr: the grid value of the highest mean; of equally good ones the middle of their longest run.
            best_validation, best_test, best_final_test: its mean accuracies (%).
            best_test_std, best_final_test_std: over the seeds (points).
            low, high: the interval's ends: values of max_lr within the tolerance of the best, in one run of the grid.
            edge_low, edge_high: the first values outside.
            open_low, open_high: whether an end is the last value that was tried, so that the interval may go on.
            decades: the interval's width, in powers of ten.
            informative: whether the cycle counts.
            why: why it doesn't: incomplete, failed trainings, every value diverged, collapsed, flat.
        """
        return self._results.comparison.loc[:, :"why"].copy()

    @property
    def comparison(self) -> pd.DataFrame:
        """SILO beside the Oracle, a row a cycle (comparison.csv).

        Columns:
            cycle to why: those of ``intervals``.
            silo_max_lr: SILO's max_lr.
            position: where it lies by the interval: inside, at edge, outside, beyond grid or beyond what was tried.
            silo_validation, silo_test, silo_final_test: its mean accuracies on the Oracle's masks, over the same seeds (%).
            silo_test_std, silo_final_test_std: over the seeds (points).
            chain_validation, chain_test, chain_final_test: mean accuracies of SILO's own chain, over all seeds (%).
            chain_test_std, chain_final_test_std: over the seeds (points).
            gap: how far SILO lies below the best, on what values are chosen by (points).
            within_tolerance: whether that is at most the tolerance.
        """
        return self._results.comparison.copy()

    @property
    def policies(self) -> pd.DataFrame:
        """Every policy on its own chain of masks, a row a policy and cycle; last the Oracle's best, which is no policy.

        Columns:
            policy: SILO, the name of a baseline, or Oracle.
            cycle: pruning cycle, from 0.
            weights_remaining: weights alive (%).
            max_lr: the learning rate's upper bound.
            seeds: how many are recorded.
            validation, test, final_test: mean accuracies over all seeds (%); NaN until all are recorded.
            test_std, final_test_std: over the seeds (points).
            diverged: in how many seeds it has diverged by then; they count with the chance level.
        """
        return self._results.policies.copy()

    @property
    def verdicts(self) -> pd.DataFrame:
        """What the experiment says of each claim, a row for each of its numbers (verdicts.csv).

        Columns:
            claim: in words.
            judgement: confirmed, refuted or undecided.
            quantity: what the number is.
            estimate: in ``unit``.
            low, high: its interval; infinite where nothing bounds it.
            unit: points, x (times) or none.
            detectable: the smallest such effect that this study shows eight times in ten (in ``unit``).
            seeds_needed: how many seeds would decide the claim; infinite: no number; NaN: it is decided, or nothing is known.
        """
        return verdicts_table(self._results.verdicts)

    @property
    def cost(self) -> pd.DataFrame:
        """What each policy cost (cost.csv).

        Columns:
            who: all (every training once), Oracle, SILO or the name of a baseline.
            trainings: its number of trainings, those by which it was chosen included.
            seconds: of training, on the machines that trained (s).
            search_trainings: those by which its max_lr or parameters were chosen; NA: not stated.
        """
        return self._results.costs.copy()

    @property
    def optima(self) -> pd.DataFrame:
        """Where each judged cycle's response curve has its optimum, a row a cycle (optima.csv).

        Columns:
            cycle: pruning cycle, from 0.
            weights_remaining: weights alive (%).
            seeds: how many the curve is over.
            optimum: max_lr there.
            low, high: a band that holds all cycles' optima at once; 0 and infinity where nothing bounds it.
            silo_max_lr: SILO's max_lr.
            accuracy: at the optimum, on what values are chosen by (%).
            noise: standard deviation of one training (points).
        """
        return self._results.optima.copy()

    @property
    def losses(self) -> pd.DataFrame:
        """What SILO and the best constant lose to each judged cycle's best on test images, a row a cycle (losses.csv).

        Both the best and the constant are chosen on the other seeds.

        Columns:
            cycle: pruning cycle, from 0.
            weights_remaining: weights alive (%).
            silo, constant: what they lose (points).
            silo_low, silo_high, constant_low, constant_high: the ends of its interval (points).
        """
        return self._results.losses.copy()

    @cached_property
    def plot(self) -> Plots:
        """The plots: ``plot.max_lr(ax=None)`` and others; each returns the axes that it drew into."""
        return Plots(self._results)

    def __repr__(self) -> str:
        counts = self._results.counts
        return f"<results of {self.experiment.name}: {counts.recorded} of {counts.total} trainings recorded>"

    def _repr_markdown_(self) -> str:
        """The verdicts in words, which a notebook shows."""
        return verdicts_text(self._results)
