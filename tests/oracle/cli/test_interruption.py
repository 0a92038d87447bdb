"""Ctrl-C and SIGTERM end a command whatever library is at work: with one line, exit code 130, within two seconds."""

import subprocess
import sys
import time

import pytest

# A command that a signal interrupts while it does this, in place of what `status` does.
CODE = """
import os, signal, sys, time
import oracle.cli.main as command_line
from oracle.error import InputError

def interrupt(number=signal.SIGINT):
    os.kill(os.getpid(), number)

class Interrupting:
    def __del__(self):
        interrupt(signal.SIGTERM)

def command(_):
{body}

command_line._run = command
sys.argv = ["silo-oracle", "status", "run"]
sys.exit(command_line.main())
"""
IN_A_DESTRUCTOR = """
    del [Interrupting()][0]
    time.sleep(60)
"""
ANOTHER_ERROR = """
    try:
        interrupt()
    except KeyboardInterrupt:
        raise InputError("Invalid bounding box")
"""
SWALLOWED = """
    try:
        interrupt(signal.SIGTERM)
    except BaseException:
        return 0
"""
TWICE = """
    try:
        interrupt()
    finally:
        interrupt()
        time.sleep(60)
"""
IMPORTING = """
    sys.path.insert(0, ".")
    import interrupted
"""
CLEARED_UP = """
    with open("half", "w"):
        pass
    try:
        sys.path.insert(0, ".")
        import interrupted
        time.sleep(60)
    finally:
        os.remove("half")
"""
AT_EXIT = """
    import atexit
    atexit.register(interrupt)
    return 0
"""


@pytest.mark.parametrize("body", [IN_A_DESTRUCTOR, ANOTHER_ERROR, SWALLOWED, TWICE, IMPORTING, CLEARED_UP, AT_EXIT])
def test_what_is_interrupted_ends_whatever_becomes_of_the_exception(body, tmp_path):
    # a library's start that makes another error of it
    swallow = "import os\ntry:\n    os.kill(os.getpid(), 2)\nexcept BaseException:\n    raise ImportError from None\n"
    (tmp_path / "interrupted.py").write_text(swallow)
    started = time.monotonic()
    code = CODE.format(body=body)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, cwd=tmp_path)
    message = "interrupted; what is recorded stays: run again to go on\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", message)
    assert not (tmp_path / "half").exists()
    assert time.monotonic() - started < 10  # 1.5 s, and what a busy machine adds
