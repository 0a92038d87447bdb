"""The run folder: whole records or none, the first one stands, and nothing damaged is taken for good."""

import json
import os

import pytest
import torch

from oracle.error import InputError
from oracle.sweep.store import Store
from silo.mask import Mask
from silo.trajectory import State

WEIGHTS = {"a": torch.empty(3, 4), "b": torch.empty(5)}
RECORD = {"id": "c0ffee", "outcome": {"diverged": False, "validation": 90.0}, "leaves": None}


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
    assert store.record("c0ffee") is None
    assert store.failure("c0ffee") is None
    assert store.has_state("c0ffee") is False
    assert store.attempts() == []
    store.drop_state("c0ffee")
    store.forget_failures()
    store.sweep_up()
    with pytest.raises(InputError, match="no such start state"):
        store.state("c0ffee", "digest", WEIGHTS)
    assert not store.folder.exists()


def test_the_study_comes_back_and_can_be_brought_up_to_date(store):
    store.write_study({"experiment": {"name": "a"}})
    store.write_study({"experiment": {"name": "b"}})
    assert again(store).study() == {"experiment": {"name": "b"}}
    assert files(store) == ["study.json"]


def test_the_first_record_stands(store):
    assert store.write_record(RECORD) is True
    assert store.write_record({**RECORD, "leaves": "another"}) is False
    assert again(store).record("c0ffee") == RECORD
    assert again(store).write_record({**RECORD, "leaves": "another"}) is False


def test_of_two_writers_at_once_the_one_that_ends_first_stands(store, monkeypatch):
    """A worker that was given up may still be alive and end the same cell."""
    sync = os.fsync

    def other_process_ends_meanwhile(file):
        monkeypatch.setattr(os, "fsync", sync)
        if (child := os.fork()) == 0:
            os._exit(0 if Store(store.folder).write_record({**RECORD, "leaves": "the other's"}) else 1)
        assert os.waitpid(child, 0)[1] == 0, "the other had the folder to itself"
        sync(file)

    monkeypatch.setattr(os, "fsync", other_process_ends_meanwhile)
    assert store.write_record(RECORD) is False
    assert again(store).record("c0ffee")["leaves"] == "the other's"
    assert files(store) == ["records/c0ffee.json"]


def test_a_record_that_is_no_json_is_refused_before_anything_is_written(store):
    with pytest.raises(ValueError):
        store.write_record({**RECORD, "leaves": float("nan")})
    assert store.record("c0ffee") is None
    assert not store.folder.exists()


def test_a_record_appears_whole_or_not_at_all(store, monkeypatch):
    """A crash before the rename leaves no record, and what it leaves is swept up."""

    def crash(*paths):
        raise KeyboardInterrupt

    with monkeypatch.context() as at_the_rename:
        at_the_rename.setattr(os, "replace", crash)
        at_the_rename.setattr(os, "link", crash)
        with pytest.raises(KeyboardInterrupt):
            store.write_record(RECORD)
        with pytest.raises(KeyboardInterrupt):
            store.write_state("c0ffee", State(mask()))
    assert again(store).record("c0ffee") is None
    assert not again(store).has_state("c0ffee")
    assert len(files(store)) == 2
    assert store.write_record(RECORD) is True
    store.sweep_up()
    assert files(store) == ["records/c0ffee.json"]


def test_what_is_written_is_on_the_disk_before_it_has_its_name(store, monkeypatch):
    """Else a power cut could leave an empty file under the name of a record."""
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *of, name=name, real=real: (calls.append(name), real(*of)))
    store.write_record(RECORD)
    store.write_state("c0ffee", State(mask()))
    assert calls == ["fsync", "replace"] * 2


@pytest.mark.parametrize("damage", [b"", b'{"id": "c0f', b"\xff\xfe", b"{}", b"null", b"[]", b"7"])
def test_an_unreadable_record_is_one_line_that_says_what_to_do(store, damage):
    store.write_record(RECORD)
    path = store.folder / "records" / "c0ffee.json"
    path.write_bytes(damage)
    with pytest.raises(InputError) as raised:
        again(store).record("c0ffee")
    assert str(path) in message(raised)
    assert "delete it" in message(raised)


