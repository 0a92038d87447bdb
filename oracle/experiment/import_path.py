"""Import paths: ``module.path:attribute`` in an experiment file, in the place of a registry's name."""

import hashlib
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from oracle.experiment.message import did_you_mean, shown

FORM = "module.path:attribute"
LEADS = "must lead to a function or a class"


class ImportPath(str):
    """``module.path:attribute``, which leads to a function or a class.

    Args:
        text: The path.

    Raises:
        ValueError: The text is of another form, or nothing callable can be imported from there.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "ImportPath":
        if not re.fullmatch(r"\w+(\.\w+)*:\w+", text):
            raise ValueError(f"must be {FORM}, got {shown(text)}")
        path = super().__new__(cls, text)
        if not callable(path.target):
            raise ValueError(f"{LEADS}, got {shown(path)}, which is of type {type(path.target).__name__}")
        return path

    @property
    def target(self) -> Any:
        """What the path leads to; raises ValueError where nothing can be imported from there."""
        name, _, attribute = self.partition(":")
        try:
            module = _import(name)
        except ImportError as error:
            raise ValueError(f"{LEADS}, got {shown(self)}: {error}") from error
        try:
            return getattr(module, attribute)
        except AttributeError:
            own = [key for key, value in vars(module).items() if callable(value)]
            hint = did_you_mean(attribute, own)
            raise ValueError(f"{LEADS}, got {shown(self)}: {name} has no {attribute}{hint}") from None

    @property
    def code(self) -> dict[str, str]:
        """A hash of the source by module: of the one named, and of the one in its package that defines the target."""
        named = self.partition(":")[0]
        defining = str(getattr(self.target, "__module__", named))
        same_package = defining.partition(".")[0] == named.partition(".")[0]
        names = sorted({named, defining}) if same_package else [named]
        modules = {name: sys.modules.get(name) for name in names}
        return {name: _hash(module) for name, module in modules.items() if getattr(module, "__file__", None)}


class RecordedPath(str):
    """``module.path:attribute`` as it is recorded: it is never imported.

    Args:
        text: The path.
        code: What :attr:`ImportPath.code` was when it was recorded.
    """

    def __new__(cls, text: str, code: Mapping[str, str]) -> "RecordedPath":
        path = super().__new__(cls, text)
        path.code = dict(code)
        return path


def target_of(registry: Mapping[str, Callable], name: str) -> Callable:
    """What a registry's name or an import path stands for."""
    return name.target if isinstance(name, ImportPath) else registry[name]


def import_paths(*parts: Any) -> Iterator[ImportPath | RecordedPath]:
    """Every import path in these parts of an experiment."""
    for part in parts:
        if isinstance(part, ImportPath | RecordedPath):
            yield part
        elif isinstance(part, BaseModel):
            yield from import_paths(*(getattr(part, field) for field in type(part).model_fields))
        elif isinstance(part, dict):
            yield from import_paths(*part.values())


def code_of(*parts: Any) -> dict[str, str]:
    """A hash of the source of every module that import paths in these parts of an experiment name."""
    return {module: code for path in import_paths(*parts) for module, code in path.code.items()}


def _import(name: str) -> ModuleType:
    """The module of this name, found from the folder one is in too; raises ImportError in one line."""
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:  # a console script's path holds its own folder instead
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            raise ImportError(f"no module {error.name} is found, installed or in {here}") from error
        raise ImportError(f"importing {name} fails: {type(error).__name__}: {error}") from error


@cache  # by the module, not its name: this is the code that runs here, whatever becomes of the file
def _hash(module: ModuleType) -> str:
    return hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest()[:20]
