"""What the README shows runs."""

import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

from published import published

from oracle.cli.main import main
from oracle.experiment.load import load

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(language, first_line):
    """The one code block of a language that begins so."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = [text for text in blocks if text.startswith(f"{first_line}\n")]
    return found


def test_the_loop_of_ones_own_runs_and_needs_silo_alone():
    loop = block("python", "import torch")
    check = "import sys; assert not {'ray', 'optuna', 'pandas', 'matplotlib', 'oracle'} & sys.modules.keys()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{loop}\n{check}"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_every_loop_of_silos_page_runs(tmp_path, monkeypatch):
    """One after another, as they stand, and the data of one's own; those of other libraries in tests/integrations."""
    monkeypatch.chdir(tmp_path)
    loops = re.findall(r"```python\n(.*?)```", (ROOT / "silo" / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(loops) == 7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec("\n".join(loops), {"__name__": "loops"})


def test_the_experiment_is_valid(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(block("yaml", "name: mine"))
    assert load(path, []).schedule.max_lr(24) > 0.0699


def test_the_study_of_ones_own_parts_runs(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(block("python", "# mine.py"))
    (tmp_path / "parity.yaml").write_text(block("yaml", "# parity.yaml"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    tiny = ["data.images=200", "train.epochs=2", "prune.cycles=2", "oracle.seeds=1", "oracle.grid=[0.03, 0.3]"]
    try:
        assert load(tmp_path / "parity.yaml", []).prune.cycles == 6  # as it stands
        assert main(["run", "parity.yaml", "--local", *(f"--set={override}" for override in tiny)]) == 0
    finally:
        sys.modules.pop("mine", None)
    # 2 cycles x (2 grid values, SILO's, the baseline's)
    assert "8 of 8 trainings are recorded" in capsys.readouterr().out
    held = json.loads((tmp_path / "runs/parity/study.json").read_text())
    assert list(held["training"]["code"]) == ["mine"]


def test_every_link_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]
    sections = ["#" + title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", README, re.MULTILINE)]
    assert links
    assert [link for link in links if link not in sections and not (ROOT / link).exists()] == []


def test_the_table_of_verdicts_says_what_is_published():
    """Its last column asks the other way round: would one constant do."""
    rows = re.findall(r"^\| \[[^]]*\]\(results/([^/]*)/README.md\)[^|]*\|(.*)\|$", README, re.MULTILINE)
    assert {name for name, _ in rows} == {"mnist1d-mlp", "digits-mlp", "cifar10-policies", "digits-cnn"}
    turned = {"refuted": "yes", "confirmed": "no", "undecided": "undecided"}
    for name, cells in rows:
        said = [re.split(r":| ", cell.strip())[0] for cell in cells.split("|")]
        verdicts = published(name).verdicts
        expected = [str(one.judgement) for one in verdicts]
        expected[3] = turned[expected[3]]
        if not published(name).experiment.baselines:
            expected[1] = "no"  # other schedule
        assert said == expected
