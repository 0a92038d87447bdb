"""The run folder: whole records or none, the first one stands, and nothing damaged is taken for good."""

import errno
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made import record_of

from oracle.error import InputError
from oracle.hashing import digest
from oracle.study.record import Layer, Record
from oracle.study.states import read_checkpoint, read_state, write_checkpoint, write_state
from oracle.study.store import Store
from silo.mask import Mask
from silo.outcome import Epoch
from silo.state import State

WEIGHTS = {"a": torch.empty(3, 4), "b": torch.empty(5)}
CURVE = (Epoch(0.1, 90.1, None),)
WHOLE = record_of(0, 0, 90.1, leaves="its state", alive=11, prunable=17, layers=(Layer("a", 6, 12), Layer("b", 5, 5)))
WHOLE = replace(WHOLE, outcome=replace(WHOLE.outcome, curve=CURVE), environment={"device": "CPU"})
ID = WHOLE.id
RECORD = WHOLE.without_curve()  # what is remembered of it


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return (os.mkdir, (self.folder,))


def mask(seed=0):
    random = torch.Generator().manual_seed(seed)
    return Mask({name: torch.rand(w.shape, generator=random) < 0.5 for name, w in WEIGHTS.items()})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def again(store):
    """The same folder with nothing remembered, as the next process sees it."""
    return Store(store.folder)


def files(store):
    return sorted(str(path.relative_to(store.folder)) for path in store.folder.rglob("*") if path.is_file())


def message(raises):
    text = str(raises.value)
    assert "\n" not in text
    return text


def test_reading_makes_no_folder(store):
    assert store.study() is None
    assert store.record(ID) is None
    assert store.failure(ID) is None
    assert store.has_state(ID) is False
    assert store.attempts() == []
    store.drop_state(ID)
    store.forget_failures()
    store.sweep_up()
    with pytest.raises(InputError, match=r"must .* start state"):
        read_state(store, ID, "digest", WEIGHTS)
    assert not store.folder.exists()


def test_the_study_comes_back_and_can_be_brought_up_to_date(store):
    store.write_study({"experiment": {"name": "a"}})
    store.write_study({"experiment": {"name": "b"}})
    assert again(store).study() == {"experiment": {"name": "b"}}
    assert files(store) == ["study.json"]


def test_the_first_record_stands(store):
    assert store.write_record(WHOLE) is True
    assert store.write_record(replace(WHOLE, leaves="another")) is False
    assert again(store).whole_record(ID) == WHOLE
    assert again(store).write_record(replace(WHOLE, leaves="another")) is False
    assert again(store).record(ID) == RECORD
    assert store.recorded() == [ID]


def test_the_first_record_stands_where_the_file_system_has_no_hard_links(store, monkeypatch):
    def refused(*paths):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    test_the_first_record_stands(store)


@pytest.mark.parametrize("change", [{"leaves": "x"}, {"outcome": {"diverged": False, "validation": 91.0}}, {"new": 1}])
def test_a_record_that_was_changed_by_hand_is_refused(store, change):
    store.write_record(WHOLE)
    path = store.folder / "records" / f"{ID}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError) as raised:
        again(store).record(ID)
    assert f"{path} must " in message(raised)


def test_a_record_reads_as_it_was_written_in_older_versions_too():
    held = WHOLE.to_json()
    assert Record.from_json(json.loads(json.dumps(held))) == WHOLE
    del held["stepping"]
    older = Record.from_json(held)
    assert older.stepping is None and older.to_json() == held
    del held["flops"]
    older = Record.from_json(held)
    assert older.flops is None and older.to_json() == held


def test_a_record_without_a_field_is_refused(store):
    held = WHOLE.to_json()
    del held["leaves"]
    (store.folder / "records").mkdir(parents=True)
    path = store.folder / "records" / f"{ID}.json"
    path.write_text(json.dumps(held | {"checksum": digest(held)}))
    with pytest.raises(InputError) as raised:
        store.record(ID)
    assert str(path) in message(raised) and "leaves" in message(raised)


