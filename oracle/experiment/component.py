"""Turn registries and import paths into strict pydantic models: a component's options are its constructor's parameters."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache, wraps
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, create_model, model_validator

from oracle.experiment.import_path import FORM, ImportPath
from oracle.experiment.option import option

OWN = f", or your own {FORM}"


def nearest(name: object, allowed: Iterable[str]) -> str:
    """ "did you mean ...?" where something near is allowed, and the list of what is allowed."""
    allowed = list(allowed)
    near = difflib.get_close_matches(str(name), allowed, 1)
    return (f"did you mean {near[0]}? " if near else "") + f"allowed: {', '.join(allowed)}"


class Strict(BaseModel):
    """No unknown keys, no silent conversions, no NaN or infinity, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            for key in value:
                if key not in cls.model_fields:
                    raise ValueError(f"unknown key {key}; {nearest(key, cls.model_fields)}")
        return value


class Component(Strict):
    """A constructor's options, validated; ``make`` calls it."""

    constructor: ClassVar[Callable]
    options: ClassVar[tuple[str, ...]]

    def make(self, *context: Any) -> Any:
        """silo's object, from the arguments that are no options (a model's channels, size, classes) and the options."""
        return self.constructor(*context, **{name: getattr(self, name) for name in self.options})


class Checked(Component):
    """A component that is made once when it is validated, so that a value its constructor refuses is refused early."""

    @model_validator(mode="after")
    def _makes(self) -> "Checked":
        self.make()
        return self


def component(
    constructor: Callable, base: type[Component] = Checked, context: int = 0, **fields: Any
) -> type[Component]:
    """The pydantic model of a constructor's options; its first ``context`` parameters are none.

    Raises ValueError where another parameter is nothing that an experiment file can set.
    """
    taken = {*fields, *base.model_fields, *dir(base)}
    options = {}
    for p in list(inspect.signature(constructor, eval_str=True).parameters.values())[context:]:
        if p.kind is p.VAR_KEYWORD:
            continue
        if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL):
            raise ValueError(f"its parameter {p.name} can't be given by name; parameters that can are allowed")
        if p.name in taken or p.name.startswith("_"):
            raise ValueError(f"its parameter {p.name} has a name that is taken; another one is allowed")
        options[p.name] = option(p, constructor)
    model = create_model(getattr(constructor, "__name__", "component"), __base__=base, **fields, **options)
    model.constructor, model.options = staticmethod(constructor), tuple(options)
    return model


def one_of(tag: str, registry: Mapping[str, Callable], base: type[Component] = Checked, context: int = 0) -> Any:
    """A pydantic type for ``{tag: name, option: value, ...}``, name being one of the registry or an import path; or just
    ``name``.
    """
    models = {
        name: component(constructor, base, context, **{tag: (Literal[name], name)})
        for name, constructor in registry.items()
    }

    @cache  # two readings of one experiment are equal only if their models are the same
    def imported(path: ImportPath, target: Callable) -> type[Component]:
        named = (Annotated[Literal[str(path)], AfterValidator(ImportPath)], path)
        return component(_held_to(registry, context, path, target), base, context, **{tag: named})

    def chosen(value: Any) -> Component:
        if isinstance(value, str):
            value = {tag: value}
        if not isinstance(value, Mapping) or tag not in value:
            raise ValueError(f"{tag} is missing; allowed: {', '.join(registry)}{OWN}")
        name = value[tag]
        if isinstance(name, str) and ":" in name:
            try:
                path = ImportPath(name)
                model = imported(path, path.target)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{tag} {name}: {error}") from error
        elif name in list(registry):
            model = models[name]
        else:
            raise ValueError(f"{tag} {name} is unknown; {nearest(name, registry)}{OWN}")
        return model.model_validate(value)

    # Any: it is written out as what was chosen, with its own options
    return Annotated[Any, BeforeValidator(chosen)]


def name_of(registry: Iterable[str]) -> Any:
    """A pydantic type for one of the registry's names or, where it maps them to functions, an import path."""
    own = OWN if isinstance(registry, Mapping) else ""

    def known(name: str) -> str:
        if own and ":" in name:
            return ImportPath(name)
        if name not in registry:
            raise ValueError(nearest(name, registry) + own)
        return name

    return Annotated[str, AfterValidator(known)]


def _held_to(registry: Mapping[str, Callable], context: int, path: ImportPath, target: Callable) -> Callable:
    """An imported constructor, held to what the registry's have in common: what they take first, and what they make.

    Raises ValueError where it takes something else first. It raises ValueError, with the path, for any error of its own.
    """
    example = inspect.signature(next(iter(registry.values())), eval_str=True)
    try:
        first = list(inspect.signature(target, eval_str=True).parameters.values())[:context]
    except Exception as error:  # a builtin has no signature, an annotation may name what isn't imported
        raise ValueError(f"its parameters can't be read ({error})") from error
    if len([p for p in first if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]) < context:
        raise ValueError(f"its first parameters are to be {', '.join(list(example.parameters)[:context])}")
    classes = [constructor for constructor in registry.values() if inspect.isclass(constructor)]
    methods = set.intersection(*map(_methods, classes)) if classes else set()
    due = object if classes else example.return_annotation

    @wraps(target, updated=())
    def construct(*arguments: Any, **options: Any) -> Any:
        try:
            made = target(*arguments, **options)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(f"{path}: {type(error).__name__}: {error}") from error
        what = f"{path}: makes an object of class {type(made).__name__}"
        if not isinstance(made, due):
            raise ValueError(f"{what}; a {due.__name__} is allowed")
        if lacking := [name for name in sorted(methods) if not callable(getattr(made, name, None))]:
            raise ValueError(f"{what} without {', '.join(lacking)}")
        return made

    return construct


def _methods(of: type) -> set[str]:
    return {name for name in dir(of) if not name.startswith("_") and callable(getattr(of, name))}
