"""From finished cells to the comparison by cycle, and to the grid values that are worth adding."""

import io

import pandas as pd
import pytest
from experiments import UNTRAINED, experiment
from made import made_data
from pytest import approx

from oracle.analysis.cells import CELL_COLUMNS, skipped_table
from oracle.analysis.comparison import comparison_table, proposals, stopped_short
from oracle.plan.steps import Skipped

GRID = [0.1, 0.2, 0.4, 0.8]
SILO = 0.3  # between two grid values; a long delay keeps it
CHANCE = 10.0
DATA = made_data(chance=CHANCE, validation_images=10_000)
MISSING = object()


def study(grid=GRID, epsilon=SILO, cycles=1, **oracle):
    silo = {"epsilon": epsilon, "delta": 0.0, "beta": 5.0, "delay": 99}
    return experiment(
        UNTRAINED | {"prune.cycles": cycles, "silo": silo, "oracle": {"grid": grid, "seeds": 2, **oracle}},
    )


def cell(seed, max_lr, validation, cycle=0, test=None, candidate=True, silo=False, chain=False):
    """A finished training; for its validation accuracy "diverged" or "failed" may stand."""
    status = validation if isinstance(validation, str) else "done"
    accuracy = None if isinstance(validation, str) else validation
    return {
        **dict.fromkeys(CELL_COLUMNS),
        "cycle": cycle,
        "seed": seed,
        "max_lr": max_lr,
        "candidate": candidate,
        "silo": silo,
        "chain": chain,
        "status": status,
        "validation": accuracy,
        "test": accuracy if test is None else test,
        "final_test": accuracy if test is None else test,
        "weights_remaining": None if status == "failed" else 100 * 0.8**cycle,
        "id": f"{cycle}-{seed}-{max_lr}-{chain}",
    }


def grid(seed, accuracies, **changes):
    return [
        cell(seed, max_lr, accuracy, **changes)
        for max_lr, accuracy in zip(GRID, accuracies, strict=True)
        if accuracy is not MISSING
    ]


def silo(seed, accuracy, **changes):
    return cell(seed, SILO, accuracy, candidate=False, silo=True, **{"chain": True, **changes})


def frame(cells):
    return pd.DataFrame(cells, columns=list(CELL_COLUMNS)).astype(CELL_COLUMNS)


def compare(cells, spec=None):
    return comparison_table(frame(cells), spec or study(), DATA)


def row(cells, spec=None):
    return compare(cells, spec).iloc[0]


def test_a_whole_row():
    cells = [
        *grid(0, [50.0, 89.0, 91.0, 60.0]),
        *grid(1, [52.0, 91.0, 90.0, 62.0]),
        silo(0, 88.0),
        silo(1, 89.0),
    ]
    expected = {
        "cycle": 0,
        "weights_remaining": 100.0,
        "seeds": 2,
        "best_max_lr": 0.4,
        "best_validation": 90.5,
        "best_test": 90.5,
        "best_test_std": 0.5**0.5,  # of a sample: 91 and 90
        "best_final_test": 90.5,
        "best_final_test_std": 0.5**0.5,
        "low": 0.2,
        "high": 0.4,
        "edge_low": 0.1,
        "edge_high": 0.8,
        "open_low": False,
        "open_high": False,
        "informative": True,
        "why": "",
        "silo_max_lr": SILO,
        "position": "inside",
        "silo_validation": 88.5,
        "silo_test": 88.5,
        "silo_test_std": 0.5**0.5,
        "silo_final_test": 88.5,
        "silo_final_test_std": 0.5**0.5,
        "chain_validation": 88.5,
        "chain_test": 88.5,
        "chain_test_std": 0.5**0.5,
        "chain_final_test": 88.5,
        "chain_final_test_std": 0.5**0.5,
        "gap": 2.0,
        "within_tolerance": False,  # inside by position, yet worse: the columns may disagree
    }
    result = row(cells).to_dict()
    assert result.pop("decades") == approx(0.30103)
    assert result == expected


