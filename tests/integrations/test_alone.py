"""silo by itself: in an environment that has torch and numpy, and none of what the study needs."""

import re
from importlib.util import find_spec

import pytest
import torch
from pages import PAGE

import silo
from silo import SiloSchedule, WarmupStep
from silo.criterion import magnitude
from silo.cycle import Problem
from silo.data.images import Dataset, Images
from silo.data.normalize import Normalize
from silo.data.split import Pooled, split
from silo.model.mlp import mlp
from silo.pruning_rule import Pruning
from silo.recipe import Recipe
from silo.restart import Reinit

STUDY = ("pandas", "optuna", "ray", "matplotlib", "scipy", "sklearn")
pytestmark = pytest.mark.skipif(any(map(find_spec, STUDY)), reason="here is more than torch and numpy")


def test_the_loops_of_its_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)), {})


def test_the_engine_prunes_and_trains_on_images_of_ones_own():
    pixels = torch.randint(255, (60, 1, 8, 8), dtype=torch.uint8)
    dataset = Dataset(Images(pixels, torch.arange(60) % 3), None, ("a", "b", "c"))
    problem = Problem(
        build=lambda: mlp(channels=1, size=8, classes=3),
        data=lambda seed: split(dataset, Pooled(), Normalize(), seed),
        recipe=Recipe(epochs=2, batch_size=16, momentum=0.9, weight_decay=5e-4, shape=WarmupStep("1ep")),
        pruning=Pruning(magnitude, "global", rate=0.5, norm=True, first=True, head=True),
        restart=Reinit(),
    )
    schedule = SiloSchedule(epsilon=0.03, delta=0.04, beta=5, delay=1, prune_rate=0.5)
    alive = [result.alive for result in silo.train_trajectory(problem, schedule, cycles=3, seed=0)]
    assert alive[1:] == [-(-alive[0] // 2), -(-alive[0] // 4)]
