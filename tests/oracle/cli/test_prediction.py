"""What `plan --calibrate` says: what was measured, what it predicts by that, and what that assumes."""

from dataclasses import replace

import pytest
from synthetic import DATA_INFO, experiment

from oracle.cli.prediction import predicted_lines
from oracle.run.calibration.calibration import MeasuredSpeed
from oracle.study.store import Store
from oracle.study.study import Study

SPEED = MeasuredSpeed(
    step=0.01,
    epoch=0.1,
    image=1e-5,
    gradient=0.0,
    cpu_share=1.0,
    shortest_training=0.5,
    worker_starts=(4.0, 5.0),
    shutdown=1.0,
    device="a device",
)


@pytest.fixture
def study(tmp_path):
    return Study(experiment(), DATA_INFO, Store(tmp_path / "run"), "test")


def test_every_line_is_there(study):
    """One epoch of 16 steps: 0.5 s + 15 x 0.01 s + 2,000 images x 1e-5 s = 0.67 s a training, of which there are 30."""
    measured, prediction, assumed, rate = predicted_lines(study, SPEED)
    assert measured == (
        "measured here (a device, 2 trainings at a time): 10 ms an iteration, 10 us an image evaluated, "
        "500 ms a training beside: 670 ms a training"
    )
    assert prediction.startswith("predicted: ") and " for 30 trainings, " in prediction
    assert "; 5 s of it Ray's start and end; " in prediction
    assert assumed.startswith(
        "assumed: no training diverges, and test is looked at after 60% of the epochs (after the "
    )
    assert rate.startswith("as a line of the file: compute: {rate: {iterations_per_second: ")


def test_it_says_where_other_programs_took_part_of_the_cores(study):
    *_, assumed, _ = predicted_lines(study, replace(SPEED, cpu_share=0.5))
    assert "other programs go on taking 50% of the cores" in assumed