def test_chosen_on_validation_reported_on_test():
    cells = [
        cell(seed, max_lr, validation, test=test)
        for seed in (0, 1)
        for max_lr, validation, test in zip(GRID, [50.0, 90.0, 80.0, 70.0], [40.0, 60.0, 99.0, 98.0], strict=True)
    ]
    result = row(cells)
    assert (result.best_max_lr, result.best_validation, result.best_test) == (0.2, 90.0, 60.0)


def test_a_seed_that_lacks_a_value_is_left_out_for_all_values():
    cells = [
        *grid(0, [50.0, 60.0, 70.0, 60.0]),
        *grid(1, [50.0, 99.0, MISSING, 60.0]),
        silo(0, 65.0),
        silo(1, 99.0),
    ]
    result = row(cells)
    assert (result.seeds, result.best_max_lr, result.best_validation) == (1, 0.4, 70.0)
    assert (result.silo_validation, result.gap) == (65.0, 5.0)
    assert pd.isna(result.best_test_std)
    assert result.chain_validation == 82.0  # SILO's own chain has both seeds


@pytest.mark.parametrize("bad", ["diverged", "failed"])
def test_a_bad_seed_excludes_its_value_and_bounds_the_interval(bad):
    cells = [*grid(0, [50.0, 90.0, bad, 90.0]), *grid(1, [50.0, 60.0, 99.0, 60.0])]
    result = row(cells, study(tolerance=99.0))
    assert (result.seeds, result.best_max_lr, result.best_validation) == (2, 0.2, 75.0)
    assert (result.low, result.high, result.edge_high) == (0.1, 0.2, 0.4)
    assert (result.open_low, result.open_high) == (True, False)
    assert result.informative == (bad == "diverged")
    assert result.why == ("" if bad == "diverged" else "failed trainings")


@pytest.mark.parametrize(
    ("accuracies", "why"),
    [
        ([50.0, 90.0, 80.0, 60.0], ""),
        ([MISSING, 90.0, 80.0, 60.0], "incomplete"),
        ([MISSING] * 4, "incomplete"),
        (["diverged"] * 4, "every value diverged"),
        (["failed"] * 4, "failed trainings"),
        ([10.0, 15.0, 12.0, 10.0], "collapsed"),  # 5 points above chance still is
        ([10.0, 15.01, 12.0, 10.0], ""),
        ([89.6, 90.0, 89.9, 89.5], "flat"),
        ([89.6, 90.0, 89.9, 89.4], ""),
        (["diverged", 90.0, 89.9, 89.5], ""),  # bounded by the value that diverged
        ([10.0, 10.0, 10.0, 10.0], "collapsed"),  # flat, too, for this reason
        (["failed", 90.0, 89.9, 89.5], "failed trainings"),
    ],
)
def test_what_a_cycle_can_tell(accuracies, why):
    result = row([*grid(0, accuracies), *grid(1, accuracies)])
    assert (result.why, result.informative) == (why, why == "")


def test_no_cells_at_all_are_incomplete_cycles():
    result = compare([], study(cycles=2))
    assert (list(result.why), list(result.seeds)) == (["incomplete"] * 2, [0, 0])


def test_a_cycle_without_cells_is_a_row_of_its_own():
    result = compare(grid(0, [50.0, 90.0, 80.0, 60.0], cycle=1), study(cycles=3))
    assert list(result.cycle) == [0, 1, 2]
    assert list(result.why) == ["incomplete", "", "incomplete"]
    assert list(result.seeds) == [0, 1, 0]
    assert result.loc[[0, 2], ["best_max_lr", "low", "high", "gap", "silo_test"]].isna().all(axis=None)
    assert list(result.silo_max_lr) == [SILO] * 3


