"""What a study knows of its data, as study.json holds it."""

import json

import pytest
from made import made_data

from oracle.study.data_info import DataInfo


@pytest.mark.parametrize("location", ["a hash", None])
def test_it_reads_as_it_was_written(location):
    known = made_data(location=location)
    assert DataInfo.from_json(json.loads(json.dumps(known.to_json()))) == known


def test_the_folders_of_older_versions_have_no_location():
    held = made_data().to_json()
    assert held.pop("asked") is None  # the name that run folders have always had for it
    assert DataInfo.from_json(held) == made_data()


@pytest.mark.parametrize("field", ["digest", "chance", "classes", "test_images"])
def test_a_field_that_is_missing_is_named(field):
    held = made_data().to_json()
    del held[field]
    with pytest.raises(ValueError, match=field):
        DataInfo.from_json(held)


def test_how_many_images_a_part_has():
    known = made_data(validation_images=20, test_images=30)
    assert (known.evaluated_on("validation"), known.evaluated_on("test")) == (20, 30)
