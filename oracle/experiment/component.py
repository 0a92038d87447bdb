"""Turn registries and import paths into strict pydantic models: a component's options are its constructor's parameters.

A validation context (oracle.experiment.imported.Imported) says that what is validated is recorded: then its components are
taken as they are, and nothing is imported or made.
"""

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    model_validator,
)

from oracle.experiment.import_path import FORM, ImportPath
from oracle.experiment.message import InnerFieldError, UnknownFieldError, inner_error, must_be_one_of
from oracle.experiment.option import Plain, option
from oracle.experiment.own_constructor import held_to
from oracle.experiment.schema import Choice, describe, name_schema

OWN = f"your own {FORM}"


class Strict(BaseModel):
    """No unknown keys, no silent conversions, no NaN or infinity, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and cls.model_config["extra"] == "forbid":
            for key in value:
                if key not in cls.model_fields:
                    raise UnknownFieldError(key, cls.model_fields)
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        schema = handler(core_schema)
        describe(handler.resolve_ref_schema(schema), *cls.documented())
        return schema

    @classmethod
    def documented(cls) -> tuple[Any, ...]:
        """Return what has the docstrings of the model's fields."""
        return (cls,)


class Component(Strict):
    """A constructor's options, validated; ``make`` calls it."""

    constructor: ClassVar[Callable]
    options: ClassVar[tuple[str, ...]]

    def make(self, *context: Any, **supplied: Any) -> Any:
        """silo's object.

        Args:
            context: The constructor's first arguments, which are no options, such as a network's channels, size and
                classes.
            supplied: Arguments that are no options either, such as a schedule's ``prune_rate``; only those that the
                constructor has are passed on.

        Raises:
            ValueError: The constructor refuses an option.
        """
        options = {name: getattr(self, name) for name in self.options}
        return self.constructor(*context, **options, **_taken(self.constructor, supplied))

    @classmethod
    def documented(cls) -> tuple[Any, ...]:
        """Return the constructor, which has its options' docstrings, and the bases, which have those of the others."""
        return (cls.constructor, *cls.__mro__[1:])

    def _make_once(
        self, *context: Any, **supplied: Any
    ) -> Any:  # private: an option of any other name is a constructor's
        """Make the object once, so that an option which its constructor refuses is refused when it is validated.

        Raises:
            InnerFieldError: The constructor's message begins with the option's name.
            ValueError: It is of another form.
        """
        try:
            return self.make(*context, **supplied)
        except ValueError as error:
            if inner := inner_error(error, self.options):
                raise inner from error
            raise


class Checked(Component):
    """A component that is made once when it is validated; its constructor takes nothing but options."""

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> "Checked":
        if info.context is None:
            self._make_once()
        return self