def test_where_silo_trains_at_a_grid_value_one_cell_is_both():
    cells = [
        cell(seed, max_lr, accuracy, silo=max_lr == 0.4, chain=max_lr == 0.4)
        for seed in (0, 1)
        for max_lr, accuracy in zip(GRID, [50.0, 90.0, 89.75, 60.0], strict=True)
    ]
    result = row(cells, study(epsilon=0.4))
    assert (result.best_max_lr, result.silo_max_lr, result.position) == (0.2, 0.4, "inside")
    assert (result.gap, result.within_tolerance) == (0.25, True)


@pytest.mark.parametrize(
    ("accuracy", "gap", "within"),
    [
        (90.0, 0.0, True),
        (91.0, -1.0, True),  # measured, never a candidate: it may be better than the best
        (89.5, 0.5, True),
        (89.49, 0.51, False),
    ],
)
def test_gap(accuracy, gap, within):
    cells = [*grid(0, [50.0, 90.0, 80.0, 60.0]), silo(0, accuracy)]
    result = row(cells)
    assert result.gap == approx(gap)
    assert result.within_tolerance == within
    assert result.best_max_lr == 0.2


def test_the_tolerance_is_met_where_floats_miss_it_by_a_bit():
    assert 89.01 - 88.91 > 0.1
    result = row([*grid(0, [50.0, 89.01, 80.0, 60.0]), silo(0, 88.91)], study(tolerance=0.1))
    assert result.within_tolerance


@pytest.mark.parametrize("of_seed_1", ["diverged", "failed", MISSING])
def test_where_silo_was_not_measured_it_has_a_position_and_no_gap(of_seed_1):
    cells = [*grid(0, [50.0, 90.0, 80.0, 60.0]), *grid(1, [50.0, 90.0, 80.0, 60.0]), silo(0, 88.0)]
    result = row(cells if of_seed_1 is MISSING else [*cells, silo(1, of_seed_1)])
    assert result.position == "at edge"
    assert result[["silo_validation", "silo_test", "silo_test_std", "gap"]].isna().all()
    # a divergence is worse than any gap; a training that is missing or failed says nothing
    assert (not result.within_tolerance) if of_seed_1 == "diverged" else pd.isna(result.within_tolerance)
    assert result.why == ("failed trainings" if of_seed_1 == "failed" else "")


@pytest.mark.parametrize("of_seed_1", ["diverged", "failed", MISSING])
def test_the_mean_of_some_seeds_is_no_mean_of_silos_chain(of_seed_1):
    """Else a chain that is blocked, or not there yet, would be read as the better half of the seeds."""
    result = row([silo(0, 88.0)] if of_seed_1 is MISSING else [silo(0, 88.0), silo(1, of_seed_1)])
    assert result[["chain_validation", "chain_test", "chain_test_std"]].isna().all()


def test_silos_own_chain_is_apart_where_the_oracle_goes_its_own_way():
    cells = [
        *grid(0, [50.0, 90.0, 80.0, 60.0]),
        silo(0, 88.0, chain=False),
        cell(0, SILO, 70.0, candidate=False, chain=True),
        cell(1, SILO, 72.0, candidate=False, chain=True),
    ]
    result = row(cells, study(follow="oracle"))
    assert (result.silo_validation, result.gap) == (88.0, 2.0)
    assert (result.chain_validation, result.chain_test, result.chain_test_std) == (71.0, 71.0, 2**0.5)


MESSY = [
    *grid(0, [50.0, 100 * 2 / 3, 90.1, "diverged"]),
    *grid(1, [50.0, 90.0, 91.7, 70.0]),
    silo(0, 88.1),
    silo(1, "diverged"),
    *grid(0, [50.0, "failed", 90.1, 60.0], cycle=1),
    *grid(1, [MISSING, 90.0, 80.0, 60.0], cycle=1),
]


