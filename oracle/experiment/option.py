"""One option of a component: the pydantic type of a constructor's parameter, and its default."""

import dataclasses
import inspect
import math
from collections.abc import Callable
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema

from oracle.experiment.message import InnerFieldError
from silo.duration import FORM, Duration

SCALARS = (bool, int, float, str, NoneType)
VALUES = "finite numbers, strings, true, false, null, lists and mappings of them"
TYPES = "bool, int, float, str, Path, Duration, Literal, list, tuple, dict by str, | of these, or none"
BARE = {inspect.Parameter.empty: Any, list: list[Any], tuple: tuple[Any, ...], dict: dict[str, Any]}


def option(parameter: inspect.Parameter, constructor: Callable) -> tuple[Any, Any]:
    """The pydantic type and the default of a constructor's parameter.

    Args:
        parameter: One that can be given by name. Without annotation it takes whatever a file can hold.
        constructor: What the parameter belongs to.

    Returns:
        The type, and the default, ``...`` where there is none: as ``pydantic.create_model`` takes a field.

    Raises:
        ValueError: A file can't hold what the annotation asks for, or the default.
    """
    name = parameter.name
    try:
        kind = _type(parameter.annotation)
    except (TypeError, ValueError):
        annotation = inspect.formatannotation(parameter.annotation)
        raise ValueError(f"must annotate its parameter {name} by {TYPES} (it is annotated {annotation})") from None
    if parameter.default is parameter.empty:
        return kind, ...
    default = _default(parameter, inspect.unwrap(constructor))
    kind = kind | None if default is None else kind
    try:
        return kind, TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False)).validate_python(default)
    except ValidationError:
        expected = f"made of {VALUES}" if parameter.annotation is parameter.empty else "of its annotated type"
        raise ValueError(f"must have a default for {name} {expected} (it is {default!r})") from None


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
        return Plain
    if annotation is Duration:
        return Annotated[Any, BeforeValidator(_duration), WithJsonSchema({"type": "string"})]
    if annotation in SCALARS or origin is Literal:
        return annotation
    if annotation is Path:
        return Annotated[Any, BeforeValidator(_path), WithJsonSchema({"type": "string"})]
    if origin in (Union, UnionType):
        return Union[tuple(map(_type, inner))]  # noqa: UP007
    if origin is list:  # lists are read as tuples, which only a type that isn't strict turns back
        return Annotated[list[_type(inner[0])], Field(strict=False)]
    if origin is tuple:
        return tuple[tuple(part if part is ... else _type(part) for part in inner)]
    if origin is dict and inner[0] is str:
        return dict[str, _type(inner[1])]
    if origin is dict and inner[0] is Duration:
        return Annotated[dict[_type(Duration), _type(inner[1])], BeforeValidator(_each_duration_once)]
    raise ValueError(annotation)


def _plain(value: Any) -> Any:
    """A value as YAML and JSON hold it alike; lists as tuples."""
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(inner) for key, inner in value.items()}
    if type(value) in SCALARS and not (isinstance(value, float) and not math.isfinite(value)):
        return value
    raise ValueError(f"must hold {VALUES}")


Plain = Annotated[Any, BeforeValidator(_plain)]


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path):
        raise ValueError("must be a path")
    return Path(value)


def _each_duration_once(value: Any) -> Any:
    """What is to be a mapping by Duration, unless two of its keys, such as 01ep and 1ep, are the same."""
    first: dict[Any, Any] = {}
    for key in value if isinstance(value, dict) else ():
        if (other := first.setdefault(_normal(key), key)) is not key:
            raise InnerFieldError(key, f"must be another duration than {other}, got the same")
    return value


def _normal(key: Any) -> Any:
    try:
        return Duration(key)
    except ValueError:  # what is no duration is refused by its key's own type
        return key


def _duration(value: Any) -> Duration:
    try:
        return Duration(value)
    except ValueError:
        raise ValueError(f"must be {FORM}") from None
