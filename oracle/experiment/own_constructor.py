"""A constructor of the user's own, in the place of one of a registry's."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from oracle.experiment.import_path import ImportPath
from oracle.experiment.message import InnerFieldError, shown


def held_to(registry: Mapping[str, Callable], context: int, tag: str, path: ImportPath, target: Callable) -> Callable:
    """Return an imported constructor that is held to what the registry's have in common: what they take first, and make.

    Args:
        registry: Constructors by name.
        context: How many of their first parameters are no options.
        tag: The key of the name, which errors name.
        path: Where the constructor was imported from.
        target: The constructor itself.

    Raises:
        ValueError: It takes something else first. What is returned raises one, with the path, for any error of its own.
    """
    example = inspect.signature(next(iter(registry.values())), eval_str=True)
    try:
        first = list(inspect.signature(target, eval_str=True).parameters.values())[:context]
    except Exception as error:  # a builtin has no signature, an annotation may name what isn't imported
        raise ValueError(f"must have parameters that can be read ({error})") from error
    if len([p for p in first if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]) < context:
        raise ValueError(f"must take {', '.join(list(example.parameters)[:context])} first")
    classes = [constructor for constructor in registry.values() if inspect.isclass(constructor)]
    methods = set.intersection(*map(_methods, classes)) if classes else set()
    expected = object if classes else example.return_annotation
    made = f"an object with {', '.join(sorted(methods))}" if classes else f"a {expected.__name__}"

    def refused(reason: str) -> InnerFieldError:
        return InnerFieldError(tag, f"must make {made}, got {shown(path)}, which {reason}")

    @wraps(target, updated=())
    def construct(*arguments: Any, **options: Any) -> Any:
        try:
            result = target(*arguments, **options)
        except ValueError:
            raise
        except Exception as error:
            raise refused(f"raises {type(error).__name__}: {error}") from error
        kind = f"makes an object of class {type(result).__name__}"
        if not isinstance(result, expected):
            raise refused(kind)
        if missing := [name for name in sorted(methods) if not callable(getattr(result, name, None))]:
            raise refused(f"{kind} without {', '.join(missing)}")
        return result

    return construct


def _methods(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name))}
