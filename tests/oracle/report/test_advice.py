"""Options to paste are advised in one module."""

from pathlib import Path

ORACLE = Path(__file__).parents[3] / "oracle"
QUOTED = "experiment/overrides.py"  # where an option is written, quoted for a shell
SHOWN_AGAIN = "cli/commands.py"  # what a user typed


def test_options_are_advised_in_one_module():
    using = {str(path.relative_to(ORACLE)) for path in ORACLE.rglob("*.py") if "set_option(" in path.read_text()}
    assert using == {QUOTED, SHOWN_AGAIN, "report/advice.py"}


def test_an_option_is_written_in_one_place():
    written = {str(path.relative_to(ORACLE)) for path in ORACLE.rglob("*.py") if "--set '" in path.read_text()}
    assert written - {"cli/parser.py"} == {QUOTED}