class Recorded(Component):
    """A component as it is recorded, every option written out; what its name stands for is looked up when it is made."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Plain]

    tag: ClassVar[str]
    registry: ClassVar[Mapping[str, Callable]]

    @property
    def options(self) -> tuple[str, ...]:
        """The names of its options."""
        return tuple(self.model_extra)

    def make(self, *context: Any, **supplied: Any) -> Any:
        """silo's object, as :meth:`Component.make` makes it.

        Raises:
            KeyError: It is no built-in one: what an import path leads to is never made from a record.
        """
        constructor = self.registry[getattr(self, self.tag)]
        return constructor(*context, **self.model_extra, **_taken(constructor, supplied))


def component(
    constructor: Callable,
    base: type[Component] = Checked,
    context: int = 0,
    supplied: Sequence[str] = (),
    later: Sequence[str] = (),
    **fields: Any,
) -> type[Component]:
    """The pydantic model of a constructor's options.

    Args:
        constructor: A class or a function.
        base: The model's base class.
        context: How many of the constructor's first parameters are no options.
        supplied: Names of parameters that are none either: whoever makes the object has them.
        later: Names of options that the constructor got after results were published: they aren't written at their default,
            so that a training without them is what it was.
        fields: The model's fields beside the options, as ``pydantic.create_model`` takes them.

    Raises:
        ValueError: Another parameter is nothing that an experiment file can set.
    """
    taken = {*fields, *base.model_fields, *dir(base)}
    options = {}
    for p in list(inspect.signature(constructor, eval_str=True).parameters.values())[context:]:
        if p.kind is p.VAR_KEYWORD or p.name in supplied:
            continue
        if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL):
            raise ValueError(f"must take its parameters by name ({p.name} can't be given so)")
        if p.name in taken or p.name.startswith("_"):
            raise ValueError(f"must have parameters whose names the file has no other use for ({p.name} is taken)")
        kind, default = option(p, constructor)
        if p.name in later:  # no function of ours: a Ctrl-C in what pydantic calls back would be swallowed
            default = Field(default, exclude_if=partial(operator.eq, default))
        options[p.name] = kind, default
    model = create_model(getattr(constructor, "__name__", "component"), __base__=base, **fields, **options)
    model.constructor, model.options = staticmethod(constructor), tuple(options)
    return model


def one_of(
    tag: str,
    registry: Mapping[str, Callable],
    base: type[Component] = Checked,
    context: int = 0,
    own: str = OWN,
    supplied: Sequence[str] = (),
    later: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Any:
    """A pydantic type for ``{tag: name, option: value, ...}``, or just ``name``.

    Args:
        tag: The key of the name, such as ``kind``.
        registry: Constructors by name.
        base: The base class of the constructors' models.
        context: How many of the constructors' first parameters are no options.
        own: What will do beside the registry's names: any import path; empty for these alone.
        supplied: Names of the constructors' parameters that are no options either.
        later: By the registry's names, those of options that aren't written at their default (see :func:`component`).
    """
    # each model is made once: two readings of one experiment are equal only if their models are the same

    @cache
    def named(name: str) -> type[Component]:
        return component(registry[name], base, context, supplied, later.get(name, ()), **{tag: (Literal[name], name)})

    @cache
    def recorded() -> type[Component]:
        name = (Annotated[str, AfterValidator(_path)], ...)
        model = create_model("recorded", __base__=(base, Recorded), **{tag: name})
        model.tag, model.registry = tag, registry
        return model

    @cache
    def imported(path: ImportPath, target: Callable) -> type[Component]:
        named = (Annotated[Literal[str(path)], AfterValidator(ImportPath)], path)
        return component(held_to(registry, context, tag, path, target), base, context, supplied, **{tag: named})

    def chosen(value: Any, info: ValidationInfo) -> Component:
        if isinstance(value, str):
            value = {tag: value}
        if not isinstance(value, Mapping):
            raise ValueError(
                must_be_one_of(registry, value, ", or ".join(filter(None, [own, f"a mapping with {tag}"])))
            )
        if tag not in value:
            names = ", ".join(registry)
            raise InnerFieldError(tag, f"must be one of {f'{names}, or {own}' if own else names}, got nothing")
        name = value[tag]
        is_path = bool(own) and isinstance(name, str) and ":" in name
        if not is_path and name not in list(registry):
            raise InnerFieldError(tag, must_be_one_of(registry, name, own))
        if info.context is not None:
            model = recorded()
        elif is_path:
            try:
                path = ImportPath(name)
                model = imported(path, path.target)
            except (TypeError, ValueError) as error:
                raise InnerFieldError(tag, str(error)) from error
        else:
            model = named(name)
        return model.model_validate(value, context=info.context)  # for what is validated within it

    # Any: it is written out as what was chosen, with its own options
    return Annotated[Any, BeforeValidator(chosen), Choice(tag, registry, named, bool(own))]


def _taken(constructor: Callable, supplied: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the supplied arguments that a constructor has."""
    if not supplied:
        return {}
    parameters = inspect.signature(constructor).parameters
    return {name: value for name, value in supplied.items() if name in parameters}


def name_of(registry: Mapping[str, Callable]) -> Any:
    """A pydantic type for one of the registry's names or an import path."""

    def known(name: str, info: ValidationInfo) -> str:
        if ":" not in name and name not in registry:
            raise ValueError(must_be_one_of(registry, name, OWN))
        return _path(name, info)

    return Annotated[str, AfterValidator(known), WithJsonSchema(name_schema(registry))]


def _path(name: str, info: ValidationInfo) -> str:
    """An import path, imported, or as it is recorded; another name as it is. Raises ValueError."""
    if ":" not in name:
        return name
    return ImportPath(name) if info.context is None else info.context.path(name)
