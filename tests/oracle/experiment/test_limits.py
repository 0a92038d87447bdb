"""Files that are more than any study writes: one line at once, whichever command reads them."""

import errno
import os

import pytest

from oracle.cli.main import main

DEEP, DEEPER = "[" * 51 + "]" * 51, '{"a":' * 10**5
HUGE = 50_000_000  # bytes
TOO_DEEP = "must be readable JSON, got lists and mappings more than 50 deep; "
TOO_LARGE = f"got {HUGE} bytes, more than the "


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a command in a folder of these files; returns its one line on stderr."""
    monkeypatch.chdir(tmp_path)

    def command(text, files):
        for path, content in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if content == HUGE:
                with file.open("w") as opened:
                    opened.truncate(HUGE)  # takes no room
            else:
                file.write_text(content)
        assert main(text.split()) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        return err

    return command


@pytest.mark.parametrize(
    ("command", "path", "content", "message"),
    [
        (
            "schedule e.yaml",
            "e.yaml",
            HUGE,
            f"e.yaml must be a readable YAML file, {TOO_LARGE.replace('got', 'got:')}4194304",
        ),
        ("status run", "run/study.json", HUGE, f"study.json must be readable JSON, {TOO_LARGE}16777216"),
        ("status run", "run/study.json", DEEP, f"study.json {TOO_DEEP}restore it"),
        ("status run", "run/study.json", DEEPER, f"study.json {TOO_DEEP}restore it"),
        ("merge run run", "run/study.json", DEEPER, f"study.json {TOO_DEEP}restore it"),
        (
            "status run",
            "run/study.json",
            "[" + "[]," * 500_000 + "1]",
            "got 500001 lists and mappings, more than the 500000",
        ),
        ("table published", "published/experiment.json", DEEP, "or damaged: lists and mappings more than 50 deep"),
        ("table published", "published/experiment.json", HUGE, "or damaged: 50000000 bytes, more than the 16777216"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "huge",
)
def test_a_file_of_more_than_it_should_hold_is_refused(refused, command, path, content, message):
    assert message in refused(command, {path: content})


def test_what_has_no_end_is_not_read(refused, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("pipe", "/dev/zero"):
        assert f"{path} must be a readable YAML file, got: a device or a pipe" in refused(f"schedule {path}", {})


def forbidden(*_, **__):
    raise PermissionError(errno.EACCES, "Permission denied", "a/place")


def test_a_report_that_may_not_be_written_is_said_without_advice_to_train(refused, monkeypatch):
    monkeypatch.setattr("oracle.study.study.open_study", forbidden)
    assert refused("report run", {}) == "silo-oracle: a/place: Permission denied\n"


def test_what_is_forbidden_is_not_called_damaged(refused, monkeypatch):
    monkeypatch.setattr("oracle.files.read_file", forbidden)
    assert refused("status run", {}).endswith("run/study.json must be readable, got: Permission denied\n")
