"""The Oracle's best and its optimal interval: whole tables, and the laws that hold for every table."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.stats.interval import Interval, find_interval

GRID = (1.0, 2.0, 3.0, 4.0, 5.0)
NONE = None


@pytest.mark.parametrize(
    ("accuracies", "tolerance", "best", "low", "high", "edges"),
    [
        ([10, 20, 90, 20, 10], 0.5, 3, 3, 3, (2, 4)),
        ([10, 89, 90, 89, 10], 1.0, 3, 2, 4, (1, 5)),  # the tolerance exactly met is inside
        ([10, 88.99, 90, 88.99, 10], 1.0, 3, 3, 3, (2, 4)),
        ([10, 90, 90, 90, 10], 0.0, 3, 2, 4, (1, 5)),  # a plateau: its middle
        ([10, 90, 90, 10, 10], 0.0, 2, 2, 3, (1, 4)),  # of two the lower
        ([90, 90, 90, 90, 90], 0.0, 3, 1, 5, (NONE, NONE)),
        ([90, 10, 90, 90, 10], 0.0, 3, 3, 4, (2, 5)),  # tied apart: the longer run
        ([90, 10, 10, 10, 90], 0.0, 1, 1, 1, (NONE, 2)),  # equally long ones: the first
        ([89, 10, 90, 89, 10], 1.0, 3, 3, 4, (2, 5)),  # 1.0 is within the tolerance but not contiguous
        ([90, 80, 10, 10, 10], 0.5, 1, 1, 1, (NONE, 2)),  # best at the low end: open there
        ([10, 10, 10, 80, 90], 0.5, 5, 5, 5, (4, NONE)),
        ([89.5, 89.5, 90, 10, 10], 0.5, 3, 1, 3, (NONE, 4)),  # reaches the end without being best there
        ([10, NONE, 90, NONE, 10], 99, 3, 3, 3, (2, 4)),  # a diverged value bounds, whatever the tolerance
        ([NONE, 90, 89.8, 89.9, NONE], 0.5, 2, 2, 4, (1, 5)),
        ([NONE, NONE, NONE, NONE, 50], 0.5, 5, 5, 5, (4, NONE)),
        ([90, NONE, 90, NONE, 90], 0.0, 1, 1, 1, (NONE, 2)),  # divergence between them breaks a plateau
    ],
)
def test_interval(accuracies, tolerance, best, low, high, edges):
    interval = find_interval(GRID, accuracies, tolerance)
    assert (interval.best, interval.low, interval.high) == (best, low, high)
    assert (interval.edge_low, interval.edge_high) == edges
    assert (interval.open_low, interval.open_high) == (edges[0] is None, edges[1] is None)
    assert interval.accuracy == accuracies[GRID.index(best)]


def test_a_single_value_is_the_whole_interval_open_on_both_sides():
    assert find_interval([0.1], [50.0], 0.5) == Interval(0.1, 50.0, 0.1, 0.1, None, None)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_no_interval_where_every_value_diverged(count):
    assert find_interval(GRID[:count], [None] * count, 0.5) is None


def test_the_last_bit_of_a_mean_breaks_no_tie():
    # means of the same counts, summed in another order: 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1
    assert find_interval([1.0, 2.0, 3.0], [0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.6], 0.0).best == 2.0


def test_the_tolerance_is_met_where_floats_miss_it_by_a_bit():
    assert 89.01 - 0.1 > 88.91
    assert find_interval([1.0, 2.0], [89.01, 88.91], 0.1).high == 2.0


def test_decades():
    assert find_interval([0.01, 0.1, 1.0, 10.0], [1, 90, 90, 1], 0.5).decades == pytest.approx(1)


CLOSED = Interval(best=3, accuracy=90, low=2, high=4, edge_low=1, edge_high=5)
OPEN = Interval(best=3, accuracy=90, low=2, high=4, edge_low=None, edge_high=None)


@pytest.mark.parametrize(
    ("max_lr", "closed", "open_"),
    [
        (0.5, "outside", "beyond grid"),
        (1, "outside", "beyond grid"),  # the first value outside is outside
        (1.001, "at edge", "beyond grid"),
        (1.999, "at edge", "beyond grid"),
        (2, "inside", "inside"),
        (2.5, "inside", "inside"),
        (4, "inside", "inside"),
        (4.001, "at edge", "beyond grid"),
        (4.999, "at edge", "beyond grid"),
        (5, "outside", "beyond grid"),
        (9, "outside", "beyond grid"),
    ],
)
def test_position(max_lr, closed, open_):
    assert CLOSED.position(max_lr) == closed
    assert OPEN.position(max_lr) == open_


# quarters of a point are exact in binary, so that no law below hangs on rounding
ACCURACY = st.integers(0, 40).map(lambda n: n / 4)
TABLES = st.lists(st.one_of(st.none(), ACCURACY), min_size=1, max_size=12)
TOLERANCE = st.integers(0, 12).map(lambda n: n / 4)


def found(accuracies, tolerance):
    values = [float(i) for i in range(1, len(accuracies) + 1)]
    return dict(zip(values, accuracies, strict=True)), find_interval(values, accuracies, tolerance)


@settings(deadline=None)
@given(TABLES, TOLERANCE)
def test_an_interval_holds_the_best_and_ends_where_the_tolerance_does(accuracies, tolerance):
    table, interval = found(accuracies, tolerance)
    known = [a for a in accuracies if a is not None]
    if not known:
        assert interval is None
        return
    assert interval.accuracy == table[interval.best] == max(known)
    assert interval.low <= interval.best <= interval.high
    inside = [a for value, a in table.items() if interval.low <= value <= interval.high]
    assert all(a is not None and a >= max(known) - tolerance for a in inside)
    for edge, neighbour in ((interval.edge_low, interval.low - 1), (interval.edge_high, interval.high + 1)):
        assert edge == (neighbour if neighbour in table else None)
        assert edge is None or table[edge] is None or table[edge] < max(known) - tolerance


@settings(deadline=None)
@given(TABLES, TOLERANCE, st.integers(-40, 40))
def test_shifting_all_accuracies_changes_nothing(accuracies, tolerance, by):
    _, before = found(accuracies, tolerance)
    _, after = found([None if a is None else a + by for a in accuracies], tolerance)
    ends = ("best", "low", "high", "edge_low", "edge_high")
    assert [getattr(before, end, None) for end in ends] == [getattr(after, end, None) for end in ends]


@settings(deadline=None)
@given(TABLES.filter(lambda table: table.count(None) < len(table)), TOLERANCE, TOLERANCE)
def test_a_wider_tolerance_never_shrinks_the_interval(accuracies, tolerance, more):
    _, narrow = found(accuracies, tolerance)
    _, wide = found(accuracies, tolerance + more)
    assert wide.best == narrow.best
    assert wide.low <= narrow.low <= narrow.high <= wide.high


@settings(deadline=None)
@given(TABLES.filter(lambda table: table.count(None) < len(table)), TOLERANCE)
def test_every_grid_value_is_inside_or_outside_and_never_at_an_edge(accuracies, tolerance):
    table, interval = found(accuracies, tolerance)
    for value in table:
        assert interval.position(value) == ("inside" if interval.low <= value <= interval.high else "outside")
