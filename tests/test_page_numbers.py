"""Numbers on the pages that come from results are those of the results."""

import csv
import re

import pytest
from page_text import text_of
from published import RESULTS, published

SPAN = ("estimate", "low", "high")
VERDICTS = re.compile(r"^\| \[[^]]*\]\(results/([\w/-]+)/README.md\) \|(.*)\|$", re.MULTILINE)


def test_the_table_of_verdicts_says_what_is_published():
    """Its last column asks the other way round: would one constant do."""
    rows = VERDICTS.findall(text_of("README.md"))
    assert [name for name, _ in rows] == [
        "mnist1d-mlp",
        "mnist1d-cnn-factors/base",
        "digits-mlp",
        "digits-cnn",
        "cifar10-policies",
        "cifar10-cnn",
    ]
    for name, cells in rows:
        assert [cell.strip() for cell in cells.split("|")] == verdict_cells(name)


def verdict_cells(name):
    rows = list(csv.DictReader((RESULTS / name / "verdicts.csv").open(encoding="utf-8")))
    asked = [
        ("1.", "growth along SILO's curve", "x{:.2g} ({:.2g} to {:.2g})"),
        ("2.", "gain of SILO over the best baseline", "{:.1f} ({:.1f} to {:.1f})"),
        ("3.", "loss to the best of each cycle", "{:.1f} ({:.1f} to {:.1f})"),
        ("Rival:", "loss of the best constant in its worst cycle", "{:.1f} ({:.1f} to {:.1f})"),
    ]
    cells = []
    for claim, quantity, form in asked:
        (judgement,) = {row["judgement"] for row in rows if row["claim"].startswith(claim)}
        if claim == "Rival:":
            judgement = {"refuted": "yes", "confirmed": "no"}.get(judgement, judgement)
        numbers = [row for row in rows if row["claim"].startswith(claim) and row["quantity"] == quantity]
        if not numbers:
            assert not published(name).experiment.baselines
            cells.append(f"{judgement}<br>no baseline")
            continue
        (row,) = numbers
        text = form.format(*(float(row[key]) for key in SPAN))
        cells.append(f"{judgement}<br>{text.replace('-0.0', '0.0')}")
    return cells


def rows_of(path, **only):
    """The rows of a published csv file that hold these texts."""
    rows = csv.DictReader((RESULTS / path).open(encoding="utf-8"))
    return [row for row in rows if all(row[key] == value for key, value in only.items())]


def numbers_of(path, column, **only):
    return [float(row[column]) for row in rows_of(path, **only)]


def speed_ratio(what, digits, path="speed/speed.csv"):
    (row,) = rows_of(path, what=what)
    return "{:.{}f}".format(float(row["ratio"]), digits), *(f"{float(row[key]):.{digits}f}" for key in ("low", "high"))


def speed_of(what):
    (row,) = rows_of("speed/speed.csv", what=what)
    return f"{float(row['ours']):.0f}", f"{float(row['other']):.0f}"


def first_page():
    yield f"trains {len(rows_of('mnist1d-mlp/cells.csv'))} small networks"
    said = [
        ("mnist1d-mlp", "gain of SILO over the best constant", "is {:.1f} points ({:.1f} to {:.1f}) on MNIST-1D"),
        (
            "cifar10-cnn",
            "gain of SILO over the best constant",
            "and {:.1f} ({:.1f} to {:.1f}) on the whole of CIFAR-10",
        ),
        ("mnist1d-mlp", "gain of SILO over smet", "is {:.1f} points ({:.1f} to {:.1f}) on MNIST-1D"),
        (
            "mnist1d-mlp-factors/epochs/x4",
            "loss to the best of each cycle",
            "SILO loses {:.1f} points ({:.1f} to {:.1f})",
        ),
    ]
    for name, quantity, form in said:
        (row,) = rows_of(f"{name}/verdicts.csv", quantity=quantity)
        yield form.format(*(float(row[key]) for key in SPAN))
    hours = re.findall(r"\| \[.*?\]\(paper/.* ([\d,]+) \|$", text_of("benchmarks/README.md"), re.MULTILINE)
    counts = sorted(int(one.replace(",", "")) for one in hours)
    yield f"they need {counts[0]:,} to {counts[-1]:,} GPU-hours each"


def commands_page():
    ratios = numbers_of("speed/calibration.csv", "ratio")
    assert len(ratios) == 8
    yield f"{100 * (1 - max(ratios)):.0f}% to {100 * (1 - min(ratios)):.0f}% below what eight small sweeps"
    chaos = (RESULTS / "chaos/README.md").read_text()
    kills, drivers, workers, nodes = re.search(r"(\d+): (\d+) drivers, (\d+) workers, (\d+) nodes", chaos).groups()
    yield f"{kills} random SIGKILLs"
    yield f"({drivers} of the driver, {workers} of workers, {nodes} of nodes)"
    trainings = int(re.search(r"trainings . (\d+)", chaos)[1])
    yield f"Of {trainings:,} trainings none was lost"


