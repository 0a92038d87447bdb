"""What commands show: plain text that a screen of 80 characters holds, and one that knows only ASCII."""

import io
import re
import shlex

import pytest
from published import RESULTS, published

from oracle.cli import screen
from oracle.cli.main import main
from oracle.cli.parser import make_parser
from oracle.plain_text import ALIKE_ERRORS
from oracle.report.screen import finished_text, tables_text, verdicts_text
from oracle.report.tables.paper import finished_experiments

NAMES = ("digits-mlp", "digits-cnn")
DIGITS = RESULTS.parent / "benchmarks" / "digits-mlp.yaml"
MARKS = re.compile(r"\||\*\*|`|^#|^-{3}", re.MULTILINE)


def fits(text, width):
    """No line is longer, but for a word or an option that nothing can break."""
    longer = [line for line in text.splitlines() if len(line) > width]
    return not [line for line in longer if len(shlex.split(line.replace("SILO's", ""))) > 2]


def test_a_report_fits_a_screen_and_has_no_marks():
    results = published("digits-mlp")
    (experiment,) = finished_experiments([results])
    for width in (80, 30):
        for text in (verdicts_text(results), tables_text(results, width), finished_text(experiment, width)):
            shown = screen.broken(text, width)
            assert fits(shown, width) and not MARKS.search(shown)
    assert screen.broken(tables_text(results, 80), 80) == tables_text(results, 80)  # tables themselves fit
    assert "No room" not in tables_text(results, 80)


@pytest.mark.parametrize(
    "command",
    [
        ["schedule", str(DIGITS)],
        ["compare", *(str(RESULTS / name) for name in NAMES), "--to", "compared"],
        ["table", *(str(RESULTS / name) for name in NAMES), "--to", "tables", "--cycles", "0,4,9"],
    ],
    ids=lambda command: command[0],
)
def test_commands_fit_a_screen(command, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("oracle.analysis.compare.load_results", lambda folder: published(folder.name))
    monkeypatch.setattr("oracle.analysis.results.load_results", lambda folder: published(folder.name))
    monkeypatch.setattr("oracle.report.compare.save", lambda *given: [])
    assert main(command) == 0
    out = capsys.readouterr().out
    assert fits(out, 80) and not MARKS.search(out)


def test_every_command_s_help_fits_a_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    (commands,) = [action.choices for action in make_parser()._actions if action.dest == "command"]
    for parser in commands.values():
        assert max(map(len, parser.format_help().splitlines())) <= 80


def test_an_option_to_paste_is_never_broken():
    option = "--set 'oracle.grid.extra=[0.00982, 0.01401]'"
    shown = screen.broken(f"Note: some intervals are open, and widen: {option} would widen the grid.", 60)
    assert shown.splitlines() == ["Note: some intervals are open, and widen:", f"  {option} would widen", "  the grid."]
    assert screen.broken("  as it\n   is", 60) == "  as it\n   is"


def test_files_are_named_by_the_shorter_path(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "run").mkdir()
    for name in ("a.md", "report.html"):
        (tmp_path / "run" / name).touch()
    monkeypatch.chdir(tmp_path)
    files = {tmp_path / "run" / name: "what it is" for name in ("report.html", "a.md", "missing.png")}
    expected = ["Worth opening:", "  run/report.html  what it is", "  run/a.md         what it is"]
    assert screen.files_text(files).splitlines() == expected
    monkeypatch.setattr("oracle.cli.screen.LEAST", 20)
    monkeypatch.setenv("COLUMNS", "25")
    assert screen.files_text(files).splitlines() == ["Worth opening:", "  run/report.html", "  run/a.md"]


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "<=0.02 98.4 +- 0.1 -3 ?"), ("utf-8", "≤0.02 98.4 ± 0.1 \N{MINUS SIGN}3 中")]
)
def test_a_screen_that_lacks_a_character_shows_one_alike(encoding, shown):
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, errors=ALIKE_ERRORS) as stream:
        stream.write("≤0.02 98.4 ± 0.1 \N{MINUS SIGN}3 中")
        stream.flush()
        assert raw.getvalue().decode(encoding) == shown
