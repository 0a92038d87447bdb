"""What the README shows runs."""

import re
import subprocess
import sys
from pathlib import Path

from oracle.load import load

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_loop_of_ones_own_runs_and_needs_silo_alone():
    (loop,) = blocks("python")
    check = "import sys; assert not {'ray', 'optuna', 'pandas', 'matplotlib', 'oracle'} & sys.modules.keys()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{loop}\n{check}"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_the_experiment_is_valid(tmp_path):
    (experiment,) = blocks("yaml")
    path = tmp_path / "mine.yaml"
    path.write_text(experiment)
    assert load(path, []).schedule.max_lr(24) > 0.0699


def test_every_link_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
