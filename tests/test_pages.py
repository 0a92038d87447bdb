"""What the pages show runs, leads somewhere, and is so."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path

import pytest
from field_list import with_list
from page_text import FENCED, PAGES, ROOT, anchors, block, blocks, commands, links, sessions, spans, text_of
from published import RESULTS

from oracle import load_experiment, run
from oracle.cli.main import main
from oracle.cli.parser import make_parser
from oracle.error import InputError
from oracle.experiment.factors import load_levels
from silo.pruning_rule import CRITERIA
from silo.restart import RESTARTS
from silo.schedule import SCHEDULES
from silo.shape import SHAPES

OTHERS = {
    ".",
    "pip",
    "python",
    "for",
    "aws",
    "$EDITOR",
    "(umask",
    "ray",
    "git",
}  # first words of commands that aren't ours


def file(folder, page, language, first_line):
    """Write a page's code block into the folder, under the name that its first line says."""
    code = block(page, language, first_line)
    (folder / first_line.removeprefix("# ")).write_text(code, encoding="utf-8")


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder as a user's: the files that the pages show, benchmarks and results."""
    file(tmp_path, "README.md", "python", "# mine.py")
    file(tmp_path, "README.md", "yaml", "# mine.yaml")
    file(tmp_path, "silo/extending.md", "python", "# own.py")
    file(tmp_path, "silo/extending.md", "yaml", "# parity.yaml")
    for name in ("benchmarks", "results"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for module in ("mine", "own"):
        sys.modules.pop(module, None)


# -- form


def test_the_first_page_is_short():
    assert len(text_of("README.md").encode()) <= 8000


def test_no_page_is_missing():
    """Every page but those that commands write is in the list of those that are tested."""
    found = {
        str(path.relative_to(ROOT)) for room in ("oracle", "silo", "benchmarks") for path in (ROOT / room).rglob("*.md")
    }
    assert found | {"README.md"} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    found = links(page)
    assert found
    for link in found:
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        name = str(target.relative_to(ROOT))
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(name), link


@pytest.mark.parametrize("page", PAGES)
def test_lines_are_not_endless(page):
    """But for tables' rows and code."""
    lines = FENCED.sub("", text_of(page)).splitlines()
    assert [line for line in lines if len(line) > 160 and not line.startswith("|")] == []


# -- commands


def parsed(words):
    """Whether the real parser takes it, and what it names in benchmarks and results is there."""
    try:
        make_parser().parse_args(words)
    except InputError as error:
        pytest.fail(f"{' '.join(words)}: {error}")
    for word in words:
        if word.startswith(("benchmarks/", "results/")) and words[words.index(word) - 1] not in ("--to", "--out"):
            assert (ROOT / word).exists(), word


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in commands(page):
        if words[0] == "srun":
            words = words[2:]  # --gpus=1: what it runs on a node
        program = words[0].removeprefix(".venv/bin/")
        if program == "silo-oracle":
            parsed(words[1:])
        elif program == "make":
            assert set(words[1:]) <= targets, words
        elif program == "python" and words[1] == "-m" and words[2].startswith("benchmarks"):
            assert find_spec(words[2]), words
        elif program == "python" and words[1] != "-m":
            assert (ROOT / words[1]).exists(), words
        elif script := next((word for word in words if word.endswith(".sh") and "/" in word), None):
            assert (ROOT / script).exists(), words
            after = words[words.index(script) + 1 :]
            parsed(["run", *as_options_of_run(script.rpartition("/")[2], after)])
        else:
            assert program in OTHERS, words
            for quoted in (word for word in words if "silo-oracle " in word):  # on another machine
                parsed(shlex.split(quoted.partition("silo-oracle ")[2]))


def as_options_of_run(script, words):
    """What a batch script makes of its arguments."""
    if script == "slurm.sh":
        return words
    file, folder = words[:2] if script == "array.sh" else words[1::-1]
    return [file, "--out", folder, *words[2:]]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_mentioned_is_one(page):
    names = command_parsers()
    for span in spans(page):
        words = span.split()[1:]
        assert words[0] in names, span
        if len(words) > 1:
            parsed(words)


def test_what_the_pages_say_is_answered_is_answered(workplace, capsys):
    tiny = load_experiment(workplace / "mine.yaml", ["prune.cycles=2", "oracle.seeds=1", "oracle.grid=[0.05, 0.2]"])
    assert run(tiny, "runs/mine", quiet=True)
    shown = [one for page in PAGES for one in sessions(page)]
    assert len(shown) > 20
    before = sorted(workplace.rglob("*"))
    for words, answer in shown:
        if words[0] == "cp":
            shutil.copytree(*words[2:])
            continue
        if words[0] == "echo":
            Path(words[3]).write_text(words[1])
            continue
        assert words[0] == "silo-oracle"
        assert main(words[1:]) == 2, words
        out, err = capsys.readouterr()
        assert (out, err) == ("", answer)
    assert [
        path
        for path in sorted(workplace.rglob("*"))
        if path not in before and path.suffix != ".pyc" and "copy" not in path.parts
    ] == []


# -- help


def command_parsers() -> dict[str, ArgumentParser]:
    (commands,) = [action.choices for action in make_parser()._actions if action.dest == "command"]
    return commands


def test_every_commands_help_has_an_example_and_the_page_where_it_is_explained():
    for name, parser in command_parsers().items():
        example, page = re.fullmatch(r"example: silo-oracle (.*)\nexplained in (.*)", parser.epilog).groups()
        words = example.partition(" > ")[0].replace("'", "").split()
        assert words[0] == name
        make_parser().parse_args(words)
        path, _, anchor = page.partition("#")
        assert path in PAGES and anchor in anchors(path)


# -- code


def test_the_loop_of_ones_own_runs_and_needs_silo_alone():
    loop = block("README.md", "python", "import torch")
    check = "import sys; assert not {'ray', 'optuna', 'pandas', 'matplotlib', 'oracle'} & sys.modules.keys()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{loop}\n{check}"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "count"), [("silo/README.md", 6), ("silo/extending.md", 3)])
