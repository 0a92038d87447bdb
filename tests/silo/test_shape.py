"""The rate within a cycle: both released recipes at every iteration, and each shape's ends with their neighbours."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from silo import Constant, Cosine, Cyclical, Linear, Ramp, WarmupStep
from silo.shape import SHAPES

STEPS = 563  # an epoch of 36,000 images at batch 64
RESNET20 = WarmupStep("20000it", {"25ep": 0.1, "32ep": 0.01})
VGG19 = WarmupStep("10000it", {"14ep": 1, "80ep": 0.1, "120ep": 0.01})


def released_resnet20(epoch, t):
    if epoch < 25:
        return t / 20000
    return 0.1 if epoch < 32 else 0.01


def released_vgg19(epoch, t):
    if epoch < 14:
        return t / 10000
    if epoch < 80:
        return 1
    return 0.1 if epoch < 120 else 0.01


@pytest.mark.parametrize(("shape", "rule", "epochs"), [(RESNET20, released_resnet20, 50), (VGG19, released_vgg19, 160)])
def test_every_iteration_of_a_released_cycle(shape, rule, epochs):
    times = [(epoch, epoch * STEPS + step) for epoch in range(epochs) for step in range(1, STEPS + 1)]
    assert times[-1][1] == epochs * STEPS
    assert [shape.factor(t, STEPS, epochs) for _, t in times] == [rule(epoch, t) for epoch, t in times]


RELEASED = [  # the first step; each phase's last two steps and the next one's first two; the end
    *((RESNET20, 50, t, f) for t, f in [(1, 0.00005), (2, 0.0001), (14074, 0.7037), (14075, 0.70375)]),
    *((RESNET20, 50, t, f) for t, f in [(14076, 0.1), (14077, 0.1), (18015, 0.1), (18016, 0.1)]),
    *((RESNET20, 50, t, f) for t, f in [(18017, 0.01), (18018, 0.01), (28149, 0.01), (28150, 0.01)]),
    *((VGG19, 160, t, f) for t, f in [(1, 0.0001), (2, 0.0002), (7881, 0.7881), (7882, 0.7882)]),
    *((VGG19, 160, t, f) for t, f in [(7883, 1), (7884, 1), (45039, 1), (45040, 1)]),
    *((VGG19, 160, t, f) for t, f in [(45041, 0.1), (45042, 0.1), (67559, 0.1), (67560, 0.1)]),
    *((VGG19, 160, t, f) for t, f in [(67561, 0.01), (67562, 0.01), (90079, 0.01), (90080, 0.01)]),
]
WARMUP_ALONE = WarmupStep("20000it")  # the same cycle of 28,150 iterations under the other shapes
TRIANGLES = Cyclical("10ep", low=0.1)
SLR = WarmupStep("10%", {"50%": 0.1, "75%": 0.01})
OTHERS = [
    *((WARMUP_ALONE, t, f) for t, f in [(1, 0.00005), (2, 0.0001), (14075, 0.70375), (14076, 0.7038)]),
    *((WARMUP_ALONE, t, f) for t, f in [(19999, 0.99995), (20000, 1), (20001, 1), (28149, 1), (28150, 1)]),
    *((Constant(), t, 1) for t in (1, 2, 14075, 14076, 28149, 28150)),
    *((Cosine(), t, f) for t, f in [(1, 1), (2, 0.99999999689), (14075, 0.50005580094), (14076, 0.5)]),
    *((Cosine(), t, f) for t, f in [(14077, 0.49994419906), (28149, 0.00000001245), (28150, 0.00000000311)]),
    *((TRIANGLES, t, f) for t, f in [(1, 0.10031971581), (2, 0.10063943162), (2814, 0.99968028419), (2815, 1)]),
    *((TRIANGLES, t, f) for t, f in [(2816, 0.99968028419), (5629, 0.10031971581), (5630, 0.1), (5631, 0.10031971581)]),
    *((TRIANGLES, t, f) for t, f in [(25335, 1), (28149, 0.10031971581), (28150, 0.1)]),
    # LLR, CLR and SLR: the warm-up ends at t = 2815, and 25,336 iterations are left from there on, itself among them
    *((Linear("10%"), t, f) for t, f in [(1, 1 / 2815), (2814, 2814 / 2815), (2815, 1), (2816, 25335 / 25336)]),
    *((Linear("10%"), t, f) for t, f in [(15483, 0.5), (28149, 2 / 25336), (28150, 1 / 25336)]),
    *((Cosine("10%"), t, f) for t, f in [(1, 1 / 2815), (2815, 1), (2816, 0.99999999616), (15483, 0.5)]),
    *((Cosine("10%"), t, f) for t, f in [(28149, 0.00000001537), (28150, 0.00000000384)]),
    *((SLR, t, f) for t, f in [(1, 1 / 2815), (2815, 1), (2816, 1), (14075, 1), (14076, 0.1), (21112, 0.1)]),
    *((SLR, t, f) for t, f in [(21113, 0.01), (28150, 0.01)]),
]
FALL = [1, 0.98296291, 0.93301270, 0.85355339, 0.75, 0.62940952]  # (1 + cos) / 2 of 0, 15, 30, ... 75 degrees
EIGHTHS = [1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8]
TENTHS = [1, 0.97552826, 0.90450850, 0.79389263, 0.65450850]  # (1 + cos) / 2 of 0, 18, 36, ... 72 degrees
THIRDS = [1 / 3, 2 / 3, 1]
WHOLE = [  # a cycle of 3 epochs of 4 steps, iteration by iteration
    (Constant(), [1] * 12),
    (Linear(), [left / 12 for left in range(12, 0, -1)]),
    (Linear("10%"), [left / 12 for left in range(12, 0, -1)]),  # of one iteration: none to see
    (Linear("25%"), [*THIRDS, *(left / 10 for left in range(9, 0, -1))]),
    (Linear("1ep"), [0.25, 0.5, 0.75, 1, *(left / 9 for left in range(8, 0, -1))]),
    (Linear("11it"), [*(t / 11 for t in range(1, 12)), 0.5]),
    (Linear("100%"), [t / 12 for t in range(1, 13)]),
    (Linear("4ep"), [t / 16 for t in range(1, 13)]),  # never 1
    (Cosine("25%"), [*THIRDS[:2], *TENTHS, 0.5, *(1 - factor for factor in TENTHS[:0:-1])]),
    (Cosine("3it"), [*THIRDS[:2], *TENTHS, 0.5, *(1 - factor for factor in TENTHS[:0:-1])]),
    (Cosine("11it"), [*(t / 11 for t in range(1, 12)), 0.5]),
    (Cosine("3ep"), [t / 12 for t in range(1, 13)]),
    (Cosine(), [*FALL, 0.5, *(1 - factor for factor in FALL[:0:-1])]),
    (Ramp(2**-12), [2.0**-left for left in range(11, -1, -1)]),
    (Ramp(1e-6), [10 ** (-left / 2) for left in range(11, -1, -1)]),
    (Cyclical("4it"), [0.5, 1, 0.5, 0] * 3),
    (Cyclical("1ep"), [0.5, 1, 0.5, 0] * 3),
    (Cyclical("1ep", low=0.2), [0.6, 1, 0.6, 0.2] * 3),
    (Cyclical("2ep", low=0.2), [0.4, 0.6, 0.8, 1, 0.8, 0.6, 0.4, 0.2, 0.4, 0.6, 0.8, 1]),  # the last one is cut off
    (Cyclical("6it", low=0.1), [0.4, 0.7, 1, 0.7, 0.4, 0.1] * 2),  # over the ends of epochs
    (Cyclical("5it", low=0.5), [0.7, 0.9, 0.9, 0.7, 0.5, 0.7, 0.9, 0.9, 0.7, 0.5, 0.7, 0.9]),  # 1 lies between steps
    (Cyclical("6ep"), [t / 12 for t in range(1, 13)]),  # longer than the cycle
    (Cyclical("50%", low=0.1), [0.4, 0.7, 1, 0.7, 0.4, 0.1] * 2),
    (WarmupStep("0it"), [1] * 12),
    (WarmupStep("1it"), [1] * 12),
    (WarmupStep("2it"), [0.5] + [1] * 11),
    (WarmupStep("8it"), [*EIGHTHS, 1, 1, 1, 1, 1]),
    (WarmupStep("2ep"), [*EIGHTHS, 1, 1, 1, 1, 1]),
    (WarmupStep("3ep"), [t / 12 for t in range(1, 13)]),  # 1 at the last step
    (WarmupStep("4ep"), [t / 16 for t in range(1, 13)]),  # never 1
    (WarmupStep("8it", {"1ep": 0.1, "2ep": 0.01}), [*EIGHTHS[:4], *[0.1] * 4, *[0.01] * 4]),  # cut off, as released
    (WarmupStep("8it", {"1ep": 1, "2ep": 0.1}), [*EIGHTHS[:4], *[1] * 4, *[0.1] * 4]),  # cut off upwards, as released
    (WarmupStep("1ep", {"1ep": 0.5}), [0.25, 0.5, 0.75, 1, *[0.5] * 8]),
    (WarmupStep("2it", {"0ep": 0.3, "2ep": 0}), [*[0.3] * 8, *[0] * 4]),  # a drop at the start leaves no warm-up
    (WarmupStep("2it", {"3ep": 0.1}), [0.5] + [1] * 11),  # after the end
    (WarmupStep("25%", {"50%": 0.1, "75%": 0.01}), [*THIRDS, *[1] * 3, *[0.1] * 3, *[0.01] * 3]),
    (WarmupStep("25%", {"2ep": 0.1}), [*THIRDS, *[1] * 5, *[0.1] * 4]),
    (WarmupStep("50%", {"25%": 0.1}), [1 / 6, 2 / 6, 3 / 6, *[0.1] * 9]),  # cut off
    (WarmupStep("0%", {"33%": 0.5, "41%": 0.2}), [*[1] * 3, 0.5, *[0.2] * 8]),  # after 3.96 and 4.92 iterations
    (WarmupStep("8%", {"0%": 0.3, "100%": 0}), [0.3] * 12),
]
WARMUP = WarmupStep("2ep", {"3ep": 0.1, "4ep": 0})
TRIANGLE = [(1, 0.36), (4, 0.84), (5, 1), (6, 0.84), (9, 0.36), (10, 0.2), (11, 0.36), (14, 0.84), (15, 1), (20, 0.2)]
SMALL = [  # 10 steps an epoch, 10 epochs
    *((WARMUP, t, f) for t, f in [(1, 0.05), (2, 0.1), (19, 0.95), (20, 1), (21, 1), (30, 1), (31, 0.1), (32, 0.1)]),
    *((WARMUP, t, f) for t, f in [(40, 0.1), (41, 0), (100, 0)]),
    *((WarmupStep("1it"), t, 1) for t in (1, 2, 100)),
    *((WarmupStep(none), t, 1) for none in ("0it", "0ep") for t in (1, 2, 100)),
    *((WarmupStep("0it", {"0ep": 0.5, "1ep": 0.25}), t, f) for t, f in [(1, 0.5), (10, 0.5), (11, 0.25)]),
    *((Constant(), t, 1) for t in (1, 2, 100)),
    *((Cosine(), t, f) for t, f in [(1, 1), (2, 0.99975328018), (26, 0.85355339059), (50, 0.51570537950)]),
    *((Cosine(), t, f) for t, f in [(51, 0.5), (52, 0.48429462050), (99, 0.00098663578), (100, 0.00024671982)]),
    *((Cyclical("10it", low=0.2), t, f) for t, f in TRIANGLE),
    *((Cyclical("1ep", low=0.2), t, f) for t, f in TRIANGLE),
    *((Cyclical("2it"), t, f) for t, f in [(1, 1), (2, 0), (3, 1), (4, 0)]),
    *((Cyclical("5it"), t, f) for t, f in [(1, 0.4), (2, 0.8), (3, 0.8), (4, 0.4), (5, 0), (6, 0.4)]),
]


@pytest.mark.parametrize(("shape", "epochs", "t", "expected"), RELEASED)
def test_released_shapes_at_their_phases(shape, epochs, t, expected):
    assert shape.factor(t, STEPS, epochs) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("shape", "t", "expected"), OTHERS)
def test_other_shapes_over_a_released_cycle(shape, t, expected):
    assert shape.factor(t, STEPS, 50) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize(("shape", "expected"), WHOLE, ids=str)
def test_every_iteration_of_a_short_cycle(shape, expected):
    assert [shape.factor(t, 4, 3) for t in range(1, 13)] == pytest.approx(expected, abs=1e-8)


def test_every_shape_is_tested_over_a_whole_cycle():
    assert {type(shape) for shape, _ in WHOLE} == set(SHAPES.values())


@pytest.mark.parametrize(("shape", "t", "expected"), SMALL)
def test_ends_and_neighbours(shape, t, expected):
    assert shape.factor(t, 10, 10) == pytest.approx(expected, abs=1e-10)


UNITS = st.sampled_from(["ep", "it", "%"])
shapes = st.one_of(
    st.builds(lambda n, u: WarmupStep(f"{n}{u}", {"2ep": 0.3}), st.integers(0, 500), st.sampled_from(["ep", "it"])),
    st.builds(lambda n, at: WarmupStep(f"{n}%", {f"{at}%": 0.3}), st.integers(0, 100), st.integers(0, 100)),
    st.just(Constant()),
    st.builds(Ramp, st.floats(1e-30, 0.999)),
    st.builds(lambda shape, n, u: shape(f"{n}{u}"), st.sampled_from([Cosine, Linear]), st.integers(0, 100), UNITS),
    st.builds(lambda n, low: Cyclical(f"{n}it", low), st.integers(2, 500), st.floats(0, 0.99)),
)


@given(shapes, st.integers(2, 100), st.integers(1, 5))
def test_a_factor_is_a_share_of_max_lr(shape, steps, epochs):
    factors = [shape.factor(t, steps, epochs) for t in range(1, steps * epochs + 1)]
    assert all(0 <= factor <= 1 + 1e-12 for factor in factors)
    assert max(factors) > 0


BARE = [10, 10.0, None, "10", "-1ep", "1.5ep", "10 ep", "", 0.1, "0.1", "12.5%", "101%"]


@pytest.mark.parametrize("value", BARE)
def test_durations_carry_their_unit(value):
    makers = {"warmup": WarmupStep, "period": Cyclical, "drops": lambda epoch: WarmupStep("1ep", {epoch: 0.1})}
    for name, make in [*makers.items(), ("warmup", Linear), ("warmup", Cosine)]:
        with pytest.raises(ValueError, match=f"^{name} must .* unit, .*, got {re.escape(repr(value))}$"):
            make(value)


@pytest.mark.parametrize(
    "drops",
    [
        {"25it": 0.1},
        *({"25ep": factor} for factor in (-0.1, 1.1, math.nan, math.inf)),
        {"32ep": 0.01, "25ep": 0.1},
        {"25ep": 0.1, "025ep": 0.01},  # the same epoch twice: neither may win in silence
        {"75%": 0.1, "50%": 0.01},
        {"10ep": 0.1, "75%": 0.01},  # which of them comes first depends on the cycle
    ],
    ids=str,
)
def test_bad_drops(drops):
    with pytest.raises(ValueError, match="drops"):
        WarmupStep("10ep", drops)


@pytest.mark.parametrize("period", ["0ep", "0it", "1it", "0%"])
def test_a_triangle_needs_two_iterations(period):
    with pytest.raises(ValueError, match="period"):
        Cyclical(period)


def test_a_triangle_of_one_step_is_refused_though_it_is_an_epoch():
    """Else the rate would be ``low``, 0 by default, at every iteration."""
    with pytest.raises(ValueError, match="period"):
        Cyclical("1ep").factor(1, steps_per_epoch=1, epochs=5)
    with pytest.raises(ValueError, match=r"period.*10%.*\b0\b"):
        Cyclical("10%").factor(1, steps_per_epoch=1, epochs=5)


def test_a_warmup_of_no_length_is_none_to_the_bit():
    """What was recorded of the cosine before it could be warmed up is what it is."""
    for t in range(1, 28151, 7):
        assert Cosine().factor(t, STEPS, 50) == (1 + math.cos(math.pi * (t - 1) / (STEPS * 50))) / 2


@pytest.mark.parametrize("low", [-0.1, 1, 1.5, math.nan, math.inf, True, False, np.float32("nan"), "0.1", None])
def test_bad_feet(low):
    with pytest.raises(ValueError, match="low"):
        Cyclical("10it", low)


@pytest.mark.parametrize("low", [0, -0.1, 1, math.nan, math.inf, True, "0.1", None])
def test_bad_beginnings_of_a_ramp(low):
    with pytest.raises(ValueError, match=f"^low must be in .*got {re.escape(repr(low))}$"):
        Ramp(low)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_numpy_numbers_are_numbers_and_become_plain(kind):
    low = float(kind(0.1))
    drops = {"2ep": kind(0.1), "3ep": np.int64(0)}
    assert repr(Cyclical("4it", kind(0.1))) == repr(Cyclical("4it", low))
    assert repr(WarmupStep("7it", drops)) == repr(WarmupStep("7it", {"2ep": low, "3ep": 0}))
    for shape in (Cyclical("2ep", kind(0.1)), WarmupStep("7it", drops), Cosine(), Constant(), Linear("10%")):
        for t in range(1, 21):
            assert shape.factor(np.int32(t), np.int64(5), np.uint8(4)) == shape.factor(t, 5, 4)


def test_a_shape_does_not_follow_its_source():
    drops = {"2ep": 0.1}
    shape = WarmupStep("0it", drops)
    drops["2ep"] = 0.9
    assert shape.factor(21, 10, 10) == 0.1


@pytest.mark.parametrize("drops", [["8ep"], "8ep", 0.1])
def test_drops_are_a_mapping(drops):
    with pytest.raises(ValueError, match=r"^drops must be a mapping such as .*, got "):
        WarmupStep("5ep", drops)