@pytest.mark.parametrize("cells", [MESSY, MESSY[:4], MESSY[-7:]], ids=["messy", "one seed", "failed"])
def test_the_cells_as_csv_give_the_same_comparison(cells):
    spec = study(cycles=3)
    read = pd.read_csv(io.StringIO(frame(cells).to_csv(index=False)))
    pd.testing.assert_frame_equal(comparison_table(read, spec, DATA), compare(cells, spec))


@pytest.mark.parametrize(
    ("accuracies", "proposed"),
    [
        ([50.0, 90.0, 80.0, 60.0], []),
        ([90.0, 80.0, 50.0, 20.0], [0.025, 0.05]),
        ([20.0, 50.0, 80.0, 90.0], [1.6, 3.2]),
        ([90.0, 90.0, 90.0, 90.0], [0.025, 0.05, 1.6, 3.2]),  # flat: a wider grid may find its ends
        ([12.0, 12.0, 12.0, 12.0], []),  # collapsed: no value would do
        ([20.0, 50.0, MISSING, 90.0], []),
        ([20.0, 50.0, 90.0, "diverged"], []),
    ],
)
def test_proposals_go_on_from_an_open_end_at_the_grids_ratio(accuracies, proposed):
    assert proposals(compare(grid(0, accuracies)), study()) == proposed


def test_proposals_of_several_cycles_come_once_and_widen_towards_where_they_are_open():
    cells = [
        *grid(0, [90.0, 50.0, 40.0, 30.0]),
        *grid(0, [90.0, 50.0, 40.0, 30.0], cycle=1),
        *grid(0, [30.0, 40.0, 50.0, 90.0], cycle=2),
    ]
    spec = study(cycles=3)
    assert proposals(compare(cells, spec), spec) == [0.025, 0.05, 1.6, 3.2]


def test_proposals_need_a_ratio():
    spec = study(grid=[0.1])
    cells = [cell(0, 0.1, 90.0)]
    assert proposals(compare(cells, spec), spec) == []


@pytest.mark.parametrize(
    ("tried", "proposed", "short"),
    [
        ([0.1, 0.2, 0.4, 0.8], [1.6, 3.2], False),
        ([0.2, 0.4], [], True),
        ([0.1, 0.2, 0.4], [], True),
        ([0.2, 0.4, 0.8], [1.6, 3.2], False),  # 0.2 is outside
    ],
)
def test_where_a_search_tried_nothing_beyond_a_wider_grid_would_be_no_help(tried, proposed, short):
    accuracies = {0.1: 20.0, 0.2: 30.0, 0.4: 90.0, 0.8: 90.1}
    spec = study(search="racing")
    cells = [*(cell(0, value, accuracies[value]) for value in tried), silo(0, 89.0)]
    beyond = skipped_table([Skipped(0, value, (0,), "") for value in GRID if value not in tried])
    compared = comparison_table(frame(cells), spec, DATA, beyond)
    assert proposals(compared, spec) == proposed
    assert stopped_short(compared, spec) is short


@pytest.mark.parametrize(
    ("tried", "epsilon", "position"),
    [
        ([0.2, 0.4], 0.15, "beyond what was tried"),
        ([0.2, 0.4], 0.7, "beyond what was tried"),
        ([0.1, 0.2, 0.4, 0.8], 0.05, "beyond grid"),
        ([0.1, 0.2, 0.4, 0.8], 1.6, "beyond grid"),
        ([0.2, 0.4], 1.6, "beyond grid"),
        ([0.2, 0.4], 0.3, "inside"),
    ],
)
def test_past_an_end_that_a_search_left_open_silo_is_not_beyond_the_grid(tried, epsilon, position):
    spec = study(search="racing", epsilon=epsilon)
    cells = [*(cell(0, value, 90.0) for value in tried), silo(0, 90.0) | {"max_lr": epsilon}]
    beyond = skipped_table([Skipped(0, value, (0,), "") for value in GRID if value not in tried])
    assert comparison_table(frame(cells), spec, DATA, beyond).position[0] == position