def test_failures_are_remembered_cleared_by_a_record_and_forgotten_when_told(store):
    store.write_failure("c0ffee", "MemoryError: no more")
    store.write_failure("bad", "ValueError: no")
    assert again(store).failure("c0ffee") == "MemoryError: no more"
    assert again(store).record("c0ffee") is None
    store.write_record(RECORD)
    assert store.failure("c0ffee") is None
    store.forget_failures()
    assert store.failure("bad") is None
    assert store.record("c0ffee") == RECORD


@pytest.mark.parametrize("weights", [None, {"a": torch.randn(3, 4), "c": torch.tensor(7), "d": torch.randn(2).half()}])
def test_a_state_comes_back(store, weights):
    left = State(mask(), weights)
    store.write_state("c0ffee", left)
    assert store.has_state("c0ffee")
    held = again(store).state("c0ffee", left.digest(), WEIGHTS)
    assert held.digest() == left.digest()
    assert all(torch.equal(held.mask.layers[name], layer) for name, layer in left.mask.layers.items())
    assert (held.weights is None) == (weights is None)
    assert all(
        torch.equal(held.weights[name], w) and held.weights[name].dtype == w.dtype
        for name, w in (weights or {}).items()
    )
    store.drop_state("c0ffee")
    assert not store.has_state("c0ffee")
    assert files(store) == []


def test_a_later_state_takes_the_place_of_a_damaged_one(store):
    left = State(mask())
    (store.folder / "states").mkdir(parents=True)
    (store.folder / "states" / "c0ffee.pt").write_bytes(b"torn")
    store.write_state("c0ffee", left)
    assert store.state("c0ffee", left.digest(), WEIGHTS).digest() == left.digest()


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
    store.write_state("c0ffee", left)
    damage(path := store.folder / "states" / "c0ffee.pt")
    with pytest.raises(InputError) as raised:
        store.state("c0ffee", left.digest(), WEIGHTS)
    assert message(raised) == f"{path}: not a readable start state; delete it to have it made again"


@pytest.mark.parametrize(
    "other",
    [State(mask(1)), State(mask(), {"a": torch.zeros(3, 4)})],
    ids=["another mask", "the mask without the weights"],
)
def test_the_state_of_another_digest_is_refused(store, other):
    store.write_state("c0ffee", State(mask()))
    with pytest.raises(InputError, match="not the start state that is due; delete it") as raised:
        store.state("c0ffee", other.digest(), WEIGHTS)
    message(raised)


def test_a_state_of_another_network_is_refused(store):
    left = State(mask())
    store.write_state("c0ffee", left)
    with pytest.raises(InputError, match=r"c0ffee\.pt: not a readable start state"):
        store.state("c0ffee", left.digest(), {"a": torch.empty(30, 4)})


def test_a_state_is_read_without_executing_code(store):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(store.folder / "sprung"),))

    (store.folder / "states").mkdir(parents=True)
    torch.save({"mask": Trap(), "weights": None}, store.folder / "states" / "c0ffee.pt")
    with pytest.raises(InputError, match="not a readable start state"):
        store.state("c0ffee", "digest", WEIGHTS)
    assert not (store.folder / "sprung").exists()


def test_attempts_pass_over_a_torn_last_line(store):
    store.log_attempt(cell="c0ffee", event="started")
    store.log_attempt(cell="c0ffee", event="recorded")
    (log,) = (store.folder / "attempts").glob("*.jsonl")
    other = log.with_name("1.jsonl")
    other.write_text(json.dumps({"cell": "bad", "event": "started"}) + '\n{"cell": "bad", "ev')
    expected = [("bad", "started"), ("c0ffee", "recorded"), ("c0ffee", "started")]
    assert sorted((entry["cell"], entry["event"]) for entry in store.attempts()) == expected


def test_a_torn_line_that_happens_to_end_in_a_brace_is_passed_over_too(store):
    store.log_attempt(cell="c0ffee", event="started")
    (log,) = (store.folder / "attempts").glob("*.jsonl")
    with log.open("a") as out:
        out.write('{"cell": "c0ffee", "event": "failed", "reason": "KeyError: {1}')
    assert [entry["event"] for entry in store.attempts()] == ["started"]


def test_sweeping_up_leaves_everything_that_is_whole(store):
    store.write_study({})
    store.write_record(RECORD)
    store.write_failure("bad", "why")
    store.write_state("c0ffee", State(mask()))
    store.log_attempt(cell="c0ffee", event="recorded")
    before = files(store)
    for folder in ("", "records", "failed", "states"):
        (store.folder / folder / ".half.json.123.tmp").write_text("{")
    store.sweep_up()
    assert files(store) == before
