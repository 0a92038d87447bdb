"""Made-up data and records, where a test needs no training."""

from oracle.study.cell import Cell
from oracle.study.data_info import DataInfo
from oracle.study.record import Record
from silo.outcome import Epoch, Outcome

ACCURACIES = ("validation", "test", "final_validation", "final_test")


def made_data(**changes):
    """What a study knows of its data."""
    known = {"digest": "a data set", "location": None, "chance": 10.0, "classes": 10, "images": 3000}
    images = dict.fromkeys(("training_images", "validation_images", "test_images"), 1000)
    return DataInfo(**known | images | changes)


def made_record(cell, accuracy, leaves=None, losses=(), **changes):
    """The record of a training with this accuracy everywhere; None: it diverged."""
    chosen = None if accuracy is None else 1
    curve = tuple(Epoch(loss, 50.0, None) for loss in losses)
    outcome = Outcome(
        accuracy is None, chosen_epoch=chosen, steps=1, curve=curve, **dict.fromkeys(ACCURACIES, accuracy)
    )
    fields = {
        "alive": 64,
        "prunable": 64,
        "layers": (),
        "flops": 128,
        "environment": {},
        "stepping": "eager",
        "seconds": 0.1,
    }
    return Record(id=cell.id, cell=cell, outcome=outcome, leaves=leaves, **fields | changes)


def record_of(cycle, seed, accuracy=90.0, **changes):
    """That of some training of a cycle and seed."""
    return made_record(Cell("a training", seed, cycle, 0.1), accuracy, **changes)
