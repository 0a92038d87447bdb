"""What `plan` and `run` say and refuse before anything is trained."""

from io import StringIO

import numpy as np
import pytest
from experiments import experiment
from PIL import Image
from rich.console import Console

from oracle.cli.plan import plan_text
from oracle.run.run import run_study
from oracle.study.study import new_study, planned_study

SMALL = {"train.epochs": 1, "train.shape": "constant", "prune.cycles": 1, "oracle.grid": [0.1], "oracle.seeds": 1}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Twelve images of two classes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    for number, image in enumerate(pixels):
        file = tmp_path / f"photos/train/{'ab'[number % 2]}/{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    return tmp_path / "photos"


def test_plan_and_run_say_what_is_left_out(photos, tmp_path):
    one = experiment(SMALL | {"data": {"source": "folder", "path": str(photos)}})
    assert "left out" not in plan_text(planned_study(one, tmp_path / "run"))
    (photos / "train/a/13.tif").touch()
    line = "data: 1 file is left out, such as 'train/a/13.tif': 1 in 'train/a'; read are "
    assert line in plan_text(planned_study(one, tmp_path / "run"))
    console = Console(file=StringIO())
    assert run_study(new_study(one, tmp_path / "run"), console, local=True, retry_failed=False)
    assert line in console.file.getvalue()
