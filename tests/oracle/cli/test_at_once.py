"""What takes seconds to import is imported where it is needed: whoever needs none of it waits for none."""

import subprocess
import sys

import pytest
from experiments import write

from oracle.cli.main import main

SLOW = ("torch", "ray", "optuna", "pandas", "matplotlib", "sklearn")
CODE = """
import sys
from oracle.cli.main import main
for arguments in {arguments}:
    try:
        main(arguments)
    except SystemExit as end:
        assert end.code == 0
print([name for name in {slow} if name in sys.modules])
"""


def imported(*arguments):
    """Which slow modules a fresh interpreter has imported after these command lines."""
    code = CODE.format(arguments=arguments, slow=SLOW)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_help_the_version_and_a_mistyped_command_wait_for_nothing():
    lines = [["--help"], ["run", "--help"], ["--version"], ["rum", "e.yaml"], ["run"], ["plan", "e.yaml", "--fast"]]
    assert imported(*lines) == "[]"


def test_schedule_waits_for_torch_alone(tmp_path):
    assert imported(["schedule", str(write(tmp_path))]) == "['torch']"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help_and_version(arguments, capsys):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("silo-oracle 0." if arguments == ["--version"] else "usage: silo-oracle ")
