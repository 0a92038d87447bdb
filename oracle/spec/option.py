"""One option of a component: the pydantic type of a constructor's parameter, and its default."""

import dataclasses
import inspect
import math
from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from silo.duration import FORM, Duration

SCALARS = (bool, int, float, str, NoneType)
ALLOWED_TYPES = "bool, int, float, str, Path, Duration, Literal, list, tuple, dict by str, | of these, or none"
BARE = {inspect.Parameter.empty: Any, list: list[Any], tuple: tuple[Any, ...], dict: dict[str, Any]}


def option(parameter: inspect.Parameter, constructor: Callable) -> tuple[Any, Any]:
    """Type and default (``...``: none) of a constructor's parameter; without annotation it is whatever a file can hold.

    Raises ValueError where a file can't hold what the annotation asks for, or the default.
    """
    try:
        of = _type(parameter.annotation)
    except (TypeError, ValueError):
        annotation = inspect.formatannotation(parameter.annotation)
        raise ValueError(
            f"its parameter {parameter.name} is annotated {annotation}; allowed: {ALLOWED_TYPES}"
        ) from None
    if parameter.default is parameter.empty:
        return of, ...
    default = _default(parameter, inspect.unwrap(constructor))
    of = of | None if default is None else of
    try:
        return of, TypeAdapter(of, config=ConfigDict(strict=True, allow_inf_nan=False)).validate_python(default)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"its parameter {parameter.name} has the default {default!r}; {reason}") from None


def _default(parameter: inspect.Parameter, constructor: Callable) -> Any:
    if dataclasses.is_dataclass(constructor):  # its signature shows but a marker for a default_factory
        field = next((field for field in dataclasses.fields(constructor) if field.name == parameter.name), None)
        if field and field.default_factory is not dataclasses.MISSING:
            return field.default_factory()
    return parameter.default


def _type(annotation: Any) -> Any:
    annotation = BARE.get(annotation, annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return Annotated[Any, BeforeValidator(_plain)]
    if annotation is Duration:
        return Annotated[Any, BeforeValidator(_duration)]
    if annotation in SCALARS or origin is Literal:
        return annotation
    if annotation is Path:
        return Annotated[Any, BeforeValidator(_path)]
    if origin in (Union, UnionType):
        return Union[tuple(map(_type, inner))]  # noqa: UP007
    if origin is list:  # of what is read as a tuple
        return Annotated[list[_type(inner[0])], Field(strict=False)]
    if origin is tuple:
        return tuple[tuple(part if part is ... else _type(part) for part in inner)]
    if origin is dict and inner[0] in (str, Duration):
        return dict[_type(inner[0]), _type(inner[1])]
    raise ValueError(annotation)


def _plain(value: Any) -> Any:
    """A value as YAML and JSON hold it alike; lists as tuples."""
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(inner) for key, inner in value.items()}
    if type(value) in SCALARS and not (isinstance(value, float) and not math.isfinite(value)):
        return value
    raise ValueError("allowed: finite numbers, strings, true, false, null, lists and mappings of them")


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path):
        raise ValueError("allowed: a path")
    return Path(value)


def _duration(value: Any) -> Duration:
    try:
        return Duration(value)
    except ValueError:
        raise ValueError(f"allowed: {FORM}") from None
