"""The commands that are disturbed, the folder that each begins with, and how what it left is compared."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from resource import RLIMIT_FSIZE, prlimit

EXPERIMENT = """\
name: tiny
data: {source: digits}
model: {name: mlp, hidden: [8]}
train: {epochs: 2, batch_size: 64, momentum: 0.9, weight_decay: 5.0e-4, shape: constant}
prune: {criterion: magnitude, scope: global, rate: 0.2, cycles: 3, restart: keep}
silo: {epsilon: 0.1, delta: 0.1, beta: 5, delay: 1}
oracle: {grid: [0.003, 0.03, 0.1, 0.3, 3.0], seeds: 2}
"""

# In every home: the experiment; "whole", trained on two seeds; "half" and "more", on the first of them; and what each command
# made of others (of "half", but for compare), which is what it finds and replaces.
TRAIN = ("run", "e.yaml", "--local", "--out")
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": (*TRAIN, "more"),
    "report": ("report", "whole"),
    "merge": ("merge", "half", "whole"),
    "publish": ("publish", "whole", "--to", "published"),
    "table": ("table", "whole", "--to", "tables"),
    "compare": ("compare", "whole", "half", "--to", "compared"),
    "fit": ("fit", "whole", "--to", "fitted"),
    "export": ("export", "whole", "--optuna", "trials.db"),
}
OLDER = (
    (*TRAIN, "half", "--set", "oracle.seeds=1"),
    ("publish", "half", "--to", "published"),
    ("table", "half", "--to", "tables"),
    ("fit", "half", "--to", "fitted"),
    (*TRAIN, "whole"),
    ("compare", "half", "whole", "--to", "compared"),
)
# what is put in its place as one: all of it is the old one or the new one
PLACES = ("more/report/", "whole/report/", "published/", "tables/", "compared/", "fitted/")
PASSING = ("/states/", "/checkpoints/", "/failed/")  # where a run that was cut off may leave what the next one needs
OF_THE_MOMENT = ("cost.csv", "report.html", "environment.json", "study.json")  # of a run's: they say how long it took
LONGEST = 120.0  # seconds, after which a command counts as hung

Tree = dict[str, bytes]  # what each file under a home holds, as far as it must be equal


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (minus the signal's number), what it said on stderr, and when, in seconds."""

    code: int
    error: str
    seconds: float
    hung: bool = False

    @property
    def traceback(self) -> bool:
        """Whether Python's own words reached the user."""
        return "Traceback (most recent call last)" in self.error

    @property
    def lines(self) -> int:
        """How many lines it said on stderr."""
        return len(self.error.splitlines())


def start(arguments: tuple[str, ...], home: Path) -> subprocess.Popen:
    """Start a command in a fresh interpreter, as its user would."""
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    own = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(temporary)}
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)  # noqa: PTH100
    return subprocess.Popen(
        [sys.executable, "-m", "oracle.cli", *arguments],
        cwd=home,
        env={**os.environ, **own, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def wait(process: subprocess.Popen) -> Ended:
    """Wait for its end; one that hangs is killed."""
    began, hung = time.monotonic(), False
    try:
        error = process.communicate(timeout=LONGEST)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        error, hung = process.communicate()[1], True
    return Ended(process.returncode, error, time.monotonic() - began, hung)


def call(arguments: tuple[str, ...], home: Path, largest_file: int | None = None) -> Ended:
    """Run a command to its end; largest_file: bytes, beyond which no file of its can grow."""
    process = start(arguments, home)
    if largest_file is not None:
        prlimit(process.pid, RLIMIT_FSIZE, (largest_file, largest_file))
    return wait(process)


def make_home(home: Path) -> Path:
    """Make the folder that every try begins with a copy of."""
    home.mkdir(parents=True)
    (home / "e.yaml").write_text(EXPERIMENT, encoding="utf-8")
    for arguments in OLDER:
        if arguments == (*TRAIN, "whole"):  # goes on from "half"
            for name in ("more", "whole"):
                shutil.copytree(home / "half", home / name)
        ended = call(arguments, home)
        if ended.code != 0:
            raise RuntimeError(f"an undisturbed {' '.join(arguments)} must end with 0, got {ended.code}: {ended.error}")
    shutil.rmtree(home / "whole" / "report")
    shutil.copytree(home / "half" / "report", home / "whole" / "report")
    return home


def tree(home: Path) -> Tree:
    """Return what every file holds that must be equal after a try: without locks, logs and seconds."""
    found: Tree = {}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        if path.is_dir():
            if not any(path.iterdir()) and not name.endswith(("/checkpoints", "/failed", "/states", "tmp")):
                found[f"{name}/"] = b""  # an empty folder that someone left
        elif path.name != "lock" and "/attempts/" not in name:
            found[name] = _content(path, name)
    return found


def _content(path: Path, name: str) -> bytes:
    if name.startswith("more/") and path.name in OF_THE_MOMENT:
        return b"there"
    if name.startswith("more/records/") and path.suffix == ".json":
        try:
            record = json.loads(path.read_bytes())
            return json.dumps({key: record[key] for key in record if key not in ("seconds", "checksum")}).encode()
        except ValueError:
            return path.read_bytes()
    return _trials(path) if path.name == "trials.db" else path.read_bytes()


def _trials(file: Path) -> bytes:
    """What Optuna's file says, but for the time at which it was made."""
    queries = (
        "SELECT study_name FROM studies ORDER BY 1",
        "SELECT study_id, number, state FROM trials ORDER BY 1, 2",
        "SELECT trial_id, param_name, param_value FROM trial_params ORDER BY 1, 2",
        "SELECT trial_id, value FROM trial_values ORDER BY 1",
        "SELECT trial_id, step, intermediate_value FROM trial_intermediate_values ORDER BY 1, 2",
        "SELECT trial_id, key, value_json FROM trial_user_attributes ORDER BY 1, 2",
    )
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as held:
            return repr([held.execute(query).fetchall() for query in queries]).encode()
    except sqlite3.Error as error:
        return f"torn: {error}".encode()


def torn(old: Tree, new: Tree, now: Tree) -> list[str]:
    """Return what is neither the old nor the new: files lost or half written, and places that are partly the one and partly
    the other.
    """
    found = []
    for place in PLACES:
        parts = [{name: held for name, held in one.items() if name.startswith(place)} for one in (old, new, now)]
        if parts[2] not in parts[:2]:
            found.append(place)
    for name in old.keys() | new.keys():
        if name.startswith(PLACES) or any(part in name for part in PASSING):
            continue
        if now.get(name) not in (old.get(name), new.get(name)):
            found.append(name)
    return sorted(found)


def left(old: Tree, new: Tree, now: Tree) -> list[str]:
    """Return the files that belong neither to the old nor to the new, and are no part of a run under way."""
    names = now.keys() - old.keys() - new.keys()
    return sorted(name for name in names if name.endswith(".tmp") or not any(part in name for part in PASSING))
