"""Records as run folders hold them: what earlier versions wrote is read, and written the same."""

import json
from pathlib import Path

import pytest
from made import record_of

from oracle.study.cell import Cell
from oracle.study.record import Record, Status
from oracle.study.store import Store

# written by version 0.1.0 before records had a type of their own, with its checksum
RECORD_ID = "00298aa7fd53059186a9"
WRITTEN = (Path(__file__).parent / "record_0.1.0.json").read_bytes()


@pytest.fixture
def store(tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / f"{RECORD_ID}.json").write_bytes(WRITTEN)
    return Store(tmp_path)


def test_an_earlier_versions_record_is_read(store):
    record = store.whole_record(RECORD_ID)
    held = json.loads(WRITTEN)
    assert record.cell == Cell(**held["cell"]) and record.cell.id == RECORD_ID
    assert record.status is Status.DONE and record.outcome.validation == held["outcome"]["validation"]
    assert [epoch.loss for epoch in record.outcome.curve] == [epoch["loss"] for epoch in held["outcome"]["curve"]]
    assert [list(layer) for layer in record.layers] == held["layers"]
    assert store.record(RECORD_ID) == record.without_curve()


def test_it_is_written_byte_for_byte_as_it_was(store, tmp_path):
    other = Store(tmp_path / "other")
    other.write_record(store.whole_record(RECORD_ID))
    assert (tmp_path / "other" / "records" / f"{RECORD_ID}.json").read_bytes() == WRITTEN


@pytest.mark.parametrize("field", sorted({*json.loads(WRITTEN)} - {"checksum", "stepping"}))
def test_a_record_without_a_field_is_refused_by_name(field):
    held = json.loads(WRITTEN)
    del held[field]
    with pytest.raises(ValueError, match=field):
        Record.from_json(held)


def test_time_and_environment_make_no_other_result():
    one = record_of(0, 0)
    assert one.same_result(record_of(0, 0, seconds=9.0, environment={"device": "another"}))
    assert one.same_result(record_of(0, 0, flops=None)) and record_of(0, 0, flops=None).same_result(one)
    assert not one.same_result(record_of(0, 0, flops=1))
    assert not one.same_result(record_of(0, 0, accuracy=91.0))
