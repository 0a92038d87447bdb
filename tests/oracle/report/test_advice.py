"""Options to paste are written in one module."""

from pathlib import Path

ORACLE = Path(__file__).parents[3] / "oracle"
# what a user typed is shown again by the commands, and redacted
SHOWN_AGAIN = {"experiment/redaction.py", *(f"cli/{path.name}" for path in (ORACLE / "cli").glob("*.py"))}


def test_advice_alone_writes_options_to_paste():
    written = {str(path.relative_to(ORACLE)) for path in ORACLE.rglob("*.py") if "--set '" in path.read_text()}
    assert "report/advice.py" in written
    assert written - SHOWN_AGAIN == {"report/advice.py"}
