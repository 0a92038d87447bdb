"""`plan` with a pilot, or with stated numbers: a line for each thing that may be true."""

import re
from functools import partial

import pytest
from experiments import write

from oracle.cli.main import main
from oracle.cli.power import power_lines

TRUTHS = ["If SILO is right", "If nothing moves", "If SILO is off by x3"]
CYCLES = {"prune.cycles": 4, "oracle.grid": [0.02, 0.05, 0.1, 0.2, 0.5]}


@pytest.fixture
def plan(monkeypatch, capsys, request):
    """The lines of a plan with few studies."""
    monkeypatch.setattr("oracle.cli.power.power_lines", partial(power_lines, studies=4, search_studies=1))

    def command(*words):
        capsys.readouterr()
        code = main(["plan", *map(str, words)])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out.splitlines()

    monkeypatch.chdir(request.config.rootpath)
    return command


def test_the_digits_power_by_its_own_published_run(plan, tmp_path):
    *_, head, right, still, off = plan(
        "benchmarks/digits-mlp.yaml", "--pilot", "results/digits-mlp", "--out", tmp_path / "run"
    )
    assert head.startswith("power with 4 seeds (noise of a training: 0.3")
    assert "4 simulated studies a line" in head
    for line, truth in zip((right, still, off), TRUTHS, strict=True):
        assert line.strip().startswith(truth)
        for claim in ("claim 1", "claim 3", "rival"):
            assert re.search(rf"{claim} (confirmed|refuted) in \d+%", line)
    assert "claim 1 confirmed in" in right
    assert "claim 1 refuted in" in still


def test_stated_numbers(plan, tmp_path):
    head, right, *_ = plan(write(tmp_path, CYCLES), "--noise", "0.2", "--curvature", "1", "--out", tmp_path / "run")[
        -4:
    ]
    assert "noise of a training: 0.2 points; curvature: 1 points per doubling squared" in head
    assert right.strip().startswith(TRUTHS[0])


def test_a_grid_that_does_not_cover_says_so(plan, tmp_path):
    narrow = write(tmp_path, CYCLES | {"oracle.grid": [0.08, 0.1, 0.12]})
    lines = plan(narrow, "--noise", "0.2", "--curvature", "1", "--out", tmp_path / "run")[-3:]
    said = "The grid (0.08 to 0.12) doesn't cover the best max_lr in {} of 4 cycles"
    assert lines[2].endswith(said.format(4))
    assert "The grid" not in lines[1]


def test_two_cycles_have_no_power(plan, tmp_path):
    few = write(tmp_path, {"prune.cycles": 2})
    *_, last = plan(few, "--noise", "1", "--curvature", "1", "--out", tmp_path / "run")
    assert last == "power: none: 2 cycles are too few to judge by (at least 3)"


def test_without_either_a_line_says_how(plan, tmp_path):
    *_, last = plan(write(tmp_path), "--out", tmp_path / "run")
    assert last.startswith("power: --pilot DIR")
