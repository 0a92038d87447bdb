"""What a command makes takes its place whole or not at all, wherever it is killed; and nobody else's file goes."""

import os
from pathlib import Path

import pytest

from oracle.error import InputError
from oracle.study import beside
from oracle.study.beside import written_beside

OLD, NEW = {"a": "old", "b": "old"}, {"a": "new", "c": "new"}


def write(place, files=NEW, own=OLD):
    with written_beside(place, own) as new:
        new.mkdir()
        for name, text in files.items():
            (new / name).write_text(text)


def held(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def place(tmp_path):
    write(tmp_path / "place", OLD)
    return tmp_path / "place"


@pytest.fixture(params=["exchange", "two renames"])
def way(request, monkeypatch):
    """How a folder takes another's place: at once, and as where the file system can't."""
    if request.param == "two renames":
        monkeypatch.setattr(beside, "_exchange", lambda one, other: False)
    return request.param


def test_a_folder_takes_the_place_of_the_older_one(place, way):
    place.chmod(0o750)
    write(place)
    assert held(place) == NEW and names(place.parent) == ["place"]
    assert place.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("call", ["rename", "replace", "fsync", "open", "close", "rmdir"])
@pytest.mark.parametrize("first", [0, 1, 3])
def test_killed_anywhere_the_old_one_or_the_new_one_is_there_and_the_next_one_clears(
    place, way, monkeypatch, call, first
):
    """Killed before or after the first such call, the second, the fourth."""
    for after in (False, True):
        if os.fork() == 0:
            real, left = getattr(os, call), [first]

            def killed(*arguments, real=real, left=left, after=after, **options):
                last = left[0] == 0
                left[0] -= 1
                if last and not after:
                    os._exit(9)
                result = real(*arguments, **options)
                if last:
                    os._exit(9)
                return result

            monkeypatch.setattr(os, call, killed)
            try:
                write(place)
            finally:
                os._exit(0)
        os.wait()
        if way == "exchange" or place.exists():
            assert held(place) in (OLD, NEW)
        write(place, OLD, NEW)  # the next one: of what was killed between two renames nothing is lost, either
        assert held(place) == OLD and names(place.parent) == ["place"]


def test_what_was_moved_away_when_the_process_was_killed_comes_back(place, monkeypatch):
    monkeypatch.setattr(beside, "_exchange", lambda one, other: False)
    if os.fork() == 0:
        real = os.rename
        monkeypatch.setattr(os, "rename", lambda *paths: (real(*paths), os._exit(9)))
        write(place)
    os.wait()
    assert not place.exists()
    with pytest.raises(ZeroDivisionError), written_beside(place):
        raise ZeroDivisionError
    assert held(place) == OLD and names(place.parent) == ["place"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_where_writing_ends_early_the_old_one_stands(place, error):
    with pytest.raises(type(error)) as raised, written_beside(place) as new:
        new.mkdir()
        (new / "a").write_text("half")
        raise error
    assert held(place) == OLD and names(place.parent) == ["place"]
    if isinstance(error, OSError):
        assert str(raised.value) == f"[Errno 28] No space left on device: '{place}'"


def test_one_that_is_at_work_is_not_swept_away(place):
    with written_beside(place, NEW) as first:
        first.mkdir()
        if os.fork() == 0:
            write(place)
            os._exit(0)
        assert os.wait()[1] == 0 and held(place) == NEW
        (first / "a").write_text("later")
    assert held(place) == {"a": "later"} and names(place.parent) == ["place"]


def test_strangers_files_stay(place):
    (place / "thesis.txt").write_text("ten years of work")
    (place / "folder").mkdir()
    (place / "folder" / "b").write_text("a stranger's")
    write(place)
    assert held(place) == NEW | {"thesis.txt": "ten years of work"}
    assert names(place) == ["a", "c", "folder", "thesis.txt"]
    with pytest.raises(OSError, match="folder is a folder"):
        write(place, {"a": "x", "folder": "x"})
    assert held(place)["a"] == "new" and held(place / "folder") == {"b": "a stranger's"}


def test_the_working_folder_stays_the_working_folder(place, monkeypatch):
    monkeypatch.chdir(place)
    inode = place.stat().st_ino
    write(Path())
    assert held(place) == NEW and place.stat().st_ino == inode and names(place) == ["a", "c"]


def test_a_link_is_refused_with_what_to_name_instead(place):
    link = place.with_name("link")
    link.symlink_to("place")
    with pytest.raises(InputError, match=r"link must be no link, got one to place"):
        write(link)
    assert held(place) == OLD
    (place / "c").symlink_to("a")  # one among the files is replaced, not followed
    write(place)
    assert held(place) == NEW and not (place / "c").is_symlink()


def test_a_file_takes_its_place_whole(tmp_path):
    with written_beside(tmp_path / "x" / "file") as new:
        new.write_text("whole")
        assert names(tmp_path / "x") != ["file"]
    assert held(tmp_path / "x") == {"file": "whole"} and names(tmp_path / "x") == ["file"]
