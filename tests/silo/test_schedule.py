"""max_lr of a pruning cycle, held against the published formula, the golden values and its limits."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from golden import GOLDEN
from hypothesis import given
from hypothesis import strategies as st

from silo import ConstantSchedule, DensityPower, SiloSchedule, TableSchedule

RELEASED = {
    "resnet20": {"epsilon": 0.03, "delta": 0.04, "beta": 5, "delay": 1, "prune_rate": 0.2},
    "vgg19": {"epsilon": 0.04, "delta": 0.06, "beta": 5, "delay": 1, "prune_rate": 0.2},
}
NOT_RATES = [0, 0.0, -0.1, math.nan, math.inf, -math.inf, "0.1", None, True, np.float32("nan"), 10**400]
NOT_CYCLES = [-1, 0.5, 1.0, math.nan, "1", None, True, np.float64(1)]


def published(m, *, epsilon, delta, beta, delay, prune_rate):
    """The released code's formula, as it stands there: it overflows where silo's must not."""
    if m <= delay:
        return epsilon
    gamma = 1 - (1 - prune_rate) ** (m - delay)
    return epsilon + delta / (1 + (gamma / (1 - gamma)) ** (-beta))


@pytest.mark.parametrize("cycle", range(25))
@pytest.mark.parametrize("recipe", RELEASED.values(), ids=RELEASED)
def test_silo_is_the_published_formula(recipe, cycle):
    assert SiloSchedule(**recipe).max_lr(cycle) == pytest.approx(published(cycle, **recipe), rel=0, abs=1e-12)


@pytest.mark.parametrize(("cycle", "expected"), [*enumerate(GOLDEN), (12, 0.07), (24, 0.07)])
def test_golden_values_of_resnet20(cycle, expected):
    assert round(SiloSchedule(**RELEASED["resnet20"]).max_lr(cycle), 6) == expected


recipes = st.fixed_dictionaries(
    {
        "epsilon": st.floats(1e-6, 10),
        "delta": st.floats(0, 10),
        "beta": st.floats(0.01, 1e3),
        "delay": st.integers(0, 10),
        "prune_rate": st.floats(1e-4, 1 - 1e-4),
    }
)


@given(recipes)
def test_silo_never_falls_and_stays_between_its_ends(recipe):
    values = [SiloSchedule(**recipe).max_lr(cycle) for cycle in range(60)]
    assert values == sorted(values)
    assert values[: recipe["delay"] + 1] == [recipe["epsilon"]] * (recipe["delay"] + 1)
    assert recipe["epsilon"] <= values[0] and values[-1] <= recipe["epsilon"] + recipe["delta"]


@given(recipes, st.integers(0, 60))
def test_silo_is_the_published_formula_for_any_recipe(recipe, cycle):
    with localcontext(prec=300):  # in floats the formula overflows, and gamma near 1 is lost to rounding
        exact = {name: value if name == "delay" else Decimal(value) for name, value in recipe.items()}
        expected = float(published(cycle, **exact))
    # of gamma's float digits beta magnifies the last
    assert SiloSchedule(**recipe).max_lr(cycle) == pytest.approx(expected, rel=1e-8)


LIMITS = [  # (what differs from ResNet-20's recipe, cycle, share of delta)
    ({}, 10**6, 1),
    ({"prune_rate": 1 - 1e-15}, 10**6, 1),
    ({"delta": 0}, 20, 0),
    ({"delay": 1000}, 1000, 0),
    ({"beta": 1e308}, 2, 0),  # the S is a step: gamma is 0.2 at cycle 2, 0.488 at 4, 0.590 at 5
    ({"beta": 1e308}, 4, 0),
    ({"beta": 1e308}, 5, 1),
    ({"beta": 1e-300}, 2, 0.5),  # the S is flat
    ({"beta": 1e-300}, 24, 0.5),
    ({"prune_rate": 0.5}, 2, 0.5),  # gamma = 1/2, the middle of the S whatever beta
    ({"prune_rate": 0.5, "beta": 1e308}, 2, 0.5),
    ({"prune_rate": 1e-9}, 2, 0),
    ({"prune_rate": 1e-17}, 2, 0),  # 1 - p rounds to 1
]


@pytest.mark.parametrize(("change", "cycle", "share"), LIMITS)
def test_limits(change, cycle, share):
    recipe = RELEASED["resnet20"] | change
    expected = recipe["epsilon"] + share * recipe["delta"]
    assert SiloSchedule(**recipe).max_lr(cycle) == pytest.approx(expected, rel=0, abs=1e-15)


@given(recipes, st.integers(0, 60))
def test_a_list_of_one_rate_is_that_rate(recipe, cycle):
    rates = (recipe["prune_rate"],) * 30  # the last goes on
    expected = SiloSchedule(**recipe).max_lr(cycle)
    assert SiloSchedule(**recipe | {"prune_rate": rates}).max_lr(cycle) == pytest.approx(expected, rel=1e-8)


def test_a_list_of_rates_goes_by_the_weights_remaining():
    """By hand: of those alive in cycle 1 (the delay) 1/2, 1/4, 1/8 remain, so that gamma / (1 - gamma) is 1, 3, 7."""
    silo = SiloSchedule(epsilon=0.1, delta=1, beta=2, delay=1, prune_rate=[0.9, 0.5])
    expected = [0.1, 0.1, 0.1 + 1 / 2, 0.1 + 9 / 10, 0.1 + 49 / 50]
    assert [silo.max_lr(cycle) for cycle in range(5)] == pytest.approx(expected, abs=1e-12)
    assert silo == SiloSchedule(0.1, 1, 2, 1, (0.9, 0.5)) and hash(silo)
    one_shot = SiloSchedule(epsilon=0.1, delta=1, beta=1, delay=0, prune_rate=(0.9,))
    assert [one_shot.max_lr(cycle) for cycle in (0, 1)] == pytest.approx([0.1, 0.1 + 9 / 10])


@pytest.mark.parametrize("rates", [(), [0.2, 0], [0.2, 1.0], (0.2, "0.2"), [0.2, math.nan]])
def test_silo_names_the_rate_of_a_list_that_is_wrong(rates):
    name = r"prune_rate\[1\]" if rates else "prune_rate"
    with pytest.raises(ValueError, match=f"^{name} must be .*, got "):
        SiloSchedule(**RELEASED["resnet20"] | {"prune_rate": rates})


BAD = [
    *(("epsilon", value) for value in NOT_RATES),
    *(("beta", value) for value in NOT_RATES),
    *(("delta", value) for value in NOT_RATES if value != 0),  # 0 is a delta: SILO that never grows
    *(("delay", value) for value in NOT_CYCLES),
    *(("prune_rate", value) for value in [*NOT_RATES, 1, 1.0, 1.2]),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_silo_refuses_any_other_value_and_names_it(field, value):
    with pytest.raises(ValueError, match=f"^{field} must be .*, got "):
        SiloSchedule(**RELEASED["resnet20"] | {field: value})


@pytest.mark.parametrize("value", NOT_RATES)
def test_constant_and_table_refuse_what_is_no_rate(value):
    with pytest.raises(ValueError, match=r"^value must .*, got "):
        ConstantSchedule(value)
    with pytest.raises(ValueError, match=r"^values\[1\] must .*, got "):
        TableSchedule((0.1, value))


SCHEDULES = [SiloSchedule(**RELEASED["resnet20"]), ConstantSchedule(0.1), TableSchedule((0.1, 0.2))]


@pytest.mark.parametrize("cycle", NOT_CYCLES)
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_only_whole_cycles_from_0(schedule, cycle):
    with pytest.raises(ValueError, match=r"^cycle must .*, got "):
        schedule.max_lr(cycle)


@pytest.mark.parametrize("cycle", [0, 1, 24, 10**6])
def test_constant(cycle):
    assert ConstantSchedule(0.1).max_lr(cycle) == 0.1


def test_table_ends_where_it_ends():
    table = TableSchedule([0.1, 0.3, 0.2])
    assert [table.max_lr(cycle) for cycle in range(3)] == [0.1, 0.3, 0.2]
    with pytest.raises(ValueError, match=r"^values must .* 3, got 3 "):
        table.max_lr(3)


def test_table_needs_a_value():
    with pytest.raises(ValueError, match=r"^values must .*, got none$"):
        TableSchedule(())


def test_a_table_does_not_follow_its_source():
    source = [0.1, 0.2]
    table = TableSchedule(source)
    source[0] = 9.0
    assert table.max_lr(0) == 0.1


def test_numpy_s_numbers_are_numbers_and_go_on_as_python_s():
    given = {name: np.float64(value) for name, value in RELEASED["resnet20"].items()} | {"delay": np.int64(1)}
    theirs, plain = SiloSchedule(**given), SiloSchedule(**RELEASED["resnet20"])
    assert theirs == plain and repr(theirs).count("np.") == 0
    for cycle in (0, 1, 2, 12):
        assert type(theirs.max_lr(np.int64(cycle))) is float and theirs.max_lr(np.int32(cycle)) == plain.max_lr(cycle)
    half = SiloSchedule(**given | {"epsilon": np.float16(0.5), "delta": np.float32(0.25)})
    assert half == SiloSchedule(0.5, 0.25, 5, 1, 0.2) and type(half.max_lr(0)) is float
    assert type(ConstantSchedule(np.float32(0.5)).max_lr(np.uint8(3))) is float
    assert TableSchedule(np.array([0.5, 0.25])).max_lr(np.int64(1)) == 0.25


@pytest.mark.parametrize(
    ("exponent", "growth"),
    [
        (0, {0: 1, 7: 1, 24: 1}),
        (0.5, {0: 1, 4: 1.56, 7: 2.18, 10: 3.05, 24: 14.6}),  # SMET
        (1, {0: 1, 1: 1.25, 24: 212}),  # SuPar
        (-1, {1: 0.8}),
    ],
)
def test_a_power_of_the_density(exponent, growth):
    schedule = DensityPower(0.3, exponent, prune_rate=0.2)
    assert {m: float(f"{schedule.max_lr(m) / 0.3:.3g}") for m in growth} == growth


def test_a_power_of_the_density_goes_by_the_rate_of_each_cycle():
    schedule = DensityPower(0.1, 1, prune_rate=(0.5, 0.2))
    assert [schedule.max_lr(m) for m in range(4)] == pytest.approx([0.1, 0.2, 0.25, 0.3125])


@pytest.mark.parametrize("bad", [*NOT_RATES])
def test_bad_values_of_a_power_of_the_density(bad):
    with pytest.raises(ValueError, match=r"^value must be "):
        DensityPower(bad, 0.5, 0.2)
    if bad not in (0, 0.0, -0.1):  # which are exponents
        with pytest.raises(ValueError, match=r"^exponent must be "):
            DensityPower(0.1, bad, 0.2)
    with pytest.raises(ValueError, match=r"^prune_rate must be "):
        DensityPower(0.1, 0.5, bad)


@pytest.mark.parametrize(("exponent", "cycle"), [(1, 10**4), (-1, 10**4), (300, 200)])
def test_a_power_beyond_all_bounds_is_refused(exponent, cycle):
    with pytest.raises(ValueError, match=r"^max_lr must be a finite number above 0, got "):
        DensityPower(0.1, exponent, 0.2).max_lr(cycle)


@pytest.mark.parametrize("cycle", NOT_CYCLES)
def test_bad_cycles_of_a_power_of_the_density(cycle):
    with pytest.raises(ValueError, match=r"^cycle must be "):
        DensityPower(0.1, 0.5, 0.2).max_lr(cycle)