def test_environments_are_remembered_once(store):
    one, other = (record_of(0, seed, leaves="a state", environment={"device": "CPU"}) for seed in (0, 1))
    for record in (one, other):
        store.write_record(record)
    assert store.record(one.id).environment is store.record(other.id).environment


def test_of_two_writers_at_once_the_one_that_ends_first_stands(store, monkeypatch):
    """A worker that was given up may still be alive and end the same cell."""
    sync = os.fsync

    def other_process_ends_meanwhile(file):
        monkeypatch.setattr(os, "fsync", sync)
        if (child := os.fork()) == 0:
            os._exit(0 if Store(store.folder).write_record(replace(RECORD, leaves="the other's")) else 1)
        assert os.waitpid(child, 0)[1] == 0, "the other had the folder to itself"
        sync(file)

    monkeypatch.setattr(os, "fsync", other_process_ends_meanwhile)
    assert store.write_record(RECORD) is False
    assert again(store).record(ID).leaves == "the other's"
    assert files(store) == [f"records/{ID}.json"]


def test_a_record_that_is_no_json_is_refused_before_anything_is_written(store):
    with pytest.raises(ValueError):
        store.write_record(replace(RECORD, seconds=float("nan")))
    assert store.record(ID) is None
    assert not store.folder.exists()


def test_a_record_appears_whole_or_not_at_all(store, monkeypatch):
    """A process killed before the rename leaves no record, and what it leaves is swept up."""

    def killed(*paths):
        os._exit(9)

    for write in (lambda: store.write_record(RECORD), lambda: write_state(store, ID, State(mask()))):
        if os.fork() == 0:
            monkeypatch.setattr(os, "replace", killed)
            monkeypatch.setattr(os, "link", killed)
            write()
            os._exit(0)
        assert os.wait()[1] >> 8 == 9
    assert again(store).record(ID) is None
    assert not again(store).has_state(ID)
    assert len(files(store)) == 2
    assert store.write_record(RECORD) is True
    store.sweep_up()
    assert files(store) == [f"records/{ID}.json"]


