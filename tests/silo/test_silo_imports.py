"""The method is usable alone: it pulls in none of what the study needs, nor what but some data or networks need
(scikit-learn, torchvision) before those are asked for.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUDY = ("ray", "optuna", "pandas", "matplotlib", "pydantic", "sklearn", "torchvision", "oracle")


@pytest.fixture(scope="module")
def loaded():
    """Top-level modules that are there after silo was imported in a fresh interpreter."""
    code = (
        "import sys, silo, silo.trajectory, silo.data, silo.model; print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("name", STUDY)
def test_silo_imports_nothing_of_the_study(loaded, name):
    assert "silo" in loaded and name not in loaded