def test_every_loop_of_silos_pages_runs(page, count, tmp_path, monkeypatch, capsys):
    """One after another, as they stand, and the data of one's own; those of other libraries in tests/integrations."""
    monkeypatch.chdir(tmp_path)
    loops = blocks(page, "python")
    assert len(loops) == count
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec("\n".join(loops), {"__name__": "loops"})
    errors = [answer for line in re.findall(r"print\(error\)  # (.*)", loops[-1]) for answer in line.split("; ")]
    assert len(errors) == (3 if page == "silo/README.md" else 0)
    assert errors == capsys.readouterr().out.splitlines()[: len(errors)]


def test_the_experiments_of_the_pages_are_valid(workplace):
    assert load_experiment(workplace / "mine.yaml").prune.cycles == 6
    assert load_experiment(workplace / "parity.yaml").prune.cycles == 6
    whole = workplace / "whole.yaml"
    whole.write_text(block("oracle/fields.md", "yaml", "name: mine"))
    assert load_experiment(whole).schedule.max_lr(24) > 0.0699
    factors = workplace / "factors.yaml"
    factors.write_text((workplace / "mine.yaml").read_text() + block("oracle/fields.md", "yaml factors", "factors:"))
    assert list(load_levels(factors)) == ["base", "epochs/x2", "epochs/x4", "restart/rewind"]
    assert {len(blocks(page, "yaml")) for page in ("README.md", "silo/extending.md", "oracle/fields.md")} == {1}


def test_the_study_of_ones_own_parts_runs(workplace, capsys):
    tiny = ["data.images=200", "train.epochs=2", "prune.cycles=2", "oracle.seeds=1", "oracle.grid=[0.03, 0.3]"]
    assert main(["run", "parity.yaml", "--local", *(f"--set={override}" for override in tiny)]) == 0
    # 2 cycles x (2 grid values, SILO's, two baselines')
    assert "10 of 10 trainings are recorded" in capsys.readouterr().out
    held = json.loads((workplace / "runs/parity/study.json").read_text())
    assert list(held["training"]["code"]) == ["own"]


def test_the_list_of_fields_is_the_schemas():
    """Written by ``python tests/field_list.py``."""
    assert with_list(text_of("oracle/fields.md")) == text_of("oracle/fields.md")


# -- what must be on them


def test_the_formulas_page_has_every_part():
    text = text_of("silo/README.md")
    for parts in (SCHEDULES, SHAPES):
        assert set(parts) <= set(re.findall(r"^\| `\w+\([^|]*\)` \(([\w-]+)\) \|", text, re.MULTILINE))
    for parts in (CRITERIA, RESTARTS):
        assert set(parts) <= set(re.findall(r"^\| ([\w-]+) \|", text, re.MULTILINE))


def test_the_glossary_has_the_words_of_the_verdicts():
    words = "training cycle candidate policy baseline rival interval tolerance verdict"
    assert set(words.split()) <= set(re.findall(r"^- \*\*([\w ]+)\*\*:", text_of("oracle/README.md"), re.MULTILINE))


def test_the_files_of_a_report_are_those_that_are_published():
    names = re.findall(r"^\| ([\w-]+\.\w+(?:, [\w-]+\.\w+)*) \|", text_of("oracle/verdicts.md"), re.MULTILINE)
    files = {name for cell in names for name in cell.split(", ")}
    there = {path.name for run in ("mnist1d-mlp", "digits-mlp-adaptive") for path in (RESULTS / run).iterdir()}
    assert "verdicts.md" in files and files <= there