def test_a_write_survives_that_its_temporary_file_is_swept_away(store, monkeypatch):
    """An orphan of the last sweep ends a training while the next driver starts."""
    sync, swept = os.fsync, []

    def sweep_up_once(file):
        sync(file)
        if not swept:
            swept.append(files(store))
            store.sweep_up()

    monkeypatch.setattr(os, "fsync", sweep_up_once)
    store.folder.mkdir()
    (store.folder / "records").mkdir()
    assert store.write_record(RECORD) is True
    assert len(swept[0]) == 1
    assert again(store).record(ID) == RECORD
    assert files(store) == [f"records/{ID}.json"]


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_write_that_fails_leaves_nothing(store, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.write_record(RECORD)
    assert files(store) == []


def test_what_is_written_is_on_the_disk_before_it_has_its_name(store, monkeypatch):
    """Else a power cut could leave an empty file under the name of a record."""
    calls = []
    for name in ("fsync", "replace", "link"):
        real = getattr(os, name)

        def noted(*of, name=name, real=real):
            folder = name == "fsync" and stat.S_ISDIR(os.fstat(of[0]).st_mode)
            calls.append("fsync of the folder" if folder else name)
            return real(*of)

        monkeypatch.setattr(os, name, noted)
    for folder in ("records", "states"):
        (store.folder / folder).mkdir(parents=True)
    store.write_record(RECORD)
    write_state(store, ID, State(mask()))
    assert calls == ["fsync", "link", "fsync of the folder", "fsync", "replace", "fsync of the folder"]


def test_a_new_folder_is_as_durable_as_what_lies_in_it(store, monkeypatch):
    synced, real = [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda file: (synced.append(str(Path(f"/proc/self/fd/{file}").readlink())), real(file))
    )
    store.write_record(RECORD)
    assert {str(store.folder.parent), str(store.folder), str(store.folder / "records")} <= set(synced)


@pytest.mark.parametrize("damage", [b"", b'{"id": "c0f', b"\xff\xfe", b"{}", b"null", b"[]", b"7"])
def test_an_unreadable_record_is_one_line_that_says_what_to_do(store, damage):
    store.write_record(RECORD)
    path = store.folder / "records" / f"{ID}.json"
    path.write_bytes(damage)
    with pytest.raises(InputError) as raised:
        again(store).record(ID)
    assert str(path) in message(raised)
    assert "delete it" in message(raised)


@pytest.mark.parametrize("held", ["{}", "3", '{"reason": {}}', "["])
def test_a_damaged_failure_is_one_line_that_says_what_to_do(store, held):
    store.write_failure("bad", "ValueError: no")
    path = store.folder / "failed" / "bad.json"
    path.write_text(held)
    with pytest.raises(InputError) as raised:
        store.failure("bad")
    assert str(path) in message(raised) and "delete it" in message(raised)


def test_a_line_of_the_log_that_is_no_attempt_is_passed_over(store):
    store.log_attempt(cell="a", event="started")
    (log,) = (store.folder / "attempts").iterdir()
    log.write_bytes(log.read_bytes() + b'3\n"x"\n\xff\n{"cell": ')
    assert [entry["cell"] for entry in store.attempts()] == ["a"]


def test_failures_are_remembered_cleared_by_a_record_and_forgotten_when_told(store):
    store.write_failure(ID, "MemoryError: no more")
    store.write_failure("bad", "ValueError: no")
    assert again(store).failure(ID) == "MemoryError: no more"
    assert again(store).record(ID) is None
    store.write_record(RECORD)
    assert store.failure(ID) is None
    store.forget_failures()
    assert store.failure("bad") is None
    assert store.record(ID) == RECORD


@pytest.mark.parametrize("weights", [None, {"a": torch.randn(3, 4), "c": torch.tensor(7), "d": torch.randn(2).half()}])
def test_a_state_comes_back(store, weights):
    left = State(mask(), weights)
    write_state(store, ID, left)
    assert store.has_state(ID)
    held = read_state(again(store), ID, left.digest(), WEIGHTS)
    assert held.digest() == left.digest()
    assert all(torch.equal(held.mask.layers[name], layer) for name, layer in left.mask.layers.items())
    assert (held.weights is None) == (weights is None)
    assert all(
        torch.equal(held.weights[name], w) and held.weights[name].dtype == w.dtype
        for name, w in (weights or {}).items()
    )
    store.drop_state(ID)
    assert not store.has_state(ID)
    assert files(store) == []


def test_a_later_state_takes_the_place_of_a_damaged_one(store):
    left = State(mask())
    (store.folder / "states").mkdir(parents=True)
    (store.folder / "states" / f"{ID}.pt").write_bytes(b"torn")
    write_state(store, ID, left)
    assert read_state(store, ID, left.digest(), WEIGHTS).digest() == left.digest()


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("not a state")


def unfit(path):
    torch.save({"mask": torch.zeros(1, dtype=torch.uint8), "weights": None}, path)


def other_keys(path):
    torch.save({"weights": None}, path)


@pytest.mark.parametrize("damage", [cut, empty, text, unfit, other_keys])
def test_a_damaged_state_is_refused(store, damage):
    left = State(mask())
    write_state(store, ID, left)
    damage(path := store.folder / "states" / f"{ID}.pt")
    with pytest.raises(InputError) as raised:
        read_state(store, ID, left.digest(), WEIGHTS)
    assert message(raised).startswith(f"{path} must ")


@pytest.mark.parametrize(
    "other",
    [State(mask(1)), State(mask(), {"a": torch.zeros(3, 4)})],
    ids=["another mask", "the mask without the weights"],
)
def test_the_state_of_another_digest_is_refused(store, other):
    write_state(store, ID, State(mask()))
    with pytest.raises(InputError, match=r"must .* start state .* delete it") as raised:
        read_state(store, ID, other.digest(), WEIGHTS)
    message(raised)


def test_a_state_of_another_network_is_refused(store):
    left = State(mask())
    write_state(store, ID, left)
    with pytest.raises(InputError, match=rf"{ID}\.pt must .* start state"):
        read_state(store, ID, left.digest(), {"a": torch.empty(30, 4)})


def test_a_state_is_read_without_executing_code(store):
    (store.folder / "states").mkdir(parents=True)
    torch.save({"mask": Trap(store.folder / "sprung"), "weights": None}, store.folder / "states" / f"{ID}.pt")
    with pytest.raises(InputError, match=r"must .* start state"):
        read_state(store, ID, "digest", WEIGHTS)
    assert not (store.folder / "sprung").exists()


def test_attempts_pass_over_a_torn_last_line(store):
    store.log_attempt(cell=ID, event="started")
    store.log_attempt(cell=ID, event="recorded")
    (log,) = (store.folder / "attempts").glob("*.jsonl")
    other = log.with_name("1.jsonl")
    other.write_text(json.dumps({"cell": "bad", "event": "started"}) + '\n{"cell": "bad", "ev')
    assert all(entry["at"] > 1.7e9 and entry["sweep"] == "" for entry in store.attempts() if entry["cell"] == ID)
    expected = [("bad", "started"), (ID, "recorded"), (ID, "started")]
    assert sorted((entry["cell"], entry["event"]) for entry in store.attempts()) == expected


def test_a_torn_line_that_happens_to_end_in_a_brace_is_passed_over_too(store):
    store.log_attempt(cell=ID, event="started")
    (log,) = (store.folder / "attempts").glob("*.jsonl")
    with log.open("a") as out:
        out.write('{"cell": "c0ffee", "event": "failed", "reason": "KeyError: {1}')
    assert [entry["event"] for entry in store.attempts()] == ["started"]


def test_sweeping_up_leaves_everything_that_is_whole(store):
    store.write_study({})
    store.write_record(RECORD)
    store.write_failure("bad", "why")
    write_state(store, ID, State(mask()))
    store.log_attempt(cell=ID, event="recorded")
    write_checkpoint(store, "deadbeef", {})
    before = files(store)
    write_checkpoint(store, ID, {})  # an orphan's, of a cell that is recorded
    for folder in ("", "records", "failed", "states", "checkpoints"):
        (store.folder / folder / ".half.json.123.tmp").write_text("{")
    store.sweep_up()
    assert files(store) == before


def test_a_checkpoint_comes_back_until_the_cell_is_recorded(store):
    assert read_checkpoint(store, ID) is None
    write_checkpoint(store, ID, {"weights": {"a": torch.ones(2)}})
    assert read_checkpoint(again(store), ID)["weights"]["a"].tolist() == [1, 1]
    store.write_record(RECORD)
    assert files(store) == [f"records/{ID}.json"]


def test_a_checkpoint_that_cannot_be_read_is_none(store):
    write_checkpoint(store, ID, {"weights": torch.ones(100)})
    path = store.folder / "checkpoints" / f"{ID}.pt"
    whole = path.read_bytes()
    at = whole.index(torch.ones(100).numpy().tobytes())
    for damaged in (whole[:-300], b"", whole[:32], whole[:at] + b"\x01" + whole[at + 1 :]):
        path.write_bytes(damaged)
        assert read_checkpoint(store, ID) is None
    write_checkpoint(store, ID, {"weights": Trap(store.folder / "sprung")})
    assert read_checkpoint(store, ID) is None
    assert not (store.folder / "sprung").exists()
