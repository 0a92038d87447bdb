"""What a study knows of its data, as study.json holds it."""

import pytest
from made import made_data

from oracle.study.data_info import DataInfo


def test_it_reads_back_as_it_was_written_under_the_names_that_run_folders_have():
    data = made_data(location="where")
    assert "asked" in data.to_json() and "location" not in data.to_json()
    assert DataInfo.from_json(data.to_json()) == data


def test_older_folders_do_not_say_where_the_data_lies():
    held = made_data().to_json()
    del held["asked"]
    assert DataInfo.from_json(held).location is None


@pytest.mark.parametrize(
    ("field", "value"), [("chance", "x"), ("chance", None), ("digest", 3), ("test_images", [1]), ("asked", 3)]
)
def test_another_kind_of_value_is_refused_by_name(field, value):
    name = {"asked": "location"}.get(field, field)
    with pytest.raises(ValueError, match=rf"data\.{name} must be "):
        DataInfo.from_json(made_data().to_json() | {field: value})


def test_how_many_images_a_part_has():
    data = made_data(validation_images=7, test_images=9)
    assert (data.evaluated_on("validation"), data.evaluated_on("test")) == (7, 9)
