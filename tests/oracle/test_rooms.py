"""The rooms of the suite: which imports which, and which alone imports ray and optuna. Imports inside functions count, too.
Those that read what is recorded import no torch before they need it.
"""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from packages import needs

ROOT = Path(__file__).parents[2]
# Each imports those before it alone.
ROOMS = (
    "utf8",
    "plain_text",
    "error",
    "files",
    "hashing",
    "experiment",
    "stats",
    "study",
    "plan",
    "run",
    "analysis",
    "report",
    "fit",
    "interface",
    "cli",
)
# What the order allows, and is wrong all the same: what the records say doesn't depend on how they were made.
APART = {("analysis", "run")}
OPTUNA = {"oracle/plan/search/adaptive.py", "oracle/fit/curve.py", "oracle/report/optuna_export.py"}
# each in the one module that needs it; both are optional
TRACKERS = {name: f"oracle/report/trackers/to_{name}.py" for name in ("mlflow", "wandb")}
# The only modules of the reading rooms that import torch at once: data is loaded there, and states are.
READING, TORCH = (
    ("experiment", "stats", "study", "plan", "analysis", "report", "fit", "interface", "cli"),
    {"data", "data_check", "states"},
)
NOT_FOR_SILO = {"oracle", "ray", "optuna", "pandas", "matplotlib"}


def imported(text):
    """The names of all modules that a file imports, wherever in it: of ``from a import b`` both a and a.b."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports():
    """By file of oracle and silo, its path from the root: what it imports."""
    paths = [path for package in ("oracle", "silo") for path in sorted((ROOT / package).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): set(imported(path.read_text())) for path in paths}


def importers(module):
    """The files that import a module or any part of it."""
    return {path for path, names in imports().items() if any(name.split(".")[0] == module for name in names)}


def room(name):
    """The room of a module of oracle, or None: it is none, or the package itself."""
    package, _, rest = name.partition(".")
    return rest.split(".")[0] or None if package == "oracle" else None


def arrows():
    """Every import of another room: the file, its room, the room that it imports."""
    for path, names in imports().items():
        own = room(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        for name in names:
            other = room(name)
            if own is not None and other is not None and other != own:
                yield path, own, other


def test_every_file_of_the_study_is_in_a_room():
    entries = {
        path.stem
        for path in (ROOT / "oracle").iterdir()
        if path.name not in ("__init__.py", "__pycache__") and path.suffix != ".md"
    }
    assert entries == set(ROOMS)


def test_no_import_points_back_up():
    found = {
        (path, other) for path, own, other in arrows() if ROOMS.index(other) > ROOMS.index(own) or (own, other) in APART
    }
    assert sorted(found) == []


def test_ray_is_imported_in_its_own_room_alone():
    used = importers("ray")
    assert used and {path for path in used if not path.startswith("oracle/run/ray/")} == set()


def test_optuna_is_imported_where_it_searches_and_exports_alone():
    assert importers("optuna") == OPTUNA


def test_trackers_are_imported_where_they_are_written_alone():
    assert {name: importers(name) for name in TRACKERS} == {name: {path} for name, path in TRACKERS.items()}


def test_rooms_that_read_import_no_torch_at_once():
    needs("optuna")  # of fit and export
    files = [path for path in imports() if path.startswith(tuple(f"oracle/{name}/" for name in READING))]
    modules = [path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files]
    # __main__ and what goes on from there run a command; how long one takes with --calibrate, a worker measures
    left_out = {"oracle.cli.__main__", "oracle.cli.prediction", *(f"oracle.study.{name}" for name in TORCH)}
    assert left_out < {*modules}
    left_out |= {f"oracle.report.trackers.to_{name}" for name in TRACKERS}  # tests/integrations has these libraries
    code = f"import sys; sys.modules['torch'] = None; import {', '.join(sorted({*modules} - left_out))}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("module", sorted(NOT_FOR_SILO))
def test_silo_imports_nothing_of_the_study(module):
    assert {path for path in importers(module) if path.startswith("silo/")} == set()


def test_an_import_is_found_wherever_it_is():
    text = "import a.b as x\ndef f():\n    from c import d\nif TYPE_CHECKING:\n    import e\n"
    assert set(imported(text)) == {"a.b", "c", "c.d", "e"}
