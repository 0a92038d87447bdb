"""The commands of "Reproduce the paper", executed in the order of the page, in the smoke mode that it shows."""

import re
import shutil
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from page_text import FEW_SAMPLES, ROOT, commands

from benchmarks import smoke
from oracle.analysis.results import load_results
from oracle.cli.main import main
from oracle.cli.power import power_lines

FILE = "benchmarks/paper/resnet20-cifar10.yaml"
FACTORS = "benchmarks/mnist1d-mlp-factors.yaml"
PAGES = ("benchmarks/README.md", "benchmarks/cluster/README.md")


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "cifar10-cnn").symlink_to(ROOT / "results" / "cifar10-cnn")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("oracle.cli.power.power_lines", partial(power_lines, studies=2, search_studies=1))
    return tmp_path


def test_the_commands_on_the_paper_do_as_they_stand(place):
    on_pages = [words for page in PAGES for words in commands(page)]
    (images,) = [words for words in on_pages if words[:3] == ["python", "-m", "benchmarks.smoke"]]
    smoke.main(images[3:])
    (tried,) = [words for words in on_pages if "runs/smoke/resnet20-cifar10" in words]
    sets = [f"--set={one}" for before, one in pairwise(tried) if before == "--set"]
    executed = []
    for words in on_pages:
        words = words[2:] if words[0] == "srun" else words
        if not words[0].endswith("silo-oracle") or not any(re.search(r"resnet20-cifar10|r20-", word) for word in words):
            continue
        command, arguments = words[1], words[2:]
        if command in ("plan", "run"):  # what the page sets comes last, and holds
            local = {"--local"} - {*arguments} if command == "run" else ()
            arguments = [FILE, *sets, *local, *arguments[1:]]
        for folder in arguments if command == "merge" else ():  # those of further tasks of an array
            if not (place / folder).exists():
                shutil.copytree("runs/r20-1", folder)
        assert main([command, *arguments]) == 0, words
        executed.append(command)
        if command == "run" and "oracle.seeds=[0, 1]" in arguments:  # of what two machines trained
            both = load_results(place / "runs" / "r20-0")
            assert set(both.cells.seed) == {0, 1} and set(both.cells.status) == {"done"}
    assert {*executed} == {"plan", "run", "status", "merge", "table", "publish"} and executed.count("run") >= 6
    assert any("oracle.seeds=[0, 1]" in words for words in on_pages)
    assert (place / "results" / "resnet20-cifar10" / "verdicts.csv").exists()


def test_a_whole_file_of_factors_does_as_it_stands(place):
    """With few samples and one seed; a level's network, epochs and shape are its own."""
    (words,) = [words for words in commands("oracle/fields.md") if words[1:3] == ["run", FACTORS] and len(words) == 3]
    assert main([*words[1:], "--local", *(f"--set={one}" for one in FEW_SAMPLES)]) == 0
    found = sorted(str(path.parent.parent.relative_to("runs")) for path in Path("runs").glob("**/report/report.html"))
    assert len(found) == 8 and len(list(Path("runs").glob("*/*/compare/compare.md"))) == 4
