"""The method is usable alone: it pulls in none of what the study needs, nor what but some data or networks need
(scikit-learn, torchvision) before those are asked for; and whoever computes rates or plans waits for no torch.
"""

import subprocess
import sys
from pathlib import Path

import pytest

import silo

ROOT = Path(__file__).parents[2]
STUDY = ("ray", "optuna", "pandas", "matplotlib", "pydantic", "sklearn", "torchvision", "oracle")


def imported(*modules):
    """Top-level modules that are there after these were imported in a fresh interpreter."""
    code = f"import sys, {', '.join(modules)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.fixture(scope="module")
def loaded():
    paths = (path for name in ("data", "model") for path in (ROOT / "silo" / name).glob("[a-z]*.py"))
    return imported("silo.run", "silo.data", "silo.model", *(f"silo.{path.parent.name}.{path.stem}" for path in paths))


@pytest.mark.parametrize("name", STUDY)
def test_silo_imports_nothing_of_the_study(loaded, name):
    assert "silo" in loaded and "torch" in loaded and name not in loaded


WITHOUT_TORCH = ["silo", "silo.duration", "silo.schedule", "silo.shape", "silo.trajectory"]
WITHOUT_TORCH += ["silo.data", "silo.model", "silo.pruning_rule", "silo.recipe", "silo.restart"]


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_rates_names_and_the_loop_need_no_torch(module):
    loaded = imported(module)
    assert "silo" in loaded and not {"torch", "numpy"} & {*loaded}


def test_every_name_that_silo_promises_is_there():
    assert {name for name in silo.__all__ if callable(getattr(silo, name))} == {*silo.__all__}
    assert {*silo.__all__} <= {*dir(silo)}


def test_another_name_is_missed_as_in_any_module():
    with pytest.raises(AttributeError, match="module 'silo' has no attribute 'Silo'"):
        silo.Silo  # noqa: B018