def verdicts_page():
    border = {row["verdict"]: row for row in power_table()}
    yield f"on growth is false in {border['growth confirmed']['border']} of studies"
    position = sorted(border[f"position {word}"]["border"] for word in ("confirmed", "refuted"))
    yield f"one on claim 3 in {position[0]} to {position[1]}"
    usual = [row["worst"] for name, row in border.items() if name != "own excluded"]
    yield f"In the worst single truth it is {max(usual, key=lambda one: float(one[:-1]))}"
    yield f"excluded falsely in up to {float(border['own excluded']['worst'][:-1]):.0f}%"
    pooled = [row for row in rows_of("power/power.csv", widened="True") if "one pool" in row["truth"]]
    held = [float(row[key]) for row in pooled for key in ("growth_held", "loss_held") if row["truth"][:5] != "still"]
    assert min(held) > 0.66
    same = rows_of("power/pairs.csv", true_ratio="1.0")
    wrong = [100 * float(row[side]) for row in same for side in ("less", "more")]
    yield f"differs in {sum(wrong) / len(wrong):.1f}% of pairs to either side, {max(wrong):.1f}% in the worst case"
    simulated = "search/verdicts-simulated.csv"
    for truth, words in (
        ("grows x8", "after {} to {} of the trainings"),
        ("grows x7/3", "after {} to {} at SILO's own"),
    ):
        cost = numbers_of(simulated, "cost", truth=truth)
        yield words.format(*(f"{100 * one:.0f}%" for one in (min(cost), max(cost))))
    agree, false = numbers_of(simulated, "agree"), numbers_of(simulated, "false")
    mean = sum(false) / len(false)
    yield f"the whole grid's in {100 * min(agree):.0f}% to 100% of the studies, and false in {100 * mean:.1f}% of all"
    adaptive = {"search": "adaptive", "against": "other orders"}
    for name in ("digits-mlp", "cifar10-policies", "digits-cnn"):
        (row,) = [row for row in rows_of("search/search.csv", run=name, **adaptive) if row["share"] == "0.333333"]
        cost, steps, within = (float(row[key]) for key in ("cost", "steps", "within"))
        yield f"| {name} | {cost:.2f} | {steps:.2f} | {100 * within + 1e-6:.0f}% of cycles |"


def power_table():
    text = (RESULTS / "power/README.md").read_text(encoding="utf-8")
    row = r"^\| +(?P<verdict>[a-z ]+) \| +\d+ \| +[\d.]+% \| +(?:(?P<border>[\d.]+%) of \d+)? \| +(?P<worst>[\d.]+%) \|"
    return [one.groupdict() for one in re.finditer(row, text, re.MULTILINE)]


def benchmarks_page():
    for what, form in (("a step", "{} times the steps ({} to {})"), ("an epoch", "{} times the epochs ({} to {})")):
        yield form.format(*speed_ratio(what, 2))
    two = [speed_ratio(what, 2, "speed/two-cores/speed.csv") for what in ("a step", "an epoch")]
    yield "On two cores {} ({} to {}) and {} ({} to {})".format(*two[0], *two[1])
    yield "A step of the tiny MLP takes {} times as long ({} to {}), or".format(*speed_ratio("MLP: a step", 2))
    yield "{} ({} to {}) beside a loop".format(*speed_ratio("MLP, normalized ahead: a step", 2))
    yield "4 workers train {} times as much as 1".format(speed_ratio("4 workers / 1", 1)[0])
    most, released = speed_of("a graph of 16 lanes")
    one, eager = speed_of("a graph of 1 lane")[0], speed_of("eager, 1 lane")[0]
    yield f"measured at {most} iterations a second with 16 trainings side by side, {one} with one"
    yield f"{most} lane-steps a second with 16 lanes"
    yield "{} times the released way's {} ({} to {})".format(
        *(r := speed_ratio("a graph of 16 lanes", 1))[:1], released, *r[1:]
    )
    yield f"{one} with one lane, {eager} eager"
    hours = 65_308_000 / float(most) / 3600
    yield f"{hours:.0f} hours on one, about {hours / 4:.0f} on four"
    overhead, memory = (numbers_of("overhead/overhead.csv", column) for column in ("overhead_ms", "driver_mb"))
    yield f"costs a worker {min(overhead):.0f} to {max(overhead) + 0.4:.0f} ms a training"
    yield f"grows from {min(memory):.0f} to {max(memory):.0f} MB"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("README.md", first_page),
        ("oracle/README.md", commands_page),
        ("oracle/verdicts.md", verdicts_page),
        ("benchmarks/README.md", benchmarks_page),
    ],
)
def test_numbers_of_the_pages_are_those_of_the_results(page, said):
    text = " ".join(text_of(page).split())
    assert [one for one in said() if one not in text] == []
