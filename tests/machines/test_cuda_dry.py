"""The tests for a GPU run where there is none, as far as steps can be recorded in this process: so they do on a GPU, too."""

import os
import subprocess
import sys
from pathlib import Path

QUICK = "cut_off or other_shapes or other_precisions or other_optimizers or nothing_warns or stream_can or small-cnn"
QUICK += " or (as_many and mlp)"


def test_the_tests_for_a_gpu_run_dry():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", QUICK]
    file = Path(__file__).parents[1] / "silo" / "test_cuda.py"
    done = subprocess.run([*command, str(file)], env=os.environ | {"SILO_DRY": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "no CUDA GPU is visible" not in done.stdout
